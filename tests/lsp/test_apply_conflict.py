"""A passage that was chosen and did not come into the document is offered again."""

from pathlib import Path

from support.code_actions import actions, execute, lenses
from support.editor import serving
from support.open_documents import (
    BETTER,
    FIRST,
    SECOND,
    TEXT,
    THIRD,
    OpenDocuments,
)

PUT = "Insert the new passage"
COMPARE = "Compare the document with the new text"
BACK = "Undo the last polish"
FOURTH = "Nobody remembers who built the first of its arches."


async def titles(docs: OpenDocuments, uri: str) -> list[str]:
    """The lenses of the first line."""
    return [title for _, title, _ in await lenses(docs.editor, uri)]


async def test_a_chosen_passage_is_offered_to_the_document(bare: OpenDocuments) -> None:
    """Chosen in a page, where nothing puts it in by itself."""
    page = bare.open()
    await bare.polished(page)
    assert PUT in await titles(bare, page.uri)
    offered = await actions(bare.editor, page.uri)
    assert COMPARE in offered
    await execute(bare.editor, offered[PUT])
    await bare.editor.until(lambda: BETTER in page.text)
    while BACK not in await actions(bare.editor, page.uri):
        pass  # it is noted after the text has changed
    assert PUT not in await titles(bare, page.uri)


async def test_what_waited_is_offered_by_the_next_server(
    workspace: Path, environment: dict[str, str]
) -> None:
    """It does not forget with the one that is gone."""
    async with serving([workspace], "bare", environment) as editor:
        docs = OpenDocuments(editor)
        page = docs.open(manner="deaf")
        run_id = await docs.polished(page)
        assert (await docs.apply(run_id))["pending"]
        assert PUT not in await actions(editor, page.uri)  # it waits, and says so
        text = page.text
    async with serving([workspace], "bare", environment) as editor:
        again = OpenDocuments(editor).open(text, uri=page.uri)
        await execute(editor, (await actions(editor, again.uri))[PUT])
        await editor.until(lambda: BETTER in again.text)


async def test_a_passage_the_user_changed_meanwhile_is_offered_to_be_compared(
    bare: OpenDocuments,
) -> None:
    """It conflicts with the user's words, which stay."""
    page = bare.open()
    run_id = await bare.polished(page)
    start = page.text.index(SECOND)
    page.type(start, start + len(SECOND), "My own words.")
    assert not (await bare.try_to_apply(run_id))["applied"]
    offered = await actions(bare.editor, page.uri)
    assert {PUT, COMPARE} <= set(offered)
    assert "My own words." in page.text


async def test_what_the_user_took_back_is_not_urged_again(bare: OpenDocuments) -> None:
    """An action is there; no lens."""
    page = bare.open()
    run_id = await bare.polished(page)
    await bare.apply(run_id)
    await execute(bare.editor, (await actions(bare.editor, page.uri))[BACK])
    await bare.editor.until(lambda: SECOND in page.text)
    while BACK in (offered := await actions(bare.editor, page.uri)):
        pass  # it is noted after the text has changed
    assert PUT in offered
    assert PUT not in await titles(bare, page.uri)


async def test_every_polish_can_be_undone_the_newest_first(bare: OpenDocuments) -> None:
    """One of which nothing is left in the document is passed over."""
    page = bare.open(TEXT.replace(THIRD, f"{THIRD}\n\n{FOURTH}"))
    for passage in (FIRST, SECOND, THIRD, FOURTH):
        run_id = await bare.run(page.uri, page.text, passage, f"New {passage[2:]}")
        assert (await bare.apply(run_id))["applied"]
    lost = page.text.index(f"New {THIRD[2:]}")
    page.type(lost, lost + len(f"New {THIRD[2:]}\n\n"), "")
    for passage in (FOURTH, SECOND, FIRST):
        assert passage not in page.text
        undo = (await actions(bare.editor, page.uri))[BACK]
        (params,) = undo["arguments"]
        assert (await bare.editor.command(undo["command"], **params | {"wait": True}))[
            "applied"
        ]
        assert passage in page.text
    assert page.text == f"{FIRST}\n\n{SECOND}\n\n{FOURTH}\n"
