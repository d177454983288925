"""A problem in a file of the writer's, where it is, and how bad."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Severity = Literal["error", "warning", "information"]

Code = Literal[
    "",
    "yaml",
    "too-long",
    "key-twice",
    "unknown-key",
    "wrong-value",
    "secret",
    "unknown-pipeline",
    "unusable-pipeline",
    "unknown-primer",
    "unusable-primer",
    "wrong-input",
    "outside-workspace",
    "missing-input",
    "unknown-input",
    "unknown-step",
    "provider-not-allowed",
]
"""Which rule says that something is wrong; docs/front-matter.md has their meaning."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in a text; both numbers count from 0, `character` in code points."""

    line: int
    character: int


@dataclass(frozen=True, slots=True, order=True)
class Range:
    """The text from `start` up to `end`."""

    start: Position
    end: Position


START = Range(Position(0, 0), Position(0, 0))
"""Where a problem is shown that is nowhere in the text."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong, as an editor shows it."""

    uri: str
    message: str
    severity: Severity = "error"
    range: Range = START
    code: Code = field(default="", compare=False)
    """Which rule says so, "" where rules have no names yet."""
    instead: tuple[str, ...] = field(default=(), compare=False)
    """What may have been meant, to be put in the range's place; nearest first."""

    def as_data(self) -> dict[str, Any]:
        """Return the problem as a JSON object."""
        start, end = self.range.start, self.range.end
        return {
            "uri": self.uri,
            "message": self.message,
            "severity": self.severity,
            "range": {
                "start": {"line": start.line, "character": start.character},
                "end": {"line": end.line, "character": end.character},
            },
        }


def has_errors(problems: tuple[Problem, ...] | list[Problem]) -> bool:
    """Say whether any of the problems keeps the file from being used."""
    return any(problem.severity == "error" for problem in problems)
