"""The page of a run, the tree of its branches, and the hover about an applied text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from writeit.domain.answer import ResponseFailure
from writeit.domain.blind import hidden_letters
from writeit.domain.document import SourceFile
from writeit.domain.entity import NAME_PATTERN
from writeit.domain.run import AppliedText, PipelineRun, StepState, StepStatus
from writeit.domain.run_summary import RunNode, StaleStep
from writeit.text.diff import count_words
from writeit.views import wording
from writeit.views.answer_heads import run_cost_text, step_cost_text
from writeit.views.escape import (
    code_block,
    escape_inline,
    escape_line,
    join_blocks,
    page_of_blocks,
    shorten,
)
from writeit.views.page_outline import split_page_lines
from writeit.views.uris import StepView, View, view_uri
from writeit.views.wording import run_next_action, run_status_text, step_status_text

_MAX_NAME_LENGTH = 60


def tree_rows(
    root: RunNode,
    current_run: UUID | None = None,
    style_label: Callable[[RunNode, str], str] = lambda _, label: label,
) -> list[tuple[str, RunNode | None]]:
    """Return the lines of a tree with their runs, None for "more branches".

    `current_run` is marked. `style_label` may add terminal styles to a run's label.
    """
    rows: list[tuple[str, RunNode | None]] = []
    pending: list[tuple[RunNode | None, str, str]] = [(root, "", "")]
    while pending:
        node, first, rest = pending.pop()
        if node is None:
            rows.append((f"{first}… more", None))
            continue
        rows.append(
            (f"{first}{style_label(node, _node_label(node, current_run))}", node)
        )
        pending += reversed(list(_child_rows(node, rest)))
    return rows


def _child_rows(
    node: RunNode, indent: str
) -> Iterator[tuple[RunNode | None, str, str]]:
    """Yield each child with the prefix of its line and of the lines below it.

    The branches come first, then the passages; None stands for what was not read.
    """
    children = [*node.children, *node.passages, *([None] if node.more else [])]
    for number, child in enumerate(children, start=1):
        last = number == len(children)
        yield (
            child,
            f"{indent}{'└─ ' if last else '├─ '}",
            f"{indent}{'   ' if last else '│  '}",
        )


def _node_label(node: RunNode, current_run: UUID | None) -> str:
    run = node.summary
    name = shorten(wording.run_title(run), _MAX_NAME_LENGTH)
    if run.passage or run.is_review:
        name = f"{name} · {run.pipeline}"
    if run.branch_point is not None:
        name = f"from {run.branch_point}: {name}"
    facts = [name]
    if run.deleted:
        facts.append("deleted")
    else:
        facts.append(wording.run_status_label(run))
        if run.cost_usd is not None and not run.is_blind:
            facts.append(wording.format_usd(run.cost_usd))
        facts.append(wording.format_datetime(run.created_at))
    mark = "  ← this run" if run.run_id == current_run else ""
    return f"{' · '.join(facts)}{mark}"


_RUN_TREE_HEADING = "## Branches"
_MAX_INPUT_LENGTH = 100
_STEP_LINE = re.compile(rf"\d+\. (?:\*\*)?\[({NAME_PATTERN.strip('^$')})\]")


def render_run(
    run: PipelineRun,
    run_tree: RunNode | None = None,
    *,
    stale: Sequence[StaleStep] = (),
    make_link: Callable[[View], str] = view_uri,
) -> str:
    """Return the page of a run; `make_link` returns the address of another page."""
    return page_of_blocks(
        f"# {escape_inline(wording.run_title(run))}",
        _origin_line(run),
        _status_section(run),
        run_next_action(run),
        f"**{escape_inline(wording.stale_text(stale))}.**" if stale else "",
        f"## Steps\n\n{_steps_section(run)}",
        _failures_section(run),
        _inputs_section(run),
        _run_tree_section(run, run_tree),
        _link_definitions(run, make_link),
    )


def _origin_line(run: PipelineRun) -> str:
    origin = f"{run.pipeline}, started {wording.format_datetime(run.created_at)}"
    if run.branch_point is not None:
        origin += f", branched at {run.branch_point}"
    if (primer := run.used_primer) is not None:
        origin += f", style {primer.primer_id} ({primer.version})"
    return escape_line(f"{origin}.")


def _status_section(run: PipelineRun) -> str:
    status = f"**{wording.to_sentence(run_status_text(run))}**"
    cost = run_cost_text(run)
    label = "Total cost" if run.is_finished else "Cost so far"
    return f"{status} {label}: {cost.removeprefix('cost ')}." if cost else status


def _steps_section(run: PipelineRun) -> str:
    return "\n".join(
        f"{number}. {_step_line(run, step)}"
        for number, step in enumerate(run.steps.values(), start=1)
    )


def find_step_lines(page: str) -> list[tuple[int, str]]:
    """Return the line numbers of the steps on a run's page, each with its step."""
    lines: list[tuple[int, str]] = []
    for number, text in enumerate(split_page_lines(page)):
        if match := _STEP_LINE.match(text):
            lines.append((number, match[1]))
        elif lines:
            break
    return lines


def _step_line(run: PipelineRun, step: StepState) -> str:
    is_current = step.step_name == run.current_step and step.status in {
        StepStatus.PENDING,
        StepStatus.RUNNING,
    }
    name = f"[{step.step_name}]"
    facts = [f"**{name}**" if is_current else name, step_status_text(step, run)]
    if step.chosen is not None:
        facts.append(escape_inline(step.chosen.model))
    if step.content:
        facts.append(wording.text_length(step.content))
    facts.append(step_cost_text(step))
    return " · ".join(filter(None, facts))


