"""A text applied twice, or another after it: the writer's own can still be had back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.open_documents import BETTER, SECOND, TEXT

if TYPE_CHECKING:
    from support.open_documents import OpenDocuments

pytestmark = pytest.mark.asyncio(loop_scope="session")
NEAR = "The mills stand further down, and their sails spin."
FAR = "Windmills turn above the town whenever there is any wind at all."


async def restored(docs: OpenDocuments, run_id: str) -> None:
    """Take the text out again."""
    result = await docs.editor.command("writeit.edit.restore", runId=run_id)
    assert result["applied"]


async def test_a_text_applied_twice_is_taken_out_as_if_once(
    docs: OpenDocuments,
) -> None:
    """The second time nothing was to do; what it had replaced is still known."""
    page = docs.open()
    run_id = await docs.polished(page)
    for _ in range(2):
        assert (await docs.apply(run_id))["applied"]
    page.type(0, 0, "Hers. ")
    assert (await docs.apply(run_id))["applied"]
    await restored(docs, run_id)
    assert page.text == f"Hers. {TEXT}"


@pytest.mark.parametrize("second", [NEAR, FAR])
async def test_another_choice_takes_the_place_of_the_first(
    docs: OpenDocuments, second: str
) -> None:
    """It is not hers that it meets there; and hers comes back at one restore."""
    page = docs.open()
    run_id = await docs.polished(page)
    await docs.apply(run_id)
    page.type(0, 0, "Hers. ")
    await docs.editor.command(
        "writeit.step.select", runId=run_id, response=0, content=second
    )
    result = await docs.apply(run_id)
    assert (result["applied"], result["conflicts"]) == (True, [])
    assert page.text == f"Hers. {TEXT}".replace(SECOND, second)
    await restored(docs, run_id)
    assert page.text == f"Hers. {TEXT}"


async def test_what_she_made_of_the_first_stays_with_another_choice(
    docs: OpenDocuments,
) -> None:
    """Her words in it are hers, and told as a conflict."""
    page = docs.open()
    run_id = await docs.polished(page)
    await docs.apply(run_id)
    here = page.text.index(BETTER) + len("The mills ")
    page.type(here, here, "of hers ")
    await docs.editor.command(
        "writeit.step.select", runId=run_id, response=0, content=FAR
    )
    result = await docs.apply(run_id)
    assert result["conflicts"]
    assert "of hers" in page.text


async def test_another_choice_in_a_closed_text_takes_the_place_of_the_first(
    docs: OpenDocuments,
) -> None:
    """On the disk as in the editor."""
    path = docs.path()
    path.write_text(TEXT, encoding="utf-8")
    run_id = await docs.run(path.as_uri(), TEXT, SECOND)
    await docs.apply(run_id)
    await docs.editor.command(
        "writeit.step.select", runId=run_id, response=0, content=FAR
    )
    assert (await docs.apply(run_id))["applied"]
    assert path.read_text(encoding="utf-8") == TEXT.replace(SECOND, FAR)
    await restored(docs, run_id)
    assert path.read_text(encoding="utf-8") == TEXT
