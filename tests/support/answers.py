"""Answers of a step as they are on the wire, found by what they are."""

from typing import Any


def find_answer(step: dict[str, Any], **fields: object) -> dict[str, Any]:
    """Return a step's only answer with these fields, such as `number` or `modelName`.

    Their order says only which of them ended first.
    """
    (answer,) = (
        answer
        for answer in step["aiResponses"]
        if all(answer[name] == value for name, value in fields.items())
    )
    found: dict[str, Any] = answer
    return found


def chosen_number(step: dict[str, Any]) -> int:
    """Return the number of a step's chosen answer; answers end in any order."""
    number: int = step["aiResponses"][step["userSelection"]]["number"]
    return number
