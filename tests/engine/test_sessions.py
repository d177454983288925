"""How sessions start: their workspace path and preferences."""

import os
from pathlib import Path
from typing import NoReturn

import pytest

from support.scripted_models import ScriptedModels
from writeit.app import SystemClock, SystemProcesses
from writeit.domain.errors import StoreError
from writeit.domain.session import UserPreferences
from writeit.engine.sessions import start_session
from writeit.llm.keys import SystemKeys
from writeit.ports.store import Maintenance, Store
from writeit.ports.system import Ports
from writeit.storage.store import LmdbStore
from writeit.worker import LimitedWorker


def ports_with(folder: Path) -> Ports:
    """Return ports with every workspace's store in one folder."""

    def no_maintenance(_: Store) -> Maintenance:
        raise NotImplementedError

    def no_move(*_: object) -> NoReturn:
        raise NotImplementedError

    return Ports(
        models=ScriptedModels(),
        keys=SystemKeys(),
        clock=SystemClock(),
        processes=SystemProcesses(),
        worker=LimitedWorker(),
        open_store=lambda _: (LmdbStore(folder), None),
        locate_store=lambda _: (folder, None),
        move_store=no_move,
        restore_store=no_move,
        maintenance_for=no_maintenance,
        user_config_file=folder / "config.yaml",
        save_user_config=no_move,
        default_models=tuple,
        trust_file=folder / "trust.json",
    )


@pytest.mark.parametrize(
    ("store", "home"),
    [
        ("notes/.writeit/store", "notes"),
        ("data/workspaces/notes-abc/store", "data/workspaces/notes-abc"),
        ("data/store", "data"),
    ],
)
def test_the_workspace_path_is_the_folder_of_the_store(
    tmp_path: Path, store: str, home: str
) -> None:
    """Beside the user's documents, or else in the user's data folder."""
    (tmp_path / store).mkdir(parents=True)
    engine = start_session(
        ports_with(tmp_path / store), tmp_path / "notes", LmdbStore(tmp_path / "none")
    )
    assert engine.session.workspace_path == tmp_path / home
    assert engine.session.process is not None
    assert engine.session.process.pid == os.getpid()


@pytest.mark.rule("session-2")
def test_a_missing_workspace_folder_is_an_error(tmp_path: Path) -> None:
    """Workspace path must exist and be writable."""
    ports = ports_with(tmp_path / "gone" / ".writeit" / "store")
    with pytest.raises(StoreError, match="workspace_path") as refused:
        start_session(ports, tmp_path / "gone", LmdbStore(tmp_path / "none"))
    assert refused.value.reason == "read_only"
    assert refused.value.hint


def test_a_folder_in_the_data_folder_is_created_with_the_store(tmp_path: Path) -> None:
    """Starting a session does not create it."""
    ports = ports_with(tmp_path / "data" / "workspaces" / "notes-abc" / "store")
    engine = start_session(ports, tmp_path / "notes", LmdbStore(tmp_path / "none"))
    home = engine.session.workspace_path
    assert home == tmp_path / "data" / "workspaces" / "notes-abc"
    assert not (tmp_path / "data").exists()


async def test_a_session_starts_with_the_saved_preferences(tmp_path: Path) -> None:
    """From whichever session saved them."""
    store = LmdbStore(tmp_path / "store")
    await store.save_preferences(UserPreferences(theme="dark"))
    engine = start_session(ports_with(tmp_path), tmp_path, store)
    assert engine.session.preferences.theme == "dark"
