"""A tree of runs under random histories: the rules always hold."""

from functools import partial
from uuid import UUID

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, initialize, invariant, rule

from support.run_tree_machine import STEPS, RunTreeMachine, check_offers
from support.runs import START, answer, call_for, current, new_id, new_run, passage_of
from writeit.domain import events as e
from writeit.domain import transitions
from writeit.domain.answer import Call
from writeit.domain.errors import WriteItError
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.operations.lifecycle import Events
from writeit.domain.operations.select import MergeSelection
from writeit.domain.run import PipelineRun, StepStatus

A_STEP = st.none() | st.sampled_from(STEPS)
"""A step by its name, or the current one."""
INDEX = st.sampled_from([0, 0, 0, 1, 2])
MOST_RUNS = 4
WORDS = st.none() | st.sampled_from(["", "shorter", "more bees"])


class History(RunTreeMachine):
    """Whatever the user and the models do, the runs keep the data model's rules."""

    runs = Bundle("runs")

    @initialize(target=runs)
    def begin(self) -> UUID:
        """A run starts."""
        return self.begin_with(e.RunStarted(at=self.now, run=new_run(STEPS)))

    # --- models -------------------------------------------------------------------

    @rule(run_id=runs, models=st.integers(1, 3))
    def ask(self, run_id: UUID, models: int) -> None:
        """The user generates the current step."""

        def verb(run: PipelineRun) -> Events:
            state = current(run)
            lost = (
                generate.incomplete_calls(state)
                if state.status is StepStatus.RUNNING
                else []
            )
            calls = [call_for(state, c.response_id) for c in lost] or [
                call_for(state, up=1 if state.calls else 0) for _ in range(models)
            ]
            sends = (
                generate.start_response(state.step_name, c, "p", self.now)
                for c in calls
            )
            return (*generate.start_generation(run, state, calls, self.now), *sends)

        self.attempt(run_id, verb)

    @rule(run_id=runs, step=A_STEP, models=st.integers(1, 2))
    def regenerate(self, run_id: UUID, step: str | None, models: int) -> None:
        """The user regenerates a step."""

        def verb(run: PipelineRun) -> Events:
            state = lifecycle.find_step(run, step)
            calls = [call_for(state, up=1) for _ in range(models)]
            sends = (
                generate.start_response(state.step_name, c, "p", self.now)
                for c in calls
            )
            return (*generate.regenerate(run, state, calls, "more", self.now), *sends)

        self.attempt(run_id, verb)

    @rule(run_id=runs)
    def join_by_model(self, run_id: UUID) -> None:
        """The user merges answers with a model."""

        def verb(run: PipelineRun) -> Events:
            state = current(run)
            call = call_for(state).evolve(merge=True)
            opening = generate.start_model_merge(run, state, call, self.now)
            return (
                *opening,
                generate.start_response(state.step_name, call, "p", self.now),
            )

        self.attempt(run_id, verb)

    @rule(
        run_id=runs,
        ends=st.lists(
            st.sampled_from(["whole", "whole", "partial", "nothing"]),
            min_size=1,
            max_size=4,
        ),
        first=st.booleans(),
    )
    def end(self, run_id: UUID, ends: list[str], first: bool) -> None:
        """Answers end, in the order of their calls or in reverse."""
        for how in ends:
            run = self.tree[run_id]
            step = next((s for s in run.steps.values() if s.streaming), None)
            if step is None:
                return
            stream = step.streaming[0 if first else -1]
            call = next(c for c in step.calls if c.response_id == stream.response_id)
            events = ended(step.step_name, call, how)
            self.attempt(run_id, partial(returned, events))

    @rule(run_id=runs, models=st.integers(1, 3))
    def ask_and_wait(self, run_id: UUID, models: int) -> None:
        """The user generates the current step, and every call succeeds."""
        self.ask(run_id, models)
        self.end(run_id, ["whole"] * models, first=True)

    # --- the user ---------------------------------------------------------------

    @rule(
        run_id=runs,
        step=A_STEP,
        index=INDEX,
        words=WORDS,
        content=st.none() | st.just("mine"),
    )
    def choose(
        self,
        run_id: UUID,
        step: str | None,
        index: int,
        words: str | None,
        content: str | None,
    ) -> None:
        """The user chooses an answer, perhaps an edited one."""
        self.attempt(
            run_id,
            lambda run: select.select_response(
                run,
                lifecycle.find_step(run, step),
                index,
                self.now,
                content=content,
                feedback=words,
            ),
        )

    @rule(run_id=runs)
    def skip(self, run_id: UUID) -> None:
        """The user skips."""
        self.attempt(run_id, lambda run: select.skip_step(run, current(run), self.now))

    @rule(run_id=runs, step=A_STEP, last=st.booleans())
    def take(self, run_id: UUID, step: str | None, last: bool) -> None:
        """The user adds a passage, perhaps of a streaming answer."""

        def verb(run: PipelineRun) -> Events:
            state = lifecycle.find_step(run, step)
            ids = [one.response_id for one in state.ai_responses]
            ids += [one.response_id for one in state.streaming]
            response_id = ids[-1 if last else 0] if ids else new_id()
            return select.add_passage(run, state, passage_of(response_id), self.now)

        self.attempt(run_id, verb)

    @rule(
        run_id=runs,
        step=A_STEP,
        responses=st.lists(st.integers(0, 2), max_size=2),
        content=st.none() | st.sampled_from(["", "mine"]),
        words=WORDS,
    )
    def merge(
        self,
        run_id: UUID,
        step: str | None,
        responses: list[int],
        content: str | None,
        words: str | None,
    ) -> None:
        """The user merges answers and passages."""
        parts = MergeSelection(responses=responses, content=content)
        self.attempt(
            run_id,
            lambda run: select.merge_responses(
                run, lifecycle.find_step(run, step), parts, self.now, words
            ),
        )

    @rule(run_id=runs, step=A_STEP, words=st.sampled_from(["", "dry"]))
    def say(self, run_id: UUID, step: str | None, words: str) -> None:
        """The user gives feedback."""
        self.attempt(
            run_id,
            lambda run: select.give_feedback(
                run, lifecycle.find_step(run, step), words, self.now
            ),
        )

    @rule(
        run_id=runs,
        step=A_STEP,
        index=INDEX,
        score=st.sampled_from([0.5, 1.0, 1.5, None]),
    )
    def rate(
        self, run_id: UUID, step: str | None, index: int, score: float | None
    ) -> None:
        """The user rates an answer."""
        self.attempt(
            run_id,
            lambda run: select.rate_response(
                run, lifecycle.find_step(run, step), index, score, self.now
            ),
        )

    # --- the run as a whole -------------------------------------------------------

    @rule(run_id=runs)
    def pause(self, run_id: UUID) -> None:
        """The user stops the run."""
        self.attempt(run_id, lambda run: lifecycle.pause(run, self.now))

    @rule(run_id=runs)
    def resume(self, run_id: UUID) -> None:
        """The user resumes the run."""
        self.attempt(run_id, lambda run: lifecycle.resume(run, self.now))

    @rule(run_id=runs)
    def break_down(self, run_id: UUID) -> None:
        """The engine or the model process fails when no answer streams."""
        if not self.tree[run_id].is_streaming:
            failed = e.RunFailed(at=self.now, message="no")
            self.attempt(run_id, partial(returned, (failed,)))

    @rule(target=runs, run_id=runs, step=A_STEP)
    def branch(self, run_id: UUID, step: str | None) -> UUID:
        """The user branches at a step that the run has reached."""
        if len(self.tree) == MOST_RUNS:
            return run_id
        parent = self.tree[run_id]
        before = {key: run.model_dump() for key, run in self.tree.items()}
        try:
            state = lifecycle.find_step(parent, step)
            event = lifecycle.branch(parent, state, new_id(), self.now, None)
        except WriteItError:
            return run_id
        child_id = self.begin_with(event)
        for key, dump in before.items():
            assert self.tree[key].model_dump() == dump
        shared = STEPS[: STEPS.index(state.step_name) + 1]
        for name in STEPS:
            answers = parent.steps[name].ai_responses if name in shared else ()
            assert self.tree[child_id].steps[name].ai_responses == answers
        return child_id


