"""The views as a terminal shows them: the same words, without what is for editors.

The texts of answers stand as they are. Around them headings and **strong** words are
bold, and what was made safe for markdown is plain again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from writeit.cli.plain import plain
from writeit.views.markdown import fence_after
from writeit.views.markers import Block
from writeit.views.states import interruption, next_for_step
from writeit.views.step import step_parts

if TYPE_CHECKING:
    from collections.abc import Iterable

    from writeit.core.run import PipelineRun
    from writeit.views.markers import Parts

_HEADING = re.compile(r"^#{1,6} (.*)$")
_RULED = re.compile(r"^---$")
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_STRUCK = re.compile(r"~~(.+?)~~")
_ESCAPED = re.compile(r"\\([\\`*\[\]<>|~_&#+=.)-]|\d)")
_LINKED = re.compile(r"^(\d+\. (?:\*\*)?)\[([^\]]+)\]")
_TARGETS = re.compile(r"^\[[^\]]+\]: writeit:\S+\n?", re.MULTILINE)
_EMPHATIC = re.compile(r"^\*([^*].*)\*$")
_RULE = "─" * 40
EMPTY = {"merge", "feedback"}
"""The texts that nobody may have written yet."""


def on_paper(*parts: str | Block) -> str:
    """Return a view for a terminal."""
    return _joined(parts)


def head_on_paper(*parts: str | Block) -> str:
    """Return what a view says before the first text that stands in it as it is."""
    head = ""
    for part in parts:
        if isinstance(part, Block):
            break
        head += part
    return _joined([head.rpartition("\n---\n")[0] or head])


def step_on_paper(run: PipelineRun, step: str, description: str) -> str:
    """Return the view of a step for a terminal, without what cannot be typed there."""
    parts = step_parts(run, step, description=description)
    state = run.steps[step]
    hint = f"{interruption(run)} {next_for_step(run, state)}".strip()
    if isinstance(parts[0], str):
        said = interruption(run)
        place = f"\n{said}\n" if said else ""
        parts[0] = parts[0].replace(f"\n{hint}\n", place, 1)
    return _joined(_without_empty_sections(parts))


def _without_empty_sections(parts: Parts) -> Parts:
    """Leave out a merge and a feedback that nobody has written yet."""
    kept: Parts = []
    for part in parts:
        if isinstance(part, Block) and part.kind in EMPTY and not part.text.strip():
            kept.pop()  # what introduces it
        else:
            kept.append(part)
    return kept


def _joined(parts: Iterable[str | Block]) -> str:
    done, words = "", ""
    for part in parts:
        if isinstance(part, str):
            words += part
        else:
            done += f"{_dressed(words)}{plain(part.text.rstrip())}\n"
            words = ""
    text = done + _dressed(words)
    return f"{text.strip().removesuffix(_RULE).rstrip()}\n"


def _dressed(words: str) -> str:
    """Dress what stands outside of code blocks; those lose their fences only."""
    lines: list[str] = []
    fence: str | None = None
    for line in _TARGETS.sub("", plain(words)).split("\n"):
        before, fence = fence, fence_after(line, fence)
        blank_again = not (line or fence) and lines[-1:] == [""]
        if before == fence and not blank_again:
            lines.append(line if fence else _dressed_line(line))
    return "\n".join(lines)


def _dressed_line(line: str) -> str:
    line = _HEADING.sub(
        lambda m: click.style(m[1], bold=True), _LINKED.sub(r"\1\2", line)
    )
    line = _STRONG.sub(lambda m: click.style(m[1], bold=True), line)
    line = _STRUCK.sub(lambda m: click.style(m[1], strikethrough=True), line)
    line = _EMPHATIC.sub(r"\1", line)
    return _RULED.sub(_RULE, _ESCAPED.sub(r"\1", line))
