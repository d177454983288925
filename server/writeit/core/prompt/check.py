"""Every variable a template uses, and those that nothing defines."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from jinja2 import nodes
from jinja2.visitor import NodeVisitor

from writeit.core.errors import InvalidPipeline
from writeit.core.prompt.language import Unusable, parse, place

if TYPE_CHECKING:
    from writeit.core.pipeline import PipelineConfiguration, StepSpec

DOCUMENT = ("text", "selection", "before", "after", "title", "path")
REVISION = ("previous", "feedback")
STEP = ("content", "feedback", "responses")


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """What is wrong with a step's template; lines and columns count from 0."""

    message: str
    step: str
    line: int
    column: int
    length: int = 1
    """Characters from there on, within the line, that are wrong."""

    def as_data(self) -> dict[str, str | int]:
        """Return the problem as a JSON object."""
        return {
            "message": self.message,
            "step": self.step,
            "line": self.line,
            "column": self.column,
        }


class Variable(NamedTuple):
    """A variable where a template uses it; lines and columns count from 0."""

    path: str
    """Dotted: `steps.angles.content`."""
    line: int
    column: int
    length: int
    """Characters it takes up in the template."""


def variables(template: str) -> list[Variable]:
    """Return the variables a template uses, in order; its own names left out.

    Raises:
        InvalidPipeline: it is no template, or uses what prompts do not have.
    """
    try:
        return list(_variables(template))
    except Unusable as error:
        raise invalid(problem_at(error, "", template)) from error


def problems(configuration: PipelineConfiguration) -> list[TemplateProblem]:
    """All template variables must be defined in inputs or previous steps."""
    return [
        problem
        for step in configuration.steps
        for problem in _problems_of(configuration, step)
    ]


def problem_at(error: Unusable, step: str, template: str) -> TemplateProblem:
    """Return `error` as the problem of a step's template."""
    line, column = place(template, error.offset)
    return TemplateProblem(error.message, step, line, column)


def invalid(problem: TemplateProblem) -> InvalidPipeline:
    """Return the error for a template that cannot be used."""
    where = f"line {problem.line + 1}, column {problem.column + 1}"
    return InvalidPipeline(
        f"The prompt of step {problem.step!r} has a problem in {where}:"
        f" {problem.message}",
        hint="Put the template right in the pipeline's file.",
        problems=[problem.as_data()],
    )


def _problems_of(
    configuration: PipelineConfiguration, step: StepSpec
) -> list[TemplateProblem]:
    try:
        used = _variables(step.prompt)
    except Unusable as error:
        return [problem_at(error, step.name, step.prompt)]
    known = _known(configuration, step)
    return [
        TemplateProblem(message, step.name, line, column, length)
        for path, line, column, length in used
        if (message := _problem_with(path, known, configuration))
    ]


def _known(configuration: PipelineConfiguration, step: StepSpec) -> list[str]:
    """Return every path the template of `step` may use."""
    earlier = configuration.step_names[: configuration.step_names.index(step.name)]
    return [
        "primer",
        *(f"inputs.{spec.name}" for spec in configuration.inputs),
        *(f"defaults.{key}" for key in configuration.defaults),
        *(f"document.{member}" for member in DOCUMENT),
        *(f"revision.{member}" for member in REVISION),
        *(f"steps.{name}.{member}" for name in earlier for member in STEP),
    ]


def _problem_with(
    path: str, known: list[str], configuration: PipelineConfiguration
) -> str | None:
    """Say what is wrong with `path`, or None."""
    if path in known or _inside_default(path, known):
        return None
    shown = spelled(path)
    if members := [each for each in known if each.startswith(f"{path}.")]:
        return f"{shown} is no text; name one of {_listed(members)}."
    if whole := [each for each in known if path.startswith(f"{each}.")]:
        return f"{spelled(whole[0])} has no members; write it without what follows."
    root, _, name = path.partition(".")
    name = name.partition(".")[0]
    if root == "steps" and name in configuration.step_names:
        if f"steps.{name}.content" not in known:
            return f"{shown}: a prompt knows only the steps before its own."
        return f"{shown} is not known; a step has {', '.join(STEP)}."
    near = get_close_matches(path, known, n=1) or get_close_matches(
        path.rpartition(".")[2], known, n=1
    )
    hint = f" Did you mean {spelled(near[0])}?" if near else ""
    return f"{shown} is defined by no input and no earlier step.{hint}"


