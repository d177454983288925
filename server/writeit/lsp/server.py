"""The server process: reads messages, hands commands on, ends cleanly."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from threading import Event
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from lsprotocol import types
from pygls.exceptions import FeatureRequestError
from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async
from pygls.lsp.server import LanguageServer

from writeit import __version__
from writeit.lsp import front_matter
from writeit.lsp.rpc import WriteItProtocol
from writeit.lsp.texts import WriteItDocument

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from writeit.lsp.connection import Connection
    from writeit.ports import World

HEAD = 4_000
"""Characters in which the front matter of a bound document says so."""

VIEW_FILES = "/.writeit/views/"
"""In the URI of a page that was given out as a file."""

ACTION_KINDS = ("source.writeit", "refactor.rewrite.writeit", "quickfix")

logger = logging.getLogger(__name__)


class WriteItServer(LanguageServer):
    """One connection to one editor; what it can do is in `connection`."""

    protocol: WriteItProtocol
    websocket_id: str | None = None
    """The WebSocket connection's id, where that is what we are served over."""

    def __init__(self, world: Callable[[object], World]) -> None:
        super().__init__(
            name="writeit",
            version=__version__,
            protocol_cls=WriteItProtocol,
            max_workers=4,
        )
        self._world = world
        self._connection: Connection | None = None

    @property
    def connection(self) -> Connection:
        """The connection's state, made with the first command, after `initialize`."""
        if self._connection is None:
            from writeit.lsp.connection import Connection  # noqa: PLC0415 -- heavy

            options = self.protocol.initialization_options
            ours = options.get("writeit") if isinstance(options, dict) else None
            user = ours.get("user") if isinstance(ours, dict) else None
            self._connection = Connection(self, self._world(user))
        return self._connection

    async def execute(self, params: types.ExecuteCommandParams) -> Any:  # noqa: ANN401 -- any JSON
        """Run a command of the contract."""
        from writeit.lsp.dispatch import execute  # noqa: PLC0415 -- heavy

        return await execute(self.connection, params)

    def note_change(self, uri: str) -> None:
        """Tell what waits for a document that it was opened, changed or closed."""
        if self._connection is not None or self._speaks(uri):
            self.connection.desk.changed(uri)
            if _is_markdown(uri):
                self.connection.checks.changed(uri)

    def beginning_of(self, uri: str, characters: int) -> str:
        """Return how an open markdown document begins, "" of any other."""
        # pygls keeps them by their unquoted URIs.
        document = self.workspace.text_documents.get(unquote(uri))
        if not _is_markdown(uri) or not isinstance(document, WriteItDocument):
            return ""
        return document.beginning(characters)

    def _speaks(self, uri: str) -> bool:
        return _is_bound(self.beginning_of(uri, HEAD))

    def look_again(self) -> None:
        """Look at all front matter anew: what it names may not be what it was."""
        if self._connection is not None:
            self._connection.checks.look_again()

    async def have_asked_anew(self) -> None:
        """Have a client that asks for diagnostics ask for them anew."""
        if self._connection is not None:
            await self._connection.checks.have_asked_anew()

    def forget_settings(self) -> None:
        """Pull the settings anew when they are next needed."""
        if self._connection is not None:
            self._connection.forget_settings()

    async def close(self) -> None:
        """End what still runs; everything that streamed is kept."""
        if self._connection is not None:
            await self._connection.close()

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ANN401 -- pygls' own union
        """Log what went wrong outside a request; a popup helps nobody."""
        if source is not FeatureRequestError:  # that one went to its caller
            logger.error("%s: %s", getattr(source, "__name__", source), error)


