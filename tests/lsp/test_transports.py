"""The same server over TCP and WebSocket: on loopback, for who has the token."""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from support.editor import Editor, capabilities
from support.transports import (
    TOKEN,
    Bridge,
    as_process,
    close_connection,
    listening,
    over_tcp,
)
from support.waiting import TIMEOUT
from writeit.lsp.transports import NotLoopbackError, parse_loopback_address

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="session")


def hello(folder: Path, token: str | None) -> dict[str, Any]:
    """The params of initialize."""
    return {
        "processId": None,
        "rootUri": folder.as_uri(),
        "capabilities": capabilities("neovim"),
        "initializationOptions": {"writeit": {"token": token}},
    }


async def one_run(editor: Editor, folder: Path) -> None:
    """Start a run, ask a model, choose."""
    editor.notify("initialized", {})
    editor.notes = editor.open_document(folder / "notes.md")
    run_id = await editor.start_run()
    await editor.command(
        "writeit.step.run", runId=run_id, models=["openai/say-far"], streamToken="far"
    )
    assert editor.progress("far")[-1]["status"] == "complete"
    run = await editor.command("writeit.step.select", runId=run_id, response=0)
    assert run["currentStep"] == "outline"


async def test_a_run_over_tcp(workspace: Path, environment: dict[str, str]) -> None:
    """The token is shown in initialize; the process ends with its last editor."""
    async with listening("--tcp", environment) as (process, port):
        editor = await over_tcp(port)
        await editor.request("initialize", hello(workspace, TOKEN))
        await one_run(editor, workspace)
        await editor.request("shutdown", None)
        editor.notify("exit", None)
        assert await asyncio.wait_for(process.wait(), TIMEOUT) == 0
        await close_connection(editor)


async def test_a_wrong_token_closes_the_connection(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Whoever cannot show it hears nothing."""
    async with listening("--tcp", environment) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        editor = Editor(as_process(asyncio.StreamReader(), writer))
        editor.ask("initialize", hello(workspace, "guess"))
        assert await asyncio.wait_for(reader.read(), TIMEOUT) == b""
        writer.close()
        await editor.end()


async def test_a_run_over_websocket(
    workspace: Path, environment: dict[str, str]
) -> None:
    """The token is in the header; the session knows its connection."""
    async with listening("--ws", environment) as (process, port):
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with connect(
            f"ws://127.0.0.1:{port}", additional_headers=headers, proxy=None
        ) as socket:
            bridge = Bridge(socket)
            editor = Editor(as_process(bridge.reader, bridge))
            await editor.request("initialize", hello(workspace, None))
            await one_run(editor, workspace)
            session = await editor.command("writeit.session.show")
            assert session["websocketConnectionId"]
            await editor.end()
        await asyncio.wait_for(process.wait(), TIMEOUT)


async def test_a_wrong_header_closes_the_websocket(
    environment: dict[str, str],
) -> None:
    """Nothing is read from who shows the wrong one."""
    async with listening("--ws", environment) as (_, port):
        headers = {"Authorization": "Bearer guess"}
        async with connect(
            f"ws://127.0.0.1:{port}", additional_headers=headers, proxy=None
        ) as socket:
            with pytest.raises(ConnectionClosed):
                await socket.recv()


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "10.1.2.3:80", "here"])
async def test_others_on_the_network_cannot_reach_it(address: str) -> None:
    """TCP and WebSocket bind to loopback."""
    with pytest.raises(NotLoopbackError):
        parse_loopback_address(address)


async def test_a_public_address_is_misuse() -> None:
    """A sentence and exit code 2, no traceback."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "writeit", "serve", "--tcp", "0.0.0.0:0"),
        stderr=asyncio.subprocess.PIPE,
    )
    _, said = await process.communicate()
    assert process.returncode == 2
    assert b"can be reached from the network" in said
    assert b"Traceback" not in said


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
