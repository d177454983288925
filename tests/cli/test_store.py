"""`writeit store`: output, effects and exit codes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.test_maintenance import held
from storage.whole import FINISHED
from support.terminal import QuickShell
from writeit.storage.store import LmdbStore


def test_status_counts(stored: QuickShell) -> None:
    """As text, and as JSON with the names of the data model."""
    result = stored.writeit("store", "status", "--json")
    assert result.code == 0
    assert result.json["path"] == str(stored.store)
    assert result.json["runs"] == 4
    assert result.json["responses"] == 8
    assert set(result.json) == {
        *("path", "schema", "map_bytes", "used_bytes", "file_bytes"),
        *("runs", "responses", "texts", "events"),
    }
    plain = stored.writeit("store", "status")
    assert f"{stored.store}\n" in plain.out
    assert "runs        4\n" in plain.out


def test_a_valid_store_has_no_problems(stored: QuickShell) -> None:
    """Exit code 0 and the number of checked keys."""
    result = stored.writeit("store", "verify", "--json")
    assert result.code == 0
    assert result.json["ok"]
    assert result.json["checked"] > 100
    assert result.json["problems"] == []
    plain = stored.writeit("store", "verify")
    assert plain.out == f"Checked {result.json['checked']} keys, problems: 0.\n"


def test_damage_is_named_with_exit_code_1(stored: QuickShell) -> None:
    """Each problem has its key and a message."""
    assert stored.writeit("store", "status").code == 0  # may upgrade the copy
    data = stored.store / "data.mdb"
    content = data.read_bytes()
    offset = content.index(b"Answer 100. Answer 100.")
    with data.open("r+b") as file:
        file.seek(offset)
        file.write(b"a")
    result = stored.writeit("store", "verify")
    assert result.code == 1
    assert result.out.startswith("text:")
    assert result.out.endswith("problems: 1.\n")
    as_json = stored.writeit("store", "verify", "--json")
    assert as_json.code == 1
    assert not as_json.json["ok"]
    assert as_json.json["problems"][0]["key"].startswith("text:")


def test_compacting_shows_the_new_size(stored: QuickShell) -> None:
    """The file is smaller."""
    before = stored.writeit("store", "status", "--json").json
    after = stored.writeit("store", "compact", "--json")
    assert after.code == 0
    assert after.json["file_bytes"] < before["file_bytes"]
    assert "file bytes" in stored.writeit("store", "compact").out


def test_a_backup_replaces_nothing(stored: QuickShell) -> None:
    """It may be outside of the workspace; an existing path is refused."""
    target = stored.folder.parent / "elsewhere" / "backup"
    result = stored.writeit("store", "backup", "../elsewhere/backup", "--json")
    assert result.code == 0
    store = LmdbStore.open(target)
    assert store.get_run(FINISHED) is not None
    store.close()
    again = stored.writeit("store", "backup", str(target))
    assert again.code == 2
    assert "already" in again.err
    assert "Traceback" not in again.err


def test_pruning_deletes_only_with_yes(stored: QuickShell) -> None:
    """The counts are the same; then nothing is left to prune."""
    counted = stored.writeit("store", "prune", "--before", "2030-01-01", "--json")
    assert counted.code == 0
    assert counted.json == {"runs": 1, "responses": 2, "dry_run": True}
    assert "--yes" in stored.writeit("store", "prune").err
    pruned = stored.writeit("store", "prune", "--before", "2030-01-01", "--yes")
    assert pruned.out == "Deleted: finished runs 1, answers 2.\n"
    assert stored.writeit("store", "prune", "--json").json["runs"] == 0


@pytest.mark.parametrize(
    "arguments",
    [("prune", "--yes"), ("prune", "--before", "tomorrow"), ("backup",), ("shrink",)],
)
def test_wrong_usage_has_exit_code_2(
    stored: QuickShell, arguments: tuple[str, ...]
) -> None:
    """Nothing is printed to stdout."""
    result = stored.writeit("store", *arguments)
    assert result.code == 2
    assert result.out == ""


def test_a_store_that_cannot_be_opened_fails(stored: QuickShell) -> None:
    """Exit code 1 with a hint."""
    (stored.store / "data.mdb").write_bytes(b"")
    result = stored.writeit("store", "verify")
    assert result.code == 1
    assert "damaged" in result.err


def test_moving_shows_both_paths(
    stored: QuickShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As text and JSON; a second move succeeds and does nothing."""
    monkeypatch.setenv("WRITEIT_STORE_LOCATION", "user")
    status = stored.writeit("store", "status", "--json")
    assert "writeit store move" in status.err
    moved = stored.writeit("store", "move", "--json")
    assert moved.code == 0
    assert moved.json["moved"]
    assert moved.json["from"] == str(stored.store)
    after = stored.writeit("store", "status", "--json")
    assert after.json["path"] == moved.json["to"]
    assert after.json["runs"] == status.json["runs"]
    assert after.err == ""
    again = stored.writeit("store", "move", "--json")
    assert (again.code, again.json["moved"], again.json["from"]) == (0, False, None)
    assert moved.json["to"] in stored.writeit("store", "move").out
    monkeypatch.delenv("WRITEIT_STORE_LOCATION")
    back = stored.writeit("store", "move")
    assert back.code == 0
    assert back.out == (
        f"Moved the run history from {moved.json['to']} to {stored.store}.\n"
    )


