"""The care of a store: figures, verification, space, copies, pruning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from writeit.ports.keeping import Deleted


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """Figures of a store."""

    path: Path
    schema: int
    map_bytes: int
    used_bytes: int
    file_bytes: int
    runs: int
    responses: int
    texts: int
    events: int


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """One thing that `verify` found."""

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` looked at and found; it is well if there are no problems."""

    checked: int
    problems: list[StoreProblem]


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """Where a store was, None if nothing was to be moved, and where it belongs."""

    source: Path | None
    target: Path


class Maintenance(Protocol):
    """The care of a store; every method may take long and runs off the event loop."""

    async def status(self) -> StoreStatus:
        """Count what is there."""
        ...

    async def verify(self) -> Verified:
        """Check structure, text hashes, and every entity against its events."""
        ...

    async def compact(self) -> StoreStatus:
        """Drop texts nobody refers to and give free pages back to the disk.

        Raises:
            Busy: another process has the store open; nothing was changed.
        """
        ...

    async def backup(self, path: Path) -> Path:
        """Copy a consistent store to a new folder, while it is in use.

        Raises:
            InvalidParams: there is something at `path` already.
            StoreError: it could not be written; nothing half done is left.
        """
        ...

    async def prune(self, before: datetime, *, dry_run: bool = True) -> Deleted:
        """Delete finished runs last touched before a moment; count them if dry."""
        ...
