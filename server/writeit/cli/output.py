"""Output of the command line: colours, JSON, views as terminal text, streams."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, Final
from unicodedata import combining, east_asian_width
from uuid import UUID

import click

from writeit.domain.errors import WriteItError
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.run_summary import RunSummary
from writeit.engine.streaming import (
    GenerationNotice,
    GenerationStarted,
    ModelThinking,
    ResponseDelta,
    ResponseFinished,
    StreamEvent,
    ThoughtMarked,
)
from writeit.text.block_reader import read_blocks
from writeit.text.lines import escape_controls, make_visible
from writeit.views import wording
from writeit.views.compare import ComparedText, compare_words, comparison_parts
from writeit.views.section_markers import PageParts, SectionText
from writeit.views.step import step_parts
from writeit.views.wording import format_usd, interruption_text, step_next_action

json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")
DATE = click.DateTime(["%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S"])


# Everything that is printed goes through these three functions: what a file, a model or
# a provider says cannot steer the terminal. Pipes and files get the bytes as they are.


def echo(
    text: object = "",
    *,
    err: bool = False,
    nl: bool = True,
    **styles: Any,  # noqa: ANN401 -- as click's
) -> None:
    """Print a line; on a terminal, hidden characters are made visible."""
    text = str(text)
    if _is_terminal(err=err):
        text = make_visible(text)
    click.secho(text, err=err, nl=nl, color=colour_override(), **styles)


def echo_text(text: str) -> None:
    """Print a text of the user; on a terminal wrapped, without control characters."""
    text = _wrap(escape_controls(text), err=False) if _is_terminal(err=False) else text
    click.echo(text, nl=False, color=True)  # else click removes escapes


def echo_styled(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print what `style` and `render_for_terminal` made, wrapped on a terminal."""
    click.echo(_wrap(text, err=err), err=err, nl=nl)


def style(text: str, **styles: Any) -> str:  # noqa: ANN401 -- as click's
    """Return a text with a style; hidden characters in it are made visible."""
    return click.style(make_visible(text), **styles)


def _is_terminal(*, err: bool) -> bool:
    return (sys.stderr if err else sys.stdout).isatty()


def print_json(value: object) -> None:
    """Print a value as indented JSON."""
    echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_error(error: WriteItError) -> None:
    """Print an error and its hint to stderr."""
    echo(make_visible(error.message), fg="red", err=True)
    if error.hint:
        echo(make_visible(error.hint), err=True)


_DEFAULT_COLOURS: Final = {
    PipelineStatus.INITIALIZING: "cyan",
    PipelineStatus.RUNNING: "cyan",
    PipelineStatus.PAUSED: "yellow",
    PipelineStatus.COMPLETED: "green",
    PipelineStatus.ERROR: "red",
}
_LIGHT_COLOURS: Final = {
    **_DEFAULT_COLOURS,
    PipelineStatus.RUNNING: "blue",
    PipelineStatus.PAUSED: "magenta",
}
_THEME_COLOURS: Final[Mapping[str, Mapping[PipelineStatus, str]]] = {
    "dark": {status: f"bright_{colour}" for status, colour in _DEFAULT_COLOURS.items()},
    "light": {**_LIGHT_COLOURS, PipelineStatus.INITIALIZING: "blue"},
    "plain": {},
}


def colour_override() -> bool | None:
    """Return False if colours are off, None to let the output stream decide."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return None


class Theme:
    """The colours of the preference `theme`; unknown names use the terminal's own."""

    def __init__(self, theme_name: str) -> None:
        self._colours = _THEME_COLOURS.get(theme_name, _DEFAULT_COLOURS)
        self._is_plain = not self._colours

    def style_run(self, run: RunSummary, text: str) -> str:
        """Style a text in the colour of a run's status."""
        if run.deleted:
            return self.style_dim(text)
        colour = self._colours.get(run.status)
        return text if colour is None else style(text, fg=colour)

    def style_dim(self, text: str) -> str:
        """Style a text as dim."""
        return text if self._is_plain else style(text, dim=True)

    def style_bold(self, text: str) -> str:
        """Style a text as bold."""
        return text if self._is_plain else style(text, bold=True)


