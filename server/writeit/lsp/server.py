"""The server process: it reads messages, passes them on, and ends cleanly.

`FEATURES` lists every request that a document or view can get; `_NOTIFICATIONS` every
other message. Little is imported before `initialize` is answered.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import unquote, urlsplit

from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcException
from pygls.io_ import StdinAsyncReader, StdoutWriter
from pygls.lsp.server import LanguageServer

from writeit import __version__
from writeit.lsp.framing import (
    MAX_HEADER_BYTES,
    FramingError,
    handle_messages,
    read_message,
)
from writeit.lsp.pygls_fixes import JsonObject, WriteItDocument, WriteItProtocol

if TYPE_CHECKING:  # all of them are imported after `initialize`
    from writeit.lsp.features.diagnostics import DiagnosticsPublisher
    from writeit.lsp.pages.refresh import ChangeNotifier
    from writeit.lsp.session import Session
    from writeit.lsp.stale_runs import StaleRuns
    from writeit.ports.system import Ports

HEAD_CHARACTERS = 4_000
"""Characters within which the `writeit:` key of front matter usually is."""
VIEW_FILES_URI_PART = "/.writeit/views/"
"""A part of the URI of every page that is a file."""
MARKDOWN_LANGUAGES = {"markdown", "mdx", "quarto", "rmd", "markdown-math"}
MARKDOWN_SUFFIXES = (".md", ".markdown", ".mkd", ".mdown", ".mdx", ".qmd", ".rmd")
PLAIN_LANGUAGES = {"", "plaintext", "text"}
"""Language ids of an untitled document that may become markdown."""
LIBRARY_FILE = re.compile(r"/(pipelines|primers)/[^/]+\.ya?ml$")
"""The end of the URI of a pipeline or a primer."""
WATCHED_GLOBS = (
    "**/pipelines/*.{yaml,yml}",
    "**/primers/*.{yaml,yml}",
    f"**/*{{{','.join(MARKDOWN_SUFFIXES)},.txt}}",  # front matter may name them
)
"""Files that decide what is correct in front matter."""

logger = logging.getLogger(__name__)


class WriteItServer(LanguageServer):
    """One connection to one client."""

    protocol: WriteItProtocol
    websocket_id: str | None = None
    """The id of the WebSocket connection, if there is one."""

    def __init__(self, create_ports: Callable[[object], Ports]) -> None:
        super().__init__(
            name="writeit",
            version=__version__,
            protocol_cls=WriteItProtocol,
            max_workers=4,
        )
        # pygls would walk through every value of a result, which is plain already.
        self.protocol._converter.register_unstructure_hook(  # noqa: SLF001 -- its only place
            JsonObject, lambda value: value
        )
        self._create_ports = create_ports
        self._session: Session | None = None
        self._notifier: ChangeNotifier
        self._publisher: DiagnosticsPublisher
        self._stale_runs: StaleRuns

    @property
    def session(self) -> Session:
        """The session, made by the first request that needs it."""
        if self._session is None:
            self._session = self._start_session()
        return self._session

    def _start_session(self) -> Session:
        from writeit.lsp.client import Client  # noqa: PLC0415 -- after initialize
        from writeit.lsp.features.diagnostics import DiagnosticsPublisher  # noqa: PLC0415 -- as above
        from writeit.lsp.pages.refresh import ChangeNotifier  # noqa: PLC0415 -- as above
        from writeit.lsp.session import Session  # noqa: PLC0415 -- as above
        from writeit.lsp.stale_runs import StaleRuns  # noqa: PLC0415 -- as above

        options = self.protocol.initialization_options
        ours = options.get("writeit") if isinstance(options, dict) else None
        user = ours.get("user") if isinstance(ours, dict) else None
        client = Client(self, options, self.websocket_id)
        session = Session(client, self.workspace, self._create_ports(user))
        self._notifier = session.listener = ChangeNotifier(
            session.documents, session.find_view, session.folders_with_open_store
        )
        self._publisher = DiagnosticsPublisher(session)
        self._stale_runs = StaleRuns(
            session.documents, session.folder_containing, self._notifier
        )
        for document in self.workspace.text_documents.values():
            if self.is_markdown(document.uri):  # opened before anything needed us
                self._publisher.schedule_check(document.uri)
        return session

    async def execute_command(self, params: types.ExecuteCommandParams) -> Any:  # noqa: ANN401 -- any JSON
        """Run a command of the protocol."""
        from writeit.lsp.commands import execute_command  # noqa: PLC0415 -- after initialize

        return await execute_command(self.session, params)

    def first_characters(self, uri: str, count: int) -> str:
        """Return how an open markdown document begins, "" of any other document."""
        document = self.workspace.text_documents.get(unquote(uri))  # as pygls keys it
        if not self.is_markdown(uri) or not isinstance(document, WriteItDocument):
            return ""
        return document.first_characters(count)

    def is_markdown(self, uri: str) -> bool:
        """Return whether a document is markdown by its language id or its suffix."""
        document = self.workspace.text_documents.get(unquote(uri))  # as pygls keys it
        # lsprotocol takes any value for it.
        language = str((document and document.language_id) or "").casefold()
        if language in MARKDOWN_LANGUAGES:
            return True
        if uri.startswith("untitled:"):  # without a suffix
            return language in PLAIN_LANGUAGES
        return uri.casefold().endswith(MARKDOWN_SUFFIXES)

    def notify_document_change(self, uri: str) -> None:
        """Parse a document that was opened or changed, and pass on the change."""
        document = self.workspace.text_documents.get(unquote(uri))  # as pygls keys it
        if isinstance(document, WriteItDocument) and _is_own_markdown(self, uri):
            document.schedule_parse()
        if (
            self._session is not None
            or LIBRARY_FILE.search(uri)
            or _has_writeit_block(self.first_characters(uri, HEAD_CHARACTERS))
        ):
            self.session.documents.notify_change(uri)
            if not _is_possible_view(self, uri):
                self.session.folder_containing(uri).typed.note_change(uri)
            if self.is_markdown(uri):
                self._publisher.schedule_check(uri)
                self._stale_runs.schedule(uri)

    def has_runs(self) -> bool:
        """Return whether a workspace folder has a store, or a session was needed."""
        folders = [folder.uri for folder in self.workspace.folders.values()]
        return self._session is not None or any(
            Path(unquote(urlsplit(uri).path), ".writeit", "store").is_dir()
            for uri in folders
        )

    def notify_saving(self, uri: str) -> None:
        """Note that an editor is about to save; most then send all changes first."""
        if self._session is not None:
            self._session.folder_containing(uri).typed.note_saving(uri)

    def notify_saved(self, uri: str) -> None:
        """Remember what the user typed and saved; check what may name it."""
        if self._session is not None:
            self._session.folder_containing(uri).typed.note_saved(uri)
            self.recheck_diagnostics()

    def recheck_diagnostics(self) -> None:
        """Check all documents again: what they name may have changed."""
        if self._session is not None:
            self._publisher.recheck_all()
            self._stale_runs.schedule_all()

    async def refresh_diagnostics(self) -> None:
        """Have a client that requests diagnostics request them again."""
        if self._session is not None:
            await self._session.client.refresh_diagnostics()

    def clear_settings(self) -> None:
        """Pull the settings again when they are next needed."""
        if self._session is not None:
            self._session.clear_settings()
            self._publisher.recheck_all()
            self._session.client.spawn_task(self.refresh_diagnostics())

    async def close(self) -> None:
        """Stop what still runs; everything received is kept."""
        if self._session is not None:
            self._publisher.close()
            self._stale_runs.close()
            self._notifier.close()
            await self._session.close()

    def report_server_error(self, error: Exception, source: Any) -> None:  # noqa: ANN401 -- pygls' own union
        """Log an error outside a request; those of requests are in their replies."""
        if source is not FeatureRequestError:
            logger.error("%s: %s", getattr(source, "__name__", source), error)


# --- which documents a feature is about ---


def _is_own_markdown(server: WriteItServer, uri: str) -> bool:
    """Return whether a document is the user's markdown, and no page of ours."""
    return server.is_markdown(uri) and not _is_possible_view(server, uri)


