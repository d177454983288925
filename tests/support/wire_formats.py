"""A server on loopback that replays recordings in the formats of real providers.

A test gives each address a list of replies, one for each request; the last one is
repeated. Builders make the events of OpenAI's chat completions and Responses,
Anthropic, Gemini and Ollama: thoughts first, then the text, then the end. They keep
the limit of tokens that the request names, as the providers do.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from support.replies import stop_all

Body = dict[str, Any]
Piece = bytes | float | ConnectionResetError
"""Bytes to send, seconds to wait, or the end of the connection."""

TEXT = "The river rose in the night. Nobody saw it, and nobody slept."
THOUGHT = "What does the reader know of rivers already? "


@dataclass(frozen=True, kw_only=True)
class Fault:
    """An HTTP error."""

    status: int
    body: object
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Scene:
    """What an answer has: thoughts, text, an end, and pauses."""

    text: str = TEXT
    think: int = 0
    """Tokens of thinking."""
    told: bool = True
    """Whether the thoughts are told."""
    end: str | None = None
    """The provider's word for the end; by default the usual one."""
    silence: tuple[bytes, int, float] | None = None
    """Sent before the text: bytes, how often, and the seconds between."""
    error: object = None
    """Sent in the middle of the text, instead of the rest."""
    usage: Body = field(default_factory=dict)
    """Added to the usage."""
    held: float = 0.0
    """Seconds that the connection stays open after the end, without `[DONE]`."""
    limit: int | None = None
    """Tokens of the request, thoughts included; set by the server."""

    @property
    def thoughts(self) -> list[str]:
        """The pieces of the thoughts that are told."""
        count = min(self.think, self.limit or self.think)
        return [
            THOUGHT.split(" ")[n % 8] + " " for n in range(count if self.told else 0)
        ]

    @property
    def used_thinking(self) -> int:
        """The tokens of thinking that fitted."""
        return min(self.think, self.limit or self.think)

    @property
    def pieces(self) -> list[str]:
        """The pieces of the text that fitted."""
        words = re.findall(r"\S+\s*", self.text)
        if self.error is not None:
            return words[: len(words) // 2]
        if self.limit is None:
            return words
        return words[: max(self.limit - self.used_thinking, 0)]

    @property
    def is_cut(self) -> bool:
        """Whether the limit ended it."""
        return self.error is None and "".join(self.pieces) != self.text

    def waits(self) -> Iterator[Piece]:
        """Yield the pauses before the text."""
        if self.silence is not None:
            data, times, seconds = self.silence
            for _ in range(times):
                yield from (data, seconds) if data else (seconds,)


Reply = Fault | Scene | list[Piece] | Callable[[Body], "Reply"]


DONE = b"data: [DONE]\n\n"


def event(data: object, name: str = "") -> bytes:
    """Build a server-sent event."""
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def chat(scene: Scene, *, key: str = "reasoning_content") -> Iterator[Piece]:
    """OpenAI's chat completions; `key` names the field of thoughts."""

    def chunk(delta: Body, finish: str | None = None, **more: object) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        head = {"id": "c1", "object": "chat.completion.chunk", "created": 1}
        return event({**head, "model": "m", "choices": [choice], **more})

    yield chunk({"role": "assistant", "content": ""})
    yield from scene.waits()
    for piece in scene.thoughts:
        yield chunk({key: piece, "content": None})
    for piece in scene.pieces:
        yield chunk({"content": piece})
    if scene.error is not None:
        yield event(scene.error)
        return
    yield chunk({}, scene.end or ("length" if scene.is_cut else "stop"))
    used = scene.used_thinking + len(scene.pieces)
    counts = {
        "prompt_tokens": 20,
        "completion_tokens": used,
        "total_tokens": 20 + used,
        "completion_tokens_details": {"reasoning_tokens": scene.used_thinking},
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    yield chunk({}, None, choices=[], usage=counts | scene.usage)
    yield DONE


def responses(scene: Scene) -> Iterator[Piece]:
    """OpenAI's Responses."""

    def say(kind: str, **fields: object) -> bytes:
        return event({"type": f"response.{kind}", **fields}, f"response.{kind}")

    yield say("created", response={"id": "r1", "status": "in_progress", "error": None})
    if scene.think:
        yield say("output_item.added", item={"id": "rs", "type": "reasoning"})
    yield from scene.waits()
    for piece in scene.pieces:
        yield say("output_text.delta", delta=piece)
    if scene.error is not None:
        yield say("failed", response={"status": "failed", "error": scene.error})
        return
    used = scene.used_thinking + len(scene.pieces)
    usage = {
        "input_tokens": 20,
        "output_tokens": used,
        "output_tokens_details": {"reasoning_tokens": scene.used_thinking},
    }
    reason = scene.end or "max_output_tokens"
    is_cut = scene.is_cut or scene.end is not None
    response: Body = {"error": None, "usage": usage}
    if is_cut:
        response["incomplete_details"] = {"reason": reason}
    yield say("incomplete" if is_cut else "completed", response=response)


def anthropic(scene: Scene) -> Iterator[Piece]:
    """Anthropic's messages."""

    def say(kind: str, **fields: object) -> bytes:
        return event({"type": kind, **fields}, kind)

    def block(number: int, kind: str, field: str, pieces: list[str]) -> Iterator[Piece]:
        empty = {"type": kind, field: ""}
        yield say("content_block_start", index=number, content_block=empty)
        yield from scene.waits() if number == 0 else ()
        for piece in pieces:
            delta = {"type": f"{kind}_delta", field: piece}
            yield say("content_block_delta", index=number, delta=delta)
        yield say("content_block_stop", index=number)

    usage = {"input_tokens": 20, "output_tokens": 1} | scene.usage
    message: Body = {"id": "m1", "type": "message", "role": "assistant", "content": []}
    message |= {"model": "m", "stop_reason": None, "usage": usage}
    yield say("message_start", message=message)
    if scene.think:
        yield from block(0, "thinking", "thinking", scene.thoughts)
    if scene.pieces:
        yield from block(1 if scene.think else 0, "text", "text", scene.pieces)
    if scene.error is not None:
        yield say("error", error=scene.error)
        return
    used = scene.used_thinking + len(scene.pieces)
    end = scene.end or ("max_tokens" if scene.is_cut else "end_turn")
    yield say(
        "message_delta", delta={"stop_reason": end}, usage={"output_tokens": used}
    )
    yield say("message_stop")


def gemini(scene: Scene) -> Iterator[Piece]:
    """Gemini's streamGenerateContent."""

    def say(parts: list[Body], finish: str | None = None) -> bytes:
        candidate: Body = {"index": 0}
        if parts:
            candidate["content"] = {"role": "model", "parts": parts}
        if finish is not None:
            candidate["finishReason"] = finish
        usage = {
            "promptTokenCount": 20,
            "candidatesTokenCount": len(scene.pieces),
            "thoughtsTokenCount": scene.used_thinking,
            "totalTokenCount": 20 + len(scene.pieces) + scene.used_thinking,
        }
        return event({"candidates": [candidate], "usageMetadata": usage})

    yield from scene.waits()
    if scene.thoughts:
        yield say([{"text": "".join(scene.thoughts), "thought": True}])
    for piece in scene.pieces:
        yield say([{"text": piece}])
    if scene.error is not None:
        yield event(scene.error)
        return
    yield say([], scene.end or ("MAX_TOKENS" if scene.is_cut else "STOP"))


def ollama(scene: Scene) -> Iterator[Piece]:
    """Ollama's chat."""

    def line(data: Body) -> bytes:
        return json.dumps(data).encode() + b"\n"

    def say(**message: str) -> bytes:
        return line({"model": "m", "message": {"role": "assistant", **message}})

    yield from scene.waits()
    for piece in scene.thoughts:
        yield say(content="", thinking=piece)
    for piece in scene.pieces:
        yield say(content=piece)
    if scene.error is not None:
        yield line({"error": scene.error})
        return
    yield line(
        {
            "message": {"role": "assistant", "content": ""},
            "done": True,
            "done_reason": scene.end or ("length" if scene.is_cut else "stop"),
            "prompt_eval_count": 20,
            "eval_count": scene.used_thinking + len(scene.pieces),
        }
    )


def limit_of(body: Body) -> int | None:
    """Return the limit of tokens of a request, in any dialect."""
    places = (
        body,
        body.get("options", {}),
        body.get("generationConfig", {}),
    )
    names = ("max_completion_tokens", "max_tokens", "max_output_tokens", "num_predict")
    for place in places:
        for name in (*names, "maxOutputTokens"):
            if place.get(name) is not None:
                return int(place[name])
    return None


DIALECTS: dict[str, Callable[[Scene], Iterator[Piece]]] = {
    "/chat/completions": chat,
    "/responses": responses,
    "/messages": anthropic,
    "enerateContent": gemini,
    "/api/chat": ollama,
}


class WireServer:
    """The server; requests are kept in `bodies` and `paths`."""

    def __init__(self) -> None:
        self.port = 0
        self.replies: list[Reply] = []
        self.paths: list[str] = []
        self.bodies: list[Body] = []
        self.open: set[asyncio.Task[None]] = set()
        self.shown: Body = {}
        """What `/api/show` answers."""

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def plays(self, *replies: Reply) -> None:
        """Answer the next requests like this, and forget the earlier ones."""
        self.replies = list(replies)
        self.paths.clear()
        self.bodies.clear()

    async def connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Answer requests until the client hangs up."""
        task = asyncio.current_task()
        assert task is not None
        self.open.add(task)
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                path = head.split(" ", 2)[1]
                size = re.search(r"content-length: (\d+)", head, re.IGNORECASE)
                raw = await reader.readexactly(int(size[1]) if size else 0)
                await self._answer(path, json.loads(raw or b"{}"), writer)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the client hung up, or the test is over
        finally:
            self.open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _answer(
        self, path: str, body: Body, writer: asyncio.StreamWriter
    ) -> None:
        if path.endswith("/api/show"):
            await send_fault(writer, Fault(status=200, body=self.shown))
            return
        self.paths.append(path)
        self.bodies.append(body)
        number = min(len(self.bodies), len(self.replies)) - 1
        reply = self.replies[number]
        while not isinstance(reply, Fault | Scene | list):
            reply = reply(body)
        if isinstance(reply, Fault):
            await send_fault(writer, reply)
            return
        if isinstance(reply, Scene):
            build = next(b for end, b in DIALECTS.items() if end in path)
            limited = Scene(**{**reply.__dict__, "limit": limit_of(body)})
            reply = list(build(limited))
            if reply[-1] == DONE and limited.held:
                reply.pop()
            reply.append(limited.held)
        await send_stream(writer, reply)


async def send_fault(writer: asyncio.StreamWriter, fault: Fault) -> None:
    """Send a whole response."""
    page = fault.body if isinstance(fault.body, str) else json.dumps(fault.body)
    kind = "text/html" if isinstance(fault.body, str) else "application/json"
    headers = {"content-type": kind, "content-length": len(page), **fault.headers}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    writer.write(f"HTTP/1.1 {fault.status} X\r\n{lines}\r\n{page}".encode())
    await writer.drain()


async def send_stream(writer: asyncio.StreamWriter, pieces: list[Piece]) -> None:
    """Send a stream, piece by piece."""
    writer.write(
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
        b"transfer-encoding: chunked\r\n\r\n"
    )
    for piece in pieces:
        if isinstance(piece, ConnectionResetError):
            raise piece
        if isinstance(piece, float):
            await asyncio.sleep(piece)
        else:
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
    writer.write(b"0\r\n\r\n")
    await writer.drain()


@asynccontextmanager
async def wire_server() -> AsyncIterator[WireServer]:
    """Run a server for as long as the context is open."""
    made = WireServer()
    server = await asyncio.start_server(made.connected, "127.0.0.1", 0)
    made.port = server.sockets[0].getsockname()[1]
    try:
        yield made
    finally:
        server.close()
        await stop_all(*made.open)
