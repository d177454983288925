"""The one place where states, reasons, costs and times are put into words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from writeit.domain.answer import LENGTH_FINISH_REASONS, AIResponse
from writeit.domain.blind import answer_name, drawn_letters
from writeit.domain.errors import FailureReason
from writeit.domain.operations.generate import incomplete_calls
from writeit.domain.operations.review import describe_review
from writeit.domain.remarks import Remark
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.domain.run_summary import RunSummary, StaleStep
from writeit.text.lines import make_visible
from writeit.views.escape import shorten, single_line

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MINUTE = 60
_CENT = 0.01
_SMALLEST_AMOUNT = 0.0001

FAILURE_DESCRIPTIONS: Final[dict[FailureReason, str]] = {
    "auth": "the provider did not accept the key, or no key is set",
    "forbidden": "the provider does not allow this model or this use of it",
    "quota": "the account with the provider has no money left, or its limit is reached",
    "rate_limit": "the provider's rate limit was reached",
    "overloaded": "the provider has too many requests at the moment",
    "timeout": "no answer arrived in time",
    "context": "the prompt is too long for this model",
    "invalid_request": "the provider did not accept the request",
    "unavailable": "the provider could not be reached",
    "not_running": "no model server answers at its address",
    "not_installed": "the model is not installed",
    "tls": "the provider's certificate was not accepted",
    "proxy": "the network's proxy refused the connection",
    "refused": "the provider refused to answer",
    "moderated": "the provider's moderation blocked the text",
    "malformed": "the provider sent something that is not an answer",
    "empty": "the answer was empty",
    "not_found": "the provider does not know this model",
    "cancelled": "stopped before anything was received",
}
"""Why no text was received."""

FAILURE_REMEDIES: Final[dict[FailureReason, str]] = {
    "auth": "Set a key for this provider, then generate again.",
    "forbidden": "Ask the provider for access, or use another model.",
    "quota": "Add credit or raise the limit at the provider, or use another model.",
    "rate_limit": "Wait a little and generate again, or use another model.",
    "overloaded": "Wait a little and generate again, or use another model.",
    "timeout": "Generate again, or use another model.",
    "context": "Shorten the text, or use a model with a larger context window.",
    "invalid_request": "Check the step's settings, or use another model.",
    "unavailable": "Check your network connection, then generate again.",
    "not_running": "Start the model server, then generate again.",
    "not_installed": "Install the model, then generate again.",
    "tls": "If your company signs for its own servers, set SSL_CERT_FILE.",
    "proxy": "Check the proxy's address and sign-in in HTTPS_PROXY.",
    "refused": "Change the text or the request, or use another model.",
    "moderated": "Change the text or the request, or use another model.",
    "malformed": "Generate again, or use another model.",
    "empty": "Generate again, allow more tokens with reasoning, or use another model.",
    "not_found": "Choose a model from the list of models.",
    "cancelled": "Generate again when you like.",
}
"""What the user can do about it."""


def failure_text(reason: FailureReason) -> str:
    """Say why no text was received, and what the user can do about it."""
    return f"{to_sentence(FAILURE_DESCRIPTIONS[reason])} {FAILURE_REMEDIES[reason]}"


_INTERRUPTIONS: Final[dict[str, str]] = {
    "cancelled": "stopped before its end",
    "timeout": "no more text arrived in time",
    "unavailable": "the connection to the provider was lost",
    "not_running": "the model server has stopped",
    "rate_limit": "the provider's rate limit was reached",
    "overloaded": "the provider has too many requests",
    "quota": "the account with the provider has no money left",
    "moderated": "the provider's moderation blocked the text",
    "context": "the model's context window is full",
    "proxy": "the network's proxy ended the connection",
    "refused": "the provider refused to continue",
    "malformed": "the provider sent something that is not text",
}
"""Why an answer is incomplete, by its finish reason."""

_BLOCKED_ENDINGS: Final[dict[str, str]] = {
    "content_filter": "the provider's filter ended it",
    "refused": "the provider refused to continue it",
    "context": "it reached the model's context window, so its end is missing",
}
"""Why an answer is incomplete that the provider called ended, by its finish reason."""

_RUN_STATUSES: Final[dict[PipelineStatus, str]] = {
    PipelineStatus.INITIALIZING: "not started",
    PipelineStatus.RUNNING: "",
    PipelineStatus.PAUSED: "stopped",
    PipelineStatus.COMPLETED: "finished",
    PipelineStatus.ERROR: "failed",
}
"""The state of a run; while it is running the current step's state says more."""


