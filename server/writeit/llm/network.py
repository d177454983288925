"""The HTTP client of the model host, and what is seen of a call below its parser."""

from __future__ import annotations

import codecs
import json
import re
import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

import certifi
import httpx

from writeit.llm.provider_messages import ProviderFailure

CONNECT_SECONDS: Final = 30.0
"""How long a connection may take; how long an answer may is decided elsewhere."""
_MAX_FAILURE_BYTES: Final = 100_000
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
        self.on_bytes()
        seen = self._tail + data
        for found in _ENDING.finditer(seen):
            self.ending = found[2].decode()
            self.is_blocked = found[1] == b"blockReason"
        self._tail = seen[-_ENDING_BYTES:]


MONITOR: Final[ContextVar[Monitor | None]] = ContextVar("monitor", default=None)


class _HeardStream(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream, monitor: Monitor) -> None:
        self._stream = stream
        self._monitor = monitor

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for data in self._stream:
            self._monitor.hear(data)
            yield data

    async def aclose(self) -> None:
        await self._stream.aclose()


async def _watch(response: httpx.Response) -> None:
    """Let the monitor of the call hear its response, and keep an error's body."""
    if (monitor := MONITOR.get()) is None:
        return
    monitor.on_bytes()
    assert isinstance(response.stream, httpx.AsyncByteStream)  # noqa: S101 -- an async client's
    response.stream = _HeardStream(response.stream, monitor)
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
            # A compressed stream arrives late, and its bytes cannot be read below.
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
    """Yield the lines of a stream as they arrive.

    Raises:
        UnicodeDecodeError: it is not UTF-8.
    """
    decode = codecs.getincrementaldecoder("utf-8")().decode
    rest = ""
    async for data in response.aiter_raw():
        *lines, rest = (rest + decode(data)).split("\n")
        for line in lines:
            yield line.removesuffix("\r")
    if rest + decode(b"", True):  # noqa: FBT003 -- the decoder's own argument
        yield rest


async def read_events(response: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """Yield the JSON objects of server-sent events; `[DONE]` is left out.

    Raises:
        ValueError: one is not JSON.
    """
    data: list[str] = []
    is_error = False
    async for line in read_lines(response):
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif line.startswith("event:"):
            is_error = line[6:].strip() == "error"
        elif not line and data:
            text, data = "\n".join(data), []
            if text != "[DONE]":
                event = parse_object(text)
                yield {"error": event, **event} if is_error else event
    if data and (text := "\n".join(data)) != "[DONE]":
        yield parse_object(text)


def parse_object(text: str) -> dict[str, Any]:
    """Return a JSON object.

    Raises:
        ValueError: it is none.
    """
    value = json.loads(text)
    if not isinstance(value, dict):
        raise json.JSONDecodeError("not an object", text[:80], 0)
    return value
