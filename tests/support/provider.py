"""A language model provider on loopback that does what the model's name says.

It speaks the OpenAI chat completions protocol (streamed), and as much of Ollama's as
the model host uses. Tests point `OPENAI_BASE_URL` at `base_url` and ask for
`openai/NAME`:

    echo               answers `Echo: ` and the prompt, word by word
    say-TEXT           answers TEXT (see model_words.py)
    amend-OLD-NEW      answers the passage of the prompt, with NEW instead of OLD
    fast-N             N words as fast as they go
    slow-N             N words, 20 ms apart
    paced-R-N          N words, R a second
    held-N[-NAME]      N words, then nothing until the test says `let_go(MODEL)`
    length-N           N words, then finish_reason `length`
    nousage-N          N words, no usage
    usage-JSON         two words, and this usage (see model_words.py)
    nofinish-N         N words, no finish_reason
    bad-N              N words, then a line that is not JSON
    errin-N            N words, then an error object in the stream
    cut-N              N words, then the line is cut
    filter[-N]         N words (none), then finish_reason `content_filter`
    empty              an answer without any text
    blank              an answer of white space
    same-N             the same word N times
    utf8               multi-byte characters, split between TCP writes
    surrogate          an emoji, its two escapes in two chunks
    err-CODE           an HTTP error; err-CODE-N and err-CODE-dateN add Retry-After
    flaky-K            HTTP 500 K times, then five words
    recovers-K-CODE    HTTP CODE K times, then five words; -N, -dateN as with err
    drip-N             N words, 0.4 s apart, each in single bytes
    huge-N             N million characters
    hang               reads the request and never answers
    hang-after-headers headers, then nothing
    malformed          HTTP 200 whose stream is not JSON
    badtype            HTTP 200 with a page of HTML
    notutf8            HTTP 200 whose stream is not UTF-8

Any other name answers as `echo` does. Every request is kept in `calls`; tests wait on
their events instead of sleeping. Run as a script it prints its port. With
`PROVIDER_LATE_FIRST=1` in the environment, the first of several calls ends last: a test
that takes an answer's place in `aiResponses` for its number then fails.
"""

from __future__ import annotations

import asyncio
import contextlib
import email.utils
import json
import os
import re
import ssl
import sys
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from support.model_words import unescape

UTF8_TEXT = "Grüße, 世界! 🦊 naïve façade — ελληνικά; 👩‍👩‍👧‍👦 done."
SURROGATE_TEXT = "A fox: 🦊."
PROMPT_TOKENS = 9
JSON = "application/json"
_LINES = re.DOTALL | re.MULTILINE


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


