"""A session and the engine that works for it, begun on a store that is open."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from writeit.core.errors import StoreError
from writeit.core.session import (
    SessionProcess,
    UserPreferences,
    UserSession,
    problems_with_session,
)
from writeit.engine.engine import Engine

if TYPE_CHECKING:
    from pathlib import Path

    from writeit.engine.gate import Gate
    from writeit.ports import Store, World

BESIDE = ".writeit"
"""The folder of a workspace in which its store is."""


def begin(
    world: World,
    workspace: Path | None,
    store: Store,
    *,
    gate: Gate | None = None,
    websocket_id: str | None = None,
) -> Engine:
    """Return an engine that works for a new session on a workspace's open store.

    Raises:
        StoreError: the store cannot be read, or a rule of sessions does not hold.
    """
    now = world.clock.now()
    pid, started = world.processes.me()
    folder, _ = world.find_store(workspace)
    session = UserSession(
        session_id=world.clock.new_id(),
        workspace_path=home_of(folder),
        created_at=now,
        last_activity=now,
        websocket_connection_id=websocket_id,
        process=SessionProcess(pid=pid, started=started),
        preferences=store.preferences() or UserPreferences(),
    )
    _check(session, store, workspace)
    return Engine(
        models=world.models,
        store=store,
        clock=world.clock,
        processes=world.processes,
        gate=gate,
        session=session,
    )


def home_of(store_folder: Path) -> Path:
    """Return the folder a store is in: the workspace, or one in the user's own data."""
    house = store_folder.parent
    return house.parent if house.name == BESIDE else house


def _check(session: UserSession, store: Store, workspace: Path | None) -> None:
    problems = problems_with_session(
        session,
        now=session.last_activity,
        active_ids={other.session_id for other in store.active_sessions()},
        run_exists=lambda run_id: store.run(run_id) is not None,
        path_writable=lambda path: _can_write(path, workspace),
    )
    if problems:
        said = "; ".join(f"{each.loc[0]}: {each.message}" for each in problems)
        raise StoreError(
            f"No session can be begun here: {said}.",
            reason="read_only",
            hint="Make the folder writable, or open another one.",
        )


def _can_write(path: Path, workspace: Path | None) -> bool:
    """Whether the user may write there.

    A workspace is there or is none; a folder in her own data is made with the store.
    """
    while path != workspace and not path.exists() and path != path.parent:
        path = path.parent
    return os.access(path, os.W_OK | os.X_OK)
