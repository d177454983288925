"""`writeit.store.*` and `writeit.usage.show` over the wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.editor import Editor, serving
from support.workspace import new_workspace
from writeit.storage.verify import check_store

MODELS = ["openai/say-a", "openai/say-b"]
LATER = "2100-01-01T00:00:00Z"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def keeper(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Editor]:
    """An editor of this module's own: it looks at its store as a whole."""
    folder = new_workspace(tmp_path_factory.mktemp("workspace-care"))
    async with serving([folder], "neovim", environment) as editor:
        yield editor


async def finished_run(editor: Editor) -> str:
    """A completed run: two answers to its first step, the others skipped."""
    run_id = await editor.start_run()
    await editor.command("writeit.step.run", runId=run_id, models=MODELS)
    await editor.choose(run_id)
    for _ in range(3):
        await editor.command("writeit.step.skip", runId=run_id)
    return run_id


async def test_status_has_the_figures_of_the_contract(keeper: Editor) -> None:
    """Counts that grow with what is kept."""
    before = await keeper.command("writeit.store.status")
    await finished_run(keeper)
    after = await keeper.command("writeit.store.status")
    assert set(after) == {
        *("path", "schemaVersion", "mapBytes", "usedBytes", "fileBytes"),
        *("runs", "responses", "texts", "events"),
    }
    assert after["path"] == str(keeper.folder / ".writeit" / "store")
    assert after["runs"] == before["runs"] + 1
    assert after["responses"] == before["responses"] + 2
    assert after["events"] > before["events"]


async def test_a_store_in_use_is_well(keeper: Editor) -> None:
    """Also while answers stream; what is checked is one moment."""
    run_id = await keeper.start_run()
    number, reply = keeper.start(
        "writeit.step.run", None, runId=run_id, models=["openai/held-5-in-use"]
    )
    result = await keeper.command("writeit.store.verify")
    keeper.cancel(number)
    await keeper.refused(reply)
    assert result == {"ok": True, "checked": result["checked"], "problems": []}
    assert result["checked"] > 20
    await keeper.command("writeit.run.delete", runId=run_id)


async def test_usage_adds_up_by_each_key(keeper: Editor) -> None:
    """Rows and their total; a cost nobody knows is counted as unknown."""
    run_id = await finished_run(keeper)
    for by, key in (
        ("model", MODELS[0]),
        ("pipeline", "tech-article"),
        ("run", run_id),
    ):
        usage = await keeper.command("writeit.usage.show", by=by)
        row = next(row for row in usage["rows"] if row["key"] == key)
        assert set(row) == {
            *("key", "calls", "promptTokens", "completionTokens"),
            *("costUsd", "unknownCostCalls", "seconds"),
        }
        calls = sum(row["calls"] for row in usage["rows"])
        assert usage["total"]["calls"] == calls >= 2
        assert row["unknownCostCalls"] == row["calls"]
        assert row["costUsd"] is None
    nothing = await keeper.command("writeit.usage.show", since=LATER)
    assert nothing["rows"] == []
    assert nothing["total"]["calls"] == 0


async def test_a_backup_is_a_store_inside_the_workspace(keeper: Editor) -> None:
    """Its URI is the reply; a path that is taken or outside is refused."""
    result = await keeper.command("writeit.store.backup", path="backups/one")
    target = keeper.folder / "backups" / "one"
    assert result == {"uri": target.as_uri()}
    assert check_store(target).problems == []
    taken = await keeper.refusal("writeit.store.backup", path="backups/one")
    assert taken.kind == "invalid_params"
    for path in ("../outside", "/tmp/outside", ""):
        outside = await keeper.refusal("writeit.store.backup", path=path)
        assert outside.kind in {"not_trusted", "invalid_params"}
    assert names(keeper.folder / "backups") == ["one"]


def names(folder: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


async def test_pruning_counts_before_it_deletes(keeper: Editor) -> None:
    """A dry run by default; a real one needs its moment."""
    run_id = await finished_run(keeper)
    counted = await keeper.command("writeit.store.prune", before=LATER)
    assert counted["dryRun"]
    assert counted["deletedRuns"] >= 1
    assert await keeper.show(run_id)
    refused = await keeper.refusal("writeit.store.prune", dryRun=False)
    assert refused.kind == "invalid_params"
    pruned = await keeper.command("writeit.store.prune", before=LATER, dryRun=False)
    assert pruned == {**counted, "dryRun": False}
    gone = await keeper.refusal("writeit.run.show", runId=run_id)
    assert gone.kind == "not_found"
    usage = await keeper.command("writeit.usage.show", by="run")
    assert run_id in {row["key"] for row in usage["rows"]}


async def test_compacting_shrinks_and_the_server_goes_on(keeper: Editor) -> None:
    """What was deleted no longer takes room."""
    run_id = await finished_run(keeper)
    await keeper.command("writeit.run.delete", runId=run_id)
    before = await keeper.command("writeit.store.status")
    after = await keeper.command("writeit.store.compact")
    assert after["fileBytes"] < before["fileBytes"]
    assert after["texts"] < before["texts"]
    kept = await finished_run(keeper)
    run = await keeper.show(kept)
    assert run["status"] == "COMPLETED"
    assert (await keeper.command("writeit.store.verify"))["ok"]
