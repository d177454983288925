"""The view of a step: its answers to choose from, a merge and words for the models."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from writeit.core.decide import step_of
from writeit.views import words
from writeit.views.answers import in_order, shown
from writeit.views.markdown import blocks, inline, line, shortened
from writeit.views.markers import Block, Parts
from writeit.views.states import interruption, next_for_step, step_state

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from writeit.core.run import PipelineRun, StepState

_RULE = "\n---\n\n"
_EXCERPT = 60


def step_parts(
    run: PipelineRun, step: str, *, description: str = "", editable: bool = True
) -> Parts:
    """Return the view of a step; `description` is the pipeline's line about it.

    `editable` is whether the writer can type into the page: it tells her of it.

    Raises:
        NotFound: the run has no such step.
    """
    state = step_of(run, step)
    items = in_order(state)
    parts: Parts = [_head(run, state, description, editable=editable)]
    parts += chain.from_iterable([_RULE, *shown(state, item)] for item in items)
    if items:
        parts += [_RULE, *_merge(state, editable=editable), "\n"]
        parts += _feedback(state, editable=editable)
    return parts


def _head(
    run: PipelineRun, step: StepState, description: str, *, editable: bool
) -> str:
    names = run.step_names
    place = f"step {names.index(step.step_name) + 1} of {len(names)}"
    told = f"**{words.sentence(step_state(step))}**"
    if spent := words.total(words.spent(step.ai_responses)):
        told += f" So far: {spent}."
    next_ = next_for_step(run, step, editable=editable)
    return (
        blocks(
            f"# {step.step_name} · {place}",
            line(words.origin_of(run)),
            line(description),
            told,
            f"{interruption(run)} {next_}".strip(),
        )
        + "\n"
    )


def _merge(step: StepState, *, editable: bool) -> Parts:
    if step.merged_content is not None:
        text = step.merged_content
        hint = "The text below is yours, and what the next step gets."
        taken = [(part.response_id, part.text) for part in step.merged_from]
    else:
        text = "\n\n".join(passage.text for passage in step.passages)
        taken = [(passage.response_id, passage.text) for passage in step.passages]
        hint = _how_to_merge(begun=bool(taken), editable=editable)
    head = blocks("## Merge", _provenance(step, taken), hint)
    return [f"{head}\n\n", Block("merge", text)]


def _how_to_merge(*, begun: bool, editable: bool) -> str:
    if begun:
        yours = "The text below is yours to change. " if editable else ""
        return f"{yours}Use the merge when it reads well."
    also = " You can also write here yourself." if editable else ""
    return f"Select lines of an answer and take them: they gather here.{also}"


def _provenance(step: StepState, taken: Iterable[tuple[UUID | None, str]]) -> str:
    """List the parts of a merge with where each comes from."""
    sources = _sources(step)
    lines = [
        f"{place}. {sources.get(source, 'an answer') if source else 'you'}:"
        f" “{inline(shortened(text, _EXCERPT))}”"
        for place, (source, text) in enumerate(taken, start=1)
    ]
    return "\n".join(lines)


def _sources(step: StepState) -> dict[UUID, str]:
    """Name every answer that passages can be taken from."""
    coming = {s.response_id: inline(s.model) for s in step.streaming}
    ended = {
        answer.response_id: f"answer {words.number(index)}, {inline(answer.model)}"
        for index, answer in enumerate(step.ai_responses)
    }
    return coming | ended


def _feedback(step: StepState, *, editable: bool) -> Parts:
    hint = (
        "What should the models know? Your words go along with your next choice,"
        " merge or new asking."
        if editable
        else "What you told the models, or will with your next choice, merge or new"
        " asking."
    )
    return [f"## Feedback\n\n{hint}\n\n", Block("feedback", step.user_feedback or "")]
