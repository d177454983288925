"""Choosing an answer, asking anew, skipping, and words for later prompts."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from writeit.cli.interactive.editor import edit_text
from writeit.cli.interactive.loop import InteractiveRun
from writeit.cli.output import escape_controls
from writeit.domain.errors import InvalidParams
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.operations.generate import check_can_regenerate
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import Passage, PipelineRun, StepState, StepStatus
from writeit.engine.requests import MergeWithModel, RegenerateStep
from writeit.views import wording as said
from writeit.views.escape import fence_after

# --- Choosing an answer, asking anew, skipping, and words for later prompts -----------


def parse_answer_index(state: StepState, number: str) -> int:
    """Return the index of the answer that is shown with a number.

    Raises:
        InvalidParams: there is none.
    """
    count = len(state.ai_responses)
    if not number.isdecimal() or not 1 <= int(number) <= count:
        raise InvalidParams(
            f"There is no answer {number or 'without a number'!s} here.",
            hint=f"There are {said.count_of(count, 'answer')}: name one by its number."
            if count
            else "Ask the models first.",
        )
    return int(number) - 1


async def choose_answer(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Choose an answer as it is."""
    step, index = (
        interactive.step_state(run),
        parse_answer_index(interactive.step_state(run), argument),
    )
    await interactive.execute_and_advance(
        lambda run, at: select.select_response(
            run, run.steps[step.step_name], index, at
        )
    )


