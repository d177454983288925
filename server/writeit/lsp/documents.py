"""The open documents of a connection: texts, front matter, changes, locks, applies."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from errno import EINVAL
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import unquote
from uuid import UUID

from lsprotocol import types
from pygls.workspace import TextDocument, Workspace

from writeit.domain.document import RunDocument
from writeit.domain.errors import InvalidParams, NotFound
from writeit.domain.pipeline import Output
from writeit.domain.run import AppliedText, PipelineRun
from writeit.domain.run_summary import StaleStep
from writeit.engine.data_policy import FileProviders
from writeit.library.front_matter import (
    FrontMatter,
    FrontMatterConfig,
    SourceDocument,
    read_source_document,
    split_front_matter,
)
from writeit.library.front_matter_writer import can_insert_block
from writeit.library.named_files import read_file_providers, read_named_files
from writeit.library.yaml_cursor import (
    CursorContext,
    YamlWord,
    cursor_context,
    find_word,
)
from writeit.lsp.client import Client, wait_done
from writeit.lsp.convert import PositionLike, path_to_uri, to_offset, uri_to_path
from writeit.lsp.pygls_fixes import WriteItDocument
from writeit.lsp.shapes import Range
from writeit.text.changes import AppliedChanges, ChangedBlock
from writeit.text.front_matter import (
    MAX_HEAD_CHARACTERS,
    find_front_matter,
    opening_dialect,
    unread_opening,
)
from writeit.text.lines import split_lines
from writeit.text.merge3 import MergeConflict
from writeit.views.editable_page import ReadOnlyPage
from writeit.views.page_outline import PageSection
from writeit.views.uris import View

MAX_DOCUMENT_CHARACTERS = 5_000_000
"""The longest file that is read; a book has a tenth of it."""
MAX_SENT_VIEWS = 100
MAX_SENT_VERSIONS = 4
"""How many versions of a view a client may lag behind while answers stream."""
SEARCH_LENGTHS = (4_000, MAX_HEAD_CHARACTERS)
"""Characters within which front matter usually ends, and must end."""


@dataclass(frozen=True, slots=True)
class SentEdit:
    """An edit that was sent: the text before it, and after it if it is applied."""

    text_before: str
    text_after: str
    conflicts: tuple[MergeConflict, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingApply:
    """A text that was not applied because the user was typing or declined."""

    run_id: UUID
    step: str
    uri: str
    mode: Output
    sent_edit: SentEdit | None


@dataclass(slots=True)
class ReviewedApply:
    """A text that was applied to a document; `changes` once they were compared."""

    run_id: UUID
    applied: AppliedText
    changes: AppliedChanges | None = field(default=None, compare=False)


OpenApplies: TypeAlias = Sequence[tuple[ReviewedApply, frozenset[str]]]
"""What is under review, the newest first, and the keys of what is kept of each."""


@dataclass(frozen=True, slots=True)
class ReviewedChange:
    """A changed block of a document, and the apply that it is of."""

    apply: ReviewedApply
    block: ChangedBlock

    @property
    def id(self) -> str:
        """A name that stays the same while the user types elsewhere."""
        step, keys = self.apply.applied.step, "+".join(self.block.keys)
        return f"{self.apply.run_id}/{step}/{keys}"


@dataclass(frozen=True, slots=True)
class Review:
    """The changes in a text that are neither kept nor undone, in order."""

    change_count: int
    applies: OpenApplies
    text: str
    changes: Sequence[ReviewedChange]


class Documents:
    """The documents the client has open, and files that it has not.

    URIs are compared unquoted, as clients quote them differently.
    """

    def __init__(self, client: Client, workspace: Workspace) -> None:
        self.client = client
        self.pending_applies: dict[tuple[UUID, str], PendingApply] = {}
        """By run and step."""
        self.earlier_names: dict[str, tuple[object, str | None]] = {}
        """By URI: what a document was probably called, and what was known then."""
        self.stale_steps: dict[UUID, tuple[StaleStep, ...]] = {}
        """By run, as they were computed last."""
        self.applies: dict[str, tuple[list[Any], list[ReviewedApply]]] = {}
        """By URI: the state of the document's runs, and what they applied to it."""
        self.reviews: dict[str, Review] = {}
        self.review_lock = asyncio.Lock()
        self.findings: dict[str, Any] = {}
        """By URI, what `findings` knows of the document's paragraphs."""
        self.recheck: Callable[[str], None] = lambda _: None
        """Has the findings of a document computed again: its runs or notes changed."""
        self.sent_views = SentViews()
        self.is_closed = False
        self._workspace = workspace
        self._change_counts: defaultdict[str, int] = defaultdict(int)
        self._change_waiters: defaultdict[str, set[asyncio.Future[None]]] = defaultdict(
            set
        )
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def move_pending_applies(self, find_uri: Callable[[str], str | None]) -> None:
        """Let texts that wait follow their documents; `find_uri`: where one is now."""
        for key, pending in self.pending_applies.items():
            uri = find_uri(pending.uri)
            if uri is not None:
                self.pending_applies[key] = replace(pending, uri=uri)

    # --- texts ---

    def open_uris(self) -> Iterable[str]:
        """Return the unquoted URIs of the open documents."""
        documents: dict[str, TextDocument] = self._workspace.text_documents
        return documents

    def find_open(self, uri: str) -> TextDocument | None:
        """Return a document if it is open."""
        documents: dict[str, TextDocument] = self._workspace.text_documents
        return documents.get(unquote(uri))  # pygls' keys are unquoted

    def client_uri(self, uri: str) -> str:
        """Return a document's URI as the client quotes it."""
        document = self.find_open(uri)
        return uri if document is None else document.uri

    def read_text(self, uri: str) -> str:
        """Return a document's text, from its file if it is not open.

        Raises:
            NotFound: it is neither open nor a readable text file.
            InvalidParams: it is not open, and too long to be read.
        """
        if (document := self.find_open(uri)) is not None:
            return document.source
        path = uri_to_path(uri)
        if path is None:
            raise NotFound(
                f"{uri} is not open in the editor.", hint="Open it, then start the run."
            )
        try:
            if not path.is_file():  # reading a pipe would wait for ever
                raise OSError(EINVAL, "it is not a file")  # noqa: TRY301 -- as others
            with path.open(encoding="utf-8", newline="") as file:
                text = file.read(MAX_DOCUMENT_CHARACTERS + 1)
        except (OSError, UnicodeDecodeError) as error:
            raise NotFound(
                f"{uri} cannot be read: {error}.",
                hint="Give the URI of a markdown file that is UTF-8 text.",
            ) from error
        if len(text) > MAX_DOCUMENT_CHARACTERS:
            raise InvalidParams(
                f"{uri} is too long: it has more than {MAX_DOCUMENT_CHARACTERS:,}"
                " characters.",
                hint="Divide it, or open it in the editor.",
                problems=[{"path": "uri", "message": "is too long"}],
            )
        return text

    def load_source_document(
        self, uri: str, selected_range: Range | None = None
    ) -> SourceDocument:
        """Read a document, or the passage of it that is selected.

        Raises:
            NotFound: it is neither open nor a readable text file.
        """
        text = self.read_text(uri)
        selection = None
        if selected_range is not None:
            selection = (
                self.to_offset(text, selected_range.start),
                self.to_offset(text, selected_range.end),
            )
        path = uri_to_path(uri)
        return read_source_document(
            text, path=str(path or ""), uri=uri, selection=selection
        )

    def front_matter_config_of(self, run: PipelineRun) -> FrontMatterConfig:
        """Return what the front matter of a run's document says now.

        If the document is gone, the providers recorded when the run started apply.
        """
        if run.uri is not None:
            try:
                text = self.read_text(run.uri)
            except NotFound:
                pass
            else:
                return split_front_matter(text, run.uri).require_valid().config
        return FrontMatterConfig(providers=run.document.providers)

    async def with_named_files(
        self, source: SourceDocument, folder: Path | None
    ) -> RunDocument:
        """Return a document with the files that its front matter names.

        `folder` is the workspace.

        Raises:
            WriteItError: as of `read_named_files`.
        """
        config, document = source.front_matter.config, source.document
        if not (config.notes or config.context):
            return document
        return await asyncio.to_thread(
            read_named_files,
            config,
            document,
            folder,
            lambda path: self.read_text(path_to_uri(path)),
        )

    def file_providers_of(self, run: PipelineRun) -> FileProviders:
        """Return what the front matter of the files of a run's document says now."""

        def find_text(uri: str) -> str | None:
            with suppress(NotFound):
                return self.read_text(uri)
            return None

        return read_file_providers(run.document, find_text)

    def to_offset(self, text: str, position: PositionLike) -> int:
        """Return the offset in `text` of a position the client sent."""
        return to_offset(text, position, self.client.position_encoding)

    def first_characters(self, uri: str, count: int) -> str:
        """Return how an open document begins, "" if it is not open."""
        document = self.find_open(uri)
        if not isinstance(document, WriteItDocument):
            return ""
        return document.first_characters(count)

    def has_opening_fence(self, uri: str) -> bool:
        """Return whether an open document begins as one with YAML front matter does."""
        start = self.first_characters(uri, SEARCH_LENGTHS[0])
        return opening_dialect(start) == "YAML"

    def front_matter_text(self, uri: str) -> str:
        """Return an open document's front matter, "" if it has none.

        The text below it is not read.
        """
        document = self.find_open(uri)
        if not isinstance(document, WriteItDocument):
            return ""
        return document.front_matter(lambda: self._find_front_matter(uri))

    def checked_text(self, uri: str) -> str:
        """Return the part of an open document in which front matter has its problems.

        That is the front matter; without any, all that may have been meant as such.
        """
        if head := self.front_matter_text(uri):
            # What is right below may have been meant as its front matter.
            below = self.first_characters(uri, len(head) + SEARCH_LENGTHS[0])
            return head + unread_opening(below[len(head) :], is_below=True)
        return unread_opening(self.first_characters(uri, SEARCH_LENGTHS[1]))

    def _find_front_matter(self, uri: str) -> str:
        for count in SEARCH_LENGTHS:
            text = self.first_characters(uri, count)
            if (found := find_front_matter(text)) is not None:
                # At the end of a cut text its end may be made up.
                is_cut = len(text) == count
                known = len(text.rstrip(" \t")) if is_cut else len(text) + 1
                if len(found.head) < known:
                    return found.head
            elif opening_dialect(text) is None:
                return ""
        return ""

    # --- changes and locks ---

    def notify_change(self, uri: str) -> None:
        """Count that a document was opened, changed or closed."""
        uri = unquote(uri)
        self._change_counts[uri] += 1
        for waiter in self._change_waiters.pop(uri, ()):
            if not waiter.done():  # it may have been cancelled
                waiter.set_result(None)

    def close(self) -> None:
        """End all waits: the client leaves."""
        self.is_closed = True
        for uri in list(self._change_waiters):
            self.notify_change(uri)

    def change_count(self, uri: str) -> int:
        """Return how often a document has changed."""
        return self._change_counts[unquote(uri)]

    async def wait_for_change(self, uri: str, known_count: int, seconds: float) -> bool:
        """Wait until a document has changed more than `known_count` times.

        Returns whether it has, after at most `seconds`.
        """
        uri = unquote(uri)
        if self._change_counts[uri] > known_count:
            return True
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._change_waiters[uri].add(waiter)
        try:
            return await wait_done(waiter, seconds)
        finally:
            self._change_waiters[uri].discard(waiter)

    async def wait_for_idle(
        self, uri: str, idle_seconds: float, max_seconds: float
    ) -> None:
        """Wait until a document has not changed for `idle_seconds`."""
        deadline = asyncio.get_running_loop().time() + max_seconds
        while not self.is_closed and await self.wait_for_change(
            uri, self.change_count(uri), idle_seconds
        ):
            if asyncio.get_running_loop().time() > deadline:
                return

    def document_lock(self, uri: str) -> asyncio.Lock:
        """Return a document's lock: only one text is applied to it at a time."""
        return self._locks[unquote(uri)]


