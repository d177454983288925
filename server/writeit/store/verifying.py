"""Looking a store over while it is in use: on a copy, in a process of its own.

The copy is of one moment, so what is written meanwhile cannot look like damage. A
process of its own, because damage may bring LMDB down, and because the check would
keep the interpreter from everybody else for seconds.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import lmdb

from writeit.ports import StoreProblem, Verified
from writeit.store import failures
from writeit.store.backing_up import aside
from writeit.store.checking import DATA_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from writeit.store.environment import Environment

_COMMAND = (sys.executable, "-P", "-m", "writeit.store.checking")
"""-P: the folder we stand in is the writer's; modules in it are not ours."""


def verify(environment: Environment) -> Verified:
    """Check all that is in a store. Damage is reported, not raised.

    Raises:
        StoreError: there is no room for a copy.
    """
    try:
        with aside(environment.folder, ".verify-") as made:
            try:
                environment.copy(made, compact=False)
            except lmdb.CorruptedError as error:
                return _only(f"The data file cannot be copied: {error}.")
            return _checked(made)
    except (lmdb.Error, OSError) as error:
        raise failures.store_error(error, environment.folder) from error


def _checked(folder: Path) -> Verified:
    done = subprocess.run(  # noqa: S603 -- our own module, our own copy
        [*_COMMAND, str(folder)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return _only(
            "The check itself broke down over what it read"
            f" ({complaint or f'exit {done.returncode}'})."
        )
    report = json.loads(done.stdout)
    problems = [StoreProblem(*problem) for problem in report["problems"]]
    return Verified(checked=report["checked"], problems=problems)


def _only(message: str) -> Verified:
    return Verified(checked=0, problems=[StoreProblem(DATA_KEY, message)])
