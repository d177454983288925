"""States, reasons, costs and times in plain words, each said in one place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from writeit.core.run import PipelineStatus
from writeit.views.markdown import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from writeit.core.errors import FailureReason
    from writeit.core.run import AIResponse, PipelineRun

_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)
_MINUTE = 60
_CENT = 0.01
_SMALLEST = 0.0001

REASONS: Final[dict[FailureReason, str]] = {
    "auth": "the provider did not accept the key, or there is none",
    "rate_limit": "the provider asked for a pause",
    "timeout": "no answer came in time",
    "context": "the prompt is too long for this model",
    "invalid_request": "the provider did not accept the request",
    "unavailable": "the provider could not be reached",
    "refused": "the provider declined to answer",
    "malformed": "what came was no answer",
    "empty": "the answer was empty",
    "not_found": "the provider does not know this model",
    "cancelled": "stopped before anything came",
}
"""Why nothing came."""

REMEDIES: Final[dict[FailureReason, str]] = {
    "auth": "Set a key for this provider, then ask again.",
    "rate_limit": "Wait a little and ask again, or ask another model.",
    "timeout": "Ask again, or ask another model.",
    "context": "Shorten the text, or ask a model that takes longer ones.",
    "invalid_request": "Look at the step's settings, or ask another model.",
    "unavailable": "Look whether the network is there, then ask again.",
    "refused": "Put the text or the request differently, or ask another model.",
    "malformed": "Ask again, or ask another model.",
    "empty": "Ask again, or ask another model.",
    "not_found": "Choose a model from the list of models.",
    "cancelled": "Ask again whenever you like.",
}
"""What to do about it."""

_CUT: Final[dict[str, str]] = {
    "cancelled": "stopped before its end",
    "timeout": "cut short: nothing more came in time",
    "unavailable": "cut short: the connection to the provider was lost",
    "rate_limit": "cut short: the provider asked for a pause",
    "refused": "cut short: the provider declined to go on",
    "malformed": "cut short: what came next was no text",
}
"""Why an answer is not whole, where it is known better than that it was cut."""

LENGTH_LIMITS: Final = frozenset({"length", "max_tokens"})
"""Providers' words for an answer that was as long as the step allows."""


def number(index: int) -> int:
    """Return the number by which people know the answer at `index`: from 1."""
    return index + 1


def number_of_answer(shown: int) -> str:
    """Name an answer by its number as it is shown."""
    return f"answer {shown}"


def answer(index: int) -> str:
    """Name the answer at `index`."""
    return number_of_answer(number(index))


def count(amount: int, thing: str, several: str = "") -> str:
    """Count things: "1 answer", "1,204 words"."""
    return f"{amount:,} {thing if amount == 1 else several or f'{thing}s'}"


def listed(names: Sequence[str]) -> str:
    """List names: "angles, outline and draft"."""
    if len(names) < len("ab"):
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def sentence(text: str) -> str:
    """Make a sentence of words that stand for themselves elsewhere."""
    return f"{text[:1].upper()}{text[1:]}."


def number_of_words(text: str) -> int:
    """Return how many words a text has."""
    return len(text.split())


def length(text: str) -> str:
    """Say how long a text is."""
    return count(number_of_words(text), "word")


def money(usd: float) -> str:
    """Say an amount of US dollars, small ones more exactly."""
    if usd == 0:
        return "free"
    if usd < _SMALLEST:
        return f"under ${_SMALLEST}"
    if usd < _CENT:
        return f"${usd:.4f}"
    return f"${usd:.3f}" if usd < 1 else f"${usd:,.2f}"


def cost(usd: float | None, *, estimated: bool = False) -> str:
    """Say what one call cost."""
    if usd is None:
        return "cost unknown"
    return f"about {money(usd)}" if estimated and usd else money(usd)


@dataclass(frozen=True, slots=True)
class Spent:
    """What several answers cost together."""

    usd: float | None
    """Of those whose cost is known; None if none is."""
    unknown: int = 0
    """How many cost nobody knows what."""
    estimated: bool = False


def spent(answers: Iterable[AIResponse]) -> Spent:
    """Add up what answers cost."""
    usages = [answer.usage_stats for answer in answers]
    known = [usage.cost_usd for usage in usages if usage.cost_usd is not None]
    return Spent(
        usd=sum(known) if known else None,
        unknown=len(usages) - len(known),
        estimated=any(u.estimated and u.cost_usd for u in usages),
    )


def total(costs: Spent) -> str:
    """Say what several answers cost together; nothing if there are none."""
    if costs.usd is None:
        return "cost unknown" if costs.unknown else ""
    known = cost(costs.usd, estimated=costs.estimated)
    if not costs.unknown:
        return known
    return f"{known}, and {count(costs.unknown, 'answer')} of unknown cost"


def seconds(amount: float) -> str:
    """Say how long something took."""
    if amount < _MINUTE:
        return f"{amount:.1f} s"
    minutes, rest = divmod(round(amount), _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min {rest} s"
    hours, minutes = divmod(minutes, _MINUTE)
    return f"{hours} h {minutes} min"


def day(at: datetime) -> str:
    """Say a day: "22 November 2026"."""
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}"


def moment(at: datetime) -> str:
    """Say a moment, which is in UTC: "22 November 2026, 21:03 UTC"."""
    return f"{day(at)}, {at:%H:%M} UTC"


def why_nothing_came(reason: FailureReason) -> str:
    """Say why a call ended without any text."""
    return REASONS[reason]


def what_to_do(reason: FailureReason) -> str:
    """Say what to do about a call that ended without any text."""
    return REMEDIES[reason]


def ending(answer: AIResponse) -> str:
    """Say how an answer ended, where it is not simply whole; else nothing."""
    if answer.partial:
        why = _CUT.get(answer.finish_reason or "", "cut short")
        return f"{why}; what came is kept"
    if answer.finish_reason in LENGTH_LIMITS:
        return "as long as the step allows; the end may be missing"
    return ""


def run_status(status: PipelineStatus, step: str) -> str:
    """Say in a few words where a run stands."""
    match status:
        case PipelineStatus.INITIALIZING:
            return "not started"
        case PipelineStatus.RUNNING:
            return f"at {step}"
        case PipelineStatus.PAUSED:
            return f"stopped at {step}"
        case PipelineStatus.COMPLETED:
            return "finished"
        case PipelineStatus.ERROR:
            return f"failed at {step}"


def origin_of(run: PipelineRun) -> str:
    """Name a run and its pipeline, in plain text."""
    title, pipeline = title_of(run), run.pipeline
    return title if title == pipeline else f"{title} · {pipeline}"


def title_of(run: PipelineRun) -> str:
    """Return what to call a run: its name, its document's title or file, its pipeline.

    It is plain text on one line.
    """
    names = (run.name or "", run.title, run.pipeline)
    return next(filter(None, map(one_line, names)), "run")
