"""What an apply changed is kept or undone block by block, in every client."""

from pathlib import Path
from typing import Any

import pytest

from support.document import Document
from support.editor import Editor, Json, serving
from support.open_documents import FIRST, SECOND, TEXT, THIRD, OpenDocuments

NEW_FIRST = "The river is icy at dawn, and nobody swims."
NEW_THIRD = "A bridge of stone leads to the old town over it."
ARTICLE = f"{NEW_FIRST}\n\n{SECOND}\n\n{NEW_THIRD}\n"


async def applied(
    docs: OpenDocuments, text: str = TEXT, content: str = ARTICLE
) -> Document:
    """A document in which an article took the place of the notes."""
    page = docs.open(text)
    run_id = await docs.run(page.uri, text, content=content, output="replace")
    assert (await docs.apply(run_id))["applied"]
    return page


async def changes(editor: Editor, page: Document) -> list[Json]:
    """What the server lists."""
    found = await editor.command("writeit.document.changes", uri=page.uri)
    result: list[Json] = found["changes"]
    return result


async def lenses(editor: Editor, page: Document) -> list[tuple[int, str]]:
    """The lenses on changed blocks, with their lines."""
    here = {"textDocument": {"uri": page.uri}}
    found = await editor.request("textDocument/codeLens", here)
    wanted = ("writeit.document.keep", "writeit.document.revert")
    return [
        (lens["range"]["start"]["line"], lens["command"]["title"])
        for lens in found
        if lens["command"]["command"] in wanted
    ]


async def decide(docs: OpenDocuments, page: Document, verb: str, index: int = 0) -> Any:
    """Keep or undo one of the changes."""
    change = (await changes(docs.editor, page))[index]["change"]
    command = f"writeit.document.{verb}"
    return await docs.editor.command(command, uri=page.uri, change=change)


async def test_each_changed_block_has_lenses_and_the_first_those_on_all(
    docs: OpenDocuments,
) -> None:
    """Blocks that the apply left as they were have none."""
    page = await applied(docs)
    assert await lenses(docs.editor, page) == [
        (0, "Keep"),
        (0, "Undo"),
        (0, "Keep all 2"),
        (0, "Undo all 2"),
        (4, "Keep"),
        (4, "Undo"),
    ]


async def test_undo_takes_back_one_block_and_keeps_what_the_user_typed(
    docs: OpenDocuments,
) -> None:
    """Words typed in the block and elsewhere stay; the other block stays applied."""
    page = await applied(docs)
    page.type(0, 0, "Mine. ")
    page.type(len(page.text), len(page.text), "\nThe end is mine, too.\n")
    assert (await decide(docs, page, "revert"))["applied"]
    assert page.text == ARTICLE.replace(NEW_FIRST, f"Mine. {FIRST}") + (
        "\nThe end is mine, too.\n"
    )
    assert [c["before"] for c in await changes(docs.editor, page)] == [f"{THIRD}\n"]


async def test_a_block_that_the_user_rewrote_in_part_is_not_undone(
    docs: OpenDocuments,
) -> None:
    """The applied words cannot be told from the user's; a sentence says so."""
    page = await applied(docs)
    start = page.text.index("icy at dawn")
    page.type(start, start + len("icy at dawn"), "freezing at night")
    typed = page.text
    result = await decide(docs, page, "revert")
    assert result == {"applied": False, "conflicts": 1, "pending": False}
    assert page.text == typed
    change = (await changes(docs.editor, page))[0]["change"]
    await docs.editor.command(
        "writeit.document.revert", uri=page.uri, change=change, wait=False
    )
    await docs.editor.until(
        lambda: any("you edited 1 changed" in m for m in docs.editor.shown_messages())
    )


async def test_the_editors_undo_and_redo_bring_a_block_back_and_away(
    docs: OpenDocuments,
) -> None:
    """Nothing is remembered of an undo: the document tells."""
    page = await applied(docs)
    after = page.text
    await decide(docs, page, "revert")
    undone = page.text
    for text, count in ((after, 2), (undone, 1), (TEXT, 0), (after, 2)):
        page.type(0, len(page.text), text)
        assert len(await changes(docs.editor, page)) == count


async def test_what_was_kept_stays_kept_while_the_user_types_undoes_and_reopens(
    docs: OpenDocuments,
) -> None:
    """The record is in the store, so that another editor has it, too."""
    page = await applied(docs)
    after = page.text
    assert await decide(docs, page, "keep") == {"kept": 1}
    page.type(0, len(page.text), TEXT)
    page.type(0, len(page.text), after)
    page.close()
    page = docs.open(after, uri=page.uri)
    assert [c["before"] for c in await changes(docs.editor, page)] == [f"{THIRD}\n"]
    refused = await docs.editor.refusal(
        "writeit.document.keep", uri=page.uri, change="gone"
    )
    assert refused.kind == "not_found"


@pytest.mark.parametrize("verb", ["keep", "revert"])
async def test_all_are_kept_or_undone_in_one_act(
    docs: OpenDocuments, verb: str
) -> None:
    """Undoing all is one edit; the user's own edit stays. Then nothing is offered."""
    page = await applied(docs)
    at = page.text.index(SECOND)
    page.type(at, at, "Mine. ")
    taken = page.taken
    await docs.editor.command(f"writeit.document.{verb}", uri=page.uri)
    expected = ARTICLE if verb == "keep" else TEXT
    assert page.text == expected.replace(SECOND, f"Mine. {SECOND}")
    assert page.taken - taken == (verb == "revert")
    assert await changes(docs.editor, page) == []
    assert await lenses(docs.editor, page) == []


