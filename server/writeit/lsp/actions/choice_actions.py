"""Actions that choose among the answers of a step, and on what is chosen."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID

from writeit.domain.answer import AIResponse
from writeit.domain.blind import answer_name, hidden_letters
from writeit.domain.operations import generate, permitted
from writeit.domain.run import MAX_RETRIES, PipelineRun, StepState, StepStatus
from writeit.lsp.action import Action
from writeit.lsp.actions import (
    comparison_action,
    comparison_side,
    run_action,
    view_action,
)
from writeit.lsp.actions.outlook import Outlook
from writeit.text.block_reader import list_items
from writeit.text.lines import fold_space
from writeit.views import wording
from writeit.views.answer_heads import EndedAnswer, is_selected, list_answers

MAX_PREVIEW_CHARACTERS = 40
"""Characters of an answer in the title of its action."""


MERGE_INSTRUCTION = (
    "Join these passages into one text that reads as if written in one go."
)
"""The default instruction for a merge by a model."""


def selection_actions(
    run: PipelineRun, step: StepState, outlook: Outlook
) -> Iterator[Action]:
    """Yield the choices that bring what follows, and the page to choose on."""
    is_open = step.status is StepStatus.RUNNING and step != run.review_step
    if is_open and len(step.ai_responses) > 1:
        opening = view_action(run, f"Open {step.step_name} to choose", "step")
        yield replace(opening, has_lens=True)
    if not permitted.step_permissions(run, step).select:
        return
    alone = len(step.ai_responses) == 1
    for item in list_answers(step):
        if isinstance(item, EndedAnswer) and not is_selected(step, item.answer):
            which = "" if alone else f" of answer {item.label}"
            for choice in _choices(run, step, item, outlook, which):
                is_open = step.status is StepStatus.RUNNING
                yield replace(choice, has_lens=alone and is_open)
    if step.passages:
        yield run_action(
            run,
            f"Use the merge of {len(step.passages)} passages for {step.step_name}"
            f"{_then(run, step, outlook)}",
            "writeit.step.merge",
            step=step.step_name,
            goOn=True,
        )


def _choices(
    run: PipelineRun,
    step: StepState,
    item: EndedAnswer,
    outlook: Outlook,
    which: str = "",
) -> Iterator[Action]:
    """Yield the choices of an answer, or of its items, that bring what follows."""
    name, then = step.step_name, _then(run, step, outlook)
    params: dict[str, Any] = {"step": name, "goOn": True}
    params["response"] = str(item.answer.response_id)
    items = list_items(item.answer.processed_content) if outlook.chooses_items else []
    for number, text in enumerate(items, start=1):
        title = f"Choose {_singular(name)} {number}{which}"
        yield run_action(
            run,
            f"{title}{then}: {_excerpt(text)}",
            "writeit.step.select",
            part={"item": number},
            lens_title=f"{title}{then}",
            **params,
        )
    if not items:
        title = f"Choose answer {item.label}{then}"
        preview = f" ({_answer_preview(step, item.answer)})"
        yield run_action(
            run,
            f"{title}{preview}",
            "writeit.step.select",
            lens_title=f"Choose{then}",
            **params,
        )


def _singular(step: str) -> str:
    """Return what one item of a step's list is called: an angle of angles."""
    return step.removesuffix("s") if step.endswith("s") else f"item of {step}"


def _then(run: PipelineRun, step: StepState, outlook: Outlook) -> str:
    """Return what follows a choice, for a title: " and continue · about $0.02"."""
    if not run.later_steps(step.step_name):
        return " and apply"
    return f" and continue{outlook.next_cost}"


def choices_while_streaming(
    run: PipelineRun, step: StepState, outlook: Outlook
) -> Iterator[Action]:
    """Yield the choices among what has ended; they stop what still streams."""
    for item in list_answers(step):
        if isinstance(item, EndedAnswer):
            yield _choose_and_stop(run, step, item, outlook)


def _choose_and_stop(
    run: PipelineRun, step: StepState, item: EndedAnswer, outlook: Outlook
) -> Action:
    return run_action(
        run,
        f"Stop the others, choose answer {item.label}{_then(run, step, outlook)}"
        f" ({_answer_preview(step, item.answer)})",
        "writeit.step.select",
        step=step.step_name,
        response=str(item.answer.response_id),
        stopOthers=True,
        goOn=True,
        lens_title=f"Stop the others, choose{_then(run, step, outlook)}",
    )


def other_choices(run: PipelineRun, step: StepState) -> Iterator[Action]:
    """Yield the plain choices, and what can be done with the answers instead."""
    if not step.ai_responses or step.status is StepStatus.SKIPPED:
        return
    name = step.step_name
    for item in list_answers(step):
        if isinstance(item, EndedAnswer) and not is_selected(step, item.answer):
            yield run_action(
                run,
                f"Choose answer {item.label} for {name}"
                f" ({_answer_preview(step, item.answer)})",
                "writeit.step.select",
                step=name,
                response=str(item.answer.response_id),
            )
    for answer in generate.continuable_answers(run, step):
        yield _continue_action(run, step, answer, has_lens=True)
    if step.passages:
        yield run_action(
            run,
            f"Use only the merge of {len(step.passages)} passages for {name}",
            "writeit.step.merge",
            step=name,
        )
    if step.retry_count < MAX_RETRIES:
        yield run_action(
            run,
            f"Regenerate {name} ({MAX_RETRIES - step.retry_count} left)",
            "writeit.step.regenerate",
            step=name,
            uses_model=True,
            has_lens=step.status is StepStatus.RUNNING,
            lens_title="Regenerate",
        )
    if len(step.ai_responses) > 1:
        yield _last_answers_comparison(run, step)


