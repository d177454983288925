"""Conversion of entities to records and back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from pydantic import TypeAdapter

from writeit.domain import events as e
from writeit.domain.answer import AIResponse
from writeit.domain.blind import hidden_in
from writeit.domain.entity import Entity, TokenUsage
from writeit.domain.events import Event
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, StepState, pipeline_name
from writeit.domain.run_summary import RunSummary
from writeit.ports.store import Lease, UsageRecord
from writeit.storage import keys
from writeit.storage.records import (
    MIN_SHARED_TEXT_BYTES,
    EventRecord,
    LeaseRecord,
    PrimerRecord,
    Record,
    ResponseRecord,
    RunFields,
    RunRecord,
    RunStartRecord,
    RunStartStepRecord,
    RunSummaryRecord,
    StepRecord,
    UsageEntryRecord,
    reject_text_reference,
)
from writeit.text.lines import first_words

E = TypeVar("E", bound=Entity)

_EVENT_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)
_EVENT_SUBRECORDS = ("calls", "merged_from", "passage")
"""Fields of events that are records."""


def _field_values(
    model: Entity | Record, without: str = "v", *, kind: type[Record] | None = None
) -> dict[str, Any]:
    """Return the fields, by default all; nested values are converted by attributes."""
    names = (kind or type(model)).model_fields
    return {name: getattr(model, name) for name in names if name != without}


# Runs and steps


def run_record(run: PipelineRun, seq: int) -> RunRecord:
    """Return the record of `run`, whose newest event has number `seq`."""
    return RunRecord.model_validate(
        {
            **_field_values(run, without="steps"),
            "seq": seq,
            "step_names": tuple(run.steps),
            "title": run.title,
            "cost_usd": run.cost_usd,
            "incomplete": bool(run.incomplete),
            "blind": bool(hidden_in(run)),
        }
    )


def run_entity(record: RunFields, steps: Mapping[str, StepState]) -> PipelineRun:
    """Return the run of `record` with its `steps`."""
    fields = _field_values(record, kind=RunFields)
    return _validate_entity(PipelineRun, {**fields, "steps": dict(steps)})


def step_record(step: StepState) -> StepRecord:
    """Return the record of `step` without its responses."""
    return StepRecord.model_validate(_field_values(step, without="ai_responses"))


def step_entity(record: StepRecord, responses: Sequence[AIResponse]) -> StepState:
    """Return the step of `record`, without streamed text."""
    fields = _field_values(record, kind=StepRecord)
    return _validate_entity(StepState, {**fields, "ai_responses": tuple(responses)})


def with_streamed_text(
    run: PipelineRun, read_text: Callable[[UUID], str]
) -> PipelineRun:
    """Return the run with the text that `read_text` returns for streaming answers."""
    if not run.is_streaming:
        return run
    return run.evolve(
        steps={
            name: step.evolve(
                streaming=tuple(
                    stream.evolve(
                        text=read_text(stream.response_id),
                        thoughts=read_text(keys.thoughts_id(stream.response_id)),
                    )
                    for stream in step.streaming
                )
            )
            if step.streaming
            else step
            for name, step in run.steps.items()
        }
    )


def without_streamed_text(run: PipelineRun) -> PipelineRun:
    """Return the run without streamed text, which only the journal has."""
    return with_streamed_text(run, lambda _: "")


def document_uris(run: RunSummaryRecord | RunRecord | PipelineRun) -> list[str]:
    """Return the URIs of a run's source and of the documents it was applied to."""
    uris = [run.uri, *(applied.uri for applied in run.applied)]
    return list(dict.fromkeys(uri for uri in uris if uri is not None))


def run_summary(
    record: RunSummaryRecord,
    read_text: Callable[[str], str] = reject_text_reference,
    *,
    deleted: bool = False,
) -> RunSummary:
    """Return the summary of a run; `read_text` returns a long text by its digest."""
    selection = record.document.selection
    if isinstance(selection, dict):
        selection = read_text(str(selection["text"]))
    return RunSummary(
        deleted=deleted,
        is_review=record.output == "review",
        passage=first_words(str(selection)),
        run_id=record.pipeline_run_id,
        name=record.name,
        title=record.title,
        pipeline=pipeline_name(record.configuration_id),
        configuration_id=record.configuration_id,
        uri=record.uri,
        status=record.status,
        current_step=record.current_step,
        parent_run_id=record.parent_pipeline_run_id,
        branch_point=record.branch_point,
        created_at=record.created_at,
        updated_at=record.updated_at,
        cost_usd=record.cost_usd,
        incomplete=record.incomplete,
        is_blind=record.blind,
        documents=tuple(document_uris(record)),
        files=tuple(
            str(f["uri"]) for f in record.document.notes + record.document.context
        ),
        applied_to=tuple(dict.fromkeys(applied.uri for applied in record.applied)),
    )


# Responses


