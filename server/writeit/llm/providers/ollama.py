"""What a local Ollama has, and how much its models can read."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

OLLAMA_TIMEOUT: Final = 2.0
"""Seconds an Ollama that is there needs at the very most, on a busy machine as well."""
_OLLAMA_ERRORS: Final = (
    OSError,
    http.client.HTTPException,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
)
"""Nothing there, something else there, or too slow: all the same to who asks."""
MIN_CONTEXT_TOKENS: Final = 4096
"""Tokens: Ollama's own window; less is never asked for."""
DEFAULT_ANSWER_TOKENS: Final = 2048
"""Tokens kept for an answer that has no longest length."""


class OllamaClient:
    """Asks Ollama, and remembers what does not change."""

    def __init__(self) -> None:
        self._windows: dict[tuple[str, str], int] = {}

    def clear_cache(self) -> None:
        """Ask anew from now on: models may have been fetched again."""
        self._windows.clear()

    async def list_models(self, url: str) -> list[str] | None:
        """Return the names of the models Ollama at `url` has; None if none answers."""
        answer = await _request(url, "GET", "/api/tags")
        try:
            return sorted(str(model["name"]) for model in (answer or {})["models"])
        except _OLLAMA_ERRORS:
            return None

    async def context_window(self, url: str, name: str) -> int | None:
        """Return how many tokens a model can read; None if Ollama does not say."""
        if (url, name) not in self._windows:
            answer = await _request(url, "POST", "/api/show", {"model": name})
            found = _context_length(answer)
            if found is None:
                return None
            self._windows[url, name] = found
        return self._windows[url, name]


def context_size_for(
    prompt: str, max_tokens: int | None, context_window: int | None
) -> int:
    """Return a window that prompt and answer fit in, no larger than the model's.

    Ollama's own is small, and what does not fit it cuts off without a word.
    """
    # Three bytes a token is on the safe side for every script.
    need = len(prompt.encode()) // 3 + (max_tokens or DEFAULT_ANSWER_TOKENS)
    room = max(MIN_CONTEXT_TOKENS, 1 << need.bit_length())
    return room if context_window is None else min(room, context_window)


def _context_length(answer: Any) -> int | None:  # noqa: ANN401 -- JSON of a stranger
    try:
        info = answer["model_info"]
        length = info[f"{info['general.architecture']}.context_length"]
    except _OLLAMA_ERRORS:
        return None
    return length if isinstance(length, int) and length > 0 else None


async def _request(
    url: str, method: str, path: str, body: dict[str, str] | None = None
) -> Any:  # noqa: ANN401 -- JSON of a stranger
    """Return what Ollama answers; None if it does not."""
    try:
        async with asyncio.timeout(OLLAMA_TIMEOUT):
            return await asyncio.to_thread(_send_request, url, method, path, body)
    except _OLLAMA_ERRORS:
        return None


def _send_request(url: str, method: str, path: str, body: dict[str, str] | None) -> Any:  # noqa: ANN401 -- as above
    parts = urlsplit(url)
    kinds: dict[str, Callable[..., http.client.HTTPConnection]] = {
        "http": http.client.HTTPConnection,
        "https": http.client.HTTPSConnection,
    }
    connection = kinds[parts.scheme](parts.netloc, timeout=OLLAMA_TIMEOUT)
    try:
        sent = None if body is None else json.dumps(body)
        connection.request(method, f"{parts.path.rstrip('/')}{path}", sent)
        response = connection.getresponse()
        return json.loads(response.read()) if response.status < 400 else None  # noqa: PLR2004 -- HTTP's errors
    finally:
        connection.close()
