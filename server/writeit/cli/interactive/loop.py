"""The interactive loop: show a step, read a line, execute it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar
from uuid import UUID

import click

from writeit.cli.console import Console, InputStopped, on_interrupt
from writeit.cli.output import (
    StreamPrinter,
    echo,
    print_error,
    render_step_for_terminal,
)
from writeit.cli.trust import TerminalRequest, generate_with_consent
from writeit.cli.workspace import OpenWorkspace
from writeit.domain.blind import hidden_letters
from writeit.domain.errors import WriteItError
from writeit.domain.operations.generate import continuable_answers
from writeit.domain.operations.lifecycle import Events, find_step
from writeit.domain.run import PipelineRun, PipelineStatus, StepState, StepStatus
from writeit.engine.generation import Generation
from writeit.engine.precedence import ModelSelection
from writeit.engine.queries import estimate_cost, models_of_step
from writeit.engine.requests import GenerateStep
from writeit.views.wording import cost_text

StepOperation = Callable[[PipelineRun, StepState, datetime], Events]


class LeaveRun(Exception):
    """The user leaves the run, which is kept."""


@dataclass
class Shell:
    """The interactive shell of a run, and the step that it shows."""

    workspace: OpenWorkspace
    console: Console
    stream_printer: StreamPrinter
    run_id: UUID
    model_selection: ModelSelection = field(default_factory=ModelSelection)
    models: tuple[str, ...] | None = None
    """The models of the command line, for every step."""
    samples: int | None = None
    """How many answers each model gives, from the command line."""
    shown_step: str | None = None
    """The shown step; None is the run's current step."""
    needs_redraw: bool = True
    """Whether to print the step before the next prompt."""
    goes_on: bool = False
    """Whether the user decided and, at a terminal, the next step is generated now.

    A script says with an empty line what is sent.
    """
    answers_shown: bool = False
    """Whether the texts of the step's answers stand on the terminal just above."""

    async def load_run(self) -> PipelineRun:
        """Read the run."""
        return await self.workspace.engine.load_run(self.run_id)

    def step_state(self, run: PipelineRun) -> StepState:
        """Return the state of the shown step."""
        return find_step(run, self.shown_step)

    async def execute(self, step: StepState, operation: StepOperation) -> PipelineRun:
        """Execute an operation on `step` and show the step again."""
        run = await self.workspace.engine.execute(
            self.run_id, lambda run, at: operation(run, run.steps[step.step_name], at)
        )
        self.needs_redraw = True
        return run

    async def execute_and_advance(
        self, step: StepState, operation: StepOperation
    ) -> None:
        """Execute an operation that completes `step`."""
        run = await self.execute(step, operation)
        self.shown_step = None
        if run.status is PipelineStatus.COMPLETED:
            raise LeaveRun

    async def generate(self, request: TerminalRequest) -> None:
        """Generate answers; Ctrl-C stops and keeps what was received.

        Raises:
            WriteItError: no answer was received.
        """
        engine = self.workspace.engine
        generation = asyncio.ensure_future(
            generate_with_consent(
                self.workspace, request, self.stream_printer.show_event, self.console
            )
        )
        self.needs_redraw = True

        def stop() -> None:
            echo("\nStopping. What was received is kept.", dim=True, err=True)
            _stop_generation(generation)

        with on_interrupt(stop):
            try:
                started, self.model_selection = await generation
            except asyncio.CancelledError:
                self.console.write("Stopped before anything was sent.")
                return
            await engine.wait_for_generation(started)
        self.answers_shown = not self.stream_printer.quiet
        self.stream_printer.end_step()

    async def generate_step(self) -> None:
        """Generate the step, or only its failed and incomplete answers."""
        is_new = self.step_state(await self.load_run()).status is StepStatus.PENDING
        await self.generate(
            GenerateStep(
                run_id=self.run_id,
                step=self.shown_step,
                models=self.models if is_new else None,
                samples=self.samples if is_new else None,
                model_selection=self.model_selection,
            )
        )


VerbHandler = Callable[[Shell, PipelineRun, str], Awaitable[None]]
H = TypeVar("H", bound=VerbHandler)


@dataclass(frozen=True, slots=True)
class Verb:
    """A command of the loop, its letter, and what it does."""

    name: str
    letter: str
    usage: str
    summary: str
    handler: VerbHandler


VERBS: list[Verb] = []
"""The verbs in the order of the help."""


def verb(usage: str, letter: str = "", name: str = "") -> Callable[[H], H]:
    """Register the decorated handler; its docstring is the help of the verb."""

    def register(handler: H) -> H:
        summary = (handler.__doc__ or "").removesuffix(".")
        word = name or usage.partition(" ")[0]
        VERBS.append(Verb(word, letter, usage, summary, handler))
        return handler

    return register


