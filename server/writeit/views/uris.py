"""The address of each view: a `writeit:` URI, and a file path that mirrors it.

A URI is `writeit:/KIND/...md`, without query or fragment; `writeit:///` is the same.
An editor that cannot open such URIs has the view as a file in `.writeit/views`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath, PurePosixPath
from typing import Literal, cast, get_args
from urllib.parse import unquote
from uuid import UUID

from writeit.core.entity import NAME_PATTERN
from writeit.core.errors import NotFound

SCHEME = "writeit"
FOLDER = PurePosixPath(".writeit/views")
"""Where views are kept as files, from the workspace folder."""

_SUFFIX = ".md"
_SHAPES = {
    "run": "run/RUN.md",
    "step": "step/RUN/STEP.md",
    "response": "response/RUN/STEP/RESPONSE.md",
    "content": "content/RUN/STEP.md",
    "compare": "compare/RUN/STEP/RESPONSE/RUN/STEP/RESPONSE.md",
    "prompt": "prompt/RUN/STEP.md",
    "usage": "usage.md",
}

_ID = re.compile(r"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_NAME = re.compile(NAME_PATTERN.removesuffix("$"))

Text = Literal["content", "document", "proposed"]
Which = UUID | Text
"""A text of a step: one answer, or what the next step gets.

Or the writer's document that it is meant for, as it is now, and as it would be with
the step's text wherever the two contradict each other.
"""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its steps and its family."""

    run_id: UUID


@dataclass(frozen=True, slots=True)
class StepView:
    """A step with its answers."""

    run_id: UUID
    step: str


@dataclass(frozen=True, slots=True)
class ResponseView:
    """One answer and where it came from."""

    run_id: UUID
    step: str
    response_id: UUID


@dataclass(frozen=True, slots=True)
class ContentView:
    """What the next step gets."""

    run_id: UUID
    step: str


@dataclass(frozen=True, slots=True)
class Side:
    """One of two texts that are compared."""

    run_id: UUID
    step: str
    response: Which


@dataclass(frozen=True, slots=True)
class CompareView:
    """Two texts side by side."""

    left: Side
    right: Side


@dataclass(frozen=True, slots=True)
class PromptView:
    """The exact prompt of a step."""

    run_id: UUID
    step: str


@dataclass(frozen=True, slots=True)
class UsageView:
    """What all calls used."""


View = (
    RunView
    | StepView
    | ResponseView
    | ContentView
    | CompareView
    | PromptView
    | UsageView
)

_KINDS: dict[type, str] = {
    RunView: "run",
    StepView: "step",
    ResponseView: "response",
    ContentView: "content",
    CompareView: "compare",
    PromptView: "prompt",
    UsageView: "usage",
}


def uri_of(view: View) -> str:
    """Return the URI of a view."""
    return f"{SCHEME}:/{_tail(view)}"


def path_of(view: View) -> PurePosixPath:
    """Return the file of a view, from the workspace folder."""
    return FOLDER / _tail(view)


def link_from_run(view: View) -> str:
    """Return how the page of a run, as a file, refers to the file of another view."""
    return f"../{_tail(view)}"


def view_of(uri: str) -> View:
    """Return the view that a URI names.

    Raises:
        NotFound: it names none.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme.lower() != SCHEME:
        raise _no_view(uri, f"The URI of a view begins with `{SCHEME}:/`.")
    if rest.startswith("//"):
        authority, _, rest = rest[2:].partition("/")
        if authority:
            raise _no_view(uri, f"Write `{SCHEME}:/` with one slash, or with three.")
        rest = f"/{rest}"
    if not rest.startswith("/"):
        raise _no_view(uri, f"Write `{SCHEME}:/` with the slash.")
    return _parsed(uri, unquote(rest[1:]))


def view_at(path: PurePath | str) -> View:
    """Return the view that a file holds; `path` is from the workspace folder.

    Raises:
        NotFound: it holds none.
    """
    posix = PurePosixPath(path.as_posix() if isinstance(path, PurePath) else path)
    if not posix.is_relative_to(FOLDER):
        raise _no_view(str(path), f"Views are kept in `{FOLDER}`.")
    return _parsed(str(path), posix.relative_to(FOLDER).as_posix())


def _tail(view: View) -> str:
    return "/".join([_KINDS[type(view)], *_parts(view)]) + _SUFFIX


def _parts(view: View) -> list[str]:
    match view:
        case UsageView():
            return []
        case RunView():
            return [str(view.run_id)]
        case StepView() | ContentView() | PromptView():
            return [str(view.run_id), view.step]
        case ResponseView():
            return [str(view.run_id), view.step, str(view.response_id)]
        case CompareView(left, right):
            return [*_side(left), *_side(right)]


def _side(side: Side) -> list[str]:
    return [str(side.run_id), side.step, str(side.response)]


def _parsed(given: str, tail: str) -> View:
    if not tail.endswith(_SUFFIX):
        raise _no_view(given, f"The address of a view ends in `{_SUFFIX}`.")
    kind, *parts = tail.removesuffix(_SUFFIX).split("/")
    if kind not in _SHAPES:
        raise NotFound.among("view", kind, _SHAPES)
    try:
        return _built(kind, parts)
    except ValueError as error:
        raise _no_view(given, f"It is `{_SHAPES[kind]}`, but {error}.") from None


def _built(kind: str, parts: list[str]) -> View:  # noqa: PLR0911 -- one arm a view
    """Return the view; ValueError says what is wrong with its parts."""
    match kind, parts:
        case "usage", []:
            return UsageView()
        case "run", [run]:
            return RunView(_id(run))
        case "step", [run, step]:
            return StepView(_id(run), _step(step))
        case "content", [run, step]:
            return ContentView(_id(run), _step(step))
        case "prompt", [run, step]:
            return PromptView(_id(run), _step(step))
        case "response", [run, step, response]:
            return ResponseView(_id(run), _step(step), _id(response))
        case "compare", [run, step, which, run2, step2, which2]:
            left = Side(_id(run), _step(step), _which(which))
            return CompareView(left, Side(_id(run2), _step(step2), _which(which2)))
    msg = f"this has {len(parts)} parts behind `{kind}`"
    raise ValueError(msg)


def _id(part: str) -> UUID:
    if not _ID.fullmatch(part):
        msg = f"{part!r} is no id"
        raise ValueError(msg)
    return UUID(part)


def _step(part: str) -> str:
    if not _NAME.fullmatch(part):
        msg = f"{part!r} is no step's name"
        raise ValueError(msg)
    return part


def _which(part: str) -> Which:
    return cast("Text", part) if part in get_args(Text) else _id(part)


def _no_view(given: str, hint: str) -> NotFound:
    return NotFound(f"{given!r} is no view.", hint=hint)
