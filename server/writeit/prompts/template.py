"""The language of prompts: Jinja2, restricted so that its cost is bounded.

A template can come from another author. It has text, variables, `if`, `for`, `set` and
filters whose output is bounded by their input. It has no macros, blocks or captures, no
calls except `range`, and no multiplication. Loops and characters are counted.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from types import TracebackType
from typing import Any

from jinja2 import (
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    nodes,
    pass_context,
)
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.lexer import Lexer
from jinja2.runtime import Context, LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.visitor import NodeTransformer

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
    texts = (text, *others)
    tag, number = label, 1
    while any(f"<{tag}" in each or f"</{tag}" in each for each in texts):
        number += 1
        tag = f"{label}-{number}"
    return f"<{tag}>\n{text}\n</{tag}>"


@pass_context
def _fenced_filter(context: Context, value: object, label: str) -> str:
    budget: RenderBudget = context[BUDGET_VARIABLE]
    fenced = wrap_in_tags(to_text(value), label, budget.texts)
    budget.texts.append(fenced.partition("\n")[0])
    return fenced


def _texts_in(value: object) -> Iterator[str]:
    """Yield all texts in a context."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts_in(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts_in(item)


def to_text(value: object) -> str:
    """Return `value` as a template shows it; TypeError for lists and the like."""
    if isinstance(value, str | int | float | Undefined):
        return str(value)
    if value is None:
        return ""
    raise TypeError(f"a {type(value).__name__} is no text; lists can be joined")


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


MAX_TEMPLATE_CHARACTERS = 100_000
"""Maximum characters of a template."""

_ALLOWED_NODES = (
    nodes.Add,
    nodes.And,
    nodes.Assign,
    nodes.Call,
    nodes.Compare,
    nodes.Concat,
    nodes.CondExpr,
    nodes.Const,
    nodes.Div,
    nodes.Filter,
    nodes.FloorDiv,
    nodes.For,
    nodes.Getattr,
    nodes.Getitem,
    nodes.If,
    nodes.Keyword,
    nodes.List,
    nodes.Name,
    nodes.Neg,
    nodes.Not,
    nodes.Operand,
    nodes.Or,
    nodes.Output,
    nodes.Slice,
    nodes.Sub,
    nodes.Template,
    nodes.TemplateData,
    nodes.Test,
    nodes.Tuple,
)

_NODE_DESCRIPTIONS = {
    "AssignBlock": "set blocks: write {% set name = value %}",
    "Block": "blocks",
    "Dict": "dictionaries",
    "Extends": "extends",
    "FilterBlock": "filter blocks: write {{ value|filter }}",
    "FromImport": "import",
    "Include": "include",
    "Macro": "macros",
    "Mod": "% operator",
    "Mul": "multiplication",
    "NSRef": "namespaces",
    "Pow": "powers",
    "With": "with: write {% set name = value %}",
}


class InvalidTemplate(Exception):
    """The template cannot be used; `offset` is the place, in characters from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = max(offset, 0)


def line_and_column(source: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 0, of an offset in a template."""
    before = _normalize_line_ends(source)[:offset]
    return before.count("\n"), len(before) - (before.rfind("\n") + 1)


