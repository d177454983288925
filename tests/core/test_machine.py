"""The run's state machine under random histories, and its refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TYPE_CHECKING
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from writeit.core import decide, machine
from writeit.core import events as e
from writeit.core.errors import Busy, InvalidTransition, RetryLimit, WriteItError
from writeit.core.run import (
    DONE,
    MAX_RETRIES,
    AIResponse,
    Call,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
    first_open_step,
)
from writeit.core.usage import TokenUsage

if TYPE_CHECKING:
    from writeit.core.decide import Events

STEPS = ("angles", "outline", "draft", "polish")
DAWN = datetime(2026, 1, 1, tzinfo=UTC)
_ids = count(1)


def new_id() -> UUID:
    """A new id, in order."""
    return UUID(int=next(_ids))


def new_run() -> PipelineRun:
    """A run of four steps of which nothing was asked."""
    return PipelineRun(
        pipeline_run_id=new_id(),
        configuration_id="test@1",
        created_at=DAWN,
        updated_at=DAWN,
        current_step=STEPS[0],
        steps={name: StepState(step_name=name) for name in STEPS},
    )


def answer(call: Call, text: str = "words", *, partial: bool = False) -> AIResponse:
    """An answer to `call`."""
    return AIResponse(
        response_id=call.response_id,
        model_name=call.model.partition("/")[2],
        provider=call.model.partition("/")[0],
        prompt_used="a prompt",
        raw_output=text,
        processed_content=text.strip(),
        created_at=DAWN,
        usage_stats=TokenUsage(prompt_tokens=1, completion_tokens=1, total_tokens=2),
        processing_time=0.1,
        partial=partial,
    )


def call_for(state: StepState, replaces: UUID | None = None, up: int = 0) -> Call:
    """One more call for a step."""
    return Call(
        response_id=new_id(),
        model="openai/test",
        generation=state.generation + up,
        replaces=replaces,
    )


class History(RuleBasedStateMachine):
    """Whatever a writer and her models do, the run keeps the data model's rules."""

    @initialize()
    def begin(self) -> None:
        """A run starts."""
        self.at = DAWN
        self.log: list[e.Event] = []
        self.run: PipelineRun | None = None
        run = new_run()
        self.commit((e.RunStarted(at=self.at, run=run),))

    def commit(self, events: Events) -> None:
        """Apply events, all or none."""
        self.run = machine.replay(events, self.run)
        self.log += events

    def value(self) -> PipelineRun:
        """The run as it is."""
        assert self.run is not None
        return self.run

    def current(self) -> StepState:
        """The step the run stands at."""
        return self.value().steps[self.value().current_step]

    def try_(self, decision: Events | None) -> None:
        """Commit, a little later."""
        self.at += timedelta(seconds=1)
        if decision is not None:
            self.commit(decision)

    @rule(models=st.integers(1, 3))
    def ask(self, models: int) -> None:
        """The writer runs the current step."""
        state = self.current()
        lost = decide.unmet(state) if state.status is StepStatus.RUNNING else []
        calls = [call_for(state, c.response_id) for c in lost] or [
            call_for(state, up=1 if state.calls else 0) for _ in range(models)
        ]
        try:
            opening = decide.ask(self.value(), state, calls, self.at)
        except (InvalidTransition, Busy):
            return
        sends = tuple(decide.send(state.step_name, c, "p", self.at) for c in calls)
        self.commit((*opening, *sends))

    @precondition(lambda self: self.run and self.run.is_streaming)
    @rule(end=st.sampled_from(["whole", "partial", "nothing"]), data=st.data())
    def end_one(self, end: str, data: st.DataObject) -> None:
        """One answer ends."""
        step = next(s for s in self.value().steps.values() if s.streaming)
        stream = data.draw(st.sampled_from(step.streaming))
        call = next(c for c in step.calls if c.response_id == stream.response_id)
        if end == "whole":
            self.commit(decide.receive(step.step_name, answer(call), self.at))
        elif end == "partial":
            cut = answer(call, partial=True)
            self.commit(decide.interrupt(step.step_name, cut, "unavailable", self.at))
        else:
            self.commit(decide.fail(step.step_name, call, "unavailable", "no", self.at))

    @rule(index=st.integers(0, 3), words=st.none() | st.just("shorter"))
    def choose(self, index: int, words: str | None) -> None:
        """The writer chooses."""
        state = self.current()
        try:
            events = decide.select(self.value(), state, index, self.at, feedback=words)
        except WriteItError:
            return
        self.commit(events)

    @rule()
    def skip(self) -> None:
        """The writer skips."""
        try:
            events = decide.skip(self.value(), self.current(), self.at)
        except WriteItError:
            return
        self.commit(events)

    @rule(step=st.sampled_from(STEPS), models=st.integers(1, 2))
    def regenerate(self, step: str, models: int) -> None:
        """The writer asks a step anew."""
        state = self.value().steps[step]
        calls = [call_for(state, up=1) for _ in range(models)]
        try:
            events = decide.regenerate(self.value(), state, calls, "more", self.at)
        except WriteItError:
            return
        sends = tuple(decide.send(step, c, "p", self.at) for c in calls)
        self.commit((*events, *sends))

    @rule()
    def pause(self) -> None:
        """The writer pauses."""
        if self.value().is_streaming:
            return
        try:
            events = decide.pause(self.value(), self.at)
        except InvalidTransition:
            return
        self.commit(events)

    @rule()
    def resume(self) -> None:
        """The writer resumes."""
        try:
            events = decide.resume(self.value(), self.at)
        except InvalidTransition:
            return
        self.commit(events)

    @invariant()
    def current_step_is_the_first_open_one(self) -> None:
        """Current step must not exceed completed steps."""
        if self.run:
            assert self.run.current_step == first_open_step(self.run.steps)

    @invariant()
    def completed_runs_have_only_done_steps(self) -> None:
        """A run is COMPLETED exactly when its steps are, until it is asked anew."""
        if self.run and self.run.status is PipelineStatus.COMPLETED:
            assert all(s.status in DONE for s in self.run.steps.values())

    @invariant()
    def what_is_written_is_enough_to_know_it_all(self) -> None:
        """The entities can be rebuilt from the events."""
        if self.run:
            assert machine.replay(self.log) == self.run

    @invariant()
    def steps_are_done_in_order(self) -> None:
        """No step has begun before the one in front of it is done."""
        if self.run:
            open_seen = False
            for state in self.run.steps.values():
                if open_seen:
                    assert state.status is StepStatus.PENDING
                open_seen = open_seen or state.status not in DONE

    @invariant()
    def a_waiting_step_has_something_to_wait_for(self) -> None:
        """A RUNNING step has answers, or some are on their way."""
        if self.run:
            for state in self.run.steps.values():
                if state.status is StepStatus.RUNNING:
                    assert state.ai_responses or state.streaming


