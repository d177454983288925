"""Runs as a newer WriteIt: reads the samples, then writes records with a new key.

Started by `test_newer`, with a package that knows one key more on its path.
"""

import asyncio
import json
import shutil
import sys
from pathlib import Path
from typing import Any

from compat.make_samples import WORKSPACE, Samples, engine_on, pipelines, primers
from support.engine_setup import TickingClock
from writeit.domain.session import UserPreferences
from writeit.engine.transfer import build_bundle, import_run
from writeit.export.bundle_reader import read_export
from writeit.export.render import export_run
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.store import LmdbStore


async def read(samples: Path, folder: Path) -> dict[str, Any]:
    """Return what a newer WriteIt reads from the samples."""
    store = LmdbStore.open(shutil.copytree(samples / "store", folder / "old"))
    target = LmdbStore.open(folder / "imported")
    engine = engine_on(target, TickingClock())
    for path in sorted((samples / "exports").glob("*.yaml")):
        if path.name != "without-history.yaml":
            dossier = read_export(path.read_text(encoding="utf-8"))
            await import_run(engine, dossier, WORKSPACE)
    made: dict[str, Any] = {
        "problems": [
            problem.message
            for one in (store, target)
            for problem in (await LmdbMaintenance(one).verify()).problems
        ],
        "pipelines": {
            name: one.configuration_id for name, one in pipelines(samples).items()
        },
        "primers": {
            name: {"id": one.primer_id, "version": one.version}
            for name, one in primers(samples).items()
        },
    }
    store.close()
    target.close()
    return made


async def write(samples: Path, folder: Path) -> None:
    """Write a run and preferences with an additional key."""
    for kind in ("pipelines", "primers"):
        shutil.copytree(samples / kind, folder / kind)
    made = Samples(folder)
    run_id = await made.start("blog-post", "academic", "newer")
    await made.store.save_preferences(UserPreferences())
    dossier = await build_bundle(made.engine, run_id, WORKSPACE)
    for form in ("yaml", "json"):
        text = export_run(dossier, form, "9.9.9")
        (folder / f"newer.{form}").write_text(text, encoding="utf-8")
    made.store.close()


if __name__ == "__main__":
    old, new = Path(sys.argv[1]), Path(sys.argv[2])
    found = asyncio.run(read(old, new))
    asyncio.run(write(old, new / "new"))
    print(json.dumps(found))  # noqa: T201 -- for the test that started it
