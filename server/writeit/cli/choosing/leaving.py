"""Back to an earlier step, and away from the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.cli.choosing.sitting import Leave
from writeit.core.errors import InvalidTransition
from writeit.core.run import DONE, PipelineStatus, StepStatus

if TYPE_CHECKING:
    from writeit.cli.choosing.sitting import Sitting
    from writeit.core.run import PipelineRun


async def back(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Go back to a step: a new run that shares the past; this one stays as it is."""
    step, _, name = words.partition(" ")
    if not step:
        names = run.step_names
        reached = names[: names.index(run.current_step) + 1]
        step = sitting.console.ask(f"To which step? ({', '.join(reached)}) ").strip()
        if not step:
            return
    child = await sitting.desk.engine.branch(sitting.run_id, step, name.strip() or None)
    sitting.console.say(
        f"Run {sitting.run_id} stays as it is; this is {child.pipeline_run_id} now."
    )
    sitting.run_id = child.pipeline_run_id
    sitting.step, sitting.look = None, True


async def redo(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Choose again in the step before, as long as nothing was asked since."""
    del words
    done = [name for name, state in run.steps.items() if state.status in DONE]
    here = sitting.state(run)
    if not done or here.status is not StepStatus.PENDING:
        raise InvalidTransition(
            f"There is nothing to choose again: {here.step_name} was asked already."
            if done
            else "There is no step before this one.",
            state=run.status.value,
            attempted="redo",
            hint="`back STEP` goes further back.",
        )
    sitting.step, sitting.look = done[-1], True


async def pause(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Pause the run and leave; it can be taken up later."""
    del words
    if run.status is PipelineStatus.RUNNING:
        await sitting.desk.engine.pause(sitting.run_id)
    raise Leave


async def end(sitting: Sitting, run: PipelineRun, words: str) -> None:
    """Leave the run as it stands; it can be taken up later."""
    del sitting, run, words
    raise Leave
