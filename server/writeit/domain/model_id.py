"""Model ids, `provider/name` and never an address, and how long models may think.

It imports no pydantic: the model host starts in half the time without.
"""

from __future__ import annotations

import re
from typing import Final

from writeit.domain.errors import InvalidParams

_MODEL_ID = re.compile(r"[A-Za-z0-9._:/@+-]+")
_SCHEME = re.compile(r"https?:", re.IGNORECASE)
MAX_MODEL_ID_CHARACTERS = 1000
THINKING_ROOM: Final = {"none": 0, "low": 2_048, "medium": 8_192, "high": 24_576}
"""Tokens for thinking, by level."""
EDITOR: Final = "vscode"
"""The provider whose models the editor calls: `vscode/<vendor>/<family>`."""
THE_EDITOR: Final = "the editor"
THIS_MACHINE: Final = "this machine"
"""Destinations of calls that are no hosts."""


def split_model_id(model: str) -> tuple[str, str]:
    """Split `provider/model_name` at the first slash."""
    provider, _, name = model.partition("/")
    return provider, name


def model_id_problem(model: str) -> str | None:
    """Return what is wrong with a model id that is about to be called, or None.

    An id must not name an address: some providers would be called there.
    """
    if not model.strip("/"):
        return "is empty"
    if len(model) > MAX_MODEL_ID_CHARACTERS:
        return f"has more than {MAX_MODEL_ID_CHARACTERS} characters"
    parts = model.split("/")
    if (
        not _MODEL_ID.fullmatch(model)
        or not {"", ".", ".."}.isdisjoint(parts)
        or any(map(_SCHEME.match, parts))
    ):
        return "is not provider/name in letters, digits and . _ : @ + -"
    return None


def check_model_id(model: str) -> None:
    """Check a model id that is about to be called.

    Raises:
        InvalidParams: it has characters that no model id has.
    """
    if problem := model_id_problem(model):
        raise InvalidParams(
            f"The model {model[:MAX_MODEL_ID_CHARACTERS]!r} {problem}."
            " Nothing was sent.",
            hint="A model id is provider/model, for instance openai/gpt-4o. The address"
            " of a server is set in your own configuration.",
            problems=[{"path": "models", "message": problem}],
        )
