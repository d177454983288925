"""Joining passages of several answers into one text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.decide.choosing import check_choosable, completion
from writeit.core.decide.common import check_index, nothing_there, resumed, words
from writeit.core.errors import (
    InvalidParams,
    NotFound,
)
from writeit.core.run import (
    MergePart,
    Passage,
    PipelineRun,
    StepState,
    StepStatus,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide.common import Events


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What is to be merged; where nothing is named, all passages that were taken."""

    responses: Sequence[int] = ()
    passages: Sequence[UUID] = ()
    content: str | None = None
    """The merged text in the writer's own wording."""


def parts_of(step: StepState, parts: Parts) -> tuple[MergePart, ...]:
    """Return the named answers, then the named passages (none named: all taken).

    Raises:
        NotFound: one of them is not there.
    """
    for index in parts.responses:
        check_index(step, index)
    answers = (step.ai_responses[index] for index in parts.responses)
    taken = {passage.passage_id: passage for passage in step.passages}
    wanted = parts.passages
    if not wanted and not parts.responses:
        wanted = list(taken)
    if missing := [str(name) for name in wanted if name not in taken]:
        raise NotFound(
            f"No passage {missing[0]} was taken in step {step.step_name!r}.",
            hint=f"Taken: {', '.join(map(str, taken)) or 'none'}.",
        )
    passages = [taken[name] for name in wanted]
    return (
        *(
            MergePart(response_id=a.response_id, text=a.processed_content)
            for a in answers
        ),
        *(MergePart(response_id=p.response_id, text=p.text) for p in passages),
    )


def joinable(step: StepState, parts: Parts) -> tuple[MergePart, ...]:
    """Return the parts to join.

    Raises:
        InvalidParams: there is nothing to join.
        NotFound: a part is not there.
    """
    joined = parts_of(step, parts)
    if not joined and not (parts.content and parts.content.strip()):
        raise InvalidParams(
            "There is nothing to merge.",
            hint="Take passages, or name `responses`, `passages` or `content`.",
            problems=[{"path": "responses", "message": "nothing is named or taken"}],
        )
    return joined


def merge(
    run: PipelineRun,
    step: StepState,
    parts: Parts,
    at: datetime,
    feedback: str | None = None,
) -> Events:
    """Join parts of several answers by hand; the step is completed by it."""
    check_choosable(run, step, "merged")
    joined = joinable(step, parts)
    content = parts.content
    if content is None or not content.strip():
        content = "\n\n".join(part.text for part in joined)
    elif not joined:
        joined = (MergePart(response_id=None, text=content),)
    merged = e.Merged(at=at, step=step.step_name, content=content, merged_from=joined)
    return (
        *resumed(run, at),
        *words(step, feedback, at),
        merged,
        *completion(run, step, at),
    )


def take(run: PipelineRun, step: StepState, passage: Passage, at: datetime) -> Events:
    """Take a passage of an answer, streaming or ended, towards a merge."""
    if not passage.text.strip():
        raise InvalidParams(
            "An empty passage cannot be taken.",
            hint="Select some text of the answer.",
            problems=[{"path": "text", "message": "is empty"}],
        )
    if step.status not in {StepStatus.RUNNING, StepStatus.COMPLETED}:
        raise nothing_there(step, "passage_taken")
    ids = [answer.response_id for answer in step.ai_responses]
    ids += [stream.response_id for stream in step.streaming]
    if passage.response_id not in ids:
        raise NotFound(
            f"Step {step.step_name!r} has no answer {passage.response_id}.",
            hint=f"Its answers: {', '.join(map(str, ids))}.",
        )
    taken = e.PassageTaken(at=at, step=step.step_name, passage=passage)
    return (*resumed(run, at), taken)
