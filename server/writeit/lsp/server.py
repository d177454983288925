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
from pygls.exceptions import FeatureRequestError, JsonRpcException
from pygls.io_ import StdinAsyncReader, StdoutWriter, run_async
from pygls.lsp.server import LanguageServer

from writeit import __version__
from writeit.lsp.pygls_fixes import WriteItDocument, WriteItProtocol

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from writeit.lsp.session import Session
    from writeit.ports.system import Ports


# --- Registers what is answered in front matter; each imports its module when asked ---

COMPLETION_TRIGGERS = (":",)
"""A colon asks for completion; a blank would ask after every word of her prose."""

WATCHED_GLOBS = ("**/pipelines/*.{yaml,yml}", "**/primers/*.{yaml,yml}")
"""Files that decide what is right in front matter."""

logger = logging.getLogger(__name__)


def register_front_matter_features(server: WriteItServer) -> None:
    """Announce what is asked of a place, diagnostics, and an eye on library files."""

    @server.feature(
        types.TEXT_DOCUMENT_COMPLETION,
        types.CompletionOptions(trigger_characters=COMPLETION_TRIGGERS),
    )
    async def completion(
        ls: WriteItServer, params: types.CompletionParams
    ) -> types.CompletionList | None:
        if not _has_opening_fence(ls, params.text_document.uri):
            return None
        from writeit.lsp.features.completion import complete_front_matter  # noqa: PLC0415 -- heavy

        return await complete_front_matter(ls.session, params)

    @server.feature(types.TEXT_DOCUMENT_HOVER)
    async def hover(ls: WriteItServer, params: types.HoverParams) -> types.Hover | None:
        if not ls.read_first_characters(params.text_document.uri, 1):
            return None
        from writeit.lsp.features.hover import find_hover as meaning  # noqa: PLC0415 -- heavy

        return await meaning(ls.session, params)

    @server.feature(types.TEXT_DOCUMENT_DEFINITION)
    async def definition(
        ls: WriteItServer, params: types.DefinitionParams
    ) -> types.Location | None:
        if not ls.read_first_characters(params.text_document.uri, 1):
            return None
        from writeit.lsp.features.definition import find_definition as place  # noqa: PLC0415 -- heavy

        return await place(ls.session, params)

    @server.feature(
        types.TEXT_DOCUMENT_DIAGNOSTIC,
        types.DiagnosticOptions(
            identifier="writeit",
            inter_file_dependencies=True,
            workspace_diagnostics=False,
        ),
    )
    def diagnostic(
        ls: WriteItServer, params: types.DocumentDiagnosticParams
    ) -> types.DocumentDiagnosticReport:
        if not _has_opening_fence(ls, params.text_document.uri):
            return types.RelatedFullDocumentDiagnosticReport(items=[])
        from writeit.lsp.features.diagnostics import diagnostic_report  # noqa: PLC0415 -- heavy

        return diagnostic_report(ls.session, params)

    _register_file_watching(server)


def _register_file_watching(server: WriteItServer) -> None:
    @server.feature(types.INITIALIZED)
    async def initialized(ls: WriteItServer, _params: types.InitializedParams) -> None:
        workspace = ls.client_capabilities.workspace
        watching = workspace.did_change_watched_files if workspace else None
        if watching is None or not watching.dynamic_registration:
            return
        watchers = [
            types.FileSystemWatcher(glob_pattern=glob) for glob in WATCHED_GLOBS
        ]
        options = types.DidChangeWatchedFilesRegistrationOptions(watchers=watchers)
        registration = types.Registration(
            id="writeit.library",
            method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
            register_options=options,
        )
        try:
            await ls.client_register_capability_async(
                types.RegistrationParams(registrations=[registration])
            )
        except JsonRpcException as error:  # then a save has to do
            logger.info("the client watches no files: %s", error.message)

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    async def files_changed(
        ls: WriteItServer, _params: types.DidChangeWatchedFilesParams
    ) -> None:
        ls.recheck_diagnostics()
        await ls.refresh_diagnostics()

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(ls: WriteItServer, _params: types.DidSaveTextDocumentParams) -> None:
        ls.recheck_diagnostics()


