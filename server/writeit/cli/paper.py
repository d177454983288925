"""The views as a terminal shows them: the same words, without what is for editors.

The texts of answers stand as they are. Around them headings and **strong** words are
bold, and what was made safe for markdown is plain again.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import click

from writeit.views.markers import Block, taken_apart
from writeit.views.states import interruption, next_for_step
from writeit.views.step import render_step

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun

_HEADING = re.compile(r"^#{1,6} (.*)$", re.MULTILINE)
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_STRUCK = re.compile(r"~~(.+?)~~")
_ESCAPED = re.compile(r"\\([\\`*\[\]<>|~_&#+=.)-]|\d)")
_LINKED = re.compile(r"^(\d+\. (?:\*\*)?)\[([^\]]+)\]", re.MULTILINE)
_TARGETS = re.compile(r"^\[[^\]]+\]: writeit:\S+\n?", re.MULTILINE)
_FENCE = re.compile(r"^`{3,}\w*\n", re.MULTILINE)
_BLANKS = re.compile(r"\n{3,}")


def on_paper(page: str) -> str:
    """Return a view for a terminal."""
    return _joined(taken_apart(page))


def step_on_paper(run: PipelineRun, step: str, description: str) -> str:
    """Return the view of a step for a terminal, without what cannot be typed there."""
    page = render_step(run, step, description=description)
    state = run.steps[step]
    hint = f"{interruption(run)} {next_for_step(run, state)}".strip()
    parts = taken_apart(page)
    if isinstance(parts[0], str):
        parts[0] = parts[0].replace(f"{hint}\n", f"{interruption(run)}\n", 1)
    return _joined(_without_empty_sections(parts))


def _without_empty_sections(parts: list[str | Block]) -> list[str | Block]:
    """Leave out a merge and a feedback that nobody has written yet."""
    kept: list[str | Block] = []
    for part in parts:
        if isinstance(part, Block) and part.kind in {"merge", "feedback"}:
            head = kept.pop() if kept and isinstance(kept[-1], str) else ""
            before, heading, _ = str(head).rpartition("\n## ")
            kept.append(before)
            if part.text.strip():
                kept += [f"{heading}{part.kind.capitalize()}\n\n", part]
        else:
            kept.append(part)
    return kept


def _joined(parts: list[str | Block]) -> str:
    text = "".join(
        _dressed(part) if isinstance(part, str) else f"{part.text.rstrip()}\n"
        for part in parts
    )
    return f"{text.strip()}\n"


def _dressed(words: str) -> str:
    words = _LINKED.sub(r"\1\2", _TARGETS.sub("", _FENCE.sub("", words)))
    words = _HEADING.sub(lambda m: click.style(m[1], bold=True), words)
    words = _STRONG.sub(lambda m: click.style(m[1], bold=True), words)
    words = _STRUCK.sub(lambda m: click.style(m[1], strikethrough=True), words)
    return _BLANKS.sub("\n\n", _ESCAPED.sub(r"\1", words))
