"""What a folder holds is read and filled in by another process, within limits."""

import asyncio
import os
import pydoc
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from support.attacks import add_pipeline
from support.editor import Editor, serving
from support.waiting import wait_until_async
from writeit import worker
from writeit.domain.errors import WorkStopped
from writeit.library import catalog
from writeit.library.catalog import LibraryCache, read_file, read_library

pytestmark = pytest.mark.asyncio(loop_scope="session")


def workers_of(editor: Editor) -> list[int]:
    """Return the ids of a server's workers."""
    found = []
    for child in psutil.Process(editor.process.pid).children():
        with suppress(psutil.NoSuchProcess):  # it has just ended
            if child.cmdline()[-1:] == ["worker"]:
                found.append(child.pid)
    return found


@pytest_asyncio.fixture(loop_scope="session")
async def process() -> AsyncIterator[worker.LimitedWorker]:
    """Return a worker without a server."""
    process = worker.LimitedWorker()
    yield process
    await process.close()


@asynccontextmanager
async def stopped_worker(
    environment: dict[str, str], folder: Path
) -> AsyncIterator[tuple[Editor, int, str]]:
    """Stop the worker of a server that has a run; return its id and the run's."""
    add_pipeline(folder, "theirs", "samples: 1")
    (folder / "notes.md").write_text("Notes.\n")
    async with serving([folder], "neovim", environment) as editor:
        notes = editor.open_document(folder / "notes.md")
        run = await editor.command("writeit.run.start", pipeline="theirs", uri=notes)
        (pid,) = workers_of(editor)
        os.kill(pid, signal.SIGSTOP)  # so that it ends while it works
        yield editor, pid, run["pipelineRunId"]


async def test_a_file_of_the_workspace_is_not_read_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process: worker.LimitedWorker
) -> None:
    """The worker reads it: the same entry, and none was read here."""
    add_pipeline(tmp_path, "theirs", "samples: 2")
    cache: LibraryCache = {}
    unread: list[tuple[catalog.LibraryKind, catalog.LibraryFile]] = []
    read_library(tmp_path, cache, unread)
    ((kind, file),) = unread
    expected = read_file(kind, file)
    here: list[str] = []
    monkeypatch.setattr(catalog, "read_pipeline", here.append)
    cache[file.path] = await process.run(read_file, kind, file)
    unread.clear()
    library, _ = read_library(tmp_path, cache, unread)
    assert library.pipelines["theirs"] == expected
    assert (here, unread) == ([], [])


async def test_a_server_has_one_worker_started_when_it_is_needed(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Bundled pipelines need none; many requests at once share one."""
    (tmp_path / "notes.md").write_text("Notes.\n")
    async with serving([tmp_path], "neovim", environment) as editor:
        notes = editor.open_document(tmp_path / "notes.md")
        run = await editor.command(
            "writeit.run.start", pipeline="tech-article", uri=notes
        )
        await editor.command("writeit.step.preview", runId=run["pipelineRunId"])
        assert workers_of(editor) == []
        add_pipeline(tmp_path, "theirs", "samples: 1")
        lists = [editor.command("writeit.pipeline.list") for _ in range(20)]
        for listed in await asyncio.gather(*lists):
            assert "theirs" in {each["name"] for each in listed["pipelines"]}
        run = await editor.command("writeit.run.start", pipeline="theirs", uri=notes)
        await editor.command("writeit.step.preview", runId=run["pipelineRunId"])
        assert len(workers_of(editor)) == 1


async def test_a_killed_worker_costs_one_answer(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The error names the template; the next request starts another process."""
    async with stopped_worker(environment, tmp_path) as (editor, pid, run_id):
        _, reply = editor.start("writeit.step.preview", runId=run_id)
        await editor.command("writeit.pipeline.list")  # it does not wait
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(Exception, match=r"'draft' of 'theirs' was .*SIGKILL"):
            await asyncio.wait_for(reply, 20)
        preview = await editor.command("writeit.step.preview", runId=run_id)
        assert "Notes." in preview["prompt"]
        assert pid not in workers_of(editor)


async def test_a_cancelled_preview_ends_the_work(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """The request is answered at once, and the process is gone."""
    async with stopped_worker(environment, tmp_path) as (editor, pid, run_id):
        call, reply = editor.start("writeit.step.preview", runId=run_id)
        await editor.command("writeit.pipeline.list")
        editor.notify("$/cancelRequest", {"id": call})
        with pytest.raises(Exception, match=r"[Cc]ancel"):
            await asyncio.wait_for(reply, 20)
        await wait_until_async(lambda: pid not in workers_of(editor))


async def test_the_worker_has_no_keys(
    monkeypatch: pytest.MonkeyPatch, process: worker.LimitedWorker
) -> None:
    """Nor anything else of the environment that it does not need."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    for name in ("OPENAI_API_KEY", "HOME"):
        assert os.getenv(name)
        assert await process.run(os.getenv, name) is None


async def test_a_worker_that_was_started_early_is_used_and_has_no_keys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`writeit run` starts it beside its imports."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    started = worker.start_worker()
    assert started
    early = worker.LimitedWorker(started=started)
    assert await early.run(os.getpid) == started.pid
    assert await early.run(os.getenv, "OPENAI_API_KEY") is None
    await early.close()
    assert not psutil.pid_exists(started.pid)


async def test_processor_time_is_limited(
    monkeypatch: pytest.MonkeyPatch, process: worker.LimitedWorker
) -> None:
    """The error says at which number it was stopped."""
    monkeypatch.setattr(worker, "MAX_CPU_SECONDS", 1)
    with pytest.raises(WorkStopped, match="1 seconds of processor time"):
        await process.run(sum, range(10**13))
    assert await process.run(sum, [1, 2]) == 3


async def test_memory_is_limited(process: worker.LimitedWorker) -> None:
    """A text of two gigabytes is not made."""
    with pytest.raises(WorkStopped, match="1024 MB of memory"):
        await process.run(bytes, 2 * 1024**3)
    assert await process.run(sum, [1, 2]) == 3


async def test_the_clock_is_a_limit_too(
    monkeypatch: pytest.MonkeyPatch, process: worker.LimitedWorker
) -> None:
    """Where processor time is not limited, and for what only waits."""
    monkeypatch.setattr(worker, "MAX_WALL_SECONDS", 0.01)
    with pytest.raises(WorkStopped, match="took longer than"):
        await process.run(time.sleep, 60)


async def test_a_reply_makes_nothing_but_our_own_values(
    process: worker.LimitedWorker,
) -> None:
    """A worker that a template has taken over cannot run anything in the server."""
    with pytest.raises(Exception, match="a reply has"):
        await process.run(pydoc.locate, "os.system")