def _is_open_markdown(server: WriteItServer, uri: str) -> bool:
    return bool(server.first_characters(uri, 1))


def _may_have_front_matter(server: WriteItServer, uri: str) -> bool:
    return _has_opening(server.first_characters(uri, HEAD_CHARACTERS))


def _may_be_bound(server: WriteItServer, uri: str) -> bool:
    """Return whether a document may have front matter of ours or a text of a run."""
    return _may_have_front_matter(server, uri) or (
        _is_own_markdown(server, uri) and server.has_runs()
    )


def _is_possible_view(_server: WriteItServer, uri: str) -> bool:
    return uri.startswith("writeit:") or VIEW_FILES_URI_PART in uri


def _has_writeit_block(text: str) -> bool:
    """Return whether front matter probably has the `writeit` key."""
    start = text[:HEAD_CHARACTERS]
    return _has_opening(start) and "writeit" in start.casefold()


def _has_opening(start: str) -> bool:
    from writeit.text.front_matter import has_opening  # noqa: PLC0415 -- after initialize

    return has_opening(start)


@dataclass(frozen=True, slots=True)
class Feature:
    """A handler in `lsp/features`, imported by its first request.

    The handler gets the session and the params. A document that `applies` excludes
    costs nothing and gets `empty`.
    """

    module: str
    function: str
    applies: Callable[[WriteItServer, str], bool]
    empty: Callable[[], Any] = lambda: None
    options: Any = None