_HEADING = re.compile(r"^#{1,6} (.*)$")
_RULE_LINE = re.compile(r"^---$")
_STRONG = re.compile(r"\*\*(.+?)\*\*")
_STRIKETHROUGH = re.compile(r"~~(.+?)~~")
_ESCAPED = re.compile(r"\\([\\`*\[\]<>|~_&#+=.)-]|\d)")
_NUMBERED_LINK = re.compile(r"^(\d+\. (?:\*\*)?)\[([^\]]+)\]")
_LINK_DEFINITIONS = re.compile(r"^\[[^\]]+\]: writeit:\S+\n?", re.MULTILINE)
_EMPHASIS = re.compile(r"^\*([^*].*)\*$")
_RULE = "─" * 40
_ANSWER_GAP = re.compile(r"\A(?:\n---\n|(## Answer .*)\n)\n")
"""What separates the facts of answers whose texts are not shown."""
OPTIONAL_SECTIONS = {"merge", "feedback"}
"""Sections that may be empty."""


def render_for_terminal(*parts: str | SectionText) -> str:
    """Return a view as terminal text."""
    done, markdown = "", ""
    for part in parts:
        if isinstance(part, str):
            markdown += part
        else:
            text = escape_controls(part.text.rstrip())
            done += f"{_style_markdown(markdown)}{text}\n"
            markdown = ""
    text = done + _style_markdown(markdown)
    return f"{text.strip().removesuffix(_RULE).rstrip()}\n"


def render_comparison(
    before: ComparedText, after: ComparedText, steps: Mapping[str, bool] | None = None
) -> str:
    """Return what differs between two texts; both in full if most of it does."""
    parts = comparison_parts(before, after, steps)
    if not compare_words(before.text, after.text).is_related:
        return render_for_terminal(*parts)
    head = "".join(map(str, takewhile(lambda p: isinstance(p, str), parts)))
    return render_for_terminal(head.rpartition("\n---\n")[0] or head)


def render_step_for_terminal(
    run: PipelineRun, step: str, description: str, *, with_answers: bool = True
) -> str:
    """Return the view of a step without the hints that are for editors."""
    parts = step_parts(run, step, description=description)
    if not with_answers:
        parts = [
            _ANSWER_GAP.sub(r"\1\n", part) if isinstance(part, str) else part
            for part in parts
            if isinstance(part, str) or part.kind != "answer"
        ]
    state = run.steps[step]
    hint = f"{interruption_text(run)} {step_next_action(run, state)}".strip()
    if isinstance(parts[0], str):
        interruption = interruption_text(run)
        kept = f"\n{interruption}\n" if interruption else ""
        parts[0] = parts[0].replace(f"\n{hint}\n", kept, 1)
    return render_for_terminal(*_without_empty_sections(parts))


def _without_empty_sections(parts: PageParts) -> PageParts:
    """Leave out an empty merge and feedback with their headings."""
    kept: PageParts = []
    for part in parts:
        if (
            isinstance(part, SectionText)
            and part.kind in OPTIONAL_SECTIONS
            and not part.text.strip()
        ):
            kept.pop()  # its heading
        else:
            kept.append(part)
    return kept


def _style_markdown(markdown: str) -> str:
    """Style the lines outside of code blocks; code blocks lose their fences."""
    blocks = read_blocks(_LINK_DEFINITIONS.sub("", escape_controls(markdown)))
    fences = [block for block in blocks.root.walk() if block.kind == "fence"]
    code = {line for block in fences for line in block.lines}
    marks = {block.lines[0] for block in fences}
    marks |= {block.lines[-1] for block in fences if block.is_closed}
    lines: list[str] = []
    for number, line in enumerate("".join(blocks.lines).split("\n")):
        if number in marks or (not line and number not in code and lines[-1:] == [""]):
            continue
        lines.append(line if number in code else _style_line(line))
    return "\n".join(lines)


