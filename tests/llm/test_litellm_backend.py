"""Both ways to read a stream have the same result."""

# ruff: noqa: D103 -- the names of the tests describe them

from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest

from writeit.llm.litellm_backend import CompletionReader

ReadError = type("ReadError", (Exception,), {})
USAGE = SimpleNamespace(prompt_tokens=9, completion_tokens=2)


def chunk(
    content: object = None, finish: str | None = None, usage: object = None
) -> SimpleNamespace:
    choice = SimpleNamespace(
        delta=SimpleNamespace(content=content), finish_reason=finish
    )
    return SimpleNamespace(choices=[choice], usage=usage)


CHUNKS = [
    chunk("one "),
    chunk(),
    chunk(["not a string"]),
    SimpleNamespace(choices=[SimpleNamespace(delta=None, finish_reason=None)]),
    chunk("two"),
    chunk(finish="stop"),
    SimpleNamespace(choices=[], usage=USAGE),
]


class Stream:
    """A stream of chunks that may break off."""

    def __init__(self, chunks: list[Any], error: Exception | None = None) -> None:
        self.chunks = chunks
        self.error = error
        self.received_finish_reason = "stop"

    async def __aiter__(self) -> AsyncIterator[Any]:
        """Iterate over the chunks."""
        for chunk in self.chunks:
            yield chunk
        if self.error is not None:
            raise self.error


def plain(chunks: list[Any], error: Exception | None = None) -> SimpleNamespace:
    """A wrapper around the OpenAI client's own stream."""
    kind = type("AsyncStream", (Stream,), {"__module__": "openai"})
    return SimpleNamespace(completion_stream=kind(chunks, error))


@pytest.mark.parametrize("stream", [plain(CHUNKS), Stream(CHUNKS)])
async def test_text_end_and_usage(stream: Any) -> None:
    reading = CompletionReader()
    text = "".join([piece async for piece in reading.iterate_text(stream)])
    assert text == "one two"
    assert reading.finish_reason == "stop"
    assert reading.usage is USAGE


async def test_an_error_after_the_finish_reason_is_ignored() -> None:
    stream = plain([chunk("all"), chunk(finish="stop")], ReadError())
    assert [piece async for piece in CompletionReader().iterate_text(stream)] == [
        "all",
        "",
    ]


@pytest.mark.parametrize("error", [ReadError(), ValueError()])
async def test_an_error_before_the_end_is_raised(error: Exception) -> None:
    with pytest.raises(type(error)):
        _ = [
            piece
            async for piece in CompletionReader().iterate_text(
                plain([chunk("half")], error)
            )
        ]
