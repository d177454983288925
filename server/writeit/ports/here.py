"""The machine we are on: its time, its processes, the writer's keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import (
        Iterable,
    )
    from datetime import datetime
    from uuid import UUID


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

    def sources(self, named: Iterable[str] = ()) -> dict[str, KeySource]:
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

    def me(self) -> tuple[int, float]:
        """Return this process: its pid, and when it started (epoch seconds)."""
        ...

    def alive(self, pid: int, started: float) -> bool:
        """Say whether that process, and not a later one of that pid, still runs."""
        ...
