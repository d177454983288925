"""Actions about front matter: a block put in, the nearest name written."""

from typing import Any

import pytest

from support.document import serve_documents
from support.editor import Editor, Json
from support.front_matter_document import FrontMatterDocument, writeit_block

TOP: Json = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}


async def offers(head: FrontMatterDocument) -> list[Json]:
    """The offers to insert front matter."""
    found = await head.actions(TOP, "source.writeit")
    return [action for action in found if "front matter" in action["title"]]


async def test_a_document_that_has_none_is_offered_a_block(editor: Editor) -> None:
    """In every editor: few, the likeliest first, and taking one needs nothing else."""
    head = FrontMatterDocument(editor, "# Rivers\n")
    pages = serve_documents(editor)
    pages[head.page.uri] = head.page
    first, *others = await offers(head)
    assert first["title"] == "WriteIt: Insert front matter for tech-article"
    assert len(others) <= 2
    command: dict[str, Any] = first["command"]
    assert command["arguments"][0]["wait"] is False
    await editor.request(
        "workspace/executeCommand",
        {"command": command["command"], "arguments": command["arguments"]},
    )
    await editor.until(lambda: head.page.version == 2)
    assert head.page.text.startswith("---\nwriteit:\n  pipeline: tech-article\n")
    assert await offers(head) == []


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("---\ntitle: x\n---\n# Rivers\n", True),
        (writeit_block("  primer: academic\n"), False),
        (writeit_block("  primer: [\n"), False),
        ("---\ntitle: [\n---\n", False),
    ],
)
async def test_a_block_is_offered_where_one_can_be_put(
    one_editor: Editor, text: str, offered: bool
) -> None:
    """Beside other tools' keys, not beside a block, not into what cannot be read."""
    assert bool(await offers(FrontMatterDocument(one_editor, text))) is offered


async def test_the_nearest_name_is_written_by_a_quick_fix(pipelined: Editor) -> None:
    """Only for clients that take edits; the others see the name in the message."""
    head = FrontMatterDocument(
        pipelined, writeit_block('  {"x-a": "\N{FISH}é", pipeline: pots}\n')
    )
    found = await head.actions(head.span("pots"), "quickfix")
    if pipelined.profile == "bare":
        assert found == []
        return
    (action,) = found
    assert action["title"] == "WriteIt: Change to post"
    assert action["isPreferred"]
    assert action["diagnostics"][0]["code"] == "unknown-pipeline"
    edit = action["edit"]
    if "documentChanges" in edit:
        (change,) = edit["documentChanges"]
        assert change["textDocument"]["version"] == head.page.version
    else:
        (edits,) = edit["changes"].values()
        change = {"edits": edits}
    head.page.take({"textDocument": {"version": 1}, "edits": change["edits"]})
    assert "pipeline: post}" in head.page.text


async def test_elsewhere_there_is_nothing_to_fix(pipelined: Editor) -> None:
    """A quick fix is for its own place."""
    head = FrontMatterDocument(pipelined, writeit_block("  pipline: post\n"))
    assert await head.actions(head.span("title"), "quickfix") == []
    assert await head.actions(head.span("# Rivers"), "quickfix") == []


async def test_inputs_that_are_missing_are_written_by_a_quick_fix(
    pipelined: Editor,
) -> None:
    """The user fills them in; what is set stays."""
    head = FrontMatterDocument(
        pipelined, writeit_block("  pipeline: post\n  inputs:\n    tone: dry\n")
    )
    (action,) = await head.actions(head.span("inputs"), "quickfix")
    assert action["title"] == "WriteIt: Insert the missing inputs"
    assert action["command"]["command"] == "writeit.document.frontMatter"
    assert action["diagnostics"][0]["code"] == "missing-input"
    assert action["command"]["arguments"] == [
        {"uri": head.page.uri, "pipeline": "post", "wait": False}
    ]


async def test_an_input_that_is_there_and_empty_needs_the_users_words(
    pipelined: Editor,
) -> None:
    """No action can write them."""
    words = '  pipeline: post\n  inputs: {tone: dry, readers: ""}\n'
    head = FrontMatterDocument(pipelined, writeit_block(words))
    assert await head.actions(head.span("readers"), "quickfix") == []