async def test_a_polish_in_a_changed_block_is_decided_before_that_block(
    docs: OpenDocuments,
) -> None:
    """Undoing it brings the article's block back under review, then the notes."""
    page = await applied(docs)
    polished = "Nobody swims in the icy river at dawn."
    run_id = await docs.run(page.uri, page.text, NEW_FIRST, polished)
    await docs.apply(run_id)
    assert [c["before"] for c in await changes(docs.editor, page)] == [
        f"{NEW_FIRST}\n",
        f"{THIRD}\n",
    ]
    await decide(docs, page, "revert")
    assert page.text == ARTICLE
    assert (await changes(docs.editor, page))[0]["before"] == f"{FIRST}\n"
    await docs.editor.command("writeit.document.revert", uri=page.uri)
    assert page.text == TEXT


async def test_keeping_a_polish_keeps_what_it_was_made_of(docs: OpenDocuments) -> None:
    """The user has agreed to the text that is there, not to one of its sources."""
    page = await applied(docs)
    run_id = await docs.run(page.uri, page.text, NEW_FIRST, f"{NEW_FIRST} Never.")
    await docs.apply(run_id)
    await decide(docs, page, "keep")
    assert [c["before"] for c in await changes(docs.editor, page)] == [f"{THIRD}\n"]


async def test_a_second_apply_over_the_first_is_undone_to_the_users_text(
    docs: OpenDocuments,
) -> None:
    """Another answer of the same step replaces the first, also in the review."""
    page = docs.open()
    run_id = await docs.run(page.uri, TEXT, content=ARTICLE, output="replace")
    await docs.apply(run_id)
    await decide(docs, page, "keep")
    second = ARTICLE.replace(NEW_FIRST, "Cold is the river at dawn.")
    await docs.editor.choose(run_id, step="angles", content=second)
    await docs.apply(run_id)
    assert len(await changes(docs.editor, page)) == 2
    await docs.editor.command("writeit.document.revert", uri=page.uri)
    assert page.text == TEXT


async def test_after_a_restore_nothing_is_reviewed(docs: OpenDocuments) -> None:
    """And the text before is not offered any more."""
    page = docs.open()
    run_id = await docs.run(page.uri, TEXT, content=ARTICLE, output="replace")
    await docs.apply(run_id)
    await docs.editor.command("writeit.edit.restore", runId=run_id)
    found = await docs.editor.command("writeit.document.changes", uri=page.uri)
    assert found == {"changes": [], "before": None}


@pytest.mark.parametrize("profile", ["bare utf-8", "bare", "neovim"])
async def test_windows_line_ends_and_wide_characters(
    environment: dict[str, str], workspace: Path, profile: str
) -> None:
    """In each position encoding a block is found, shown and undone exactly."""
    async with serving([workspace], profile, environment) as editor:
        await undo_two_blocks(OpenDocuments(editor))


async def undo_two_blocks(docs: OpenDocuments) -> None:
    """The text is the same, byte for byte."""
    notes = "Der Fluß 👩‍🚀 ist kalt.\r\n\r\n日本語 bleibt.\r\n\r\nDrei é.\r\n"
    article = notes.replace("kalt", "eisig 🇩🇪").replace("Drei", "Vier 👍🏽")
    page = await applied(docs, notes, article)
    assert page.text == article
    found = (await changes(docs.editor, page))[1]
    assert (found["firstLine"], found["endLine"]) == (4, 5)
    await decide(docs, page, "revert", 1)
    assert page.text == article.replace("Vier 👍🏽", "Drei")
    await decide(docs, page, "revert")
    assert page.text == notes


async def test_undo_all_leaves_what_was_kept(docs: OpenDocuments) -> None:
    """Of two polishes the kept one stays; the editor's own undo came in between."""
    page = docs.open()
    for old, new in ((FIRST, NEW_FIRST), (THIRD, NEW_THIRD)):
        await docs.apply(await docs.run(page.uri, page.text, old, new))
    await decide(docs, page, "revert")
    page.type(page.text.index(FIRST), len(FIRST), NEW_FIRST)
    await decide(docs, page, "keep", 1)
    result = await docs.editor.command("writeit.document.revert", uri=page.uri)
    assert result == {"applied": True, "conflicts": 0, "pending": False}
    assert page.text == TEXT.replace(THIRD, NEW_THIRD)


async def test_all_of_two_applies_are_undone_from_the_newest_on(
    docs: OpenDocuments,
) -> None:
    """The second adds a line that the first one has changed."""
    first = "town\n# h stone\n"
    page = docs.open(first)
    for text in ("town\n# h stone mill\n", "town\n# h stone mill\n# h stone\n"):
        run_id = await docs.run(page.uri, page.text, content=text)
        await docs.apply(run_id, mode="replace")
        assert page.text == text
    await docs.editor.command("writeit.document.revert", uri=page.uri)
    assert page.text == first
