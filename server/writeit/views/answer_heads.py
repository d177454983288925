"""What a page says of each answer of a step besides its text, as plain words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, NamedTuple
from uuid import UUID

from writeit.domain.answer import ResponseFailure, StreamingResponse
from writeit.domain.run import PipelineRun, StepState
from writeit.text.thoughts import split_thoughts
from writeit.views import step as pages
from writeit.views import wording

AnswerState = Literal["ended", "streaming", "failed", "queued"]


class AnswerHead(NamedTuple):
    """What a page says of one answer besides its text."""

    response_id: UUID
    number: int
    model: str
    round: int
    state: AnswerState
    facts: str
    note: str


def answer_heads(
    run: PipelineRun, step: StepState, now: datetime, marks: Mapping[UUID, str]
) -> list[AnswerHead]:
    """Return the head of each answer, the newest round first, then by number."""
    rounds = {call.response_id: call.generation for call in step.calls}
    heads: list[AnswerHead] = []
    for item in pages.list_answers(step):
        source = item.answer if isinstance(item, pages.EndedAnswer) else item
        key, description = source.response_id, _describe(run, step, item, now, marks)
        place = (key, step.numbers[key], source.model, rounds.get(key, 0))
        heads.append(AnswerHead(*place, *description))
    return heads


def _describe(
    run: PipelineRun,
    step: StepState,
    item: pages.AnswerItem,
    now: datetime,
    marks: Mapping[UUID, str],
) -> tuple[AnswerState, str, str]:
    match item:
        case pages.EndedAnswer(answer=answer):
            total = step.with_chain_totals(answer)
            facts = wording.answer_facts(run, total, answer.processed_content, marks)
            ending = wording.describe_ending(answer)
            return "ended", facts, ending and wording.to_sentence(ending)
        case StreamingResponse():
            split = split_thoughts(item.text, item.prompt)
            if split.text.strip():
                return "streaming", wording.text_length(split.text), ""
            return "streaming", pages.waiting_text(item, split.thoughts, now), ""
        case ResponseFailure():
            note = f"{wording.failure_text(item.reason)} {item.message}"
            return "failed", pages.usage_text(item.usage), note
        case _:
            return "queued", "not sent yet", ""