def returned(events: Events, _: PipelineRun) -> Events:
    """Return an event of any type."""
    return events


def ended(step: str, call: Call, how: str) -> Events:
    """Return how a call ends: complete, cut short or without text."""
    if how == "whole":
        return generate.complete_response(step, answer(call), START)
    if how == "partial":
        return generate.interrupt_response(
            step, answer(call, partial=True), "timeout", START
        )
    return generate.fail_response(step, call, "timeout", "slow", START)


TestHistory = pytest.mark.rule(
    "response-1",
    "response-t1",
    "rel-9",
    "rel-12",
    "settled-27",
    "settled-28",
    "verb-23",
)(History.TestCase)
TestHistory.settings = settings(max_examples=100, stateful_step_count=60, deadline=None)


class Offers(History):
    """In every state, what is offered is harmless first and is then accepted."""

    @invariant()
    def each_run_offers_what_its_rules_accept(self) -> None:
        """And `can` says what the commands do."""
        for run_id, run in self.tree.items():
            if self.before.get(run_id) is not run:
                check_offers(run, self.tree.get(run.parent_pipeline_run_id or run_id))


TestOffers = Offers.TestCase
TestOffers.settings = settings(max_examples=20, stateful_step_count=30, deadline=None)


def test_the_tables_name_every_event_somewhere() -> None:
    """The tables list every event and no others."""
    known = {
        model.model_fields["type"].default
        for model in (*e.RunEvent.__args__, *e.StepEvent.__args__)
    }
    in_tables = {n for row in transitions.RUN_TRANSITIONS.values() for n in row}
    assert in_tables == known
    step_events = {n for row in transitions.STEP_TRANSITIONS.values() for n in row}
    assert step_events <= known