def answer_label(step: StepState, response_id: UUID) -> str:
    """Name an answer of a step: "answer 2", "answer A" until a blind choice."""
    return f"answer {answer_name(step, response_id)}"


def count_of(amount: int, singular: str, plural: str = "") -> str:
    """Count things: "1 answer", "1,204 words"."""
    return f"{amount:,} {singular if amount == 1 else plural or f'{singular}s'}"


def join_names(names: Sequence[str]) -> str:
    """List names: "angles, outline and draft"."""
    if len(names) < len("ab"):
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def to_sentence(text: str) -> str:
    """Return a phrase with a capital and a full stop."""
    return f"{text[:1].upper()}{text[1:]}."


def text_length(text: str, wanted: int | None = None) -> str:
    """Return a text's length: "1,204 words"; with a target "640 words of 800"."""
    length = count_of(len(text.split()), "word")
    return length if wanted is None else f"{length} of {wanted:,}"


def format_usd(usd: float) -> str:
    """Format US dollars, small amounts with more digits."""
    if usd == 0:
        return "free"
    if usd < _SMALLEST_AMOUNT:
        return f"under ${_SMALLEST_AMOUNT}"
    if usd < _CENT:
        return f"${usd:.4f}"
    return f"${usd:.3f}" if usd < 1 else f"${usd:,.2f}"


def cost_text(usd: float | None, *, estimated: bool = False) -> str:
    """Format the cost of one call."""
    if usd is None:
        return "cost unknown"
    return f"about {format_usd(usd)}" if estimated and usd else format_usd(usd)


def about_cost(usd: float | None) -> str:
    """Return an estimate as it ends a title, " · about $0.02"; "" if it is unknown."""
    return "" if usd is None else f" · {cost_text(usd, estimated=True)}"


def total_cost_text(
    answers: Iterable[AIResponse], steps: Iterable[StepState] = ()
) -> str:
    """Format the cost of answers and of the failed calls of steps; "" if none is."""
    usages = [answer.usage_stats for answer in answers]
    known = [usage.cost_usd for usage in usages if usage.cost_usd is not None]
    unknown = len(usages) - len(known)
    known += [s.failed_cost_usd for s in steps if s.failed_cost_usd is not None]
    if not known:
        return "cost unknown" if unknown else ""
    estimated = any(usage.estimated and usage.cost_usd for usage in usages)
    total = cost_text(sum(known), estimated=estimated)
    return (
        f"{total}, and {count_of(unknown, 'answer')} of unknown cost"
        if unknown
        else total
    )


def format_duration(duration: float) -> str:
    """Format a duration in seconds."""
    if duration < _MINUTE:
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes} min"


def thinking_text(seconds: float | None, tokens: int | None) -> str:
    """Say that a model thinks, for how long and how much: "thinking: 12 s"."""
    facts = [] if seconds is None else [f"{seconds:.0f} s"]
    facts += [] if tokens is None else [f"about {count_of(tokens, 'token')}"]
    return f"thinking: {', '.join(facts)}" if facts else "thinking"


def format_date(timestamp: datetime) -> str:
    """Format a day: "22 November 2026"."""
    return f"{timestamp.day} {_MONTHS[timestamp.month - 1]} {timestamp.year}"


def format_datetime(timestamp: datetime) -> str:
    """Format a time in UTC: "22 November 2026, 21:03 UTC"."""
    return f"{format_date(timestamp)}, {timestamp:%H:%M} UTC"


def describe_ending(answer: AIResponse) -> str:
    """Say why an answer is incomplete, or "" if it is complete."""
    return ending_text(answer.finish_reason, partial=answer.partial)


def ending_text(finish_reason: str | None, *, partial: bool = False) -> str:
    """Say why an answer that ended for a reason is incomplete, or ""."""
    if partial:
        reason = _INTERRUPTIONS.get(finish_reason or "", "its end is missing")
        return f"{reason}; what was received is kept"
    if finish_reason in LENGTH_FINISH_REASONS:
        return "it reached the step's length limit, so its end is missing"
    return _BLOCKED_ENDINGS.get(finish_reason or "", "")


def incomplete_choices(run: PipelineRun) -> list[str]:
    """Say of each chosen answer that is incomplete why it is, one sentence each."""
    return [
        f"Answer {answer_name(step, answer.response_id)} of {step.step_name} is"
        f" incomplete: {describe_ending(answer)}."
        for step, answer in run.incomplete
    ]


