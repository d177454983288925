"""A store that cannot be opened, or not be written: told, and left as it is."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from support.editor import Editor, Refused, serving
from support.store_failures import assert_store_error, other_files, writing_raw
from writeit.storage import keys, migrations
from writeit.storage.location import STORE_SUBFOLDER

UNPRIVILEGED_SERVER = Path(__file__).with_name("unprivileged_server.py")
RUN = {"pipeline": "tech-article", "inputs": {"source_material": "notes"}}
"""No document is opened: a bound one would wake the model host."""


@pytest_asyncio.fixture(loop_scope="session")
async def kept(workspace: Path, environment: dict[str, str]) -> tuple[Path, str]:
    """A workspace with a run in its store, and the run's id."""
    async with serving([workspace], "bare", environment) as editor:
        run = await editor.command("writeit.run.start", **RUN)
        assert await editor.quit() == 0
    return workspace, str(run["pipelineRunId"])


# --- A store that cannot be opened --------------------------------------------------


def cut_in_half(data: Path) -> None:
    """Lose the second half of the data file."""
    os.truncate(data, data.stat().st_size // 2)


def emptied(data: Path) -> None:
    """Lose all of it."""
    os.truncate(data, 0)


def overwritten(data: Path) -> None:
    """Put something else where the meta pages were."""
    content = data.read_bytes()
    data.write_bytes(b"not a store " * 1024 + content[12 * 1024 :])


def from_the_future(data: Path) -> None:
    """Let a newer version have written it."""
    with writing_raw(data.parent) as txn:
        txn.put(keys.SCHEMA, migrations.schema_value(migrations.SCHEMA_VERSION + 1))


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (cut_in_half, "corrupt"),
        (emptied, "corrupt"),
        (overwritten, "corrupt"),
        (from_the_future, "too_new"),
    ],
)
async def test_a_store_that_cannot_be_opened_is_told_and_left_alone(
    kept: tuple[Path, str],
    environment: dict[str, str],
    damage: Callable[[Path], None],
    reason: str,
) -> None:
    """What needs no history goes on; with the store put right, so does the rest."""
    workspace, run_id = kept
    data = workspace / STORE_SUBFOLDER / "data.mdb"
    whole, before = data.read_bytes(), other_files(workspace)
    damage(data)
    damaged = data.read_bytes()
    async with serving([workspace], "bare", environment) as editor:
        assert_store_error(await editor.refusal("writeit.run.start", **RUN), reason)
        assert_store_error(await editor.refusal("writeit.run.list"), reason)
        assert_store_error(
            await editor.refusal("writeit.run.show", runId=run_id), reason
        )
        assert_store_error(await editor.refusal("writeit.store.verify"), reason)
        assert (await editor.command("writeit.pipeline.list"))["pipelines"]
        await editor.command("writeit.pipeline.show", pipeline="tech-article")
        assert (data.read_bytes(), other_files(workspace)) == (damaged, before)
        data.write_bytes(whole)
        await editor.show(run_id)
        assert await editor.quit() == 0
    assert other_files(workspace) == before


async def test_an_older_server_shows_and_exports_after_an_update(
    kept: tuple[Path, str], environment: dict[str, str]
) -> None:
    """A newer WriteIt has migrated the store that it has open: it writes no more."""
    workspace, run_id = kept
    data = workspace / STORE_SUBFOLDER / "data.mdb"
    async with serving([workspace], "bare", environment) as editor:
        await editor.command("writeit.run.start", **RUN)
        from_the_future(data)
        updated = data.read_bytes()
        for command, params in (
            ("writeit.run.start", RUN),
            ("writeit.step.skip", {"runId": run_id, "step": "angles"}),
        ):
            refused = await editor.refusal(command, **params)
            assert_store_error(refused, "too_new")
            assert refused.data["hint"].startswith("Update WriteIt")
            assert "This one does not change it." in refused.data["message"]
        assert len((await editor.command("writeit.run.list"))["runs"]) == 2
        shown = await editor.command("writeit.run.show", runId=run_id)
        assert shown["steps"]["angles"]["status"] == "PENDING"
        exported = await editor.command(
            "writeit.run.export", runId=run_id, format="yaml"
        )
        assert run_id in str(exported)
        assert data.read_bytes() == updated
        await editor.quit()


