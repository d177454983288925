"""Reads a stream: its text, why it ended, what it used.

LiteLLM wraps every provider's stream, and the wrapper costs most of a chunk's time.
Where the stream inside is the OpenAI client's own (`openai/…`, the embedded model, any
compatible server) it is read directly: the same text, errors and usage, several times
as fast. All other providers need the wrapper, which knows their dialects.
"""

# ruff: noqa: ANN401 -- streams and chunks differ by provider and share no type

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

_CUT: Final = ("ReadError", "RemoteProtocolError")


@dataclass(slots=True)
class Reading:
    """What was learned on the way, besides the text."""

    finish_reason: str | None = None
    usage: Any = None
    """What the provider reported, as it reported it; None if it did not."""

    def pieces(self, stream: Any) -> AsyncIterator[str]:
        """Iterate over the text of LiteLLM's `stream`; pieces may be empty."""
        inner = getattr(stream, "completion_stream", None)
        return self._direct(inner) if _is_plain(inner) else self._wrapped(stream)

    async def _direct(self, inner: Any) -> AsyncIterator[str]:
        try:
            async for chunk in inner:
                self.usage = getattr(chunk, "usage", None) or self.usage
                if chunk.choices:
                    choice = chunk.choices[0]
                    self.finish_reason = choice.finish_reason or self.finish_reason
                    yield _text_of(choice)
        except Exception as error:
            # Some servers hang up without a goodbye after all is said.
            if type(error).__name__ not in _CUT or self.finish_reason is None:
                raise

    async def _wrapped(self, stream: Any) -> AsyncIterator[str]:
        async for chunk in stream:
            yield _text_of(chunk.choices[0]) if chunk.choices else ""
        self.finish_reason = stream.received_finish_reason
        # The usage that the wrapper yields may be LiteLLM's own count; what the
        # provider reported stands in the chunks it kept.
        for chunk in stream.chunks:
            self.usage = getattr(chunk, "usage", None) or self.usage


def _is_plain(inner: object) -> bool:
    kind = type(inner)
    return kind.__name__ == "AsyncStream" and kind.__module__.startswith("openai")


def _text_of(choice: Any) -> str:
    content = choice.delta.content if choice.delta is not None else None
    return content if isinstance(content, str) else ""
