"""Serve over TCP and WebSocket, on loopback only and only with the token.

The process serves all clients that connect and ends with the last of them.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import json
import logging
import os
import re
import secrets
import socket
import sys
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from lsprotocol import types

from writeit.lsp.framing import (
    MAX_MESSAGE_BYTES,
    FramingError,
    content_length,
    handle_message,
    handle_messages,
    read_message,
)
from writeit.lsp.server import configure_logging, create_server

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from websockets.asyncio.server import ServerConnection
    from websockets.http11 import Request

    from writeit.lsp.server import WriteItServer
    from writeit.ports.system import Ports

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "WRITEIT_TOKEN"  # noqa: S105 -- the name of the variable, not a token


EXIT_USAGE = 2
MAX_PORT = 65_535
MIN_TOKEN_CHARACTERS = 16
MAX_FIRST_MESSAGE_BYTES = 64 * 1024
"""What a client may send before it has sent the token."""
ENTRANCE_SECONDS = 5
"""How long a client may take until it has sent the token."""
MAX_FIRST_HEADERS = 4
MAX_STRANGERS = 64
"""How many clients may be connected that have not sent the token."""


class NotLoopbackError(ValueError):
    """The address can be reached from the network."""


class _WrongTokenError(Exception):
    """The first message is not `initialize` with the token."""


def get_or_create_token() -> str:
    """Return the token clients must send: WRITEIT_TOKEN, else a new one on stderr.

    Child processes do not get it.

    Raises:
        ValueError: WRITEIT_TOKEN is too short.
    """
    if token := os.environ.pop(TOKEN_VARIABLE, ""):
        if len(token) < MIN_TOKEN_CHARACTERS:
            raise ValueError(
                f"{TOKEN_VARIABLE} has fewer than {MIN_TOKEN_CHARACTERS} characters."
                " Use a longer one, or leave it out: a new one is then printed."
            )
        return token
    token = secrets.token_urlsafe(24)
    sys.stderr.write(f"{token}\n")
    sys.stderr.flush()
    return token


def resolve_loopback_address(address: str) -> tuple[str, int]:
    """Return the IP address and port of HOST:PORT, to be bound as they are.

    Raises:
        NotLoopbackError: it can be reached from the network.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not (port.isascii() and port.isdigit()) or int(port) > MAX_PORT:
        raise NotLoopbackError(f"{address!r} is not HOST:PORT")
    found = socket.getaddrinfo(
        host, int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    names = [str(info[4][0]) for info in found]
    if not all(ipaddress.ip_address(name).is_loopback for name in names):
        raise NotLoopbackError(
            f"{host} can be reached from the network. Use 127.0.0.1 or [::1]."
        )
    return min(names, key=lambda name: ":" in name), int(port)  # IPv4 if there is one


def is_loopback_host(host: str) -> bool:
    """Return whether HOST or HOST:PORT of a header names this machine."""
    if re.search(r"[^\w.:\[\]-]", host):  # a user, a path, a space
        return False
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_initialize_with_token(body: bytes, token: str, *, required: bool = True) -> bool:
    """Return whether a message is `initialize` and, if required, has the token."""
    try:
        message = json.loads(body)
        if message["jsonrpc"] != "2.0" or message["method"] != types.INITIALIZE:
            return False
        return not required or is_same_token(
            message["params"]["initializationOptions"]["writeit"]["token"], token
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return False


def serve_clients(
    transport: type[TcpTransport | WebSocketTransport],
    create_ports: Callable[[object], Ports],
    address: str,
) -> int:
    """Serve until the last client disconnects; return the exit code."""
    configure_logging()
    try:
        host, port = resolve_loopback_address(address)
        token = get_or_create_token()
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    return asyncio.run(transport(create_ports, token).serve(host, port))


class _EditorConnections:
    """The connected clients; the process ends with the last that had the token."""

    def __init__(self, create_ports: Callable[[object], Ports], token: str) -> None:
        self._create_ports = create_ports
        self._token = token
        self.open_count = 0
        self._stranger_count = 0
        self._all_disconnected = asyncio.Event()

    async def _admit(
        self,
        read: Callable[[], Awaitable[bytes | None]],
        *,
        token_required: bool = True,
    ) -> bytes:
        """Return a client's first message, which is `initialize` with the token.

        Raises:
            _WrongTokenError: it is anything else, or too late.
        """
        if self._stranger_count >= MAX_STRANGERS:
            raise _WrongTokenError
        self._stranger_count += 1
        try:
            body = await asyncio.wait_for(read(), ENTRANCE_SECONDS)
        except (TimeoutError, ValueError, EOFError) as error:
            raise _WrongTokenError from error
        finally:
            self._stranger_count -= 1
        if body is None or not is_initialize_with_token(
            body, self._token, required=token_required
        ):
            raise _WrongTokenError
        return body

    async def _serve_messages(
        self,
        server: WriteItServer,
        first: bytes,
        read: Callable[[], Awaitable[bytes | None]],
    ) -> None:
        """Handle a client's messages until it disconnects."""
        self.open_count += 1
        try:
            handle_message(first, server)
            await handle_messages(read, server)
        except (ConnectionError, SystemExit) as error:
            logger.debug("a client disconnected: %r", error)
        except FramingError as error:
            sys.stderr.write(f"A client was disconnected: {error}\n")
        finally:
            await server.close()
            server.thread_pool.shutdown(wait=False)
            self.open_count -= 1
            if not self.open_count:
                self._all_disconnected.set()


class _FairReader:
    """A reader of messages that lets each begin before the next one is read.

    Else a change that arrives in the same packet moves the text under a range.
    """

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def readline(self) -> bytes:
        """Read a line of a header."""
        await asyncio.sleep(0)
        try:
            return await self._reader.readline()
        except ValueError as error:  # the limit of the reader
            raise FramingError("A header line is too long.") from error

    async def readexactly(self, n: int) -> bytes:
        """Read a message."""
        return await self._reader.readexactly(n)


async def _read_first_message(reader: asyncio.StreamReader) -> bytes | None:
    """Return a stranger's first message; None if its header is not of a message."""
    length = None
    for _ in range(MAX_FIRST_HEADERS):
        line = await reader.readline()
        name = line.partition(b":")[0].strip().lower()
        if not line.strip():
            break
        if name not in {b"content-length", b"content-type"}:
            return None
        length = content_length(line) or length
    if length is None or length > MAX_FIRST_MESSAGE_BYTES:
        return None
    return await reader.readexactly(length)


class TcpTransport(_EditorConnections):  # noqa: D101 -- its method says it
    async def serve(self, host: str, port: int) -> int:
        """Serve over TCP."""
        listening = await asyncio.start_server(
            self._serve_editor, host, port, limit=MAX_FIRST_MESSAGE_BYTES
        )
        _print_address(listening.sockets[0].getsockname())
        async with listening:
            await self._all_disconnected.wait()
        return 0

    async def _serve_editor(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        try:
            first = await self._admit(partial(_read_first_message, reader))
        except (_WrongTokenError, ConnectionError):
            writer.transport.abort()
            return
        server = create_server(self._create_ports)
        server.protocol.set_writer(writer)
        read = partial(read_message, _FairReader(reader))
        await self._serve_messages(server, first, read)
        writer.close()


class WebSocketTransport(_EditorConnections):  # noqa: D101 -- as above
    async def serve(self, host: str, port: int) -> int:
        """Serve over WebSocket."""
        from websockets.asyncio.server import ServerConnection, serve  # noqa: PLC0415 -- only for this

        clients = self

        class SilentConnection(ServerConnection):
            """A connection whose handshake is not refused with a word."""

            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                super().connection_made(transport)
                strangers = len(self.server.handler_tasks) - clients.open_count
                if strangers > MAX_STRANGERS:
                    self.transport.abort()

            def send_data(self) -> None:
                if self.protocol.handshake_exc is not None:
                    self.transport.abort()
                else:
                    super().send_data()

        logging.getLogger("websockets").setLevel(logging.CRITICAL)
        async with serve(
            self._serve_editor,
            host,
            port,
            create_connection=SilentConnection,
            process_request=self._check_request,
            max_size=MAX_FIRST_MESSAGE_BYTES,
            open_timeout=ENTRANCE_SECONDS,
        ) as listening:
            _print_address(next(iter(listening.sockets)).getsockname())
            await self._all_disconnected.wait()
        return 0

    def _check_request(self, _: ServerConnection, request: Request) -> None:
        """Refuse a foreign web page and a client with a wrong token.

        Raises:
            ValueError, LookupError: a header is foreign, no address or there twice.
        """
        origin = request.headers.get("Origin")
        token = self._header_token(request)
        if (
            not is_loopback_host(request.headers.get("Host", ""))
            or (origin is not None and not is_loopback_host(urlsplit(origin).netloc))
            or (token is not None and not is_same_token(token, self._token))
        ):
            raise ValueError

    @staticmethod
    def _header_token(request: Request) -> str | None:
        header = request.headers.get("Authorization")
        return None if header is None else header.removeprefix("Bearer ")

    async def _serve_editor(self, websocket: ServerConnection) -> None:
        from pygls.io_ import WebSocketWriter  # noqa: PLC0415 -- as above
        from websockets.exceptions import ConnectionClosed  # noqa: PLC0415 -- as above

        async def read() -> bytes | None:
            await asyncio.sleep(0)  # as `_FairReader`
            try:
                return await websocket.recv(decode=False)
            except ConnectionClosed:
                return None

        request = websocket.request
        has_token = request is not None and self._header_token(request) is not None
        try:
            first = await self._admit(read, token_required=not has_token)
        except _WrongTokenError:
            websocket.transport.abort()
            return
        websocket.protocol.max_message_size = MAX_MESSAGE_BYTES
        server = create_server(self._create_ports)
        server.websocket_id = str(websocket.id)
        server.protocol.set_writer(WebSocketWriter(websocket), include_headers=False)
        await self._serve_messages(server, first, read)
        await websocket.close()


def is_same_token(candidate: str, token: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(candidate.encode(), token.encode())


def _print_address(address: tuple[str, int]) -> None:
    """Print the address: with port 0 the system chooses the port."""
    sys.stderr.write(f"listening on {address[0]}:{address[1]}\n")
    sys.stderr.flush()
