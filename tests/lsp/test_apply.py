"""A step's text in the writer's document: where it goes, and that nothing is lost."""

from __future__ import annotations

import asyncio
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
import pytest_asyncio

from support.editor import serving
from support.page import Page, serve_pages
from support.workspace import new_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from support.editor import Editor, Json
    from support.page import Manner

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIRST = "The river is cold in the morning, and nobody swims."
SECOND = "The mills stand further down, and their wheels turn."
THIRD = "A bridge of stone leads over it to the old town."
TEXT = f"{FIRST}\n\n{SECOND}\n\n{THIRD}\n"
BETTER = "The mills stand below, and their wheels turn day and night."
_names = count(1)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Desk]:
    """An editor whose documents take edits."""
    folder = new_workspace(tmp_path_factory.mktemp("desk"))
    async with serving([folder], "neovim", environment) as editor:
        editor.folder = folder
        yield Desk(editor)


class Desk:
    """An editor, its open pages, and runs that have a text to apply."""

    def __init__(self, editor: Editor) -> None:
        self.editor = editor
        self.pages = serve_pages(editor)

    def path(self) -> Path:
        """A new place in the workspace."""
        return self.editor.folder / f"text {next(_names)}.md"

    def open(
        self, text: str = TEXT, manner: Manner = "honest", uri: str | None = None
    ) -> Page:
        """Open a new document."""
        path = self.path()
        if uri is None:
            path.write_bytes(text.encode())
        uri = uri or path.as_uri()
        self.pages[uri] = Page(self.editor, uri, text, manner)
        return self.pages[uri]

    async def run(
        self, uri: str, text: str, passage: str = "", content: str = BETTER, **more: Any
    ) -> str:
        """A run on a passage of a document (or all of it) with a text to apply."""
        given: Json = {"pipeline": "tech-article", **more}
        if passage:
            given |= {"pipeline": "polish-passage", "range": span(text, passage)} | more
        run_id = await self.editor.start_run(uri=uri, **given)
        await self.editor.command(
            "writeit.step.run", runId=run_id, models=["openai/say-a"]
        )
        await self.editor.command(
            "writeit.step.select", runId=run_id, response=0, content=content
        )
        return run_id

    async def polished(self, page: Page, content: str = BETTER, **more: Any) -> str:
        """A run on the second paragraph of a page."""
        return await self.run(page.uri, page.text, SECOND, content, **more)

    async def apply(self, run_id: str, **params: Any) -> Json:
        """Apply a run's text."""
        result: Json = await self.editor.command(
            "writeit.step.apply", runId=run_id, **params
        )
        return result


def file_of(uri: str) -> Path:
    """The file of a URI."""
    return Path(unquote(urlsplit(uri).path))


def span(text: str, passage: str) -> Json:
    """The range of a passage in a text of one code unit a character."""
    start = text.index(passage)
    return {
        "start": place(text, start),
        "end": place(text, start + len(passage)),
    }


def place(text: str, offset: int) -> Json:
    """The position of an offset."""
    lines = text[:offset].replace("\r\n", "\n").split("\n")
    return {"line": len(lines) - 1, "character": len(lines[-1])}


async def test_a_passage_is_replaced_once_in_one_edit(desk: Desk) -> None:
    """The words that change and no others; a second apply finds it there."""
    page = desk.open()
    run_id = await desk.polished(page)
    result = await desk.apply(run_id)
    assert result == {
        "applied": True,
        "uri": page.uri,
        "merged": False,
        "conflicts": [],
        "pending": False,
    }
    assert page.text == TEXT.replace(SECOND, BETTER)
    assert page.version == 2
    assert (await desk.apply(run_id))["applied"]
    assert page.version == 2


async def test_what_she_typed_since_the_run_began_stays(desk: Desk) -> None:
    """In other paragraphs, and in the same one where the words allow it."""
    page = desk.open()
    run_id = await desk.polished(page)
    page.type(0, 0, "Early. ")
    at = page.text.index("mills")
    page.type(at, at, "old ")
    result = await desk.apply(run_id)
    assert result["merged"]
    assert page.text == "Early. " + TEXT.replace(SECOND, BETTER).replace(
        "mills", "old mills"
    )


async def test_where_both_changed_the_same_hers_stays_and_is_reported(
    desk: Desk,
) -> None:
    """Conflicts are a result, not an error; the writer is told."""
    page = desk.open()
    run_id = await desk.polished(page)
    at = page.text.index("further down")
    page.type(at, at + 12, "upstream")
    text = page.text
    result = await desk.apply(run_id)
    assert not result["applied"]
    assert not result["pending"]
    (conflict,) = result["conflicts"]
    assert "upstream" in conflict["ours"]
    assert BETTER in conflict["theirs"]
    assert page.text == text
    shown = desk.editor.sent("window/showMessage")[-1]["message"]
    assert "stays" in shown