def _style_line(line: str) -> str:
    line = _HEADING.sub(
        lambda m: style(m[1], bold=True), _NUMBERED_LINK.sub(r"\1\2", line)
    )
    line = _STRONG.sub(lambda m: style(m[1], bold=True), line)
    line = _STRIKETHROUGH.sub(lambda m: style(m[1], strikethrough=True), line)
    line = _EMPHASIS.sub(r"\1", line)
    return _RULE_LINE.sub(_RULE, _ESCAPED.sub(r"\1", line))


class WordWrapper:
    """Breaks a text that arrives in pieces between words; width None breaks nothing."""

    def __init__(self, width: int | None) -> None:
        self._width = width
        self._column = 0
        self._held = ""
        """Space and the beginning of a word that may go on."""

    def feed(self, text: str) -> str:
        """Return what can be printed now."""
        if self._width is None:
            return text
        *pieces, self._held = [*_PIECES.findall(self._held + text), ""]
        if pieces and pieces[-1] != "\n":
            self._held = pieces.pop()
        return "".join(map(self._place, pieces))

    def flush(self) -> str:
        """Return the last word."""
        held, self._held = self._held, ""
        return self._place(held)

    def _place(self, piece: str) -> str:
        """Return a piece, on a line of its own if it does not fit on this one."""
        width, word = _display_width(piece), piece.lstrip()
        if piece == "\n":
            self._column = 0
        elif self._width and word and 0 < self._column > self._width - width:
            self._column = width - len(piece) + len(word)
            return f"\n{word}"
        else:
            self._column += width
        return piece


_PIECES = re.compile(r"\n|[^\S\n]*\S+|[^\S\n]+")
"""Line breaks, and words with the space before them."""


def _display_width(text: str) -> int:
    """Return the columns of a text; styles have none, wide characters two."""
    return sum(
        0 if combining(char) else 2 if east_asian_width(char) in "WF" else 1
        for char in click.unstyle(text)
    )


def _wrap(text: str, *, err: bool) -> str:
    wrapper = _wrapper(err=err)
    return wrapper.feed(text) + wrapper.flush()


def _wrapper(*, err: bool) -> WordWrapper:
    is_terminal = _is_terminal(err=err)
    return WordWrapper(shutil.get_terminal_size().columns if is_terminal else None)


@dataclass(slots=True)
class _Block:
    """What is printed of one call."""

    name: str
    """Of the answer: its number and model, or its letter until a blind choice."""
    model: str
    is_blind: bool
    text: str = ""
    """Received and not printed yet."""
    end: ResponseFinished | None = None


