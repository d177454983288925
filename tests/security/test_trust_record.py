"""`trust.json`: nobody else can trust a folder, and damage trusts nothing."""

import json
import multiprocessing
import os
import stat
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from support.attacks import add_pipeline
from writeit import files
from writeit.domain.errors import StoreError
from writeit.engine.precedence import Untrusted
from writeit.library.catalog import Library, read_library
from writeit.library.front_matter import FrontMatterConfig
from writeit.trust import FolderTrust
from writeit.trust_record import read_decisions


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return the place of the decisions."""
    return tmp_path / "data" / "trust.json"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with a pipeline that names a model."""
    monkeypatch.setenv("WRITEIT_CONFIG_DIR", str(tmp_path / "config"))
    folder = tmp_path / "folder"
    folder.mkdir()
    add_pipeline(folder, "theirs", "models: [openai/theirs]")
    return folder


def library_of(folder: Path) -> Library:
    """Return the library as it is on the disk."""
    return read_library(folder)[0]


def trust(file: Path, folder: Path) -> FolderTrust:
    """Trust a folder as it is."""
    record = FolderTrust(file, folder, override=None)
    record.trust_shown(library_of(folder))
    return record


def untrusted(file: Path, folder: Path) -> Untrusted:
    """Return what another process finds untrusted in a run of the pipeline."""
    record = FolderTrust(file, folder, override=None)
    library = library_of(folder)
    return record.assess(library, library.pipeline("theirs"), FrontMatterConfig(), None)


