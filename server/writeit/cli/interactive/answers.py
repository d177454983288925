"""Choose, edit, regenerate, rate and merge the answers of a step."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkstemp

from writeit.cli.console import InputStopped
from writeit.cli.interactive.loop import LeaveRun, Shell, StepOperation, verb
from writeit.domain.blind import answer_name, find_named, hidden_letters
from writeit.domain.errors import InvalidParams
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.operations.generate import check_can_regenerate
from writeit.domain.run import Passage, PipelineRun, StepState, StepStatus
from writeit.engine.continuing import ContinueResponse
from writeit.engine.requests import MergeWithModel, RegenerateStep
from writeit.text.block_reader import split_paragraphs
from writeit.text.lines import escape_controls
from writeit.views.wording import count_of


def parse_answer_index(state: StepState, name: str) -> int:
    """Return the index of the answer with this number or, in a blind step, letter.

    Of an incomplete answer and the one that replaced it, the later one is meant.

    Raises:
        InvalidParams: there is no such answer.
    """
    count = len(state.ai_responses)
    found = find_named(state, name.lstrip("0"))
    if found is None:
        what = "letter" if hidden_letters(state) else "number"
        raise InvalidParams(
            f"There is no answer {name}." if name else "Which answer?",
            hint=f"Type its {what}. The step has {count_of(count, 'answer')}."
            if count
            else "Generate the step first.",
        )
    return lifecycle.find_response_index(state, found)


def parse_choice(state: StepState, words: str) -> tuple[int, str | None]:
    """Return the index of answer N, and the text of the item that `N:ITEM` names.

    Raises:
        InvalidParams, NotFound: there is no such answer or item.
    """
    number, colon, item = words.partition(":")
    index = parse_answer_index(state, number if item.isdecimal() else words)
    return index, select.find_part(state, index, int(item)) if colon else None


@verb("N[:ITEM] [FEEDBACK]", name="pick")
async def choose_and_continue(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Choose answer N, or an item of its list, and generate the next step."""
    await choose_answer(shell, run, argument)
    shell.goes_on = True