def _failures_section(run: PipelineRun) -> str:
    lines = [
        f"- {step.step_name}: {_failed_call(step, failure)},"
        f" {wording.FAILURE_DESCRIPTIONS[failure.reason]}."
        f" {wording.FAILURE_REMEDIES[failure.reason]}"
        for step in run.steps.values()
        for failure in step.failures
    ]
    return join_blocks("## Failed calls", "\n".join(lines)) if lines else ""


def _failed_call(step: StepState, failure: ResponseFailure) -> str:
    if failure.response_id in hidden_letters(step):
        return wording.answer_label(step, failure.response_id)
    return escape_inline(failure.model)


def _inputs_section(run: PipelineRun) -> str:
    lines = [
        f"- {escape_inline(name)}: {_input_text(text)}"
        for name, text in run.user_inputs.items()
        if text.strip()
    ]
    return join_blocks("## Inputs", "\n".join(lines)) if lines else ""


def _input_text(text: str) -> str:
    short = shorten(text, _MAX_INPUT_LENGTH)
    quoted = f"“{escape_inline(short)}”"
    return f"{quoted} ({wording.text_length(text)})" if short.endswith("…") else quoted


def node_at_line(
    page: str, line: int, run: PipelineRun, load_tree: Callable[[], RunNode]
) -> RunNode | None:
    """Return the run that a line of a run's page shows in its tree, or None.

    The page may be older than the tree: only a line that is still the same counts.
    The tree is loaded only if the page has one.
    """
    lines = split_page_lines(page)
    if _RUN_TREE_HEADING not in lines or line >= len(lines):
        return None
    index = line - lines.index(_RUN_TREE_HEADING) - len(["", "```"]) - 1
    if index < 0:
        return None
    rows = tree_rows(load_tree(), run.pipeline_run_id)
    if index >= len(rows) or rows[index][0] != lines[line]:
        return None
    return rows[index][1]


def _run_tree_section(run: PipelineRun, root: RunNode | None) -> str:
    if root is None or not (root.children or root.passages):
        return ""
    lines = [line for line, _ in tree_rows(root, run.pipeline_run_id)]
    return join_blocks(_RUN_TREE_HEADING, code_block("\n".join(lines)))


def _link_definitions(run: PipelineRun, make_link: Callable[[View], str]) -> str:
    """Define the links of the step names; a preview does not show these lines."""
    return "\n".join(
        f"[{name}]: {make_link(StepView(run.pipeline_run_id, name))}"
        for name in run.step_names
    )


_MAX_FEEDBACK_LENGTH = 160


def render_origin(run: PipelineRun, applied_text: AppliedText, paragraph: str) -> str:
    """Return the run, step, author, style and feedback of an applied text.

    `paragraph` is the one that the user asks about, as it is in the document.
    """
    step = run.steps[applied_text.step]
    primer = run.primer_in(step.source_answers)
    return page_of_blocks(
        f"**{escape_inline(wording.run_label(run))}**, {step.step_name}",
        _paragraph_source(step, paragraph),
        _file_link(run, paragraph),
        f"{_author_text(step)}.",
        f"Style: {primer.primer_id} ({primer.version})." if primer else "",
        _feedback_text(step),
        f"In the document since {wording.format_datetime(applied_text.at)}.",
    )


def _paragraph_source(step: StepState, paragraph: str) -> str:
    """Say whose words a paragraph of a merged or edited text is."""
    if step.edited_content is None and step.merged_content is None:
        return ""
    names = [answer_name(step, part.response_id) for part in step.sources_of(paragraph)]
    return f"This paragraph: {wording.join_names(list(dict.fromkeys(names)))}."


def _file_link(run: PipelineRun, paragraph: str) -> str:
    """Lead to the file with the most words of a paragraph that few files have."""
    document = run.document
    own = SourceFile(name=run.title, uri=run.uri or "", text=document.text)
    if not document.notes:
        return ""
    files = [file for file in (own, *document.notes) if file.text.strip()]
    words = [set(count_words(file.text.casefold())) for file in files]
    asked = set(count_words(paragraph.casefold()))
    counts = {word: sum(word in each for each in words) for word in asked}
    scores = [
        sum(1 / counts[w] for w in asked & each if counts[w] < max(len(files), 2))
        for each in words
    ]
    if not any(scores):
        return ""
    file = files[scores.index(max(scores))]
    return f"From [{escape_inline(file.name)}](<{file.uri}>)."


def answer_name(step: StepState, response_id: UUID | None) -> str:
    """Return the name and model of an answer; None stands for the user's words."""
    answer = step.find_response(response_id) if response_id else None
    if answer is None:
        return "your own words"
    label = wording.answer_label(step, answer.response_id)
    is_hidden = answer.response_id in hidden_letters(step)
    return label if is_hidden else f"{label} by {escape_inline(answer.model)}"


def _author_text(step: StepState) -> str:
    if (answer := step.chosen) is not None:
        usage = answer.usage_stats
        edited = ", edited by you" if step.edited_content is not None else ""
        return (
            f"Answer {step.numbers[answer.response_id]} by"
            f" {escape_inline(answer.model)}{edited}"
            f" · {wording.cost_text(usage.cost_usd, estimated=usage.estimated)}"
        )
    merged = step.source_answers
    names = list(dict.fromkeys(escape_inline(answer.model) for answer in merged))
    if not names:
        return "Written by you"
    cost = wording.total_cost_text(merged)
    return (
        f"Merged by you from {wording.join_names(names)}{f' · {cost}' if cost else ''}"
    )


def _feedback_text(step: StepState) -> str:
    if not step.user_feedback:
        return ""
    feedback = escape_inline(shorten(step.user_feedback, _MAX_FEEDBACK_LENGTH))
    return f"Your feedback: “{feedback}”"
