"""The view of a run: where it stands, its steps, and its family."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from writeit.domain.entity import NAME_PATTERN
from writeit.domain.run import (
    AppliedText,
    PipelineRun,
    PipelineStatus,
    ResponseFailure,
    StepState,
    StepStatus,
)
from writeit.views import wording
from writeit.views.escape import (
    code_block,
    escape_inline,
    escape_line,
    join_blocks,
    shorten,
    single_line,
)
from writeit.views.page_outline import split_page_lines
from writeit.views.uris import StepView, View, view_uri
from writeit.views.wording import run_next_action, run_status_text, step_status_text

# --- A family of runs as a tree of lines ----------------------------------------------

_MAX_NAME_LENGTH = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeNode:
    """A run among its family."""

    run_id: UUID
    name: str
    """The writer's name for it, else its title; for a branch it may be empty."""
    status: PipelineStatus
    current_step: str
    branch_point: str | None = None
    """Where it branched off its parent; None of the root."""
    cost_usd: float | None = None
    deleted: bool = False
    """Whether only a tombstone is left."""
    children: tuple[TreeNode, ...] = ()
    has_more: bool = False
    """Whether it has branches that are not shown."""


def tree_lines(
    root: TreeNode,
    current_run: UUID | None = None,
    style_label: Callable[[TreeNode, str], str] = lambda _, label: label,
) -> list[str]:
    """Return a line for each run of a family; `current` is marked as this run.

    `paint` may dress what is said of a run, for a terminal.
    """
    return [line for line, _ in tree_rows(root, current_run, style_label)]


def tree_rows(
    root: TreeNode,
    current_run: UUID | None = None,
    style_label: Callable[[TreeNode, str], str] = lambda _, label: label,
) -> list[tuple[str, TreeNode | None]]:
    """Return the lines of a family, each with its run; None says there are more."""
    rows: list[tuple[str, TreeNode | None]] = []
    waiting = [(root, "", "")]
    while waiting:
        node, first, rest = waiting.pop()
        rows.append(
            (f"{first}{style_label(node, _node_label(node, current_run))}", node)
        )
        if node.has_more:
            rows.append((f"{rest}└─ … more branches", None))
        children = list(_child_rows(node, rest))
        waiting += reversed(children)
    return rows


def count_runs(root: TreeNode) -> int:
    """Return how many runs a family has."""
    waiting, found = [root], 0
    while waiting:
        node = waiting.pop()
        found += 1
        waiting += node.children
    return found


def _child_rows(node: TreeNode, indent: str) -> Iterator[tuple[TreeNode, str, str]]:
    """Yield the children, each with what stands before its line and those below."""
    for place, child in enumerate(node.children, start=1):
        last = place == len(node.children) and not node.has_more
        yield (
            child,
            f"{indent}{'└─ ' if last else '├─ '}",
            f"{indent}{'   ' if last else '│  '}",
        )


def _node_label(node: TreeNode, current_run: UUID | None) -> str:
    name = shorten(single_line(node.name), _MAX_NAME_LENGTH)
    if node.branch_point is not None:
        name = f"from {node.branch_point}" + (f": {name}" if name else "")
    facts = [name or "run"]
    if node.deleted:
        facts.append("deleted")
    else:
        facts.append(wording.run_status_label(node.status, node.current_step))
        if node.cost_usd is not None:
            facts.append(wording.format_usd(node.cost_usd))
    mark = "  ← this run" if node.run_id == current_run else ""
    return f"{' · '.join(facts)}{mark}"


# --- The view of a run: where it stands, its steps, and its family --------------------

_RUN_TREE_HEADING = "## Family"
_MAX_INPUT_LENGTH = 100
_STEP_LINE = re.compile(rf"\d+\. (?:\*\*)?\[({NAME_PATTERN.strip('^$')})\]")


def render_run(
    run: PipelineRun,
    run_tree: TreeNode | None = None,
    *,
    make_link: Callable[[View], str] = view_uri,
) -> str:
    """Return the view of a run; `link` says how the page refers to another view."""
    return (
        join_blocks(
            f"# {escape_inline(wording.run_title(run))}",
            _origin_line(run),
            _status_section(run),
            run_next_action(run),
            f"## Steps\n\n{_steps_section(run)}",
            _failures_section(run),
            _inputs_section(run),
            _run_tree_section(run, run_tree),
            _link_definitions(run, make_link),
        )
        + "\n"
    )


def _origin_line(run: PipelineRun) -> str:
    """Say what the run is made from."""
    made = f"{run.pipeline}, begun {wording.format_datetime(run.created_at)}"
    if run.branch_point is not None:
        made += f", branched at {run.branch_point}"
    if run.primer is not None:
        primer = run.primer
        made += f", in the style of {primer.primer_id} ({primer.version})"
    return escape_line(f"{made}.")


def _status_section(run: PipelineRun) -> str:
    answers = [answer for step in run.steps.values() for answer in step.ai_responses]
    told = f"**{wording.to_sentence(run_status_text(run))}**"
    spent = wording.total_cost_text(wording.sum_costs(answers))
    when = "In all" if run.is_finished else "So far"
    return f"{told} {when}: {spent}." if spent else told


def _steps_section(run: PipelineRun) -> str:
    return "\n".join(
        f"{place}. {_step_line(run, step)}"
        for place, step in enumerate(run.steps.values(), start=1)
    )


