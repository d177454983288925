"""How the server begins and ends, whoever ends it."""

import asyncio
import json
import os
import signal
import sys
from pathlib import Path
from uuid import UUID

import psutil

from support.editor import Editor, Json, serving
from support.store_failures import wait_until_stored
from support.waiting import TIMEOUT
from writeit.domain.run import PipelineStatus
from writeit.lsp.command_ids import COMMAND_IDS
from writeit.lsp.commands import HANDLERS
from writeit.storage.store import LmdbStore

OURS_BEFORE_INITIALIZE = {
    "writeit",
    "writeit.__main__",
    "writeit.app",
    "writeit.lsp",
    "writeit.lsp.server",
    "writeit.lsp.command_ids",
    "writeit.lsp.framing",
    "writeit.lsp.pygls_fixes",
}
FOREIGN_BEFORE_INITIALIZE = {
    *("pygls", "lsprotocol", "attr", "attrs", "cattrs", "typing_extensions"),
    *("annotationlib", "org"),  # looked for by cattrs and pickle, not there
}
"""pygls and what it needs; nothing else may make an editor wait."""


async def imported_before_initialize(folder: Path) -> set[str]:
    """Names of all modules a real server has imported when `initialize` is answered."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "importtime", "-m", "writeit", "serve"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        limit=2**26,
    )
    assert process.stdin
    assert process.stdout
    assert process.stderr
    params: Json = {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}}
    request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    body = json.dumps(request).encode()
    process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    log = asyncio.create_task(process.stderr.read())
    await process.stdout.readline()
    process.kill()
    await process.wait()
    lines = (await log).decode().splitlines()
    names = (line.rpartition("|")[2] for line in lines if "|" in line)
    return {name.strip() for name in names} - {"imported package"}


async def test_little_is_imported_before_initialize_is_answered(tmp_path: Path) -> None:
    """Pygls and our names; pydantic, jinja2, lmdb and LiteLLM come later."""
    modules = await imported_before_initialize(tmp_path)
    ours = {name for name in modules if name.split(".")[0] == "writeit"}
    assert ours <= OURS_BEFORE_INITIALIZE
    foreign = {name.split(".")[0] for name in modules} - {"writeit", ""}
    allowed = FOREIGN_BEFORE_INITIALIZE | set(sys.stdlib_module_names)
    # What .pth files of this environment import is not the server's doing.
    unexpected = {
        name for name in foreign - allowed if not name.startswith(("_", "sitecustom"))
    }
    assert unexpected == set()


async def test_the_commands_announced_are_the_commands_there_are(
    one_editor: Editor,
) -> None:
    """Names, handlers and what initialize says are one list."""
    announced = one_editor.initialized["capabilities"]["executeCommandProvider"]
    assert announced["commands"] == list(COMMAND_IDS)
    assert set(COMMAND_IDS) == set(HANDLERS)
    assert one_editor.initialized["serverInfo"]["name"] == "writeit"


async def test_exit_without_shutdown_is_an_error(
    workspace: Path, environment: dict[str, str]
) -> None:
    """The exit code is 1, as LSP wants it."""
    async with serving([workspace], environment=environment) as editor:
        editor.notify("exit", None)
        assert await asyncio.wait_for(editor.process.wait(), TIMEOUT) == 1


async def test_an_editor_that_goes_away_loses_nothing(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Stdin closes in mid-stream: what came is kept, every child is gone."""
    async with serving([workspace], environment=environment) as editor:
        run_id, *_ = await editor.streaming("slow-6000", "gone")
        children = psutil.Process(editor.process.pid).children(recursive=True)
        assert editor.process.stdin
        editor.process.stdin.close()
        await asyncio.wait_for(editor.process.wait(), TIMEOUT)
        seen = "".join(
            v["text"] for v in editor.progress("gone") if v["kind"] == "delta"
        )
    _, alive = psutil.wait_procs(children, timeout=TIMEOUT)
    assert alive == []
    async with serving([workspace], environment=environment) as editor:
        run = await editor.show(run_id)
        assert run["status"] == "PAUSED"
        (answer,) = run["steps"]["angles"]["aiResponses"]
        assert answer["partial"]
        assert answer["rawOutput"].startswith(seen)


async def test_an_editor_that_hangs_up_as_it_ends_leaves_its_run_paused(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Emacs sends SIGHUP to the server's group, the host must not end of it."""
    async with serving([workspace], environment=environment) as editor:
        run_id, *_ = await editor.streaming("slow-6000", "hung up")
        os.killpg(editor.process.pid, signal.SIGHUP)
        await editor.command("writeit.step.preview", runId=run_id)  # asks the host
        assert (await editor.show(run_id))["status"] == "RUNNING"
        assert editor.process.stdin
        editor.process.stdin.close()
        assert await asyncio.wait_for(editor.process.wait(), TIMEOUT) == 1
    store = LmdbStore.open(workspace / ".writeit" / "store")
    stored = store.get_run(UUID(run_id))
    store.close()
    assert stored
    assert stored.run.status is PipelineStatus.PAUSED


async def test_a_killed_server_leaves_no_children(
    workspace: Path, environment: dict[str, str]
) -> None:
    """SIGKILL gives no time to tidy up; the model host sees its stdin close."""
    async with serving([workspace], environment=environment) as editor:
        await editor.streaming("slow-6000", "killed")
        children = psutil.Process(editor.process.pid).children(recursive=True)
        assert children
        os.kill(editor.process.pid, signal.SIGKILL)
        _, alive = psutil.wait_procs(children, timeout=TIMEOUT)
        assert alive == []


async def test_a_run_whose_owner_was_killed_is_found_paused(
    workspace: Path, environment: dict[str, str]
) -> None:
    """What was journaled is a partial answer, and the run goes on from there."""
    async with serving([workspace], environment=environment) as editor:
        run_id, *_ = await editor.streaming("slow-6000", "owner")
        seen = editor.progress("owner")[1]["text"]
        await wait_until_stored(workspace, run_id, seen)
        os.kill(editor.process.pid, signal.SIGKILL)
        await editor.process.wait()
    async with serving([workspace], environment=environment) as editor:
        run = await editor.show(run_id)
        assert run["status"] == "PAUSED"
        (answer,) = run["steps"]["angles"]["aiResponses"]
        assert answer["partial"]
        assert answer["rawOutput"].startswith(seen)
        run = await editor.choose(run_id)
        assert run["status"] == "RUNNING"
