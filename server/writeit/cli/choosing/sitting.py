"""Where the writer is in her run, and the loop: look, choose, carry out."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import click

from writeit.cli.console import NoMore, stopped_by_hand
from writeit.cli.paper import step_on_paper
from writeit.core.decide import step_of
from writeit.core.errors import WriteItError
from writeit.core.run import PipelineStatus, StepStatus
from writeit.engine.requests import Ask
from writeit.engine.resolve import Wishes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from uuid import UUID

    from writeit.cli.console import Console
    from writeit.cli.watch import Watch
    from writeit.cli.workspace import Desk
    from writeit.core.decide import Events
    from writeit.core.run import PipelineRun, StepState
    from writeit.engine.asking import Asking
    from writeit.engine.requests import Request


class Leave(Exception):
    """The writer leaves; the run is kept as it stands."""


@dataclass
class Sitting:
    """A writer at her run."""

    desk: Desk
    console: Console
    watch: Watch
    run_id: UUID
    wishes: Wishes = field(default_factory=Wishes)
    models: tuple[str, ...] | None = None
    """What the command line names for every step."""
    step: str | None = None
    """The step she looks at; None is the one where the run stands."""
    look: bool = True
    """Whether the step is to be shown before she is asked."""

    async def run(self) -> PipelineRun:
        """Read the run as it is."""
        return await self.desk.engine.show(self.run_id)

    def state(self, run: PipelineRun) -> StepState:
        """Return the step she looks at."""
        return step_of(run, self.step)

    async def decide(
        self, verb: Callable[[PipelineRun, datetime], Events]
    ) -> PipelineRun:
        """Carry out a decision, and look at what became of it."""
        run = await self.desk.engine.decide(self.run_id, verb)
        self.look = True
        return run

    async def move_on(self, verb: Callable[[PipelineRun, datetime], Events]) -> None:
        """Carry out a decision that ends the step."""
        run = await self.decide(verb)
        self.step = None
        if run.status is PipelineStatus.COMPLETED:
            raise Leave

    async def ask(self, request: Request) -> None:
        """Ask models; Ctrl-C stops them and what came is kept.

        Raises:
            WriteItError: nothing came of it.
        """
        engine, asking = self.desk.engine, None
        sending = asyncio.ensure_future(engine.ask(request, self.watch.see))
        self.look = True

        def stop() -> None:
            self.console.note("\nStopping; what came is kept.")
            _stop(sending)

        with stopped_by_hand(stop):
            try:
                asking = await sending
            except asyncio.CancelledError:
                self.console.say("Stopped before anything was sent.")
                return
            await engine.outcome(asking)
        self.watch.end()

    async def ask_step(self) -> None:
        """Ask the step's models; again only what failed or was cut."""
        fresh = self.state(await self.run()).status is StepStatus.PENDING
        await self.ask(
            Ask(
                run_id=self.run_id,
                step=self.step,
                models=self.models if fresh else None,
                wishes=self.wishes,
            )
        )


def _stop(sending: asyncio.Future[Asking]) -> None:
    if sending.done() and not sending.cancelled() and sending.exception() is None:
        sending.result().stop()
    else:
        sending.cancel()


async def sit(
    sitting: Sitting,
    obey: Callable[[Sitting, PipelineRun, str], Awaitable[None]],
    *,
    begin: bool,
) -> PipelineRun:
    """Let the writer choose until the run is finished or she leaves.

    `obey` carries out a line of hers; with `begin` the first step is asked at once.
    """
    if begin:
        await _tried(sitting, sitting.ask_step())
    while True:
        run = await sitting.run()
        if sitting.look:
            _show(sitting, run)
        line = None
        try:
            line = sitting.console.ask(_prompt(sitting, run))
            await _tried(sitting, obey(sitting, run, line))
        except Leave:
            return await sitting.run()
        except NoMore as no_more:
            if line is None or no_more.ended:
                await _left(sitting, paused=no_more.ended)
                return await sitting.run()


async def _tried(sitting: Sitting, work: Awaitable[None]) -> None:
    """Do something; a refusal is shown, and nothing changed by it."""
    try:
        await work
    except WriteItError as error:
        sitting.console.refuse(error)
    except click.ClickException as error:
        sitting.console.say(error.format_message())


async def _left(sitting: Sitting, *, paused: bool) -> None:
    """End of input pauses the run, Ctrl-C leaves it as it stands."""
    run = await sitting.run()
    if paused and run.status is PipelineStatus.RUNNING:
        await sitting.desk.engine.pause(sitting.run_id)


def _show(sitting: Sitting, run: PipelineRun) -> None:
    state = sitting.state(run)
    spec = sitting.desk.engine.configuration(run).step(state.step_name)
    sitting.console.say("")
    sitting.console.say(step_on_paper(run, state.step_name, spec.description))
    sitting.look = False


def _prompt(sitting: Sitting, run: PipelineRun) -> str:
    state = sitting.state(run)
    count = len(state.ai_responses)
    if state.status is StepStatus.PENDING:
        choices = "Enter asks the models, skip, prompt"
    elif count == 0:
        choices = "again"
    else:
        numbers = "1" if count == 1 else f"1-{count}"
        choices = f"{numbers} chooses, edit, again, take, merge, compare"
        if count == 1:
            choices = "1 chooses, edit, again, take, merge"
    return f"[{state.step_name}] {choices}, back, pause, ? for more: "
