"""Looking at the step again, at two answers, at the prompt, at the run."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from writeit.cli.choosing.deciding import index_of
from writeit.cli.family import family_node
from writeit.cli.paper import head_on_paper, on_paper
from writeit.core.errors import InvalidParams
from writeit.engine.requests import Ask
from writeit.views.compare import compared, comparison_parts
from writeit.views.diff import difference
from writeit.views.prompt import PromptModel, render_prompt
from writeit.views.run import render_run
from writeit.views.uris import Side

if TYPE_CHECKING:
    from writeit.cli.choosing.sitting import Sitting
    from writeit.core.run import PipelineRun


async def show(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Show the step again."""
    del run, words
    sitting.look = True


async def compare(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Show what is different between two answers."""
    step = sitting.state(run)
    numbers = words.replace(",", " ").split()
    if not numbers and len(step.ai_responses) == 2:  # noqa: PLR2004 -- the two there are
        numbers = ["1", "2"]
    if len(numbers) != 2:  # noqa: PLR2004 -- two are compared
        raise InvalidParams("Name two answers.", hint="Such as: compare 1 2")
    left, right = (
        Side(
            sitting.run_id,
            step.step_name,
            step.ai_responses[index_of(step, number)].response_id,
        )
        for number in numbers
    )
    before, after = compared(run, left), compared(run, right)
    parts = comparison_parts(before, after)
    alike = difference(before.text, after.text).related
    sitting.console.say("")
    sitting.console.say(head_on_paper(*parts) if alike else on_paper(*parts))


async def prompt(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Show the exact prompt, who would get it, and what it would cost."""
    del words
    step = sitting.state(run).step_name
    shown = await sitting.desk.engine.preview(
        Ask(
            run_id=sitting.run_id,
            step=step,
            models=sitting.models,
            wishes=sitting.wishes,
        )
    )
    models = [PromptModel(**asdict(model)) for model in shown.models]
    sitting.console.say("")
    sitting.console.say(on_paper(render_prompt(run, step, shown.prompt, models)))


async def whole(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Show the run: its steps and its family."""
    del words
    node = family_node(sitting.desk.store, sitting.run_id)
    sitting.console.say("")
    sitting.console.say(on_paper(render_run(run, node)))
