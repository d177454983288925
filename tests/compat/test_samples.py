"""This WriteIt reads what older ones wrote."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from compat.make_samples import WORKSPACE, engine_on, exports, pipelines, primers
from support.engine_setup import TickingClock
from writeit.engine.transfer import build_bundle, import_run
from writeit.export.bundle_reader import read_export
from writeit.ports.store import RunCommit, RunQuery
from writeit.storage import keys, migrations
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.snapshot import Snapshot
from writeit.storage.store import LmdbStore

SAMPLES = sorted(Path(__file__).parent.glob("schema*"))
NEWEST = SAMPLES[-1]

pytestmark = pytest.mark.parametrize("samples", SAMPLES, ids=lambda path: path.name)


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the user's data folder to a folder of the test."""
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def store(samples: Path, tmp_path: Path) -> Iterator[LmdbStore]:
    """A copy of the sample store."""
    opened = LmdbStore.open(shutil.copytree(samples / "store", tmp_path / "store"))
    yield opened
    opened.close()


def known(samples: Path) -> Any:
    """The ids, session and preferences of the samples when they were made."""
    return json.loads((samples / "known.json").read_text(encoding="utf-8"))


def written(samples: Path) -> dict[str, str]:
    """The sample exports, by file name."""
    found = sorted((samples / "exports").iterdir())
    return {path.name: path.read_text(encoding="utf-8") for path in found}


def test_the_newest_samples_have_the_current_schema(samples: Path) -> None:
    """A new schema needs new samples."""
    assert samples.name <= NEWEST.name == f"schema{migrations.SCHEMA_VERSION}"


def test_ids_of_pipelines_and_primers_are_the_same(samples: Path) -> None:
    """For every file that was included then, read now."""
    ids = {name: one.configuration_id for name, one in pipelines(samples).items()}
    assert ids == known(samples)["pipelines"]
    versions = {
        name: {"id": one.primer_id, "version": one.version}
        for name, one in primers(samples).items()
    }
    assert versions == known(samples)["primers"]


async def test_a_store_is_read_and_verified(samples: Path, store: LmdbStore) -> None:
    """Every run is exported as it was then, and no problem is found."""
    found = await exports(store, engine_on(store, TickingClock()))
    assert found == written(samples)
    assert (await LmdbMaintenance(store).verify()).problems == []


def test_a_session_and_preferences_are_read(samples: Path, store: LmdbStore) -> None:
    """They have their old values."""
    (session,) = store.active_sessions()
    assert session.model_dump(mode="json") == known(samples)["session"]
    preferences = store.preferences()
    assert preferences is not None
    assert preferences.model_dump(mode="json") == known(samples)["preferences"]


async def test_exports_are_imported_and_exported_unchanged(
    samples: Path, tmp_path: Path
) -> None:
    """The new store has no problems afterwards."""
    expected = written(samples)
    del expected["without-history.yaml"]  # the same run as `finished`
    for form in ("yaml", "json"):
        target = LmdbStore.open(tmp_path / form)
        engine = engine_on(target, TickingClock())
        for name, text in expected.items():
            if name.endswith(form):
                await import_run(engine, read_export(text), WORKSPACE)
        found = await exports(target, engine)
        assert {name for name in expected if found[name] != expected[name]} == {
            "streaming.yaml",  # nobody waits for its answer any more: it is paused
            "streaming.json",
        }
        assert (await LmdbMaintenance(target).verify()).problems == []
        target.close()


async def test_an_export_without_history_is_imported(
    samples: Path, tmp_path: Path
) -> None:
    """It is the same run as with its history."""
    files = written(samples)
    target = LmdbStore.open(tmp_path / "new")
    engine = engine_on(target, TickingClock())
    bare = read_export(files["without-history.yaml"])
    whole = read_export(files["finished.json"])
    assert bare.events is None
    assert whole.events is not None
    assert bare.run == whole.run
    run = await import_run(engine, bare, WORKSPACE)
    assert run.steps == whole.run.steps
    target.close()


def records(snapshot: Snapshot) -> dict[bytes, bytes]:
    """Return the records of runs, by key."""
    kinds = [keys.RUNS, keys.STEPS, keys.RESPONSES, keys.EVENTS, keys.TEXTS]
    kinds += [keys.CONFIGURATIONS, keys.USAGE]
    return {key: raw for kind in kinds for key, raw in snapshot.scan(kind)}


@pytest.mark.usefixtures("samples")
async def test_records_are_written_as_before(store: LmdbStore, tmp_path: Path) -> None:
    """Every record of the runs has the same bytes."""
    engine, target = engine_on(store, TickingClock()), LmdbStore.open(tmp_path / "new")
    for line in reversed(store.list_runs(RunQuery(limit=1000)).runs):
        whole = await build_bundle(engine, line.run_id, None)
        await target.commit(
            RunCommit(
                run=whole.run,
                events=whole.events or (),
                expected_seq=0,
                configuration=whole.configuration,
                ancestors=whole.ancestors,
            )
        )
    with target.snapshot() as snapshot:
        found = records(snapshot)
    with store.snapshot() as snapshot:
        expected = records(snapshot)
    assert [key for key, raw in found.items() if expected.get(key) != raw] == []
    missing = expected.keys() - found.keys()
    assert all(key.startswith(keys.TEXTS) for key in missing)
    target.close()
