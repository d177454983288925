"""Ollama: its address, its models and their context windows."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import urlsplit

from writeit.llm.providers.provider import Dialect, Provider

OLLAMA_URL_VARIABLE: Final = "WRITEIT_OLLAMA_URL"
"""Set for the model host to the address in the user's configuration."""

OLLAMA_TIMEOUT: Final = 2.0
"""Seconds; Ollama answers sooner even on a busy machine."""
_OLLAMA_ERRORS: Final = (
    OSError,
    http.client.HTTPException,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
)
"""No server, another server, or a slow one: Ollama is not available."""
MIN_CONTEXT_TOKENS: Final = 4096
"""Ollama's default context window; a smaller one is never requested."""
DEFAULT_ANSWER_TOKENS: Final = 2048
"""Tokens reserved for an answer without max_tokens."""


class OllamaClient:
    """Calls Ollama's API and caches context windows."""

    def __init__(self) -> None:
        self._shown: dict[tuple[str, str], Any] = {}

    def clear_cache(self) -> None:
        """Forget what models can do, because they may have changed."""
        self._shown.clear()

    async def context_window(self, url: str, name: str) -> int | None:
        """Return a model's context window in tokens; None if Ollama does not say."""
        return context_length(await self.show(url, name))

    async def can_think(self, url: str, name: str) -> bool:
        """Return whether Ollama says that a model thinks."""
        shown = await self.show(url, name)
        abilities = shown.get("capabilities") if isinstance(shown, dict) else None
        return isinstance(abilities, list) and "thinking" in abilities

    async def show(self, url: str, name: str) -> Any:  # noqa: ANN401 -- JSON of a stranger
        """Return what Ollama says about a model; None if it does not answer."""
        if (url, name) not in self._shown:
            answer = await _request(url, "POST", "/api/show", {"model": name})
            if answer is None:
                return None
            self._shown[url, name] = answer
        return self._shown[url, name]


OLLAMA_API: Final = OllamaClient()


class OllamaProvider(Provider):
    """Ollama, on the user's machine or another one."""

    needs_key = False
    is_free = True

    def endpoint(self) -> str:
        """Return Ollama's address."""
        return ollama_url()

    @property
    def dialect(self) -> Dialect:
        """Speak Ollama's own, which keeps thoughts and text apart."""
        return "ollama"

    async def context_window(self, name: str, known: int | None) -> int | None:
        """Return the window that Ollama reports."""
        del known
        return await OLLAMA_API.context_window(ollama_url(), name)


def ollama_url() -> str:
    """Return where Ollama is expected to answer."""
    for variable in (OLLAMA_URL_VARIABLE, "OLLAMA_API_BASE", "OLLAMA_HOST"):
        value = os.environ.get(variable, "").strip()
        if value:
            return _complete_ollama_url(value)
    return "http://localhost:11434"


def _complete_ollama_url(value: str) -> str:
    """Complete an `OLLAMA_HOST`, which may be no more than a host or `:port`."""
    parts = urlsplit(value if "//" in value else f"http://{value}")
    host = parts.hostname or "localhost"
    host = "localhost" if host == "0.0.0.0" else host  # noqa: S104 -- what Ollama binds to is not where one calls it
    host = f"[{host}]" if ":" in host else host
    port = parts.port or {"https": 443}.get(parts.scheme, 11434)
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def context_size_for(
    prompt: str, max_tokens: int | None, context_window: int | None
) -> int:
    """Return a window for prompt and answer, at most the model's, in tokens.

    Ollama's default is small, and Ollama silently truncates a longer prompt.
    """
    # No script has fewer than three bytes per token.
    need = len(prompt.encode()) // 3 + (max_tokens or DEFAULT_ANSWER_TOKENS)
    room = max(MIN_CONTEXT_TOKENS, 1 << need.bit_length())
    return room if context_window is None else min(room, context_window)


def context_length(answer: Any) -> int | None:  # noqa: ANN401 -- JSON of a stranger
    """Return the context window in what Ollama says about a model, in tokens."""
    try:
        info = answer["model_info"]
        length = info[f"{info['general.architecture']}.context_length"]
    except _OLLAMA_ERRORS:
        return None
    return length if isinstance(length, int) and length > 0 else None


async def _request(
    url: str, method: str, path: str, body: dict[str, str] | None = None
) -> Any:  # noqa: ANN401 -- JSON of a stranger
    """Return Ollama's answer; None if there is none."""
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
