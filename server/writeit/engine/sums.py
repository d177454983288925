"""What calls used, added up. An unknown cost is counted as unknown, never as 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

    from writeit.ports import UsageRecord

By = Literal["model", "pipeline", "day", "run"]


@dataclass(slots=True, kw_only=True)
class Sum:
    """The calls of one key added up."""

    key: str
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    """Of the calls whose cost is known; None if none is."""
    unknown_cost_calls: int = 0
    seconds: float = 0.0

    def add(self, record: UsageRecord) -> None:
        """Count one call."""
        self.calls += 1
        self.prompt_tokens += record.usage.prompt_tokens
        self.completion_tokens += record.usage.completion_tokens
        self.seconds += record.seconds
        if record.usage.cost_usd is None:
            self.unknown_cost_calls += 1
        else:
            self.cost_usd = (self.cost_usd or 0.0) + record.usage.cost_usd


def summed(records: Iterable[UsageRecord], by: By) -> tuple[list[Sum], Sum]:
    """Return a sum for each key, by key, and the sum of all."""
    rows: dict[str, Sum] = {}
    total = Sum(key="total")
    for record in records:
        key = _key(record, by)
        rows.setdefault(key, Sum(key=key)).add(record)
        total.add(record)
    return [rows[key] for key in sorted(rows)], total


def _key(record: UsageRecord, by: By) -> str:
    match by:
        case "model":
            return record.model
        case "pipeline":
            return record.pipeline
        case "day":
            return record.at.date().isoformat()
        case "run":
            return str(record.run_id)
