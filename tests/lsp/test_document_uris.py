"""Files and folders may be called anything, and editors quote names differently."""

from pathlib import Path
from urllib.parse import quote

import pytest

from support.editor import Refused, serving
from support.open_documents import BETTER, TEXT, OpenDocuments
from support.workspace import new_workspace

NAMES = ["C#", "100%25", "what?", "Müller & Söhne (1)", "a+b=c;d", "[x] ~ 'y'"]
SAFE = "/:()[]'!&+=;,~@$"
"""What Neovim and others leave as it is, and VS Code and Python do not."""


@pytest.mark.parametrize("name", NAMES)
async def test_a_workspace_folder_may_be_called_anything(
    name: str, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Its pipelines are found and its runs are kept in it."""
    (tmp_path / name).mkdir()
    workspace = new_workspace(tmp_path / name)
    async with serving([workspace], "visual_studio_code", environment) as editor:
        await editor.start_run()
        assert (workspace / ".writeit" / "store").is_dir()
        status = await editor.command("writeit.store.status")
        assert status["runs"] == 1
        assert status["path"].startswith(str(workspace))


@pytest.mark.parametrize("name", NAMES)
async def test_a_run_is_found_however_the_name_of_its_document_is_quoted(
    name: str, docs: OpenDocuments
) -> None:
    """One editor begins it, another one lists it and applies it."""
    path = docs.editor.folder / f"{name}.md"
    path.write_text(TEXT, encoding="utf-8")
    run_id = await docs.polished(docs.open(uri=path.as_uri()))
    docs.pages[path.as_uri()].close()

    loosely = f"file://{quote(str(path), safe=SAFE)}"
    listed = await docs.editor.command("writeit.run.list", uri=loosely)
    assert [run["runId"] for run in listed["runs"]] == [run_id]
    page = docs.open(TEXT, uri=loosely)
    result = await docs.apply(run_id)
    assert result["applied"]
    assert result["uri"] == loosely
    assert BETTER in page.text
    lenses = await docs.editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": loosely},
            "range": {"start": {"line": 0, "character": 0}}
            | {"end": {"line": 0, "character": 0}},
            "context": {"diagnostics": []},
        },
    )
    assert "WriteIt: Undo the last polish" in [lens["title"] for lens in lenses]


async def test_half_a_character_is_in_no_name(docs: OpenDocuments) -> None:
    """The request is refused as one that is not as LSP defines it."""
    document = {"uri": f"{docs.editor.notes}\ud800"}
    with pytest.raises(Refused, match="not as LSP defines it"):
        await docs.editor.request("textDocument/codeLens", {"textDocument": document})
