"""A range means the text that it was sent with, whatever is typed right after."""

from pathlib import Path

import pytest

from support.document import Document
from support.editor import Editor, Json
from support.open_documents import SECOND, TEXT, span
from support.transports import TRANSPORTS, served
from writeit.lsp.commands import HANDLERS

COMMANDS: dict[str, Json] = {
    "writeit.run.start": {"pipeline": "polish-passage"},
    "writeit.document.polish": {"models": ["openai/say-A", "openai/say-B"]},
}


async def test_these_are_all_commands_with_a_range() -> None:
    """A new one has to be tried here as well."""
    ranged = {
        name
        for name, command in HANDLERS.items()
        if "range" in command.params_model.model_fields
    }
    assert ranged == set(COMMANDS)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_range_is_read_before_later_messages(
    transport: str, workspace: Path, environment: dict[str, str]
) -> None:
    """The request and the typing may arrive in one packet."""
    async with served(transport, workspace, "neovim", environment) as editor:
        uri = (workspace / "typed.md").as_uri()
        for version, (command, params) in enumerate(COMMANDS.items(), 1):
            page = Document(editor, uri, TEXT, version=version)
            where: Json = span(TEXT, SECOND)
            _, reply = editor.start(command, uri=uri, range=where, **params)
            page.type(0, 0, "Typed meanwhile.\n\n")
            run = await reply
            assert run["userInputs"]["passage"] == SECOND
            page.close()
        page = Document(editor, uri, "# One\n\nText.\n\n# Two\n\nMore.\n")
        assert await _section_line(editor, page, heading_line=4) == 5


async def _section_line(editor: Editor, page: Document, heading_line: int) -> int:
    """Ask for the action on a heading and type; return where its range begins."""
    here = {"line": heading_line, "character": 0}
    asked = {
        "textDocument": {"uri": page.uri},
        "range": {"start": here, "end": here},
        "context": {"diagnostics": [], "only": ["refactor.rewrite"]},
    }
    # The sections are parsed in a thread once a document is open.
    while not await editor.request("textDocument/codeAction", asked):
        pass
    _, reply = editor.ask("textDocument/codeAction", asked)
    page.type(0, 0, "Typed meanwhile.\n\n")
    first, *_ = await reply
    (params,) = first["command"]["arguments"]
    line: int = params["range"]["start"]["line"]
    return line
