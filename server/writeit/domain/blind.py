"""Blind choice: what answers are called, and what is hidden until the user chooses.

The letters of a round are drawn when its calls are planned, and stored with the calls.
They are shown while the step waits for the choice. What the user has seen once is not
hidden again.
"""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from writeit.domain.errors import WriteItError
from writeit.domain.run import PipelineRun, StepState, StepStatus

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
HIDDEN = "More about it is shown after your choice."
"""What is said instead of a text that could tell the model."""


def letter_of(place: int) -> str:
    """Return the letter of a place, from 1: A to Z, then AA, AB and so on."""
    before, index = divmod(place - 1, len(_LETTERS))
    return (letter_of(before) if before else "") + _LETTERS[index]


def drawn_letters(step: StepState) -> dict[UUID, str]:
    """Return the letters of the answers that the user had to choose from blindly."""
    return {c.response_id: letter_of(c.place) for c in step.calls if c.place}


def hidden_letters(step: StepState) -> dict[UUID, str]:
    """Return the letters of the answers whose model is hidden now."""
    return drawn_letters(step) if step.status is StepStatus.RUNNING else {}


def hidden_in(run: PipelineRun) -> dict[UUID, str]:
    """Return the letters of all steps of a run whose models are hidden now."""
    return {key: a for s in run.steps.values() for key, a in hidden_letters(s).items()}


def answer_name(step: StepState, response_id: UUID) -> str:
    """Return what an answer is called: its letter until the choice, then its number."""
    return hidden_letters(step).get(response_id) or str(step.numbers[response_id])


def answer_title(step: StepState, response_id: UUID, model: str) -> str:
    """Return the name of an answer and its model, unless that is hidden: "2 · a/b"."""
    name = answer_name(step, response_id)
    return name if response_id in hidden_letters(step) else f"{name} · {model}"


def find_named(step: StepState, word: str) -> UUID | None:
    """Return the newest ended answer with this letter or number, or None."""
    hidden, numbers = hidden_letters(step), step.numbers
    for answer in reversed(step.ai_responses):
        key = answer.response_id
        if word.upper() == hidden.get(key) or word == str(numbers[key]):
            return key
    return None


def hide_models(
    error: WriteItError, step: StepState, models: Iterable[str], message: str
) -> None:
    """Say no more than `message` of calls by a part of the models that are hidden.

    Calls by all of them tell nothing. What the user has to confirm is told.
    """
    hidden = hidden_letters(step)
    known = {call.model for call in step.calls if call.response_id in hidden}
    if {*models} < known and "confirm" not in error.data:
        error.message, error.hint, error.args = message, HIDDEN, (message,)


def next_place(step: StepState) -> int:
    """Return the first free place of the answers that the user can choose from."""
    if step.status is StepStatus.PENDING:
        return 1
    return max((call.place or 0 for call in step.calls), default=0) + 1


def with_known_models(step: StepState) -> StepState:
    """Return the step once a choice has shown its models: later choices are open."""
    if step.status is not StepStatus.COMPLETED or not drawn_letters(step):
        return step
    return step.evolve(calls=tuple(call.evolve(place=None) for call in step.calls))
