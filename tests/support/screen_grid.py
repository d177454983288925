"""A terminal's screen as Neovim draws it, as text."""

import threading
import time
from typing import Any


class ScreenGrid:
    """The grid that redraw events change."""

    def __init__(self, width: int, height: int) -> None:
        self.changed_at = time.monotonic()
        self._lock = threading.Lock()
        self._size = (width, height)
        self._rows = self._blank()

    def text(self) -> str:
        """Return the screen without trailing blanks."""
        with self._lock:
            return "\n".join("".join(row).rstrip() for row in self._rows) + "\n"

    def apply(self, events: list[Any]) -> None:
        """Apply a batch of redraw events."""
        with self._lock:
            for name, *calls in events:
                handler = getattr(self, f"_{name}", None)
                if handler is not None:
                    for call in calls:
                        handler(*call)
        self.changed_at = time.monotonic()

    def _blank(self) -> list[list[str]]:
        width, height = self._size
        return [[" "] * width for _ in range(height)]

    def _grid_resize(self, _grid: int, width: int, height: int) -> None:
        self._size = (width, height)
        self._rows = self._blank()

    def _grid_clear(self, _grid: int) -> None:
        self._rows = self._blank()

    def _grid_line(
        self, _grid: int, row: int, column: int, cells: list[Any], *_: Any
    ) -> None:
        for text, *more in cells:
            times = more[1] if len(more) > 1 else 1
            self._rows[row][column : column + times] = [text] * times
            column += times

    def _grid_scroll(
        self,
        _grid: int,
        top: int,
        bottom: int,
        left: int,
        right: int,
        rows: int,
        *_: Any,
    ) -> None:
        span = (
            range(top, bottom - rows)
            if rows > 0
            else range(bottom - 1, top - rows - 1, -1)
        )
        for row in span:
            self._rows[row][left:right] = self._rows[row + rows][left:right]
