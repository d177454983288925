"""Sums of usage, and which answers were chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Literal
from urllib.parse import unquote
from uuid import UUID

from writeit.domain.blind import drawn_letters, hidden_letters
from writeit.domain.entity import ChoiceCount, UsageTotal
from writeit.domain.run import PipelineRun, StepState
from writeit.engine.queries import list_all_runs
from writeit.ports.store import Store, UsageRecord

UsageGrouping = Literal["model", "pipeline", "day", "run", "document"]


def shown_usage(store: Store, since: datetime | None = None) -> list[UsageRecord]:
    """Return the usage of calls; what would tell models waits for the blind choice."""
    blind = {run.run_id for run in list_all_runs(store) if run.is_blind}
    return [each for each in store.usage_records(since) if each.run_id not in blind]


def sum_usage(
    store: Store | None, records: Iterable[UsageRecord], group_by: UsageGrouping
) -> tuple[list[UsageTotal], UsageTotal]:
    """Return the sum for each key, sorted, and the sum of all."""
    rows: dict[str, UsageTotal] = {}
    total = UsageTotal(key="total")
    for record in records:
        key = _group_key(store, record, group_by)
        for row in (rows.setdefault(key, UsageTotal(key=key)), total):
            row.add(record.usage, record.seconds)
    return [rows[key] for key in sorted(rows)], total


def _group_key(
    store: Store | None, record: UsageRecord, group_by: UsageGrouping
) -> str:
    match group_by:
        case "model":
            return record.model
        case "pipeline":
            return record.pipeline
        case "day":
            return record.at.date().isoformat()
        case "run":
            return str(record.run_id)
        case "document":
            summary = store.summary(record.run_id) if store else None
            if summary is None:
                return "(deleted runs)"
            path = unquote(summary.uri or "").removeprefix("file://")
            return path or "(no document)"


def count_choices(store: Store) -> list[ChoiceCount]:
    """Return the counts by step and model, blind ones apart; all runs are read."""
    counts: dict[tuple[str, str, bool], ChoiceCount] = {}
    seen: set[UUID] = set()

    def count_of(step: str, model: str, blind: bool) -> ChoiceCount:
        new = ChoiceCount(step=step, model=model, blind=blind)
        return counts.setdefault((step, model, blind), new)

    for summary in list_all_runs(store):
        if summary.is_review:  # all its answers count; there is no choice
            continue
        if (stored := store.get_run(summary.run_id)) is not None:
            for step in _own_steps(stored.run):
                if not hidden_letters(step):
                    _count_step(step, seen, count_of)
    return [counts[key] for key in sorted(counts)]


def _own_steps(run: PipelineRun) -> list[StepState]:
    """Return the steps that were decided in this run, not in its parent."""
    names = run.step_names
    first = names.index(run.branch_point) if run.branch_point else 0
    return [run.steps[name] for name in names[first:]]


def _count_step(
    step: StepState,
    seen: set[UUID],
    count_of: Callable[[str, str, bool], ChoiceCount],
) -> None:
    """Add what became of a step's answers."""
    generations = {call.response_id: call.generation for call in step.calls}
    newest = max(generations.values(), default=0)
    letters = drawn_letters(step)
    for index, answer in enumerate(step.ai_responses):
        is_blind = answer.response_id in letters
        count = count_of(step.step_name, answer.model, is_blind)
        if answer.response_id not in seen:
            seen.add(answer.response_id)
            count.offered += 1
        count.regenerated += generations.get(answer.response_id, newest) < newest
        if index == step.user_selection:
            count.chosen += 1
            count.edited += step.edited_content is not None
        parts = {part.response_id for part in step.merged_from}
        count.merged += answer.response_id in parts
