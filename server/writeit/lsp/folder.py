"""One workspace folder: its store, its engine, its session, its library."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from writeit.core.session import UserPreferences, UserSession
from writeit.engine.engine import Engine
from writeit.library import Cache, Library, read_library

if TYPE_CHECKING:
    from writeit.engine.gate import Gate
    from writeit.ports import Store, World


class Folder:
    """What belongs to one workspace folder (or to none: `path` is None)."""

    def __init__(
        self,
        path: Path | None,
        store: Store,
        world: World,
        gate: Gate,
        websocket_id: str | None = None,
    ) -> None:
        self.path = path
        self.store = store
        self._files: Cache = {}
        now = world.clock.now()
        session = UserSession(
            session_id=world.clock.new_id(),
            workspace_path=path or Path.home(),
            created_at=now,
            last_activity=now,
            websocket_connection_id=websocket_id,
            preferences=store.preferences() or UserPreferences(),
        )
        self.engine = Engine(
            models=world.models,
            store=store,
            clock=world.clock,
            processes=world.processes,
            gate=gate,
            session=session,
        )

    def library(self) -> Library:
        """Read the pipelines and primers within reach; unchanged files are kept."""
        library, _ = read_library(self.path, self._files)
        return library

    async def close(self) -> None:
        """Stop what streams, end the session, close the store."""
        await self.engine.close()
        self.store.close()