def response_record(response: AIResponse) -> ResponseRecord:
    """Return the record of an answer; a cleaned text is a slice of the raw one."""
    fields = _field_values(response, without="processed_content")
    cleaned = response.processed_content
    start = response.raw_output.find(cleaned)
    if start >= 0:
        fields["processed"] = (start, start + len(cleaned))
    else:
        fields["processed_content"] = cleaned
    return ResponseRecord.model_validate(fields)


def response_entity(record: ResponseRecord) -> AIResponse:
    """Return the answer of `record`."""
    fields = _field_values(record)
    span = fields.pop("processed")
    if span is not None:
        fields["processed_content"] = record.raw_output[span[0] : span[1]]
    return _validate_entity(AIResponse, fields)


# Events


def event_record(event: Event) -> EventRecord:
    """Return the record of an event, with its response by reference."""
    fields = _field_values(event)
    parts = {name: fields.pop(name) for name in _EVENT_SUBRECORDS if name in fields}
    match event:
        case e.RunStarted() | e.RunBranched():
            parts["run"] = _run_start_record(fields.pop("run"))
        case e.ResponseReceived() | e.ResponseInterrupted():
            parts["response"] = fields.pop("response").response_id
    small = event.model_dump(mode="json", include=set(fields))
    texts = {name: small.pop(name) for name in fields if _is_long(fields[name])}
    return EventRecord.model_validate({"event": small, "texts": texts, **parts})


def event_entity(
    record: EventRecord, read_response: Callable[[UUID], AIResponse]
) -> Event:
    """Return the event of `record`; `read_response` reads its responses."""
    fields: dict[str, Any] = {**record.event, **record.texts}
    for name in _EVENT_SUBRECORDS:
        if (part := getattr(record, name)) is not None:
            fields[name] = part
    if record.response is not None:
        fields["response"] = read_response(record.response)
    if record.run is not None:
        fields["run"] = _run_start_entity(record.run, read_response)
    return _EVENT_ADAPTER.validate_python(fields, from_attributes=True)


def _is_long(value: object) -> bool:
    return isinstance(value, str) and len(value.encode()) >= MIN_SHARED_TEXT_BYTES


def _run_start_record(run: PipelineRun) -> RunStartRecord:
    steps = [_run_start_step(step) for step in run.steps.values()]
    return RunStartRecord.model_validate(
        {**_field_values(run, without="steps"), "steps": steps}
    )


def _run_start_step(step: StepState) -> RunStartStepRecord:
    indices = {call.response_id: index for index, call in enumerate(step.calls)}
    ids = [response.response_id for response in step.ai_responses]
    return RunStartStepRecord.model_validate(
        {
            **_field_values(step, without="ai_responses"),
            "responses": tuple(indices.get(key, key) for key in ids),
        }
    )


def _run_start_entity(
    record: RunStartRecord, read_response: Callable[[UUID], AIResponse]
) -> PipelineRun:
    steps = {
        step.step_name: step_entity(
            step, [read_response(key) for key in _response_ids(step)]
        )
        for step in record.steps
    }
    return run_entity(record, steps)


def _response_ids(step: RunStartStepRecord) -> list[UUID]:
    return [
        step.calls[response].response_id if isinstance(response, int) else response
        for response in step.responses
    ]


# Leases, usage and primers


def lease_entity(record: LeaseRecord) -> Lease:
    """Return the lease of `record`."""
    return Lease(**_field_values(record))


def usage_by_response(
    run: PipelineRun, events: Iterable[Event]
) -> dict[UUID, UsageRecord]:
    """Return the usage of the calls that `events` ended, by their ids."""
    records = {}
    for event in events:
        match event:
            case e.ResponseReceived(response=r) | e.ResponseInterrupted(response=r):
                key, model, usage = r.response_id, r.model, r.usage_stats
                seconds = r.processing_time
            case e.ResponseFailed(usage=TokenUsage() as usage):
                key, model, seconds = event.response_id, event.model, 0.0
            case _:
                continue
        records[key] = UsageRecord(
            at=event.at,
            run_id=run.pipeline_run_id,
            pipeline=run.pipeline,
            model=model,
            usage=usage,
            seconds=seconds,
        )
    return records


def usage_entity(record: UsageEntryRecord) -> UsageRecord:
    """Return the usage of `record`."""
    tokens = _validate_entity(TokenUsage, _field_values(record.usage))
    return UsageRecord(**{**_field_values(record), "usage": tokens})


def primer_record(
    primer: StylePrimer, created_at: datetime, last_used: datetime
) -> PrimerRecord:
    """Return the record of a primer's version."""
    dates = {"created_at": created_at, "last_used": last_used}
    return PrimerRecord.model_validate({**_field_values(primer), **dates})


def primer_entity(record: PrimerRecord) -> StylePrimer:
    """Return the primer of `record`; one that no prompt carried has no last use."""
    primer = StylePrimer.model_validate(_field_values(record))
    unused = record.last_used == record.created_at
    return primer.evolve(last_used=None) if unused else primer


def _validate_entity(kind: type[E], fields: dict[str, Any]) -> E:
    return kind.model_validate(fields, from_attributes=True)
