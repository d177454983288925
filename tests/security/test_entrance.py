"""Only who has the token is heard: the entrance of --tcp and --ws."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from websockets.asyncio.client import connect
from websockets.exceptions import WebSocketException

from support.attacks import command, framed, initialize, run_server
from support.editor import Refused
from support.transports import TOKEN, close_connection, listening, over_tcp
from support.waiting import TIMEOUT
from writeit.lsp.transports import (
    ENTRANCE_SECONDS,
    MAX_FIRST_MESSAGE_BYTES,
    MAX_STRANGERS,
    NotLoopbackError,
    resolve_loopback_address,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tcp_port(environment: dict[str, str]) -> AsyncIterator[int]:
    """The port of a server that all attacks of this file are made against."""
    async with listening("--tcp", environment) as (_, port):
        yield port


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ws_port(environment: dict[str, str]) -> AsyncIterator[int]:
    """As `tcp_port`, for WebSocket."""
    async with listening("--ws", environment) as (_, port):
        yield port


async def heard(port: int, sent: bytes, seconds: float = 2) -> bytes:
    """Send bytes; return what the server says until it closes, in time."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(sent)
        return await asyncio.wait_for(reader.read(), seconds)
    except ConnectionError:
        return b""
    finally:
        writer.close()


KEY = {"provider": "openai", "key": "sk-of-a-stranger-0000000000"}
WEB_PAGE = framed(command("writeit.keys.set", **KEY))
STRANGERS = {
    "a command": WEB_PAGE,
    "a command, then initialize": WEB_PAGE + framed(initialize(TOKEN)),
    "a notification": framed(initialize(TOKEN, "initialized")),
    "no token": framed(initialize(None)),
    "an empty token": framed(initialize("")),
    "a wrong token": framed(initialize("x" * len(TOKEN))),
    "the beginning of the token": framed(initialize(TOKEN[:-1])),
    "a list as token": framed(initialize([TOKEN])),
    "true as token": framed(initialize(True)),  # noqa: FBT003 -- a JSON value
    "half a character": framed(initialize("\ud800" * len(TOKEN))),
    "another version": framed(initialize(TOKEN, jsonrpc="1.0")),
    "no params": framed(initialize(TOKEN, params=None)),
    "a list of messages": framed(b"[" + initialize(TOKEN) + b"]"),
    "not JSON": framed(b"initialize"),
    "not UTF-8": framed(b"\xff\xfe" + initialize(TOKEN)),
    "deep JSON": framed(b"[" * 60_000),
    "an empty message": framed(b"", "Content-Length: 0\r\n\r\n"),
    "a negative length": framed(initialize(TOKEN), "Content-Length: -{}\r\n\r\n"),
    "a long first message": framed(b" " * (MAX_FIRST_MESSAGE_BYTES + 1)),
    "a gigabyte announced": framed(b"", "Content-Length: 1073741824\r\n\r\n"),
    "a line without end": b"Content-Length: " + b"1" * 3 * MAX_FIRST_MESSAGE_BYTES,
    "many headers": b"Content-Type: a\r\n" * 100,
    "POST": b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n" + WEB_PAGE,
    "GET": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
    "OPTIONS": b"OPTIONS * HTTP/1.1\r\n\r\n",
    "post in lower case": b"post / http/1.0\r\n\r\n" + WEB_PAGE,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n",
    "a foreign header": framed(
        initialize(TOKEN), "Host: a\r\nContent-Length: {}\r\n\r\n"
    ),
}


@pytest.mark.parametrize("sent", STRANGERS.values(), ids=STRANGERS.keys())
async def test_a_stranger_is_disconnected_without_a_word(
    tcp_port: int, sent: bytes
) -> None:
    """Whatever comes before `initialize` with the token is not handled."""
    assert await heard(tcp_port, sent) == b""


async def test_a_silent_stranger_is_disconnected_in_time(tcp_port: int) -> None:
    """Half a message does not keep the connection open."""
    half = framed(initialize(TOKEN))[:-1]
    assert await heard(tcp_port, half, ENTRANCE_SECONDS + 2) == b""


async def test_many_silent_strangers_do_not_use_up_connections(tcp_port: int) -> None:
    """Beyond a number, a further one is disconnected at once."""
    waiting = [
        await asyncio.open_connection("127.0.0.1", tcp_port)
        for _ in range(MAX_STRANGERS)
    ]
    assert await heard(tcp_port, b"") == b""
    for _, writer in waiting:
        writer.close()


