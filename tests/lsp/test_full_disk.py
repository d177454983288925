"""A full disk: a typed error, the text still there, nothing else touched."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.editor import Editor, Json, Refused, serving
from support.provider import Provider
from support.store_failures import (
    assert_store_error,
    disk_full,
    other_files,
    wait_until_stored,
)
from support.waiting import TIMEOUT
from support.workspace import new_workspace


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def cramped(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    """An editor whose server loses all room now and then."""
    folder = new_workspace(tmp_path_factory.mktemp("cramped"))
    async with serving([folder], "neovim", environment) as editor:
        yield editor


async def streaming(
    editor: Editor, token: str, **more: object
) -> tuple[str, asyncio.Future[Json]]:
    """Start a run and let an answer stream; return the run's id and the reply.

    The answer stops after five words, until the provider is told to go on.
    """
    run_id = await editor.start_run()
    models = [f"openai/held-5-{token}"]
    given = {"runId": run_id, "models": models, "streamToken": token, **more}
    _, reply = editor.start("writeit.step.run", None, **given)
    await editor.until(lambda: "word4 " in streamed(editor, token))
    return run_id, reply


def streamed(editor: Editor, token: str) -> str:
    """The text of the answer that was streamed with a token."""
    values = editor.progress(token)
    return "".join(value["text"] for value in values if value["kind"] == "delta")


async def until_written(editor: Editor, run_id: str) -> None:
    """Wait until the list, which is read from the disk, says PAUSED."""
    async with asyncio.timeout(TIMEOUT):
        while True:
            listed = await editor.command("writeit.run.list", status="PAUSED")
            if run_id in [run["runId"] for run in listed["runs"]]:
                return
            await asyncio.sleep(0.1)


async def test_a_disk_that_fills_up_while_answers_stream_loses_no_word(
    cramped: Editor, provider: Provider
) -> None:
    """The error is typed, the run PAUSED with all its text, and later written."""
    run_id, reply = await streaming(cramped, "full")
    before = other_files(cramped.folder)
    with disk_full(cramped):
        provider.let_go("openai/held-5-full")
        with pytest.raises(Refused) as refused:
            await reply
        assert_store_error(refused.value, "full")
        run = await cramped.show(run_id)
        assert run["status"] == "PAUSED"
        (answer,) = run["steps"]["angles"]["aiResponses"]
        assert answer["rawOutput"] == streamed(cramped, "full")
        assert not answer["partial"]
        choosing = await cramped.refusal(
            "writeit.step.select", runId=run_id, response=0
        )
        assert_store_error(choosing, "full")
    await until_written(cramped, run_id)
    again = await cramped.show(run_id)
    assert again == run
    chosen = await cramped.choose(run_id)
    assert chosen["currentStep"] == "outline"
    assert other_files(cramped.folder) == before
    assert (await cramped.command("writeit.store.verify"))["problems"] == []


async def test_a_full_disk_leaves_all_that_only_reads_alone(cramped: Editor) -> None:
    """Runs are listed, shown and exported; what has to be written says why not."""
    run_id = await cramped.start_run()
    with disk_full(cramped):
        assert (await cramped.command("writeit.run.list"))["runs"]
        await cramped.show(run_id)
        await cramped.command("writeit.run.export", runId=run_id)
        assert (await cramped.command("writeit.pipeline.list"))["pipelines"]
        for command, params in (
            ("writeit.run.start", {"pipeline": "tech-article", "uri": cramped.notes}),
            ("writeit.run.branch", {"runId": run_id, "step": "angles"}),
            ("writeit.run.delete", {"runId": run_id}),
            ("writeit.step.skip", {"runId": run_id}),
            ("writeit.session.activate", {"runId": run_id}),
            ("writeit.preferences.set", {"theme": "dark"}),
            ("writeit.run.export", {"runId": run_id, "path": "out.yaml"}),
        ):
            assert_store_error(await cramped.refusal(command, **params), "full")
    assert not (cramped.folder / "out.yaml").exists()
    await cramped.command("writeit.step.skip", runId=run_id)


async def test_nothing_is_sent_that_could_not_be_written_down(
    cramped: Editor, provider: Provider
) -> None:
    """The decision comes first; without it no model is asked."""
    run_id = await cramped.start_run()
    await cramped.command("writeit.step.preview", runId=run_id, models=["openai/a"])
    before = len(provider.calls)
    with disk_full(cramped):
        refused = await cramped.refusal(
            "writeit.step.run", runId=run_id, models=["openai/fast-3"]
        )
        assert_store_error(refused, "full")
    assert len(provider.calls) == before
    run = await cramped.show(run_id)
    assert run["steps"]["angles"]["status"] == "PENDING"


async def test_who_does_not_wait_is_told_of_a_full_disk_by_the_stream(
    cramped: Editor, provider: Provider
) -> None:
    """The stream ends with the typed error, and a message says it, too."""
    run_id, reply = await streaming(cramped, "told", wait=False)
    await reply
    with disk_full(cramped):
        provider.let_go("openai/held-5-told")
        await cramped.until(lambda: cramped.progress("told")[-1]["kind"] == "ended")
        error = cramped.progress("told")[-1]["error"]
        assert (error["kind"], error["reason"]) == ("store_error", "full")
        assert error["hint"] in cramped.sent("window/showMessage")[-1]["message"]
    await until_written(cramped, run_id)


async def test_a_pause_on_a_full_disk_keeps_what_came(cramped: Editor) -> None:
    """Stopped and shown; written once there is room."""
    run_id, reply = await streaming(cramped, "stopped")
    with disk_full(cramped):
        assert_store_error(
            await cramped.refusal("writeit.run.pause", runId=run_id), "full"
        )
        with pytest.raises(Refused):
            await reply
        run = await cramped.show(run_id)
        assert run["status"] == "PAUSED"
        (answer,) = run["steps"]["angles"]["aiResponses"]
        assert answer["partial"]
        assert answer["rawOutput"] == streamed(cramped, "stopped")
    resumed = await cramped.command("writeit.run.resume", runId=run_id)
    assert resumed["status"] == "RUNNING"
    assert resumed["steps"]["angles"]["aiResponses"] == [answer]


async def test_an_editor_can_quit_while_the_disk_is_full(
    workspace: Path, environment: dict[str, str]
) -> None:
    """In order and soon; the next one finds what had been written by then."""
    async with serving([workspace], environment=environment) as editor:
        run_id, _ = await streaming(editor, "quit")
        seen = streamed(editor, "quit")
        await wait_until_stored(workspace, run_id, seen)
        with disk_full(editor):
            assert await editor.quit() == 0
    async with serving([workspace], environment=environment) as editor:
        run = await editor.show(run_id)
        assert run["status"] == "PAUSED"
        (answer,) = run["steps"]["angles"]["aiResponses"]
        assert answer["rawOutput"].startswith(seen)