class Provider:
    """The server; use `running()` to start one."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.listed: list[dict[str, Any]] | None = [
            {"id": name, "object": "model", "owned_by": "provider"}
            for name in ("gpt-4o", "gpt-4o-mini")
        ]
        """What `/v1/models` says; None: there is no such path."""
        self.lists_sent = 0
        """How often that was asked for; it is no call."""
        self.ollama_models: list[str] = []
        self.ollama_windows: dict[str, int] = {}
        """By model: what `/api/show` says; nothing about others."""
        self.busiest = 0
        """Most calls for answers that were open at a time."""
        self.port = 0
        self._answering: set[int] = set()
        self._arrived = asyncio.Condition()
        self._failures: dict[str, int] = {}
        self._gates: defaultdict[str, asyncio.Event] = defaultdict(asyncio.Event)
        self._open: set[asyncio.Task[None]] = set()

    @property
    def root(self) -> str:
        """The address without a path; Ollama's base."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What `OPENAI_BASE_URL` is set to."""
        return f"{self.root}/v1"

    async def call(self, model: str, *, nth: int = 0, within: float = 60) -> Call:
        """Wait until the `nth` request for `model` has arrived and return it."""

        def of_model() -> list[Call]:
            return [
                call
                for call in self.calls
                if call.model == model and call.path != "/api/show"
            ]

        async with asyncio.timeout(within), self._arrived:
            await self._arrived.wait_for(lambda: len(of_model()) > nth)
        return of_model()[nth]

    def let_go(self, *models: str) -> None:
        """Let answers end that are held, and those to come."""
        for model in models:
            self._gates[model.removeprefix("openai/")].set()

    async def start(
        self, port: int = 0, tls: ssl.SSLContext | None = None
    ) -> asyncio.Server:
        """Listen on loopback."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", port, ssl=tls)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def stop(self, server: asyncio.Server) -> None:
        """Hang up on everybody."""
        server.close()
        for task in list(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            await self._serve(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up; `disconnected` says so where it matters
        except asyncio.CancelledError:
            pass  # `stop`; asyncio's streams log a cancelled handler as an error
        finally:
            self._open.discard(task)
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()

    async def _serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        call = await read_request(reader)
        if call.path == "/v1/models" and self.listed is not None:
            self.lists_sent += 1
            await Reply(call, writer).whole(200, {"data": self.listed})
            return
        async with self._arrived:
            self.calls.append(call)
            self._arrived.notify_all()
        reply = Reply(call, writer)
        self.busiest = max(self.busiest, len(self._open))
        answering = asyncio.ensure_future(self._answer(call, reply))
        hangup = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answering, hangup}, return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
                call.finished.set()
        finally:
            if not answering.done() or answering.cancelled() or answering.exception():
                call.disconnected_at = time.monotonic()
                call.disconnected.set()
            await stop_all(answering, hangup)

    async def _answer(self, call: Call, reply: Reply) -> None:
        if call.path == "/api/tags":
            models = [{"name": name} for name in self.ollama_models]
            await reply.whole(200, {"models": models})
        elif call.path == "/api/show":
            await self._show(call.model, reply)
        elif call.path == "/api/chat":
            await ollama_chat(reply)
        elif call.path == "/v1/chat/completions":
            kind, _, argument = call.model.partition("-")
            if kind == "held":
                await some(reply, argument.partition("-")[0])
                await self._gates[call.model].wait()
                await reply.end()
                return
            if kind in {"flaky", "recovers"}:
                kind, argument = self._flaky(call.model, argument)
            await self._late(call)
            await BEHAVIOURS.get(kind, echo)(reply, argument)
        else:
            await reply.whole(404, {"error": {"message": "no such path"}})

    async def _late(self, call: Call) -> None:
        """Delay the first of several calls, if that is asked for."""
        first = not self._answering
        self._answering.add(id(call))
        if first and os.environ.get("PROVIDER_LATE_FIRST"):
            await asyncio.sleep(0.5)
        self._answering.discard(id(call))

    async def _show(self, model: str, reply: Reply) -> None:
        window = self.ollama_windows.get(model)
        if window is None:
            await reply.whole(404, {"error": "no such model"})
            return
        info = {"general.architecture": "fox", "fox.context_length": window}
        await reply.whole(200, {"model_info": info})

    def _flaky(self, model: str, argument: str) -> tuple[str, str]:
        times, _, error = argument.partition("-")
        self._failures[model] = self._failures.get(model, 0) + 1
        if self._failures[model] <= int(times):
            return "err", error or "500"
        return "fast", "5"


@contextlib.asynccontextmanager
async def running(
    port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncIterator[Provider]:
    """Run a provider for as long as the context is open."""
    provider = Provider()
    server = await provider.start(port, tls)
    try:
        yield provider
    finally:
        await provider.stop(server)


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


# --- What the names mean ------------------------------------------------------------


async def echo(reply: Reply, argument: str) -> None:
    """Answer with the prompt."""
    del argument
    await stream(reply, pieces_of(f"Echo: {reply.call.prompt}"))


async def say(reply: Reply, argument: str) -> None:
    """Answer what the name says."""
    await stream(reply, pieces_of(unescape(argument)))


async def amend(reply: Reply, argument: str) -> None:
    """Answer with the passage of the prompt, corrected as a copy editor would."""
    old, _, new = argument.partition("-")
    found = re.search(r"^<(passage[-\d]*)>\n(.*?)\n</\1>$", reply.call.prompt, _LINES)
    passage = re.sub(r"\r\n?", "\n", found[2] if found else "")
    for word, other in ((old, new), (old.capitalize(), new.capitalize())):
        passage = passage.replace(word, other)
    await stream(reply, pieces_of(passage))


async def stream(reply: Reply, pieces: Iterable[str]) -> None:
    """Stream `pieces` and end well."""
    await reply.head()
    for piece in pieces:
        await reply.word(piece)
    await reply.end()


async def fast(reply: Reply, argument: str) -> None:
    """N words, twenty to a write."""
    await reply.head()
    pieces = words(int(argument))
    for start in range(0, len(pieces), 20):
        batch = pieces[start : start + 20]
        reply.writer.writelines(
            framed(reply.event({"content": piece})) for piece in batch
        )
        reply.counted(len(batch))
        await reply.writer.drain()
    await reply.end()


async def slow(reply: Reply, argument: str) -> None:
    """N words, 20 ms apart."""
    await reply.head()
    for piece in words(int(argument)):
        await reply.word(piece)
        await asyncio.sleep(0.02)
    await reply.end()


async def paced(reply: Reply, argument: str) -> None:
    """N words, R a second; a word that is late does not delay the next."""
    rate, _, count = argument.partition("-")
    await reply.head()
    began = time.monotonic()
    for number, piece in enumerate(words(int(count)), 1):
        await reply.word(piece)
        await asyncio.sleep(max(0.0, began + number / int(rate) - time.monotonic()))
    await reply.end()


async def drip(reply: Reply, argument: str) -> None:
    """N words, slowly and byte by byte."""
    await reply.head()
    for piece in words(int(argument)):
        for byte in reply.event({"content": piece}):
            await reply.chunk(bytes([byte]))
        reply.counted()
        await asyncio.sleep(0.4)
    await reply.end()


async def huge(reply: Reply, argument: str) -> None:
    """N million characters, 50,000 a delta."""
    await reply.head()
    data = framed(reply.event({"content": "0123456789" * 5_000}))
    for _ in range(int(argument) * 20):
        await reply.raw(data)
        reply.counted()
    await reply.end()


async def length(reply: Reply, argument: str) -> None:
    """N words, then the limit."""
    await some(reply, argument)
    await reply.end("length")


async def nousage(reply: Reply, argument: str) -> None:
    """N words and no usage."""
    await some(reply, argument)
    await reply.end(usage=False)


async def usage(reply: Reply, argument: str) -> None:
    """Two words, and the usage that the escaped JSON says."""
    await some(reply, "2")
    counts = json.loads(unescape(argument))
    await reply.end(counts=counts)


async def nofinish(reply: Reply, argument: str) -> None:
    """N words and no reason to finish."""
    await some(reply, argument)
    await reply.end(None)


async def some(reply: Reply, argument: str) -> None:
    """N words without an end."""
    await reply.head()
    for piece in words(int(argument or 0)):
        await reply.word(piece)


async def bad(reply: Reply, argument: str) -> None:
    """N words, then nonsense."""
    await some(reply, argument)
    await reply.chunk(b'data: {"choices": [{"delta": {"con\n\n')
    await reply.end()


async def errin(reply: Reply, argument: str) -> None:
    """N words, then an error in the stream."""
    await some(reply, argument)
    error = {"message": "the engine is overloaded", "type": "server_error"}
    await reply.chunk(sse({"error": error}))
    await reply.end()


async def cut(reply: Reply, argument: str) -> None:
    """N words, then a cut."""
    await some(reply, argument)
    await asyncio.sleep(0.05)  # let the words arrive: a reset would overtake them
    reply.writer.transport.abort()


async def content_filter(reply: Reply, argument: str) -> None:
    """N words, then the content filter."""
    await some(reply, argument)
    await reply.end("content_filter")


async def empty(reply: Reply, argument: str) -> None:
    """Nothing at all."""
    await some(reply, argument)
    await reply.end()


async def blank(reply: Reply, argument: str) -> None:
    """White space only."""
    del argument
    await stream(reply, ["\n", " \n"])


async def same(reply: Reply, argument: str) -> None:
    """One word again and again."""
    await stream(reply, ["again "] * int(argument))


async def utf8(reply: Reply, argument: str) -> None:
    """Multi-byte characters cut in two between writes."""
    del argument
    await reply.head()
    for start in range(0, len(UTF8_TEXT), 3):
        data = reply.event({"content": UTF8_TEXT[start : start + 3]})
        for at in range(0, len(data), 7):
            await reply.chunk(data[at : at + 7])
            await asyncio.sleep(0)
        reply.counted()
    await reply.end()


async def surrogate(reply: Reply, argument: str) -> None:
    """An emoji whose two escapes come in two chunks."""
    del argument
    await reply.head()
    template = reply.event({"content": "@"})
    for piece in (rb"A fox: \ud83e", rb"\udd8a", rb"."):
        await reply.chunk(template.replace(b"@", piece))
        reply.counted()
    await reply.end()


async def err(reply: Reply, argument: str) -> None:
    """An HTTP error that repeats the key it was given, as some providers do."""
    code, _, after = argument.partition("-")
    if after.startswith("date"):
        moment = time.time() + float(after.removeprefix("date"))
        after = email.utils.formatdate(moment, usegmt=True)
    key = reply.call.headers.get("authorization", "").removeprefix("Bearer ")
    error = {"message": f"boom for {key}", "type": "x", "code": "c"}
    headers = [f"retry-after: {after}"] if after else []
    await reply.whole(int(code), {"error": error}, headers)


async def hang(reply: Reply, argument: str) -> None:
    """Never answer, or never after the headers."""
    if argument == "after-headers":
        await reply.head()
    await asyncio.Event().wait()


async def malformed(reply: Reply, argument: str) -> None:
    """A stream that is not JSON."""
    del argument
    await reply.head()
    await reply.chunk(b"data: {this is not JSON}\n\n")
    await reply.end()


async def badtype(reply: Reply, argument: str) -> None:
    """A page where a stream was expected."""
    del argument
    page = b"<html><body>Welcome to the hotel's network</body></html>"
    await reply.head(200, [f"content-length: {len(page)}"], "text/html")
    await reply.raw(page)


async def notutf8(reply: Reply, argument: str) -> None:
    """A stream that is not UTF-8."""
    del argument
    await reply.head()
    await reply.chunk(reply.event({"content": "@"}).replace(b"@", b"\xff\xfe\x80"))
    await reply.end()


async def ollama_chat(reply: Reply) -> None:
    """Answer as Ollama does: a JSON object a line."""
    await reply.head(content_type="application/x-ndjson")
    pieces = words(3)
    for piece in pieces:
        message = {"role": "assistant", "content": piece}
        line = {"model": reply.call.model, "message": message, "done": False}
        await reply.chunk(json.dumps(line).encode() + b"\n")
        reply.counted()
    last = {
        "model": reply.call.model,
        "message": {"role": "assistant", "content": ""},
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": PROMPT_TOKENS,
        "eval_count": len(pieces),
    }
    await reply.raw(framed(json.dumps(last).encode() + b"\n") + b"0\r\n\r\n")


BEHAVIOURS: dict[str, Callable[[Reply, str], Awaitable[None]]] = {
    "badtype": badtype,
    "bad": bad,
    "blank": blank,
    "cut": cut,
    "drip": drip,
    "echo": echo,
    "empty": empty,
    "err": err,
    "errin": errin,
    "fast": fast,
    "filter": content_filter,
    "hang": hang,
    "huge": huge,
    "length": length,
    "malformed": malformed,
    "nofinish": nofinish,
    "notutf8": notutf8,
    "nousage": nousage,
    "usage": usage,
    "paced": paced,
    "same": same,
    "say": say,
    "amend": amend,
    "slow": slow,
    "surrogate": surrogate,
    "utf8": utf8,
}


async def main(port: int) -> None:
    """Print the port and serve until killed."""
    async with running(port) as provider:
        sys.stdout.write(f"{provider.port}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 0))
