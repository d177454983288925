"""States, reasons, costs and times in plain words, each said in one place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from writeit.domain.errors import FailureReason
from writeit.domain.operations.generate import incomplete_calls
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    AIResponse,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.views.escape import single_line

# --- States, reasons, costs and times in plain words, each said in one place ----------

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MINUTE = 60
_CENT = 0.01
_SMALLEST_AMOUNT = 0.0001

FAILURE_DESCRIPTIONS: Final[dict[FailureReason, str]] = {
    "auth": "the provider did not accept the key, or there is none",
    "rate_limit": "the provider asked for a pause",
    "timeout": "no answer came in time",
    "context": "the prompt is too long for this model",
    "invalid_request": "the provider did not accept the request",
    "unavailable": "the provider could not be reached",
    "refused": "the provider declined to answer",
    "malformed": "what came was no answer",
    "empty": "the answer was empty",
    "not_found": "the provider does not know this model",
    "cancelled": "stopped before anything came",
}
"""Why nothing came."""

FAILURE_REMEDIES: Final[dict[FailureReason, str]] = {
    "auth": "Set a key for this provider, then ask again.",
    "rate_limit": "Wait a little and ask again, or ask another model.",
    "timeout": "Ask again, or ask another model.",
    "context": "Shorten the text, or ask a model that takes longer ones.",
    "invalid_request": "Look at the step's settings, or ask another model.",
    "unavailable": "Look whether the network is there, then ask again.",
    "refused": "Put the text or the request differently, or ask another model.",
    "malformed": "Ask again, or ask another model.",
    "empty": "Ask again, or ask another model.",
    "not_found": "Choose a model from the list of models.",
    "cancelled": "Ask again whenever you like.",
}
"""What to do about it."""

_INTERRUPTION_DESCRIPTIONS: Final[dict[str, str]] = {
    "cancelled": "stopped before its end",
    "timeout": "cut short: nothing more came in time",
    "unavailable": "cut short: the connection to the provider was lost",
    "rate_limit": "cut short: the provider asked for a pause",
    "refused": "cut short: the provider declined to go on",
    "malformed": "cut short: what came next was no text",
}
"""Why an answer is not whole, where it is known better than that it was cut."""

LENGTH_FINISH_REASONS: Final = frozenset({"length", "max_tokens"})
"""Providers' words for an answer that was as long as the step allows."""


def answer_number(index: int) -> int:
    """Return the number by which people know the answer at `index`: from 1."""
    return index + 1


def numbered_answer(displayed_number: int) -> str:
    """Name an answer by its number as it is shown."""
    return f"answer {displayed_number}"


def answer_label(index: int) -> str:
    """Name the answer at `index`."""
    return numbered_answer(answer_number(index))


def count_of(amount: int, singular: str, plural: str = "") -> str:
    """Count things: "1 answer", "1,204 words"."""
    return f"{amount:,} {singular if amount == 1 else plural or f'{singular}s'}"


def join_names(names: Sequence[str]) -> str:
    """List names: "angles, outline and draft"."""
    if len(names) < len("ab"):
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def to_sentence(text: str) -> str:
    """Make a sentence of words that stand for themselves elsewhere."""
    return f"{text[:1].upper()}{text[1:]}."


def count_words(text: str) -> int:
    """Return how many words a text has."""
    return len(text.split())


def text_length(text: str) -> str:
    """Say how long a text is."""
    return count_of(count_words(text), "word")


def format_usd(usd: float) -> str:
    """Say an amount of US dollars, small ones more exactly."""
    if usd == 0:
        return "free"
    if usd < _SMALLEST_AMOUNT:
        return f"under ${_SMALLEST_AMOUNT}"
    if usd < _CENT:
        return f"${usd:.4f}"
    return f"${usd:.3f}" if usd < 1 else f"${usd:,.2f}"


def cost_text(usd: float | None, *, estimated: bool = False) -> str:
    """Say what one call cost."""
    if usd is None:
        return "cost unknown"
    return f"about {format_usd(usd)}" if estimated and usd else format_usd(usd)


@dataclass(frozen=True, slots=True)
class TotalCost:
    """What several answers cost together."""

    usd: float | None
    """Of those whose cost is known; None if none is."""
    unknown_count: int = 0
    """How many cost nobody knows what."""
    estimated: bool = False


def sum_costs(answers: Iterable[AIResponse]) -> TotalCost:
    """Add up what answers cost."""
    usages = [answer.usage_stats for answer in answers]
    known = [usage.cost_usd for usage in usages if usage.cost_usd is not None]
    return TotalCost(
        usd=sum(known) if known else None,
        unknown_count=len(usages) - len(known),
        estimated=any(u.estimated and u.cost_usd for u in usages),
    )


