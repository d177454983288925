"""Read and execute code lenses and code actions."""

from typing import Any

from support.editor import Editor, Json

NOWHERE = {"start": {"line": 0, "character": 0}, "end": {"line": 0, "character": 0}}


async def open_view(editor: Editor, uri: str) -> str:
    """Open a view in the editor, as a client that opens such URIs does."""
    text: str = (await editor.command("writeit.view.read", uri=uri))["text"]
    document = {"uri": uri, "languageId": "markdown", "version": 1, "text": text}
    editor.notify("textDocument/didOpen", {"textDocument": document})
    return text


async def lenses(editor: Editor, uri: str) -> list[tuple[int, str, Json]]:
    """Line, title and command of each lens."""
    found = await editor.request(
        "textDocument/codeLens", {"textDocument": {"uri": uri}}
    )
    return [
        (each["range"]["start"]["line"], each["command"]["title"], each["command"])
        for each in found
    ]


async def actions(
    editor: Editor, uri: str, selected: Json = NOWHERE
) -> dict[str, Json]:
    """The command of each code action, by title without our name."""
    found = await editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": uri},
            "range": selected,
            "context": {"diagnostics": []},
        },
    )
    return {a["title"].removeprefix("WriteIt: "): a["command"] for a in found}


async def execute(editor: Editor, command: Json) -> Any:
    """Do what an editor does with a lens or an action."""
    given = {"command": command["command"], "arguments": command["arguments"]}
    return await editor.request("workspace/executeCommand", given)


def line_of(text: str, beginning: str) -> int:
    """The line that begins so."""
    return next(
        n for n, line in enumerate(text.split("\n")) if line.startswith(beginning)
    )
