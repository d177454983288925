"""Every action on every step of a run in every state."""

from collections.abc import Callable

import pytest

from support.run_tree_machine import check_run
from support.runs import (
    START,
    anew,
    answer,
    answered,
    asked,
    broken,
    call_for,
    child_of,
    chosen,
    completed,
    current,
    done,
    failing,
    new_id,
    new_run,
    passage_of,
    paused,
)
from writeit.domain import state_machine
from writeit.domain.errors import (
    Busy,
    InvalidParams,
    InvalidTransition,
    NotFound,
    RetryLimit,
    WriteItError,
)
from writeit.domain.operations import generate, lifecycle, permitted, select
from writeit.domain.operations.lifecycle import Events
from writeit.domain.operations.select import MergeSelection
from writeit.domain.run import (
    MAX_RETRIES,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)

Verb = Callable[[PipelineRun, StepState], Events]

TWO = ("draft", "polish")


def skipped(run: PipelineRun) -> PipelineRun:
    """Return the run with its current step skipped."""
    return done(run, select.skip_step(run, current(run), START))


def cut(run: PipelineRun) -> PipelineRun:
    """Return the run with one partial answer and one failure in its current step."""
    run, (first, second) = asked(run, 2)
    step, partial = run.current_step, answer(first, partial=True)
    run = done(run, generate.interrupt_response(step, partial, "timeout", START))
    return failing(run, step, second)


def lost(run: PipelineRun) -> PipelineRun:
    """Return the run with a current step whose calls failed."""
    run, (call,) = asked(run)
    return failing(run, run.current_step, call)


def tired(run: PipelineRun) -> PipelineRun:
    """Return the run with its current step regenerated as often as allowed."""
    for _ in range(MAX_RETRIES):
        run, (call,) = anew(run, run.current_step)
        run = done(
            run, generate.complete_response(run.current_step, answer(call), START)
        )
    return run


def merged(run: PipelineRun) -> PipelineRun:
    """Return the run with its current step merged."""
    run = answered(run)
    return done(
        run,
        select.merge_responses(
            run, current(run), MergeSelection(content="mine"), START
        ),
    )


def base() -> dict[str, PipelineRun]:
    """Return runs by what happened to them, none of them stopped."""
    new = new_run(TWO)
    first = chosen(new)
    return {
        "new": new,
        "streaming": asked(new, 2)[0],
        "answered": answered(new, "one", "two"),
        "cut": cut(new),
        "lost": lost(new),
        "tired": tired(answered(new)),
        "first chosen": first,
        "first merged": merged(new),
        "first skipped": skipped(new),
        "second streaming": asked(first)[0],
        "second answered": answered(first),
        "second lost": lost(first),
        "completed": completed(TWO),
        "completed by skipping": skipped(first),
        "all skipped": skipped(skipped(new)),
        "first anew": anew(first, "draft")[0],
        "last anew": anew(completed(TWO), "polish")[0],
        "child of nothing": child_of(new, "draft"),
        "child at the first": child_of(completed(TWO), "draft"),
        "child at the second": child_of(completed(TWO), "polish"),
        "child of a stream": child_of(asked(first, 2)[0], "polish"),
    }


def all_runs() -> dict[str, PipelineRun]:
    """Return these runs, and each of them stopped and failed where possible."""
    runs = base()
    for name, run in base().items():
        if not run.is_streaming:
            runs[f"{name}, broken"] = broken(run)
            if run.status is PipelineStatus.RUNNING:
                runs[f"{name}, paused"] = paused(run)
    return runs


RUNS = all_runs()
VERBS: dict[str, Verb] = {
    "ask": lambda run, step: generate.start_generation(
        run, step, [call_for(step, up=1)], START
    ),
    "regenerate": lambda run, step: generate.regenerate(
        run, step, [call_for(step, up=1)], "more", START
    ),
    "ask to merge": lambda run, step: generate.start_model_merge(
        run, step, call_for(step).evolve(merge=True), START, "drier"
    ),
    "select": lambda run, step: select.select_response(run, step, 0, START),
    "select an edited answer": lambda run, step: select.select_response(
        run, step, 0, START, content="mine", feedback="shorter"
    ),
    "select none": lambda run, step: select.select_response(run, step, 99, START),
    "skip": lambda run, step: select.skip_step(run, step, START),
    "merge": lambda run, step: select.merge_responses(
        run, step, MergeSelection(responses=[0]), START
    ),
    "merge taken": lambda run, step: select.merge_responses(
        run, step, MergeSelection(), START
    ),
    "merge words": lambda run, step: select.merge_responses(
        run, step, MergeSelection(content="mine"), START, "shorter"
    ),
    "take": lambda run, step: select.add_passage(
        run,
        step,
        passage_of(
            next((r.response_id for r in step.ai_responses), None)
            or next((s.response_id for s in step.streaming), new_id())
        ),
        START,
    ),
    "give feedback": lambda run, step: select.give_feedback(run, step, "dry", START),
    "rate": lambda run, step: select.rate_response(run, step, 0, 0.5, START),
    "rate too high": lambda run, step: select.rate_response(run, step, 0, 1.5, START),
    "pause": lambda run, _: lifecycle.pause(run, START),
    "resume": lambda run, _: lifecycle.resume(run, START),
}


