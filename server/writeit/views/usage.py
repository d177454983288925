"""The pages of tokens, time and cost, and of which answers were chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from writeit.domain.entity import ChoiceCount, UsageTotal
from writeit.views import wording
from writeit.views.escape import escape_inline, markdown_table, page_of_blocks


def render_usage(
    sums: Mapping[str, Sequence[UsageTotal]],
    total: UsageTotal,
    *,
    since: datetime | None = None,
) -> str:
    """Return the page of usage; the keys of `sums` are "model", "day" and so on."""
    tables = (
        f"## By {escape_inline(by)}\n\n{_usage_table(by, rows, total)}"
        for by, rows in sums.items()
    )
    return page_of_blocks(
        "# Usage", _usage_summary(total, since), *(tables if total.calls else ())
    )


def _usage_summary(total: UsageTotal, since: datetime | None) -> str:
    when = f" since {wording.format_date(since)}" if since else ""
    if not total.calls:
        return f"No model calls{when}."
    calls = wording.count_of(total.calls, "call")
    summary = f"{calls}{when}: **{wording.cost_text(total.cost_usd)}**."
    if not total.unknown_cost_calls or total.cost_usd is None:
        return summary
    unknown = wording.count_of(total.unknown_cost_calls, "call")
    return f"{summary} Not included: {unknown} of unknown cost."


def _usage_table(grouping: str, rows: Sequence[UsageTotal], total: UsageTotal) -> str:
    headers = (grouping, "calls", "tokens sent", "received", "time", "cost")
    lines = [_usage_row(escape_inline(row.key), row) for row in rows]
    if len(rows) > 1:
        lines.append(_usage_row("**total**", total))
    return markdown_table(
        [escape_inline(header) for header in headers], lines, right_aligned=range(1, 6)
    )


def _usage_row(name: str, row: UsageTotal) -> tuple[str, ...]:
    return (
        name,
        f"{row.calls:,}",
        f"{row.prompt_tokens:,}",
        f"{row.completion_tokens:,}",
        wording.format_duration(row.seconds),
        _cost_cell(row),
    )


def _cost_cell(row: UsageTotal) -> str:
    if row.cost_usd is None:
        return "unknown"
    known = wording.format_usd(row.cost_usd)
    return (
        f"{known} + {row.unknown_cost_calls} unknown"
        if row.unknown_cost_calls
        else known
    )


def render_choices(counts: Sequence[ChoiceCount]) -> str:
    """Return the page of what became of each model's answers."""
    headers = ("step", "model", "choice", *_COUNTED)
    rows = [
        (
            escape_inline(count.step),
            escape_inline(count.model),
            "blind" if count.blind else "open",
            *(f"{getattr(count, name):,}" for name in _COUNTED),
        )
        for count in counts
    ]
    table = markdown_table(headers, rows, right_aligned=range(3, len(headers)))
    return page_of_blocks("# Choices", table if rows else "No answers yet.")


_COUNTED = ("offered", "chosen", "edited", "merged", "regenerated")
