"""`writeit store`: output, effects and exit codes."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from storage.test_maintenance import held
from storage.whole import FINISHED, whole_store
from writeit.app import main
from writeit.storage.store import LmdbStore


@dataclass(frozen=True)
class CommandResult:
    """The result of a command."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        """The output as JSON."""
        output: dict[str, Any] = json.loads(self.out)
        return output


class Terminal:
    """A shell in a workspace that has a store."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.store = folder / ".writeit" / "store"
        self._capture = capture

    def store_command(self, *arguments: str) -> CommandResult:
        """Run one command of `writeit store`."""
        code = 0
        try:
            main(["store", *arguments])
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        result = self._capture.readouterr()
        return CommandResult(code, result.out, result.err)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with one finished run and others."""
    return whole_store(tmp_path_factory.mktemp("made") / ".writeit" / "store")


@pytest.fixture
def terminal(
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Terminal:
    """A shell in a new workspace."""
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "notes"
    shutil.copytree(made, folder / ".writeit" / "store")
    monkeypatch.chdir(folder)
    return Terminal(folder, capsys)


def test_status_counts(terminal: Terminal) -> None:
    """As text, and as JSON with the names of the data model."""
    result = terminal.store_command("status", "--json")
    assert result.code == 0
    assert result.json["path"] == str(terminal.store)
    assert result.json["runs"] == 4
    assert result.json["responses"] == 8
    assert set(result.json) == {
        *("path", "schema", "map_bytes", "used_bytes", "file_bytes"),
        *("runs", "responses", "texts", "events"),
    }
    plain = terminal.store_command("status")
    assert f"{terminal.store}\n" in plain.out
    assert "runs        4\n" in plain.out


def test_a_valid_store_has_no_problems(terminal: Terminal) -> None:
    """Exit code 0 and the number of checked keys."""
    result = terminal.store_command("verify", "--json")
    assert result.code == 0
    assert result.json["ok"]
    assert result.json["checked"] > 100
    assert result.json["problems"] == []
    plain = terminal.store_command("verify")
    assert plain.out == f"Checked {result.json['checked']} keys, problems: 0.\n"


def test_damage_is_named_with_exit_code_1(terminal: Terminal) -> None:
    """Each problem has its key and a message."""
    assert terminal.store_command("status").code == 0  # may upgrade the copy
    data = terminal.store / "data.mdb"
    content = data.read_bytes()
    offset = content.index(b"Answer 100. Answer 100.")
    with data.open("r+b") as file:
        file.seek(offset)
        file.write(b"a")
    result = terminal.store_command("verify")
    assert result.code == 1
    assert result.out.startswith("text:")
    assert result.out.endswith("problems: 1.\n")
    as_json = terminal.store_command("verify", "--json")
    assert as_json.code == 1
    assert not as_json.json["ok"]
    assert as_json.json["problems"][0]["key"].startswith("text:")


def test_compacting_shows_the_new_size(terminal: Terminal) -> None:
    """The file is smaller."""
    before = terminal.store_command("status", "--json").json
    after = terminal.store_command("compact", "--json")
    assert after.code == 0
    assert after.json["file_bytes"] < before["file_bytes"]
    assert "file bytes" in terminal.store_command("compact").out


def test_a_backup_replaces_nothing(terminal: Terminal) -> None:
    """It may be outside of the workspace; an existing path is refused."""
    target = terminal.folder.parent / "elsewhere" / "backup"
    result = terminal.store_command("backup", "../elsewhere/backup", "--json")
    assert result.code == 0
    store = LmdbStore.open(target)
    assert store.get_run(FINISHED) is not None
    store.close()
    again = terminal.store_command("backup", str(target))
    assert again.code == 2
    assert "already" in again.err
    assert "Traceback" not in again.err


def test_pruning_deletes_only_with_yes(terminal: Terminal) -> None:
    """The counts are the same; then nothing is left to prune."""
    counted = terminal.store_command("prune", "--before", "2030-01-01", "--json")
    assert counted.code == 0
    assert counted.json == {"runs": 1, "responses": 2, "dry_run": True}
    assert "--yes" in terminal.store_command("prune").err
    pruned = terminal.store_command("prune", "--before", "2030-01-01", "--yes")
    assert pruned.out == "Deleted: finished runs 1, answers 2.\n"
    assert terminal.store_command("prune", "--json").json["runs"] == 0


@pytest.mark.parametrize(
    "arguments",
    [("prune", "--yes"), ("prune", "--before", "tomorrow"), ("backup",), ("shrink",)],
)
def test_wrong_usage_has_exit_code_2(
    terminal: Terminal, arguments: tuple[str, ...]
) -> None:
    """Nothing is printed to stdout."""
    result = terminal.store_command(*arguments)
    assert result.code == 2
    assert result.out == ""


def test_a_store_that_cannot_be_opened_fails(terminal: Terminal) -> None:
    """Exit code 1 with a hint."""
    (terminal.store / "data.mdb").write_bytes(b"")
    result = terminal.store_command("verify")
    assert result.code == 1
    assert "damaged" in result.err


def test_moving_shows_both_paths(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As text and JSON; a second move succeeds and does nothing."""
    monkeypatch.setenv("WRITEIT_STORE_LOCATION", "user")
    status = terminal.store_command("status", "--json")
    assert "writeit store move" in status.err
    moved = terminal.store_command("move", "--json")
    assert moved.code == 0
    assert moved.json["moved"]
    assert moved.json["from"] == str(terminal.store)
    after = terminal.store_command("status", "--json")
    assert after.json["path"] == moved.json["to"]
    assert after.json["runs"] == status.json["runs"]
    assert after.err == ""
    again = terminal.store_command("move", "--json")
    assert (again.code, again.json["moved"], again.json["from"]) == (0, False, None)
    assert moved.json["to"] in terminal.store_command("move").out
    monkeypatch.delenv("WRITEIT_STORE_LOCATION")
    back = terminal.store_command("move")
    assert back.code == 0
    assert back.out == (
        f"Moved the run history from {moved.json['to']} to {terminal.store}.\n"
    )