async def edit_answer(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Choose an answer in the writer's own wording."""
    step = interactive.step_state(run)
    index = parse_answer_index(
        step, argument or ("1" if len(step.ai_responses) == 1 else "")
    )
    text = step.ai_responses[index].processed_content
    if step.user_selection == index and step.edited_content is not None:
        text = step.edited_content
    with edit_text(interactive, text) as edited:
        if edited is None:
            return
        content = None if edited == text.rstrip("\n") else edited
        await interactive.execute_and_advance(
            lambda run, at: select.select_response(
                run, run.steps[step.step_name], index, at, content=content
            )
        )


async def regenerate(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Ask the step anew, with what should be different."""
    step = interactive.step_state(run)
    check_can_regenerate(run, step)
    if not argument and interactive.console.is_interactive:
        argument = interactive.console.read_line(
            "What should be different? (Enter: anything) "
        )
    await interactive.generate(
        RegenerateStep(
            run_id=interactive.run_id,
            step=step.step_name,
            feedback=argument or None,
            model_selection=interactive.model_selection,
        )
    )


async def generate_answers(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Ask the step's models; in an answered step what failed or was cut."""
    del run, argument
    await interactive.generate_step()


async def skip_step(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Go on without the step."""
    del argument
    step = interactive.step_state(run)
    await interactive.execute_and_advance(
        lambda run, at: select.skip_step(run, run.steps[step.step_name], at)
    )


async def give_feedback(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Say what the prompts of later steps should know."""
    step = interactive.step_state(run)
    if step.status is StepStatus.PENDING:
        step = lifecycle.find_answered_step(run, None)
    if not argument:
        argument = interactive.console.read_line("What should the models know? ")
    await interactive.execute(
        lambda run, at: select.give_feedback(
            run, run.steps[step.step_name], argument, at
        )
    )
    interactive.needs_redraw = False
    interactive.console.write(f"It goes along with what follows {step.step_name}.")


async def rate_answer(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Note how good an answer is; without a score, take that back."""
    step = interactive.step_state(run)
    number, _, score = argument.partition(" ")
    index = parse_answer_index(step, number)
    try:
        value = float(score) if score.strip() else None
    except ValueError:
        raise InvalidParams(
            f"{score!r} is no score.", hint="A score is a number from 0.0 to 1.0."
        ) from None
    await interactive.execute(
        lambda run, at: select.rate_response(
            run, run.steps[step.step_name], index, value, at
        )
    )
    interactive.needs_redraw = False
    interactive.console.write("Noted.")


# --- The paragraphs of a text, so that some of them can be named and taken ------------

_PARAGRAPH_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def split_paragraphs(text: str) -> list[str]:
    """Return what blank lines divide; a block of code is not divided."""
    found: list[list[str]] = [[]]
    fence: str | None = None
    for line in text.split("\n"):
        fence = fence_after(line, fence)
        if line.strip() or fence:
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return ["\n".join(lines) for lines in found if lines]


def parse_paragraph_ranges(selection: str, count: int) -> list[range]:
    """Return the places that "2,4-5" names among `count` paragraphs.

    Raises:
        InvalidParams: it names none, or one that is not there.
    """
    places = []
    for part in re.split(r"[,\s]+", selection.strip()):
        match = _PARAGRAPH_RANGE.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 1 <= first <= last <= count:
            raise InvalidParams(
                f"{part!r} is no paragraph of the {count} there are.",
                hint="Name them by their numbers, such as 2 or 1,3-4.",
            )
        places.append(range(first - 1, last))
    return places


# --- Passages of answers, taken one by one, and joined into one text ------------------


async def add_to_merge(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Take paragraphs of an answer towards a merge."""
    step = interactive.step_state(run)
    number, _, which = argument.partition(" ")
    index = parse_answer_index(step, number)
    texts = split_paragraphs(step.ai_responses[index].processed_content)
    if not which.strip():
        for place, text in enumerate(texts, start=1):
            interactive.console.write(f"{place}. {escape_controls(text)}\n")
        which = interactive.console.read_line("Which of them? (such as 2 or 1,3-4) ")
        if not which.strip():
            return
    taken = [
        "\n\n".join(texts[i] for i in places)
        for places in parse_paragraph_ranges(which, len(texts))
    ]
    response_id = step.ai_responses[index].response_id
    for text in taken:
        passage = Passage(
            passage_id=interactive.workspace.engine.new_id(),
            response_id=response_id,
            text=text,
        )
        await interactive.execute(_add_passage(step.step_name, passage))
    interactive.needs_redraw = False
    run = await interactive.load_run()
    kept = said.count_of(len(interactive.step_state(run).passages), "passage")
    interactive.console.write(f"The merge has {kept} now; `merge` joins them.")


def _add_passage(
    step: str, passage: Passage
) -> Callable[[PipelineRun, datetime], Events]:
    return lambda run, at: select.add_passage(run, run.steps[step], passage, at)


async def merge_in_editor(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Join whole answers, or the passages taken, in the editor; that ends the step."""
    step = interactive.step_state(run)
    parts = _parse_parts(step, argument)

    async def joined(parts: select.MergeSelection) -> None:
        await interactive.execute_and_advance(
            lambda run, at: select.merge_responses(
                run, run.steps[step.step_name], parts, at
            )
        )

    if not interactive.console.has_editor:
        await joined(parts)
        return
    with edit_text(interactive, _initial_merge_text(step, parts)) as edited:
        if edited is not None:
            await joined(
                select.MergeSelection(responses=parts.responses, content=edited)
            )


async def merge_with_model(
    interactive: InteractiveRun, run: PipelineRun, argument: str
) -> None:
    """Let a model join them, as it is told; its text is one more answer."""
    step = interactive.step_state(run)
    generate.check_can_merge(run, step)
    numbers = re.match(r"(?:\d+[\s,]+)*", f"{argument} ")
    chosen = numbers[0] if numbers else ""
    instruction = argument[len(chosen.rstrip()) :].strip()
    parts = _parse_parts(step, chosen)
    if not instruction:
        instruction = interactive.console.read_line("How should they be joined? ")
    await interactive.generate(
        MergeWithModel(
            run_id=interactive.run_id,
            step=step.step_name,
            parts=parts,
            instruction=instruction or "Join them into one text.",
            model=interactive.models[0] if interactive.models else None,
            model_selection=interactive.model_selection,
        )
    )


def _parse_parts(step: StepState, argument: str) -> select.MergeSelection:
    """What is named; nothing named is all passages, or all answers if none is taken."""
    numbers = re.split(r"[,\s]+", argument.strip()) if argument.strip() else []
    indices = [parse_answer_index(step, number) for number in numbers]
    if not indices and not step.passages:
        indices = list(range(len(step.ai_responses)))
    return select.MergeSelection(responses=indices)


def _initial_merge_text(step: StepState, parts: select.MergeSelection) -> str:
    """What the merge begins with: her own text, if she has merged it before."""
    if step.merged_content is not None:
        return step.merged_content
    return "\n\n".join(part.text for part in select.require_parts(step, parts))