def test_restore_shows_what_it_replaces_and_keeps_it(
    stored: QuickShell, tmp_path: Path
) -> None:
    """Nothing is changed without --yes; the replaced store can be restored too."""
    backup = str(tmp_path / "backup")
    stored.writeit("store", "backup", backup)
    stored.writeit("store", "prune", "--before", "2999-01-01", "--yes")
    pruned = stored.writeit("store", "status", "--json").json["runs"]
    shown = stored.writeit("store", "restore", backup)
    assert (shown.code, "Nothing was changed" in shown.err) == (0, True)
    assert stored.writeit("store", "status", "--json").json["runs"] == pruned
    done = stored.writeit("store", "restore", backup, "--yes", "--json").json
    assert (done["store_runs"], done["replaced"]) == (pruned, [])
    restored = stored.writeit("store", "status", "--json").json["runs"]
    assert restored == done["backup_runs"] > pruned
    back = stored.writeit("store", "restore", done["kept_in"], "--yes", "--json").json
    assert len(back["replaced"]) == restored - pruned
    assert stored.writeit("store", "status", "--json").json["runs"] == pruned
    assert stored.writeit("store", "verify").code == 0


def test_restore_names_the_runs_that_the_backup_lacks(
    stored: QuickShell, tmp_path: Path
) -> None:
    """By title, before anything is replaced."""
    kept = shutil.copytree(stored.store, tmp_path / "kept")
    stored.writeit("store", "prune", "--before", "2999-01-01", "--yes")
    backup = str(tmp_path / "backup")
    stored.writeit("store", "backup", backup)
    shutil.copyfile(kept / "data.mdb", stored.store / "data.mdb")
    shown = stored.writeit("store", "restore", backup)
    assert "The backup does not have these runs as they are now:" in shown.out
    assert shown.out.count(", changed ") == len(
        stored.writeit("store", "restore", backup, "--json").json["replaced"]
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: data.unlink(), "There is no backup"),
        (lambda data: data.write_bytes(data.read_bytes()[:9000]), "is damaged"),
    ],
)
def test_restore_refuses_what_is_no_backup(
    stored: QuickShell,
    tmp_path: Path,
    damage: Callable[[Path], None],
    message: str,
) -> None:
    """The store is unchanged."""
    backup = tmp_path / "backup"
    stored.writeit("store", "backup", str(backup))
    damage(backup / "data.mdb")
    before = (stored.store / "data.mdb").read_bytes()
    refused = stored.writeit("store", "restore", str(backup), "--yes")
    assert refused.code == 1
    assert message in refused.err
    assert (stored.store / "data.mdb").read_bytes() == before


def test_restore_refuses_while_an_editor_has_the_store_open(
    stored: QuickShell, tmp_path: Path
) -> None:
    """It says what to do."""
    backup = str(tmp_path / "backup")
    stored.writeit("store", "backup", backup)
    with held(stored.store):
        refused = stored.writeit("store", "restore", backup, "--yes")
    assert refused.code == 1
    assert "Close your editors" in refused.err