TestHistory = History.TestCase
TestHistory.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


def asked(run: PipelineRun, calls: int = 1) -> tuple[PipelineRun, list[Call]]:
    """The run with its current step asked, and the calls."""
    state = run.steps[run.current_step]
    made = [call_for(state, up=1 if state.calls else 0) for _ in range(calls)]
    sends = (decide.send(state.step_name, c, "p", DAWN) for c in made)
    events = (*decide.ask(run, state, made, DAWN), *sends)
    return machine.replay(events, run), made


def answered(run: PipelineRun) -> PipelineRun:
    """The run with one whole answer in its current step."""
    run, (call,) = asked(run)
    return machine.replay(decide.receive(run.current_step, answer(call), DAWN), run)


def chosen(run: PipelineRun) -> PipelineRun:
    """The run with its current step answered and chosen."""
    run = answered(run)
    state = run.steps[run.current_step]
    return machine.replay(decide.select(run, state, 0, DAWN), run)


def test_a_run_starts_initializing_and_runs_with_its_first_step() -> None:
    """INITIALIZING → RUNNING (on first step execution)."""
    run = new_run()
    assert run.status is PipelineStatus.INITIALIZING
    assert asked(run)[0].status is PipelineStatus.RUNNING


def test_choosing_in_the_last_step_completes_the_run() -> None:
    """RUNNING → COMPLETED (on final step completion)."""
    run = new_run()
    for _ in STEPS:
        run = chosen(run)
    assert run.status is PipelineStatus.COMPLETED
    assert run.current_step == STEPS[-1]


