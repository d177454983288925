"""The texts of a run that can be searched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from writeit.ports.store import RunText, SearchPlace
from writeit.storage import keys, reads
from writeit.storage.cache import Caches
from writeit.storage.records import EventRecord, RunRecord, StepRecord
from writeit.storage.snapshot import Snapshot

_EVENT_TEXTS: dict[str, tuple[str, SearchPlace]] = {
    "text_applied": ("text", "applied"),
    "feedback_given": ("text", "feedback"),
    "step_regenerated": ("feedback", "feedback"),
    "step_started": ("instruction", "feedback"),
    "response_selected": ("content", "answer"),
    "merged": ("content", "answer"),
}
"""The field of each event that has a text, and what that is."""
_EVENT_MARKS = tuple(f'"{name}"'.encode() for name in _EVENT_TEXTS)


def read_run_texts(snapshot: Snapshot, run_id: UUID) -> list[RunText]:
    """Read the texts of a run, each once in a place; [] if there is no such run.

    Raises:
        StoreError: a part of the run is damaged or too new.
    """
    raw = snapshot.get(keys.run(run_id))
    texts: dict[tuple[str | None, ...], RunText] = {}
    for text in _walk_texts(snapshot, run_id, raw) if raw is not None else ():
        if text.text.strip():
            texts.setdefault((text.place, text.step, text.text), text)
    return list(texts.values())


def _walk_texts(snapshot: Snapshot, run_id: UUID, raw: bytes) -> Iterator[RunText]:
    key = keys.run(run_id)
    run = reads.decode_stored(snapshot, RunRecord, key, raw, lambda _: "")
    yield RunText("title", run.title, run.created_at)
    yield RunText("title", run.name or "", run.created_at)
    reader = reads.SnapshotReader(snapshot, Caches())
    for key in snapshot.scan_keys(keys.step_responses_prefix(run_id)):
        answer = reader.response(keys.trailing_id(key))
        step, answer_id = keys.step_of_response(key), answer.response_id
        where = (answer.created_at, step, answer_id, answer.model)
        yield RunText("answer", answer.processed_content, *where)
        yield RunText("prompt", answer.prompt_used, *where)
    for key, raw_step in snapshot.scan(keys.step(run_id, "")):
        state = reads.decode_stored(
            snapshot, StepRecord, key, raw_step, reader.shared_text
        )
        at, step = state.completed_at or run.created_at, state.step_name
        yield RunText("answer", state.edited_content or "", at, step)
        yield RunText("answer", state.merged_content or "", at, step)
        yield RunText("feedback", state.user_feedback or "", at, step)
        yield RunText("feedback", state.instruction or "", at, step)
    for key, raw_event in snapshot.scan(keys.events_prefix(run_id)):
        if any(mark in raw_event for mark in _EVENT_MARKS):
            record = reads.decode_stored(
                snapshot, EventRecord, key, raw_event, reader.shared_text
            )
            yield from _event_texts({**record.event, **record.texts})


def _event_texts(event: dict[str, object]) -> Iterator[RunText]:
    field, place = _EVENT_TEXTS.get(str(event["type"]), ("", "answer"))
    if text := event.get(field):
        at = datetime.fromisoformat(str(event["at"]))
        uri = str(event["uri"]) if place == "applied" else None
        yield RunText(place, str(text), at, str(event["step"]), uri=uri)
