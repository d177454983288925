"""Serving over TCP and WebSocket: on loopback only, and only to who has the token.

The process serves as many editors as connect and ends with the last of them.
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
from typing import TYPE_CHECKING

from pygls.io_ import run_async, run_websocket

from writeit.lsp.server import build, quiet_logging

if TYPE_CHECKING:
    from collections.abc import Callable

    from websockets.asyncio.server import ServerConnection

    from writeit.lsp.server import WriteItServer
    from writeit.ports import World

logger = logging.getLogger(__name__)

TOKEN_VARIABLE = "WRITEIT_TOKEN"  # noqa: S105 -- the name of the variable, not a token


class NotLoopback(ValueError):
    """The address is one that others on the network could reach."""


def token_to_ask_for() -> str:
    """Return the token clients must show: WRITEIT_TOKEN, else a new one on stderr."""
    if given := os.environ.get(TOKEN_VARIABLE):
        return given
    made = secrets.token_urlsafe(24)
    sys.stderr.write(f"{made}\n")
    sys.stderr.flush()
    return made


def loopback(address: str) -> tuple[str, int]:
    """Split HOST:PORT.

    Raises:
        NotLoopback: it is no address of this machine alone.
    """
    host, _, port = address.rpartition(":")
    host = host.strip("[]") or "127.0.0.1"
    if not port.isdigit():
        raise NotLoopback(f"{address!r} is not HOST:PORT")
    names = {info[4][0] for info in socket.getaddrinfo(host, int(port))}
    if not all(ipaddress.ip_address(name).is_loopback for name in names):
        raise NotLoopback(
            f"{host} can be reached by others; WriteIt serves on 127.0.0.1 or [::1]"
        )
    return host, int(port)


def serve_tcp(world: Callable[[object], World], address: str) -> int:
    """Serve over TCP until the last editor has left; return the exit code."""
    return _serve(_Tcp, world, address)


def serve_ws(world: Callable[[object], World], address: str) -> int:
    """Serve over WebSocket until the last editor has left; return the exit code."""
    return _serve(_WebSockets, world, address)


MISUSED = 2


def _serve(
    kind: type[_Tcp | _WebSockets], world: Callable[[object], World], address: str
) -> int:
    quiet_logging()
    try:
        host, port = loopback(address)
    except (NotLoopback, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return MISUSED
    return asyncio.run(kind(world, token_to_ask_for()).serve(host, port))


class _Guests:
    """Editors that are connected; the process ends with the last."""

    def __init__(self, world: Callable[[object], World], token: str) -> None:
        self._world = world
        self._token = token
        self._here = 0
        self._all_gone = asyncio.Event()

    def _host(self, *, trusted: bool) -> WriteItServer:
        """Make a server for one editor, which shows its token unless it has already."""
        self._here += 1
        server = build(self._world)
        if not trusted:
            server.protocol.token = self._token
        return server

    async def _leave(self, server: WriteItServer) -> None:
        await server.close()
        server.thread_pool.shutdown(wait=False)
        self._here -= 1
        if not self._here:
            self._all_gone.set()


class _Tcp(_Guests):
    async def serve(self, host: str, port: int) -> int:
        listening = await asyncio.start_server(self._connected, host, port)
        _announce(listening.sockets[0].getsockname())
        async with listening:
            await self._all_gone.wait()
        return 0

    async def _connected(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        server = self._host(trusted=False)
        server.protocol.set_writer(writer)
        try:
            await run_async(
                stop_event=Event(),
                reader=reader,
                protocol=server.protocol,
                logger=logger,
                error_handler=server.report_server_error,
            )
        except (ConnectionError, SystemExit) as left:
            logger.debug("an editor left: %r", left)
        finally:
            await self._leave(server)
            writer.close()


class _WebSockets(_Guests):
    async def serve(self, host: str, port: int) -> int:
        from websockets.asyncio.server import serve  # noqa: PLC0415 -- only for this

        async with serve(self._connected, host, port) as listening:
            _announce(next(iter(listening.sockets)).getsockname())
            await self._all_gone.wait()
        return 0

    async def _connected(self, websocket: ServerConnection) -> None:
        request = websocket.request
        shown = request.headers.get("Authorization", "") if request else ""
        trusted = matches(shown.removeprefix("Bearer "), self._token)
        if shown and not trusted:
            await websocket.close(1008, "wrong token")
            return
        server = self._host(trusted=trusted)
        server.websocket_id = str(websocket.id)
        try:
            await run_websocket(
                stop_event=Event(),
                websocket=websocket,
                protocol=server.protocol,
                logger=logger,
                error_handler=server.report_server_error,
            )
        except SystemExit as left:
            logger.debug("an editor left: %r", left)
        finally:
            await self._leave(server)
            await websocket.close()


def matches(shown: str, token: str) -> bool:
    """Compare in a time that says nothing about the token."""
    return hmac.compare_digest(shown.encode(), token.encode())


def _announce(address: tuple[str, int]) -> None:
    """Say where we listen: port 0 lets the system choose."""
    sys.stderr.write(f"listening on {address[0]}:{address[1]}\n")
    sys.stderr.flush()
