"""The words the writer can type, and what each does."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from writeit.cli.interactive import answers
from writeit.cli.interactive.answers import parse_answer_index
from writeit.cli.interactive.loop import InteractiveRun, LeaveRun
from writeit.cli.output import (
    render_for_terminal,
    render_head_for_terminal,
)
from writeit.domain.errors import InvalidParams, InvalidTransition, NotFound
from writeit.domain.run import DONE_STATUSES, PipelineRun, PipelineStatus, StepStatus
from writeit.engine.queries import read_full_tree
from writeit.engine.requests import GenerateStep
from writeit.views.compare import comparison_parts, read_compared_text
from writeit.views.diff import compare_words
from writeit.views.prompt import render_prompt
from writeit.views.run import render_run
from writeit.views.uris import ComparedSide

# --- Looking at the step again, at two answers, at the prompt, at the run -------------


async def show_step(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Show the step again."""
    del run, argument
    interactive.needs_redraw = True


async def compare_answers(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Show what is different between two answers."""
    step = interactive.step_state(run)
    numbers = argument.replace(",", " ").split()
    if not numbers and len(step.ai_responses) == 2:  # noqa: PLR2004 -- the two there are
        numbers = ["1", "2"]
    if len(numbers) != 2:  # noqa: PLR2004 -- two are compared
        raise InvalidParams("Name two answers.", hint="Such as: compare 1 2")
    left, right = (
        ComparedSide(
            interactive.run_id,
            step.step_name,
            step.ai_responses[parse_answer_index(step, number)].response_id,
        )
        for number in numbers
    )
    before, after = read_compared_text(run, left), read_compared_text(run, right)
    parts = comparison_parts(before, after)
    alike = compare_words(before.text, after.text).is_related
    interactive.console.write("")
    interactive.console.write(
        render_head_for_terminal(*parts) if alike else render_for_terminal(*parts)
    )


async def show_prompt(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Show the exact prompt, who would get it, and what it would cost."""
    del argument
    step = interactive.step_state(run).step_name
    preview = await interactive.workspace.engine.preview_step(
        GenerateStep(
            run_id=interactive.run_id,
            step=step,
            models=interactive.models,
            model_selection=interactive.model_selection,
        )
    )
    interactive.console.write("")
    interactive.console.write(
        render_for_terminal(render_prompt(run, step, preview.prompt, preview.models))
    )


async def show_run(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Show the run: its steps and its family."""
    del argument
    node = read_full_tree(interactive.workspace.store, interactive.run_id)
    interactive.console.write("")
    interactive.console.write(render_for_terminal(render_run(run, node)))


# --- Back to an earlier step, and away from the run -----------------------------------


async def branch_at_step(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Go back to a step: a new run that shares the past; this one stays as it is."""
    step, _, name = argument.partition(" ")
    if not step:
        names = run.step_names
        reached = names[: names.index(run.current_step) + 1]
        step = interactive.console.read_line(
            f"To which step? ({', '.join(reached)}) "
        ).strip()
        if not step:
            return
    child = await interactive.workspace.engine.branch_run(
        interactive.run_id, step, name.strip() or None
    )
    interactive.console.write(
        f"Run {interactive.run_id} stays as it is; this is {child.pipeline_run_id} now."
    )
    interactive.run_id = child.pipeline_run_id
    interactive.shown_step, interactive.needs_redraw = None, True


async def reopen_previous_step(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Choose again in the step before, as long as nothing was asked since."""
    del argument
    done = [name for name, state in run.steps.items() if state.status in DONE_STATUSES]
    here = interactive.step_state(run)
    if not done or here.status is not StepStatus.PENDING:
        raise InvalidTransition(
            f"There is nothing to choose again: {here.step_name} was asked already."
            if done
            else "There is no step before this one.",
            state=run.status.value,
            attempted="redo",
            hint="`back STEP` goes further back.",
        )
    interactive.shown_step, interactive.needs_redraw = done[-1], True


async def pause_run(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Pause the run and leave; it can be taken up later."""
    del argument
    if run.status is PipelineStatus.RUNNING:
        await interactive.workspace.engine.pause_run(interactive.run_id)
    raise LeaveRun


async def leave_run(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Leave the run as it stands; it can be taken up later."""
    del interactive, run, argument
    raise LeaveRun


# --- The words the writer can type, and what each does --------------------------------

VerbHandler = Callable[["InteractiveRun", "PipelineRun", str], Awaitable[None]]
_LEADING_NUMBER = re.compile(r"(\d+)\s*(.*)")


@dataclass(frozen=True, slots=True)
class Verb:
    """A word, the letter for short, and what it does."""

    name: str
    letter: str
    usage: str
    summary: str
    handler: VerbHandler


VERBS: Final = (
    Verb("choose", "", "N", "choose answer N", answers.choose_answer),
    Verb(
        "edit",
        "e",
        "edit N",
        "change answer N in $EDITOR, choose that",
        answers.edit_answer,
    ),
    Verb(
        "again",
        "a",
        "again [WORDS]",
        "ask anew, with what should be different",
        answers.regenerate,
    ),
    Verb(
        "run",
        "r",
        "run",
        "ask the models; again only what failed or was cut",
        answers.generate_answers,
    ),
    Verb(
        "take",
        "t",
        "take N [2,4-5]",
        "take paragraphs of answer N into the merge",
        answers.add_to_merge,
    ),
    Verb(
        "merge",
        "m",
        "merge [N …]",
        "join what was taken, or answers, in $EDITOR",
        answers.merge_in_editor,
    ),
    Verb(
        "join",
        "j",
        "join [N …] [WORDS]",
        "let a model join them as you say",
        answers.merge_with_model,
    ),
    Verb(
        "compare",
        "c",
        "compare N M",
        "show what is different between two answers",
        compare_answers,
    ),
    Verb(
        "say",
        "",
        "say WORDS",
        "what the prompts of later steps should know",
        answers.give_feedback,
    ),
    Verb("rate", "", "rate N 0.8", "note how good an answer is", answers.rate_answer),
    Verb("skip", "s", "skip", "go on without this step", answers.skip_step),
    Verb("redo", "u", "redo", "choose again in the step before", reopen_previous_step),
    Verb(
        "back",
        "b",
        "back STEP [NAME]",
        "go back: a new run that shares the past",
        branch_at_step,
    ),
    Verb("show", "v", "show", "show the step again", show_step),
    Verb(
        "prompt",
        "",
        "prompt",
        "the exact prompt, who gets it, what it costs",
        show_prompt,
    ),
    Verb("status", "", "status", "the whole run and its family", show_run),
    Verb("pause", "p", "pause", "pause the run and leave", pause_run),
    Verb("quit", "q", "quit", "leave the run as it stands", leave_run),
)
_VERBS_BY_WORD: Final = {
    word: verb for verb in VERBS for word in (verb.name, verb.letter) if word
}


async def execute_verb_line(
    interactive: InteractiveRun, run: PipelineRun, line: str
) -> None:
    """Carry out a line of the writer's.

    Raises:
        WriteItError: it is not understood, or does not fit; nothing was done.
        Leave: she is done.
    """
    line = line.strip()
    if line in {"?", "h", "help"}:
        _print_help(interactive)
        return
    if not line:
        await _execute_empty_line(interactive, run)
        return
    verb, words = parse_line(line)
    await verb.handler(interactive, run, words)


def parse_line(line: str) -> tuple[Verb, str]:
    """Return the verb of a line, and the words behind it.

    Raises:
        NotFound: there is no such verb; the nearest are named.
    """
    if number := _LEADING_NUMBER.fullmatch(line):
        if not number[2]:
            return _VERBS_BY_WORD["choose"], number[1]
        verb, words = parse_line(number[2])
        return verb, f"{number[1]} {words}".strip()
    word, _, words = line.partition(" ")
    if word.lower() not in _VERBS_BY_WORD:
        raise NotFound.with_suggestions(
            "choice", word[:40], [verb.name for verb in VERBS]
        )
    return _VERBS_BY_WORD[word.lower()], words.strip()


async def _execute_empty_line(interactive: InteractiveRun, run: PipelineRun) -> None:
    """Enter goes on: it asks a step that is next, and ends a run that is finished."""
    state = interactive.step_state(run)
    if state.status is StepStatus.PENDING:
        await interactive.generate_step()
    elif run.is_finished and interactive.shown_step is None:
        await leave_run(interactive, run, "")
    elif state.status in DONE_STATUSES:
        interactive.shown_step, interactive.needs_redraw = None, True
    else:
        _print_help(interactive)


def _print_help(interactive: InteractiveRun) -> None:
    width = max(len(verb.usage) for verb in VERBS)
    for verb in VERBS:
        letter = verb.letter or " "
        interactive.console.write(f"  {letter}  {verb.usage:{width}}  {verb.summary}")
    interactive.console.write(
        "Ctrl-C stops answers on their way; what came of them is kept."
    )