def _stop_generation(
    generation: asyncio.Future[tuple[Generation, ModelSelection]],
) -> None:
    if (
        generation.done()
        and not generation.cancelled()
        and generation.exception() is None
    ):
        generation.result()[0].stop()
    else:
        generation.cancel()


async def run_interactively(
    shell: Shell,
    execute_line: Callable[[Shell, PipelineRun, str], Awaitable[None]],
    *,
    generate_first: bool,
) -> PipelineRun:
    """Read and execute lines until the run is finished or the user leaves.

    With `generate_first` the first step is generated at once.
    """
    if generate_first:
        await _run_and_report(shell, shell.generate_step())
    while True:
        run = await shell.load_run()
        if shell.needs_redraw:
            _print_step(shell, run)
        line = None
        try:
            cost = await _continuing_cost(shell, run)
            line = shell.console.read_line(_prompt_text(shell, run, cost))
            await _run_and_report(shell, execute_line(shell, run, line))
            if shell.goes_on and shell.console.is_interactive:
                await _run_and_report(shell, shell.generate_step())
            shell.goes_on = False
        except LeaveRun:
            return await shell.load_run()
        except InputStopped as stopped:
            if line is None or stopped.is_end_of_input:
                await _pause_if_ended(shell, is_end_of_input=stopped.is_end_of_input)
                return await shell.load_run()


async def _run_and_report(shell: Shell, action: Awaitable[None]) -> None:
    """Execute an action and report its error."""
    try:
        await action
    except WriteItError as error:
        print_error(error)
    except click.ClickException as error:
        shell.console.write(error.format_message())


async def _pause_if_ended(shell: Shell, *, is_end_of_input: bool) -> None:
    """Pause the run at the end of input, not after Ctrl-C."""
    run = await shell.load_run()
    if is_end_of_input and run.status is PipelineStatus.RUNNING:
        await shell.workspace.engine.pause_run(shell.run_id)


def _print_step(shell: Shell, run: PipelineRun) -> None:
    state = shell.step_state(run)
    spec = shell.workspace.engine.configuration(run).step(state.step_name)
    shell.console.write("")
    shell.console.write(
        render_step_for_terminal(
            run,
            state.step_name,
            spec.description,
            with_answers=not shell.answers_shown,
        )
    )
    shell.needs_redraw = shell.answers_shown = False


async def _continuing_cost(shell: Shell, run: PipelineRun) -> str:
    """Return about what the step costs that a choice generates; "" if unknown."""
    state = shell.step_state(run)
    later = run.later_steps(state.step_name)
    if not (later and state.ai_responses and shell.console.is_interactive):
        return ""
    configuration, step = shell.workspace.engine.configuration(run), later[0].step_name
    spec = configuration.step(step)
    models = (shell.models or ()) * (shell.samples or spec.samples)
    models = models or models_of_step(spec, run, shell.model_selection)
    try:
        listed = await shell.workspace.ports.models.list_models(include=models)
    except WriteItError:  # the call itself reports it
        return ""
    known = {info.id: info for info in listed}
    cost = estimate_cost(run, configuration, step, models, known)
    return "" if cost is None else f" ({cost_text(cost, estimated=True)})"


def _prompt_text(shell: Shell, run: PipelineRun, cost: str) -> str:
    state = shell.step_state(run)
    count = len({state.numbers[a.response_id] for a in state.ai_responses})
    if state.status is StepStatus.PENDING:
        choices = "Enter to generate, skip, prompt"
    elif count == 0:
        choices = "again to regenerate"
    else:
        last = max(state.numbers[a.response_id] for a in state.ai_responses)
        numbers = str(last) if count == 1 else f"1-{last}"
        if hidden := hidden_letters(state):
            names = {hidden.get(a.response_id, "") for a in state.ai_responses}
            numbers = ", ".join(sorted(names, key=lambda n: (len(n), n)))
        compare = ", compare" if count > 1 else ""
        more = ", continue" if continuable_answers(run, state) else ""
        act = "choose and continue" if shell.console.is_interactive else "choose"
        act += cost
        spec = shell.workspace.engine.configuration(run).step(state.step_name)
        first = "A" if hidden else "1"
        item = f" ({first}:2 for item 2 of answer {first})"
        item = item if spec.choose == "item" else ""
        choices = f"{numbers} to {act}{item}, edit, again, take, merge{compare}{more}"
    return f"[{state.step_name}] {choices}, back, pause, ? for more: "
