"""What tests of a store that fails need."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import UUID

import lmdb
import pytest

from support.editor import Editor, Refused
from support.waiting import wait_until_async
from writeit.domain.errors import StoreError
from writeit.storage.location import STORE_SUBFOLDER
from writeit.storage.store import LmdbStore

STORE_ERROR = -32017


def other_files(folder: Path) -> dict[str, bytes]:
    """Every file of a workspace that is not the store's."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and folder / STORE_SUBFOLDER not in path.parents
    }


def assert_store_error(refused: Refused, reason: str) -> None:
    """The error is the contract's, with a reason and what to do next."""
    assert (refused.code, refused.kind) == (STORE_ERROR, "store_error")
    assert refused.data["reason"] == reason
    assert refused.data["hint"]


async def wait_until_stored(folder: Path, run_id: str, text: str) -> None:
    """Wait until the text that streams in a run's first step has been written down.

    It is told before: the journal is 50 ms behind, on a machine that does not stand
    still. Read as any other process would.
    """
    store = LmdbStore.open(folder / STORE_SUBFOLDER)
    try:
        await wait_until_async(lambda: _streaming(store, UUID(run_id)).startswith(text))
    finally:
        store.close()


def _streaming(store: LmdbStore, run_id: UUID) -> str:
    stored = store.get_run(run_id)
    assert stored is not None
    step = stored.run.steps[stored.run.current_step]
    return "".join(answer.text for answer in step.streaming)


@contextmanager
def disk_full(editor: Editor) -> Iterator[None]:
    """Let the server write to no file for as long as the context is open."""
    pid, hard = editor.process.pid, resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, hard))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):  # it has quit
            resource.prlimit(pid, resource.RLIMIT_FSIZE, (hard, hard))


def refusal_of(folder: Path) -> StoreError:
    """Return the error of opening a store."""
    with pytest.raises(StoreError) as caught:
        LmdbStore.open(folder)
    assert str(folder) in caught.value.message
    assert caught.value.hint
    return caught.value


@contextmanager
def writing_raw(folder: Path) -> Iterator[lmdb.Transaction[bytes]]:
    """Write to a store without the store's code."""
    with (
        lmdb.Environment(str(folder)) as environment,
        environment.begin(write=True) as txn,
    ):
        yield txn