async def test_after_all_strangers_a_client_with_the_token_is_served(
    tcp_port: int,
) -> None:
    """And no stranger stored a key."""
    editor = await over_tcp(tcp_port)
    await editor.request("initialize", json.loads(initialize(TOKEN))["params"])
    editor.notify("initialized", {})
    await heard(tcp_port, framed(b"{}"))
    with pytest.raises(Refused, match="initialized already"):
        await editor.request("initialize", json.loads(initialize(TOKEN))["params"])
    keys = await editor.command("writeit.keys.list")
    assert KEY["key"] not in json.dumps(keys)
    await close_connection(editor)


HEADERS: dict[str, dict[str, str]] = {
    "a wrong token": {"Authorization": "Bearer guess"},
    "a token of another scheme": {"Authorization": f"Basic {TOKEN}"},
    "an empty token": {"Authorization": ""},
    "a foreign page": {"Origin": "https://example.org"},
    "a foreign page with the token": {
        "Origin": "https://example.org",
        "Authorization": f"Bearer {TOKEN}",
    },
    "a sandboxed page": {"Origin": "null"},
    "a page that is named like this machine": {"Origin": "http://localhost.example"},
    "a page whose user is this machine": {"Origin": "http://127.0.0.1@example.org"},
    "a page of no address": {"Origin": "http://[::1"},
}


@pytest.mark.parametrize("headers", HEADERS.values(), ids=HEADERS.keys())
async def test_a_foreign_websocket_is_disconnected(
    ws_port: int, headers: dict[str, str]
) -> None:
    """Before the handshake, so that a page learns nothing."""
    with pytest.raises((WebSocketException, OSError, EOFError)):
        async with connect(
            f"ws://127.0.0.1:{ws_port}", additional_headers=headers, proxy=None
        ):
            pass


