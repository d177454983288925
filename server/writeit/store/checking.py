"""The check of a store that nobody uses: what `verify` finds on its copy.

First the file as such is looked at, without LMDB: damage there could bring it down.
Only a sound file is opened and read, key by key and run by run. Run as a module with
a folder, this writes what it found to stdout as JSON.
"""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import lmdb

from writeit.ports import StoreProblem, Verified
from writeit.store import structure
from writeit.store.checking_keys import check_key
from writeit.store.checking_runs import check_entries, check_run, survey
from writeit.store.findings import Findings
from writeit.store.snapshot import DATA_FILE, Counters, Snapshot

DATA_KEY = DATA_FILE


def check(folder: Path) -> Verified:
    """Check the store in `folder`, which nobody has open."""
    if faults := structure.faults(folder):
        return Verified(checked=0, problems=[_unreadable(what) for what in faults])
    try:
        return _contents(folder)
    except (lmdb.Error, MemoryError) as error:
        return Verified(checked=0, problems=[_unreadable(str(error))])


def _unreadable(what: str) -> StoreProblem:
    return StoreProblem(
        DATA_KEY, f"The data file is damaged: {what}. Its contents were not read."
    )


def _contents(folder: Path) -> Verified:
    size = (folder / DATA_FILE).stat().st_size
    with (
        lmdb.Environment(
            str(folder), map_size=size, readonly=True, lock=False
        ) as environment,
        environment.begin() as txn,
    ):
        findings = Findings(Snapshot(txn, Counters(), folder))
        survey(findings)
        for run_id in list(findings.steps):
            check_run(findings, run_id)
        check_entries(findings)
        for key, raw in findings.snapshot.scan(b""):
            check_key(findings, key, raw)
        return Verified(checked=findings.checked, problems=findings.problems)


def main(folder: str) -> None:
    """Check a folder and report."""
    gc.disable()  # what is read makes no cycles; looking for them takes a fifth more
    found = check(Path(folder))
    problems = [(problem.key, problem.message) for problem in found.problems]
    json.dump({"checked": found.checked, "problems": problems}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
