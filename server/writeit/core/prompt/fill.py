"""Filling a template in, within bounds.

Values are put in as they are: what a writer wrote is text here, never a template.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from jinja2 import Template, TemplateError, nodes
from jinja2.visitor import NodeTransformer

from writeit.core.prompt.bounds import BUDGET, CONCAT, COUNTED, Budget
from writeit.core.prompt.language import Unusable, environment, parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

_FILE = "<prompt>"

# Whatever an expression can come to: 'a' + 1, 1 // 0, loops nested too deeply.
_FAILURES = (
    TemplateError,
    ArithmeticError,
    LookupError,
    MemoryError,
    RecursionError,
    SyntaxError,
    TypeError,
    ValueError,
)


def fill(source: str, context: Mapping[str, object]) -> str:
    """Return the template with `context` filled in.

    Raises:
        Unusable: it cannot be filled in, or not within bounds.
    """
    budget = Budget()
    written: list[str] = []
    try:
        for chunk in _compiled(source).generate({**context, BUDGET: budget}):
            budget.write(len(chunk))
            written.append(chunk)
    except _FAILURES as error:
        reason = str(error).rstrip(".")
        message = f"This template cannot be filled in: {reason}."
        raise Unusable(message, _offset(error.__traceback__)) from error
    return "".join(written)


@lru_cache(maxsize=128)
def _compiled(source: str) -> Template:
    tree = _Bounding().visit(parse(source))
    tree.set_environment(environment)
    code = environment.compile(tree, filename=_FILE)
    return Template.from_code(environment, code, environment.make_globals(None))


class _Bounding(NodeTransformer):
    """Puts the counting filters where a template could do much with little."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802 -- Jinja calls visitors so
        """Count the turns of the loop."""
        self.generic_visit(node)
        node.iter = _filtered(node.iter, COUNTED)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802 -- as above
        """Join the parts of `a ~ b` within bounds."""
        self.generic_visit(node)
        return _filtered(nodes.List(node.nodes, lineno=node.lineno), CONCAT)


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(node, name, [], [], None, None, lineno=node.lineno)


def _offset(traceback: TracebackType | None) -> int:
    """Return where in the template an error arose: Jinja's last frame knows."""
    offset = 0
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            offset = traceback.tb_lineno - 1
        traceback = traceback.tb_next
    return offset
