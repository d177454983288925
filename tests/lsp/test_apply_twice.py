"""A text applied twice, or followed by another: the user's text can be restored."""

import pytest

from support.open_documents import BETTER, SECOND, TEXT, OpenDocuments

NEAR = "The mills stand further down, and their sails spin."
FAR = "Windmills turn above the town whenever there is any wind at all."


async def restored(docs: OpenDocuments, run_id: str) -> None:
    """Take the text out again."""
    result = await docs.editor.command("writeit.edit.restore", runId=run_id)
    assert result["applied"]


async def test_a_text_applied_twice_is_restored_once(docs: OpenDocuments) -> None:
    """The second apply changes nothing; the replaced text is still known."""
    page = docs.open()
    run_id = await docs.polished(page)
    for _ in range(2):
        assert (await docs.apply(run_id))["applied"]
    page.type(0, 0, "Mine. ")
    assert (await docs.apply(run_id))["applied"]
    await restored(docs, run_id)
    assert page.text == f"Mine. {TEXT}"


@pytest.mark.parametrize("second", [NEAR, FAR])
async def test_another_choice_replaces_the_first(
    docs: OpenDocuments, second: str
) -> None:
    """It replaces the first text; one restore brings the user's text back."""
    page = docs.open()
    run_id = await docs.polished(page)
    await docs.apply(run_id)
    page.type(0, 0, "Mine. ")
    await docs.editor.choose(run_id, content=second)
    result = await docs.apply(run_id)
    assert (result["applied"], result["conflicts"]) == (True, [])
    assert page.text == f"Mine. {TEXT}".replace(SECOND, second)
    await restored(docs, run_id)
    assert page.text == f"Mine. {TEXT}"


async def test_the_users_edits_of_the_first_text_stay_with_another_choice(
    docs: OpenDocuments,
) -> None:
    """The user's words in it stay and are reported as a conflict."""
    page = docs.open()
    run_id = await docs.polished(page)
    await docs.apply(run_id)
    here = page.text.index(BETTER) + len("The mills ")
    page.type(here, here, "of mine ")
    await docs.editor.choose(run_id, content=FAR)
    result = await docs.apply(run_id)
    assert result["conflicts"]
    assert "of mine" in page.text


async def test_another_choice_replaces_the_first_in_a_closed_file(
    docs: OpenDocuments,
) -> None:
    """On the disk as in the editor."""
    path = docs.path()
    path.write_text(TEXT, encoding="utf-8")
    run_id = await docs.run(path.as_uri(), TEXT, SECOND)
    await docs.apply(run_id)
    await docs.editor.choose(run_id, content=FAR)
    assert (await docs.apply(run_id))["applied"]
    assert path.read_text(encoding="utf-8") == TEXT.replace(SECOND, FAR)
    await restored(docs, run_id)
    assert path.read_text(encoding="utf-8") == TEXT
