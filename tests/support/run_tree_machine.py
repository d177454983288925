"""A run tree under a random history, and what must hold of it at any time."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant

from support.runs import START
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import WriteItError
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
    first_open_step,
)

STEPS = ("outline", "draft", "polish")


class RunTreeMachine(RuleBasedStateMachine):
    """Runs and all that was decided about them."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.tree: dict[UUID, PipelineRun] = {}
        self.logs: dict[UUID, list[e.Event]] = {}
        self.before: dict[UUID, PipelineRun] = {}
        """Each run as it was before the last rule."""

    def begin_with(self, event: e.RunStarted | e.RunBranched) -> UUID:
        """A run comes to be."""
        run = state_machine.apply_event(None, event)
        self.tree[run.pipeline_run_id] = run
        self.logs[run.pipeline_run_id] = [event]
        return run.pipeline_run_id

    def attempt(self, run_id: UUID, operation: Callable[[PipelineRun], Events]) -> None:
        """Decide: a typed refusal, or events that the machine takes, all of them."""
        self.now += timedelta(seconds=1)
        run = self.tree[run_id]
        before = run.model_dump()
        self.before = dict(self.tree)
        try:
            events = operation(run)
        except WriteItError:
            return
        finally:
            assert run.model_dump() == before
        self.tree[run_id] = state_machine.replay(events, run)
        self.logs[run_id] += events

    @invariant()
    def no_run_changes_by_what_happens_to_another(self) -> None:
        """And of a run itself, answers are only added and passages only taken."""
        changed = 0
        for run_id, before in self.before.items():
            after = self.tree[run_id]
            changed += after is not before
            for name in STEPS:
                old, new = before.steps[name], after.steps[name]
                assert new.ai_responses[: len(old.ai_responses)] == old.ai_responses
                assert new.passages[: len(old.passages)] == old.passages
                assert old.numbers.items() <= new.numbers.items()
        assert changed <= 1

    @invariant()
    def a_shared_answer_is_the_same_in_every_run(self) -> None:
        """By its id; the answers themselves never change, nor do their numbers."""
        known: dict[UUID, object] = {}
        for run in self.tree.values():
            for state in run.steps.values():
                for one in state.ai_responses:
                    numbered = (one, state.numbers[one.response_id])
                    assert known.setdefault(one.response_id, numbered) == numbered

    @invariant()
    def each_run_keeps_its_rules(self) -> None:
        """Those about steps, their order and the run's status."""
        for run in self.tree.values():
            check_run(run)

    @invariant()
    def what_is_written_is_enough_to_know_it_all(self) -> None:
        """The entities can be rebuilt from the events."""
        for run_id, run in self.tree.items():
            if self.before.get(run_id) is not run:
                assert state_machine.replay(self.logs[run_id]) == run


def check_run(run: PipelineRun) -> None:
    """Check what holds of any run at any time."""
    states = list(run.steps.values())
    assert run.current_step == first_open_step(run.steps)
    assert run.is_finished == (run.status is PipelineStatus.COMPLETED) or (
        run.status is PipelineStatus.ERROR
    )
    assert not run.is_streaming or run.status is PipelineStatus.RUNNING
    for state, following in pairwise(states):
        assert state.status in DONE_STATUSES or following.status is StepStatus.PENDING
    for state in states:
        check_step(state)


def check_step(state: StepState) -> None:
    """Check what holds of any step at any time."""
    assert state.retry_count <= MAX_RETRIES
    if state.status is StepStatus.RUNNING:
        assert state.ai_responses or state.streaming
    if state.status is StepStatus.PENDING:
        assert not state.ai_responses
    assert (state.content is not None) == (state.status in DONE_STATUSES)
