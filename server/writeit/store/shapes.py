"""From entities to records and back: the one place where the two shapes meet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter

from writeit.core import events as e
from writeit.core.entity import Entity
from writeit.core.events import Event
from writeit.core.primer import StylePrimer
from writeit.core.run import AIResponse, PipelineRun, StepState, pipeline_of
from writeit.core.usage import TokenUsage
from writeit.ports import Lease, RunSummary, UsageRecord
from writeit.store.codec import LONG
from writeit.store.records import (
    EventRecord,
    Listing,
    ResponseRecord,
    RunFields,
    RunRecord,
    StartRecord,
    StartStepRecord,
    StepRecord,
)
from writeit.store.side_records import (
    LeaseRecord,
    PrimerRecord,
    UsedRecord,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from writeit.store.records import Record

E = TypeVar("E", bound=Entity)

_EVENT: TypeAdapter[Event] = TypeAdapter(Event)
_EVENT_PARTS = ("calls", "merged_from", "passage")
"""Fields of events that have records of their own."""


def _fields(model: Entity | Record, without: str = "v") -> dict[str, Any]:
    """The fields as they are; nested values are read by their attributes."""
    return {name: value for name, value in model if name != without}


# --- Runs and steps ---------------------------------------------------------------


def run_record(run: PipelineRun, seq: int) -> RunRecord:
    """The record of `run`, whose newest event has number `seq`."""
    return RunRecord.model_validate(
        {
            **_fields(run, without="steps"),
            "seq": seq,
            "step_names": tuple(run.steps),
            "title": run.title,
            "cost_usd": run.cost_usd,
        }
    )


def run_entity(record: RunFields, steps: Mapping[str, StepState]) -> PipelineRun:
    """The run of `record` with its `steps`, in order."""
    fields = {name: getattr(record, name) for name in RunFields.model_fields}
    del fields["v"]
    return _entity(PipelineRun, {**fields, "steps": dict(steps)})


def step_record(step: StepState) -> StepRecord:
    """The record of `step`; where its responses are is kept apart."""
    return StepRecord.model_validate(_fields(step, without="ai_responses"))


def step_entity(record: StepRecord, responses: Sequence[AIResponse]) -> StepState:
    """The step of `record`, without the text that streams."""
    fields = {name: getattr(record, name) for name in StepRecord.model_fields}
    del fields["v"]
    return _entity(StepState, {**fields, "ai_responses": tuple(responses)})


def with_streamed(run: PipelineRun, text: Callable[[UUID], str]) -> PipelineRun:
    """The run with what `text` finds of each answer that streams."""
    if not run.is_streaming:
        return run
    return run.evolve(
        steps={
            name: step.evolve(
                streaming=tuple(
                    stream.evolve(text=text(stream.response_id))
                    for stream in step.streaming
                )
            )
            if step.streaming
            else step
            for name, step in run.steps.items()
        }
    )


def without_streamed(run: PipelineRun) -> PipelineRun:
    """The run without streamed text, which the journal alone keeps."""
    return with_streamed(run, lambda _: "")


def documents_of(run: Listing | RunRecord) -> list[str]:
    """The documents a run is about: its source, and those its texts stand in."""
    uris = [run.uri, *(applied.uri for applied in run.applied)]
    return list(dict.fromkeys(uri for uri in uris if uri is not None))


def summary(listing: Listing | RunRecord, *, deleted: bool = False) -> RunSummary:
    """The line of the list of runs."""
    return RunSummary(
        deleted=deleted,
        run_id=listing.pipeline_run_id,
        name=listing.name,
        title=listing.title,
        pipeline=pipeline_of(listing.configuration_id),
        configuration_id=listing.configuration_id,
        uri=listing.uri,
        status=listing.status,
        current_step=listing.current_step,
        parent_run_id=listing.parent_pipeline_run_id,
        branch_point=listing.branch_point,
        created_at=listing.created_at,
        updated_at=listing.updated_at,
        cost_usd=listing.cost_usd,
        documents=tuple(documents_of(listing)),
        applied_to=tuple(dict.fromkeys(applied.uri for applied in listing.applied)),
    )


# --- Responses --------------------------------------------------------------------


def response_record(response: AIResponse) -> ResponseRecord:
    """The record of an answer; a cleaned text within the raw one is but a slice."""
    fields = _fields(response, without="processed_content")
    cleaned = response.processed_content
    start = response.raw_output.find(cleaned)
    if start >= 0:
        fields["processed"] = (start, start + len(cleaned))
    else:
        fields["processed_content"] = cleaned
    return ResponseRecord.model_validate(fields)


def response_entity(record: ResponseRecord) -> AIResponse:
    """The answer of `record`."""
    fields = _fields(record)
    piece = fields.pop("processed")
    if piece is not None:
        fields["processed_content"] = record.raw_output[piece[0] : piece[1]]
    return _entity(AIResponse, fields)


# --- Events -----------------------------------------------------------------------


def event_record(event: Event) -> EventRecord:
    """The record of an event; texts and responses are referred to, not repeated."""
    fields = _fields(event)
    parts = {name: fields.pop(name) for name in _EVENT_PARTS if name in fields}
    match event:
        case e.RunStarted() | e.RunBranched():
            parts["run"] = _start_record(fields.pop("run"))
        case e.ResponseReceived() | e.ResponseInterrupted():
            parts["response"] = fields.pop("response").response_id
    small = event.model_dump(mode="json", include=set(fields))
    texts = {name: small.pop(name) for name in fields if _is_long(fields[name])}
    return EventRecord.model_validate({"event": small, "texts": texts, **parts})


def event_entity(record: EventRecord, find: Callable[[UUID], AIResponse]) -> Event:
    """The event of `record`; `find` reads the responses it refers to."""
    fields: dict[str, Any] = {**record.event, **record.texts}
    for name in _EVENT_PARTS:
        if (part := getattr(record, name)) is not None:
            fields[name] = part
    if record.response is not None:
        fields["response"] = find(record.response)
    if record.run is not None:
        fields["run"] = _start_entity(record.run, find)
    return _EVENT.validate_python(fields, from_attributes=True)


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value.encode()) >= LONG


def _start_record(run: PipelineRun) -> StartRecord:
    steps = [_start_step(step) for step in run.steps.values()]
    return StartRecord.model_validate({**_fields(run, without="steps"), "steps": steps})


def _start_step(step: StepState) -> StartStepRecord:
    places = {call.response_id: place for place, call in enumerate(step.calls)}
    ids = [response.response_id for response in step.ai_responses]
    return StartStepRecord.model_validate(
        {
            **_fields(step, without="ai_responses"),
            "responses": tuple(places.get(key, key) for key in ids),
        }
    )


def _start_entity(
    record: StartRecord, find: Callable[[UUID], AIResponse]
) -> PipelineRun:
    steps = {
        step.step_name: step_entity(step, [find(key) for key in _ids(step)])
        for step in record.steps
    }
    return run_entity(record, steps)


def _ids(step: StartStepRecord) -> list[UUID]:
    return [
        step.calls[response].response_id if isinstance(response, int) else response
        for response in step.responses
    ]


# --- Leases and usage -------------------------------------------------------------


def lease_record(lease: Lease) -> LeaseRecord:
    """The record of a lease."""
    return LeaseRecord.model_validate(lease)


def lease_of(record: LeaseRecord) -> Lease:
    """The lease of `record`."""
    return Lease(**_fields(record))


def used_by(run: PipelineRun, events: Iterable[Event]) -> dict[UUID, UsageRecord]:
    """What the answers used that ended by `events`, by their ids."""
    return {
        event.response.response_id: UsageRecord(
            at=event.at,
            run_id=run.pipeline_run_id,
            pipeline=run.pipeline,
            model=event.response.model,
            usage=event.response.usage_stats,
            seconds=event.response.processing_time,
        )
        for event in events
        if isinstance(event, e.ResponseReceived | e.ResponseInterrupted)
    }


def used_record(used: UsageRecord) -> UsedRecord:
    """The record of a call's usage."""
    return UsedRecord.model_validate(used)


def usage_of(record: UsedRecord) -> UsageRecord:
    """The usage of `record`."""
    tokens = _entity(TokenUsage, _fields(record.usage))
    return UsageRecord(**{**_fields(record), "usage": tokens})


# --- Primers ----------------------------------------------------------------------


def primer_record(
    primer: StylePrimer, created_at: datetime, last_used: datetime
) -> PrimerRecord:
    """The record of a primer's version."""
    kept = {"created_at": created_at, "last_used": last_used}
    return PrimerRecord.model_validate({**_fields(primer), **kept})


def primer_entity(record: PrimerRecord) -> StylePrimer:
    """The primer of `record`."""
    return StylePrimer.model_validate(_fields(record))


# --- Common -----------------------------------------------------------------------


def _entity(kind: type[E], fields: dict[str, Any]) -> E:
    return kind.model_validate(fields, from_attributes=True)
