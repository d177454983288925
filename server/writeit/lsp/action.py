"""What is offered to the user, as a code action or a code lens.

An action has all its command needs; the server does not remember what it offered.
Every action passes `wait: false`: many editors block on a command and give up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from lsprotocol import types

from writeit.text.lines import make_visible

_LIKELY = frozenset(
    {
        "writeit.step.select",
        "writeit.step.merge",
        "writeit.step.run",
        "writeit.step.apply",
        "writeit.run.start",
    }
)


@dataclass(frozen=True, slots=True)
class Action:
    """One thing the user can do now."""

    title: str
    command: str
    params: dict[str, Any]
    uses_model: bool = False
    """Whether a model writes text if the user takes it."""
    has_lens: bool = False
    """Whether it is among the few that a code lens shows."""
    lens_title: str = ""
    """Its title where there is little room: on a code lens."""

    @property
    def is_likely(self) -> bool:
        """Whether it comes before what rewrites the document."""
        return self.command in _LIKELY

    def to_command(self, title: str) -> types.Command:
        """Return the LSP command with a title and its one argument."""
        arguments = [{**self.params, "wait": False}]
        title = make_visible(title)
        return types.Command(title=title, command=self.command, arguments=arguments)
