"""Code actions and lenses: what fits here and now, in every editor."""

from typing import Any

import pytest

from support.editor import Editor


def spot(line: int, start: int, end: int) -> dict[str, Any]:
    """A range on one line."""
    return {
        "start": {"line": line, "character": start},
        "end": {"line": line, "character": end},
    }


async def actions(
    editor: Editor,
    selected: dict[str, Any] | None = None,
    only: list[str] | None = None,
) -> dict[str, dict[str, Any]]:
    """The code actions of the open notes, by title without our name."""
    context: dict[str, Any] = {"diagnostics": []}
    if only:
        context["only"] = only
    found = await editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": editor.notes},
            "range": selected or spot(0, 0, 0),
            "context": context,
        },
    )
    return {a["title"].removeprefix("WriteIt: "): a for a in found}


async def take(editor: Editor, action: dict[str, Any]) -> Any:
    """Do what an editor does with a chosen action."""
    command = action["command"]
    reply = editor.ask(
        "workspace/executeCommand",
        {"command": command["command"], "arguments": command["arguments"]},
    )
    return await reply[1]


async def lenses(editor: Editor) -> list[str]:
    """The titles on the first line."""
    found = await editor.request(
        "textDocument/codeLens", {"textDocument": {"uri": editor.notes}}
    )
    assert all(lens["range"]["start"]["line"] == 0 for lens in found)
    return [lens["command"]["title"] for lens in found]


async def test_every_action_is_a_command_that_does_not_wait(one_editor: Editor) -> None:
    """Many editors block on a command and give up."""
    await one_editor.start_run()
    for action in (await actions(one_editor)).values():
        (argument,) = action["command"]["arguments"]
        assert argument["wait"] is False
        assert "edit" not in action


async def test_a_pipeline_for_selections_offers_itself_on_one(
    one_editor: Editor,
) -> None:
    """A new code action is a new YAML file; without a selection there is none."""
    kinds = {a["kind"] for a in (await actions(one_editor, spot(6, 2, 9))).values()}
    assert "refactor.rewrite.writeit.polish-passage" in kinds
    assert "refactor.rewrite.writeit.tighten-passage" in kinds
    none = await actions(one_editor, only=["refactor.rewrite"])
    assert none == {}
    only = await actions(one_editor, spot(6, 2, 9), only=["refactor.rewrite"])
    assert all(a["kind"].startswith("refactor.rewrite.") for a in only.values())


async def test_no_passage_of_the_front_matter_is_offered_to_a_model(
    one_editor: Editor,
) -> None:
    """It is not prose; eglot takes the word at the cursor for a selection."""
    assert await actions(one_editor, spot(2, 2, 8), only=["refactor.rewrite"]) == {}


async def test_a_word_may_be_only_where_the_cursor_is(one_editor: Editor) -> None:
    """What the run allows comes first; on a heading there is its section, too."""
    await one_editor.start_run()
    for place, rewrites_follow in ((spot(7, 4, 9), False), (spot(7, 2, 15), True)):
        titles = [*await actions(one_editor, place)]
        rewrite = titles.index("Continue after this passage")
        assert titles.index("Generate angles") < rewrite
        assert (rewrite < titles.index("Skip angles")) is rewrites_follow
    on_heading = await actions(one_editor, spot(5, 2, 7))
    assert "Polish this passage (this section)" in on_heading


async def test_the_first_line_says_where_the_run_stands(one_editor: Editor) -> None:
    """State, step, and what is likeliest next."""
    run_id = await one_editor.start_run()
    titles = await lenses(one_editor)
    assert titles[0] == "WriteIt: angles (1/4), not generated yet"
    assert "Generate angles" in titles
    await one_editor.generate(run_id, "say-here")
    titles = await lenses(one_editor)
    assert titles[0] == "WriteIt: angles (1/4), 1 answer to choose from"
    assert titles[1:] == ["Choose and continue", "Regenerate"]


async def test_while_answers_come_there_is_a_way_to_stop_them(
    one_editor: Editor,
) -> None:
    """A Cancel lens and action while streaming."""
    _, _, reply = await one_editor.streaming("slow-5010", "stop-me")
    assert "Stop generating" in await lenses(one_editor)
    await take(one_editor, (await actions(one_editor))["Stop generating (1 answer)"])
    assert (await reply)["aiResponses"][0]["partial"]


async def test_other_documents_are_left_alone(one_editor: Editor) -> None:
    """A file that is not markdown gets neither actions nor lenses."""
    for method in ("textDocument/codeLens", "textDocument/codeAction"):
        params: dict[str, Any] = {
            "textDocument": {"uri": "file:///tmp/main.py"},
            "range": spot(0, 0, 0),
            "context": {"diagnostics": []},
        }
        assert await one_editor.request(method, params) == []


@pytest.mark.parametrize(
    ("name", "language", "is_markdown"),
    [
        ("T.mdx", "markdown", True),
        ("T.txt", "Markdown", True),
        ("T.qmd", "quarto", True),
        ("T.Rmd", "RMD", True),
        ("T.mkd", "plaintext", True),
        ("README.MD", "", True),
        ("T.txt", "plaintext", False),
        ("T.py", "python", False),
    ],
)
async def test_markdown_is_what_the_client_says_or_the_suffix(
    one_editor: Editor, name: str, language: str, *, is_markdown: bool
) -> None:
    """In any case."""
    uri = (one_editor.folder / language / name).as_uri()
    document = {"uri": uri, "languageId": language, "version": 1, "text": "# T\n\nA.\n"}
    one_editor.notify("textDocument/didOpen", {"textDocument": document})
    params: dict[str, Any] = {
        "textDocument": {"uri": uri},
        "range": spot(0, 0, 0),
        "context": {"diagnostics": []},
    }
    found = await one_editor.request("textDocument/codeAction", params)
    assert bool(found) == is_markdown


async def test_on_a_heading_its_section_is_offered_to_be_polished(
    one_editor: Editor,
) -> None:
    """The text below it, up to the next heading; the heading itself stays."""
    offered = await actions(one_editor, spot(5, 0, 0), only=["refactor.rewrite"])
    title = next(title for title in offered if title.startswith("Polish"))
    assert title.endswith("(this section)")
    (given,) = offered[title]["command"]["arguments"]
    assert given["range"] == {
        "start": {"line": 6, "character": 0},
        "end": {"line": 9, "character": 0},
    }
    assert await actions(one_editor, spot(7, 0, 0), only=["refactor.rewrite"]) == {}