def _normalize_line_ends(source: str) -> str:
    """Return `source` with LF line ends, which Jinja's offsets count."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


class _OffsetLexer(Lexer):
    """Jinja's lexer, with 1 + the offset of each token in place of its line.

    Jinja keeps lines only, but an editor needs columns. Jinja passes the number on,
    unchanged, from token to node to traceback.
    """

    def tokeniter(
        self,
        source: str,
        name: str | None,
        filename: str | None = None,
        state: str | None = None,
    ) -> Iterator[tuple[int, str, str]]:
        """Yield each raw token with 1 + its offset."""
        unix, offset = _normalize_line_ends(source), 0
        try:
            for _line, token, raw in super().tokeniter(source, name, filename, state):
                # Only whitespace is left out between two tokens.
                offset = unix.index(raw, offset)
                yield 1 + offset, token, raw
                offset += len(raw)
        except TemplateSyntaxError as error:
            error.lineno = 1 + offset
            raise


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, where data has members but no methods."""

    intercepted_binops = frozenset({"+"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=to_text,
            autoescape=False,
        )
        self._offset_lexer = _OffsetLexer(self)
        self.globals = {"range": safe_range}
        self.filters = dict(FILTERS)

    @property
    def lexer(self) -> Lexer:
        """The lexer that reports offsets."""
        return self._offset_lexer

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 -- Jinja's own signature
        """Return `obj.attribute`: a key, or a member of `loop`."""
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 -- Jinja's own signature
        """Return `obj[argument]`, never an attribute."""
        try:
            return obj[argument]
        except (LookupError, TypeError):
            return self.undefined(obj=obj, name=argument)

    def call_binop(
        self,
        context: Context,
        operator: str,
        left: Any,  # noqa: ANN401 -- Jinja's own signature
        right: Any,  # noqa: ANN401 -- Jinja's own signature
    ) -> Any:  # noqa: ANN401 -- Jinja's own signature
        """Add; OverflowError if the sum of two texts or lists is too long."""
        if isinstance(left, str | list | tuple) and isinstance(right, type(left)):
            check_text_size(len(left) + len(right))
        return super().call_binop(context, operator, left, right)


environment = _Environment()
"""The environment of all prompts; it keeps no state of them."""


def parse_template(source: str) -> nodes.Template:
    """Return the syntax tree of a template; a node's offset is `lineno - 1`.

    Raises:
        InvalidTemplate: it is no template, or uses what prompts do not have.
    """
    if len(source) > MAX_TEMPLATE_CHARACTERS:
        raise InvalidTemplate(
            f"A template has at most {MAX_TEMPLATE_CHARACTERS} characters.", 0
        )
    try:
        tree = environment.parse(source)
        for node in tree.find_all(nodes.Node):
            _check_node_allowed(node)
    except TemplateSyntaxError as error:
        raise InvalidTemplate(_sentence(error.message), error.lineno - 1) from error
    except (RecursionError, ValueError) as error:
        reason = "it is nested too deeply, or has a number that is too long"
        raise InvalidTemplate(f"This template cannot be read: {reason}.", 0) from error
    return tree


def _sentence(message: str | None) -> str:
    text = (message or "this is no template").strip()
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _check_node_allowed(node: nodes.Node) -> None:
    offset = (node.lineno or 1) - 1  # operands have none
    if not isinstance(node, _ALLOWED_NODES):
        what = type(node).__name__
        raise InvalidTemplate(
            f"Prompts have no {_NODE_DESCRIPTIONS.get(what, what.lower())}.", offset
        )
    if isinstance(node, nodes.Call) and not _is_range_call(node):
        raise InvalidTemplate("Prompts call no functions but range().", offset)
    if isinstance(node, nodes.For) and node.recursive:
        raise InvalidTemplate("Prompts have no recursive loops.", offset)
    if isinstance(node, nodes.Filter):
        _check_known_name("filter", node.name, environment.filters, offset)
    if isinstance(node, nodes.Test):
        _check_known_name("test", node.name, environment.tests, offset)


def _is_range_call(node: nodes.Call) -> bool:
    return isinstance(node.node, nodes.Name) and node.node.name == "range"


def _check_known_name(kind: str, name: str, known: Iterable[str], offset: int) -> None:
    names = [candidate for candidate in known if candidate.isidentifier()]
    if name in names:
        return
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise InvalidTemplate(f"Prompts have no {kind} {name!r}.{hint}", offset)


_TEMPLATE_FILENAME = "<prompt>"

# What an expression can raise: 'a' + 1, 1 // 0, loops nested too deeply.
_RENDER_ERRORS = (
    TemplateError,
    ArithmeticError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)


def fill_template(source: str, context: Mapping[str, object]) -> str:
    """Return the template rendered with `context`.

    Raises:
        InvalidTemplate: it cannot be rendered within limits.
    """
    budget = RenderBudget(texts=list(_texts_in(context)))
    written: list[str] = []
    try:
        for chunk in _compile_template(source).generate(
            {**context, BUDGET_VARIABLE: budget}
        ):
            budget.spend_characters(len(chunk))
            written.append(chunk)
    except _RENDER_ERRORS as error:
        reason = str(error).rstrip(".")
        message = f"This template cannot be filled in: {reason}."
        raise InvalidTemplate(message, _error_offset(error.__traceback__)) from error
    return "".join(written)


@lru_cache(maxsize=128)
def _compile_template(source: str) -> Template:
    tree = _BudgetTransformer().visit(parse_template(source))
    tree.set_environment(environment)
    code = environment.compile(tree, filename=_TEMPLATE_FILENAME)
    return Template.from_code(environment, code, environment.make_globals(None))


class _BudgetTransformer(NodeTransformer):
    """Inserts the filters that count loops and concatenations."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 -- Jinja calls visitors so
        """Count the iterations of the loop."""
        self.generic_visit(node)
        node.iter = _apply_filter(node.iter, COUNTED_FILTER)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Compare:  # noqa: N802 -- as above
        """Compare texts and numbers only."""
        self.generic_visit(node)
        node.expr = _apply_filter(node.expr, PLAIN_FILTER)
        for operand in node.ops:
            is_search = operand.op in {"in", "notin"}
            name = MEMBERS_FILTER if is_search else PLAIN_FILTER
            operand.expr = _apply_filter(operand.expr, name)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 -- as above
        """Limit the length of `a ~ b`."""
        self.generic_visit(node)
        return _apply_filter(nodes.List(node.nodes, lineno=node.lineno), CONCAT_FILTER)


def _apply_filter(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _error_offset(traceback: TracebackType | None) -> int:
    """Return where in the template an error was raised, from Jinja's last frame."""
    offset = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _TEMPLATE_FILENAME:
            offset = traceback.tb_lineno - 1
        traceback = traceback.tb_next
    return offset