class StreamPrinter:
    """Prints the answers of a generation to stderr, one block after the other.

    The block on screen grows while its answer arrives; the others wait for their turn.
    """

    def __init__(self, *, quiet: bool) -> None:
        self.quiet = quiet
        self._blocks: dict[UUID, _Block] = {}
        """Of the calls that are not printed to their end."""
        self._shown: UUID | None = None
        self._has_several = False
        self._wrapper = WordWrapper(None)
        self._is_thinking = False
        """Whether the last line says that a model thinks."""

    def show_event(self, event: StreamEvent) -> None:
        """Print one event, or keep it for its turn."""
        if self.quiet:
            return
        match event:
            case GenerationStarted():
                self._start(event)
            case ModelThinking():
                self._show_thinking(event)
            case ResponseDelta() if not event.is_thought:
                self._blocks[event.response_id].text += escape_controls(event.text)
                self._print_blocks()
            case ThoughtMarked():
                self._blocks[event.response_id].text = ""
                if event.response_id == self._shown:
                    echo("\n(The model was thinking up to here.)\n", err=True)
            case GenerationNotice():
                self._end_thinking()
                notice = escape_controls(f"{event.title}. {event.message}")
                echo(f"\n{notice}", fg="yellow", err=True)
            case ResponseFinished():
                self._blocks[event.response_id].end = event
                self._print_blocks()

    def _show_thinking(self, event: ModelThinking) -> None:
        """Say that a model thinks, unless text is on screen; a terminal goes on."""
        is_first = event.response_id == next(iter(self._blocks))
        if self._shown or not is_first:
            return
        if self._is_thinking and not _is_terminal(err=True):
            return
        block = self._blocks[event.response_id]
        thinking = wording.thinking_text(event.seconds, event.tokens)
        text = f"{make_visible(block.model)} is {thinking}"
        if block.is_blind:
            text = f"{block.model} is thinking"
        start = "\r" if self._is_thinking else "\n"
        echo_styled(f"{start}{text}", err=True, nl=False)
        self._is_thinking = True

    def _end_thinking(self) -> None:
        if self._is_thinking:
            echo(err=True)
        self._is_thinking = False

    def end_step(self) -> None:
        """End the text of a step with a line break."""
        if not self.quiet:
            echo(err=True)

    def _start(self, event: GenerationStarted) -> None:
        """Say which models are called, and what that may cost."""
        self._blocks = {
            key: _Block(letter, f"Answer {letter}", is_blind=True)
            if (letter := event.letters.get(key))
            else _Block(f"{number} · {model}", model, is_blind=False)
            for key, model, number in event.responses
        }
        self._has_several, self._shown = len(event.responses) > 1, None
        counts = Counter(
            "blind" if event.letters else model for _, model, _ in event.responses
        )
        models = ", ".join(
            m if n == 1 else f"{m} ({n} answers)" for m, n in counts.items()
        )
        cost = event.max_cost_usd
        most = wording.cost_text(cost) if not cost else f"at most {format_usd(cost)}"
        most = "" if event.letters else f" · {most}"
        echo(f"\n── {event.step} ── {models}{most}", bold=True, err=True)

    def _print_blocks(self) -> None:
        """Print what has arrived of the block on screen, and of the next if it ended.

        The next is one that has ended, else one that has text.
        """
        while self._blocks:
            if self._shown is None:
                self._shown = self._next_block()
                if self._shown is None:
                    return
                self._begin(self._blocks[self._shown])
            block = self._blocks[self._shown]
            self._write(self._wrapper.feed(block.text))
            block.text = ""
            if block.end is None:
                return
            self._end(self._blocks.pop(self._shown), block.end)
            self._shown = None

    def _next_block(self) -> UUID | None:
        """Return the block to show next; before a blind choice in their order."""
        blocks = list(self._blocks.items())
        blocks = blocks[:1] if blocks[0][1].is_blind else blocks
        ended = (key for key, block in blocks if block.end)
        begun = (key for key, block in blocks if block.text)
        return next(ended, None) or next(begun, None)

    def _begin(self, block: _Block) -> None:
        self._end_thinking()
        self._wrapper = _wrapper(err=True)
        if self._has_several:
            echo(f"\nAnswer {block.name}", bold=True, err=True)

    def _end(self, block: _Block, end: ResponseFinished) -> None:
        self._write(self._wrapper.flush())
        if end.status == "failed":
            message = escape_controls(end.message or "")
            message = "no text was received" if block.is_blind else message
            echo(f"\n{block.model}: {message}", fg="red", err=True)
            return
        if self._has_several and end.usage and not block.is_blind:
            tokens = wording.count_of(end.usage.completion_tokens, "token")
            echo(f"\n{end.status}, {tokens}", dim=True, err=True)
        is_partial = end.status == "partial"
        if ending := wording.ending_text(end.finish_reason, partial=is_partial):
            echo(f"\nIncomplete: {ending}.", fg="yellow", err=True)

    def _write(self, text: str) -> None:
        click.echo(text, err=True, nl=False, color=True)
