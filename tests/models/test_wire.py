"""Lines, messages and the host's way out."""

# ruff: noqa: D103 -- the name of a test is its promise

from __future__ import annotations

import asyncio
import os
import select
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.waiting import PATIENCE
from writeit.core.errors import ModelError, NotFound
from writeit.models.answer import Answer
from writeit.models.outbox import Outbox
from writeit.models.surrogates import Surrogates
from writeit.models.wire import Lines, decode, encode, error_message, error_of
from writeit.ports import TextDelta

if TYPE_CHECKING:
    from writeit.core.errors import WriteItError
    from writeit.models.wire import Message

any_text = st.text(st.characters(exclude_categories=[]))
"""Surrogate halves included."""


@given(st.lists(any_text), st.data())
def test_messages_survive_any_cut_of_the_stream(
    texts: list[str], data: st.DataObject
) -> None:
    sent = [{"type": "delta", "id": n, "text": text} for n, text in enumerate(texts)]
    stream = b"".join(encode(message) for message in sent)
    lines, got = Lines(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        got += [decode(line) for line in lines.feed(stream[:size])]
        stream = stream[size:]
    assert got == sent


@pytest.mark.parametrize("line", [b"", b"{", b"[]", b"{}", b"\xff"])
def test_what_is_no_message_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"Expecting|not a message|decode"):
        decode(line)


@pytest.mark.parametrize(
    "error",
    [
        ModelError("m", reason="rate_limit", hint="h", provider="p", retryAfter=1.5),
        NotFound("m", hint="h"),
    ],
)
def test_errors_cross_the_wire(error: WriteItError) -> None:
    back = error_of(decode(encode(error_message(error))))
    assert type(back) is type(error)
    assert back.as_data() == error.as_data()


@given(st.text(), st.lists(st.integers(0, 200)))
def test_characters_whose_halves_come_apart_are_mended(
    text: str, cuts: list[int]
) -> None:
    halves = text.encode("utf-16-le")
    places = sorted({2 * cut for cut in cuts if 2 * cut < len(halves)})
    mender, whole = Surrogates(), ""
    for start, end in zip([0, *places], [*places, len(halves)], strict=True):
        whole += mender.feed(halves[start:end].decode("utf-16-le", "surrogatepass"))
    assert whole + mender.end() == text


def test_a_half_that_stays_alone_becomes_a_replacement_character() -> None:
    mender = Surrogates()
    assert mender.feed("a\udd8a") + mender.feed("b\ud83e") == "a\ufffdb"
    assert mender.end() == "\ufffd"


async def test_messages_wait_joined_while_the_pipe_is_full() -> None:
    reading, writing = os.pipe()
    lost = asyncio.Event()
    outbox = Outbox(on_lost=lost.set)
    pipe = os.fdopen(writing, "wb", buffering=0)
    await outbox.open(pipe)
    big = "x" * 200_000
    outbox.say({"type": "delta", "id": 1, "text": big})  # more than a pipe holds
    for number in range(1000):
        for call_id in (1, 2):
            outbox.say({"type": "delta", "id": call_id, "text": f"{number} "})
    outbox.say({"type": "done", "id": 1})
    outbox.say({"type": "delta", "id": 2, "text": "end"})
    got = await asyncio.to_thread(read_until, reading, 'end"')
    os.close(reading)
    await asyncio.wait_for(lost.wait(), PATIENCE)
    texts = {n: "".join(m["text"] for m in got if is_delta(m, n)) for n in (1, 2)}
    counted = "".join(f"{number} " for number in range(1000))
    assert texts == {1: big + counted, 2: counted + "end"}
    assert len(got) < 10


def is_delta(message: Message, call_id: int) -> bool:
    return bool(message["type"] == "delta" and message["id"] == call_id)


def read_until(descriptor: int, mark: str) -> list[Message]:
    lines, got = Lines(), list[bytes]()
    while not any(mark in line.decode() for line in got):
        assert select.select([descriptor], [], [], PATIENCE)[0], "nothing more comes"
        got += lines.feed(os.read(descriptor, 1 << 16))
    return [decode(line) for line in got]


async def test_deltas_nobody_took_yet_are_one_item() -> None:
    answer = Answer()
    for piece in ("a", "", "b", "c"):
        answer.text(piece)
    answer.end(ModelError("cut", reason="unavailable"))
    answer.text("too late")
    assert await anext(answer) == TextDelta("abc")
