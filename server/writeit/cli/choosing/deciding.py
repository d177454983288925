"""Choosing an answer, asking anew, skipping, and words for later prompts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.cli.choosing.drafting import drafted
from writeit.core import decide
from writeit.core.errors import InvalidParams
from writeit.core.run import StepStatus
from writeit.engine.requests import AskAnew
from writeit.views import words as said

if TYPE_CHECKING:
    from writeit.cli.choosing.sitting import Sitting
    from writeit.core.run import PipelineRun, StepState


def index_of(state: StepState, number: str) -> int:
    """Return the index of the answer that is shown with a number.

    Raises:
        InvalidParams: there is none.
    """
    count = len(state.ai_responses)
    if not number.isdecimal() or not 1 <= int(number) <= count:
        raise InvalidParams(
            f"There is no answer {number or 'without a number'!s} here.",
            hint=f"There are {said.count(count, 'answer')}: name one by its number."
            if count
            else "Ask the models first.",
        )
    return int(number) - 1


async def choose(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Choose an answer as it is."""
    step, index = sitting.state(run), index_of(sitting.state(run), words)
    await sitting.move_on(
        lambda run, at: decide.select(run, run.steps[step.step_name], index, at)
    )


async def edit(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Choose an answer in the writer's own wording."""
    step = sitting.state(run)
    index = index_of(step, words or ("1" if len(step.ai_responses) == 1 else ""))
    text = step.ai_responses[index].processed_content
    if step.user_selection == index and step.edited_content is not None:
        text = step.edited_content
    with drafted(sitting, text) as edited:
        if edited is None:
            return
        content = None if edited == text.rstrip("\n") else edited
        await sitting.move_on(
            lambda run, at: decide.select(
                run, run.steps[step.step_name], index, at, content=content
            )
        )


async def again(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Ask the step anew, with what should be different."""
    step = sitting.state(run)
    decide.check_regenerable(run, step)
    if not words and sitting.console.interactive:
        words = sitting.console.ask("What should be different? (Enter: anything) ")
    await sitting.ask(
        AskAnew(
            run_id=sitting.run_id,
            step=step.step_name,
            feedback=words or None,
            wishes=sitting.wishes,
        )
    )


async def ask(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Ask the step's models; in an answered step what failed or was cut."""
    del run, words
    await sitting.ask_step()


async def skip(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Go on without the step."""
    del words
    step = sitting.state(run)
    await sitting.move_on(
        lambda run, at: decide.skip(run, run.steps[step.step_name], at)
    )


async def say(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Say what the prompts of later steps should know."""
    step = sitting.state(run)
    if step.status is StepStatus.PENDING:
        step = decide.answered_step_of(run, None)
    if not words:
        words = sitting.console.ask("What should the models know? ")
    await sitting.decide(
        lambda run, at: decide.give_feedback(run, run.steps[step.step_name], words, at)
    )
    sitting.look = False
    sitting.console.say(f"It goes along with what follows {step.step_name}.")


async def rate(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Note how good an answer is; without a score, take that back."""
    step = sitting.state(run)
    number, _, score = words.partition(" ")
    index = index_of(step, number)
    try:
        value = float(score) if score.strip() else None
    except ValueError:
        raise InvalidParams(
            f"{score!r} is no score.", hint="A score is a number from 0.0 to 1.0."
        ) from None
    await sitting.decide(
        lambda run, at: decide.rate(run, run.steps[step.step_name], index, value, at)
    )
    sitting.look = False
    sitting.console.say("Noted.")
