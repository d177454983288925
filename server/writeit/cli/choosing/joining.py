"""Passages of answers, taken one by one, and joined into one text."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from writeit.cli.choosing.deciding import index_of
from writeit.cli.choosing.drafting import drafted
from writeit.cli.choosing.paragraphs import named, paragraphs
from writeit.cli.plain import plain
from writeit.core import decide
from writeit.core.run import Passage
from writeit.engine.requests import AskToJoin
from writeit.views import words as said

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from writeit.cli.choosing.sitting import Sitting
    from writeit.core.decide import Events
    from writeit.core.run import PipelineRun, StepState


async def take(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Take paragraphs of an answer towards a merge."""
    step = sitting.state(run)
    number, _, which = words.partition(" ")
    index = index_of(step, number)
    texts = paragraphs(step.ai_responses[index].processed_content)
    if not which.strip():
        for place, text in enumerate(texts, start=1):
            sitting.console.say(f"{place}. {plain(text)}\n")
        which = sitting.console.ask("Which of them? (such as 2 or 1,3-4) ")
        if not which.strip():
            return
    taken = [
        "\n\n".join(texts[i] for i in places) for places in named(which, len(texts))
    ]
    response_id = step.ai_responses[index].response_id
    for text in taken:
        passage = Passage(
            passage_id=sitting.desk.engine.new_id(), response_id=response_id, text=text
        )
        await sitting.decide(_taking(step.step_name, passage))
    sitting.look = False
    run = await sitting.run()
    kept = said.count(len(sitting.state(run).passages), "passage")
    sitting.console.say(f"The merge has {kept} now; `merge` joins them.")


def _taking(step: str, passage: Passage) -> Callable[[PipelineRun, datetime], Events]:
    return lambda run, at: decide.take(run, run.steps[step], passage, at)


async def merge(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Join whole answers, or the passages taken, in the editor; that ends the step."""
    step = sitting.state(run)
    parts = _parts(step, words)

    async def joined(parts: decide.Parts) -> None:
        await sitting.move_on(
            lambda run, at: decide.merge(run, run.steps[step.step_name], parts, at)
        )

    if not sitting.console.has_editor:
        await joined(parts)
        return
    with drafted(sitting, _text(step, parts)) as edited:
        if edited is not None:
            await joined(decide.Parts(responses=parts.responses, content=edited))


async def join(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Let a model join them, as it is told; its text is one more answer."""
    step = sitting.state(run)
    decide.check_joinable(run, step)
    numbers = re.match(r"(?:\d+[\s,]+)*", f"{words} ")
    chosen = numbers[0] if numbers else ""
    instruction = words[len(chosen.rstrip()) :].strip()
    parts = _parts(step, chosen)
    if not instruction:
        instruction = sitting.console.ask("How should they be joined? ")
    await sitting.ask(
        AskToJoin(
            run_id=sitting.run_id,
            step=step.step_name,
            parts=parts,
            instruction=instruction or "Join them into one text.",
            model=sitting.models[0] if sitting.models else None,
            wishes=sitting.wishes,
        )
    )


def _parts(step: StepState, words: str) -> decide.Parts:
    """What is named; nothing named is all passages, or all answers if none is taken."""
    numbers = re.split(r"[,\s]+", words.strip()) if words.strip() else []
    indices = [index_of(step, number) for number in numbers]
    if not indices and not step.passages:
        indices = list(range(len(step.ai_responses)))
    return decide.Parts(responses=indices)


def _text(step: StepState, parts: decide.Parts) -> str:
    """What the merge begins with: her own text, if she has merged it before."""
    if step.merged_content is not None:
        return step.merged_content
    return "\n\n".join(part.text for part in decide.joinable(step, parts))
