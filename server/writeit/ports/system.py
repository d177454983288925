"""The interfaces to the system (clock, processes, API keys), and all ports together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, ParamSpec, Protocol, TypeVar
from uuid import UUID

from writeit.domain.session import ModelSamples
from writeit.ports.models import Models
from writeit.ports.store import Maintenance, MoveResult, RestoreResult, Store

P = ParamSpec("P")
R = TypeVar("R")


class Clock(Protocol):
    """The current time, and ids made from it."""

    def now(self) -> datetime:
        """Return the current time in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never decrease."""

    def new_id(self) -> UUID:
        """Return a new id (UUIDv7: later ids sort later)."""


KeySource = Literal["environment", "keyring", "none"]
"""Where a provider's API key comes from."""


class Keys(Protocol):
    """API keys, which are read for each call and never stored elsewhere."""

    def get(self, provider: str) -> str | None:
        """Return the key of `provider`, or None."""

    def source(self, provider: str) -> KeySource:
        """Return where the key of `provider` comes from."""

    def sources(self, include: Iterable[str] = ()) -> dict[str, KeySource]:
        """Return where the keys of the common providers and of `include` come from."""

    def set(self, provider: str, key: str) -> None:
        """Save `key` in the system keyring in place of the previous one.

        Raises:
            InvalidParams: it is no key, or the provider needs none.
            StoreError: the system has no keyring.
        """


class Processes(Protocol):
    """Running processes: two editors can have the same workspace open."""

    def current_process(self) -> tuple[int, float]:
        """Return the pid of this process and its start, in seconds since the epoch."""

    def is_alive(self, pid: int, started: float) -> bool:
        """Whether this process, and not a later one with the same pid, is running."""


class Worker(Protocol):
    """Runs functions on what others wrote, within limits of time and memory."""

    async def run(
        self, function: Callable[P, R], *arguments: P.args, **named: P.kwargs
    ) -> R:
        """Return what a function of a module returns.

        Raises:
            WorkStopped: a limit was exceeded.
            InvalidPipeline: the function raised it.
        """
        ...

    async def close(self) -> None:
        """Stop the work."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """All ports, as `writeit.app` creates them."""

    models: Models
    keys: Keys
    clock: Clock
    processes: Processes
    worker: Worker
    open_store: Callable[[Path | None], tuple[Store, str | None]]
    """Opens a folder's store; returns a message too if it is in another place."""
    locate_store: Callable[[Path | None], tuple[Path, str | None]]
    """Returns where a folder's store is or would be; creates nothing."""
    move_store: Callable[[Path | None], MoveResult]
    """Moves a folder's store to the configured place."""
    restore_store: Callable[[Path | None, Path, bool], RestoreResult]
    """Replaces a folder's store by a backup if the last argument is True, or shows
    what it would replace."""
    maintenance_for: Callable[[Store], Maintenance]
    """Returns the maintenance of an open store."""
    user_config_file: Path
    """The path of the user's own configuration, which may not exist."""
    save_user_config: Callable[[Mapping[str, object]], None]
    """Changes values in the user's own configuration and keeps the others."""
    default_models: Callable[[], tuple[ModelSamples, ...]]
    """Returns the default models of the user's own configuration, as it is now."""
    trust_file: Path
    """The file of the user's decisions about folders, which may not exist."""
    config_problems: Sequence[str] = ()
    """One message for each ignored part of the user's own configuration."""
