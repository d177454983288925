"""The gaps of pygls closed: commands that can be cancelled, capabilities it lacks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from writeit.lsp.names import COMMANDS

if TYPE_CHECKING:
    from collections.abc import Generator


class WriteItProtocol(LanguageServerProtocol):
    """LSP with cancellable commands.

    The built-in handler of workspace/executeCommand is a generator that hides the
    command's task from `$/cancelRequest`. A coroutine in its place is the task itself.
    """

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Answer `initialize` and announce the commands."""
        result: types.InitializeResult = yield from super().lsp_initialize(params)
        result.capabilities.execute_command_provider = types.ExecuteCommandOptions(
            commands=list(COMMANDS), work_done_progress=True
        )
        return result

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]  # a coroutine: a task that can be cancelled
        self, params: types.ExecuteCommandParams
    ) -> Any:  # noqa: ANN401 -- a command's result is any JSON
        """Run a command as a task of its own."""
        return await self._server.execute(params)  # type: ignore[attr-defined]  # it is a WriteItServer
