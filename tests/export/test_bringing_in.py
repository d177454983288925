"""Runs that leave one store and come to another."""

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from export.keeping import engine_on, filled, new_store
from storage.histories import histories
from writeit.domain.run_bundle import RunBundle
from writeit.engine.transfer import build_bundle, import_run
from writeit.export.bundle_reader import read_export
from writeit.export.render import export_run
from writeit.ports.store import RunCommit, RunQuery, Store
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.store import LmdbStore

modest = settings(
    max_examples=15,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)


async def gathered(store: Store, workspace: Path) -> dict[UUID, RunBundle]:
    """A dossier of every run."""
    engine = engine_on(store, workspace)
    ids = [run.run_id for run in store.list_runs(RunQuery(limit=1000)).runs]
    for run_id in ids:
        await engine.load_run(run_id)  # one whose answers nobody awaits is paused
    return {run_id: await build_bundle(engine, run_id, workspace) for run_id in ids}


async def moved(dossier: RunBundle, store: Store, workspace: Path, form: Any) -> None:
    """Write a dossier down, read it, and store it."""
    again = read_export(export_run(dossier, form, "0"))
    run = await import_run(engine_on(store, workspace), again, workspace)
    stored = store.get_run(run.pipeline_run_id)
    assert stored is not None
    assert stored.run == run


async def verified(store: LmdbStore) -> None:
    """Everything is where it should be."""
    assert (await LmdbMaintenance(store).verify()).problems == []


@given(decisions=histories(max_size=30), seed=st.integers(0, 2**32))
@modest
def test_what_is_exported_and_imported_is_exported_alike(
    decisions: list[RunCommit], seed: int
) -> None:
    """Whichever run of a family comes first; and nothing is wrong with the store."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(_there_and_back(Path(name).resolve(), decisions, Random(seed)))  # noqa: S311 -- dice


async def _there_and_back(
    folder: Path, decisions: list[RunCommit], dice: Random
) -> None:
    source, target = new_store(folder / "a"), new_store(folder / "b")
    try:
        await filled(source, decisions, folder)
        before = await gathered(source, folder)
        await verified(source)
        for run_id in dice.sample(list(before), len(before)):
            form = dice.choice(["yaml", "json"])
            await moved(before[run_id], target, folder, form)
        assert await gathered(target, folder) == before
        await verified(target)
        for run_id in before:
            assert target.children(run_id) == source.children(run_id)
        assert list(target.usage_records()) == list(source.usage_records())
    finally:
        source.close()
        target.close()


@given(decisions=histories(max_size=30), seed=st.integers(0, 2**32))
@modest
def test_part_of_a_family_is_a_family(decisions: list[RunCommit], seed: int) -> None:
    """Runs that were left behind stand as deleted; what is shared is all there."""
    with tempfile.TemporaryDirectory() as name:
        asyncio.run(_some_of_them(Path(name).resolve(), decisions, Random(seed)))  # noqa: S311 -- dice


async def _some_of_them(folder: Path, decisions: list[RunCommit], dice: Random) -> None:
    source, target = new_store(folder / "a"), new_store(folder / "b")
    try:
        await filled(source, decisions, folder)
        before = await gathered(source, folder)
        taken = dice.sample(list(before), dice.randint(0, len(before)))
        for run_id in taken:
            bare = dice.choice([True, False])
            dossier = replace(before[run_id], events=None) if bare else before[run_id]
            await moved(dossier, target, folder, "json")
            assert target.get_run(run_id) is not None
        await verified(target)
        for run_id in dice.sample(taken, len(taken)):
            await target.delete_run(run_id)
        await verified(target)
        for run_id in before:
            assert target.summary(run_id) is None
    finally:
        source.close()
        target.close()
