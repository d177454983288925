"""The same server over TCP and WebSocket: on loopback, for who has the token."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

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
    editor.folder = folder
    run_id = await editor.start_run()
    await editor.generate(run_id, "say-far", streamToken="far")
    assert editor.progress("far")[-1]["status"] == "complete"
    run = await editor.choose(run_id)
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


@pytest.mark.rule("session-5", "session-t3")
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
