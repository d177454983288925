"""The HTTP client of the model host, and what is seen of a call below its parser."""

from __future__ import annotations

import asyncio
import codecs
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from math import inf
from typing import Any, Final

import certifi
import httpx

from writeit.llm.provider_messages import ProviderFailure

CONNECT_SECONDS: Final = 30.0
"""How long a connection may take; how long an answer may is decided elsewhere."""
_MAX_FAILURE_BYTES: Final = 100_000
_MAX_LINE_CHARACTERS: Final = 8_000_000
_END_SECONDS: Final = 0.2
"""How long a connection may stay open after an answer to be used again."""
_ENDING: Final = re.compile(
    rb'"(stop_reason|finishReason|blockReason)"\s*:\s*"([A-Za-z_]+)"'
)
"""A provider's own word for why an answer ended; never part of a text in JSON."""
_ENDING_BYTES: Final = 100


@dataclass(slots=True)
class Monitor:
    """What is seen of a call's connection, whichever library reads it."""

    on_bytes: Callable[[], None]
    failure: ProviderFailure | None = None
    ending: str | None = None
    """The provider's own word for the end, if it sent one."""
    is_blocked: bool = False
    """Whether that word is about the prompt."""
    _tail: bytes = field(default=b"", init=False)

    def hear(self, data: bytes) -> None:
        """Take note of bytes."""
        seen = self._tail + data
        for found in _ENDING.finditer(seen):
            self.ending = found[2].decode()
            self.is_blocked = found[1] == b"blockReason"
        self._tail = seen[-_ENDING_BYTES:]
        self.on_bytes()


MONITOR: Final[ContextVar[Monitor | None]] = ContextVar("monitor", default=None)


class _HeardStream(httpx.AsyncByteStream):
    """The body of a response; of an error its beginning."""

    def __init__(self, response: httpx.Response, monitor: Monitor) -> None:
        assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 -- an async client's
        self._stream = response.stream
        self._monitor = monitor
        self._left = _MAX_FAILURE_BYTES if response.is_error else inf

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            self._monitor.hear(data)
            yield data
            self._left -= len(data)
            if self._left < 0:
                return

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _watch(response: httpx.Response) -> None:
    """Let the monitor of the call hear its response, and keep an error's body."""
    if (monitor := MONITOR.get()) is None:
        return
    monitor.on_bytes()
    response.stream = _HeardStream(response, monitor)
    if response.is_error:
        monitor.failure = await read_failure(response)


async def read_failure(response: httpx.Response) -> ProviderFailure:
    """Return the failure that a response of status 400 and up tells."""
    text = (await response.aread())[:_MAX_FAILURE_BYTES].decode(errors="replace")
    body: object = text
    with suppress(ValueError):  # a page, or plain text
        body = json.loads(text)
    return ProviderFailure(response.status_code, body, dict(response.headers))


@cache
def tls_context() -> ssl.SSLContext:
    """Trust the system's authorities, such as a company's own, and the usual ones.

    `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the system's.
    """
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


@cache
def http_client(scheme: str) -> httpx.AsyncClient:
    """Return the client for a scheme; loading authorities takes a while."""
    return httpx.AsyncClient(
        verify=False if scheme == "http" else tls_context(),  # plain text
        timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),
        event_hooks={"response": [_watch]},
        headers={
            "user-agent": "writeit",
            # A compressed stream arrives late, and its end cannot be heard.
            "accept-encoding": "identity",
        },
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=20),
    )


@asynccontextmanager
async def open_response(
    url: str, body: Mapping[str, Any], headers: Mapping[str, str]
) -> AsyncIterator[httpx.Response]:
    """Send a request and yield its response, whose body is read as it arrives.

    Raises:
        ProviderFailure: it answered with an error.
        httpx.HTTPError: there is no connection.
    """
    client = http_client(httpx.URL(url).scheme)
    content = json.dumps(body).encode()
    sent = {"content-type": "application/json", **headers}
    async with client.stream("POST", url, content=content, headers=sent) as response:
        if response.is_error:
            raise await read_failure(response)
        yield response


async def read_lines(response: httpx.Response) -> AsyncIterator[str]:
    """Yield the lines of a stream as they arrive, and an empty one at its end.

    Raises:
        ValueError: it is not UTF-8, or a line is too long.
    """
    decode = codecs.getincrementaldecoder("utf-8-sig")().decode
    rest = ""
    async for data in response.aiter_bytes():
        first, *lines = decode(data).split("\n")
        rest += first
        for line in lines:
            yield rest.removesuffix("\r")
            rest = line
        if len(rest) > _MAX_LINE_CHARACTERS:
            raise json.JSONDecodeError("a line is too long", "", 0)
    yield rest + decode(b"", True)  # noqa: FBT003 -- the decoder's own argument
    yield ""


async def read_events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON objects of server-sent events up to `[DONE]`, or the only one.

    Some servers send one object in place of events; the content type may be wrong.

    Raises:
        ValueError: one is not JSON.
    """
    data: list[str] = []
    is_error = False
    lines = read_lines(response)
    async for line in lines:
        name, _, value = line.partition(":")
        if name == "data":
            data.append(value.removeprefix(" "))
        elif name == "event":
            is_error = value.strip() == "error"
        elif line and (line[0] in "{<" or data) and name not in {"", "id", "retry"}:
            data.append(line)
        elif not line and data:
            text, data = "\n".join(data), []
            if text.strip() == "[DONE]":
                break
            event = parse_object(text)
            yield {"error": event, **event} if is_error else event
    with suppress(TimeoutError, ValueError):
        async with asyncio.timeout(_END_SECONDS):
            async for _ in lines:
                pass


def parse_object(text: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ValueError: it is none.
    """
    value: object = None
    with suppress(ValueError, RecursionError):
        value = json.loads(text)
    if not isinstance(value, dict):
        raise json.JSONDecodeError("not an object", text[:80], 0)
    return value
