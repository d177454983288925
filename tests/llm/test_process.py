"""Lines, messages and the writer of the host's messages."""

# ruff: noqa: D103 -- the names of the tests describe them

import asyncio
import os
import select

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.waiting import TIMEOUT
from writeit.domain.errors import ModelError, NotFound, WriteItError
from writeit.llm.host import MessageWriter
from writeit.llm.process import (
    HostMessage,
    LineSplitter,
    decode_message,
    encode_message,
    error_from_fields,
    error_message,
)
from writeit.ports.models import AnswerStream, TextDelta

any_text = st.text(st.characters(exclude_categories=[]))
"""Also lone surrogates."""


@given(st.lists(any_text), st.data())
def test_messages_can_be_split_anywhere(texts: list[str], data: st.DataObject) -> None:
    sent = [{"type": "delta", "id": n, "text": text} for n, text in enumerate(texts)]
    stream = b"".join(encode_message(message) for message in sent)
    lines, received = LineSplitter(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        received += [decode_message(line) for line in lines.feed(stream[:size])]
        stream = stream[size:]
    assert received == sent


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_an_invalid_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|not a message|decode"):
        decode_message(line)


@pytest.mark.parametrize(
    "error",
    [
        ModelError("m", reason="rate_limit", hint="h", provider="p", retryAfter=1.5),
        NotFound("m", hint="h"),
    ],
)
def test_errors_are_the_same_after_a_round_trip(error: WriteItError) -> None:
    back = error_from_fields(decode_message(encode_message(error_message(error))))
    assert type(back) is type(error)
    assert back.to_json() == error.to_json()


async def test_deltas_are_joined_while_the_pipe_is_full() -> None:
    reading, writing = os.pipe()
    disconnected = asyncio.Event()
    outbox = MessageWriter(on_disconnect=disconnected.set)
    pipe = os.fdopen(writing, "wb", buffering=0)
    await outbox.connect(pipe)
    big = "x" * 200_000
    outbox.send({"type": "delta", "id": 1, "text": big})  # more than a pipe holds
    for number in range(1000):
        for call_id in (1, 2):
            outbox.send({"type": "delta", "id": call_id, "text": f"{number} "})
    outbox.send({"type": "done", "id": 1})
    outbox.send({"type": "delta", "id": 2, "text": "end"})
    received = await asyncio.to_thread(read_until, reading, 'end"')
    os.close(reading)
    await asyncio.wait_for(disconnected.wait(), TIMEOUT)
    texts = {n: "".join(m["text"] for m in received if is_delta(m, n)) for n in (1, 2)}
    counted = "".join(f"{number} " for number in range(1000))
    assert texts == {1: big + counted, 2: counted + "end"}
    assert len(received) < 10


def is_delta(message: HostMessage, call_id: int) -> bool:
    return bool(message["type"] == "delta" and message["id"] == call_id)


def read_until(descriptor: int, mark: str) -> list[HostMessage]:
    lines, received = LineSplitter(), list[bytes]()
    while not any(mark in line.decode() for line in received):
        assert select.select([descriptor], [], [], TIMEOUT)[0], "no more data"
        received += lines.feed(os.read(descriptor, 1 << 16))
    return [decode_message(line) for line in received]


async def test_unread_deltas_are_one_item() -> None:
    answer = AnswerStream()
    for piece in ("a", "", "b", "c"):
        answer.add_text(piece)
    answer.finish(ModelError("cut", reason="unavailable"))
    answer.add_text("too late")
    assert await anext(answer) == TextDelta("abc")