def total_cost_text(cost_sum: TotalCost) -> str:
    """Say what several answers cost together; nothing if there are none."""
    if cost_sum.usd is None:
        return "cost unknown" if cost_sum.unknown_count else ""
    known = cost_text(cost_sum.usd, estimated=cost_sum.estimated)
    if not cost_sum.unknown_count:
        return known
    return f"{known}, and {count_of(cost_sum.unknown_count, 'answer')} of unknown cost"


def format_duration(duration: float) -> str:
    """Say how long something took."""
    if duration < _MINUTE:
        return f"{duration:.1f} s"
    minutes, rest = divmod(round(duration), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes} min"


def format_date(timestamp: datetime) -> str:
    """Say a day: "22 November 2026"."""
    return f"{timestamp.day} {_MONTHS[timestamp.month - 1]} {timestamp.year}"


def format_datetime(timestamp: datetime) -> str:
    """Say a moment, which is in UTC: "22 November 2026, 21:03 UTC"."""
    return f"{format_date(timestamp)}, {timestamp:%H:%M} UTC"


def describe_failure(reason: FailureReason) -> str:
    """Say why a call ended without any text."""
    return FAILURE_DESCRIPTIONS[reason]


def failure_remedy(reason: FailureReason) -> str:
    """Say what to do about a call that ended without any text."""
    return FAILURE_REMEDIES[reason]


def describe_ending(answer: AIResponse) -> str:
    """Say how an answer ended, where it is not simply whole; else nothing."""
    if answer.partial:
        why = _INTERRUPTION_DESCRIPTIONS.get(answer.finish_reason or "", "cut short")
        return f"{why}; what came is kept"
    if answer.finish_reason in LENGTH_FINISH_REASONS:
        return "as long as the step allows; the end may be missing"
    return ""


def run_status_label(status: PipelineStatus, step: str) -> str:
    """Say in a few words where a run stands."""
    match status:
        case PipelineStatus.INITIALIZING:
            return "not started"
        case PipelineStatus.RUNNING:
            return f"at {step}"
        case PipelineStatus.PAUSED:
            return f"stopped at {step}"
        case PipelineStatus.COMPLETED:
            return "finished"
        case PipelineStatus.ERROR:
            return f"failed at {step}"


def run_label(run: PipelineRun) -> str:
    """Name a run and its pipeline, in plain text."""
    title, pipeline = run_title(run), run.pipeline
    return title if title == pipeline else f"{title} · {pipeline}"


def run_title(run: PipelineRun) -> str:
    """Return what to call a run: its name, its document's title or file, its pipeline.

    It is plain text on one line.
    """
    names = (run.name or "", run.title, run.pipeline)
    return next(filter(None, map(single_line, names)), "run")


# --- Where a run and a step stand, and what the writer can do next, in sentences ------


def run_status_text(run: PipelineRun) -> str:
    """Say where a run stands."""
    step = run.steps[run.current_step]
    match run.status:
        case PipelineStatus.INITIALIZING:
            return "ready to begin; nothing was sent yet"
        case PipelineStatus.RUNNING:
            return f"at {step.step_name}: {step_status_text(step)}"
        case PipelineStatus.PAUSED:
            return f"stopped at {step.step_name}; what came is kept"
        case PipelineStatus.COMPLETED:
            return "finished"
        case PipelineStatus.ERROR:
            return f"something failed at {step.step_name}; what came is kept"


def step_status_text(step: StepState) -> str:
    """Say where a step stands."""
    match step.status:
        case StepStatus.PENDING:
            return "no answer came" if step.failures else "not asked yet"
        case StepStatus.RUNNING:
            return _running_step_text(step)
        case StepStatus.COMPLETED:
            return selection_text(step)
        case StepStatus.SKIPPED:
            return "skipped"


def selection_text(step: StepState) -> str:
    """Say what the writer chose in a step; nothing if nothing is chosen."""
    if step.user_selection is not None:
        chosen = f"you chose {answer_label(step.user_selection)}"
        return chosen if step.edited_content is None else f"{chosen} and reworded it"
    if step.merged_content is None:
        return ""
    merged = merged_answer_numbers(step)
    if not merged:
        return "you merged it in your own words"
    name = "answer" if len(merged) == 1 else "answers"
    return f"you merged {name} {join_names([str(n) for n in merged])}"