def run_label(run: PipelineRun | RunSummary) -> str:
    """Return the name of a run with its pipeline, as plain text."""
    title, pipeline = run_title(run), run.pipeline
    return title if title == pipeline else f"{title} · {pipeline}"


def run_title(run: PipelineRun | RunSummary) -> str:
    """Return a run's name, its passage, its document's title or file, or its pipeline.

    It is plain text on one line.
    """
    passage = f"“{shorten(run.passage, 50)}”" if run.passage else ""
    names = (run.name or "", passage, run.title, run.pipeline)
    return next(filter(None, map(single_line, names)), "run")


def run_in_family(run: PipelineRun) -> str:
    """Return what tells a run from the others of its family."""
    if name := single_line(run.name or ""):
        return f"run “{name}”"
    return f"run from {run.branch_point}" if run.branch_point else "first run"


def run_status_label(run: PipelineRun | RunSummary) -> str:
    """Return a run's status in a few words."""
    label = _RUN_STATUSES[run.status]
    if run.status not in {PipelineStatus.INITIALIZING, PipelineStatus.COMPLETED}:
        label = f"{label} at {run.current_step}".strip()
    return f"{label}, text incomplete" if run.incomplete else label


def run_status_text(run: PipelineRun) -> str:
    """Return a run's status as the text of a sentence."""
    label = run_status_label(run)
    match run.status:
        case PipelineStatus.INITIALIZING:
            return f"{label}; nothing has been sent"
        case PipelineStatus.RUNNING:
            return f"{label}: {step_status_text(run.steps[run.current_step], run)}"
        case PipelineStatus.PAUSED | PipelineStatus.ERROR:
            return f"{label}; what was received is kept"
        case PipelineStatus.COMPLETED:
            return f"{label}: {describe_review(run)}" if run.review_step else label


def current_step_status_text(run: PipelineRun) -> str:
    """Return where the current step stands, or that the run has stopped there."""
    if run.status in {PipelineStatus.INITIALIZING, PipelineStatus.RUNNING}:
        return step_status_text(run.steps[run.current_step])
    return _RUN_STATUSES[run.status]


def step_status_text(step: StepState, run: PipelineRun | None = None) -> str:
    """Return a step's status as the text of a sentence; of a review with its `run`."""
    if run and step == run.review_step and step.ai_responses and not step.streaming:
        return describe_review(run)
    match step.status:
        case StepStatus.PENDING:
            return "no answer received" if step.failures else "not generated yet"
        case StepStatus.RUNNING if coming := len(step.streaming):
            total = coming + len(step.ai_responses)
            verb = "is" if coming == 1 else "are"
            part = f"{coming} of " if total > 1 else ""
            return f"{part}{count_of(total, 'answer')} {verb} still being generated"
        case StepStatus.RUNNING:
            return f"{count_of(len(step.ai_responses), 'answer')} to choose from"
        case StepStatus.COMPLETED:
            return selection_text(step)
        case StepStatus.SKIPPED:
            return "skipped"


def selection_text(step: StepState) -> str:
    """Say what the user chose in a step, "" if nothing is chosen."""
    if (chosen := step.chosen) is not None:
        answer = answer_label(step, chosen.response_id)
        if letter := drawn_letters(step).get(chosen.response_id):
            answer += f" (shown as {letter})"
        choice = f"you chose {answer}"
        if step.part is not None:
            return f"you chose a part of {answer}"
        if step.edited_content is not None:
            return f"{choice} and edited it"
        return f"{choice}, which is incomplete" if chosen.is_cut else choice
    if step.merged_content is None:
        return ""
    numbers = step.numbers
    used = [numbers.get(p.response_id) for p in step.merged_from if p.response_id]
    merged = [str(number) for number in dict.fromkeys(used) if number]
    if not merged:
        return "you wrote the merge yourself"
    return (
        f"you merged {'answer' if len(merged) == 1 else 'answers'} {join_names(merged)}"
    )


def interruption_text(run: PipelineRun) -> str:
    """Say that a run was interrupted and how it continues, "" if it was not."""
    match run.status:
        case PipelineStatus.PAUSED:
            return "The run is stopped. Your next action resumes it."
        case PipelineStatus.ERROR:
            return "The run failed. Your next action resumes it."
        case _:
            return ""


_CHANGED = {"source": "Notes", "pipeline": "Pipeline", "primer": "Style"}
_MAX_FILES_NAMED = 3


