"""Output of the command line: colours, JSON, views as terminal text, streams."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Mapping
from typing import Any, Final
from uuid import UUID

import click

from writeit.domain.errors import WriteItError
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.run_summary import RunSummary
from writeit.engine.streaming import (
    GenerationNotice,
    GenerationStarted,
    ResponseDelta,
    ResponseFinished,
    StreamEvent,
)
from writeit.text.block_reader import read_blocks
from writeit.text.lines import escape_controls, make_visible
from writeit.views.section_markers import PageParts, SectionText
from writeit.views.step import step_parts
from writeit.views.wording import interruption_text, step_next_action

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
    """Print a text of the user; on a terminal, without control characters."""
    text = escape_controls(text) if _is_terminal(err=False) else text
    click.echo(text, nl=False, color=True)  # else click removes escapes


def echo_styled(text: str, *, err: bool = False, nl: bool = True) -> None:
    """Print what `style` and `render_for_terminal` made."""
    click.echo(text, err=err, nl=nl)


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


def render_head_for_terminal(*parts: str | SectionText) -> str:
    """Return the head of a view, before its first section text."""
    head = ""
    for part in parts:
        if isinstance(part, SectionText):
            break
        head += part
    return render_for_terminal(head.rpartition("\n---\n")[0] or head)


def render_step_for_terminal(run: PipelineRun, step: str, description: str) -> str:
    """Return the view of a step without the hints that are for editors."""
    parts = step_parts(run, step, description=description)
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


class StreamPrinter:
    """Prints a generation to stderr: the first answer's text, the others' results."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._shown_response_id: UUID | None = None
        self._models: dict[UUID, str] = {}

    def show_event(self, event: StreamEvent) -> None:
        """Print one event."""
        if self._quiet:
            return
        match event:
            case GenerationStarted():
                self._shown_response_id = event.responses[0][0]
                self._models = {key: model for key, model, _ in event.responses}
                models = ", ".join(self._models.values())
                echo(f"\n── {event.step} ── {models}", bold=True, err=True)
            case ResponseDelta():
                if event.response_id == self._shown_response_id:
                    echo_styled(escape_controls(event.text), nl=False, err=True)
            case GenerationNotice():
                notice = escape_controls(f"{event.title}. {event.message}")
                echo(f"\n{notice}", fg="yellow", err=True)
            case ResponseFinished():
                self._show_finished(event)

    def end_step(self) -> None:
        """End the text of a step with a line break."""
        if not self._quiet:
            echo(err=True)

    def _show_finished(self, event: ResponseFinished) -> None:
        model = self._models.get(event.response_id, "")
        if event.status == "failed":
            echo(
                f"\n{model}: {escape_controls(event.message or '')}", fg="red", err=True
            )
        elif event.response_id != self._shown_response_id and event.usage:
            tokens = event.usage.completion_tokens
            echo(f"\n{model}: {event.status}, {tokens} tokens", err=True)