ASKING = {"ask", "regenerate", "ask to merge"}
"""Actions that are followed by calls."""


def decided(run: PipelineRun, step: StepState, verb: Verb) -> Events | WriteItError:
    """Return the events of an action, or its refusal."""
    try:
        return verb(run, step)
    except (Busy, InvalidParams, InvalidTransition, NotFound, RetryLimit) as refusal:
        return refusal


@pytest.mark.rule("settled-28")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("name", RUNS)
def test_a_decision_applies_cleanly_or_is_a_typed_refusal(name: str, verb: str) -> None:
    """For each step of the run; the run itself never changes."""
    run = RUNS[name]
    before = run.model_dump()
    for step in run.steps.values():
        outcome = decided(run, step, VERBS[verb])
        assert outcome
        if isinstance(outcome, WriteItError):
            assert outcome.message
            assert outcome.hint or outcome.kind == "invalid_transition"
        else:
            after = state_machine.replay(outcome, run)
            if verb not in ASKING:
                check_run(after)
        assert run.model_dump() == before


@pytest.mark.rule("settled-28")
@pytest.mark.parametrize("step", TWO)
@pytest.mark.parametrize("name", RUNS)
def test_a_branch_is_made_or_refused(name: str, step: str) -> None:
    """Of any run, streaming or not, at any step that was reached."""
    run = RUNS[name]
    before = run.model_dump()
    if TWO.index(step) > TWO.index(run.current_step):
        with pytest.raises(InvalidTransition):
            child_of(run, step)
    else:
        check_run(child_of(run, step))
    assert run.model_dump() == before


def test_all_statuses_are_tried() -> None:
    """Of runs and of steps, and of runs that stream."""
    assert {run.status for run in RUNS.values()} == set(PipelineStatus)
    steps = [step for run in RUNS.values() for step in run.steps.values()]
    assert {step.status for step in steps} == set(StepStatus)
    pairs = {(run.status, current(run).status) for run in RUNS.values()}
    assert len(pairs) > len(PipelineStatus) * 2
    assert any(run.is_streaming for run in RUNS.values())
    for run in RUNS.values():
        check_run(run)


@pytest.mark.rule("settled-4")
@pytest.mark.parametrize(
    "name", [n for n, run in RUNS.items() if run.status in {"PAUSED", "ERROR"}]
)
@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb != "pause"])
def test_any_decision_on_a_paused_or_error_run_resumes_it(name: str, verb: str) -> None:
    """Its first event is RunResumed."""
    run = RUNS[name]
    for step in run.steps.values():
        outcome = decided(run, step, VERBS[verb])
        if not isinstance(outcome, WriteItError):
            assert outcome[0].type == "run_resumed"
            assert state_machine.replay(outcome, run).status not in {"PAUSED", "ERROR"}


STEP_VERBS: dict[str, Verb] = {
    "run": VERBS["ask"],
    "regenerate": VERBS["regenerate"],
    "select": VERBS["select"],
    "merge": VERBS["merge words"],
    "skip": VERBS["skip"],
    "apply": lambda run, step: lifecycle.record_applied(
        lifecycle.find_applicable_step(run, step.step_name).step_name,
        START,
        uri="file:///a.md",
        mode="new_file",
        replaced="",
        text="x",
    ),
}
"""The action that each permission of a step is about, except branching."""


@pytest.mark.parametrize("name", RUNS)
def test_what_is_permitted_is_what_the_rules_allow(name: str) -> None:
    """A client that asks for what `can` says is never refused, and nothing is missing.

    A pause ends what streams first; so does this.
    """
    run = RUNS[name]
    for step in run.steps.values():
        can = permitted.step_permissions(run, step)
        for command, verb in STEP_VERBS.items():
            outcome = decided(run, step, verb)
            refused = isinstance(outcome, WriteItError)
            assert getattr(can, command) is not refused, command
            if not isinstance(outcome, WriteItError):
                state_machine.replay(outcome, run)
        reached = TWO.index(step.step_name) <= TWO.index(run.current_step)
        assert can.branch is reached
    can_run = permitted.run_permissions(run)
    quiet = can_run.delete
    assert quiet is not run.is_streaming
    resumes = decided(run, current(run), VERBS["resume"])
    assert can_run.resume is not isinstance(resumes, WriteItError)
    pauses = decided(run, current(run), VERBS["pause"])
    assert can_run.pause is (not isinstance(pauses, WriteItError) or not quiet)