def stale_text(stale: Sequence[StaleStep]) -> str:
    """Say what has changed since steps were generated, "" if nothing has."""
    if not stale:
        return ""
    reasons = [reason for reason in stale[0].reasons if reason.kind != "step"]
    kinds = [_CHANGED[reason.kind] for reason in reasons if not reason.is_named]
    first, *others = kinds or [""]
    files = [make_visible(reason.name) for reason in reasons if reason.is_named]
    if files[_MAX_FILES_NAMED:]:
        files[_MAX_FILES_NAMED - 1 :] = [
            count_of(len(files) - _MAX_FILES_NAMED + 1, "more file")
        ]
    changed = join_names([n for n in (first, *map(str.lower, others), *files) if n])
    more = f" and {len(stale) - 1} more" if stale[1:] else ""
    return f"{changed} changed since: {stale[0].step}{more}"


def run_next_action(run: PipelineRun) -> str:
    """Say what the user can do next with a run."""
    step = run.steps[run.current_step]
    match run.status:
        case PipelineStatus.INITIALIZING:
            return f"Next: generate {step.step_name}."
        case PipelineStatus.COMPLETED if run.review_step:
            return _REVIEW_ACTION
        case PipelineStatus.COMPLETED:
            return "Apply the text to your document, export it, or branch at a step."
        case _:
            return f"{interruption_text(run)} {_current_step_action(step)}".strip()


def _current_step_action(step: StepState) -> str:
    name = step.step_name
    if step.streaming:
        return f"Open {name} to read along. {_STOP_SENTENCE}"
    if step.status is StepStatus.RUNNING:
        return f"Open {name} to choose, merge or regenerate."
    if step.failures:
        return f"Generate {name} again, or skip it."
    return f"Next: generate {name}, or skip it."


_REVIEW_ACTION = (
    "A review changes no text. Apply or dismiss its remarks in the document, or"
    " regenerate it."
)
_STOP_SENTENCE = "You can stop at any time; what was received is kept."


def step_next_action(
    run: PipelineRun, step: StepState, *, editable: bool = True
) -> str:
    """Say what the user can do next in a step.

    `editable` is whether the user can type into the page that shows it.
    """
    if step.streaming:
        return f"You can read along and add passages to the merge. {_STOP_SENTENCE}"
    if step == run.review_step and step.ai_responses:
        return _REVIEW_ACTION
    match step.status:
        case StepStatus.PENDING:
            return _pending_step_action(run, step)
        case StepStatus.RUNNING:
            return _answered_step_action(step, editable=editable)
        case StepStatus.COMPLETED:
            return _completed_step_action(run, step)
        case StepStatus.SKIPPED:
            return (
                "The run continues without it. To generate it after all, branch here."
            )


def _pending_step_action(run: PipelineRun, step: StepState) -> str:
    if step.step_name != run.current_step:
        return f"You can generate it when {run.current_step} is done."
    if step.failures:
        return "Generate it again, or skip it."
    return (
        "Generate it, or skip it. You can read the exact prompt before anything is"
        " sent."
    )


def _answered_step_action(step: StepState, *, editable: bool) -> str:
    how = "after editing its text here" if editable else "edited"
    sentences = [
        f"Choose an answer, as it is or {how}.",
        "Or add passages to the merge below.",
    ]
    if missing := len(incomplete_calls(step)):
        verb, pronoun = ("is", "it") if missing == 1 else ("are", "them")
        sentences.append(
            f"{count_of(missing, 'answer')} {verb} incomplete or missing: run the step"
            f" again to generate only {pronoun}."
        )
    left = MAX_RETRIES - step.retry_count
    if not left:
        sentences.append("No regenerations are left; a branch can generate again.")
    elif editable:
        sentences.append(
            f"Not right yet? Say why under Feedback and regenerate ({left} left)."
        )
    else:
        sentences.append(f"Not right yet? Regenerate ({left} left).")
    return " ".join(sentences)


def _completed_step_action(run: PipelineRun, step: StepState) -> str:
    later = run.later_steps(step.step_name)
    if any(state.status is not StepStatus.PENDING for state in later):
        return "Later steps use it. To try something else, branch here."
    change = "You can still change your choice"
    if later:
        return f"Next: {later[0].step_name}. {change} until then."
    if all(state.status in DONE_STATUSES for state in run.steps.values()):
        return f"Apply the text to your document, or export it. {change}."
    return f"{change}."


def remark_text(remark: Remark) -> str:
    """Return what a remark says, with its suggestion and how many models made it."""
    parts = [remark.remark]
    if remark.replacement:
        parts.append(f"Suggestion: {remark.replacement}")
    if remark.count > 1:
        parts.append(f"({count_of(remark.count, 'model')})")
    return " ".join(parts)
