"""Sessions as they are begun: where they are, and what they may not be."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from support.scripted_models import ScriptedModels
from writeit.app import SystemClock, SystemProcesses
from writeit.domain.errors import StoreError
from writeit.domain.session import UserPreferences
from writeit.engine.sessions import start_session
from writeit.llm.keys import SystemKeys
from writeit.ports.store import Maintenance, MoveResult, Store
from writeit.ports.system import Ports
from writeit.storage.store import LmdbStore

if TYPE_CHECKING:
    from pathlib import Path


def world_with(folder: Path) -> Ports:
    """A world in which every workspace's store is in one folder."""

    def no_care(_: Store) -> Maintenance:
        raise NotImplementedError

    def no_move(_: Path | None) -> MoveResult:
        raise NotImplementedError

    return Ports(
        models=ScriptedModels(),
        keys=SystemKeys(),
        clock=SystemClock(),
        processes=SystemProcesses(),
        open_store=lambda _: (LmdbStore(folder), None),
        locate_store=lambda _: (folder, None),
        move_store=no_move,
        maintenance_for=no_care,
        user_config_file=folder / "config.yaml",
    )


@pytest.mark.parametrize(
    ("store", "home"),
    [
        ("notes/.writeit/store", "notes"),
        ("data/workspaces/notes-abc/store", "data/workspaces/notes-abc"),
        ("data/store", "data"),
    ],
)
def test_a_sessions_workspace_is_the_folder_its_store_is_in(
    tmp_path: Path, store: str, home: str
) -> None:
    """Beside the writer's documents, or in her own data where that cannot be."""
    (tmp_path / store).mkdir(parents=True)
    engine = start_session(
        world_with(tmp_path / store), tmp_path / "notes", LmdbStore(tmp_path / "none")
    )
    assert engine.session.workspace_path == tmp_path / home
    assert engine.session.process is not None
    assert engine.session.process.pid == os.getpid()


def test_no_session_is_begun_in_a_folder_that_is_not_there(tmp_path: Path) -> None:
    """Workspace path must exist and be writable."""
    world = world_with(tmp_path / "gone" / ".writeit" / "store")
    with pytest.raises(StoreError, match="workspace_path") as refused:
        start_session(world, tmp_path / "gone", LmdbStore(tmp_path / "none"))
    assert refused.value.reason == "read_only"
    assert refused.value.hint


def test_a_folder_in_her_own_data_is_made_with_the_store(tmp_path: Path) -> None:
    """Until then it is enough that it can be."""
    world = world_with(tmp_path / "data" / "workspaces" / "notes-abc" / "store")
    engine = start_session(world, tmp_path / "notes", LmdbStore(tmp_path / "none"))
    home = engine.session.workspace_path
    assert home == tmp_path / "data" / "workspaces" / "notes-abc"
    assert not (tmp_path / "data").exists()


async def test_a_session_begins_with_what_the_writer_prefers(tmp_path: Path) -> None:
    """Whichever session she said it in."""
    store = LmdbStore(tmp_path / "store")
    await store.save_preferences(UserPreferences(theme="dark"))
    engine = start_session(world_with(tmp_path), tmp_path, store)
    assert engine.session.preferences.theme == "dark"
