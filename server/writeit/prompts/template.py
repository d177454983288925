"""The language of prompts: Jinja2, restricted so that its cost is bounded.

A template can come from another author. It has text, variables, `if`, `for`, `set` and
filters whose output is bounded by their input. It has no macros, blocks or captures, no
calls except `range`, and no multiplication. Loops and characters are counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
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
)
from jinja2.lexer import Lexer
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range
from jinja2.visitor import NodeTransformer

from writeit.prompts.filters import (
    BUDGET_VARIABLE,
    CONCAT_FILTER,
    COUNTED_FILTER,
    FILTERS,
    MEMBERS_FILTER,
    PLAIN_FILTER,
    RenderBudget,
    check_text_size,
    to_text,
)

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
    text = (message or "this is not a template").strip()
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
    AttributeError,
    LookupError,
    MemoryError,
    NameError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)


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
