"""The `writeit:` URI of each page, and its path as a file.

A URI is `writeit:/KIND/...md`, without query or fragment; `writeit:///` is the same.
An editor that cannot open such URIs opens the page as a file in `.writeit/views`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import astuple, dataclass, fields
from pathlib import PurePath, PurePosixPath
from typing import Any, Literal, cast, get_args
from urllib.parse import unquote
from uuid import UUID

from writeit.domain.entity import NAME_PATTERN
from writeit.domain.errors import NotFound

SCHEME = "writeit"
VIEWS_FOLDER = PurePosixPath(".writeit/views")
"""The folder of page files, relative to the workspace folder."""
RENDERED_FOLDER = PurePosixPath(".writeit/rendered")
"""The folder of the last renderings of pages that can be typed into."""

_SUFFIX = ".md"
_UUID_PATTERN = re.compile(r"(?i:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_STEP_NAME_PATTERN = re.compile(NAME_PATTERN.removesuffix("$"))

TextName = Literal["content", "document", "proposed"]
TextReference = UUID | TextName
"""A text to compare: an answer, the step's content, or the document.

"document" is the user's document as it is, "proposed" is the document with the
step's text applied and each conflict resolved in favor of that text.
"""


@dataclass(frozen=True, slots=True)
class RunView:
    """A run with its steps and branches."""

    run_id: UUID


@dataclass(frozen=True, slots=True)
class StepView:
    """A step with its answers."""

    run_id: UUID
    step: str


@dataclass(frozen=True, slots=True)
class ResponseView:
    """One answer with its details."""

    run_id: UUID
    step: str
    response_id: UUID


@dataclass(frozen=True, slots=True)
class ContentView:
    """The text that the next step gets."""

    run_id: UUID
    step: str


@dataclass(frozen=True, slots=True)
class ComparedSide:
    """One of two compared texts."""

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
    """The tokens, time and cost of all calls."""


View = (
    RunView
    | StepView
    | ResponseView
    | ContentView
    | CompareView
    | PromptView
    | UsageView
)

_VIEW_TYPES: dict[str, type[View]] = {
    view_type.__name__.removesuffix("View").lower(): view_type
    for view_type in get_args(View)
}
"""The views by the first part of their path."""
_VIEW_KINDS = {view_type: kind for kind, view_type in _VIEW_TYPES.items()}
_PART_NAMES = {"run_id": "RUN", "step": "STEP"}


def _part_names(kind: str) -> list[str]:
    """Return the names of the parts of a path after the kind."""
    if kind == "compare":
        return ["RUN", "STEP", "RESPONSE"] * 2
    names = (field.name for field in fields(_VIEW_TYPES[kind]))
    return [_PART_NAMES.get(name, "RESPONSE") for name in names]


def run_id_of_view(view: View) -> UUID | None:
    """Return the run whose folder a view belongs to; None for usage."""
    match view:
        case CompareView():
            return view.right.run_id
        case UsageView():
            return None
        case _:
            return view.run_id


def view_uri(view: View) -> str:
    """Return the URI of a page."""
    return f"{SCHEME}:/{_relative_path(view)}"


def view_path(view: View) -> PurePosixPath:
    """Return the path of a page file, relative to the workspace folder."""
    return VIEWS_FOLDER / _relative_path(view)


def link_from_run(view: View) -> str:
    """Return the link from a run's page file to another page file."""
    return f"../{_relative_path(view)}"


def parse_view_uri(uri: str) -> View:
    """Return the page that a URI names.

    Raises:
        NotFound: it does not name a page.
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
    """Return the page of a file; `path` is relative to the workspace folder.

    Raises:
        NotFound: it is not the path of a page.
    """
    posix = PurePosixPath(path.as_posix() if isinstance(path, PurePath) else path)
    if not posix.is_relative_to(VIEWS_FOLDER):
        raise _invalid_view_error(str(path), f"Views are in `{VIEWS_FOLDER}`.")
    return _parse_view(str(path), posix.relative_to(VIEWS_FOLDER).as_posix())


def _relative_path(view: View) -> str:
    values = astuple(view)
    if isinstance(view, CompareView):
        values = astuple(view.left) + astuple(view.right)
    return "/".join([_VIEW_KINDS[type(view)], *map(str, values)]) + _SUFFIX


def _parse_view(original: str, relative_path: str) -> View:
    if not relative_path.endswith(_SUFFIX):
        raise _invalid_view_error(
            original, f"The address of a view ends in `{_SUFFIX}`."
        )
    kind, *parts = relative_path.removesuffix(_SUFFIX).split("/")
    if kind not in _VIEW_TYPES:
        raise NotFound.with_suggestions("view", kind, _VIEW_TYPES)
    try:
        return _build_view(kind, parts)
    except ValueError as error:
        pattern = "/".join([kind, *_part_names(kind)]) + _SUFFIX
        raise _invalid_view_error(
            original, f"It is `{pattern}`, but {error}."
        ) from None


def _build_view(kind: str, parts: list[str]) -> View:
    """Return the view of these parts, or raise ValueError with the reason."""
    names = _part_names(kind)
    if len(parts) != len(names):
        raise ValueError(f"this has {len(parts)} parts after `{kind}`")
    parsers: dict[str, Callable[[str], object]] = {
        "RUN": _parse_id,
        "STEP": _parse_step_name,
        "RESPONSE": _parse_id,
    }
    if kind == "compare":
        parsers["RESPONSE"] = _parse_text_reference
    values: list[Any] = [
        parsers[name](part) for name, part in zip(names, parts, strict=True)
    ]
    if kind == "compare":
        return CompareView(ComparedSide(*values[:3]), ComparedSide(*values[3:]))
    return _VIEW_TYPES[kind](*values)


def _parse_text_reference(part: str) -> TextReference:
    return cast("TextName", part) if part in get_args(TextName) else _parse_id(part)


def _parse_id(part: str) -> UUID:
    if not _UUID_PATTERN.fullmatch(part):
        raise ValueError(f"{part!r} is not an id")
    return UUID(part)


def _parse_step_name(part: str) -> str:
    if not _STEP_NAME_PATTERN.fullmatch(part):
        raise ValueError(f"{part!r} is not the name of a step")
    return part


def _invalid_view_error(original: str, hint: str) -> NotFound:
    return NotFound(f"{original!r} is not a view.", hint=hint)