def test_a_step_of_which_nothing_arrived_is_pending_again() -> None:
    """Step RUNNING → PENDING (nothing arrived)."""
    run, (call,) = asked(new_run())
    run = machine.replay(decide.fail("angles", call, "timeout", "slow", DAWN), run)
    state = run.steps["angles"]
    assert state.status is StepStatus.PENDING
    assert [f.reason for f in state.failures] == ["timeout"]
    assert run.status is PipelineStatus.RUNNING


def test_a_regeneration_of_which_nothing_comes_leaves_the_step_as_it_was() -> None:
    """The selection, the words and the count stand as before the call."""
    run = chosen(new_run())
    before = run.steps["angles"]
    call = call_for(before, up=1)
    run = machine.replay(
        (
            *decide.regenerate(run, before, [call], "again", DAWN),
            decide.send("angles", call, "p", DAWN),
            *decide.fail("angles", call, "timeout", "slow", DAWN),
        ),
        run,
    )
    after = run.steps["angles"]
    assert after.status is StepStatus.COMPLETED
    assert after.user_selection == before.user_selection
    assert after.retry_count == before.retry_count


def test_the_fourth_regeneration_is_refused() -> None:
    """Retry count cannot exceed system maximum (3)."""
    run = answered(new_run())
    for _ in range(MAX_RETRIES):
        state = run.steps["angles"]
        call = call_for(state, up=1)
        run = machine.replay(
            (
                *decide.regenerate(run, state, [call], "", DAWN),
                decide.send("angles", call, "p", DAWN),
                *decide.receive("angles", answer(call), DAWN),
            ),
            run,
        )
    state = run.steps["angles"]
    with pytest.raises(RetryLimit):
        decide.regenerate(run, state, [call_for(state, up=1)], "", DAWN)


def test_only_what_failed_or_was_cut_is_asked_again() -> None:
    """A second run of a step repairs; whole answers are left alone."""
    run, (whole, cut, lost) = asked(new_run(), calls=3)
    partial = answer(cut, partial=True)
    run = machine.replay(
        (
            *decide.receive("angles", answer(whole), DAWN),
            *decide.interrupt("angles", partial, "unavailable", DAWN),
            *decide.fail("angles", lost, "timeout", "slow", DAWN),
        ),
        run,
    )
    assert decide.unmet(run.steps["angles"]) == [cut, lost]


def test_a_decision_on_a_paused_run_resumes_it() -> None:
    """Any decision on a PAUSED or ERROR run resumes it."""
    run = answered(new_run())
    run = machine.replay(decide.pause(run, DAWN), run)
    run = machine.replay(decide.select(run, run.steps["angles"], 0, DAWN), run)
    assert run.status is PipelineStatus.RUNNING


def test_nothing_is_chosen_while_answers_stream() -> None:
    """Select is busy until the answers have ended."""
    run, (first, _) = asked(new_run(), calls=2)
    run = machine.replay(decide.receive("angles", answer(first), DAWN), run)
    with pytest.raises(Busy):
        decide.select(run, run.steps["angles"], 0, DAWN)


def test_an_illegal_event_raises_and_changes_nothing() -> None:
    """Every event the tables do not list is refused, in every status."""
    run = new_run()
    for event in (
        e.RunPaused(at=DAWN),
        e.RunResumed(at=DAWN),
        e.RunCompleted(at=DAWN),
        e.ResponseSelected(at=DAWN, step="angles", index=0),
        e.StepCompleted(at=DAWN, step="angles"),
        e.StepSkipped(at=DAWN, step="outline"),
        e.Merged(at=DAWN, step="angles", content="x", merged_from=()),
    ):
        with pytest.raises(InvalidTransition):
            machine.apply(run, event)


def test_the_tables_name_every_event_somewhere() -> None:
    """No event is forgotten by the tables, and the tables invent none."""
    known = {
        model.model_fields["type"].default
        for model in (*e.RunEvent.__args__, *e.StepEvent.__args__)
    }
    in_tables = {n for row in machine.RUN_TRANSITIONS.values() for n in row}
    assert in_tables == known
    step_events = {n for row in machine.STEP_TRANSITIONS.values() for n in row}
    assert step_events <= known
