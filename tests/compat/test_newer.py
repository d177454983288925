"""Two versions of WriteIt on the same data, the newer with an additional key.

The newer one is this one with a key more in pipelines, primers and preferences, in a
process of its own. It must read all that is old; what it writes, this one must tell
from damage.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import writeit
from compat.make_samples import pipelines
from compat.test_samples import NEWEST
from support.store_failures import writing_raw
from writeit.domain.errors import InvalidExport, StoreError
from writeit.domain.session import UserPreferences
from writeit.export.bundle_reader import read_export
from writeit.library.pipelines import read_pipeline
from writeit.ports.store import RunQuery
from writeit.storage import keys
from writeit.storage.integrity import add_checksum, strip_checksum
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.store import LmdbStore
from writeit.storage.verify import check_store

TESTS = Path(__file__).parents[1]
CHANGED = (
    *("PipelineConfiguration", "StepSpec", "InputSpec", "StylePrimer"),
    *("UserPreferences", "PrimerRecord"),
)


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the results and the store of the newer version."""
    folder = tmp_path_factory.mktemp("newer")
    package = folder / "package" / "writeit"
    shutil.copytree(
        Path(writeit.__file__).parent,
        package,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name in CHANGED:
        add_optional_key(package, name)
    done = subprocess.run(
        [sys.executable, TESTS / "compat" / "newer.py", NEWEST, folder],
        env={
            **os.environ,
            "PYTHONPATH": f"{package.parent}{os.pathsep}{TESTS}",
            "WRITEIT_DATA_DIR": str(folder / "data"),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    (folder / "found.json").write_text(done.stdout)
    return folder


def add_optional_key(package: Path, entity: str) -> None:
    """Add an optional key to an entity, as a later version would."""
    bases = r"(?:Entity|GrowingEntity|Record)(?:, .*?)?"
    header = re.compile(rf'(?ms)^class {entity}\({bases}\):\n    """.*?"""\n')
    (source,) = (p for p in package.rglob("*.py") if header.search(p.read_text()))
    field = "\\g<0>\n    brand_new: tuple[str, ...] = ()\n"
    source.write_text(header.sub(field, source.read_text()))


@pytest.fixture
def found(newer: Path) -> Any:
    """The results of the newer version."""
    return json.loads((newer / "found.json").read_text())


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the user's data folder to a folder of the test."""
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def folder(newer: Path, tmp_path: Path) -> Path:
    """A copy of the store that the newer version wrote."""
    return shutil.copytree(newer / "new" / "made", tmp_path / "store")


def test_a_newer_version_reads_an_old_store_and_old_exports(found: Any) -> None:
    """They are verified and imported although its pipelines have another key."""
    assert found["problems"] == []


def test_an_optional_key_changes_no_id(found: Any) -> None:
    """Neither the id of a pipeline nor the version of a primer."""
    known = json.loads((NEWEST / "known.json").read_text())
    assert found["pipelines"] == known["pipelines"]
    assert found["primers"] == known["primers"]


def refusal(read: Callable[[], object]) -> StoreError:
    """Return the error of reading from the store."""
    with pytest.raises(StoreError) as caught:
        read()
    return caught.value


async def test_what_a_newer_version_stored_is_too_new(folder: Path) -> None:
    """It is not reported as damaged, and the hint is not to remove it."""
    store = LmdbStore.open(folder)
    name = pipelines(NEWEST)["blog-post.yaml"].configuration_id
    for refused in (
        refusal(lambda: store.configuration(name)),
        refusal(store.preferences),
        refusal(store.active_sessions),
    ):
        assert refused.reason == "too_new"
        assert "Update WriteIt" in refused.hint
        assert "remove" not in refused.hint
        assert "brand_new" in refused.message
    problems = (await LmdbMaintenance(store).verify()).problems
    kinds = {problem.key.partition(":")[0] for problem in problems}
    assert kinds == {"config", "preferences", "session"}
    assert all("update WriteIt" in problem.message for problem in problems)
    store.close()


async def test_what_a_newer_version_stored_is_damaged_if_its_checksum_is_wrong(
    folder: Path,
) -> None:
    """The unknown key may then be an error of the disk."""
    store = LmdbStore.open(folder)
    key = keys.preferences("local")
    assert store.environment_and_writer is not None
    store.environment_and_writer[0].write_once(
        lambda batch: batch.put(
            key, (batch.get(key) or b"").replace(b"brand_new", b"brand^new")
        )
    )
    assert refusal(store.preferences).reason == "corrupt"
    store.close()


async def test_preferences_of_a_newer_version_are_kept(folder: Path) -> None:
    """Reading them fails and changes nothing."""
    store = LmdbStore.open(folder)
    with store.snapshot() as snapshot:
        before = snapshot.get(keys.preferences("local"))
    refusal(store.preferences)
    with store.snapshot() as snapshot:
        assert snapshot.get(keys.preferences("local")) == before
    await store.save_preferences(UserPreferences())  # the user can set them again
    assert store.preferences() == UserPreferences()
    store.close()


@pytest.mark.parametrize("kind", keys.RECORD_PREFIXES)
def test_a_record_of_a_higher_version_is_too_new(kind: bytes, tmp_path: Path) -> None:
    """For every kind of record."""
    folder = shutil.copytree(NEWEST / "store", tmp_path / "store")
    store = LmdbStore.open(folder)
    run = store.list_runs(RunQuery()).runs[0]
    asyncio.run(store.save_draft(run.run_id, run.current_step, "merge", "Mine."))
    store.close()
    with writing_raw(folder) as txn:
        cursor = txn.cursor()
        assert cursor.set_range(kind)
        key, raw = cursor.item()
        assert key.startswith(kind)
        record = strip_checksum(raw).replace(b'"v":1', b'"v":99', 1)
        txn.put(key, add_checksum(key, record))
    problems = check_store(folder).problems
    newer = [problem for problem in problems if "update WriteIt" in problem.message]
    assert {problem.key.partition(":")[0].encode() + b":" for problem in newer} >= {
        kind
    }
    assert not any("damaged" in problem.message for problem in problems)


@pytest.mark.parametrize("form", ["yaml", "json"])
@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("$^", "", "too_new"),
        ("brand_new", "brand^new", "damaged"),
        ("(?m)^.*checksum.*\\n", "", "malformed"),
    ],
)
def test_an_export_of_a_newer_version_is_too_new(
    newer: Path, form: str, old: str, new: str, reason: str
) -> None:
    """Unless its checksum is wrong or missing."""
    text = (newer / "new" / f"newer.{form}").read_text(encoding="utf-8")
    with pytest.raises(InvalidExport) as caught:
        read_export(re.sub(old, new, text))
    assert caught.value.reason == reason
    assert ("Update WriteIt" in caught.value.hint) == (reason == "too_new")


def test_an_unknown_key_in_a_file_is_a_diagnostic() -> None:
    """In a file written by hand it is more likely a mistake than a newer version."""
    text = (NEWEST / "pipelines" / "blog-post.yaml").read_text(encoding="utf-8")
    known = pipelines(NEWEST)["blog-post.yaml"]
    found, problems = read_pipeline(
        f"{text}\nbrand_new: [a]\nx-note: mine\n",
        "file:///x.yaml",
        created=known.created,
    )
    assert [problem.code for problem in problems] == ["unknown-key"]
    assert found is None or found.configuration_id == known.configuration_id