def _continue_action(
    run: PipelineRun, step: StepState, answer: AIResponse, *, has_lens: bool = False
) -> Action:
    label = wording.answer_label(step, answer.response_id)
    return run_action(
        run,
        f"Continue {label} of {step.step_name}",
        "writeit.step.continue",
        step=step.step_name,
        response=str(answer.response_id),
        uses_model=True,
        has_lens=has_lens,
        lens_title=f"Continue {label}",
    )


def _excerpt(text: str) -> str:
    words = " ".join(text.split())
    cut = "…" if len(words) > MAX_PREVIEW_CHARACTERS else ""
    return f"{words[:MAX_PREVIEW_CHARACTERS]}{cut}"


def _answer_preview(step: StepState, answer: AIResponse) -> str:
    partial = ["incomplete"] if answer.is_cut else []
    is_hidden = answer.response_id in hidden_letters(step)
    facts = ", ".join([*([] if is_hidden else [answer.model]), *partial])
    return f"{facts and f'{facts}: '}{_excerpt(answer.processed_content)}"


def _last_answers_comparison(run: PipelineRun, step: StepState) -> Action:
    ended = [i.answer for i in list_answers(step) if isinstance(i, EndedAnswer)]
    last = ended[:2] if hidden_letters(step) else step.ai_responses[-2:]
    left, right = (
        comparison_side(run, step.step_name, answer.response_id) for answer in last
    )
    which = "first" if hidden_letters(step) else "last"
    return comparison_action(
        f"Compare the {which} two answers of {step.step_name}", left, right
    )


def choose_part_actions(
    run: PipelineRun,
    step: StepState,
    response_id: UUID,
    text: str,
    outlook: Outlook,
) -> Iterator[Action]:
    """Yield the actions that choose selected lines of an answer."""
    answer = step.find_response(response_id)
    if answer is None or not permitted.step_permissions(run, step).select:
        return
    is_unchanged = fold_space(text) in fold_space(answer.processed_content)
    words: Any = {"part": {"text": text}} if is_unchanged else {"content": text}
    params = {"step": step.step_name, "response": str(response_id), **words}
    title, select = "Choose the selected lines", "writeit.step.select"
    then = _then(run, step, outlook)
    yield run_action(run, f"{title}{then}", select, goOn=True, **params)
    yield run_action(run, title, select, **params)


def answer_actions(
    run: PipelineRun, step: StepState, response_id: UUID, outlook: Outlook
) -> Iterator[Action]:
    """Yield the actions on an answer of a step's page, the likeliest first."""
    name, answer = step.step_name, step.find_response(response_id)
    if answer is None:
        return  # the page is older than the run
    item = EndedAnswer(answer, answer_name(step, response_id))
    if step.streaming:
        yield _choose_and_stop(run, step, item, outlook)
    can_select = permitted.step_permissions(run, step).select
    if can_select and not is_selected(step, answer):
        for choice in _choices(run, step, item, outlook):
            yield replace(choice, title=choice.lens_title)
        yield run_action(
            run,
            "Choose this answer",
            "writeit.step.select",
            step=name,
            response=str(response_id),
        )
    if answer in generate.continuable_answers(run, step):
        yield _continue_action(run, step, answer)
    again = run_action(
        run,
        "Regenerate with this model",
        "writeit.step.regenerate",
        step=name,
        models=[answer.model],
        uses_model=True,
    )
    can_regenerate = permitted.step_permissions(run, step).regenerate
    clears_choice = step.status is StepStatus.COMPLETED
    if can_regenerate and not clears_choice:
        yield again
    other = _compared_answer(step, answer)
    if other is not None:
        yield comparison_action(
            f"Compare with {wording.answer_label(step, other.response_id)}",
            comparison_side(run, name, other.response_id),
            comparison_side(run, name, answer.response_id),
        )
    yield run_action(run, "Branch here", "writeit.run.branch", step=name)
    if can_regenerate and clears_choice:
        yield again


def _compared_answer(step: StepState, answer: AIResponse) -> AIResponse | None:
    """Return the answer to compare with: the chosen one, else the one before."""
    if step.chosen is not None and not is_selected(step, answer):
        return step.chosen
    ended = [i.answer for i in list_answers(step) if isinstance(i, EndedAnswer)]
    if len(ended) < len("ab"):
        return None
    index = [each.response_id for each in ended].index(answer.response_id)
    return ended[index - 1 if index else 1]


def merge_actions(
    run: PipelineRun, step: StepState, text: str, outlook: Outlook
) -> Iterator[Action]:
    """Yield the actions on the merge of a step's page; `text` is what it has."""
    name = step.step_name
    if not text.strip() or not permitted.step_permissions(run, step).merge:
        return
    then = _then(run, step, outlook)
    yield run_action(
        run, f"Use the merge{then}", "writeit.step.merge", step=name, goOn=True
    )
    yield run_action(run, "Use the merge", "writeit.step.merge", step=name)
    if len(step.passages) > 1:
        yield run_action(
            run,
            "Merge with a model",
            "writeit.step.merge",
            step=name,
            instruction=MERGE_INSTRUCTION,
            uses_model=True,
        )
