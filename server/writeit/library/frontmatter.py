"""The front matter of a markdown text: what it says to WriteIt, and where it ends.

Front matter belongs to the writer and to all her tools; only the key `writeit` in it
is ours, and only what is wrong there is a problem.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from yaml.nodes import MappingNode, Node

from writeit.core.entity import Entity, Name
from writeit.library.problem import Problem, has_errors
from writeit.library.source import Source
from writeit.library.validate import known_only, note_error, refuse_secrets

if TYPE_CHECKING:
    from collections.abc import Mapping

BOM = "\ufeff"
KEY = "writeit"

_LINE_END = r"(?:\r\n|\r|\n)"
_FENCED = re.compile(
    rf"\A(?P<open>{BOM}?---[ \t]*{_LINE_END})"
    rf"(?P<yaml>(?:.*?{_LINE_END})??)"
    rf"(?:---|\.\.\.)[ \t]*(?:{_LINE_END}|\Z)",
    re.DOTALL,
)
_OURS = re.compile(rf"^[\"']?{KEY}[\"']?[ \t]*:", re.MULTILINE)


def _as_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _as_words(value: object) -> object:
    """Return an input's value as the text a run keeps: numbers and dates spelled."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | date) else value


OneOrMore = Annotated[tuple[str, ...], BeforeValidator(_as_tuple)]
Words = Annotated[str, BeforeValidator(_as_words)]


class Binding(Entity):
    """What a document says about its runs; all of it is optional."""

    pipeline: Name | None = None
    """The pipeline its runs are made from."""
    primer: Name | None = None
    """The style primer of its runs."""
    models: dict[str, OneOrMore] = Field(default_factory=dict)
    """Model ids for each step: one, or a list."""
    inputs: dict[str, Words] = Field(default_factory=dict)
    """Values for the pipeline's inputs."""
    output_path: str | None = None
    """Where a new file goes, relative to the workspace folder."""
    providers: OneOrMore | None = None
    """Where this text may be sent: left out anywhere configured, empty nowhere."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A markdown text, split: `head` and `body` joined are the text, byte for byte."""

    head: str
    """The front matter with its fences, "" if there is none."""
    body: str
    mapping: Mapping[str, Any] | None = None
    """What stands under `writeit`, as it stands there; None if nothing does."""
    binding: Binding = field(default_factory=Binding)
    """What could be understood of it. While there are errors `providers` is never
    None: what cannot be read may be the line that keeps the text at home."""
    problems: tuple[Problem, ...] = ()
    source: Source | None = field(default=None, compare=False, repr=False)
    """What it was read from, with its places; None if nothing speaks to WriteIt."""

    @property
    def ok(self) -> bool:
        """Whether all of it was understood; if not, nothing should be sent."""
        return not has_errors(self.problems)


def split(text: str, uri: str = "") -> FrontMatter:
    """Split a markdown text; front matter that cannot be read is a problem.

    A text that merely begins with a thematic break has no front matter.
    """
    match = _FENCED.match(text)
    if match is None:
        return FrontMatter(*_without(text))
    source = Source(match["yaml"], uri, first_line=1)
    if source.root is None and not source.problems:
        return FrontMatter(match[0], text[match.end() :])
    if source.root is not None and not isinstance(source.root, MappingNode):
        return FrontMatter(*_without(text))
    head, body = match[0], text[match.end() :]
    if source.root is None:
        return _unreadable(head, body, source, ours=bool(_OURS.search(match["yaml"])))
    node = _ours(source.root)
    if node is None:
        return FrontMatter(head, body)
    mapping, binding = _bound(source, node)
    problems = tuple(source.problems)
    return FrontMatter(head, body, mapping, binding, problems, source)


def head_of(text: str) -> str:
    """Return the front matter with its fences, "" if `text` begins with none.

    Its end is looked for, nothing else: it may yet turn out to be none.
    """
    match = _FENCED.match(text)
    return match[0] if match else ""


def _without(text: str) -> tuple[str, str]:
    """Return a text without front matter as head and body; a BOM is no body."""
    return (BOM, text[1:]) if text.startswith(BOM) else ("", text)


def _unreadable(head: str, body: str, source: Source, *, ours: bool) -> FrontMatter:
    """Return front matter that is no YAML: an error only if it speaks to us."""
    problems = tuple(
        Problem(p.uri, p.message, "error" if ours else "information", p.range, p.code)
        for p in source.problems
    )
    binding = Binding(providers=()) if ours else Binding()
    return FrontMatter(head, body, None, binding, problems)


def _ours(root: MappingNode) -> Node | None:
    return next((value for key, value in root.value if key.value == KEY), None)


def _bound(source: Source, node: Node) -> tuple[dict[str, Any], Binding]:
    data = source.data(node)
    if data is None and not source.problems:
        return {}, Binding()  # `writeit:` with nothing behind it
    if not isinstance(data, dict):
        message = f"{KEY!r} is a mapping of keys: pipeline, primer, inputs, …"
        source.add(message, node, code="wrong-value")
        return {}, Binding(providers=())
    if isinstance(node, MappingNode):
        refuse_secrets(source, [key for key, _ in node.value])
    known = known_only(source, Binding, data, (KEY,))
    binding = _understood(source, known)
    if has_errors(source.problems) and binding.providers is None:
        return data, binding.evolve(providers=())
    return data, binding


def _understood(source: Source, data: dict[str, Any]) -> Binding:
    """Return the binding of those keys that are right, and note the others."""
    try:
        return Binding.model_validate(data)
    except ValidationError as error:
        wrong = set()
        for detail in error.errors(include_url=False):
            note_error(source, detail, within=(KEY,))
            wrong.add(detail["loc"][0])
    return Binding.model_validate({k: v for k, v in data.items() if k not in wrong})
