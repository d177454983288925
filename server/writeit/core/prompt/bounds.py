"""What one template may use up, and the filters that keep within it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from jinja2 import pass_context
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Undefined

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from jinja2.runtime import Context

T = TypeVar("T")

MAX_OUTPUT = 1_000_000
"""Characters a prompt, and any text made on the way to it, may have."""
MAX_TURNS = 100_000
"""Turns all loops of a template may take together."""
MAX_SECONDS = 2.0
"""Processor seconds a template may take."""

BUDGET = "(budget)"
"""Where a rendering finds its budget; no identifier, so no template can name it."""
COUNTED = "(counted)"
CONCAT = "(concat)"


@dataclass(slots=True)
class Budget:
    """What one rendering may still use up."""

    turns: int = MAX_TURNS
    characters: int = MAX_OUTPUT
    deadline: float = field(default_factory=lambda: time.thread_time() + MAX_SECONDS)

    def turn(self) -> None:
        """Take one turn of a loop."""
        self.turns -= 1
        if self.turns < 0:
            raise OverflowError(f"its loops take more than {MAX_TURNS} turns")
        self._check_time()

    def write(self, characters: int) -> None:
        """Add to the prompt."""
        self.characters -= characters
        if self.characters < 0:
            raise OverflowError(f"it makes more than {MAX_OUTPUT} characters")
        self._check_time()

    def _check_time(self) -> None:
        if time.thread_time() > self.deadline:
            raise OverflowError(f"it takes longer than {MAX_SECONDS:g} seconds")


def check_size(size: int) -> None:
    """Refuse to make a text of `size` characters if that is too many."""
    if size > MAX_OUTPUT:
        raise OverflowError(f"it makes a text of more than {MAX_OUTPUT} characters")


def fenced(text: str, label: str) -> str:
    """Put `text` between tags called `label`, numbered if the text has such tags."""
    tag, number = label, 1
    while f"<{tag}>" in text or f"</{tag}>" in text:
        number += 1
        tag = f"{label}-{number}"
    return f"<{tag}>\n{text}\n</{tag}>"


def as_text(value: object) -> str:
    """Return what a template shows of `value`; lists and the like are no text."""
    if isinstance(value, str | int | float | Undefined):
        return str(value)
    if value is None:
        return ""
    raise TypeError(f"a {type(value).__name__} is no text; lists can be joined")


def _on_text(method: Callable[[str], T]) -> Callable[[object], T]:
    """Return the filter that applies `method` to texts, and to nothing else."""
    return lambda value: method(as_text(value))


def _trim(text: object, characters: str | None = None) -> str:
    return as_text(text).strip(characters)


def _words(text: str) -> int:
    return len(text.split())


def _join(values: Iterable[object], separator: str = "") -> str:
    parts = [as_text(value) for value in values]
    check_size(sum(map(len, parts)) + len(separator) * len(parts))
    return separator.join(parts)


def _concat(values: Iterable[object]) -> str:
    return _join(values)


def _fenced(text: object, label: str) -> str:
    return fenced(as_text(text), label)


def _replace(value: object, old: str, new: str) -> str:
    text = as_text(value)
    check_size(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


@pass_context
def _counted(context: Context, values: Iterable[object]) -> Iterator[object]:
    budget: Budget = context[BUDGET]
    for value in values:
        budget.turn()
        yield value


# Those of Jinja's filters that make no text.
_KEPT = ("count", "d", "default", "first", "float", "int", "last", "length")

FILTERS: dict[str, Callable[..., Any]] = {
    **{name: JINJA_FILTERS[name] for name in _KEPT},
    "capitalize": _on_text(str.capitalize),
    "fenced": _fenced,
    "join": _join,
    "lower": _on_text(str.lower),
    "replace": _replace,
    "title": _on_text(str.title),
    "trim": _trim,
    "upper": _on_text(str.upper),
    "wordcount": _on_text(_words),
    COUNTED: _counted,
    CONCAT: _concat,
}
"""All filters of prompts; those whose name is no identifier are for us alone."""
