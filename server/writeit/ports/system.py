"""The machine we are on: its time, its processes, the writer's keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol
from uuid import UUID

from writeit.ports.models import Models
from writeit.ports.store import Maintenance, MoveResult, Store

# --- The machine we are on: its time, its processes, the writer's keys ----------------


class Clock(Protocol):
    """Time and the ids made from it."""

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def new_id(self) -> UUID:
        """Return a new id (UUIDv7: later ids sort later)."""
        ...


KeySource = Literal["environment", "keyring", "none"]
"""Where a provider's key comes from."""


class Keys(Protocol):
    """Where API keys come from; they are handed on per call and kept nowhere."""

    def get(self, provider: str) -> str | None:
        """Return the key of `provider`, or None."""
        ...

    def source(self, provider: str) -> KeySource:
        """Say where the key of `provider` comes from."""
        ...

    def sources(self, include: Iterable[str] = ()) -> dict[str, KeySource]:
        """Say where the keys of the usual providers and of `named` come from."""
        ...

    def set(self, provider: str, key: str) -> None:
        """Keep `key` in the system keyring, in place of the one that was there.

        Raises:
            InvalidParams: it is no key, or the provider needs none.
            StoreError: there is no keyring on this system.
        """
        ...


class Processes(Protocol):
    """Which processes live: two editors may have one workspace open."""

    def current_process(self) -> tuple[int, float]:
        """Return this process: its pid, and when it started (epoch seconds)."""
        ...

    def is_alive(self, pid: int, started: float) -> bool:
        """Say whether that process, and not a later one of that pid, still runs."""
        ...


# --- All ports, as the composition root hands them out --------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The ports as the composition root hands them out."""

    models: Models
    keys: Keys
    clock: Clock
    processes: Processes
    open_store: Callable[[Path | None], tuple[Store, str | None]]
    """Opens a folder's store; also returns a message if it had to go elsewhere."""
    locate_store: Callable[[Path | None], tuple[Path, str | None]]
    """Says where a folder's store is, or would be; makes nothing."""
    move_store: Callable[[Path | None], MoveResult]
    """Moves a folder's store to where the configuration says."""
    maintenance_for: Callable[[Store], Maintenance]
    """Hands out the care of an open store."""
    user_config_file: Path
    """Where the user's own configuration is, or would be."""
    config_problems: Sequence[str] = ()
    """A message for each part of it that was ignored."""