@verb("choose N [FEEDBACK]")
async def choose_answer(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Choose answer N, and generate nothing yet."""
    step = shell.step_state(run)
    number, _, feedback = argument.partition(" ")
    index, item = parse_choice(step, number)
    await shell.execute_and_advance(
        step,
        lambda run, step, at: select.select_response(
            run, step, index, at, content=item, feedback=feedback.strip() or None
        ),
    )


@verb("edit N", "e")
async def edit_answer(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Edit answer N in $EDITOR and choose it."""
    step = shell.step_state(run)
    index = parse_answer_index(
        step, argument or ("1" if len(step.ai_responses) == 1 else "")
    )
    text = step.ai_responses[index].processed_content
    if step.user_selection == index and step.edited_content is not None:
        text = step.edited_content
    with edit_text(shell, text) as edited:
        if edited is None:
            return
        content = None if edited == text.rstrip("\n") else edited
        await shell.execute_and_advance(
            step,
            lambda run, step, at: select.select_response(
                run, step, index, at, content=content
            ),
        )
        shell.goes_on = True


@verb("again [FEEDBACK]", "a")
async def regenerate(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Regenerate, with what should be different."""
    step = shell.step_state(run)
    check_can_regenerate(run, step)
    if not argument and shell.console.is_interactive:
        argument = shell.console.read_line("What should be different? (optional) ")
    await shell.generate(
        RegenerateStep(
            run_id=shell.run_id,
            step=step.step_name,
            feedback=argument or None,
            model_selection=shell.model_selection,
        )
    )


@verb("continue [N]", "n")
async def continue_answer(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Let the model write the rest of an incomplete answer."""
    step = shell.step_state(run)
    if not argument and (cut := generate.continuable_answers(run, step)):
        argument = answer_name(step, cut[-1].response_id)
    await shell.generate(
        ContinueResponse(
            run_id=shell.run_id,
            step=step.step_name,
            response=parse_answer_index(step, argument),
            model_selection=shell.model_selection,
        )
    )


@verb("run", "r")
async def generate_answers(shell: Shell, _run: PipelineRun, _argument: str) -> None:
    """Generate, or only failed and incomplete answers."""
    await shell.generate_step()


@verb("skip", "s")
async def skip_step(shell: Shell, run: PipelineRun, _argument: str) -> None:
    """Skip this step."""
    step = shell.step_state(run)
    await shell.execute_and_advance(step, select.skip_step)
    shell.goes_on = True


@verb("say FEEDBACK")
async def give_feedback(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Give feedback for later steps."""
    step = shell.step_state(run)
    if step.status is StepStatus.PENDING:
        step = lifecycle.find_answered_step(run, None)
    if not argument:
        argument = shell.console.read_line("Feedback for the next step: ")
    await shell.execute(
        step, lambda run, step, at: select.give_feedback(run, step, argument, at)
    )
    shell.needs_redraw = False
    shell.console.write(f"The steps after {step.step_name} get this feedback.")


@verb("rate N 0.8")
async def rate_answer(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Rate an answer; without a number, remove its rating."""
    step = shell.step_state(run)
    number, _, score = argument.partition(" ")
    index = parse_answer_index(step, number)
    try:
        value = float(score) if score.strip() else None
    except ValueError:
        raise InvalidParams(
            f"{score!r} is not a rating.", hint="Type a number from 0.0 to 1.0."
        ) from None
    await shell.execute(
        step, lambda run, step, at: select.rate_response(run, step, index, value, at)
    )
    shell.needs_redraw = False
    shell.console.write("Rating saved.")


_PARAGRAPH_RANGE = re.compile(r"(\d{1,6})(?:-(\d{1,6}))?")


def parse_paragraph_ranges(selection: str, count: int) -> list[range]:
    """Return the index ranges of a selection such as "2,4-5".

    Raises:
        InvalidParams: it is malformed or out of range.
    """
    ranges = []
    for part in re.split(r"[,\s]+", selection.strip()):
        match = _PARAGRAPH_RANGE.fullmatch(part)
        first = int(match[1]) if match else 0
        last = int(match[2] or first) if match else 0
        if not 1 <= first <= last <= count:
            raise InvalidParams(
                f"There is no paragraph {part!r}; the answer has {count}.",
                hint="Type their numbers, such as 2 or 1,3-4.",
            )
        ranges.append(range(first - 1, last))
    return ranges


@verb("take N [2,4-5]", "t")
async def add_to_merge(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Add paragraphs of answer N to the merge."""
    step = shell.step_state(run)
    number, _, selection = argument.partition(" ")
    index = parse_answer_index(step, number)
    texts = split_paragraphs(step.ai_responses[index].processed_content)
    if not selection.strip():
        for position, text in enumerate(texts, start=1):
            shell.console.write(f"{position}. {escape_controls(text)}\n")
        selection = shell.console.read_line("Which paragraphs? (such as 2 or 1,3-4) ")
        if not selection.strip():
            return
    passages = [
        "\n\n".join(texts[i] for i in indices)
        for indices in parse_paragraph_ranges(selection, len(texts))
    ]
    response_id = step.ai_responses[index].response_id
    for text in passages:
        passage = Passage(
            passage_id=shell.workspace.engine.new_id(),
            response_id=response_id,
            text=text,
        )
        await shell.execute(step, _add_passage(passage))
    shell.needs_redraw = False
    run = await shell.load_run()
    count = count_of(len(shell.step_state(run).passages), "passage")
    shell.console.write(f"The merge has {count}. Type merge to combine them.")


def _add_passage(passage: Passage) -> StepOperation:
    return lambda run, step, at: select.add_passage(run, step, passage, at)


@verb("merge [N …]", "m")
async def merge_in_editor(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Merge added paragraphs, or answers, in $EDITOR."""
    step = shell.step_state(run)
    parts = _parse_parts(step, argument)

    async def complete(parts: select.MergeSelection) -> None:
        await shell.execute_and_advance(
            step, lambda run, step, at: select.merge_responses(run, step, parts, at)
        )
        shell.goes_on = True

    if not shell.console.has_editor:
        await complete(parts)
        return
    with edit_text(shell, _initial_merge_text(step, parts)) as edited:
        if edited is not None:
            await complete(
                select.MergeSelection(responses=parts.responses, content=edited)
            )


@verb("join [N …] [INSTRUCTIONS]", "j")
async def merge_with_model(shell: Shell, run: PipelineRun, argument: str) -> None:
    """Merge with a model."""
    step = shell.step_state(run)
    generate.check_can_merge(run, step)
    names = "|".join(sorted(hidden_letters(step).values(), reverse=True))
    known = rf"\d+|{names}" if names else r"\d+"
    numbers = re.match(rf"(?:(?:{known})[\s,]+)*", f"{argument} ")
    chosen = numbers[0] if numbers else ""
    instruction = argument[len(chosen.rstrip()) :].strip()
    parts = _parse_parts(step, chosen)
    if not instruction:
        instruction = shell.console.read_line("How should the model merge them? ")
    await shell.generate(
        MergeWithModel(
            run_id=shell.run_id,
            step=step.step_name,
            parts=parts,
            instruction=instruction or "Merge them into one text.",
            model=shell.models[0] if shell.models else None,
            model_selection=shell.model_selection,
        )
    )


def _parse_parts(step: StepState, argument: str) -> select.MergeSelection:
    """Return the named answers; by default the added passages, else all answers."""
    numbers = re.split(r"[,\s]+", argument.strip()) if argument.strip() else []
    indices = [parse_answer_index(step, number) for number in numbers]
    if not indices and not step.passages:
        names = [answer_name(step, answer.response_id) for answer in step.ai_responses]
        indices = sorted(range(len(names)), key=lambda n: (len(names[n]), names[n]))
    return select.MergeSelection(responses=indices)


def _initial_merge_text(step: StepState, parts: select.MergeSelection) -> str:
    """Return the user's earlier merge, else the joined parts."""
    if step.merged_content is not None:
        return step.merged_content
    return "\n\n".join(part.text for part in select.require_parts(step, parts))


BACKDATE_SECONDS = 2
"""Seconds; more than the resolution of any file system's times."""


@contextmanager
def edit_text(shell: Shell, text: str) -> Iterator[str | None]:
    """Yield the edited text, or None after a message if there is nothing to use.

    Raises:
        InvalidParams: there is no editor, or the file is not UTF-8 text.
        click.ClickException: the editor cannot be started, or failed.
        InputStopped: the user pressed Ctrl-C.
    """
    if not shell.console.has_editor:
        raise InvalidParams(
            "No editor is set.", hint="Set EDITOR to the command of your editor."
        )
    path = _create_draft(text)
    mtime, original = path.stat().st_mtime, path.read_bytes()
    try:
        shell.console.edit_file(path)
        yield _read_saved_text(shell, path, mtime)
    except LeaveRun:  # the text was used, and the run is finished
        path.unlink(missing_ok=True)
        raise
    except BaseException as error:
        # After Ctrl-C the editor may still be open and save the file later.
        if isinstance(error, InputStopped) or _read_bytes_or_none(path) not in {
            None,
            original,
        }:
            shell.console.write(f"Your text was kept in {path}.")
        else:
            path.unlink(missing_ok=True)
        raise
    path.unlink(missing_ok=True)


def _create_draft(text: str) -> Path:
    handle, name = mkstemp(prefix="writeit-", suffix=".md")
    with open(handle, "w", encoding="utf-8", newline="") as file:  # noqa: PTH123 -- a descriptor
        file.write(text if text.endswith("\n") or not text else f"{text}\n")
    path = Path(name)
    earlier = path.stat().st_mtime - BACKDATE_SECONDS
    os.utime(path, (earlier, earlier))  # so that an immediate save changes it
    return path


def _read_bytes_or_none(path: Path) -> bytes | None:
    with suppress(FileNotFoundError):
        return path.read_bytes()
    return None


def _read_saved_text(shell: Shell, path: Path, created_mtime: float) -> str | None:
    """Return the saved text, or None after a message if there is none."""
    if not path.exists() or path.stat().st_mtime == created_mtime:
        shell.console.write("Nothing was saved, so nothing was changed.")
        return None
    try:
        edited = path.read_text(encoding="utf-8-sig").rstrip("\n")
    except UnicodeDecodeError as error:
        raise InvalidParams(
            "The saved file is not UTF-8 text, so nothing was changed.",
            hint="Save it as UTF-8.",
        ) from error
    if not edited.strip():
        shell.console.write("The text is empty, so nothing was changed.")
        return None
    return edited
