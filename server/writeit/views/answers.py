"""What came of the calls of a step, in the order they were asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.views import words
from writeit.views.markdown import blocks, inline, quotation
from writeit.views.markers import Block, Parts

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.run import (
        AIResponse,
        Call,
        ResponseFailure,
        StepState,
        StreamingResponse,
    )

_REWORDED = (
    "*In your own wording. What the model wrote is kept; compare the two to see it.*"
)
_ANEW = {2: "asked anew a second time", 3: "asked anew a third time"}


@dataclass(frozen=True, slots=True)
class Ended:
    """An answer with text, whole or not."""

    answer: AIResponse
    index: int
    anew: int = 0
    """How often the step had been asked anew by then."""
    merge: bool = False


@dataclass(frozen=True, slots=True)
class Coming:
    """An answer on its way."""

    stream: StreamingResponse


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that is not made yet."""

    model: str


@dataclass(frozen=True, slots=True)
class Failed:
    """A call that ended without any text."""

    failure: ResponseFailure


Item = Ended | Coming | Waiting | Failed


def in_order(step: StepState) -> list[Item]:
    """Return what came, in the order asked; what nobody knows to have asked, last."""
    places = {call.response_id: place for place, call in enumerate(step.calls)}
    items = _items(step)
    known = sorted((i for i in items if i in places), key=places.__getitem__)
    return [items[i] for i in (*known, *(i for i in items if i not in places))]


def _items(step: StepState) -> dict[UUID, Item]:
    calls = {call.response_id: call for call in step.calls}
    settled: dict[UUID, Item] = {
        answer.response_id: _ended(answer, index, calls)
        for index, answer in enumerate(step.rated_responses)
    }
    settled |= {stream.response_id: Coming(stream) for stream in step.streaming}
    settled |= {failure.response_id: Failed(failure) for failure in step.failures}
    replaced = {call.replaces for call in step.calls}
    waiting = {
        call.response_id: Waiting(call.model)
        for call in step.calls
        if step.streaming
        and call.generation == step.generation
        and call.response_id not in settled
        and call.response_id not in replaced
    }
    return settled | waiting


def _ended(answer: AIResponse, index: int, calls: dict[UUID, Call]) -> Ended:
    call = calls.get(answer.response_id)
    if call is None:
        return Ended(answer, index)
    generations = sorted({call.generation for call in calls.values()})
    return Ended(answer, index, generations.index(call.generation), call.merge)


def shown(step: StepState, item: Item) -> Parts:
    """Return one of them as parts of a page."""
    match item:
        case Ended():
            return _ended_shown(step, item)
        case Coming():
            return _coming_shown(item.stream)
        case Waiting():
            return [f"## Coming · {inline(item.model)}\n\n*It waits its turn.*\n"]
        case Failed():
            return [_failed_shown(item.failure)]


def _ended_shown(step: StepState, item: Ended) -> Parts:
    answer, index = item.answer, item.index
    chosen = step.user_selection == index
    heading = f"## Answer {words.number(index)} · {inline(answer.model)}"
    text = answer.processed_content
    notes = [ending(answer)]
    if item.merge:
        notes.append("*Joined from several answers by the model.*")
    if chosen and step.edited_content is not None:
        text = step.edited_content
        notes.append(_REWORDED)
    facts = facts_of(answer, text)
    if item.anew:
        facts += f" · {_ANEW.get(item.anew, 'asked anew')}"
    block = Block("answer", text, answer.response_id, words.number(index))
    head = blocks(heading + (" · your choice" if chosen else ""), facts, *notes)
    return [f"{head}\n\n", block]


def facts_of(answer: AIResponse, text: str) -> str:
    """Say how long an answer is, what it took and what it cost, on one line."""
    usage = answer.usage_stats
    about = "about " if usage.estimated else ""
    facts = [
        words.length(text),
        about + words.count(usage.completion_tokens, "token"),
        words.seconds(answer.processing_time),
        words.cost(usage.cost_usd, estimated=usage.estimated),
    ]
    if answer.quality_score is not None:
        facts.append(f"you rated it {answer.quality_score:g}")
    return " · ".join(facts)


def ending(answer: AIResponse) -> str:
    """Say how an answer ended, where it is not simply whole, as a line of a page."""
    ended = words.ending(answer)
    if not ended:
        return ""
    return f"**{'Not whole' if answer.partial else 'Long'}:** {ended}."


def _coming_shown(stream: StreamingResponse) -> Parts:
    heading = f"## Coming · {inline(stream.model)}\n\n"
    if not stream.text:
        return [f"{heading}*Asked; nothing has come yet.*\n"]
    block = Block("coming", stream.text, stream.response_id)
    return [
        f"{heading}{words.length(stream.text)} so far\n\n",
        block,
        "\n*… more is coming*\n",
    ]


def _failed_shown(failure: ResponseFailure) -> str:
    why = words.why_nothing_came(failure.reason)
    said = f"> {quotation(failure.message)}" if failure.message.strip() else ""
    return (
        blocks(
            f"## No answer · {inline(failure.model)}",
            f"**Nothing came:** {why}. {words.what_to_do(failure.reason)}",
            said,
        )
        + "\n"
    )
