"""Whether a run is what its events make of it, and can be found where it should be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import machine
from writeit.core.errors import WriteItError
from writeit.store import keys, schema, shapes, writing
from writeit.store.codec import EMPTY
from writeit.store.findings import shown, why
from writeit.store.records import Listing, RunRecord
from writeit.store.side_records import UsedRecord

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.events import Event
    from writeit.core.run import PipelineRun
    from writeit.store.findings import Findings
    from writeit.store.reading import Reading


def survey(findings: Findings) -> None:
    """Note what runs there are, and the index entries each should have."""
    findings.entries[keys.SCHEMA] = schema.stamp(schema.SCHEMA)
    for key, raw in findings.snapshot.scan(keys.RUNS):
        record = findings.record(RunRecord, key, raw)
        if record is None:
            _note_unreadable(findings, key)
            continue
        run_id = record.pipeline_run_id
        if key != keys.run(run_id):
            findings.add(key, f"It holds another run, {run_id}.")
            continue
        findings.steps[run_id] = record.step_names
        findings.entries |= writing.index_entries(record)
        _survey_references(findings, key, record)
    for key, raw in findings.snapshot.scan(keys.TOMBSTONES):
        left = findings.record(Listing, key, raw)
        if left is not None:
            findings.entries |= {
                entry: value
                for entry, value in writing.index_entries(left).items()
                if entry.startswith(b"branch_")
            }


def check_entries(findings: Findings) -> None:
    """Note what should be there, by what the runs are, and is not."""
    for key in findings.entries:
        if findings.snapshot.get(key) is None:
            findings.add(key, "It is missing.")


def _survey_references(findings: Findings, key: bytes, record: RunRecord) -> None:
    configuration = keys.config(record.configuration_id)
    findings.expect(key, configuration, "the configuration")
    parent = record.parent_pipeline_run_id
    if parent is not None and not _is_known(findings, parent):
        findings.add(key, f"It branched off run {parent}, of which nothing is there.")
    if record.primer is None:
        return
    version = keys.primer(record.primer.primer_id, record.primer.version)
    findings.expect(key, version, "the primer")
    findings.expect(key, keys.primer(record.primer.primer_id), "the newest")
    uses = keys.primer_usage(record.primer.primer_id)
    use = keys.at(uses, record.created_at, record.pipeline_run_id)
    findings.uses.add(use)
    if parent is None:
        findings.entries[use] = EMPTY


def _is_known(findings: Findings, run_id: UUID) -> bool:
    there = (keys.run(run_id), keys.tombstone(run_id))
    return any(findings.snapshot.get(key) is not None for key in there)


def _note_unreadable(findings: Findings, key: bytes) -> None:
    """What belongs to a run that is there but cannot be read is no orphan."""
    try:
        findings.unreadable.add(keys.id_at_end(key))
    except ValueError:
        findings.add(key, "Its key ends in no id.")


def check_run(findings: Findings, run_id: UUID) -> None:
    """Check one run whole."""
    try:
        _check_run(findings, run_id)
    except (WriteItError, ValueError, LookupError) as error:
        findings.unreadable.add(run_id)
        findings.add(keys.run(run_id), f"The run cannot be put together: {why(error)}.")


def _check_run(findings: Findings, run_id: UUID) -> None:
    key = keys.run(run_id)
    reading = findings.reading()
    stored = reading.run(run_id, {})
    if stored is None:
        findings.add(key, "It is not found by its key: the order of keys is damaged.")
        return
    run = shapes.without_streamed(stored.run)
    _note_answers(findings, run)
    events = _events(findings, reading, run_id)
    if events is not None:
        _check_history(findings, run, stored.seq, events)


def _note_answers(findings: Findings, run: PipelineRun) -> None:
    run_id = run.pipeline_run_id
    for name, step in run.steps.items():
        for index, answer in enumerate(step.ai_responses):
            place = keys.step_response(run_id, name, index, answer.response_id)
            findings.entries[place] = EMPTY
            findings.held.add(answer.response_id)
        findings.streaming.update((run_id, s.response_id) for s in step.streaming)
    if run.is_streaming:
        findings.entries[keys.streaming(run_id)] = EMPTY


def _events(findings: Findings, reading: Reading, run_id: UUID) -> list[Event] | None:
    try:
        return reading.events(run_id)
    except (WriteItError, ValueError, LookupError) as error:
        message = f"An event of the run cannot be read: {why(error)}."
        findings.add(keys.events(run_id), message)
        return None


def _check_history(
    findings: Findings, run: PipelineRun, seq: int, events: list[Event]
) -> None:
    key = keys.run(run.pipeline_run_id)
    if len(events) != seq:
        message = f"It is at event {seq}, but {len(events)} events are there."
        findings.add(key, message)
        return
    try:
        replayed = machine.replay(events)
    except (WriteItError, ValueError) as error:
        findings.add(key, f"Its events do not make a run: {why(error)}.")
        return
    if replayed != run:
        where = ", ".join(_differences(run, replayed))
        findings.add(key, f"It is not what its events make of it: {where}.")
    _check_usage(findings, run, events)


def _differences(run: PipelineRun, replayed: PipelineRun) -> list[str]:
    """The fields that differ, by name."""
    fields = [
        name
        for name, value in run
        if name != "steps" and value != getattr(replayed, name)
    ]
    for step, state in run.steps.items():
        other = replayed.steps.get(step)
        fields += [
            f"{step}.{name}"
            for name, value in state
            if other is None or value != getattr(other, name)
        ]
    return fields or ["its steps"]


def _check_usage(findings: Findings, run: PipelineRun, events: list[Event]) -> None:
    for response_id, used in shapes.used_by(run, events).items():
        key = keys.usage(used.at, response_id)
        raw = findings.snapshot.get(key)
        if raw is None:
            message = f"What answer {response_id} of run {run.pipeline_run_id} used"
            findings.add(key, f"{message} is not there.")
            continue
        record = findings.record(UsedRecord, key, raw)
        if record is not None and shapes.usage_of(record) != used:
            findings.add(key, f"It is not what {shown(keys.response(response_id))} is.")
