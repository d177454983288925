"""The real process through an LSP client that is not ours, as two editors."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from lsprotocol import types
from pytest_lsp import ClientServerConfig, LanguageClient, client_capabilities

from support.workspace import new_workspace

pytestmark = pytest.mark.asyncio(loop_scope="function")
"""pytest-lsp's client lives in the loop of its test."""


@pytest_lsp.fixture(  # type: ignore[untyped-decorator]  # pytest-lsp has no types
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "writeit", "serve"]
    ),
    params=["visual_studio_code", "neovim"],
)
async def client(
    request: pytest.FixtureRequest, lsp_client: LanguageClient, tmp_path: Path
) -> AsyncIterator[None]:
    """A client with an editor's capabilities and a workspace with notes."""
    folder = new_workspace(tmp_path / "workspace")

    @lsp_client.feature(types.CLIENT_REGISTER_CAPABILITY)  # type: ignore[untyped-decorator]  # pygls has no types here
    def registered(_params: types.RegistrationParams) -> None:
        """Say yes to watching files; pytest-lsp announces it and has no answer."""

    @lsp_client.feature(types.WORKSPACE_CODE_LENS_REFRESH)  # type: ignore[untyped-decorator]  # pygls has no types here
    def refreshed() -> None:
        """Take it, as the VS Code of these capabilities does."""

    await lsp_client.initialize_session(
        types.InitializeParams(
            capabilities=client_capabilities(request.param),
            workspace_folders=[types.WorkspaceFolder(uri=folder.as_uri(), name="w")],
        )
    )
    yield
    await lsp_client.shutdown_session()


async def command(client: LanguageClient, name: str, **params: object) -> Any:
    """Run a command."""
    return await client.workspace_execute_command_async(
        types.ExecuteCommandParams(command=name, arguments=[params])
    )


async def test_a_run_is_started_on_an_open_document(
    client: LanguageClient, tmp_path: Path
) -> None:
    """What the editor has open is what the run is made of, saved or not."""
    uri = (tmp_path / "workspace" / "notes.md").as_uri()
    client.text_document_did_open(
        types.DidOpenTextDocumentParams(
            text_document=types.TextDocumentItem(
                uri=uri, language_id="markdown", version=1, text="# Unsaved\n\nWords.\n"
            )
        )
    )
    run = await command(client, "writeit.run.start", pipeline="tech-article", uri=uri)
    assert run["userInputs"]["source_material"] == "# Unsaved\n\nWords.\n"
    listed = await command(client, "writeit.run.list", uri=uri)
    assert [entry["runId"] for entry in listed["runs"]] == [run["pipelineRunId"]]


async def test_a_refusal_reaches_the_client_typed(client: LanguageClient) -> None:
    """Code and data of the error are the contract's."""
    with pytest.raises(Exception, match="No pipeline is called") as refused:
        await command(client, "writeit.run.start", pipeline="nothing")
    error: Any = refused.value
    assert error.code == -32010
