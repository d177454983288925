"""The variables that a template uses, and those that are not defined."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from jinja2 import nodes
from jinja2.visitor import NodeVisitor

from writeit.domain.errors import InvalidPipeline
from writeit.domain.pipeline import PipelineConfiguration, StepSpec
from writeit.prompts.template import InvalidTemplate, line_and_column, parse_template

DOCUMENT_FIELDS = (
    "text",
    "selection",
    "before",
    "after",
    "title",
    "path",
    "container",
    "context_before",
    "context_after",
    "definitions",
    "context",
)
REVISION_FIELDS = ("previous", "feedback")
STEP_FIELDS = ("content", "feedback", "responses")

MAX_PROBLEMS = 50
"""How many problems of a file's templates are reported."""


@dataclass(frozen=True, slots=True)
class PromptProblem:
    """A problem in a step's template; lines and columns count from 0."""

    message: str
    step: str
    line: int
    column: int
    length: int = 1
    """How many characters of the line are wrong."""

    def to_json(self) -> dict[str, str | int]:
        """Return the problem as a JSON object."""
        return {
            "message": self.message,
            "step": self.step,
            "line": self.line,
            "column": self.column,
        }


class TemplateVariable(NamedTuple):
    """One use of a variable in a template; lines and columns count from 0."""

    path: str
    """Dotted: `steps.angles.content`."""
    line: int
    column: int
    length: int
    """In characters."""


def find_variables(template: str) -> list[TemplateVariable]:
    """Return the variables that a template uses, in order, without its own names.

    Raises:
        InvalidPipeline: it is no template, or uses what prompts do not have.
    """
    try:
        return list(_parse_variables(template))
    except InvalidTemplate as error:
        raise invalid_template_error(problem_from_error(error, "", template)) from error


def find_template_problems(configuration: PipelineConfiguration) -> list[PromptProblem]:
    """All template variables must be defined in inputs or previous steps.

    The first `MAX_PROBLEMS` are returned.
    """
    problems = (
        problem
        for step in configuration.steps
        for problem in _step_problems(configuration, step)
    )
    return list(islice(problems, MAX_PROBLEMS))


def problem_from_error(
    error: InvalidTemplate, step: str, template: str
) -> PromptProblem:
    """Return `error` as the problem of a step's template."""
    line, column = line_and_column(template, error.offset)
    return PromptProblem(error.message, step, line, column)


def invalid_template_error(problem: PromptProblem) -> InvalidPipeline:
    """Return the error for a template that cannot be used."""
    where = f"line {problem.line + 1}, column {problem.column + 1}"
    return InvalidPipeline(
        f"The prompt of step {problem.step!r} has a problem in {where}:"
        f" {problem.message}",
        hint="Correct the template in the pipeline's file.",
        problems=[problem.to_json()],
    )


def _step_problems(
    configuration: PipelineConfiguration, step: StepSpec
) -> Iterator[PromptProblem]:
    try:
        used = _parse_variables(step.prompt)
    except InvalidTemplate as error:
        yield problem_from_error(error, step.name, step.prompt)
        return
    known = _known_paths(configuration, step)
    for path, line, column, length in used:
        if message := _path_problem(path, known, configuration):
            yield PromptProblem(message, step.name, line, column, length)


def _known_paths(configuration: PipelineConfiguration, step: StepSpec) -> list[str]:
    """Return every path that the template of `step` may use."""
    earlier = configuration.step_names[: configuration.step_names.index(step.name)]
    return [
        "primer",
        *(f"inputs.{spec.name}" for spec in configuration.inputs),
        *(f"defaults.{key}" for key in configuration.defaults),
        *(f"document.{member}" for member in DOCUMENT_FIELDS),
        *(f"revision.{member}" for member in REVISION_FIELDS),
        *(f"steps.{name}.{member}" for name in earlier for member in STEP_FIELDS),
    ]