def _has_opening_fence(ls: WriteItServer, uri: str) -> bool:
    return "---" in ls.read_first_characters(uri, 4)


# --- The server process: reads messages, hands commands on, ends cleanly --------------

HEAD_CHARACTERS = 4_000
"""Characters in which the front matter of a bound document says so."""

VIEW_FILES_URI_PART = "/.writeit/views/"
"""In the URI of a page that was given out as a file."""

ACTION_KINDS = ("source.writeit", "refactor.rewrite.writeit", "quickfix")


class WriteItServer(LanguageServer):
    """One connection to one editor; what it can do is in `connection`."""

    protocol: WriteItProtocol
    websocket_id: str | None = None
    """The WebSocket connection's id, where that is what we are served over."""

    def __init__(self, create_ports: Callable[[object], Ports]) -> None:
        super().__init__(
            name="writeit",
            version=__version__,
            protocol_cls=WriteItProtocol,
            max_workers=4,
        )
        self._create_ports = create_ports
        self._session: Session | None = None

    @property
    def session(self) -> Session:
        """The connection's state, made with the first command, after `initialize`."""
        if self._session is None:
            from writeit.lsp.session import Session  # noqa: PLC0415 -- heavy

            options = self.protocol.initialization_options
            ours = options.get("writeit") if isinstance(options, dict) else None
            user = ours.get("user") if isinstance(ours, dict) else None
            self._session = Session(self, self._create_ports(user))
        return self._session

    async def execute_command(self, params: types.ExecuteCommandParams) -> Any:  # noqa: ANN401 -- any JSON
        """Run a command of the contract."""
        from writeit.lsp.dispatch import execute_command  # noqa: PLC0415 -- heavy

        return await execute_command(self.session, params)

    def notify_document_change(self, uri: str) -> None:
        """Tell what waits for a document that it was opened, changed or closed."""
        if self._session is not None or self._has_block(uri):
            self.session.edit_session.notify_change(uri)
            if _is_markdown(uri):
                self.session.diagnostics_publisher.schedule_check(uri)

    def read_first_characters(self, uri: str, count: int) -> str:
        """Return how an open markdown document begins, "" of any other."""
        # pygls keeps them by their unquoted URIs.
        document = self.workspace.text_documents.get(unquote(uri))
        if not _is_markdown(uri) or not isinstance(document, WriteItDocument):
            return ""
        return document.first_characters(count)

    def _has_block(self, uri: str) -> bool:
        return _has_writeit_block(self.read_first_characters(uri, HEAD_CHARACTERS))

    def recheck_diagnostics(self) -> None:
        """Look at all front matter anew: what it names may not be what it was."""
        if self._session is not None:
            self._session.diagnostics_publisher.recheck_all()

    async def refresh_diagnostics(self) -> None:
        """Have a client that asks for diagnostics ask for them anew."""
        if self._session is not None:
            await self._session.diagnostics_publisher.request_refresh()

    def clear_settings(self) -> None:
        """Pull the settings anew when they are next needed."""
        if self._session is not None:
            self._session.clear_settings()

    async def close(self) -> None:
        """End what still runs; everything that streamed is kept."""
        if self._session is not None:
            await self._session.close()

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ANN401 -- pygls' own union
        """Log what went wrong outside a request; a popup helps nobody."""
        if source is not FeatureRequestError:  # that one went to its caller
            logger.error("%s: %s", getattr(source, "__name__", source), error)