async def test_a_lens_that_needs_the_store_says_what_is_wrong_with_it(
    kept: tuple[Path, str], environment: dict[str, str]
) -> None:
    """In the words of any refusal; no class of our program's is named."""
    workspace, _ = kept
    overwritten(workspace / STORE_SUBFOLDER / "data.mdb")
    async with serving([workspace], "bare", environment) as editor:
        with pytest.raises(Refused) as refused:
            await editor.request(
                "textDocument/codeLens",
                {"textDocument": {"uri": (workspace / "notes.md").as_uri()}},
            )
        assert refused.value.kind == "store_error"
        assert "StoreError" not in str(refused.value)
        assert editor.sent("window/showMessage") == []


# --- Read-only ----------------------------------------------------------------------


@asynccontextmanager
async def obeying(folder: Path, environment: dict[str, str]) -> AsyncIterator[Editor]:
    """A server that may not write where permissions say so, even for root."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(UNPRIVILEGED_SERVER)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, **environment},
        limit=2**26,
    )
    editor = Editor(process)
    try:
        await editor.open([folder], "bare")
        yield editor
    finally:
        await editor.end()


@contextmanager
def read_only(*folders: Path) -> Iterator[None]:
    """Forbid writing to folders, and to what is in them, while the context is open."""
    paths = [p for folder in folders for p in (folder, *sorted(folder.rglob("*")))]
    modes = [path.stat().st_mode for path in paths]
    for path in paths:
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        yield
    finally:
        for path, mode in zip(paths, modes, strict=True):
            path.chmod(mode)


@pytest.fixture
def own_data(environment: dict[str, str], tmp_path: Path) -> dict[str, str]:
    """An environment with a data folder of the test's own."""
    (tmp_path / "data").mkdir()
    return {**environment, "WRITEIT_DATA_DIR": str(tmp_path / "data")}


async def test_a_read_only_workspace_has_its_history_elsewhere(
    workspace: Path, own_data: dict[str, str]
) -> None:
    """In the user's data folder, and one message says so; nothing is written here."""
    before = other_files(workspace)
    with read_only(workspace):
        async with obeying(workspace, own_data) as editor:
            await editor.command("writeit.run.start", **RUN)
            await editor.command("writeit.run.list")
            (message,) = editor.sent("window/showMessage")
            assert own_data["WRITEIT_DATA_DIR"] in message["message"]
    assert other_files(workspace) == before
    assert not (workspace / ".writeit").exists()


async def test_nowhere_to_write_is_told(
    workspace: Path, own_data: dict[str, str]
) -> None:
    """Neither here nor in the user's data folder: read_only, and reading goes on."""
    with read_only(workspace, Path(own_data["WRITEIT_DATA_DIR"])):
        async with obeying(workspace, own_data) as editor:
            assert_store_error(
                await editor.refusal("writeit.run.start", **RUN), "read_only"
            )
            assert_store_error(await editor.refusal("writeit.run.list"), "read_only")
            assert (await editor.command("writeit.pipeline.list"))["pipelines"]
            assert await editor.quit() == 0


async def test_a_store_whose_files_may_not_be_written_is_told(
    kept: tuple[Path, str], environment: dict[str, str]
) -> None:
    """The folder may be written to, its data may not: nothing is put in its place."""
    workspace, run_id = kept
    data = workspace / STORE_SUBFOLDER / "data.mdb"
    before = data.read_bytes()
    data.chmod(0o444)
    async with obeying(workspace, environment) as editor:
        refused = await editor.refusal("writeit.run.show", runId=run_id)
        assert_store_error(refused, "read_only")
        data.chmod(0o600)
        await editor.show(run_id)
    assert data.read_bytes() == before


async def test_a_text_that_its_writer_made_read_only_is_not_replaced(
    workspace: Path, own_data: dict[str, str]
) -> None:
    """The folder would let it go; it is refused, the text stands as it was."""
    notes = workspace / "notes.md"
    before = notes.read_bytes()
    async with obeying(workspace, own_data) as editor:
        run = await editor.command(
            "writeit.run.start", pipeline="tech-article", uri=notes.as_uri()
        )
        run_id = run["pipelineRunId"]
        models = ["openai/say-Better+20words."]
        await editor.command("writeit.step.run", runId=run_id, models=models)
        await editor.choose(run_id)
        notes.chmod(0o444)
        refused = await editor.refusal(
            "writeit.step.apply", runId=run_id, mode="replace"
        )
        assert_store_error(refused, "read_only")
        assert notes.read_bytes() == before
        notes.chmod(0o644)
        again = await editor.command("writeit.step.apply", runId=run_id, mode="replace")
    assert again["applied"]
    assert b"Better words." in notes.read_bytes()
