"""Messages on a stream of bytes: their headers, their size, their errors."""

from __future__ import annotations

import json
import logging
import re
from asyncio import IncompleteReadError
from typing import TYPE_CHECKING, Any, Protocol

from pygls.exceptions import JsonRpcException, JsonRpcInvalidParams

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from pygls.lsp.server import LanguageServer

MAX_HEADER_BYTES = 8 * 1024
"""The longest line of a header; a longer one ends the connection."""
MAX_MESSAGE_BYTES = 256 * 1024 * 1024
"""A longer message ends the connection."""
INVALID_MESSAGE = "The request is not as LSP defines it."

# At the end of a line: after a bad header, what is read as lines is a message's body,
# and the next header follows it without a line break.
_CONTENT_LENGTH = re.compile(
    rb"(?:^|[^\w-])content-length[ \t]*:[ \t]*(\d{1,12})[ \t]*\r?\n", re.IGNORECASE
)

logger = logging.getLogger(__name__)


class FramingError(Exception):
    """What was received is no message and cannot be skipped."""


class ByteReader(Protocol):
    """A stream of bytes."""

    def readline(self) -> Awaitable[bytes]:
        """Return the next line; at the end of the stream what is left."""
        ...

    def readexactly(self, n: int) -> Awaitable[bytes]:
        """Return the next `n` bytes; fewer, or an error, at the end of the stream."""
        ...


def content_length(line: bytes) -> int | None:
    """Return the number of bytes that a header line announces; None if it does not."""
    match = _CONTENT_LENGTH.search(line)
    return int(match[1]) if match else None


async def read_message(reader: ByteReader) -> bytes | None:
    """Return the next message, None at the end of the stream.

    A header without a length is skipped, with a line in the log.

    Raises:
        FramingError: the message or a line of its header is too long.
    """
    length: int | None = None
    while line := await reader.readline():
        if len(line) >= MAX_HEADER_BYTES and not line.endswith(b"\n"):
            raise FramingError(f"A header line is over {MAX_HEADER_BYTES:,} bytes.")
        announced = content_length(line)
        length = announced if announced is not None else length
        if line.strip():
            continue
        if length:
            return await _read_body(reader, length)
        logger.warning("Skipped a message: its header has no Content-Length.")
        length = None
    return None


async def _read_body(reader: ByteReader, length: int) -> bytes | None:
    if length > MAX_MESSAGE_BYTES:
        raise FramingError(
            f"A message has {length:,} bytes; the limit is {MAX_MESSAGE_BYTES:,}."
        )
    try:
        body = await reader.readexactly(length)
    except IncompleteReadError:
        return None
    if len(body) < length:
        logger.warning("The last message ended after %d bytes.", len(body))
        return None
    return body


async def handle_messages(
    read: Callable[[], Awaitable[bytes | None]], server: LanguageServer
) -> None:
    """Handle one message after the other until there is none."""
    while (body := await read()) is not None:
        handle_message(body, server)


def handle_message(body: bytes, server: LanguageServer) -> None:
    """Start to handle a message; one that is not JSON-RPC is reported.

    A request that cannot be understood is answered, too: its client waits.
    """
    protocol = server.protocol
    data: Any = None
    message: Any = None
    try:
        data = json.loads(body)
        match data:
            case {"params": {"textDocument": {"uri": str(uri)}}}:
                uri.encode()  # no file has half a character in its name
        # Not as an object hook: an object in the params may look like a message.
        message = protocol.structure_message(data)
        protocol.handle_message(message)
    except Exception as error:  # noqa: BLE001 -- anything may arrive; the next may be right
        server.report_server_error(error, JsonRpcException)
        is_request = isinstance(data, dict) and "method" in data and message is None
        if is_request and isinstance(data.get("id"), int | str):
            refusal = JsonRpcInvalidParams(INVALID_MESSAGE).to_response_error()
            protocol._send_response(data["id"], error=refusal)  # noqa: SLF001 -- pygls has no other way