def merged_answer_numbers(step: StepState) -> list[int]:
    """Return the shown numbers of the answers that a merge was made from."""
    numbers = {
        answer.response_id: answer_number(index)
        for index, answer in enumerate(step.ai_responses)
    }
    used = [numbers.get(p.response_id) for p in step.merged_from if p.response_id]
    return list(dict.fromkeys(n for n in used if n is not None))


def interruption_text(run: PipelineRun) -> str:
    """Say that a run was interrupted and that this does no harm; else nothing."""
    match run.status:
        case PipelineStatus.PAUSED:
            return "The run is stopped; whatever you do next goes on with it."
        case PipelineStatus.ERROR:
            return "Something failed; whatever you do next goes on with the run."
        case _:
            return ""


def run_next_action(run: PipelineRun) -> str:
    """Say what the writer can do next with a run."""
    step = run.steps[run.current_step]
    match run.status:
        case PipelineStatus.INITIALIZING:
            return f"Run {step.step_name} to ask the models."
        case PipelineStatus.COMPLETED:
            return "Apply the text to your document, export it, or branch at a step."
        case _:
            return f"{interruption_text(run)} {_current_step_action(step)}".strip()


def step_next_action(
    run: PipelineRun, step: StepState, *, editable: bool = True
) -> str:
    """Say what the writer can do next in a step.

    `editable` is whether she can type into the page that says so.
    """
    if step.streaming:
        return (
            "Read along, and take passages already. You can stop at any time:"
            " what came is kept."
        )
    match step.status:
        case StepStatus.PENDING:
            return _pending_step_action(run, step)
        case StepStatus.RUNNING:
            return _answered_step_action(step, editable=editable)
        case StepStatus.COMPLETED:
            return _completed_step_action(run, step)
        case StepStatus.SKIPPED:
            return "The run goes on without it. To ask it after all, branch here."


def _current_step_action(step: StepState) -> str:
    """Say what the writer can do next with the step that a run stands at."""
    name = step.step_name
    if step.streaming:
        return (
            f"Open {name} to read along. You can stop at any time: what came is kept."
        )
    if step.status is StepStatus.RUNNING:
        return f"Open {name} to choose, to merge or to ask anew."
    if step.failures:
        return f"Run {name} again, or skip it."
    return f"Run {name} to ask the models, or skip it."


def _running_step_text(step: StepState) -> str:
    if step.streaming:
        coming = len(step.streaming)
        verb = "is" if coming == 1 else "are"
        of = coming + len(step.ai_responses)
        return f"{coming} of {count_of(of, 'answer')} {verb} still coming"
    if len(step.ai_responses) == 1:
        return "waiting for your choice; one answer came"
    return f"waiting for your choice among {len(step.ai_responses)} answers"


def _pending_step_action(run: PipelineRun, step: StepState) -> str:
    if step.step_name != run.current_step:
        return f"It can be asked once {run.current_step} is done."
    if step.failures:
        return "Run it again, or skip it."
    return (
        "Run it to ask the models, or skip it. The exact prompt can be read before"
        " anything is sent."
    )


def _answered_step_action(step: StepState, *, editable: bool) -> str:
    how = "after changing its text right here" if editable else "in your own wording"
    sentences = [
        f"Choose an answer, as it is or {how}.",
        "Or take passages into the merge below.",
    ]
    if lost := len(incomplete_calls(step)):
        them = "it asks that one" if lost == 1 else "it asks those"
        verb = "is" if lost == 1 else "are"
        sentences.append(
            f"{count_of(lost, 'answer')} {verb} missing or not whole: run the step"
            f" again and {them} only."
        )
    sentences.append(_regenerate_action(step, editable=editable))
    return " ".join(sentences)


def _regenerate_action(step: StepState, *, editable: bool) -> str:
    left = MAX_RETRIES - step.retry_count
    if not left:
        return "It was asked anew three times; a branch can ask again."
    how = "Say why under Feedback and ask" if editable else "Ask"
    if not step.retry_count:
        return f"Not right yet? {how} anew."
    times = count_of(left, "more time", "more times")
    return f"Not right yet? {how} anew, {times} at most."


def _completed_step_action(run: PipelineRun, step: StepState) -> str:
    later = run.later_steps(step.step_name)
    if any(state.status is not StepStatus.PENDING for state in later):
        return "Later steps build on it. To try something else, branch here."
    differently = "You can still choose differently"
    if later:
        return f"Go on with {later[0].step_name}. {differently} until then."
    if all(state.status in DONE_STATUSES for state in run.steps.values()):
        return f"Apply the text to your document, or export it. {differently}."
    return f"{differently}."