def test_restore_shows_what_it_replaces_and_keeps_it(
    terminal: Terminal, tmp_path: Path
) -> None:
    """Nothing is changed without --yes; the replaced store can be restored too."""
    backup = str(tmp_path / "backup")
    terminal.store_command("backup", backup)
    terminal.store_command("prune", "--before", "2999-01-01", "--yes")
    pruned = terminal.store_command("status", "--json").json["runs"]
    shown = terminal.store_command("restore", backup)
    assert (shown.code, "Nothing was changed" in shown.err) == (0, True)
    assert terminal.store_command("status", "--json").json["runs"] == pruned
    done = terminal.store_command("restore", backup, "--yes", "--json").json
    assert (done["store_runs"], done["replaced"]) == (pruned, [])
    restored = terminal.store_command("status", "--json").json["runs"]
    assert restored == done["backup_runs"] > pruned
    back = terminal.store_command("restore", done["kept_in"], "--yes", "--json").json
    assert len(back["replaced"]) == restored - pruned
    assert terminal.store_command("status", "--json").json["runs"] == pruned
    assert terminal.store_command("verify").code == 0


def test_restore_names_the_runs_that_the_backup_lacks(
    terminal: Terminal, tmp_path: Path
) -> None:
    """By title, before anything is replaced."""
    kept = shutil.copytree(terminal.store, tmp_path / "kept")
    terminal.store_command("prune", "--before", "2999-01-01", "--yes")
    backup = str(tmp_path / "backup")
    terminal.store_command("backup", backup)
    shutil.copyfile(kept / "data.mdb", terminal.store / "data.mdb")
    shown = terminal.store_command("restore", backup)
    assert "The backup does not have these runs as they are now:" in shown.out
    assert shown.out.count(", changed ") == len(
        terminal.store_command("restore", backup, "--json").json["replaced"]
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data.unlink(), "There is no backup"),
        (lambda data: data.write_bytes(data.read_bytes()[:9000]), "is damaged"),
    ],
)
def test_restore_refuses_what_is_no_backup(
    terminal: Terminal,
    tmp_path: Path,
    damage: Callable[[Path], None],
    message: str,
) -> None:
    """The store is unchanged."""
    backup = tmp_path / "backup"
    terminal.store_command("backup", str(backup))
    damage(backup / "data.mdb")
    before = (terminal.store / "data.mdb").read_bytes()
    refused = terminal.store_command("restore", str(backup), "--yes")
    assert refused.code == 1
    assert message in refused.err
    assert (terminal.store / "data.mdb").read_bytes() == before


def test_restore_refuses_while_an_editor_has_the_store_open(
    terminal: Terminal, tmp_path: Path
) -> None:
    """It says what to do."""
    backup = str(tmp_path / "backup")
    terminal.store_command("backup", backup)
    with held(terminal.store):
        refused = terminal.store_command("restore", backup, "--yes")
    assert refused.code == 1
    assert "Close your editors" in refused.err
