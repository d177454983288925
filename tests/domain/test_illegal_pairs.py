"""Every pair of statuses with every event: unlisted events are refused."""

from typing import Any

import pytest

from support.runs import (
    START,
    STEPS,
    answer,
    asked,
    call_for,
    chosen,
    done,
    new_id,
    new_run,
    passage_of,
)
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import InvalidTransition
from writeit.domain.events import Event
from writeit.domain.operations import generate
from writeit.domain.run import PipelineRun, PipelineStatus, StepState, StepStatus
from writeit.domain.transitions import (
    ALLOWED_WHILE_STREAMING,
    RUN_TRANSITIONS,
    STEP_TRANSITIONS,
)

HERE = "outline"
"""The step of the events; one step is before it and two are after it."""
CALL = call_for(StepState(step_name=HERE))
WAITING = call_for(StepState(step_name=HERE))
ANSWER = answer(CALL)
EVENTS: dict[str, dict[str, Any]] = {
    "run_paused": {},
    "run_resumed": {},
    "run_completed": {},
    "run_failed": {"message": "no"},
    "run_moved": {"documents": {"a": "b"}},
    "remark_dismissed": {"kind": "tone"},
    "remark_restored": {"kind": "tone"},
    "step_started": {"calls": (call_for(StepState(step_name=HERE)),)},
    "step_regenerated": {"calls": (call_for(StepState(step_name=HERE)),)},
    "step_continued": {
        "calls": (
            call_for(StepState(step_name=HERE)).evolve(
                replaces=ANSWER.response_id, continues=True
            ),
        )
    },
    "step_completed": {},
    "step_skipped": {},
    "response_started": {
        "response_id": WAITING.response_id,
        "model": WAITING.model,
        "prompt": "a prompt",
    },
    "response_received": {"response": answer(WAITING)},
    "response_interrupted": {"response": answer(WAITING), "reason": "timeout"},
    "response_failed": {
        "response_id": WAITING.response_id,
        "model": WAITING.model,
        "reason": "timeout",
        "message": "slow",
    },
    "response_selected": {"index": 0},
    "response_rated": {"response_id": ANSWER.response_id, "score": 0.5},
    "passage_taken": {"passage": passage_of(ANSWER.response_id)},
    "merged": {"content": "mine", "merged_from": ()},
    "feedback_given": {"text": "shorter"},
    "text_applied": {"uri": "a", "mode": "insert", "replaced": "b", "text": "c"},
    "text_restored": {"uri": "a"},
}
OF_THE_RUN = ("run_", "remark_")
"""How the events begin that are about no step."""
KINDS = {
    kind.model_fields["type"].default: kind
    for kind in (*e.RunEvent.__args__, *e.StepEvent.__args__)
}


def made(name: str, step: str = HERE) -> Event:
    """Return an event of that name about a step."""
    fields = EVENTS[name] | ({} if name.startswith(OF_THE_RUN) else {"step": step})
    event: Event = KINDS[name](at=START, **fields)
    return event


def standing(run_status: PipelineStatus, step_status: StepStatus) -> PipelineRun:
    """Return a run in a status, its second step in a status, with answers if any."""
    begun = step_status in {StepStatus.RUNNING, StepStatus.COMPLETED}
    over = step_status is StepStatus.COMPLETED
    step = StepState(
        step_name=HERE,
        status=step_status,
        started_at=START if begun else None,
        completed_at=START if over else None,
        ai_responses=(ANSWER,) if begun else (),
        user_selection=0 if over else None,
        calls=(CALL, WAITING) if begun else (),
    )
    return chosen(new_run()).with_step(step, status=run_status)


def is_listed(name: str, run_status: PipelineStatus, step_status: StepStatus) -> bool:
    """Whether the tables list the event for both statuses."""
    if name not in RUN_TRANSITIONS[run_status]:
        return False
    return name.startswith(OF_THE_RUN) or name in STEP_TRANSITIONS[step_status]


PAIRS = [
    (run_status, step_status, name)
    for run_status in PipelineStatus
    for step_status in StepStatus
    for name in EVENTS
]


def check_refused(run: PipelineRun, event: Event) -> InvalidTransition:
    """Check that an event is refused and changes nothing; return the refusal."""
    before = run.model_dump()
    with pytest.raises(InvalidTransition) as refusal:
        state_machine.apply_event(run, event)
    assert run.model_dump() == before
    assert refusal.value.data["attempted"] == event.type
    return refusal.value


def test_every_event_is_tried() -> None:
    """And each kind has one name."""
    assert set(EVENTS) == set(KINDS)
    assert len(KINDS) == len(e.RunEvent.__args__) + len(e.StepEvent.__args__)


@pytest.mark.rule("run-5", "settled-25")
@pytest.mark.parametrize(
    ("run_status", "step_status", "name"),
    [pair for pair in PAIRS if not is_listed(pair[2], *pair[:2])],
)
def test_an_event_that_the_tables_do_not_list_is_refused(
    run_status: PipelineStatus, step_status: StepStatus, name: str
) -> None:
    """The error has the state and the allowed events."""
    refusal = check_refused(standing(run_status, step_status), made(name))
    assert refusal.data["state"] in {run_status.value, step_status.value}
    assert name not in refusal.data["allowed"]