def find_step_lines(page: str) -> list[tuple[int, str]]:
    """Return the lines of a run's view that tell of its steps, each with its name."""
    found = []
    for number, text in enumerate(split_page_lines(page)):
        if match := _STEP_LINE.match(text):
            found.append((number, match[1]))
        elif found:
            break
    return found


def _step_line(run: PipelineRun, step: StepState) -> str:
    here = step.step_name == run.current_step and step.status in {
        StepStatus.PENDING,
        StepStatus.RUNNING,
    }
    name = f"[{step.step_name}]"
    facts = [f"**{name}**" if here else name, step_status_text(step)]
    if step.user_selection is not None:
        facts.append(escape_inline(step.ai_responses[step.user_selection].model))
    if step.content:
        facts.append(wording.text_length(step.content))
    facts.append(wording.total_cost_text(wording.sum_costs(step.ai_responses)))
    return " · ".join(filter(None, facts))


def _failures_section(run: PipelineRun) -> str:
    lines = [
        f"- {step.step_name}: {_failure_line(failure)}"
        for step in run.steps.values()
        for failure in step.failures
    ]
    return join_blocks("## What did not come", "\n".join(lines)) if lines else ""


def _failure_line(failure: ResponseFailure) -> str:
    why = wording.describe_failure(failure.reason)
    remedy = wording.failure_remedy(failure.reason)
    return f"{escape_inline(failure.model)}, {why}. {remedy}"


def _inputs_section(run: PipelineRun) -> str:
    lines = [
        f"- {escape_inline(name)}: {_input_text(text)}"
        for name, text in run.user_inputs.items()
    ]
    return join_blocks("## What it was given", "\n".join(lines)) if lines else ""


def _input_text(text: str) -> str:
    if not text.strip():
        return "*empty*"
    short = shorten(text, _MAX_INPUT_LENGTH)
    said = f"“{escape_inline(short)}”"
    return f"{said} ({wording.text_length(text)})" if short.endswith("…") else said


def node_at_line(
    page: str, line: int, run: PipelineRun, load_tree: Callable[[], TreeNode]
) -> TreeNode | None:
    """Return the run that a line of a run's view tells of in its family, or None.

    A page may be older than the family: only a line that still says the same counts.
    Its family is asked for only where the page has one.
    """
    shown = split_page_lines(page)
    if _RUN_TREE_HEADING not in shown or line >= len(shown):
        return None
    place = line - shown.index(_RUN_TREE_HEADING) - len(["", "```"]) - 1
    if place < 0:
        return None
    rows = tree_rows(load_tree(), run.pipeline_run_id)
    if place >= len(rows) or rows[place][0] != shown[line]:
        return None
    return rows[place][1]


def _run_tree_section(run: PipelineRun, root: TreeNode | None) -> str:
    if root is None or count_runs(root) == 1:
        return ""
    lines = tree_lines(root, run.pipeline_run_id)
    return join_blocks(_RUN_TREE_HEADING, code_block("\n".join(lines)))


def _link_definitions(run: PipelineRun, make_link: Callable[[View], str]) -> str:
    """Define what the names of the steps refer to; a preview does not show these."""
    return "\n".join(
        f"[{name}]: {make_link(StepView(run.pipeline_run_id, name))}"
        for name in run.step_names
    )


# --- Where a passage in the writer's document comes from, in a few lines --------------

_MAX_FEEDBACK_LENGTH = 160


def render_origin(run: PipelineRun, applied_text: AppliedText) -> str:
    """Say which run and step a passage is of, who wrote it, and what it was told."""
    step = run.steps[applied_text.step]
    return (
        join_blocks(
            f"**{escape_inline(wording.run_label(run))}**, {step.step_name}",
            f"{_author_text(step)}.",
            _primer_text(run),
            _feedback_text(step),
            f"In the document since {wording.format_datetime(applied_text.at)}.",
        )
        + "\n"
    )


def _author_text(step: StepState) -> str:
    known = {answer.response_id: answer for answer in step.ai_responses}
    if step.user_selection is not None:
        answer = step.ai_responses[step.user_selection]
        cost = wording.cost_text(
            answer.usage_stats.cost_usd, estimated=answer.usage_stats.estimated
        )
        said = (
            f"{wording.to_sentence(wording.answer_label(step.user_selection))[:-1]} by"
        )
        reworded = ", in your wording" if step.edited_content is not None else ""
        return f"{said} {escape_inline(answer.model)}{reworded} · {cost}"
    merged = [
        known[part.response_id]
        for part in step.merged_from
        if part.response_id in known
    ]
    names = list(dict.fromkeys(escape_inline(answer.model) for answer in merged))
    if not names:
        return "Written by you"
    total = wording.total_cost_text(wording.sum_costs(dict.fromkeys(merged)))
    return f"Merged by you from {wording.join_names(names)}" + (
        f" · {total}" if total else ""
    )


def _primer_text(run: PipelineRun) -> str:
    if run.primer is None:
        return ""
    return f"In the style of {run.primer.primer_id} ({run.primer.version})."


def _feedback_text(step: StepState) -> str:
    if not step.user_feedback:
        return ""
    feedback = escape_inline(shorten(step.user_feedback, _MAX_FEEDBACK_LENGTH))
    return f"You said: “{feedback}”"