def _path_problem(
    path: str, known: list[str], configuration: PipelineConfiguration
) -> str | None:
    """Return what is wrong with `path`, or None."""
    if path in known or _is_inside_default(path, known):
        return None
    shown = template_path(path)
    if members := [other for other in known if other.startswith(f"{path}.")]:
        names = ", ".join(map(template_path, members[:6]))
        return f"{shown} is not a text; name one of {names}."
    if whole := [other for other in known if path.startswith(f"{other}.")]:
        return f"{template_path(whole[0])} has no members; leave out what follows it."
    root, _, name = path.partition(".")
    name = name.partition(".")[0]
    if root == "steps" and name in configuration.step_names:
        if f"steps.{name}.content" not in known:
            return f"{shown}: a prompt can use only the steps before its own."
        return f"{shown} is not known; a step has {', '.join(STEP_FIELDS)}."
    near = get_close_matches(path, known, n=1) or get_close_matches(
        path.rpartition(".")[2], known, n=1
    )
    hint = f" Did you mean {template_path(near[0])}?" if near else ""
    return f"{shown} is not an input or an earlier step.{hint}"


def _is_inside_default(path: str, known: list[str]) -> bool:
    """Whether `path` is inside a default, which may have any structure."""
    return any(
        other.startswith("defaults.") and path.startswith(f"{other}.")
        for other in known
    )


def template_path(path: str) -> str:
    """Return a dotted path as a template writes it."""
    root, *members = path.split(".")
    return root + "".join(
        f".{member}" if member.isidentifier() else f'["{member}"]' for member in members
    )


@lru_cache(maxsize=256)
def _parse_variables(template: str) -> tuple[TemplateVariable, ...]:
    finder = _VariableFinder()
    finder.visit(parse_template(template))
    return tuple(
        TemplateVariable(path, *line_and_column(template, start), end - start)
        for path, start, end in sorted(finder.paths, key=lambda use: use[1])
    )


class _VariableFinder(NodeVisitor):
    """Finds the paths whose first name the template does not define itself."""

    def __init__(self) -> None:
        self.paths: list[tuple[str, int, int]] = []
        self._local_names: set[str] = set()

    def visit_For(self, node: nodes.For) -> None:  # noqa: N802 -- Jinja calls visitors so
        """Define the loop's names inside the loop only."""
        self.visit(node.iter)
        outside = self._local_names
        self._local_names = outside | _assigned_names(node.target) | {"loop"}
        for inner in ([node.test] if node.test else []) + node.body:
            self.visit(inner)
        self._local_names = outside
        for other in node.else_:
            self.visit(other)

    def visit_Assign(self, node: nodes.Assign) -> None:  # noqa: N802 -- as above
        """Define the name from here on."""
        self.visit(node.node)
        self._local_names.update(_assigned_names(node.target))

    def visit_Call(self, node: nodes.Call) -> None:  # noqa: N802 -- as above
        """Visit only the arguments: the function is always `range`."""
        for argument in [*node.args, *node.kwargs]:
            self.visit(argument)

    def visit_Name(self, node: nodes.Expr) -> None:  # noqa: N802 -- as above
        """Record a path, or visit what is none."""
        if not self._record(node):
            self.generic_visit(node)

    visit_Getattr = visit_Getitem = visit_Name  # noqa: N815 -- as above

    def _record(self, node: nodes.Expr) -> bool:
        match _variable_path(node):
            case None:
                return False
            case [root, *_], _, _ if root in self._local_names:
                return True
            case parts, start, end:
                self.paths.append((".".join(parts), start, end))
        return True


def _variable_path(node: nodes.Expr) -> tuple[list[str], int, int] | None:
    """Return names, start and end of a path, or None if the node is no path."""
    if isinstance(node, nodes.Name):
        start = node.lineno - 1
        return [node.name], start, start + len(node.name)
    if isinstance(node, nodes.Getattr) and (inner := _variable_path(node.node)):
        return [*inner[0], node.attr], inner[1], node.lineno + len(node.attr)
    if (
        isinstance(node, nodes.Getitem)
        and isinstance(node.arg, nodes.Const)
        and isinstance(node.arg.value, str)
        and (inner := _variable_path(node.node))
    ):
        end = node.lineno + len(node.arg.value) + len('""]')
        return [*inner[0], node.arg.value], inner[1], end
    return None


def _assigned_names(node: nodes.Node) -> set[str]:
    names = {inner.name for inner in node.find_all(nodes.Name)}
    return names | {node.name} if isinstance(node, nodes.Name) else names
