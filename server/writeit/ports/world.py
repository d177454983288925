"""All ports, as the composition root hands them out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from writeit.ports.care import Maintenance, Moved
    from writeit.ports.here import Clock, Keys, Processes
    from writeit.ports.models import Models
    from writeit.ports.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The ports as the composition root hands them out."""

    models: Models
    keys: Keys
    clock: Clock
    processes: Processes
    open_store: Callable[[Path | None], tuple[Store, str | None]]
    """Opens a folder's store; also returns a message if it had to go elsewhere."""
    find_store: Callable[[Path | None], tuple[Path, str | None]]
    """Says where a folder's store is, or would be; makes nothing."""
    move_store: Callable[[Path | None], Moved]
    """Moves a folder's store to where the configuration says."""
    maintain: Callable[[Store], Maintenance]
    """Hands out the care of an open store."""
    user_config_file: Path
    """Where the user's own configuration is, or would be."""
    config_problems: Sequence[str] = ()
    """A message for each part of it that was ignored."""