FEATURES: dict[str, Feature] = {
    types.TEXT_DOCUMENT_COMPLETION: Feature(
        "completion",
        "complete_front_matter",
        _may_have_front_matter,
        # A space would request completion after every word of prose.
        options=types.CompletionOptions(trigger_characters=[":"]),
    ),
    types.TEXT_DOCUMENT_HOVER: Feature("hover", "find_hover", _is_open_markdown),
    types.TEXT_DOCUMENT_DEFINITION: Feature(
        "definition", "find_definition", _is_open_markdown
    ),
    types.TEXT_DOCUMENT_DIAGNOSTIC: Feature(
        "diagnostics",
        "diagnostic_report",
        _may_be_bound,
        lambda: types.RelatedFullDocumentDiagnosticReport(items=[]),
        types.DiagnosticOptions(
            identifier="writeit",
            inter_file_dependencies=True,
            workspace_diagnostics=False,
        ),
    ),
    types.TEXT_DOCUMENT_CODE_ACTION: Feature(
        "code_action",
        "code_actions",
        WriteItServer.is_markdown,
        list,
        types.CodeActionOptions(
            code_action_kinds=[
                "source.writeit",
                "refactor.rewrite.writeit",
                "quickfix",
            ]
        ),
    ),
    types.TEXT_DOCUMENT_CODE_LENS: Feature(
        "code_lens", "code_lenses", WriteItServer.is_markdown, list
    ),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: Feature(
        "views", "document_symbols", _is_possible_view, list
    ),
    types.WORKSPACE_SYMBOL: Feature(
        "workspace_symbol", "find_symbols", lambda _, __: True, list
    ),
    types.WORKSPACE_TEXT_DOCUMENT_CONTENT: Feature(
        "views", "read_content", lambda _, __: True
    ),
}
"""The requests that are answered, by method: a new feature is one more entry."""


def _register_feature(server: WriteItServer, method: str, feature: Feature) -> None:
    async def handle(ls: WriteItServer, params: Any) -> Any:  # noqa: ANN401 -- each method has its own
        document = getattr(params, "text_document", params)
        if not feature.applies(ls, getattr(document, "uri", "")):
            return feature.empty()
        module = import_module(f"writeit.lsp.features.{feature.module}")
        return await getattr(module, feature.function)(ls.session, params)

    server.feature(method, feature.options)(handle)


# --- notifications ---


async def _on_initialized(ls: WriteItServer, _params: types.InitializedParams) -> None:
    workspace = ls.client_capabilities.workspace
    watching = workspace.did_change_watched_files if workspace else None
    if watching is None or not watching.dynamic_registration:
        return
    watchers = [types.FileSystemWatcher(glob_pattern=glob) for glob in WATCHED_GLOBS]
    registration = types.Registration(
        id="writeit.library",
        method=types.WORKSPACE_DID_CHANGE_WATCHED_FILES,
        register_options=types.DidChangeWatchedFilesRegistrationOptions(watchers),
    )
    try:
        await ls.client_register_capability_async(
            types.RegistrationParams(registrations=[registration])
        )
    except JsonRpcException as error:  # didSave still causes a check
        logger.info("the client watches no files: %s", error.message)


def _on_did_open(ls: WriteItServer, params: types.DidOpenTextDocumentParams) -> None:
    uri = params.text_document.uri
    if _is_own_markdown(ls, uri) and ls.has_runs():
        _ = ls.session  # it may have been made from notes
    ls.notify_document_change(uri)
    if _has_writeit_block(params.text_document.text):
        ls.session.warm_up_models()
    if VIEW_FILES_URI_PART in uri:
        ls.session.listener.refresh_opened_page(uri)


def _on_did_change(
    ls: WriteItServer,
    params: types.DidChangeTextDocumentParams | types.DidCloseTextDocumentParams,
) -> None:
    ls.notify_document_change(params.text_document.uri)


async def _on_did_change_watched_files(
    ls: WriteItServer, params: types.DidChangeWatchedFilesParams
) -> None:
    if not all(_is_possible_view(ls, change.uri) for change in params.changes):
        ls.recheck_diagnostics()
        await ls.refresh_diagnostics()