@pytest.mark.parametrize("manner", ["honest", "lies", "errors", "refuses", "lags"])
async def test_every_manner_of_client_gets_there(desk: Desk, manner: Manner) -> None:
    """Refusals, lies, errors and lateness change nothing about the result."""
    page = desk.open(manner=manner)
    run_id = await desk.polished(page)
    applying = asyncio.create_task(desk.apply(run_id))
    for word in ("meanwhile. ", "types ", "She "):
        page.type(0, 0, word)
        await asyncio.sleep(0.02)
    result = await applying
    if result["pending"]:
        result = await desk.apply(run_id)
    assert result["applied"]
    assert BETTER in page.text
    assert page.text.count("mills") == 1
    assert page.text.startswith("She types meanwhile. ")


async def test_a_client_that_never_does_it_leaves_it_pending(desk: Desk) -> None:
    """It is kept and offered again; when the client can, it lands."""
    page = desk.open(manner="deaf")
    run_id = await desk.polished(page)
    result = await desk.apply(run_id)
    assert (result["applied"], result["pending"]) == (False, True)
    assert page.text == TEXT
    page.manner = "honest"
    assert (await desk.apply(run_id))["applied"]
    assert BETTER in page.text


async def test_restore_brings_the_writers_text_back(desk: Desk) -> None:
    """As it was before, but for what she typed since; once."""
    page = desk.open()
    run_id = await desk.polished(page)
    await desk.apply(run_id)
    page.type(0, 0, "Later. ")
    result = await desk.editor.command("writeit.edit.restore", runId=run_id)
    assert result == {"applied": True, "uri": page.uri}
    assert page.text == "Later. " + TEXT
    refused = await desk.editor.refusal("writeit.edit.restore", runId=run_id)
    assert refused.kind == "not_found"


async def test_what_was_applied_is_in_the_runs_history(desk: Desk) -> None:
    """With the text it replaced; a paused run stays paused."""
    page = desk.open()
    run_id = await desk.run(page.uri, page.text)
    await desk.editor.command("writeit.run.pause", runId=run_id)
    await desk.apply(run_id, mode="insert")
    run = await desk.editor.command("writeit.run.show", runId=run_id)
    assert run["status"] == "PAUSED"
    kept = await desk.editor.command("writeit.run.export", runId=run_id, format="json")
    assert '"text_applied"' in kept["content"]
    assert page.text == TEXT + "\n" + BETTER + "\n"


async def test_a_continuation_goes_behind_its_passage(desk: Desk) -> None:
    """As a paragraph of its own behind a paragraph."""
    page = desk.open()
    run_id = await desk.polished(page, pipeline="continue-passage")
    await desk.apply(run_id)
    assert page.text == f"{FIRST}\n\n{SECOND}\n\n{BETTER}\n\n{THIRD}\n"


async def test_a_whole_body_is_replaced_and_its_front_matter_kept(desk: Desk) -> None:
    """Front matter as it is now, not as it was when the run began."""
    head = "---\ntitle: Rivers\n---\n"
    page = desk.open(head + TEXT)
    run_id = await desk.run(page.uri, page.text, content="# New\n\nAll new.")
    page.type(4, 17, "title: Waters")
    await desk.apply(run_id, mode="replace")
    assert page.text == "---\ntitle: Waters\n---\n# New\n\nAll new.\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_line_ends_stay_what_they_are(desk: Desk, end: str) -> None:
    """Also at the end of a file that has none there."""
    text = TEXT.replace("\n", end).rstrip()
    page = desk.open(text)
    run_id = await desk.polished(page, "One.\n\nTwo, the mills turn.")
    await desk.apply(run_id)
    new = f"One.{end}{end}Two, the mills turn."
    assert page.text == text.replace(SECOND, new)


async def test_an_untitled_document_is_a_document(desk: Desk) -> None:
    """It needs no file."""
    page = desk.open(uri="untitled:Untitled-1")
    run_id = await desk.polished(page)
    assert (await desk.apply(run_id))["applied"]
    assert BETTER in page.text


async def test_a_closed_file_is_written_on_the_disk(desk: Desk) -> None:
    """With what changed there merged in, and its permissions kept."""
    path = desk.path()
    path.write_text(TEXT, encoding="utf-8")
    path.chmod(0o640)
    run_id = await desk.run(path.as_uri(), TEXT, SECOND)
    path.write_text("By another hand. " + TEXT, encoding="utf-8")
    result = await desk.apply(run_id)
    assert result["applied"]
    assert result["merged"]
    written = path.read_text(encoding="utf-8")
    assert written == "By another hand. " + TEXT.replace(SECOND, BETTER)
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.glob(".*")) == [path.parent / ".writeit"]


async def test_a_file_that_is_gone_refuses_and_keeps_the_text(desk: Desk) -> None:
    """It says where the text is; under its new name it can be applied."""
    path = desk.path()
    path.write_text(TEXT, encoding="utf-8")
    run_id = await desk.run(path.as_uri(), TEXT, SECOND)
    moved = path.rename(desk.path())
    refused = await desk.editor.refusal("writeit.step.apply", runId=run_id)
    assert refused.kind == "document_changed"
    assert refused.data["keptAt"] == f"writeit:/content/{run_id}/polish.md"
    assert (await desk.apply(run_id, uri=moved.as_uri()))["applied"]
    assert BETTER in moved.read_text(encoding="utf-8")


