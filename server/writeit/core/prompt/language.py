"""The language of prompts: Jinja2, cut down to what can be bounded.

A template comes from a file that may be somebody else's. So it has text, variables,
`if`, `for`, `set` and filters that cannot make much out of little, and nothing that
collects text out of sight (macros, blocks, captures), calls (but for `range`) or
multiplies. What is left is counted, see `writeit.core.prompt.bounds`.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from jinja2 import StrictUndefined, TemplateSyntaxError, nodes
from jinja2.lexer import Lexer
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment, safe_range

from writeit.core.prompt.bounds import FILTERS, as_text, check_size

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from jinja2.runtime import Context

MAX_TEMPLATE = 100_000
"""Characters a template may have."""

_ALLOWED = (
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

_WORDS = {
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


class Unusable(Exception):
    """The template cannot be used; `offset` says where, in characters from 0."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = max(offset, 0)


def place(source: str, offset: int) -> tuple[int, int]:
    """Return line and column, from 0, of an offset into a template."""
    before = _unix(source)[:offset]
    return before.count("\n"), len(before) - (before.rfind("\n") + 1)


def _unix(source: str) -> str:
    """Return `source` with the line ends Jinja reads, which its offsets count."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


class _OffsetLexer(Lexer):
    """Jinja's lexer, telling where a token is as an offset instead of a line.

    Jinja keeps lines only, and an editor needs columns. What it carries along from
    token to node to traceback is any integer: here 1 + the offset.
    """

    def tokeniter(
        self,
        source: str,
        name: str | None,
        filename: str | None = None,
        state: str | None = None,
    ) -> Iterator[tuple[int, str, str]]:
        """Yield every raw token with 1 + its offset."""
        unix, offset = _unix(source), 0
        try:
            for _line, token, raw in super().tokeniter(source, name, filename, state):
                # Only whitespace is ever left out between two tokens.
                offset = unix.index(raw, offset)
                yield 1 + offset, token, raw
                offset += len(raw)
        except TemplateSyntaxError as error:
            error.lineno = 1 + offset
            raise


class _Environment(ImmutableSandboxedEnvironment):
    """Jinja's sandbox, where data has members and nothing has methods."""

    intercepted_binops = frozenset({"+"})

    def __init__(self) -> None:
        super().__init__(
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            finalize=as_text,
            autoescape=False,
        )
        self._offset_lexer = _OffsetLexer(self)
        self.globals = {"range": safe_range}
        self.filters = dict(FILTERS)

    @property
    def lexer(self) -> Lexer:
        """The lexer that tells offsets."""
        return self._offset_lexer

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401 -- Jinja's own signature
        """Look up `obj.attribute`: a key, or what `loop` knows."""
        if isinstance(obj, LoopContext):
            return super().getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401 -- Jinja's own signature
        """Look up `obj[argument]`, and nothing else when that is not there."""
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
        """Add, as long as the sum of two texts or lists stays within bounds."""
        if isinstance(left, str | list | tuple) and isinstance(right, type(left)):
            check_size(len(left) + len(right))
        return super().call_binop(context, operator, left, right)


environment = _Environment()
"""The one environment of all prompts; it keeps nothing of any of them."""


def parse(source: str) -> nodes.Template:
    """Return the syntax tree of a template; a node's offset is `lineno - 1`.

    Raises:
        Unusable: it is no template, or uses what prompts do not have.
    """
    if len(source) > MAX_TEMPLATE:
        raise Unusable(f"A template has at most {MAX_TEMPLATE} characters.", 0)
    try:
        tree = environment.parse(source)
        for node in tree.find_all(nodes.Node):
            _check_allowed(node)
    except TemplateSyntaxError as error:
        raise Unusable(_sentence(error.message), error.lineno - 1) from error
    except (RecursionError, ValueError) as error:
        reason = "it is nested too deeply, or has a number that is too long"
        raise Unusable(f"This template cannot be read: {reason}.", 0) from error
    return tree


def _sentence(message: str | None) -> str:
    text = (message or "this is no template").strip()
    return text[0].upper() + text[1:] + ("" if text.endswith(".") else ".")


def _check_allowed(node: nodes.Node) -> None:
    offset = (node.lineno or 1) - 1  # operands have none
    if not isinstance(node, _ALLOWED):
        what = type(node).__name__
        raise Unusable(f"Prompts have no {_WORDS.get(what, what.lower())}.", offset)
    if isinstance(node, nodes.Call) and not _is_range(node):
        raise Unusable("Prompts call no functions but range().", offset)
    if isinstance(node, nodes.For) and node.recursive:
        raise Unusable("Prompts have no recursive loops.", offset)
    if isinstance(node, nodes.Filter):
        _check_known("filter", node.name, environment.filters, offset)
    if isinstance(node, nodes.Test):
        _check_known("test", node.name, environment.tests, offset)


def _is_range(node: nodes.Call) -> bool:
    return isinstance(node.node, nodes.Name) and node.node.name == "range"


def _check_known(what: str, name: str, known: Iterable[str], offset: int) -> None:
    names = [each for each in known if each.isidentifier()]
    if name in names:
        return
    near = get_close_matches(name, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise Unusable(f"Prompts have no {what} {name!r}.{hint}", offset)
