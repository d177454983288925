"""A page to read only: no markers in it, and where its sections stand told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.views.markers import Block, closing_fence
from writeit.views.symbols import Section, lines_of, under_headings

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Reading:
    """A page as it is read."""

    text: str
    sections: tuple[Section, ...] = ()

    def is_still(self, text: str) -> bool:
        """Whether a text is this page.

        An editor may keep it with other line breaks, or without the last one.
        """
        return text == self.text or _lines(text) == _lines(self.text)


def for_reading(parts: Iterable[str | Block]) -> Reading:
    """Join the parts of a page; see `markers.assembled` for one to type into."""
    pieces: list[str] = []
    found: list[Section] = []
    line = 0  # every piece ends with a line break, so that lines add up
    for part in parts:
        text = part if isinstance(part, str) else f"{part.text}\n"
        after = line + len(lines_of(text)) - 1
        pieces.append(text)
        if isinstance(part, Block):
            found.append(_section(part, line, after - 1))
            pieces.append(fence := closing_fence(part.text))
            after += bool(fence)
        line = after
    page = "".join(pieces)
    return Reading(page, tuple(under_headings(page, found)))


def _section(block: Block, first: int, last: int) -> Section:
    return Section(
        kind=block.kind,
        response_id=block.response_id,
        number=block.number,
        first=first,
        last=last,
        heading=first,
    )


def _lines(text: str) -> list[str]:
    lines = lines_of(text)
    while lines and not lines[-1]:
        lines.pop()
    return lines
