"""What pygls lacks: LSP line ends, blocks, cancellable commands, capabilities."""

from __future__ import annotations

import asyncio
import gc
import logging
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import unquote

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidRequest
from pygls.protocol import LanguageServerProtocol
from pygls.protocol.language_server import lsp_method
from pygls.workspace import TextDocument, Workspace

from writeit.lsp.command_ids import COMMAND_IDS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from concurrent.futures import Future

logger = logging.getLogger(__name__)

MAX_PARSED_CHARACTERS = 1_000_000
"""The longest text whose sections are known; a book has half of it."""
PARSED_CHARACTERS_PER_SECOND = 500_000
"""About what is parsed in a second; a long text waits longer for the next change."""


MAX_BASE_CHARACTERS = 300_000
"""More than the longest front matter, pipeline or primer has."""


class WriteItDocument(TextDocument):
    """A document with lines as LSP defines them; pygls splits at more characters."""

    _cached_front_matter: tuple[int | None, str] | None = None
    _parsed: tuple[list[ParsedSection], int] | None = None
    """The sections as they were parsed last, and the number of changes before that."""
    expected_text: str | None = None
    """The text that the last edit which was sent leads to."""
    was_expected = False
    """Whether that has been the text; the user may have undone it since."""
    _is_parsing = False
    _parse_timer: asyncio.TimerHandle | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 -- pygls' own parameters
        super().__init__(*args, **kwargs)
        self.base_text = (self._source or "")[:MAX_BASE_CHARACTERS]
        """How it was when it was opened, read again or saved."""
        self.base_before_save: str | None = None
        """The base before a change that came while the editor was saving."""
        self.is_saving = False
        self._change_count = 0
        self._line_changes: list[LineChange] = []
        """The changes that the parsed blocks may not have yet."""

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

    def schedule_parse(self) -> None:
        """Parse the text in a thread; after the first time, once it is idle."""
        if self._parse_timer is not None:
            self._parse_timer.cancel()
        if len(super().source) > MAX_PARSED_CHARACTERS:
            self._parsed = None
            return
        if self._parsed is None and not self._is_parsing:
            self._start_parse()
        else:
            delay = 0.01 + len(super().source) / PARSED_CHARACTERS_PER_SECOND
            loop = asyncio.get_running_loop()
            self._parse_timer = loop.call_later(delay, self._start_parse)

    def _start_parse(self) -> None:
        self._parse_timer = None
        if self._is_parsing:
            self.schedule_parse()
            return
        self._is_parsing = True
        known = self._parsed[1] if self._parsed else self._change_count
        self._line_changes = [c for c in self._line_changes if c.number > known]
        future = asyncio.get_running_loop().run_in_executor(
            None, self._parse, super().source, self._change_count
        )
        future.add_done_callback(_log_failure)

    def _parse(self, text: str, change_count: int) -> None:
        """Parse a text of this document; runs in a thread."""
        from writeit.text.block_reader import read_blocks  # noqa: PLC0415 -- after initialize
        from writeit.text.front_matter import find_front_matter  # noqa: PLC0415 -- as above

        # A collection would look at all tokens while every other thread waits.
        gc.disable()
        try:
            found = find_front_matter(text)
            head = len(found.head) if found else text.startswith("\ufeff")
            blocks = read_blocks(text, head)
            sections = [
                ParsedSection(
                    section.heading.lines,
                    section.lines,
                    blocks.length(section.lines),
                    blocks.heading_text(section.heading),
                )
                for section in blocks.sections
            ]
            self._parsed = (sections, change_count)
        finally:
            gc.enable()
            self._is_parsing = False

    def sections_at(self, line: int) -> list[ParsedSection]:
        """Return the section whose heading is at a line, and those in it.

        They are of the text as it was parsed last, with their lines now; those in
        which a line was changed since are left out. Nothing is parsed or waited for.
        """
        if self._parsed is None:
            return []
        sections, known = self._parsed
        changes = [change for change in self._line_changes if change.number > known]
        found: list[ParsedSection] = []
        stop = None
        for section in sections:
            heading = section.heading
            if stop is None:
                if line not in _move_lines(heading, changes):
                    continue
                stop = section.lines.stop
            elif heading.start >= stop:
                break
            if lines := _move_lines(section.lines, changes):
                found.append(section._replace(lines=lines))
            elif not found:
                break
        return found

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
        added = (
            change.text.count("\n")
            + change.text.count("\r")
            - change.text.count("\r\n")
        )
        lines = (change.range.start.line, change.range.end.line)
        self._note_change(LineChange(self._change_count + 1, *lines, added))

    def _apply_full_change(self, change: types.TextDocumentContentChangeEvent) -> None:
        super()._apply_full_change(change)
        self._note_change(LineChange(self._change_count + 1, 0, 2**31, 0))

    def _note_change(self, change: LineChange) -> None:
        self._change_count = change.number
        self.was_expected |= self._source == self.expected_text
        if self._parsed is not None or self._is_parsing:  # a page is never parsed
            self._line_changes.append(change)


class LineChange(NamedTuple):
    """The lines that a change of a document replaced."""

    number: int
    """Its place among the document's changes, from 1."""
    first: int
    last: int
    added: int
    """The number of line ends in the new text."""


class ParsedSection(NamedTuple):
    """A section of a document: the lines of its heading and of its text."""

    heading: range
    lines: range
    size: int
    """Characters of its text when it was parsed."""
    title: str


def _move_lines(lines: range, changes: Iterable[LineChange]) -> range:
    """Return where lines are after changes; an empty range if one of them may not be.

    Changes between the first and the last line are part of the text.
    """
    first, last = lines.start, lines.stop - 1
    for change in changes:
        moved = change.added - (change.last - change.first)
        is_within_line = moved == 0 and change.first == change.last
        if change.last < first:
            first, last = first + moved, last + moved
        elif first < change.first and change.last < last:
            last += moved
        elif change.first <= last and not is_within_line:
            return range(0)
    return range(first, last + 1)


def _log_failure(future: asyncio.Future[None]) -> None:
    if not future.cancelled() and (error := future.exception()) is not None:
        logger.error("a document could not be parsed", exc_info=error)


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


class JsonObject(dict[str, Any]):
    """The result of a command: plain JSON, which pygls need not convert."""


INTERNAL_ERROR = "An internal error occurred. The server's log has the details."


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
        """Answer `initialize`; a second one would forget the open documents."""
        if self._workspace is not None:
            raise JsonRpcInvalidRequest("The server is initialized already.")
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
    """Return whether a client requests diagnostics; others are sent them.

    It has to request them again when asked to: Neovim 0.11 does so only after a change
    of the document, and would not show the remarks of a review.
    """
    document, workspace = capabilities.text_document, capabilities.workspace
    asked = workspace.diagnostics if workspace else None
    return bool(document and document.diagnostic and asked and asked.refresh_support)


def can_read_content(capabilities: types.ClientCapabilities) -> bool:
    """Return whether a client knows `workspace/textDocumentContent`."""
    workspace = capabilities.workspace
    return workspace is not None and workspace.text_document_content is not None