async def _on_did_rename_files(
    ls: WriteItServer, params: types.RenameFilesParams
) -> None:
    from writeit.domain.errors import WriteItError  # noqa: PLC0415 -- after initialize
    from writeit.lsp.convert import normalized_uri  # noqa: PLC0415 -- as above

    moves = {
        normalized_uri(file.old_uri): normalized_uri(file.new_uri)
        for file in params.files
    }
    try:
        await ls.session.move_documents(moves)
    except WriteItError as error:
        ls.session.client.show_error(error)


async def _on_shutdown(ls: WriteItServer, _params: None) -> None:
    await ls.close()


_RENAMES = types.FileOperationRegistrationOptions(
    [types.FileOperationFilter(types.FileOperationPattern("**"), scheme="file")]
)
"""Files and folders: a folder may have documents in it."""

_NOTIFICATIONS: dict[str, Callable[[WriteItServer, Any], Any]] = {
    types.INITIALIZED: _on_initialized,
    types.TEXT_DOCUMENT_DID_OPEN: _on_did_open,
    types.TEXT_DOCUMENT_DID_CHANGE: _on_did_change,
    types.TEXT_DOCUMENT_DID_CLOSE: _on_did_change,
    types.TEXT_DOCUMENT_WILL_SAVE: lambda ls, params: ls.notify_saving(
        params.text_document.uri
    ),
    # An editor waits for the reply, so the server has all changes before the disk has.
    types.TEXT_DOCUMENT_WILL_SAVE_WAIT_UNTIL: lambda ls, _: [],  # noqa: ARG005 -- pygls goes by this name
    types.TEXT_DOCUMENT_DID_SAVE: lambda ls, params: ls.notify_saved(
        params.text_document.uri
    ),
    types.WORKSPACE_DID_CHANGE_WATCHED_FILES: _on_did_change_watched_files,
    types.WORKSPACE_DID_CHANGE_CONFIGURATION: lambda ls, _: ls.clear_settings(),
    types.WORKSPACE_DID_RENAME_FILES: _on_did_rename_files,
    types.SHUTDOWN: _on_shutdown,
    "writeit/lm/delta": lambda ls, params: ls.session.editor_models.receive(params),
}


def create_server(create_ports: Callable[[object], Ports]) -> WriteItServer:
    """Make a server; its ports are created when they are first needed.

    `create_ports` gets the `user` of `initializationOptions.writeit`.
    """
    server = WriteItServer(create_ports)
    for method, feature in FEATURES.items():
        _register_feature(server, method, feature)
    for method, handler in _NOTIFICATIONS.items():
        is_rename = method == types.WORKSPACE_DID_RENAME_FILES
        server.feature(method, _RENAMES if is_rename else None)(handler)
    return server


# --- stdio ---


def configure_logging() -> None:
    """Log to stderr what a person should see."""
    logging.basicConfig(format="%(name)s: %(message)s", stream=sys.stderr)
    # Its tracebacks of refused commands repeat what the replies say.
    logging.getLogger("pygls").setLevel(logging.CRITICAL)


def serve_stdio(create_ports: Callable[[object], Ports]) -> int:
    """Serve one client over stdin and stdout; return the exit code.

    File descriptor 1 then writes to stderr: a stray print would break the protocol.
    """
    configure_logging()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    server = create_server(create_ports)
    try:
        gc.freeze()  # to search what stays, again and again, takes 25 ms each time
        asyncio.run(_run_stdio(server, sys.stdin.buffer, out))
    except SystemExit as exit_request:  # the `exit` notification
        return int(exit_request.code or 0)
    except (BrokenPipeError, KeyboardInterrupt):
        return 1
    except FramingError as error:
        sys.stderr.write(f"{error} The server ends.\n")
        return 1
    return 1  # the client left without `exit`


class _StdinReader(StdinAsyncReader):
    """Reads lines that are no longer than a header's."""

    def readline(self) -> Awaitable[bytes]:
        """Read a line of a header."""
        read = partial(self.stdin.readline, MAX_HEADER_BYTES)
        line: Awaitable[bytes] = self.loop.run_in_executor(self.executor, read)
        return line


async def _run_stdio(server: WriteItServer, stdin: BinaryIO, stdout: BinaryIO) -> None:
    server.protocol.set_writer(StdoutWriter(stdout))
    # Emacs sends SIGHUP as it ends. It also closes stdin, which ends us in order.
    if sys.platform != "win32":  # where there is no such signal
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, int)
    reader = _StdinReader(stdin, server.thread_pool)
    try:
        await handle_messages(partial(read_message, reader), server)
    finally:
        await server.close()
        server.thread_pool.shutdown(wait=False)
