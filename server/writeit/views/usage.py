"""What all calls used: by model, by day, or by whatever they were added up by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from writeit.views import wording
from writeit.views.escape import escape_inline, join_blocks, markdown_table


class UsageFigures(Protocol):
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
    sums: Mapping[str, Sequence[UsageFigures]],
    total: UsageFigures,
    *,
    since: datetime | None = None,
) -> str:
    """Return the view of what was used; `sums` are the rows by what they are by.

    The keys of `sums` are "model", "day", "pipeline" or "run".
    """
    tables = (
        f"## By {escape_inline(by)}\n\n{_usage_table(by, rows, total)}"
        for by, rows in sums.items()
    )
    return (
        join_blocks(
            "# Usage", _usage_summary(total, since), *(tables if total.calls else ())
        )
        + "\n"
    )


def _usage_summary(total: UsageFigures, since: datetime | None) -> str:
    when = f" since {wording.format_date(since)}" if since else ""
    if not total.calls:
        return f"No model was asked{when}."
    told = f"{wording.count_of(total.calls, 'call')}{when}: **{_cost_total(total)}**."
    if not total.unknown_cost_calls or total.cost_usd is None:
        return told
    unknown = wording.count_of(total.unknown_cost_calls, "call")
    return f"{told} {unknown} of unknown cost came on top."


def _usage_table(
    grouping: str, rows: Sequence[UsageFigures], total: UsageFigures
) -> str:
    headers = (grouping, "calls", "tokens sent", "came back", "time", "cost")
    lines = [_usage_row(escape_inline(row.key), row) for row in rows]
    if len(rows) > 1:
        lines.append(_usage_row("**together**", total))
    return markdown_table(
        [escape_inline(header) for header in headers], lines, right_aligned=range(1, 6)
    )


def _usage_row(name: str, row: UsageFigures) -> tuple[str, ...]:
    return (
        name,
        f"{row.calls:,}",
        f"{row.prompt_tokens:,}",
        f"{row.completion_tokens:,}",
        wording.format_duration(row.seconds),
        _cost_cell(row),
    )


def _cost_total(row: UsageFigures) -> str:
    return wording.cost_text(row.cost_usd)


def _cost_cell(row: UsageFigures) -> str:
    if row.cost_usd is None:
        return "unknown"
    known = wording.format_usd(row.cost_usd)
    return (
        f"{known} + {row.unknown_cost_calls} unknown"
        if row.unknown_cost_calls
        else known
    )
