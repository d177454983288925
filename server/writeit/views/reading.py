"""A page to read only: no markers in it, and where its sections stand told apart."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.views.markers import Block, closing_fence
from writeit.views.symbols import Section, lines_of, under_headings

if TYPE_CHECKING:
    from collections.abc import Iterable

_LINE_BREAK = re.compile(r"\r\n|\r|\n")


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
    text = ""
    found = []
    for part in parts:
        if isinstance(part, str):
            text += part
            continue
        first = len(_LINE_BREAK.findall(text))
        text += f"{part.text}\n"
        section = Section(
            kind=part.kind,
            response_id=part.response_id,
            number=part.number,
            first=first,
            last=len(_LINE_BREAK.findall(text)) - 1,
            heading=first,
        )
        found.append(section)
        text += closing_fence(part.text)
    return Reading(text, tuple(under_headings(text, found)))


def _lines(text: str) -> list[str]:
    lines = lines_of(text)
    while lines and not lines[-1]:
        lines.pop()
    return lines
