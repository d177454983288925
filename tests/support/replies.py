"""Requests and replies of the provider: HTTP, server-sent events, OpenAI's shapes."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

PROMPT_TOKENS = 9
JSON = "application/json"


@dataclass
class Call:
    """One request as the provider saw it."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    sent: int = 0
    """Chunks of text written so far."""
    first_sent_at: float | None = None
    """`time.monotonic()` of the first one."""
    started: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the first chunk is written."""
    finished: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once the provider wrote all it had to."""
    disconnected: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the client hung up before that."""
    disconnected_at: float | None = None

    @property
    def model(self) -> str:
        """The model's name as it arrived."""
        return str(self.body.get("model", ""))

    @property
    def prompt(self) -> str:
        """The content of the last message."""
        return str(self.body["messages"][-1]["content"])


async def stop_all(*tasks: asyncio.Future[Any]) -> None:
    """Cancel tasks and wait for their end."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def read_request(reader: asyncio.StreamReader) -> Call:
    """Read one HTTP request."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip()
        for name, _, value in (line.partition(":") for line in head[1:] if line)
    }
    raw = await reader.readexactly(int(headers.get("content-length", 0)))
    body = json.loads(raw) if raw else {}
    return Call(path=head[0].split()[1], headers=headers, body=body)


class Reply:
    """Writes the answer to one request."""

    def __init__(self, call: Call, writer: asyncio.StreamWriter) -> None:
        self.call = call
        self.writer = writer
        self.wants_usage = bool(
            (call.body.get("stream_options") or {}).get("include_usage")
        )

    async def whole(
        self, status: int, body: object, headers: Iterable[str] = ()
    ) -> None:
        """Answer with one JSON body."""
        raw = json.dumps(body).encode()
        await self.head(status, [*headers, f"content-length: {len(raw)}"], JSON)
        await self.raw(raw)

    async def head(
        self,
        status: int = 200,
        headers: Iterable[str] = ("transfer-encoding: chunked",),
        content_type: str = "text/event-stream",
    ) -> None:
        """Write the status line and headers."""
        lines = [
            f"HTTP/1.1 {status} X",
            f"content-type: {content_type}",
            "connection: close",
            *headers,
        ]
        await self.raw("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        self.writer.write(data)
        await self.writer.drain()

    async def chunk(self, data: bytes) -> None:
        """Write one piece of a chunked body."""
        await self.raw(framed(data))

    async def word(self, text: str) -> None:
        """Stream one delta."""
        await self.chunk(self.event({"content": text}))
        self.counted()

    def counted(self, count: int = 1) -> None:
        """Note that deltas were written."""
        self.call.sent += count
        if self.call.first_sent_at is None:
            self.call.first_sent_at = time.monotonic()
            self.call.started.set()

    def event(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        """Build one server-sent event."""
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return sse({**self._base(), "choices": [choice]})

    async def end(
        self,
        finish: str | None = "stop",
        *,
        usage: bool = True,
        counts: object = None,
    ) -> None:
        """Stream what ends an answer: finish_reason, usage, [DONE]."""
        if finish is not None:
            await self.chunk(self.event({}, finish))
        if usage and self.wants_usage:
            counts = counts or {
                "prompt_tokens": PROMPT_TOKENS,
                "completion_tokens": self.call.sent,
                "total_tokens": PROMPT_TOKENS + self.call.sent,
            }
            await self.chunk(sse({**self._base(), "choices": [], "usage": counts}))
        await self.raw(framed(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    def _base(self) -> dict[str, Any]:
        return {
            "id": "chatcmpl-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": self.call.model,
        }


def sse(data: object) -> bytes:
    """Build a server-sent event."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode() + b"\n\n"


def framed(data: bytes) -> bytes:
    """Frame one piece of a chunked body."""
    return b"%x\r\n%s\r\n" % (len(data), data)


def words(count: int) -> list[str]:
    """The words that counted answers are made of."""
    return [f"word{number} " for number in range(count)]


def pieces_of(text: str) -> list[str]:
    """Cut a text into words, each with the white space in front of it."""
    return re.findall(r"\s*\S+|\s+", text)