def create_server(create_ports: Callable[[object], Ports]) -> WriteItServer:
    """Make a server; `world` gives it its ports when they are first needed.

    `world` takes what the client sent as `initializationOptions.writeit.user`.
    """
    server = WriteItServer(create_ports)

    @server.feature(types.SHUTDOWN)
    async def shutdown(ls: WriteItServer, _params: None) -> None:
        await ls.close()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(ls: WriteItServer, params: types.DidOpenTextDocumentParams) -> None:
        uri = params.text_document.uri
        ls.notify_document_change(uri)
        if _has_writeit_block(params.text_document.text):
            ls.session.warm_up_models()
        if VIEW_FILES_URI_PART in uri:
            ls.session.change_notifier.refresh_opened_page(uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(ls: WriteItServer, params: types.DidChangeTextDocumentParams) -> None:
        ls.notify_document_change(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(ls: WriteItServer, params: types.DidCloseTextDocumentParams) -> None:
        ls.notify_document_change(params.text_document.uri)

    @server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)
    def configuration_changed(
        ls: WriteItServer, _params: types.DidChangeConfigurationParams
    ) -> None:
        ls.clear_settings()

    _register_actions(server)
    _register_views(server)
    register_front_matter_features(server)
    return server


def _register_actions(server: WriteItServer) -> None:
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
        from writeit.lsp.features.code_action import code_actions  # noqa: PLC0415 -- heavy

        return await code_actions(ls.session, params)

    @server.feature(types.TEXT_DOCUMENT_CODE_LENS)
    async def code_lens(
        ls: WriteItServer, params: types.CodeLensParams
    ) -> list[types.CodeLens]:
        if not _is_markdown(params.text_document.uri):
            return []
        from writeit.lsp.features.code_lens import code_lenses  # noqa: PLC0415 -- heavy

        return await code_lenses(ls.session, params)


def _register_views(server: WriteItServer) -> None:
    """Announce what is answered about views."""

    @server.feature(types.WORKSPACE_TEXT_DOCUMENT_CONTENT)
    async def content(
        ls: WriteItServer, params: types.TextDocumentContentParams
    ) -> types.TextDocumentContentResult:
        from writeit.lsp.features.text_document_content import read_content  # noqa: PLC0415 -- heavy

        return await read_content(ls.session, params)

    @server.feature(types.TEXT_DOCUMENT_DOCUMENT_SYMBOL)
    async def symbols(
        ls: WriteItServer, params: types.DocumentSymbolParams
    ) -> list[types.DocumentSymbol] | list[types.SymbolInformation]:
        if not _is_possible_view(params.text_document.uri):
            return []
        from writeit.lsp.features.document_symbol import document_symbols  # noqa: PLC0415 -- heavy

        return await document_symbols(ls.session, params)


def _is_possible_view(uri: str) -> bool:
    return uri.startswith("writeit:") or VIEW_FILES_URI_PART in uri


def _is_markdown(uri: str) -> bool:
    """Untitled documents have no suffix; a client only sends what is markdown."""
    return uri.startswith("untitled:") or uri.endswith((".md", ".markdown"))


def _has_writeit_block(text: str) -> bool:
    """Whether a document's front matter speaks to WriteIt; a guess, but a cheap one."""
    return text.startswith("---") and "\nwriteit:" in text[:HEAD_CHARACTERS]


def configure_logging() -> None:
    """Log to stderr what a person should see."""
    logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stderr)
    # Its tracebacks of refused commands say nothing that the reply does not.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)


def serve_stdio(create_ports: Callable[[object], Ports]) -> int:
    """Serve one editor over stdin and stdout; return the exit code.

    File descriptor 1 is taken away from everybody else first: one stray print would
    end the conversation.
    """
    configure_logging()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    server = create_server(create_ports)
    try:
        asyncio.run(_run_stdio(server, sys.stdin.buffer, out))
    except SystemExit as exit_request:  # the `exit` notification
        return int(exit_request.code or 0)
    except (BrokenPipeError, KeyboardInterrupt):
        return 1
    return 1  # the editor went away without a word


async def _run_stdio(server: WriteItServer, stdin: BinaryIO, stdout: BinaryIO) -> None:
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