class SentViews:
    """The last versions of each view that the client was sent."""

    def __init__(self) -> None:
        self._pages: dict[View, deque[ReadOnlyPage]] = {}

    def __iter__(self) -> Iterator[View]:
        """The views, in the order in which they were first sent."""
        return iter(self._pages)

    def record(self, view: View, page: ReadOnlyPage) -> None:
        """Remember a version that is being sent."""
        if view not in self._pages and len(self._pages) == MAX_SENT_VIEWS:
            del self._pages[next(iter(self._pages))]
        pages = self._pages.setdefault(view, deque(maxlen=MAX_SENT_VERSIONS))
        if not pages or pages[-1] != page:
            pages.append(page)

    def find_sections(self, view: View, text: str) -> tuple[PageSection, ...] | None:
        """Return where the sections of a sent text are; None if it was not sent."""
        for page in reversed(self._pages.get(view, ())):
            if page.is_same_text(text):
                return page.sections
        return None


MAX_UNCLOSED_CHARACTERS = 10_000
"""Characters looked at while nobody has written the second fence yet."""


@lru_cache(maxsize=16)
def parse_front_matter(front_matter: str, uri: str) -> FrontMatter:
    """Read front matter; the same words are read once."""
    return split_front_matter(front_matter, uri)


def can_take_front_matter(documents: Documents, uri: str) -> bool:
    """Whether a document says nothing to WriteIt yet, and could."""
    if uri.startswith("writeit:") or documents.find_open(uri) is None:
        return False
    return can_insert_block(documents.checked_text(uri))


