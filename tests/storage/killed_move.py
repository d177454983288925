"""Moves a store repeatedly, and is killed before each step of the move.

killed_move.py MADE FOLDER   MADE is a store that is copied for each move

Each process is killed at a later point: whenever it is about to open, rename, remove
or make something, and after every write to the disk. Then another one finishes the
move. Reports how many points there were.
"""

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path

from writeit.storage.move import relocate_store
from writeit.storage.snapshot import DATA_FILE


def move(source: Path, target: Path, steps: int) -> bool:
    """Move in a process that is killed before its step number `steps`, if it has one.

    Returns whether it came to its end.
    """
    if (child := os.fork()) == 0:
        counted = itertools.count()

        def die(*_: object) -> None:
            if next(counted) == steps:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(die)
        relocate_store(source, target)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return False
    assert os.waitstatus_to_exitcode(status) == 0
    return True


def main(made: Path, folder: Path) -> None:
    """Kill a move at each step; nothing is lost, and the next move completes it."""
    whole = (made / DATA_FILE).read_bytes()
    for steps in itertools.count():
        source = folder / str(steps) / ".writeit" / "store"
        target = folder / str(steps) / "moved" / "store"
        shutil.copytree(made, source)
        ended = move(source, target, steps)
        kept = [p / DATA_FILE for p in (source, target) if (p / DATA_FILE).exists()]
        assert kept
        assert all(path.read_bytes() == whole for path in kept)
        if (source / DATA_FILE).exists():
            assert not ended
            assert move(source, target, sys.maxsize)
        assert (target / DATA_FILE).read_bytes() == whole
        assert not (source / DATA_FILE).exists()
        if ended:
            print(steps)  # noqa: T201 -- the report
            return


main(Path(sys.argv[1]), Path(sys.argv[2]))
