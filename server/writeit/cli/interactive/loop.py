"""Where the writer is in her run, and the loop: look, choose, carry out."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import click

from writeit.cli.console import Console, InputStopped, on_interrupt
from writeit.cli.output import StreamPrinter, render_step_for_terminal
from writeit.cli.workspace import OpenWorkspace
from writeit.domain.errors import WriteItError
from writeit.domain.operations.lifecycle import Events, find_step
from writeit.domain.run import PipelineRun, PipelineStatus, StepState, StepStatus
from writeit.engine.generation import Generation
from writeit.engine.precedence import ModelSelection
from writeit.engine.requests import GenerateStep, GenerationRequest


class LeaveRun(Exception):
    """The writer leaves; the run is kept as it stands."""


@dataclass
class InteractiveRun:
    """A writer at her run."""

    workspace: OpenWorkspace
    console: Console
    stream_printer: StreamPrinter
    run_id: UUID
    model_selection: ModelSelection = field(default_factory=ModelSelection)
    models: tuple[str, ...] | None = None
    """What the command line names for every step."""
    shown_step: str | None = None
    """The step she looks at; None is the one where the run stands."""
    needs_redraw: bool = True
    """Whether the step is to be shown before she is asked."""

    async def load_run(self) -> PipelineRun:
        """Read the run as it is."""
        return await self.workspace.engine.load_run(self.run_id)

    def step_state(self, run: PipelineRun) -> StepState:
        """Return the step she looks at."""
        return find_step(run, self.shown_step)

    async def execute(
        self, operation: Callable[[PipelineRun, datetime], Events]
    ) -> PipelineRun:
        """Carry out a decision, and look at what became of it."""
        run = await self.workspace.engine.execute(self.run_id, operation)
        self.needs_redraw = True
        return run

    async def execute_and_advance(
        self, operation: Callable[[PipelineRun, datetime], Events]
    ) -> None:
        """Carry out a decision that ends the step."""
        run = await self.execute(operation)
        self.shown_step = None
        if run.status is PipelineStatus.COMPLETED:
            raise LeaveRun

    async def generate(self, request: GenerationRequest) -> None:
        """Ask models; Ctrl-C stops them and what came is kept.

        Raises:
            WriteItError: nothing came of it.
        """
        engine, asking = self.workspace.engine, None
        sending = asyncio.ensure_future(
            engine.generate(request, self.stream_printer.show_event)
        )
        self.needs_redraw = True

        def stop() -> None:
            self.console.write_dim("\nStopping; what came is kept.")
            _stop_generation(sending)

        with on_interrupt(stop):
            try:
                asking = await sending
            except asyncio.CancelledError:
                self.console.write("Stopped before anything was sent.")
                return
            await engine.wait_for_generation(asking)
        self.stream_printer.end_step()

    async def generate_step(self) -> None:
        """Ask the step's models; again only what failed or was cut."""
        fresh = self.step_state(await self.load_run()).status is StepStatus.PENDING
        await self.generate(
            GenerateStep(
                run_id=self.run_id,
                step=self.shown_step,
                models=self.models if fresh else None,
                model_selection=self.model_selection,
            )
        )


def _stop_generation(generation: asyncio.Future[Generation]) -> None:
    if (
        generation.done()
        and not generation.cancelled()
        and generation.exception() is None
    ):
        generation.result().stop()
    else:
        generation.cancel()


async def run_interactively(
    interactive: InteractiveRun,
    execute_line: Callable[[InteractiveRun, PipelineRun, str], Awaitable[None]],
    *,
    generate_first: bool,
) -> PipelineRun:
    """Let the writer choose until the run is finished or she leaves.

    `obey` carries out a line of hers; with `begin` the first step is asked at once.
    """
    if generate_first:
        await _run_and_report(interactive, interactive.generate_step())
    while True:
        run = await interactive.load_run()
        if interactive.needs_redraw:
            _print_step(interactive, run)
        line = None
        try:
            line = interactive.console.read_line(_prompt_text(interactive, run))
            await _run_and_report(interactive, execute_line(interactive, run, line))
        except LeaveRun:
            return await interactive.load_run()
        except InputStopped as no_more:
            if line is None or no_more.is_end_of_input:
                await _pause_if_ended(
                    interactive, is_end_of_input=no_more.is_end_of_input
                )
                return await interactive.load_run()


async def _run_and_report(interactive: InteractiveRun, action: Awaitable[None]) -> None:
    """Do something; a refusal is shown, and nothing changed by it."""
    try:
        await action
    except WriteItError as error:
        interactive.console.write_error(error)
    except click.ClickException as error:
        interactive.console.write(error.format_message())


async def _pause_if_ended(
    interactive: InteractiveRun, *, is_end_of_input: bool
) -> None:
    """End of input pauses the run, Ctrl-C leaves it as it stands."""
    run = await interactive.load_run()
    if is_end_of_input and run.status is PipelineStatus.RUNNING:
        await interactive.workspace.engine.pause_run(interactive.run_id)


def _print_step(interactive: InteractiveRun, run: PipelineRun) -> None:
    state = interactive.step_state(run)
    spec = interactive.workspace.engine.configuration(run).step(state.step_name)
    interactive.console.write("")
    interactive.console.write(
        render_step_for_terminal(run, state.step_name, spec.description)
    )
    interactive.needs_redraw = False


def _prompt_text(interactive: InteractiveRun, run: PipelineRun) -> str:
    state = interactive.step_state(run)
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
