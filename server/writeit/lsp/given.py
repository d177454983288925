"""The views whose text a client was given: it is told when they change."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from writeit.views.reading import Reading
    from writeit.views.symbols import Section
    from writeit.views.uris import View

MOST_VIEWS = 100
"""Who has more open than that asks again."""

MOST_READINGS = 4
"""How many renderings of one view an editor may be behind while answers stream."""


class Given:
    """What a client has, as far as we know."""

    def __init__(self) -> None:
        self._readings: dict[View, deque[Reading]] = {}

    def __iter__(self) -> Iterator[View]:
        """The views, the one given first of all first."""
        return iter(self._readings)

    def note(self, view: View, reading: Reading) -> None:
        """Keep what the client was just given."""
        if view not in self._readings and len(self._readings) == MOST_VIEWS:
            del self._readings[next(iter(self._readings))]
        known = self._readings.setdefault(view, deque(maxlen=MOST_READINGS))
        if not known or known[-1] != reading:
            known.append(reading)

    def sections(self, view: View, text: str) -> tuple[Section, ...] | None:
        """Return where the sections of a text stand; None if it was never given."""
        for reading in reversed(self._readings.get(view, ())):
            if reading.is_still(text):
                return reading.sections
        return None
