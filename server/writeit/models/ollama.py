"""What a local Ollama has, and how much its models can read."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE: Final = 2.0
"""Seconds an Ollama that is there needs at the very most, on a busy machine as well."""
_FAILURES: Final = (
    OSError,
    http.client.HTTPException,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
)
"""Nothing there, something else there, or too slow: all the same to who asks."""
SMALLEST: Final = 4096
"""Tokens: Ollama's own window; less is never asked for."""
USUAL_ANSWER: Final = 2048
"""Tokens kept for an answer that has no longest length."""


class Ollama:
    """Asks Ollama, and remembers what does not change."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], int] = {}

    def forget(self) -> None:
        """Ask anew from now on: models may have been fetched again."""
        self._windows.clear()

    async def models(self, url: str) -> list[str] | None:
        """Return the names of the models Ollama at `url` has; None if none answers."""
        answer = await _ask(url, "GET", "/api/tags")
        try:
            return sorted(str(model["name"]) for model in (answer or {})["models"])
        except _FAILURES:
            return None

    async def window(self, url: str, name: str) -> int | None:
        """Return how many tokens a model can read; None if Ollama does not say."""
        if (url, name) not in self._windows:
            answer = await _ask(url, "POST", "/api/show", {"model": name})
            found = _context_length(answer)
            if found is None:
                return None
            self._windows[url, name] = found
        return self._windows[url, name]


def room_for(prompt: str, max_tokens: int | None, window: int | None) -> int:
    """Return a window that prompt and answer fit in, no larger than the model's.

    Ollama's own is small, and what does not fit it cuts off without a word.
    """
    # Three bytes a token is on the safe side for every script.
    need = len(prompt.encode()) // 3 + (max_tokens or USUAL_ANSWER)
    room = max(SMALLEST, 1 << need.bit_length())
    return room if window is None else min(room, window)


def _context_length(answer: Any) -> int | None:  # noqa: ANN401 -- JSON of a stranger
    try:
        info = answer["model_info"]
        length = info[f"{info['general.architecture']}.context_length"]
    except _FAILURES:
        return None
    return length if isinstance(length, int) and length > 0 else None


async def _ask(
    url: str, method: str, path: str, body: dict[str, str] | None = None
) -> Any:  # noqa: ANN401 -- JSON of a stranger
    """Return what Ollama answers; None if it does not."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.to_thread(_exchange, url, method, path, body)
    except _FAILURES:
        return None


def _exchange(url: str, method: str, path: str, body: dict[str, str] | None) -> Any:  # noqa: ANN401 -- as above
    parts = urlsplit(url)
    kinds: dict[str, Callable[..., http.client.HTTPConnection]] = {
        "http": http.client.HTTPConnection,
        "https": http.client.HTTPSConnection,
    }
    connection = kinds[parts.scheme](parts.netloc, timeout=PATIENCE)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, f"{parts.path.rstrip('/')}{path}", sent)
        response = connection.getresponse()
        return json.loads(response.read()) if response.status < 400 else None  # noqa: PLR2004 -- HTTP's errors
    finally:
        connection.close()
