"""Which models a local Ollama has."""

from __future__ import annotations

import asyncio
import http.client
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE: Final = 0.5
"""Seconds an Ollama that is there needs at the very most."""


async def models(url: str) -> list[str] | None:
    """Return the names of the models that Ollama at `url` has; None if none answers."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await asyncio.to_thread(_tags, url)
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        # Nothing there, something else there, or too slow: all the same to a list.
        return None


def _tags(url: str) -> list[str]:
    parts = urlsplit(url)
    kinds: dict[str, Callable[..., http.client.HTTPConnection]] = {
        "http": http.client.HTTPConnection,
        "https": http.client.HTTPSConnection,
    }
    connection = kinds[parts.scheme](parts.netloc, timeout=PATIENCE)
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/api/tags")
        body = json.loads(connection.getresponse().read())
    finally:
        connection.close()
    return sorted(model["name"] for model in body["models"])