def _inside_default(path: str, known: list[str]) -> bool:
    """Defaults may be structured, and what is in them is the author's own."""
    return any(
        each.startswith("defaults.") and path.startswith(f"{each}.") for each in known
    )


def _listed(paths: list[str]) -> str:
    return ", ".join(spelled(path) for path in paths[:6])


def spelled(path: str) -> str:
    """Return a dotted path as a template writes it."""
    root, *members = path.split(".")
    return root + "".join(
        f".{member}" if member.isidentifier() else f'["{member}"]' for member in members
    )


@lru_cache(maxsize=256)
def _variables(template: str) -> tuple[Variable, ...]:
    finder = _Finder()
    finder.visit(parse(template))
    return tuple(
        Variable(path, *place(template, start), end - start)
        for path, start, end in sorted(finder.found, key=lambda found: found[1])
    )


class _Finder(NodeVisitor):
    """Finds the paths whose first name the template did not give itself."""

    def __init__(self) -> None:
        self.found: list[tuple[str, int, int]] = []
        self._own: set[str] = set()

    def visit_For(self, node: nodes.For) -> None:  # noqa: N802 -- Jinja calls visitors so
        """Know the loop's names inside the loop, and only there."""
        self.visit(node.iter)
        outside = self._own
        self._own = outside | _targets(node.target) | {"loop"}
        for inner in ([node.test] if node.test else []) + node.body:
            self.visit(inner)
        self._own = outside
        for other in node.else_:
            self.visit(other)

    def visit_Assign(self, node: nodes.Assign) -> None:  # noqa: N802 -- as above
        """Know the name from here on."""
        self.visit(node.node)
        self._own.update(_targets(node.target))

    def visit_Call(self, node: nodes.Call) -> None:  # noqa: N802 -- as above
        """Look at the arguments alone: what is called is `range`."""
        for argument in [*node.args, *node.kwargs]:
            self.visit(argument)

    def visit_Name(self, node: nodes.Name) -> None:  # noqa: N802 -- as above
        """Note a name that stands alone."""
        self._note(node)

    def visit_Getattr(self, node: nodes.Getattr) -> None:  # noqa: N802 -- as above
        """Note a path; look inside what is none."""
        if not self._note(node):
            self.generic_visit(node)

    def visit_Getitem(self, node: nodes.Getitem) -> None:  # noqa: N802 -- as above
        """Note a path written with brackets; look inside what is none."""
        if not self._note(node):
            self.generic_visit(node)

    def _note(self, node: nodes.Expr) -> bool:
        match _path(node):
            case None:
                return False
            case [root, *_], _, _ if root in self._own:
                return True
            case parts, start, end:
                self.found.append((".".join(parts), start, end))
        return True


def _path(node: nodes.Expr) -> tuple[list[str], int, int] | None:
    """Return the names of a path, its start and its end, or None if it is none."""
    if isinstance(node, nodes.Name):
        start = node.lineno - 1
        return [node.name], start, start + len(node.name)
    if isinstance(node, nodes.Getattr) and (inner := _path(node.node)):
        return [*inner[0], node.attr], inner[1], node.lineno + len(node.attr)
    if (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Const)
        and isinstance(node.arg.value, str)
        and (inner := _path(node.node))
    ):
        end = node.lineno + len(node.arg.value) + len('""]')
        return [*inner[0], node.arg.value], inner[1], end
    return None


def _targets(node: nodes.Node) -> set[str]:
    found = {each.name for each in node.find_all(nodes.Name)}
    return found | {node.name} if isinstance(node, nodes.Name) else found
