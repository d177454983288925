"""Colours for the terminal, as the preference `theme` has them.

    dark      bright colours, for a dark background
    light     deep colours, for a light one
    plain     none
    any other  (`default`, `auto`) the terminal's own, which fit its background

There are none where nobody sees them: in a pipe or a file, with NO_COLOR set, or on a
terminal that calls itself dumb.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import click

from writeit.core.run import PipelineStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from writeit.ports import RunSummary

_OWN: Final = {
    PipelineStatus.INITIALIZING: "cyan",
    PipelineStatus.RUNNING: "cyan",
    PipelineStatus.PAUSED: "yellow",
    PipelineStatus.COMPLETED: "green",
    PipelineStatus.ERROR: "red",
}
_DEEP: Final = {
    **_OWN,
    PipelineStatus.RUNNING: "blue",
    PipelineStatus.PAUSED: "magenta",
}
_THEMES: Final[Mapping[str, Mapping[PipelineStatus, str]]] = {
    "dark": {status: f"bright_{colour}" for status, colour in _OWN.items()},
    "light": {**_DEEP, PipelineStatus.INITIALIZING: "blue"},
    "plain": {},
}


def colours_wanted() -> bool | None:
    """Whether colours may be shown at all; None leaves it to what is written to."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return None


class Paint:
    """Paints the words of one theme."""

    def __init__(self, theme: str) -> None:
        self._colours = _THEMES.get(theme, _OWN)
        self._plain = not self._colours

    def run(self, run: RunSummary, words: str) -> str:
        """Paint words about a run as its status has it."""
        if run.deleted:
            return self.faint(words)
        colour = self._colours.get(run.status)
        return words if colour is None else click.style(words, fg=colour)

    def faint(self, words: str) -> str:
        """Paint words that matter less."""
        return words if self._plain else click.style(words, dim=True)

    def strong(self, words: str) -> str:
        """Paint words that matter most."""
        return words if self._plain else click.style(words, bold=True)
