"""A run tree under a random history, and what must hold of it at any time."""

from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from hypothesis.stateful import RuleBasedStateMachine, invariant

from support.runs import START, call_for, new_id
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import WriteItError
from writeit.domain.operations import generate, lifecycle, permitted, select
from writeit.domain.operations.lifecycle import Events
from writeit.domain.operations.select import MergeSelection
from writeit.domain.run import (
    DONE_STATUSES,
    MAX_RETRIES,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
    first_open_step,
)
from writeit.lsp.actions import choice_actions, run_actions
from writeit.lsp.actions.outlook import Outlook
from writeit.lsp.features.code_lens import to_lenses
from writeit.views.answer_heads import EndedAnswer, is_selected, list_answers

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


# --- what is offered, and what is accepted ---

NEVER_FIRST = {"edit.restore", "run.rewind", "step.regenerate", "step.skip"}


def _run_events(run: PipelineRun, step: StepState, _: Any) -> Events:
    lost = [call.response_id for call in generate.incomplete_calls(step)]
    lost = lost if step.status is StepStatus.RUNNING else []
    calls = [call_for(step, key) for key in lost] or [call_for(step, up=1)]
    return generate.start_generation(run, step, calls, run.updated_at)


def without_streams(run: PipelineRun) -> PipelineRun:
    """The run after its streams have ended, as the engine ends them."""
    streams = [(step, s) for step in run.steps.values() for s in step.streaming]
    for step, stream in streams:
        call = next(c for c in step.calls if c.response_id == stream.response_id)
        failed = generate.fail_response(
            step.step_name, call, "cancelled", "", run.updated_at
        )
        run = state_machine.replay(failed, run)
    return run


def _continue_events(run: PipelineRun, step: StepState, response: Any) -> Events:
    call = call_for(step, response).evolve(continues=True)
    return generate.continue_response(run, step, call, run.updated_at)


ACCEPTS: dict[str, Callable[[PipelineRun, StepState, Any], object]] = {
    "step.run": _run_events,
    "step.regenerate": lambda run, step, _: generate.regenerate(
        run, step, [call_for(step, up=1)], "", run.updated_at
    ),
    "step.select": lambda run, step, response: select.select_response(
        run, step, response, run.updated_at
    ),
    "step.merge": lambda run, step, response: select.merge_responses(
        run, step, MergeSelection(responses=[response]), run.updated_at
    ),
    "step.continue": _continue_events,
    "step.skip": lambda run, step, _: select.skip_step(run, step, run.updated_at),
    "step.apply": lambda run, step, _: lifecycle.find_applicable_step(
        run, step.step_name
    ),
    "run.branch": lambda run, step, _: lifecycle.branch(
        run, step, new_id(), run.updated_at, None
    ),
    "run.rewind": lambda run, step, _: lifecycle.branch(
        run, step, new_id(), run.updated_at, None
    ),
    "run.pause": lambda run, _step, _: lifecycle.pause(
        without_streams(run), run.updated_at
    ),
    "run.resume": lambda run, _step, _: lifecycle.resume(run, run.updated_at),
}
"""What each command decides, given an answer of the step."""


def is_accepted(
    command: str, run: PipelineRun, step: StepState, response: UUID | int = 0
) -> bool:
    """Whether a command decides something, and the run takes it."""
    try:
        events = ACCEPTS[command](run, step, response)
    except WriteItError:
        return False
    if isinstance(events, tuple):
        state_machine.replay(events, without_streams(run))
    return True


def check_offers(run: PipelineRun, parent: PipelineRun | None) -> None:
    """Check the offers of a run and of each of its answers."""
    offers = run_actions.actions_for_run(run, parent)
    assert offers[0].command.removeprefix("writeit.") not in NEVER_FIRST, offers[0]
    likely = [offer.is_likely for offer in offers]
    restoring = [offer.command == "writeit.edit.restore" for offer in offers]
    assert True not in restoring or True not in likely[restoring.index(True) :]
    lenses = to_lenses(0, [offers[0], *(offer for offer in offers if offer.has_lens)])
    assert len(lenses) <= 3
    for step in run.steps.values():
        check_permissions(run, step)
        check_numbers(step)
        for answer in step.ai_responses:
            about = (run, step, answer.response_id, Outlook())
            near = [*choice_actions.answer_actions(*about)]
            assert near[0].command.removeprefix("writeit.") not in NEVER_FIRST, near
            assert len(to_lenses(1, near)) <= 4
            offers += near
    for offer in offers:
        command = offer.command.removeprefix("writeit.")
        if command in ACCEPTS and not offer.params.keys() & {"stopOthers", "content"}:
            if command == "run.pause" and run.is_streaming:
                continue
            step = run.steps[offer.params.get("step", run.current_step)]
            response = UUID(offer.params.get("response", str(UUID(int=0))))
            if command == "step.merge":
                continue
            assert is_accepted(command, run, step, response), offer


def check_permissions(run: PipelineRun, step: StepState) -> None:
    """Each boolean of `can` says whether the command would be accepted."""
    can = permitted.step_permissions(run, step)
    ids = [answer.response_id for answer in step.ai_responses]
    continued = [is_accepted("step.continue", run, step, key) for key in ids]
    assert can.continue_ == any(continued)
    for name in ("run", "regenerate", "select", "merge", "skip", "apply"):
        assert getattr(can, name) == is_accepted(f"step.{name}", run, step), name
    assert can.branch == is_accepted("run.branch", run, step)
    whole = permitted.run_permissions(run)
    # Stopping a regeneration of a finished run leaves it finished.
    assert whole.pause == (run.is_streaming or is_accepted("run.pause", run, step))
    assert whole.resume == is_accepted("run.resume", run, step)


def check_numbers(step: StepState) -> None:
    """Each number is shown once; a choice is shown beside what replaces it."""
    shown = [
        step.numbers[
            (item.answer if isinstance(item, EndedAnswer) else item).response_id
        ]
        for item in list_answers(step)
        if not (isinstance(item, EndedAnswer) and is_selected(step, item.answer))
    ]
    assert len(set(shown)) == len(shown)


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