# --- where the cursor is ------------------------------------------------------------


def cursor_context_at(
    documents: Documents, uri: str, position: types.Position
) -> tuple[str, CursorContext] | None:
    """Return a text that begins as the document does, and what is typed there.

    None outside the front matter. While its second fence is not written, only what
    stands under `writeit:`, or right below the first fence, is in it.
    """
    is_closed = bool(documents.front_matter_text(uri))
    find_text = _yaml_at if is_closed else _unclosed_front_matter
    text = find_text(documents, uri, position)
    found = cursor_context(text, documents.to_offset(text, position)) if text else None
    if found is None:
        return None
    # Text between two thematic breaks is prose.
    is_prose = found.values_at(()) if is_closed else position.line != 1
    return None if is_prose and not found.word.path else (text, found)


def _yaml_at(documents: Documents, uri: str, position: types.Position) -> str:
    """Return the YAML front matter that a position is in, or ""."""
    text = documents.front_matter_text(uri)
    is_inside = 0 < position.line < len(split_lines(text)) - 1
    return text if is_inside and opening_dialect(text) == "YAML" else ""


def _unclosed_front_matter(
    documents: Documents, uri: str, position: types.Position
) -> str:
    """Return the lines up to the position's of a document that begins with a fence."""
    if not documents.has_opening_fence(uri):
        return ""
    lines = split_lines(documents.first_characters(uri, MAX_UNCLOSED_CHARACTERS))
    if not 0 < position.line < max(len(lines), 2):
        return ""
    return "".join(lines[: position.line + 1])


def find_word_at(
    documents: Documents, uri: str, position: types.Position
) -> tuple[str, YamlWord, list[YamlWord]] | None:
    """Return the front matter, the word in it at a position, and all its words."""
    text = _yaml_at(documents, uri, position)
    found = find_word(text, documents.to_offset(text, position))
    return None if found is None else (text, *found)
