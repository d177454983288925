"""Takes keys out of text that people or logs will see."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_LOOKS_LIKE_A_KEY = re.compile(
    r"""
      \b(?:sk|pk|gsk|xai|hf|nvapi|r8|AIza)[-_]?[A-Za-z0-9_-]{16,}
    | (?<=Bearer\s)\S+
    | (?<=[?&]key=)[^&\s'"]+
    """,
    re.VERBOSE,
)
_HIDDEN = "[key]"


def scrub(text: str, secrets: Iterable[str | None] = ()) -> str:
    """Return `text` without `secrets` and without what looks like a key."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, _HIDDEN)
    return _LOOKS_LIKE_A_KEY.sub(_HIDDEN, text)