def build(world: Callable[[object], World]) -> WriteItServer:
    """Make a server; `world` gives it its ports when they are first needed.

    `world` takes what the client sent as `initializationOptions.writeit.user`.
    """
    server = WriteItServer(world)

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: WriteItServer, _params: None) -> None:
        await ls.close()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: WriteItServer, params: types.DidOpenTextDocumentParams) -> None:
        uri = params.text_document.uri
        ls.note_change(uri)
        if _is_bound(params.text_document.text):
            ls.connection.warm()
        if VIEW_FILES in uri:
            ls.connection.news.opened(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: WriteItServer, params: types.DidChangeTextDocumentParams) -> None:
        ls.note_change(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: WriteItServer, params: types.DidCloseTextDocumentParams) -> None:
        ls.note_change(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configuration_changed(
        ls: WriteItServer, _params: types.DidChangeConfigurationParams
    ) -> None:
        ls.forget_settings()

    _register_offers(server)
    _register_pages(server)
    front_matter.register(server)
    return server


def _register_offers(server: WriteItServer) -> None:
    """Announce code actions and lenses; each imports its module when asked.

    A document that is not markdown gets nothing and costs nothing.
    """

    @server.feature(
        types.TEXT_DOCUMENT_CODE_ACTION,
        types.CodeActionOptions(code_action_kinds=list(ACTION_KINDS)),
    )
    async def code_action(
        ls: WriteItServer, params: types.CodeActionParams
    ) -> list[types.CodeAction]:
        if not _is_markdown(params.text_document.uri):
            return []
        from writeit.lsp.features.actions import code_actions  # noqa: PLC0415 -- heavy

        return await code_actions(ls.connection, params)

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(
        ls: WriteItServer, params: types.CodeLensParams
    ) -> list[types.CodeLens]:
        if not _is_markdown(params.text_document.uri):
            return []
        from writeit.lsp.features.lenses import code_lenses  # noqa: PLC0415 -- heavy

        return await code_lenses(ls.connection, params)


def _register_pages(server: WriteItServer) -> None:
    """Announce what is answered about views."""

    @server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)
    async def content(
        ls: WriteItServer, params: types.TextDocumentContentParams
    ) -> types.TextDocumentContentResult:
        from writeit.lsp.features.content import content_of  # noqa: PLC0415 -- heavy

        return await content_of(ls.connection, params)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def symbols(
        ls: WriteItServer, params: types.DocumentSymbolParams
    ) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
        if not _may_be_view(params.text_document.uri):
            return []
        from writeit.lsp.features.symbols import document_symbols  # noqa: PLC0415 -- heavy

        return await document_symbols(ls.connection, params)


def _may_be_view(uri: str) -> bool:
    return uri.startswith("writeit:") or VIEW_FILES in uri


def _is_markdown(uri: str) -> bool:
    """Untitled documents have no suffix; a client only sends what is markdown."""
    return uri.startswith("untitled:") or uri.endswith((".md", ".markdown"))


def _is_bound(text: str) -> bool:
    """Whether a document's front matter speaks to WriteIt; a guess, but a cheap one."""
    return text.startswith("---") and "\nwriteit:" in text[:HEAD]


def quiet_logging() -> None:
    """Log to stderr what a person should see."""
    logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stderr)
    # Its tracebacks of refused commands say nothing that the reply does not.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)


def serve_stdio(world: Callable[[object], World]) -> int:
    """Serve one editor over stdin and stdout; return the exit code.

    File descriptor 1 is taken away from everybody else first: one stray print would
    end the conversation.
    """
    quiet_logging()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    server = build(world)
    try:
        asyncio.run(_converse(server, sys.stdin.buffer, out))
    except SystemExit as exit_request:  # the `exit` notification
        return int(exit_request.code or 0)
    except (BrokenPipeError, KeyboardInterrupt):
        return 1
    return 1  # the editor went away without a word


async def _converse(server: WriteItServer, stdin: BinaryIO, stdout: BinaryIO) -> None:
    server.protocol.set_writer(StdoutWriter(stdout))
    # Emacs hangs up on its servers as it ends. So does stdin, which ends us in order.
    if sys.platform != "win32":  # where there is no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, int)
    try:
        await run_async(
            stop_event=Event(),
            reader=StdinAsyncReader(stdin, server.thread_pool),
            protocol=server.protocol,
            logger=logger,
            error_handler=server.report_server_error,
        )
    finally:
        await server.close()
        server.thread_pool.shutdown(wait=False)
