"""Serve over TCP and WebSocket, on loopback only and only with the token.

The process serves all clients that connect and ends with the last of them.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import os
import secrets
import socket
import sys
from threading import Event
from typing import TYPE_CHECKING, Any

from pygls.io_ import run_async, run_websocket

from writeit.lsp.server import configure_logging, create_server

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.server import ServerConnection

    from writeit.lsp.server import WriteItServer
    from writeit.ports.system import Ports

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "WRITEIT_TOKEN"  # noqa: S105 -- the name of the variable, not a token


class NotLoopbackError(ValueError):
    """The address can be reached from the network."""


def get_or_create_token() -> str:
    """Return the token clients must send: WRITEIT_TOKEN, else a new one on stderr."""
    if token := os.environ.get(TOKEN_VARIABLE):
        return token
    token = secrets.token_urlsafe(24)
    sys.stderr.write(f"{token}\n")
    sys.stderr.flush()
    return token


def parse_loopback_address(address: str) -> tuple[str, int]:
    """Split HOST:PORT.

    Raises:
        NotLoopbackError: it can be reached from the network.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdigit():
        raise NotLoopbackError(f"{address!r} is not HOST:PORT")
    names = {info[4][0] for info in socket.getaddrinfo(host, int(port))}
    if not all(ipaddress.ip_address(name).is_loopback for name in names):
        raise NotLoopbackError(
            f"{host} can be reached from the network. Use 127.0.0.1 or [::1]."
        )
    return host, int(port)


def serve_tcp(create_ports: Callable[[object], Ports], address: str) -> int:
    """Serve over TCP until the last client disconnects; return the exit code."""
    return _serve_transport(_TcpTransport, create_ports, address)


def serve_websocket(create_ports: Callable[[object], Ports], address: str) -> int:
    """Serve over WebSocket until the last client disconnects; return the exit code."""
    return _serve_transport(_WebSocketTransport, create_ports, address)


EXIT_USAGE = 2


def _serve_transport(
    transport: type[_TcpTransport | _WebSocketTransport],
    create_ports: Callable[[object], Ports],
    address: str,
) -> int:
    configure_logging()
    try:
        host, port = parse_loopback_address(address)
    except (NotLoopbackError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_USAGE
    return asyncio.run(transport(create_ports, get_or_create_token()).serve(host, port))


class _EditorConnections:
    """The connected clients; the process ends with the last."""

    def __init__(self, create_ports: Callable[[object], Ports], token: str) -> None:
        self._create_ports = create_ports
        self._token = token
        self._open_count = 0
        self._all_disconnected = asyncio.Event()

    def _create_editor_server(self, *, is_trusted: bool) -> WriteItServer:
        """Make a server for one client, which must send its token unless it has."""
        self._open_count += 1
        server = create_server(self._create_ports)
        if not is_trusted:
            server.protocol.required_token = self._token
        return server

    async def _disconnect(self, server: WriteItServer) -> None:
        await server.close()
        server.thread_pool.shutdown(wait=False)
        self._open_count -= 1
        if not self._open_count:
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
        return await self._reader.readline()

    async def readexactly(self, n: int) -> bytes:
        """Read a message."""
        return await self._reader.readexactly(n)


class _TcpTransport(_EditorConnections):
    async def serve(self, host: str, port: int) -> int:
        listening = await asyncio.start_server(self._serve_editor, host, port)
        _print_address(listening.sockets[0].getsockname())
        async with listening:
            await self._all_disconnected.wait()
        return 0

    async def _serve_editor(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        server = self._create_editor_server(is_trusted=False)
        server.protocol.set_writer(writer)
        try:
            await run_async(
                stop_event=Event(),
                reader=_FairReader(reader),
                protocol=server.protocol,
                logger=logger,
                error_handler=server.report_server_error,
            )
        except (ConnectionError, SystemExit) as error:
            logger.debug("a client disconnected: %r", error)
        finally:
            await self._disconnect(server)
            writer.close()


class _WebSocketTransport(_EditorConnections):
    async def serve(self, host: str, port: int) -> int:
        from websockets.asyncio.server import ServerConnection, serve  # noqa: PLC0415 -- only for this

        class FairConnection(ServerConnection):
            """As `_FairReader`."""

            async def recv(self, decode: bool | None = None) -> Any:  # noqa: ANN401 -- as in websockets
                await asyncio.sleep(0)
                return await super().recv(decode)

        async with serve(
            self._serve_editor, host, port, create_connection=FairConnection
        ) as listening:
            _print_address(next(iter(listening.sockets)).getsockname())
            await self._all_disconnected.wait()
        return 0

    async def _serve_editor(self, websocket: ServerConnection) -> None:
        request = websocket.request
        header = request.headers.get("Authorization", "") if request else ""
        is_trusted = is_same_token(header.removeprefix("Bearer "), self._token)
        if header and not is_trusted:
            await websocket.close(1008, "wrong token")
            return
        server = self._create_editor_server(is_trusted=is_trusted)
        server.websocket_id = str(websocket.id)
        try:
            await run_websocket(
                stop_event=Event(),
                websocket=websocket,
                protocol=server.protocol,
                logger=logger,
                error_handler=server.report_server_error,
            )
        except SystemExit as error:
            logger.debug("a client disconnected: %r", error)
        finally:
            await self._disconnect(server)
            await websocket.close()


def is_same_token(candidate: str, token: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(candidate.encode(), token.encode())


def _print_address(address: tuple[str, int]) -> None:
    """Print the address: with port 0 the system chooses the port."""
    sys.stderr.write(f"listening on {address[0]}:{address[1]}\n")
    sys.stderr.flush()
