"""The model host starts early: signs of a coming request start it."""

from contextlib import suppress
from pathlib import Path

import psutil

from support.code_actions import NOWHERE, actions
from support.editor import Editor, serving
from support.waiting import wait_until_async

SELECTED = NOWHERE | {"end": {"line": 0, "character": 9}}


def has_host(editor: Editor) -> bool:
    """Whether a model host runs for a server."""
    for child in psutil.Process(editor.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if "model-host" in child.cmdline():
                return True
    return False


async def test_a_selection_wakes_it_where_runs_were_made(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Elsewhere a selection in a markdown file is no sign that a model is wanted."""
    path = workspace / "article.md"
    path.write_text("# An article\n", encoding="utf-8")
    async with serving([workspace], "bare", environment) as editor:
        uri = editor.open_document(path)
        assert "Polish this passage" in await actions(editor, uri, SELECTED)
        assert not has_host(editor)
        await editor.start_run(uri=uri)
    async with serving([workspace], "bare", environment) as editor:
        uri = editor.open_document(path)
        await actions(editor, uri)
        assert not has_host(editor)
        await actions(editor, uri, SELECTED)
        await wait_until_async(lambda: has_host(editor))
