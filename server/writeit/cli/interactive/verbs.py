"""The commands of the interactive loop."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from writeit.cli.interactive.answers import parse_answer_index
from writeit.cli.interactive.loop import VERBS, LeaveRun, Shell, Verb, verb
from writeit.cli.output import render_comparison, render_for_terminal
from writeit.domain.blind import hidden_letters
from writeit.domain.errors import InvalidParams, InvalidTransition, NotFound
from writeit.domain.run import DONE_STATUSES, PipelineRun, PipelineStatus, StepStatus
from writeit.engine.queries import read_full_tree
from writeit.engine.requests import GenerateStep
from writeit.views.compare import read_compared_text
from writeit.views.run import render_run
from writeit.views.step import render_prompt
from writeit.views.uris import ComparedSide


@verb("show", "v")
async def show_step(shell: Shell, _run: PipelineRun, _argument: str) -> None:
    """Show the step again."""
    shell.needs_redraw = True


@verb("compare N M", "c")
async def compare_answers(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Show the differences of two answers."""
    step = shell.step_state(run)
    numbers = argument.replace(",", " ").split()
    if not numbers and len(step.ai_responses) == 2:  # noqa: PLR2004 -- the only pair
        numbers = ["1", "2"]
    if len(numbers) != 2:  # noqa: PLR2004 -- a pair
        raise InvalidParams("Which answers?", hint="Type two numbers: compare 1 2")
    left, right = (
        ComparedSide(
            shell.run_id,
            step.step_name,
            step.ai_responses[parse_answer_index(step, number)].response_id,
        )
        for number in numbers
    )
    before, after = read_compared_text(run, left), read_compared_text(run, right)
    shell.console.write("")
    shell.console.write(render_comparison(before, after))


@verb("prompt")
async def show_prompt(shell: Shell, run: PipelineRun, _argument: str) -> None:
    """Show the exact prompt, its models and cost."""
    step = shell.step_state(run).step_name
    preview = await shell.workspace.engine.preview_step(
        GenerateStep(
            run_id=shell.run_id,
            step=step,
            models=shell.models,
            model_selection=shell.model_selection,
        )
    )
    shell.console.write("")
    shell.console.write(
        render_for_terminal(
            render_prompt(
                run, step, preview.prompt, preview.models, preview.new_file_head
            )
        )
    )


@verb("status")
async def show_run(shell: Shell, run: PipelineRun, _argument: str) -> None:
    """Show the run, its steps and branches."""
    node = read_full_tree(shell.workspace.store, shell.run_id)
    shell.console.write("")
    shell.console.write(render_for_terminal(render_run(run, node)))


@verb("back STEP [NAME]", "b")
async def branch_at_step(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Start over from a step in a new branch; this run is unchanged."""
    step, _, name = argument.partition(" ")
    if not step:
        names = run.step_names
        reached = names[: names.index(run.current_step) + 1]
        step = shell.console.read_line(
            f"Start over from which step? ({', '.join(reached)}) "
        ).strip()
        if not step:
            return
    child = await shell.workspace.engine.branch_run(
        shell.run_id, step, name.strip() or None
    )
    shell.console.write(
        f"Started branch {child.pipeline_run_id}. Run {shell.run_id} is unchanged."
    )
    shell.run_id = child.pipeline_run_id
    shell.shown_step, shell.needs_redraw = None, True


@verb("redo", "u")
async def reopen_previous_step(shell: Shell, run: PipelineRun, _argument: str) -> None:
    """Choose again in the previous step."""
    done = [name for name, state in run.steps.items() if state.status in DONE_STATUSES]
    shown = shell.step_state(run)
    if not done or shown.status is not StepStatus.PENDING:
        raise InvalidTransition(
            f"{shown.step_name} has answers already."
            if done
            else "This is the first step.",
            state=run.status.value,
            attempted="redo",
            hint="To change an earlier step, start over from it: back STEP",
        )
    shell.shown_step, shell.needs_redraw = done[-1], True


@verb("pause", "p")
async def pause_run(shell: Shell, run: PipelineRun, _argument: str) -> None:
    """Stop the run and leave."""
    if run.status is PipelineStatus.RUNNING:
        await shell.workspace.engine.pause_run(shell.run_id)
    raise LeaveRun


@verb("quit", "q")
async def leave_run(_shell: Shell, _run: PipelineRun, _argument: str) -> None:
    """Leave without stopping the run."""
    raise LeaveRun


_NUMBERS = re.compile(r"[-\d\s,.]*")
_LEADING_NUMBER = re.compile(r"(\d+(?::\d+)?)\s*(.*)")
_LEADING_LETTER = re.compile(r"([A-Z]+(?::\d+)?)(?!\S)\s*(.*)")
_VERBS_BY_WORD: Final = {
    word: known for known in VERBS for word in (known.name, known.letter) if word
}


async def execute_verb_line(shell: Shell, run: PipelineRun, line: str) -> None:
    """Execute a typed line.

    Raises:
        WriteItError: it is unknown or not possible now; nothing was changed.
        LeaveRun: the user is done.
    """
    line = line.strip()
    if line in {"?", "h", "help"}:
        _print_help(shell)
        return
    if not line:
        await _execute_empty_line(shell, run)
        return
    letters = hidden_letters(shell.step_state(run)).values()
    parsed, argument = parse_line(line, letters)
    await parsed.handler(shell, run, argument)


def parse_line(line: str, letters: Collection[str]) -> tuple[Verb, str]:
    """Return the verb of a line and its argument.

    `letters` name answers, as numbers do; `A` is one of them, and `a` a verb.

    What is typed behind a number is feedback, unless it is a verb that takes a number.

    Raises:
        NotFound: there is no such verb; similar ones are suggested.
    """
    number = _LEADING_NUMBER.fullmatch(line)
    if number is None and (letter := _LEADING_LETTER.fullmatch(line)):
        number = letter if letter[1].partition(":")[0] in letters else None
    if number:
        word, _, words = number[2].partition(" ")
        is_verb = word.lower() in _VERBS_BY_WORD and _NUMBERS.fullmatch(words)
        known = _VERBS_BY_WORD[word.lower() if is_verb else "pick"]
        return known, f"{number[1]} {words if is_verb else number[2]}".strip()
    word, _, words = line.partition(" ")
    if word.lower() not in _VERBS_BY_WORD:
        raise NotFound.with_suggestions(
            "choice", word[:40], [known.name for known in VERBS]
        )
    return _VERBS_BY_WORD[word.lower()], words.strip()


async def _execute_empty_line(shell: Shell, run: PipelineRun) -> None:
    """Continue: generate a new step, or leave a finished run."""
    state = shell.step_state(run)
    if state.status is StepStatus.PENDING:
        await shell.generate_step()
    elif run.is_finished and shell.shown_step is None:
        await leave_run(shell, run, "")
    elif state.status in DONE_STATUSES:
        shell.shown_step, shell.needs_redraw = None, True
    else:
        _print_help(shell)


def _print_help(shell: Shell) -> None:
    width = max(len(known.usage) for known in VERBS)
    for known in VERBS:
        letter = known.letter or " "
        shell.console.write(f"  {letter}  {known.usage:{width}}  {known.summary}")
    shell.console.write("Ctrl-C stops generating. What was received is kept.")
