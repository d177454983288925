"""The view of a run: where it stands, its steps, and its family."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from writeit.core.entity import NAME_PATTERN
from writeit.core.run import StepStatus
from writeit.views import words
from writeit.views.markdown import blocks, fenced, inline, line, shortened
from writeit.views.states import next_for_run, run_state, step_state
from writeit.views.symbols import lines_of
from writeit.views.tree import runs_in, tree_lines, tree_rows
from writeit.views.uris import StepView, uri_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.core.run import PipelineRun, ResponseFailure, StepState
    from writeit.views.tree import TreeNode
    from writeit.views.uris import View

_FAMILY = "## Family"
_LONGEST_INPUT = 100
_STEP_LINE = re.compile(rf"\d+\. (?:\*\*)?\[({NAME_PATTERN.strip('^$')})\]")


def render_run(
    run: PipelineRun,
    family: TreeNode | None = None,
    *,
    link: Callable[[View], str] = uri_of,
) -> str:
    """Return the view of a run; `link` says how the page refers to another view."""
    return (
        blocks(
            f"# {inline(words.title_of(run))}",
            _origin(run),
            _standing(run),
            next_for_run(run),
            f"## Steps\n\n{_steps(run)}",
            _failures(run),
            _inputs(run),
            _family(run, family),
            _links(run, link),
        )
        + "\n"
    )


def _origin(run: PipelineRun) -> str:
    """Say what the run is made from."""
    made = f"{run.pipeline}, begun {words.moment(run.created_at)}"
    if run.branch_point is not None:
        made += f", branched at {run.branch_point}"
    if run.primer is not None:
        primer = run.primer
        made += f", in the style of {primer.primer_id} ({primer.version})"
    return line(f"{made}.")


def _standing(run: PipelineRun) -> str:
    answers = [answer for step in run.steps.values() for answer in step.ai_responses]
    told = f"**{words.sentence(run_state(run))}**"
    spent = words.total(words.spent(answers))
    when = "In all" if run.is_finished else "So far"
    return f"{told} {when}: {spent}." if spent else told


def _steps(run: PipelineRun) -> str:
    return "\n".join(
        f"{place}. {_step(run, step)}"
        for place, step in enumerate(run.steps.values(), start=1)
    )


def lines_of_steps(page: str) -> list[tuple[int, str]]:
    """Return the lines of a run's view that tell of its steps, each with its name."""
    found = []
    for number, text in enumerate(lines_of(page)):
        if match := _STEP_LINE.match(text):
            found.append((number, match[1]))
        elif found:
            break
    return found


def _step(run: PipelineRun, step: StepState) -> str:
    here = step.step_name == run.current_step and step.status in {
        StepStatus.PENDING,
        StepStatus.RUNNING,
    }
    name = f"[{step.step_name}]"
    facts = [f"**{name}**" if here else name, step_state(step)]
    if step.user_selection is not None:
        facts.append(inline(step.ai_responses[step.user_selection].model))
    if step.content:
        facts.append(words.length(step.content))
    facts.append(words.total(words.spent(step.ai_responses)))
    return " · ".join(filter(None, facts))


def _failures(run: PipelineRun) -> str:
    lines = [
        f"- {step.step_name}: {_failure(failure)}"
        for step in run.steps.values()
        for failure in step.failures
    ]
    return blocks("## What did not come", "\n".join(lines)) if lines else ""


def _failure(failure: ResponseFailure) -> str:
    why = words.why_nothing_came(failure.reason)
    return f"{inline(failure.model)}, {why}. {words.what_to_do(failure.reason)}"


def _inputs(run: PipelineRun) -> str:
    lines = [
        f"- {inline(name)}: {_input(text)}" for name, text in run.user_inputs.items()
    ]
    return blocks("## What it was given", "\n".join(lines)) if lines else ""


def _input(text: str) -> str:
    if not text.strip():
        return "*empty*"
    short = shortened(text, _LONGEST_INPUT)
    said = f"“{inline(short)}”"
    return f"{said} ({words.length(text)})" if short.endswith("…") else said


def kin_at(
    page: str, line: int, run: PipelineRun, root: Callable[[], TreeNode]
) -> TreeNode | None:
    """Return the run that a line of a run's view tells of in its family, or None.

    A page may be older than the family: only a line that still says the same counts.
    Its family is asked for only where the page has one.
    """
    shown = lines_of(page)
    if _FAMILY not in shown or line >= len(shown):
        return None
    place = line - shown.index(_FAMILY) - len(["", "```"]) - 1
    if place < 0:
        return None
    rows = tree_rows(root(), run.pipeline_run_id)
    if place >= len(rows) or rows[place][0] != shown[line]:
        return None
    return rows[place][1]


def _family(run: PipelineRun, root: TreeNode | None) -> str:
    if root is None or runs_in(root) == 1:
        return ""
    lines = tree_lines(root, run.pipeline_run_id)
    return blocks(_FAMILY, fenced("\n".join(lines)))


def _links(run: PipelineRun, link: Callable[[View], str]) -> str:
    """Define what the names of the steps refer to; a preview does not show these."""
    return "\n".join(
        f"[{name}]: {link(StepView(run.pipeline_run_id, name))}"
        for name in run.step_names
    )
