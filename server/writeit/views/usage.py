"""What all calls used: by model, by day, or by whatever they were added up by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from writeit.views import words
from writeit.views.markdown import blocks, inline, table

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime


class UsageSum(Protocol):
    """The calls of one key added up; `engine.sums.Sum` is one."""

    @property
    def key(self) -> str:
        """The model, the day, or whatever it is a sum of."""
        ...

    @property
    def calls(self) -> int:
        """How many calls were made."""
        ...

    @property
    def prompt_tokens(self) -> int:
        """Tokens sent."""
        ...

    @property
    def completion_tokens(self) -> int:
        """Tokens that came back."""
        ...

    @property
    def cost_usd(self) -> float | None:
        """Of the calls whose cost is known; None if none is."""
        ...

    @property
    def unknown_cost_calls(self) -> int:
        """How many calls cost nobody knows what."""
        ...

    @property
    def seconds(self) -> float:
        """How long the calls took together."""
        ...


def render_usage(
    sums: Mapping[str, Sequence[UsageSum]],
    total: UsageSum,
    *,
    since: datetime | None = None,
) -> str:
    """Return the view of what was used; `sums` are the rows by what they are by.

    The keys of `sums` are "model", "day", "pipeline" or "run".
    """
    tables = (
        f"## By {inline(by)}\n\n{_table(by, rows, total)}" for by, rows in sums.items()
    )
    return (
        blocks("# Usage", _told(total, since), *(tables if total.calls else ())) + "\n"
    )


def _told(total: UsageSum, since: datetime | None) -> str:
    when = f" since {words.day(since)}" if since else ""
    if not total.calls:
        return f"No model was asked{when}."
    told = f"{words.count(total.calls, 'call')}{when}: **{_cost(total)}**."
    if not total.unknown_cost_calls or total.cost_usd is None:
        return told
    unknown = words.count(total.unknown_cost_calls, "call")
    return f"{told} {unknown} of unknown cost came on top."


def _table(by: str, rows: Sequence[UsageSum], total: UsageSum) -> str:
    headers = (by, "calls", "tokens sent", "came back", "time", "cost")
    lines = [_row(inline(row.key), row) for row in rows]
    if len(rows) > 1:
        lines.append(_row("**together**", total))
    return table([inline(header) for header in headers], lines, numbers=range(1, 6))


def _row(name: str, row: UsageSum) -> tuple[str, ...]:
    return (
        name,
        f"{row.calls:,}",
        f"{row.prompt_tokens:,}",
        f"{row.completion_tokens:,}",
        words.seconds(row.seconds),
        _cost_cell(row),
    )


def _cost(row: UsageSum) -> str:
    return words.cost(row.cost_usd)


def _cost_cell(row: UsageSum) -> str:
    if row.cost_usd is None:
        return "unknown"
    known = words.money(row.cost_usd)
    return (
        f"{known} + {row.unknown_cost_calls} unknown"
        if row.unknown_cost_calls
        else known
    )
