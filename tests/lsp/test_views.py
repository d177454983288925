"""Views over the wire: opened, read, as files where a client needs files."""

import asyncio
from pathlib import Path

from support.editor import Editor, serving
from support.open_documents import OpenDocuments


async def answered(editor: Editor) -> str:
    """A run with two answers in its first step."""
    return await editor.answered("say-one", "say-two", name="Rivers")


async def test_every_view_can_be_read(one_editor: Editor) -> None:
    """Run, step, response, content, comparison, prompt, usage: each is markdown."""
    run_id = await answered(one_editor)
    run = await one_editor.choose(run_id, 1)
    ids = [a["responseId"] for a in run["steps"]["angles"]["aiResponses"]]
    pages = {
        f"writeit:/run/{run_id}.md": "# Rivers",
        f"writeit:///step/{run_id}/angles.md": "## Answer 1",
        f"writeit:/response/{run_id}/angles/{ids[0]}.md": ids[0],
        f"writeit:/content/{run_id}/angles.md": "",
        f"writeit:/compare/{run_id}/angles/{ids[0]}/{run_id}/angles/{ids[1]}.md": "#",
        f"writeit:/prompt/{run_id}/outline.md": "# Prompt of outline",
        "writeit:/usage.md": "# Usage",
    }
    for uri, words in pages.items():
        read = await one_editor.command("writeit.view.read", uri=uri)
        assert words in read["text"] or words == ids[0]
        assert read["text"].endswith("\n")


async def test_a_view_that_is_none_is_refused(one_editor: Editor) -> None:
    """The hint says how the URI of a view looks."""
    refused = await one_editor.refusal("writeit.view.read", uri="writeit:/nothing.md")
    assert refused.kind == "not_found"
    refused = await one_editor.refusal("writeit.view.open", view="run")
    assert refused.kind == "invalid_params"


async def test_a_client_that_can_is_shown_the_document(one_editor: Editor) -> None:
    """window/showDocument where the client can, else a message that names it."""
    run_id = await answered(one_editor)
    before = len(one_editor.sent("window/showDocument"))
    opened = await one_editor.command("writeit.view.open", view="step", runId=run_id)
    (shown,) = one_editor.sent("window/showDocument")[before:]
    assert shown["uri"] == opened["uri"]


async def test_a_bare_client_gets_a_file_and_keeps_what_it_wrote_there(
    bare: OpenDocuments,
) -> None:
    """The view is under .writeit/views; the user's own sections stay."""
    editor = bare.editor
    run_id = await answered(editor)
    path = await editor.step_page(run_id)
    messages = editor.shown_messages()
    assert any(path.as_uri() in message for message in messages)
    text = path.read_text(encoding="utf-8")
    marker = "<!-- writeit:feedback"
    head, _, tail = text.partition(marker)
    line, _, rest = tail.partition("\n")
    path.write_text(f"{head}{marker}{line}\nshorter{rest}", encoding="utf-8")
    await editor.choose(run_id)
    await editor.command("writeit.view.open", view="step", runId=run_id, step="angles")
    again = path.read_text(encoding="utf-8")
    assert "shorter" in again
    assert again != text


def typed(page: str, section: str, words: str) -> str:
    """A page with `words` typed at the beginning of one of the writer's sections."""
    head, marker, tail = page.partition(f"<!-- writeit:{section}")
    assert marker
    line, _, rest = tail.partition("\n")
    return f"{head}{marker}{line}\n{words}{rest}"


async def test_words_typed_into_a_view_go_with_the_choice(bare: OpenDocuments) -> None:
    """Feedback and the edited answer, without a dialog and without a plug-in."""
    editor = bare.editor
    run_id = await answered(editor)
    path = await editor.step_page(run_id)
    page = path.read_text(encoding="utf-8")
    page = typed(page, "answer 1", "My ")
    page = typed(page, "answer 2", "Not this: ")
    path.write_text(typed(page, "feedback", "shorter"), encoding="utf-8")
    answers = (await editor.show(run_id))["steps"]["angles"]["aiResponses"]
    (first,) = (answer for answer in answers if answer["number"] == 1)
    run = await editor.choose(run_id, first["responseId"])
    angles = run["steps"]["angles"]
    assert angles["content"] == f"My {first['rawOutput']}"
    assert angles["userFeedback"] == "shorter"
    after = path.read_text(encoding="utf-8")
    assert "Not this: " in after
    state = await editor.generate(run_id, "echo")
    assert "shorter" in state["aiResponses"][0]["promptUsed"]


async def test_words_typed_into_a_view_go_with_asking_anew_once(
    bare: OpenDocuments,
) -> None:
    """They are in that prompt, and not said again with the next."""
    editor = bare.editor
    run_id = await answered(editor)
    path = await editor.step_page(run_id)
    page = path.read_text(encoding="utf-8")
    path.write_text(typed(page, "feedback", "with teeth"), encoding="utf-8")
    for count, expected in ((3, True), (4, False)):
        state = await editor.command(
            "writeit.step.regenerate", runId=run_id, models=["openai/say-again"]
        )
        prompt = state["aiResponses"][count - 1]["promptUsed"]
        assert ("The author asks for these changes" in prompt) is expected


async def test_opening_without_waiting_replies_first(one_editor: Editor) -> None:
    """A client that blocks on its command is not asked to show something meanwhile."""
    run_id = await answered(one_editor)
    before = len(one_editor.sent("window/showDocument"))
    await one_editor.command("writeit.view.open", view="run", runId=run_id, wait=False)
    await one_editor.until(lambda: len(one_editor.sent("window/showDocument")) > before)


async def test_who_asked_for_it_is_told_what_changed(
    workspace: Path, environment: dict[str, str]
) -> None:
    """`writeit/changed` with runs and open views, gathered; lenses are refreshed."""
    options = {"writeit": {"events": True, "views": "uri"}}
    async with serving([workspace], "neovim", environment, options=options) as editor:
        run_id = await editor.start_run()
        view = f"writeit:/run/{run_id}.md"
        document = {"uri": view, "languageId": "markdown", "version": 1, "text": ""}
        editor.notify("textDocument/didOpen", {"textDocument": document})
        await editor.command("writeit.step.skip", runId=run_id)
        expected = {"runIds": [run_id], "views": [view]}
        await editor.until(lambda: expected in editor.sent("writeit/changed"))
        opened = await editor.command("writeit.view.open", view="run", runId=run_id)
        assert opened["uri"] == view


async def test_who_did_not_ask_is_not_told(one_editor: Editor) -> None:
    """A client that announced nothing gets no message it does not know."""
    run_id = await one_editor.start_run()
    await one_editor.command("writeit.step.skip", runId=run_id)
    await asyncio.sleep(0.3)
    assert one_editor.sent("writeit/changed") == []
