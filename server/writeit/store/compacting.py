"""Giving space back: texts that nobody refers to any more, and free pages.

Configurations and primers stay, also those of no run: they are small, and a primer's
entry says when it was first and last used.

The data file is replaced by a copy without its free pages. That must not happen under
the feet of another process, which would go on writing into a file that is no longer
there; so it is done while LMDB's own lock keeps everybody else out. What this process
writes meanwhile makes the copy stale, and another one is made: the last one while
nobody may write.
"""

from __future__ import annotations

import re
import shutil
from functools import partial
from typing import TYPE_CHECKING

import lmdb

from writeit.core.errors import Busy
from writeit.store import failures, keys, locks, provenance
from writeit.store.backing_up import aside
from writeit.store.snapshot import DATA_FILE

if TYPE_CHECKING:
    from writeit.store.environment import Environment
    from writeit.store.snapshot import Batch, Snapshot

_ASIDE = ".compact-"
_HURRIED = 2
"""Attempts that let others write; the next one does not."""
_REFERENCE = re.compile(rb'\{"text":"([0-9a-f]{64})"\}')
"""Quotes within a writer's words are escaped: only a reference looks like this."""


def compact(environment: Environment) -> None:
    """Drop texts nobody refers to, and give free pages back to the disk.

    Raises:
        Busy: another process has the store open; nothing was changed.
        StoreError: it could not be written; nothing is lost.
    """
    folder = environment.folder
    try:
        with environment.alone():
            for left in folder.glob(f"{_ASIDE}*"):  # by one who was killed
                shutil.rmtree(left, ignore_errors=True)
        _sweep(environment)
        _renew(environment)
    except locks.InUse as error:
        raise Busy(
            f"Another program has the store in {folder} open, so it was not compacted."
            " Nothing is lost.",
            hint="Close other editors on this workspace, then try again.",
        ) from error
    except (lmdb.Error, OSError) as error:
        raise failures.store_error(error, folder) from error


def _renew(environment: Environment) -> None:
    """Put a copy without free pages in the data file's place.

    Raises:
        InUse: another process keeps writing.
    """
    for _ in range(_HURRIED):
        if _renewed(environment):
            return
    with environment.turn():
        if not _renewed(environment):
            raise locks.InUse


def _renewed(environment: Environment) -> bool:
    """Put a copy in the data file's place; False if something was written meanwhile."""
    head = environment.head()
    with aside(environment.folder, _ASIDE) as made:
        environment.copy(made, compact=True)
        # An old file that is still open is freed later, when nobody waits for it.
        with (environment.folder / DATA_FILE).open("rb"), environment.alone():
            if environment.head() != head:
                return False
            provenance.put_in_place(made / DATA_FILE, environment.folder)
            return True


def _sweep(environment: Environment) -> None:
    """Delete texts nobody refers to, unless something was written since they were."""
    for _ in range(_HURRIED):
        with environment.read_long() as snapshot:
            found = partial(_drop, unused=_unused(snapshot), moment=snapshot.moment)
        if environment.write_once(found):
            return
    environment.write_once(lambda batch: _drop(batch, _unused(batch)))


def _drop(batch: Batch, unused: list[bytes], moment: int | None = None) -> bool:
    """Delete texts; not if more was written since `moment`, which may refer to them."""
    if moment is not None and batch.moment != moment + 1:
        return False
    for key in unused:
        batch.delete(key)
    return True


def _unused(snapshot: Snapshot) -> list[bytes]:
    """The keys of texts that no record refers to."""
    used: set[bytes] = set()
    for kind in keys.RECORDS:
        for _, raw in snapshot.scan(kind):
            used.update(_REFERENCE.findall(raw))
    length = len(keys.TEXTS)
    return [key for key in snapshot.keys(keys.TEXTS) if key[length:] not in used]
