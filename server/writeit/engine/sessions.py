"""Starts a session and its engine on an open store."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path

from pydantic.alias_generators import to_camel

from writeit.domain.errors import InvalidParams, NotFound, StoreError
from writeit.domain.key_bindings import SYSTEM_BINDINGS
from writeit.domain.model_id import split_model_id
from writeit.domain.session import (
    SessionProcess,
    UserPreferences,
    UserSession,
    validate_preferences,
    validate_session,
)
from writeit.engine.engine import Engine
from writeit.engine.model_setup import default_models_change
from writeit.ports.store import Store
from writeit.ports.system import Ports

WORKSPACE_DATA_FOLDER = ".writeit"
"""The workspace folder that holds the store."""


def start_session(
    ports: Ports,
    workspace: Path | None,
    store: Store,
    *,
    websocket_id: str | None = None,
) -> Engine:
    """Return the engine of a new session on a workspace's open store.

    Raises:
        StoreError: the store cannot be read, or the session would be invalid.
    """
    now = ports.clock.now()
    pid, started = ports.processes.current_process()
    folder, _ = ports.locate_store(workspace)
    session = UserSession(
        session_id=ports.clock.new_id(),
        workspace_path=session_folder(folder),
        created_at=now,
        last_activity=now,
        websocket_connection_id=websocket_id,
        process=SessionProcess(pid=pid, started=started),
        preferences=store.preferences() or UserPreferences(),
    )
    _check_session(session, store, workspace)
    return Engine(
        models=ports.models,
        store=store,
        clock=ports.clock,
        processes=ports.processes,
        session=session,
        worker=ports.worker,
        default_models=ports.default_models,
    )


async def change_preferences(
    ports: Ports,
    engine: Engine,
    preferences: UserPreferences,
    changed: Collection[str],
    *,
    primers: Collection[str],
) -> None:
    """Validate and store preferences, of which the fields `changed` are new.

    The models are saved in the user's own configuration, for all folders.

    Raises:
        InvalidParams: a changed one is not valid; nothing was changed.
        StoreError: they could not be written.
    """
    named = (
        [*preferences.default_models.values()] if "default_models" in changed else []
    )
    if "models" in changed:
        named += [chosen.model for chosen in preferences.models]
    providers = set()
    for model in named:
        with suppress(NotFound):
            providers.add(split_model_id(await ports.models.resolve_model_id(model))[0])
    problems = validate_preferences(
        preferences,
        known_primers=primers,
        known_providers=providers,
        system_bindings=SYSTEM_BINDINGS,
    )
    # A preference that has become wrong does not keep the others from being changed.
    if problems := [problem for problem in problems if problem.loc[0] in changed]:
        listed = [
            {"path": ".".join((to_camel(x.loc[0]), *x.loc[1:])), "message": x.message}
            for x in problems
        ]
        details = "; ".join(f"{each['path']}: {each['message']}" for each in listed)
        raise InvalidParams(
            f"These preferences are not valid: {details}. Nothing was changed.",
            hint="Correct them and set them again.",
            problems=listed,
        )
    saved = engine.store.preferences() or UserPreferences()
    if "models" in changed:
        chosen_models = [chosen.model_dump() for chosen in preferences.models]
        changes = default_models_change(chosen_models)
        await asyncio.to_thread(ports.save_user_config, changes)
        saved = saved.evolve(models=())
    await engine.save_preferences(preferences.evolve(models=saved.models))


def session_folder(store_folder: Path) -> Path:
    """Return the workspace of a store, or its folder in the user's data directory."""
    parent = store_folder.parent
    return parent.parent if parent.name == WORKSPACE_DATA_FOLDER else parent


def _check_session(session: UserSession, store: Store, workspace: Path | None) -> None:
    problems = validate_session(
        session,
        now=session.last_activity,
        active_ids={other.session_id for other in store.active_sessions()},
        run_exists=lambda run_id: store.get_run(run_id) is not None,
        is_writable=lambda path: _can_write(path, workspace),
    )
    if problems:
        details = "; ".join(f"{p.loc[0]}: {p.message}" for p in problems)
        raise StoreError(
            f"WriteIt cannot work in this folder: {details}.",
            reason="read_only",
            hint="Make the folder writable, or open another one.",
        )


def _can_write(path: Path, workspace: Path | None) -> bool:
    """Return whether the user may write to a path.

    A workspace must exist; a folder in the user's data is created with the store.
    """
    while path != workspace and not path.exists() and path != path.parent:
        path = path.parent
    return os.access(path, os.W_OK | os.X_OK)