@pytest.mark.parametrize(
    "host",
    [
        *("example.org", "127.0.0.1.example.org", "", "example.org@127.0.0.1"),
        *("localhost/example.org", "127.0.0.1#example.org"),
    ],
)
async def test_a_name_that_was_rebound_to_this_machine_is_disconnected(
    ws_port: int, host: str
) -> None:
    """The Host header must name this machine."""
    request = (
        f"GET / HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        f"Authorization: Bearer {TOKEN}\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    assert await heard(ws_port, request.encode()) == b""


ASKED = (
    "GET / HTTP/1.1\r\nHost: localhost\r\n{}Upgrade: websocket\r\nConnection: Upgrade"
    "\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    "\r\n\r\n"
)
NO_HANDSHAKES = {
    "two hosts": ASKED.format("Host: example.org\r\n"),
    "two origins": ASKED.format("Origin: http://localhost\r\nOrigin: http://a.b\r\n"),
    "two tokens": ASKED.format(f"Authorization: Bearer {TOKEN}\r\n" * 2),
    "POST": ASKED.format("").replace("GET", "POST"),
    "HTTP/1.0": ASKED.format("").replace("1.1", "1.0"),
    "no upgrade": "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no key": ASKED.format("").replace("-Key", "-Kex"),
    "another version": ASKED.format("").replace(": 13", ": 8"),
    "a long header": ASKED.format(f"X: {'a' * 70_000}\r\n"),
    "many headers": ASKED.format("X: a\r\n" * 500),
}


@pytest.mark.parametrize("sent", NO_HANDSHAKES.values(), ids=NO_HANDSHAKES.keys())
async def test_what_is_no_handshake_is_not_answered(ws_port: int, sent: str) -> None:
    """Not even with the words of the library for HTTP."""
    assert await heard(ws_port, sent.encode()) == b""


async def test_half_handshakes_do_not_use_up_connections(ws_port: int) -> None:
    """Who has not shown the token counts before the handshake ends, too."""
    waiting = [
        await asyncio.open_connection("127.0.0.1", ws_port)
        for _ in range(2 * MAX_STRANGERS)
    ]
    for reader, _ in waiting[MAX_STRANGERS:]:
        with contextlib.suppress(ConnectionError):
            assert await asyncio.wait_for(reader.read(), 2) == b""
    for _, writer in waiting:
        writer.close()


FIRST_FRAMES = {
    "a command": command("writeit.keys.set", **KEY),
    "a wrong token": initialize("guess"),
    "a list of messages": b"[" + initialize(TOKEN) + b"]",
    "a long message": b" " * (MAX_FIRST_MESSAGE_BYTES + 1),
    "a bomb of white space": b" " * 50_000_000,
    "deep JSON": b"[" * 60_000,
}


@pytest.mark.parametrize("body", FIRST_FRAMES.values(), ids=FIRST_FRAMES.keys())
async def test_a_stranger_on_a_websocket_is_disconnected(
    ws_port: int, body: bytes
) -> None:
    """As over TCP; a compressed message counts as what it becomes."""
    async with connect(f"ws://127.0.0.1:{ws_port}", proxy=None) as socket:
        await socket.send(body)
        with pytest.raises((WebSocketException, OSError)):
            await asyncio.wait_for(socket.recv(), 2)


async def test_the_right_header_alone_runs_no_command(ws_port: int) -> None:
    """The first message is `initialize` there too."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    url = f"ws://127.0.0.1:{ws_port}"
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        await socket.send(command("writeit.keys.set", **KEY))
        with pytest.raises((WebSocketException, OSError)):
            await asyncio.wait_for(socket.recv(), TIMEOUT)


async def test_a_page_of_this_machine_with_the_token_is_served(ws_port: int) -> None:
    """An editor in a browser has an Origin, too."""
    headers = {"Origin": "http://localhost:3000"}
    url = f"ws://127.0.0.1:{ws_port}"
    async with connect(url, additional_headers=headers, proxy=None) as socket:
        await socket.send(initialize(TOKEN).decode())
        reply = json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT))
        assert reply["result"]["serverInfo"]["name"] == "writeit"
        await socket.send(" " * (2 * MAX_FIRST_MESSAGE_BYTES))  # it may be long now
        await socket.send(command("writeit.unknown").decode())
        reply = json.loads(await asyncio.wait_for(socket.recv(), TIMEOUT))
        assert reply["error"]["code"]


PUBLIC = (
    *("0.0.0.0:0", "[::]:0", "10.1.2.3:80", "here", "*:0", "0:0", "[::ffff:0.0.0.0]:0"),
    *("127.0.0.1:99999", "127.0.0.1:", "127.0.0.1:-1", "127.0.0.1:\u0661"),
)


@pytest.mark.parametrize("address", PUBLIC)
async def test_an_address_that_others_can_reach_is_refused(address: str) -> None:
    """TCP and WebSocket bind to loopback."""
    with pytest.raises((NotLoopbackError, OSError)):
        resolve_loopback_address(address)


async def test_a_name_is_resolved_once() -> None:
    """What is bound is the address that was checked."""
    assert resolve_loopback_address("localhost:4000") in {
        ("127.0.0.1", 4000),
        ("::1", 4000),
    }


REFUSED_STARTS = {
    "a public address": (["--tcp", "0.0.0.0:0"], TOKEN, b"from the network"),
    "every address": (["--tcp", "*:0"], TOKEN, b""),
    "a short token": (["--tcp", "127.0.0.1:0"], "x" * 15, b"16 characters"),
    "a short token on --ws": (["--ws", "127.0.0.1:0"], "1", b"16 characters"),
}


@pytest.mark.parametrize(
    ("arguments", "token", "said"), REFUSED_STARTS.values(), ids=REFUSED_STARTS.keys()
)
async def test_a_start_that_others_could_use_is_misuse(
    arguments: list[str], token: str, said: bytes, environment: dict[str, str]
) -> None:
    """A sentence and exit code 2, no traceback."""
    ended = run_server(arguments, {**environment, "WRITEIT_TOKEN": token})
    assert ended.returncode == 2
    assert said in ended.stderr
    assert b"Traceback" not in ended.stderr


async def test_without_a_token_in_the_environment_one_is_made(
    environment: dict[str, str],
) -> None:
    """It is the first line on stderr."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "writeit", "serve", "--tcp", "127.0.0.1:0"),
        env={**os.environ, **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stderr is not None
    token = (await process.stderr.readline()).decode().strip()
    second = (await process.stderr.readline()).decode()
    process.kill()
    await process.wait()
    assert len(token) >= 32
    assert second.startswith("listening on 127.0.0.1:")