def test_the_record_is_the_users_alone(file: Path, folder: Path) -> None:
    """Folder and file, whatever the mode of an older file."""
    trust(file, folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    file.chmod(0o644)
    trust(file, folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_the_record_has_the_real_path_and_digests(file: Path, folder: Path) -> None:
    """As the data model of the issue says."""
    trust(file, folder)
    entry = json.loads(file.read_text())[str(folder.resolve())]
    assert entry["decision"] == "trusted"
    assert set(entry) == {"decision", "digest", "seen"}
    assert set(entry["seen"]) == {"pipelines/theirs.yaml"}
    assert not untrusted(file, folder).pipeline


def _rewrite(change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def rewrite(file: Path) -> None:
        data = json.loads(file.read_text())
        (entry,) = data.values()
        change(entry)
        file.write_text(json.dumps(data))

    return rewrite


def _link(file: Path) -> None:
    file.rename(file.with_name("real.json"))
    file.symlink_to(file.with_name("real.json"))


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


DAMAGE: dict[str, Callable[[Path], object]] = {
    "cut": lambda file: file.write_text(file.read_text()[:40]),
    "empty": lambda file: file.write_text(""),
    "a list": lambda file: file.write_text("[]"),
    "not UTF-8": lambda file: file.write_bytes(b"\xff\xfe{}"),
    "an unknown decision": _rewrite(lambda entry: entry.update(decision="admin")),
    "an unknown key": _rewrite(lambda entry: entry.update(all=True)),
    "no digests": _rewrite(lambda entry: entry.update(seen=["pipelines/theirs.yaml"])),
    "writable by others": lambda file: file.chmod(0o622),
    "a link": _link,
    "a pipe": _pipe,
    "a folder": _folder,
    "deep": lambda file: file.write_text("[" * 100_000),
    "large": lambda file: os.truncate(file, 17 * 1024**2),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_record_trusts_nothing_and_is_kept(
    file: Path, folder: Path, damage: Callable[[Path], object]
) -> None:
    """One message says so; nothing that the user may want back is overwritten."""
    trust(file, folder)
    damage(file)
    before = file.lstat()
    assert untrusted(file, folder).pipeline == "pipelines/theirs.yaml"
    record = FolderTrust(file, folder, override=None)
    assert record.state(library_of(folder)) == "restricted"
    assert "cannot be used" in record.problem
    assert "\n" not in record.problem
    with pytest.raises(StoreError):
        record.trust_shown(library_of(folder))
    assert file.lstat().st_ino == before.st_ino


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_record_of_somebody_else_trusts_nothing(file: Path, folder: Path) -> None:
    """Somebody who can put a file there."""
    trust(file, folder)
    os.chown(file, 12345, 12345)
    assert untrusted(file, folder).pipeline


def test_a_decision_without_the_digest_of_a_file_does_not_cover_it(
    file: Path, folder: Path
) -> None:
    """The word `trusted` alone is not enough."""
    trust(file, folder)
    _rewrite(lambda entry: entry.update(seen={}, digest=""))(file)
    assert untrusted(file, folder).pipeline


def test_what_was_not_shown_is_not_trusted(file: Path, folder: Path) -> None:
    """A file that changes between digest and yes is asked about again."""
    record = FolderTrust(file, folder, override=None)
    library = library_of(folder)
    found = record.assess(
        library, library.pipeline("theirs"), FrontMatterConfig(), None
    )
    record.shown["run"] = found.digests
    add_pipeline(folder, "theirs", "models: [openai/worse]")
    changed = untrusted(file, folder)
    assert not record.agree(library_of(folder), "run", changed.digests)
    assert untrusted(file, folder).pipeline


def test_trust_is_of_bytes_not_of_times(file: Path, folder: Path) -> None:
    """A file with the same size and time is another one."""
    trust(file, folder)
    path = folder / "pipelines" / "theirs.yaml"
    status = path.stat()
    path.write_text(path.read_text().replace("openai/theirs", "openai/others"))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert untrusted(file, folder).pipeline


def test_a_pipeline_of_a_foreign_history_is_not_trusted(
    file: Path, folder: Path
) -> None:
    """A run in a store that came along names models, too."""
    pipeline = library_of(folder).pipeline("theirs")
    (folder / "pipelines" / "theirs.yaml").unlink()
    record = FolderTrust(file, folder, override=None)
    library = library_of(folder)
    bundled = library.pipeline("tech-article")
    record.note_run(library, bundled, Untrusted(), UUID(int=1))
    assert record.state(library) == "home"
    found = record.assess(library, pipeline, FrontMatterConfig(), None)
    assert found.pipeline == "theirs"


def _see_many(file: Path, folder: Path, first: int) -> None:
    record = FolderTrust(file, folder, override=None)
    library = library_of(folder)
    for number in range(first, first + 20):
        record.note_seen(f"file-{number}", f"digest-{number}", library)


def test_processes_that_decide_at_once_lose_nothing(file: Path, folder: Path) -> None:
    """Each reads what the others wrote before."""
    context = multiprocessing.get_context("fork")
    processes = [
        context.Process(target=_see_many, args=(file, folder, first))
        for first in (0, 20, 40)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    (entry,) = read_decisions(file).values()
    assert {f"file-{n}" for n in range(60)} <= set(entry.seen)


def test_a_decision_is_not_written_while_another_process_writes(
    file: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the lock it would undo the other's; it is reported instead."""
    monkeypatch.setattr(files, "REQUIRED_LOCK_RETRIES", 2)
    trust(file, folder)
    before = file.read_bytes()
    with files.folder_lock(file.parent):
        record = FolderTrust(file, folder, override=None)
        record.note_seen("one", "digest", library_of(folder))
    assert record.problem
    assert "locked" in record.problem
    assert file.read_bytes() == before


def test_what_cannot_be_remembered_counts_until_the_end(
    file: Path, folder: Path
) -> None:
    """The user typed it; a full disk does not make it somebody else's."""
    file.parent.write_text("not a folder")
    record = FolderTrust(file, folder, override=None)
    library = library_of(folder)
    (entry,) = record.unseen_files(library)
    record.note_seen(entry.file.path, entry.digest, library)
    assert record.problem
    assert record.unseen_files(library) == []
    assert untrusted(file, folder).pipeline


def test_the_number_of_remembered_files_is_bounded(file: Path, folder: Path) -> None:
    """The oldest are forgotten, and asked about again."""
    record = FolderTrust(file, folder, override=None)
    many = {f"file-{n}": f"digest-{n}" for n in range(3_000)}
    record.trust(library_of(folder), many)
    (entry,) = read_decisions(file).values()
    assert len(entry.seen) == 2_000
    assert "file-2999" in entry.seen


RUN = UUID(int=7)


def run_of(
    file: Path, folder: Path, run_id: UUID = RUN, *, override: bool | None = None
) -> Untrusted:
    """Return what another process finds untrusted in a run of a bundled pipeline."""
    record = FolderTrust(file, folder, override=override)
    library = library_of(folder)
    return record.assess(library, None, FrontMatterConfig(), None, run_id=run_id)


def test_a_foreign_history_is_never_forgotten(file: Path, folder: Path) -> None:
    """However many files and runs are remembered after it."""
    record = FolderTrust(file, folder, override=None)
    record.note_foreign_history()
    record.trust(library_of(folder), {f"file-{n}": f"digest-{n}" for n in range(3_000)})
    assert run_of(file, folder).history


def test_an_imported_run_is_asked_about_until_it_is_trusted(
    file: Path, folder: Path
) -> None:
    """Its models are somebody else's; a yes is remembered, and a revoked one is not."""
    library = library_of(folder)
    record = FolderTrust(file, folder, override=None)
    record.note_imported(RUN, library)
    assert run_of(file, folder).history
    assert not run_of(file, folder, UUID(int=8)).history
    record.trust(library, run_of(file, folder).digests)
    assert not run_of(file, folder).history
    assert not run_of(file, folder).is_own_run
    record.revoke()
    assert run_of(file, folder).history


def test_a_damaged_record_trusts_no_history(file: Path, folder: Path) -> None:
    """Nobody knows whose runs they are; one that the user starts works."""
    trust(file, folder)
    file.write_text("damaged")
    assert run_of(file, folder).history
    record, library = FolderTrust(file, folder, override=None), library_of(folder)
    record.note_run(library, library.pipeline("tech-article"), Untrusted(), RUN)
    found = record.assess(library, None, FrontMatterConfig(), None, run_id=RUN)
    assert not found.history


def test_a_revoked_folder_does_not_trust_its_history(file: Path, folder: Path) -> None:
    """The user's own runs in it stay the user's."""
    record = FolderTrust(file, folder, override=None)
    library = library_of(folder)
    record.note_foreign_history()
    record.note_run(library, library.pipeline("tech-article"), Untrusted(), RUN)
    record.trust(library, run_of(file, folder, UUID(int=8)).digests)
    record.revoke()
    assert run_of(file, folder, UUID(int=8)).history
    assert not run_of(file, folder).history


def test_an_editor_that_trusts_knows_whose_run_it_is(file: Path, folder: Path) -> None:
    """Many calls are asked about if the run came along, and not if it is the user's."""
    FolderTrust(file, folder, override=None).note_foreign_history()
    record = FolderTrust(file, folder, override=True)
    library = library_of(folder)
    record.note_run(library, library.pipeline("tech-article"), Untrusted(), RUN)
    assert run_of(file, folder, override=True).is_own_run
    assert not run_of(file, folder, UUID(int=8), override=True).is_own_run


def test_a_revoked_folder_forgets_all_that_was_seen(file: Path, folder: Path) -> None:
    """Another process sees that at once."""
    other = FolderTrust(file, folder, override=None)
    record = trust(file, folder)
    assert other.state(library_of(folder)) == "trusted"
    record.revoke()
    assert other.state(library_of(folder)) == "restricted"
    assert untrusted(file, folder).pipeline
