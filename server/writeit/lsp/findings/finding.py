"""What a finding is, and the document in which findings are looked for.

To add a kind, write a coroutine from a `BoundDocument` to its `Finding`s beside
`facts.py`, and add it to `KINDS` in `find.py`. Work on the text goes to
`document.examine`, else to `asyncio.to_thread`. Diagnostics, quick fixes, actions and
Ignore Here follow. A command on a finding gets it with `find.require_finding`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

from lsprotocol import types

from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun
from writeit.library.front_matter import FrontMatter
from writeit.lsp.action import Action
from writeit.lsp.folder import WorkspaceFolder
from writeit.text.block_reader import TextBlock, split_blocks
from writeit.text.language import Language, language_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something at a place of a text; offsets count code points of the whole text."""

    code: str
    start: int
    end: int
    words: str
    """The words that are there: an ignored finding is known by them."""
    message: str
    severity: types.DiagnosticSeverity = types.DiagnosticSeverity.Hint
    related: tuple[types.DiagnosticRelatedInformation, ...] = ()
    replacements: tuple[str, ...] = ()
    """Texts that can stand there instead, the best first."""
    fix_title: str = "Change to"
    """How the title of the action begins that puts a replacement there."""
    can_ignore: bool = True
    actions: tuple[Action, ...] = ()
    """What else can be done; one without params gets the document and the finding."""
    id: str = ""
    """A name that stays the same while the user types elsewhere; `find` sets it."""


class Paragraphs:
    """The blocks of a document and what was found in them: a change costs one block."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.change_count = -1
        """How often the document had changed when it was read."""
        self.text = ""
        self.notes: frozenset[str] = frozenset()
        """The documents that it is compared with; their changes cause a new check."""
        self.examined = 0
        """How many blocks were examined; tests count the work by it."""
        self.start = 0
        """Where its front matter ends."""
        self._blocks: list[TextBlock] | None = None
        self._known: dict[str, tuple[Hashable, dict[str, Any]]] = {}

    def read(self, change_count: int, text: str, start: int) -> None:
        """Take the newest text; `start` is where its front matter ends."""
        self.change_count, self.text = change_count, text
        self.start, self._blocks = start, None

    @property
    def blocks(self) -> list[TextBlock]:
        """The outermost blocks of the text, which is parsed once."""
        if self._blocks is None:
            self._blocks = split_blocks(self.text, self.start)
        return self._blocks

    def examine(
        self, kind: str, key: Hashable, find: Callable[[str], T]
    ) -> list[tuple[int, T]]:
        """Return what `find` finds in each block, and where the block begins.

        It is called for blocks that are new since the last time; for all if `key`, what
        else it depends on, has changed.
        """
        blocks = self.blocks
        known_key, known = self._known.get(kind, (None, {}))
        if known_key != key:
            known = {}
        found: dict[str, T] = {}
        for block in blocks:
            if block.text in found:
                continue
            if block.text in known:
                found[block.text] = known[block.text]
            else:
                self.examined += 1
                found[block.text] = find(block.text)
        self._known[kind] = (key, found)
        return [(block.start, found[block.text]) for block in blocks]


@dataclass(frozen=True, kw_only=True)
class BoundDocument:
    """A document with front matter of ours, a text of a run, or a review."""

    folder: WorkspaceFolder
    uri: str
    front_matter: FrontMatter
    """Without the body."""
    applied: tuple[tuple[PipelineRun, str], ...]
    """The runs whose texts it has and the step of each, the newest first."""
    first_run: UUID | None
    """Its oldest run, beside which is kept what the user ignores."""
    reviews: tuple[PipelineRun, ...]
    """The newest review of it by each pipeline."""
    primer: StylePrimer | None
    """The style that counts for it."""
    paragraphs: Paragraphs = field(repr=False)

    @property
    def text(self) -> str:
        """The whole text."""
        return self.paragraphs.text

    @cached_property
    def language(self) -> Language:
        """The language of the whole document; a paragraph says too little of it."""
        return language_of(self.text)

    async def examine(
        self, kind: str, key: Hashable, find: Callable[[str], Sequence[T]]
    ) -> Iterator[tuple[int, T]]:
        """Yield what `find` finds, with the start of its block; runs in a thread."""
        found = await asyncio.to_thread(self.paragraphs.examine, kind, key, find)
        return ((start, item) for start, items in found for item in items)
