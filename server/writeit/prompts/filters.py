"""The filters of templates, and what a rendering may use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import PurePath
from typing import Any

from jinja2 import (
    pass_context,
)
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context, Undefined

from writeit.domain.document import RunDocument, SourceFile
from writeit.text.lines import make_visible

MAX_RENDERED_CHARACTERS = 1_000_000
"""Maximum characters of a prompt and of any intermediate text."""
MAX_ITERATIONS = 100_000
"""Maximum iterations of all loops of a template together."""
MAX_FILTERED_CHARACTERS = 20_000_000
"""Maximum characters that all filters of a template make together."""
MAX_TRIMMED_CHARACTERS = 100
"""How many different characters `trim` takes."""
MAX_INTEGER_CHARACTERS = 1_000
"""The longest text that `int` reads."""
MAX_RENDER_SECONDS = 2.0
"""Maximum processor time of a template."""

LINE_ENDS = "\r\n"
BUDGET_VARIABLE = "(budget)"
"""The context key of the budget; no identifier, so that no template can use it."""
COUNTED_FILTER = "(counted)"
CONCAT_FILTER = "(concat)"
PLAIN_FILTER = "(plain)"
MEMBERS_FILTER = "(members)"


@dataclass(slots=True)
class RenderBudget:
    """What one rendering may still use."""

    texts: list[str] = field(default_factory=list)
    """The texts of the prompt, whose tags cannot be used again."""
    iterations: int = MAX_ITERATIONS
    filtered: int = MAX_FILTERED_CHARACTERS
    characters: int = MAX_RENDERED_CHARACTERS
    deadline: float = field(
        default_factory=lambda: time.thread_time() + MAX_RENDER_SECONDS
    )

    def spend_iteration(self) -> None:
        """Count one iteration of a loop."""
        self.iterations -= 1
        if self.iterations < 0:
            raise OverflowError(f"its loops have more than {MAX_ITERATIONS} iterations")
        self._check_time()

    def spend_characters(self, count: int) -> None:
        """Count characters of the prompt."""
        self.characters -= count
        if self.characters < 0:
            raise OverflowError(
                f"it makes more than {MAX_RENDERED_CHARACTERS} characters"
            )
        self._check_time()

    def _check_time(self) -> None:
        if time.thread_time() > self.deadline:
            raise OverflowError(f"it takes longer than {MAX_RENDER_SECONDS:g} seconds")


def check_text_size(size: int) -> None:
    """Raise OverflowError if a text of `size` characters is too long."""
    if size > MAX_RENDERED_CHARACTERS:
        raise OverflowError(
            f"it makes a text of more than {MAX_RENDERED_CHARACTERS} characters"
        )


def wrap_in_tags(text: str, label: str, others: Iterable[str] = ()) -> str:
    """Return `text` between tags `label`, numbered if a text has such tags.

    `others` are the other texts of the same prompt.
    """
    tag = _free_tag(label, (text, *others))
    return f"<{tag}>\n{text}\n</{tag}>"


def _free_tag(label: str, texts: Sequence[str]) -> str:
    """Return `label`, numbered if a text has such tags."""
    tag, number = label, 1
    while any(f"<{tag}" in each or f"</{tag}" in each for each in texts):
        number += 1
        tag = f"{label}-{number}"
    return tag


def join_files(files: Sequence[SourceFile]) -> str:
    """Return the texts of files, each between tags with its name."""
    tag = _free_tag("file", [file.text for file in files])
    return "\n\n".join(
        f'<{tag} name="{escape(make_visible(file.name))}">\n'
        f"{file.text.strip(LINE_ENDS)}\n</{tag}>"
        for file in files
    )


def source_text(document: RunDocument) -> str:
    """Return what a run is about: the document's text, and that of its notes."""
    if not document.notes:
        return document.text
    name = PurePath(document.path).name or "document"
    own = SourceFile(name=name, uri="", text=document.text)
    return join_files([*([own] if own.text.strip() else []), *document.notes])


@pass_context
def _fenced_filter(context: Context, value: object, label: str) -> str:
    budget: RenderBudget = context[BUDGET_VARIABLE]
    fenced = wrap_in_tags(to_text(value), label, budget.texts)
    budget.texts.append(fenced.partition("\n")[0])
    return fenced


def to_text(value: object) -> str:
    """Return `value` as a template shows it; TypeError for lists and the like."""
    if isinstance(value, str | int | float | Undefined):
        return str(value)
    if value is None:
        return ""
    raise TypeError(f"a {type(value).__name__} is not a text; lists can be joined")


def _text_filter(method: Callable[..., str]) -> Callable[..., str]:
    """Return a filter that applies `method` to texts only, and counts characters."""

    @pass_context
    def apply(context: Context, value: object, *arguments: object) -> str:
        text = method(to_text(value), *arguments)
        budget: RenderBudget = context[BUDGET_VARIABLE]
        budget.filtered -= len(text)
        if budget.filtered < 0:
            raise OverflowError(
                f"its filters make more than {MAX_FILTERED_CHARACTERS} characters"
            )
        return text

    return apply


def _trim(text: str, characters: str | None = None) -> str:
    if characters is not None and len(characters) > MAX_TRIMMED_CHARACTERS:
        raise OverflowError(f"trim takes {MAX_TRIMMED_CHARACTERS} characters at most")
    return text.strip(characters)


def _int_filter(value: object, default: int = 0) -> int:
    """Return a number, without Jinja's `base`: reading it takes quadratic time."""
    if isinstance(value, str) and len(value) > MAX_INTEGER_CHARACTERS:
        return default
    return int(JINJA_FILTERS["int"](value, default))


def _plain_filter(value: object) -> object:
    """Return a value to be compared; comparing lists of lists never ends."""
    if isinstance(value, list | tuple) and value:
        raise OverflowError("it compares lists; compare texts or numbers")
    return value


def _members_filter(value: object) -> object:
    """Return what `in` looks into: a text, or a list of texts and numbers."""
    if isinstance(value, list | tuple):
        for member in value:
            _plain_filter(member)
    return value


def _join_filter(values: Iterable[object], separator: str = "") -> str:
    parts = [to_text(value) for value in values]
    check_text_size(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _replace_filter(value: object, old: str, new: str) -> str:
    text = to_text(value)
    check_text_size(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


@pass_context
def _counted_filter(context: Context, values: Iterable[object]) -> Iterator[object]:
    budget: RenderBudget = context[BUDGET_VARIABLE]
    for value in values:
        budget.spend_iteration()
        yield value


# Jinja's filters that return no text.
_SAFE_FILTERS = ("count", "d", "default", "first", "float", "last", "length")

FILTERS: dict[str, Callable[..., Any]] = {
    **{name: JINJA_FILTERS[name] for name in _SAFE_FILTERS},
    "capitalize": _text_filter(str.capitalize),
    "fenced": _fenced_filter,
    "int": _int_filter,
    "join": _join_filter,
    "lower": _text_filter(str.lower),
    "replace": _replace_filter,
    "title": _text_filter(str.title),
    "trim": _text_filter(_trim),
    "upper": _text_filter(str.upper),
    "wordcount": lambda text: len(to_text(text).split()),
    COUNTED_FILTER: _counted_filter,
    CONCAT_FILTER: _join_filter,
    PLAIN_FILTER: _plain_filter,
    MEMBERS_FILTER: _members_filter,
}
"""All filters; templates cannot use those whose name is no identifier."""
