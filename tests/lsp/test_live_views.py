"""Views live: while text comes, when answers end, when another editor decides."""

import asyncio
import time
from itertools import pairwise
from pathlib import Path

import pytest

from support.code_actions import lenses
from support.document import Document
from support.editor import Declined, Editor, serving
from support.open_documents import OpenDocuments

LIBRARY = Path(__file__).parents[2] / "pipelines"
VS_CODE = pytest.mark.parametrize("editor", ["visual_studio_code"], indirect=True)
TELL_ME = {"writeit": {"events": True, "views": "uri"}}


async def test_a_view_grows_while_its_answer_comes(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Who asked to be told is told several times before the answer has ended."""
    async with serving([workspace], "neovim", environment, options=TELL_ME) as editor:
        run_id = await editor.start_run()
        uri = f"writeit:/step/{run_id}/angles.md"
        await editor.command("writeit.view.read", uri=uri)
        number, reply = editor.start(
            "writeit.step.run", runId=run_id, models=["openai/slow-4000"]
        )
        assert number
        lengths: list[int] = []
        while sum(a < b for a, b in pairwise(lengths)) <= 3:
            heard = len(editor.sent("writeit/changed"))
            page = await editor.command("writeit.view.read", uri=uri)
            lengths.append(len(page["text"]))
            await editor.until(
                lambda heard=heard: len(editor.sent("writeit/changed")) > heard
            )
        assert not reply.done()
        assert uri in editor.sent("writeit/changed")[-1]["views"]
        await editor.command("writeit.run.pause", runId=run_id)


@VS_CODE
async def test_the_protocols_own_views_are_refreshed_while_text_comes(
    editor: Editor,
) -> None:
    """By workspace/textDocumentContent/refresh, at most ten times a second."""
    can = editor.initialized["capabilities"]["workspace"]
    assert can["textDocumentContent"] == {"schemes": ["writeit"]}
    run_id = await editor.start_run()
    uri = f"writeit:/step/{run_id}/angles.md"
    await editor.request("workspace/textDocumentContent", {"uri": uri})
    refresh = "workspace/textDocumentContent/refresh"
    before, heard = time.monotonic(), len(editor.sent(refresh))
    _, reply = editor.start(
        "writeit.step.run", runId=run_id, models=["openai/slow-4000"]
    )
    await editor.until(lambda: len(editor.sent(refresh)) > heard + 5)
    assert not reply.done()
    await editor.command("writeit.run.pause", runId=run_id)
    asked = [params["uri"] for params in editor.sent(refresh)[heard:]]
    assert set(asked) == {uri}
    assert len(asked) <= 10 * (time.monotonic() - before) + 2


def open_view(docs: OpenDocuments, path: Path) -> Document:
    """Open a page that was given out as a file."""
    return docs.open(path.read_text(encoding="utf-8"), uri=path.as_uri())


async def test_a_page_given_out_as_a_file_shows_answers_when_they_end(
    bare: OpenDocuments,
) -> None:
    """It is changed by edits, and what the user types into it stays."""
    editor = bare.editor
    run_id = await editor.answered("say-first")
    path = await editor.step_page(run_id)
    page = open_view(bare, path)
    place = page.text.index("-->", page.text.index("writeit:feedback")) + 4
    page.type(place, place, "more rivers")
    before = page.text.index("more rivers")
    await editor.command(
        "writeit.step.regenerate",
        runId=run_id,
        models=["openai/say-second"],
        feedback="less",
    )
    await editor.until(lambda: "second" in page.text)
    assert page.text.index("more rivers") > before
    run = await editor.choose(run_id, 1)
    assert run["steps"]["angles"]["userFeedback"] == "more rivers"


async def test_words_typed_while_no_server_ran_are_edited(
    workspace: Path, environment: dict[str, str]
) -> None:
    """And nothing else is: what was rendered last is known across restarts."""
    path = None
    async with serving([workspace], "bare", environment) as editor:
        run_id = await editor.answered("say-first")
        path = await editor.step_page(run_id)
        await editor.quit()
    page = path.read_text(encoding="utf-8")
    path.write_text(page.replace("first", "My first", 2), encoding="utf-8")
    async with serving([workspace], "bare", environment) as editor:
        run = await editor.choose(run_id)
        assert "My first" in run["steps"]["angles"]["content"]


async def test_a_page_left_open_is_brought_up_to_date_when_it_is_opened_again(
    workspace: Path, environment: dict[str, str]
) -> None:
    """The next day the editor opens yesterday's page by itself."""
    async with serving([workspace], "bare", environment) as editor:
        run_id = await editor.start_run()
        await editor.command("writeit.view.open", view="run", runId=run_id)
        path = workspace / ".writeit" / "views" / "run" / f"{run_id}.md"
        await editor.quit()
    path.write_text("# An old page\n", encoding="utf-8")
    async with serving([workspace], "bare", environment) as editor:
        page = open_view(OpenDocuments(editor), path)
        await editor.until(lambda: "An old page" not in page.text)
        assert "angles" in page.text


@VS_CODE
async def test_lenses_are_refreshed_though_the_client_refuses_to_read_a_view(
    editor: Editor,
) -> None:
    """Else the status above the document would be outdated."""
    refresh = "workspace/codeLens/refresh"
    content = "workspace/textDocumentContent/refresh"
    editor.answers[content] = lambda _: Declined("not now")
    run_id = await editor.start_run()
    await editor.until(lambda: editor.sent(refresh))
    uri = f"writeit:/step/{run_id}/angles.md"
    await editor.request("workspace/textDocumentContent", {"uri": uri})
    refreshed, heard = len(editor.sent(refresh)), len(editor.sent(content))
    await editor.generate(run_id, "say-first")
    await editor.until(lambda: len(editor.sent(content)) > heard)
    await editor.until(lambda: len(editor.sent(refresh)) > refreshed)
    del editor.answers[content]


async def test_the_start_of_a_pipeline_of_the_folder_is_offered_when_it_is_read(
    workspace: Path, environment: dict[str, str]
) -> None:
    """A lens does not wait for files: a later request brings what they offer."""
    text = (LIBRARY / "tech-article.yaml").read_text(encoding="utf-8")
    (workspace / "pipelines").mkdir()
    (workspace / "pipelines/tech-article.yaml").write_text(text, encoding="utf-8")
    (workspace / "river.md").write_text("---\nwriteit: {pipeline: tech-article}\n---\n")
    async with serving([workspace], "visual_studio_code", environment) as editor:
        uri = editor.open_document(workspace / "river.md")
        if not await lenses(editor, uri):
            await editor.until(lambda: editor.sent("workspace/codeLens/refresh"))
        assert await lenses(editor, uri)


async def test_a_page_whose_markers_are_damaged_is_left_alone(
    bare: OpenDocuments,
) -> None:
    """The user's text cannot be told from the server's; a message names the page."""
    editor = bare.editor
    run_id = await editor.answered("say-first")
    path = await editor.step_page(run_id)
    page = path.read_text(encoding="utf-8")
    edited = page.replace("<!-- /writeit:feedback -->\n", "Words of mine.\n")
    assert edited != page
    path.write_text(edited, encoding="utf-8")
    already = len(editor.shown_messages())
    await editor.choose(run_id)
    messages = editor.shown_messages()[already:]
    assert any("stays as you left it" in message for message in messages)
    assert path.read_text(encoding="utf-8") == edited


async def told_within(editor: Editor, run_id: str, already: int) -> None:
    """Wait until an editor has been told of a run once more."""
    await editor.until(
        lambda: any(
            run_id in news["runIds"]
            for news in editor.sent("writeit/changed")[already:]
        )
    )


async def test_what_another_editor_decides_is_told_here(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Two servers, one workspace: lens and views follow the other side."""
    async with (
        serving([workspace], "neovim 0.12", environment, options=TELL_ME) as here,
        serving([workspace], "neovim", environment, options=TELL_ME) as there,
    ):
        run_id = await here.start_run()
        await there.show(run_id)
        await here.until(lambda: here.sent("writeit/changed"))
        await asyncio.sleep(1)  # both have looked at the store
        heard = len(here.sent("writeit/changed"))
        refreshed = len(here.sent("workspace/codeLens/refresh"))
        await there.command("writeit.step.skip", runId=run_id)
        await told_within(here, run_id, heard)
        await here.until(
            lambda: len(here.sent("workspace/codeLens/refresh")) > refreshed
        )
        heard = len(here.sent("writeit/changed"))
        _, reply = there.start(
            "writeit.step.run", runId=run_id, models=["openai/slow-4000"]
        )
        await told_within(here, run_id, heard)
        heard = len(here.sent("writeit/changed"))
        await told_within(here, run_id, heard)
        assert not reply.done()
        await there.command("writeit.run.pause", runId=run_id)