async def test_a_passage_that_is_gone_refuses_and_changes_nothing(desk: Desk) -> None:
    """Deleted, not edited."""
    page = desk.open()
    run_id = await desk.polished(page)
    at = page.text.index(SECOND)
    page.type(at, at + len(SECOND), "")
    text = page.text
    refused = await desk.editor.refusal("writeit.step.apply", runId=run_id)
    assert refused.kind == "document_changed"
    assert page.text == text


async def test_a_new_file_stands_beside_its_source(desk: Desk) -> None:
    """`<stem>.<pipeline>.md`, or the next free number; once, and gone by restore."""
    page = desk.open()
    run_id = await desk.run(page.uri, page.text)
    result = await desk.apply(run_id)
    stem = page.uri.removesuffix(".md")
    assert result["uri"] == f"{stem}.tech-article.md"
    assert (await desk.apply(run_id))["uri"] == result["uri"]
    other = await desk.apply(await desk.run(page.uri, page.text, content="Other."))
    assert other["uri"] == f"{stem}.tech-article-2.md"
    await desk.editor.command("writeit.edit.restore", runId=run_id)
    again = await desk.apply(run_id)
    assert again["uri"] == result["uri"]


@pytest.mark.parametrize("manner", ["does it", "lies"])
async def test_a_client_that_can_makes_the_new_file(
    environment: dict[str, str], tmp_path: Path, manner: str
) -> None:
    """Or else the server does; the text is in it either way."""
    folder = new_workspace(tmp_path / "workspace")
    asked: list[str] = []

    def make(params: Json) -> Json:
        (change,) = params["edit"]["documentChanges"]
        assert change["kind"] == "create"
        asked.append(change["uri"])
        if manner == "does it":
            file_of(change["uri"]).touch(exist_ok=False)
        return {"applied": True}

    async with serving([folder], "visual_studio_code", environment) as editor:
        editor.folder = folder
        desk = Desk(editor)
        editor.answers["workspace/applyEdit"] = make
        page = desk.open()
        result = await desk.apply(await desk.run(page.uri, page.text))
        assert asked == [result["uri"]]
        assert file_of(result["uri"]).read_text(encoding="utf-8") == BETTER + "\n"


async def test_a_new_file_goes_where_the_run_says(desk: Desk) -> None:
    """`outputPath` inside the workspace; outside is refused."""
    page = desk.open()
    run_id = await desk.run(page.uri, page.text, outputPath="out/rivers.md")
    result = await desk.apply(run_id)
    path = desk.editor.folder / "out" / "rivers.md"
    assert result["uri"] == path.as_uri()
    assert path.read_text(encoding="utf-8") == BETTER + "\n"
    outside = await desk.run(page.uri, page.text, outputPath="../rivers.md")
    refused = await desk.editor.refusal("writeit.step.apply", runId=outside)
    assert refused.kind == "not_trusted"


async def test_a_new_file_that_was_edited_is_not_removed(desk: Desk) -> None:
    """Restore says so and leaves it."""
    page = desk.open()
    run_id = await desk.run(page.uri, page.text, outputPath="out/edited.md")
    await desk.apply(run_id)
    path = desk.editor.folder / "out" / "edited.md"
    path.write_text("mine", encoding="utf-8")
    refused = await desk.editor.refusal("writeit.edit.restore", runId=run_id)
    assert refused.kind == "document_changed"
    assert path.exists()


async def test_only_a_finished_step_is_applied(desk: Desk) -> None:
    """Nothing chosen, nothing to apply; a refusal is the reply also without waiting."""
    page = desk.open()
    run_id = await desk.editor.start_run(uri=page.uri)
    for wait in (True, False):
        refused = await desk.editor.refusal(
            "writeit.step.apply", runId=run_id, wait=wait
        )
        assert refused.kind == "invalid_transition"


async def test_who_does_not_wait_is_answered_at_once(desk: Desk) -> None:
    """The text lands; the stream says when."""
    page = desk.open()
    run_id = await desk.polished(page)
    result = await desk.apply(run_id, wait=False, streamToken=run_id)
    assert result == {"runId": run_id, "step": "polish"}
    await desk.editor.until(lambda: desk.editor.progress(run_id))
    assert desk.editor.progress(run_id)[-1]["kind"] == "ended"
    assert BETTER in page.text


async def test_characters_of_several_units_are_where_they_are(desk: Desk) -> None:
    """Emoji and combining characters in front of the passage, in the same line."""
    odd = "👩\u200d🚀 cafe\u0301 — \u2028 \x0c "
    page = desk.open(TEXT.replace(SECOND, odd + SECOND))
    run_id = await desk.run(page.uri, page.text, content="Short.")
    page.type(0, 0, "🚀")
    await desk.apply(run_id, mode="insert")
    assert page.text == "🚀" + TEXT.replace(SECOND, odd + SECOND) + "\nShort.\n"
