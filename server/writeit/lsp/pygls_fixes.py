"""What pygls lacks: LSP line ends, cancellable commands, capabilities."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote

from lsprotocol import types
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method
from pygls.workspace import TextDocument, Workspace

from writeit.lsp.command_ids import COMMAND_IDS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from concurrent.futures import Future

    from writeit.text.markdown import MarkdownSection


class WriteItDocument(TextDocument):
    """A document with lines as LSP defines them; pygls splits at more characters."""

    _cached_sections: tuple[int | None, Sequence[MarkdownSection]] | None = None
    _cached_front_matter: tuple[int | None, str] | None = None

    @property
    def source(self) -> str:
        """The text; a lone surrogate, which an editor may send, is replaced."""
        from writeit.text.lines import repair_surrogates  # noqa: PLC0415 -- after initialize

        text = super().source
        return text if text.isascii() else repair_surrogates(text)

    def first_characters(self, count: int) -> str:
        """Return the first characters; the rest of the text is not read."""
        from writeit.text.lines import repair_surrogates  # noqa: PLC0415 -- after initialize

        text = super().source[:count]
        return text if text.isascii() else repair_surrogates(text)

    def front_matter(self, compute: Callable[[], str]) -> str:
        """Return the front matter; `compute` is called once per version."""
        if (
            self._cached_front_matter is None
            or self._cached_front_matter[0] != self.version
        ):
            self._cached_front_matter = (self.version, compute())
        return self._cached_front_matter[1]

    def sections(self) -> Sequence[MarkdownSection]:
        """Return the sections of the body, with line numbers of the whole text.

        They are parsed once per version.
        """
        from writeit.library.front_matter import split_front_matter  # noqa: PLC0415 -- as above
        from writeit.text.lines import split_lines  # noqa: PLC0415 -- after initialize
        from writeit.text.markdown import parse_sections  # noqa: PLC0415 -- as above

        if self._cached_sections is None or self._cached_sections[0] != self.version:
            text = self.source
            head = split_front_matter(text).head
            blank = ["\n"] * len(split_lines(head))
            sections = parse_sections([*blank, *split_lines(text[len(head) :])])
            self._cached_sections = (self.version, sections)
        return self._cached_sections[1]

    @property
    def lines(self) -> Sequence[str]:
        """The lines with their ends: LF, CRLF or CR."""
        from writeit.text.lines import split_lines  # noqa: PLC0415 -- after initialize

        return split_lines(self.source)

    def _apply_incremental_change(
        self, change: types.TextDocumentContentChangePartial
    ) -> None:
        from writeit.lsp.convert import to_offset  # noqa: PLC0415 -- after initialize

        encoding = self.position_codec.encoding or "utf-16"
        text = super().source  # unrepaired: the next change may complete a surrogate
        start = to_offset(text, change.range.start, encoding)
        end = to_offset(text, change.range.end, encoding)
        self._source = text[:start] + change.text + text[max(start, end) :]


class WriteItWorkspace(Workspace):
    """A workspace of `WriteItDocument`s."""

    def update_text_document(
        self,
        text_doc: types.VersionedTextDocumentIdentifier,
        change: types.TextDocumentContentChangeEvent,
    ) -> None:
        """Change an open document.

        VS Code sends a change of a discarded document after it has closed it.
        """
        if unquote(text_doc.uri) in self.text_documents:  # pygls' keys are unquoted
            super().update_text_document(text_doc, change)

    @classmethod
    def copy_of(cls, other: Workspace) -> Self:
        """Return a workspace with the folders and the encoding of another."""
        return cls(
            other.root_uri,
            workspace_folders=list(other.folders.values()),
            position_encoding=other.position_encoding,
        )

    def _create_text_document(
        self,
        doc_uri: str,
        source: str | None = None,
        version: int | None = None,
        language_id: str | None = None,
    ) -> WriteItDocument:
        return WriteItDocument(
            doc_uri,
            source=source,
            version=version,
            language_id=language_id,
            sync_kind=self._sync_kind,
            position_codec=self._position_codec,
        )


INTERNAL_ERROR = "An internal error occurred. The server's log has the details."

logger = logging.getLogger(__name__)


class WriteItProtocol(LanguageServerProtocol):
    """LSP with cancellable commands.

    pygls' handler of workspace/executeCommand is a generator, which `$/cancelRequest`
    does not reach. Here it is a coroutine.
    """

    initialization_options: Any = None
    """`initializationOptions` as the client sent them."""

    def _execute_handler(
        self,
        msg_id: str | int,
        handler: Callable[..., Any],
        callback: Callable[[Any], None],
        args: tuple[Any, ...] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Run a handler and drop its future once it is done.

        pygls keeps those of notifications: a kilobyte for each keystroke.
        """

        def done(future: object) -> None:
            callback(future)
            self._request_futures.pop(msg_id, None)

        super()._execute_handler(msg_id, handler, done, args, kwargs)

    def _send_handler_result(self, future: Future[Any], *, msg_id: str | int) -> None:
        """Send the result of a request, or a `WriteItError` with its own message.

        pygls would report an internal error with the name of a Python class.
        """
        error = None if future.cancelled() else future.exception()
        if error is None:
            super()._send_handler_result(future, msg_id=msg_id)
            return
        from writeit.domain.errors import WriteItError  # noqa: PLC0415 -- after initialize
        from writeit.lsp.messages import to_rpc_error  # noqa: PLC0415 -- as above

        if not isinstance(error, WriteItError):
            super()._send_handler_result(future, msg_id=msg_id)
            return
        self._request_futures.pop(msg_id, None)
        logger.info("%s", error.message)
        self._send_response(msg_id, error=to_rpc_error(error).to_response_error())

    def _send_response(
        self,
        msg_id: str | int,
        result: Any | None = None,  # noqa: ANN401 -- any JSON
        error: types.ResponseError | None = None,
    ) -> None:
        """Send a reply; a traceback goes to the log and never to the client."""
        if error is not None and isinstance(error.data, dict):
            trace = error.data.pop("traceback", None)
            if trace is not None:
                logger.error("%s\n%s", error.message, "".join(trace))
                error = types.ResponseError(error.code, INTERNAL_ERROR)
        super()._send_response(msg_id, result, error)

    def _handle_response(
        self,
        msg_id: str | int,
        result: Any = None,  # noqa: ANN401 -- any JSON
        error: types.ResponseError | None = None,
    ) -> None:
        """Handle a client's reply, unless the request was cancelled meanwhile."""
        future = self._request_futures.get(msg_id)
        if future is not None and future.cancelled():
            self._request_futures.pop(msg_id, None)
            return
        super()._handle_response(msg_id, result, error)

    @lsp_method(types.INITIALIZE)
    def lsp_initialize(
        self, params: types.InitializeParams
    ) -> Generator[Any, Any, types.InitializeResult]:
        """Answer `initialize`."""
        self.initialization_options = params.initialization_options
        result: types.InitializeResult = yield from super().lsp_initialize(params)
        self._workspace = WriteItWorkspace.copy_of(self.workspace)
        result.capabilities.execute_command_provider = types.ExecuteCommandOptions(
            commands=list(COMMAND_IDS), work_done_progress=True
        )
        if not can_pull_diagnostics(self.client_capabilities):
            result.capabilities.diagnostic_provider = None  # they are pushed
        if can_read_content(self.client_capabilities):
            announced = result.capabilities.workspace or types.WorkspaceOptions()
            announced.text_document_content = types.TextDocumentContentOptions(
                schemes=["writeit"]
            )
            result.capabilities.workspace = announced
        return result

    @lsp_method(types.EXIT)
    def lsp_exit(self, *_: object) -> None:  # type: ignore[override]  # it never returns
        """End the process; the exit code is 1 if there was no `shutdown` before."""
        raise SystemExit(0 if self._shutdown else 1)

    @lsp_method(types.WORKSPACE_EXECUTE_COMMAND)
    async def lsp_workspace__execute_command(  # type: ignore[override]  # a coroutine: a task that can be cancelled
        self, params: types.ExecuteCommandParams
    ) -> Any:  # noqa: ANN401 -- a command's result is any JSON
        """Run a command."""
        return await self._server.execute_command(params)  # type: ignore[attr-defined]  # it is a WriteItServer


def can_pull_diagnostics(capabilities: types.ClientCapabilities) -> bool:
    """Return whether a client requests diagnostics; others are sent them."""
    document = capabilities.text_document
    return document is not None and document.diagnostic is not None


def can_read_content(capabilities: types.ClientCapabilities) -> bool:
    """Return whether a client knows `workspace/textDocumentContent`."""
    workspace = capabilities.workspace
    return workspace is not None and workspace.text_document_content is not None