@pytest.mark.rule("settled-9")
@pytest.mark.parametrize(
    ("run_status", "step_status", "name"),
    [pair for pair in PAIRS if is_listed(pair[2], *pair[:2])],
)
def test_an_event_that_the_tables_list_leads_where_they_say(
    run_status: PipelineStatus, step_status: StepStatus, name: str
) -> None:
    """Or it is refused because of its own condition."""
    run = standing(run_status, step_status)
    before = run.model_dump()
    try:
        after = state_machine.apply_event(run, made(name))
    except InvalidTransition:
        after = None
    assert run.model_dump() == before
    if after is None:
        assert name in {
            "run_completed",  # steps are open
            "response_received",  # nothing streams
            "response_interrupted",
            "response_failed",
            "step_completed",  # nothing is chosen
        }
        return
    assert after.status is (RUN_TRANSITIONS[run_status][name] or run_status)
    expected = step_status
    if not name.startswith(OF_THE_RUN):
        expected = STEP_TRANSITIONS[step_status][name] or step_status
    assert after.steps[HERE].status is expected


@pytest.mark.rule("settled-26")
@pytest.mark.parametrize("status", PipelineStatus)
@pytest.mark.parametrize("kind", [e.RunStarted, e.RunBranched])
def test_a_run_that_exists_cannot_begin(
    status: PipelineStatus, kind: type[e.RunStarted | e.RunBranched]
) -> None:
    """In any status."""
    run = standing(status, StepStatus.RUNNING)
    check_refused(run, kind(at=START, run=new_run()))


@pytest.mark.rule("settled-26")
@pytest.mark.parametrize("name", EVENTS)
def test_nothing_happens_to_a_run_that_does_not_exist(name: str) -> None:
    """Its first event is its start or its branching."""
    with pytest.raises(InvalidTransition):
        state_machine.apply_event(None, made(name))


@pytest.mark.rule("verb-1")
@pytest.mark.parametrize("name", sorted(EVENTS.keys() - ALLOWED_WHILE_STREAMING))
def test_while_answers_stream_they_can_only_end(name: str) -> None:
    """Except passages, feedback and ratings."""
    run, calls = asked(chosen(new_run()), 2)
    run = done(run, generate.complete_response(HERE, answer(calls[0]), START))
    check_refused(run, made(name))


STEP_EVENTS = [name for name in EVENTS if not name.startswith(OF_THE_RUN)]


@pytest.mark.rule("rel-6")
@pytest.mark.parametrize("name", STEP_EVENTS)
@pytest.mark.parametrize("step", STEPS[2:])
def test_nothing_happens_in_a_step_behind_the_current_one(name: str, step: str) -> None:
    """Order is enforced."""
    check_refused(
        standing(PipelineStatus.RUNNING, StepStatus.RUNNING), made(name, step)
    )


@pytest.mark.rule("verb-8")
@pytest.mark.parametrize(
    "name",
    [
        *("step_regenerated", "step_continued", "step_started"),
        *("response_selected", "merged"),
    ],
)
@pytest.mark.parametrize("next_step", [StepStatus.RUNNING, StepStatus.SKIPPED])
def test_what_later_steps_were_given_does_not_change(
    name: str, next_step: StepStatus
) -> None:
    """Once the next step has begun, only a branch can change it."""
    check_refused(standing(PipelineStatus.RUNNING, next_step), made(name, STEPS[0]))


@pytest.mark.rule("settled-25")
@pytest.mark.parametrize("name", STEP_EVENTS)
def test_nothing_happens_in_a_step_the_run_does_not_have(name: str) -> None:
    """Its steps are those of its configuration."""
    run = standing(PipelineStatus.RUNNING, StepStatus.RUNNING)
    check_refused(run, made(name, "abstract"))


@pytest.mark.rule("settled-25")
@pytest.mark.parametrize(
    "event",
    [
        e.ResponseSelected(at=START, step=HERE, index=1),
        e.ResponseSelected(at=START, step=HERE, index=-1),
        e.ResponseRated(at=START, step=HERE, response_id=new_id(), score=0.5),
        e.PassageTaken(at=START, step=HERE, passage=passage_of(new_id())),
        e.ResponseReceived(at=START, step=HERE, response=ANSWER),
        e.ResponseStarted(
            at=START, step=HERE, response_id=new_id(), model="a/b", prompt="p"
        ),
        e.ResponseStarted(
            at=START, step=HERE, response_id=CALL.response_id, model="a/b", prompt="p"
        ),
    ],
    ids=lambda event: event.type,
)
def test_an_event_about_an_answer_that_is_not_there_is_refused(event: Event) -> None:
    """By index or by id, and none twice."""
    check_refused(standing(PipelineStatus.RUNNING, StepStatus.RUNNING), event)
