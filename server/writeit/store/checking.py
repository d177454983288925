"""The check of a store that nobody uses: what `verify` finds on its copy.

First the file as such is looked at, without LMDB: damage there could bring it down.
Only a sound file is opened and read, key by key and run by run. Run as a module with
a folder, this writes what it found to stdout as JSON.
"""

from __future__ import annotations

import gc
import json
import struct
import sys
from pathlib import Path

import lmdb
from lmdb import verify as offline

from writeit.ports import StoreProblem, Verified
from writeit.store.checking_keys import check_key
from writeit.store.checking_runs import check_entries, check_run, survey
from writeit.store.findings import Findings
from writeit.store.snapshot import DATA_FILE, Counters, Snapshot

DATA_KEY = DATA_FILE
_TXNID_AT = 144
"""Where a meta page of LMDB 0.9 says which transaction wrote it."""


def check(folder: Path) -> Verified:
    """Check the store in `folder`, which nobody has open."""
    problems = structure(folder)
    if problems:
        return Verified(checked=0, problems=problems)
    try:
        return _contents(folder)
    except (lmdb.Error, MemoryError) as error:
        return Verified(checked=0, problems=[_unreadable(str(error))])


def structure(folder: Path) -> list[StoreProblem]:
    """Check pages, their order and their use, without LMDB."""
    try:
        # py-lmdb has types for its extension module only.
        found = offline.verify(str(folder))  # type: ignore[no-untyped-call]
        found = found or _turns(folder / DATA_FILE)
    except (offline.VerifyError, OSError, struct.error, RecursionError) as error:
        found = [str(error)]
    return [_unreadable(text) for text in found]


def _unreadable(what: str) -> StoreProblem:
    return StoreProblem(
        DATA_KEY, f"The data file is damaged: {what}. Its contents were not read."
    )


def _turns(data: Path) -> list[str]:
    """Check that the two meta pages were written one after the other."""
    with data.open("rb") as file:
        head = file.read(1 << 16)
    size = struct.unpack_from("=I", head, 40)[0]
    one, other = (struct.unpack_from("=Q", head, i + _TXNID_AT)[0] for i in (0, size))
    if abs(one - other) == 1 or one == other == 0:
        return []
    return [f"its two beginnings are of transactions {one} and {other}"]


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
