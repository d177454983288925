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

from writeit.domain.entity import NAME_PATTERN
from writeit.domain.errors import NotFound

SCHEME = "writeit"
VIEWS_FOLDER = PurePosixPath(".writeit/views")
"""Where views are kept as files, from the workspace folder."""

_SUFFIX = ".md"
_PATH_PATTERNS = {
    "run": "run/RUN.md",
    "step": "step/RUN/STEP.md",
    "response": "response/RUN/STEP/RESPONSE.md",
    "content": "content/RUN/STEP.md",
    "compare": "compare/RUN/STEP/RESPONSE/RUN/STEP/RESPONSE.md",
    "prompt": "prompt/RUN/STEP.md",
    "usage": "usage.md",
}

_UUID_PATTERN = re.compile(r"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_STEP_NAME_PATTERN = re.compile(NAME_PATTERN.removesuffix("$"))

TextName = Literal["content", "document", "proposed"]
TextReference = UUID | TextName
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
class ComparedSide:
    """One of two texts that are compared."""

    run_id: UUID
    step: str
    response: TextReference


@dataclass(frozen=True, slots=True)
class CompareView:
    """Two texts side by side."""

    left: ComparedSide
    right: ComparedSide


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

_VIEW_KINDS: dict[type, str] = {
    RunView: "run",
    StepView: "step",
    ResponseView: "response",
    ContentView: "content",
    CompareView: "compare",
    PromptView: "prompt",
    UsageView: "usage",
}


def view_uri(view: View) -> str:
    """Return the URI of a view."""
    return f"{SCHEME}:/{_relative_path(view)}"


def view_path(view: View) -> PurePosixPath:
    """Return the file of a view, from the workspace folder."""
    return VIEWS_FOLDER / _relative_path(view)


def link_from_run(view: View) -> str:
    """Return how the page of a run, as a file, refers to the file of another view."""
    return f"../{_relative_path(view)}"


def parse_view_uri(uri: str) -> View:
    """Return the view that a URI names.

    Raises:
        NotFound: it names none.
    """
    scheme, colon, rest = uri.partition(":")
    if not colon or scheme.lower() != SCHEME:
        raise _invalid_view_error(uri, f"The URI of a view begins with `{SCHEME}:/`.")
    if rest.startswith("//"):
        authority, _, rest = rest[2:].partition("/")
        if authority:
            raise _invalid_view_error(
                uri, f"Write `{SCHEME}:/` with one slash, or with three."
            )
        rest = f"/{rest}"
    if not rest.startswith("/"):
        raise _invalid_view_error(uri, f"Write `{SCHEME}:/` with the slash.")
    return _parse_view(uri, unquote(rest[1:]))


def parse_view_path(path: PurePath | str) -> View:
    """Return the view that a file holds; `path` is from the workspace folder.

    Raises:
        NotFound: it holds none.
    """
    posix = PurePosixPath(path.as_posix() if isinstance(path, PurePath) else path)
    if not posix.is_relative_to(VIEWS_FOLDER):
        raise _invalid_view_error(str(path), f"Views are kept in `{VIEWS_FOLDER}`.")
    return _parse_view(str(path), posix.relative_to(VIEWS_FOLDER).as_posix())


def _relative_path(view: View) -> str:
    return "/".join([_VIEW_KINDS[type(view)], *_path_parts(view)]) + _SUFFIX


def _path_parts(view: View) -> list[str]:
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
            return [*_side_parts(left), *_side_parts(right)]


def _side_parts(side: ComparedSide) -> list[str]:
    return [str(side.run_id), side.step, str(side.response)]


def _parse_view(original: str, relative_path: str) -> View:
    if not relative_path.endswith(_SUFFIX):
        raise _invalid_view_error(
            original, f"The address of a view ends in `{_SUFFIX}`."
        )
    kind, *parts = relative_path.removesuffix(_SUFFIX).split("/")
    if kind not in _PATH_PATTERNS:
        raise NotFound.with_suggestions("view", kind, _PATH_PATTERNS)
    try:
        return _build_view(kind, parts)
    except ValueError as error:
        raise _invalid_view_error(
            original, f"It is `{_PATH_PATTERNS[kind]}`, but {error}."
        ) from None


def _build_view(kind: str, parts: list[str]) -> View:  # noqa: PLR0911 -- one arm a view
    """Return the view; ValueError says what is wrong with its parts."""
    match kind, parts:
        case "usage", []:
            return UsageView()
        case "run", [run]:
            return RunView(_parse_id(run))
        case "step", [run, step]:
            return StepView(_parse_id(run), _parse_step_name(step))
        case "content", [run, step]:
            return ContentView(_parse_id(run), _parse_step_name(step))
        case "prompt", [run, step]:
            return PromptView(_parse_id(run), _parse_step_name(step))
        case "response", [run, step, response]:
            return ResponseView(
                _parse_id(run), _parse_step_name(step), _parse_id(response)
            )
        case "compare", [run, step, which, run2, step2, which2]:
            left = ComparedSide(
                _parse_id(run), _parse_step_name(step), _parse_text_reference(which)
            )
            return CompareView(
                left,
                ComparedSide(
                    _parse_id(run2),
                    _parse_step_name(step2),
                    _parse_text_reference(which2),
                ),
            )
    msg = f"this has {len(parts)} parts behind `{kind}`"
    raise ValueError(msg)


def _parse_id(part: str) -> UUID:
    if not _UUID_PATTERN.fullmatch(part):
        msg = f"{part!r} is no id"
        raise ValueError(msg)
    return UUID(part)


def _parse_step_name(part: str) -> str:
    if not _STEP_NAME_PATTERN.fullmatch(part):
        msg = f"{part!r} is no step's name"
        raise ValueError(msg)
    return part


def _parse_text_reference(part: str) -> TextReference:
    return cast("TextName", part) if part in get_args(TextName) else _parse_id(part)


def _invalid_view_error(original: str, hint: str) -> NotFound:
    return NotFound(f"{original!r} is no view.", hint=hint)
