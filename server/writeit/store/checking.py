"""The check of a store that nobody uses: what `verify` finds on its copy.

Run as a module with a folder, it writes what it found to stdout as JSON.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from lmdb import verify as offline

from writeit.ports import StoreProblem, Verified
from writeit.store.snapshot import DATA_FILE

if TYPE_CHECKING:
    from pathlib import Path

DATA_KEY = DATA_FILE


def check(folder: Path) -> Verified:
    """Check the store in `folder`."""
    return Verified(checked=0, problems=structure(folder))


def structure(folder: Path) -> list[StoreProblem]:
    """Check pages, their order and their use, without LMDB."""
    try:
        # py-lmdb has types for its extension module only.
        found = offline.verify(str(folder))  # type: ignore[no-untyped-call]
    except offline.VerifyError as error:
        found = [str(error)]
    return [StoreProblem(DATA_KEY, f"The file is damaged: {text}.") for text in found]


def main(folder: str) -> None:
    """Check a folder and report."""
    from pathlib import Path  # noqa: PLC0415

    found = check(Path(folder))
    problems = [(problem.key, problem.message) for problem in found.problems]
    json.dump({"checked": found.checked, "problems": problems}, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
