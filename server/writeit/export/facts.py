"""Events as facts: what stands in the run already is not said again, and put back.

An answer is named by its id, a prompt that its answer holds is left out, and of the
run as it began only what is different by now is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self
from uuid import UUID

from pydantic import TypeAdapter

from writeit.core import events as e
from writeit.core.events import Event
from writeit.core.run import StepState

if TYPE_CHECKING:
    from writeit.core.run import AIResponse, PipelineRun

Fact = dict[str, Any]

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_BEGINNINGS = frozenset({"run_started", "run_branched"})
_ANSWERED = frozenset({"response_received", "response_interrupted"})


class Missing(ValueError):
    """A fact refers to what the run does not have."""


@dataclass(frozen=True, slots=True)
class Known:
    """What a run as it is says about its past."""

    run: PipelineRun
    answers: dict[UUID, AIResponse]
    """By id."""
    prompts: dict[UUID, str]
    """What was sent for the answers that it has or waits for, by their ids."""

    @classmethod
    def of(cls, run: PipelineRun) -> Self:
        """Gather it from the run."""
        steps = run.steps.values()
        answers = {a.response_id: a for step in steps for a in step.ai_responses}
        coming = {s.response_id: s.prompt for step in steps for s in step.streaming}
        ended = {key: answer.prompt_used for key, answer in answers.items()}
        return cls(run, answers, coming | ended)


def as_fact(event: Event, known: Known) -> Fact:
    """Return what an event says that the run as it is does not say."""
    fact = event.model_dump(mode="json", exclude={"run", "response"})
    match event:
        case e.RunStarted() | e.RunBranched():
            fact["run"] = _beginning(event.run, known.run)
        case e.ResponseReceived() | e.ResponseInterrupted():
            fact["response_id"] = str(event.response.response_id)
        case e.ResponseStarted():
            if known.prompts.get(event.response_id) == event.prompt:
                del fact["prompt"]
    return {"type": fact.pop("type"), **fact}


def as_event(fact: Fact, known: Known) -> Event:
    """Return the event of a fact about a run.

    Raises:
        ValueError: it is none, or refers to what the run does not have.
    """
    fields = dict(fact)
    kind = fields.get("type")
    if kind in _BEGINNINGS:
        fields["run"] = _begun(fields.get("run"), known)
    elif kind in _ANSWERED:
        fields["response"] = _answer(fields.pop("response_id", None), known)
    elif kind == "response_started" and "prompt" not in fields:
        fields["prompt"] = _prompt(fields.get("response_id"), known)
    return _EVENT.validate_python(fields)


def _beginning(begun: PipelineRun, run: PipelineRun) -> Fact:
    """What a run began with that is different by now."""
    now = dict(run)
    different = {key for key, value in begun if key != "steps" and value != now[key]}
    fields = begun.model_dump(mode="json", include=different)
    steps = {
        name: _step(step)
        for name, step in begun.steps.items()
        if step != run.steps.get(name)
    }
    return {**fields, "steps": steps}


def _step(step: StepState) -> Fact:
    fields = step.model_dump(
        mode="json", exclude={"ai_responses"}, exclude_defaults=True
    )
    if step.ai_responses:
        fields["ai_responses"] = [str(a.response_id) for a in step.ai_responses]
    return fields


def _begun(fact: object, known: Known) -> PipelineRun:
    run = known.run
    fields = dict(_mapping(fact, "run"))
    steps = _mapping(fields.pop("steps", {}), "run.steps")
    begun = {
        name: _begun_step(steps[name], known) if name in steps else step
        for name, step in run.steps.items()
    }
    if unknown := [name for name in steps if name not in begun]:
        msg = f"the run has no step {unknown[0]!r}"
        raise Missing(msg)
    return type(run).model_validate({**dict(run), **fields, "steps": begun})


def _begun_step(fact: object, known: Known) -> StepState:
    fields = dict(_mapping(fact, "a step of the run"))
    ids = fields.pop("ai_responses", [])
    if not isinstance(ids, list):
        msg = "ai_responses is no list"
        raise Missing(msg)
    responses = tuple(_answer(each, known) for each in ids)
    return StepState.model_validate({**fields, "ai_responses": responses})


def _mapping(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        msg = f"{name} is no mapping"
        raise Missing(msg)
    return value


def _answer(response_id: object, known: Known) -> AIResponse:
    found = known.answers.get(_id(response_id))
    if found is None:
        msg = f"the run has no answer {response_id}"
        raise Missing(msg)
    return found


def _prompt(response_id: object, known: Known) -> str:
    found = known.prompts.get(_id(response_id))
    if found is None:
        msg = f"nothing says what was sent for {response_id}"
        raise Missing(msg)
    return found


def _id(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        msg = f"{str(value)[:60]!r} is no id"
        raise Missing(msg) from error
