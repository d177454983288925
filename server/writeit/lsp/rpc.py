"""The gaps of pygls closed: commands that can be cancelled, capabilities it lacks."""

from __future__ import annotations

import logging
from hmac import compare_digest
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method

from writeit.lsp.names import COMMANDS
from writeit.lsp.texts import WriteItWorkspace

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from concurrent.futures import Future

logger = logging.getLogger(__name__)


class WriteItProtocol(LanguageServerProtocol):
    """LSP with cancellable commands.

    The built-in handler of workspace/executeCommand is a generator that hides the
    command's task from `$/cancelRequest`. A coroutine in its place is the task itself.
    """

    initialization_options: Any = None
    """What the client said of itself, as it said it."""

    token: str | None = None
    """What `initializationOptions.writeit.token` must be; None asks for nothing."""

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[..., Any],
        callback: Callable[[Any], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Run a handler and forget its future once it is done.

        pygls keeps those of notifications for ever: a kilobyte for each keystroke.
        """

        def done(future: object) -> None:
            callback(future)
            self._request_futures.pop(msg_id, None)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _send_handler_result(self, future: Future[Any], *, msg_id: str | int) -> None:
        """Send what came of a request; a refusal of ours in its own words.

        pygls would tell of an internal error, with the name of a Python class.
        """
        error = None if future.cancelled() else future.exception()
        if error is None:
            super()._send_handler_result(future, msg_id=msg_id)
            return
        from writeit.core.errors import WriteItError  # noqa: PLC0415 -- after initialize
        from writeit.lsp.errors import to_rpc_error  # noqa: PLC0415 -- the same

        if not isinstance(error, WriteItError):
            super()._send_handler_result(future, msg_id=msg_id)
            return
        self._request_futures.pop(msg_id, None)
        logger.info("%s", error.message)
        self._send_response(msg_id, error=to_rpc_error(error).to_response_error())

    def _handle_response(
        self,
        msg_id: str | int,
        result: Any = None,  # noqa: ANN401 -- any JSON
        error: types.ResponseError | None = None,
    ) -> None:
        """Take a client's reply, unless who asked was cancelled meanwhile."""
        future = self._request_futures.get(msg_id)
        if future is not None and future.cancelled():
            self._request_futures.pop(msg_id, None)
            return
        super()._handle_response(msg_id, result, error)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Answer `initialize` and announce the commands, to who has the token."""
        if self.token is not None and not _shows(params, self.token):
            raise SystemExit(1)  # the transport closes the connection
        self.initialization_options = params.initialization_options
        result: types.InitializeResult = yield from super().lsp_initialize(params)
        self._workspace = WriteItWorkspace.like(self.workspace)
        result.capabilities.execute_command_provider = types.ExecuteCommandOptions(
            commands=list(COMMANDS), work_done_progress=True
        )
        if not pulls_diagnostics(self.client_capabilities):
            result.capabilities.diagnostic_provider = None  # it is sent them
        workspace = self.client_capabilities.workspace
        if workspace is not None and workspace.text_document_content is not None:
            announced = result.capabilities.workspace or types.WorkspaceOptions()
            announced.text_document_content = types.TextDocumentContentOptions(
                schemes=["writeit"]
            )
            result.capabilities.workspace = announced
        return result

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: object) -> None:  # type: ignore[override]  # it never returns
        """End the conversation; the code is 1 if nobody said `shutdown` before."""
        raise SystemExit(0 if self._shutdown else 1)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]  # a coroutine: a task that can be cancelled
        self, params: types.ExecuteCommandParams
    ) -> Any:  # noqa: ANN401 -- a command's result is any JSON
        """Run a command as a task of its own."""
        return await self._server.execute(params)  # type: ignore[attr-defined]  # it is a WriteItServer


def pulls_diagnostics(client: types.ClientCapabilities) -> bool:
    """Whether a client asks for diagnostics, instead of being sent them."""
    document = client.text_document
    return document is not None and document.diagnostic is not None


def _shows(params: types.InitializeParams, token: str) -> bool:
    options = params.initialization_options
    ours = options.get("writeit") if isinstance(options, dict) else None
    shown = ours.get("token") if isinstance(ours, dict) else None
    return isinstance(shown, str) and compare_digest(shown.encode(), token.encode())
