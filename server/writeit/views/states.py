"""Where a run and a step stand, and what the writer can do next, in sentences."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core.decide import unmet
from writeit.core.run import (
    DONE,
    MAX_RETRIES,
    PipelineStatus,
    StepStatus,
)
from writeit.views import words

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun, StepState


def run_state(run: PipelineRun) -> str:
    """Say where a run stands."""
    step = run.steps[run.current_step]
    match run.status:
        case PipelineStatus.INITIALIZING:
            return "ready to begin; nothing was sent yet"
        case PipelineStatus.RUNNING:
            return f"at {step.step_name}: {step_state(step)}"
        case PipelineStatus.PAUSED:
            return f"stopped at {step.step_name}; what came is kept"
        case PipelineStatus.COMPLETED:
            return "finished"
        case PipelineStatus.ERROR:
            return f"something failed at {step.step_name}; what came is kept"


def step_state(step: StepState) -> str:
    """Say where a step stands."""
    match step.status:
        case StepStatus.PENDING:
            return "no answer came" if step.failures else "not asked yet"
        case StepStatus.RUNNING:
            return _running(step)
        case StepStatus.COMPLETED:
            return choice(step)
        case StepStatus.SKIPPED:
            return "skipped"


def choice(step: StepState) -> str:
    """Say what the writer chose in a step; nothing if nothing is chosen."""
    if step.user_selection is not None:
        chosen = f"you chose {words.answer(step.user_selection)}"
        return chosen if step.edited_content is None else f"{chosen} and reworded it"
    if step.merged_content is None:
        return ""
    merged = answers_in_merge(step)
    if not merged:
        return "you merged it in your own words"
    name = "answer" if len(merged) == 1 else "answers"
    return f"you merged {name} {words.listed([str(n) for n in merged])}"


def answers_in_merge(step: StepState) -> list[int]:
    """Return the shown numbers of the answers that a merge was made from."""
    numbers = {
        answer.response_id: words.number(index)
        for index, answer in enumerate(step.ai_responses)
    }
    used = [numbers.get(p.response_id) for p in step.merged_from if p.response_id]
    return list(dict.fromkeys(n for n in used if n is not None))


def interruption(run: PipelineRun) -> str:
    """Say that a run was interrupted and that this does no harm; else nothing."""
    match run.status:
        case PipelineStatus.PAUSED:
            return "The run is stopped; whatever you do next goes on with it."
        case PipelineStatus.ERROR:
            return "Something failed; whatever you do next goes on with the run."
        case _:
            return ""


def next_for_run(run: PipelineRun) -> str:
    """Say what the writer can do next with a run."""
    step = run.steps[run.current_step]
    match run.status:
        case PipelineStatus.INITIALIZING:
            return f"Run {step.step_name} to ask the models."
        case PipelineStatus.COMPLETED:
            return "Apply the text to your document, export it, or branch at a step."
        case _:
            return f"{interruption(run)} {_next_at(step)}".strip()


def next_for_step(run: PipelineRun, step: StepState, *, editable: bool = True) -> str:
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
            return _next_when_pending(run, step)
        case StepStatus.RUNNING:
            return _next_when_answered(step, editable=editable)
        case StepStatus.COMPLETED:
            return _next_when_completed(run, step)
        case StepStatus.SKIPPED:
            return "The run goes on without it. To ask it after all, branch here."


def _next_at(step: StepState) -> str:
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


def _running(step: StepState) -> str:
    if step.streaming:
        coming = len(step.streaming)
        verb = "is" if coming == 1 else "are"
        of = coming + len(step.ai_responses)
        return f"{coming} of {words.count(of, 'answer')} {verb} still coming"
    if len(step.ai_responses) == 1:
        return "waiting for your choice; one answer came"
    return f"waiting for your choice among {len(step.ai_responses)} answers"


def _next_when_pending(run: PipelineRun, step: StepState) -> str:
    if step.step_name != run.current_step:
        return f"It can be asked once {run.current_step} is done."
    if step.failures:
        return "Run it again, or skip it."
    return (
        "Run it to ask the models, or skip it. The exact prompt can be read before"
        " anything is sent."
    )


def _next_when_answered(step: StepState, *, editable: bool) -> str:
    how = "after changing its text right here" if editable else "in your own wording"
    sentences = [
        f"Choose an answer, as it is or {how}.",
        "Or take passages into the merge below.",
    ]
    if lost := len(unmet(step)):
        them = "it asks that one" if lost == 1 else "it asks those"
        verb = "is" if lost == 1 else "are"
        sentences.append(
            f"{words.count(lost, 'answer')} {verb} missing or not whole: run the step"
            f" again and {them} only."
        )
    sentences.append(_asking_anew(step, editable=editable))
    return " ".join(sentences)


def _asking_anew(step: StepState, *, editable: bool) -> str:
    left = MAX_RETRIES - step.retry_count
    if not left:
        return "It was asked anew three times; a branch can ask again."
    how = "Say why under Feedback and ask" if editable else "Ask"
    if not step.retry_count:
        return f"Not right yet? {how} anew."
    times = words.count(left, "more time", "more times")
    return f"Not right yet? {how} anew, {times} at most."


def _next_when_completed(run: PipelineRun, step: StepState) -> str:
    later = run.later_steps(step.step_name)
    if any(state.status is not StepStatus.PENDING for state in later):
        return "Later steps build on it. To try something else, branch here."
    differently = "You can still choose differently"
    if later:
        return f"Go on with {later[0].step_name}. {differently} until then."
    if all(state.status in DONE for state in run.steps.values()):
        return f"Apply the text to your document, or export it. {differently}."
    return f"{differently}."
