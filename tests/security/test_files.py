"""Odd files of a folder: nothing hangs, nothing fills the disk, nothing is run."""

import asyncio
import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support.editor import Editor, serving
from support.waiting import TIMEOUT
from writeit.cli.workspace import read_text_file
from writeit.domain.errors import InvalidExport, InvalidParams, StoreError
from writeit.export.bundle_reader import read_export
from writeit.library.catalog import (
    MAX_FILES,
    MAX_FOLDER_BYTES,
    MAX_LISTED,
    read_library,
)
from writeit.library.front_matter import split_front_matter
from writeit.library.pipelines import MAX_ITEMS
from writeit.library.yaml_source import MAX_PROBLEMS
from writeit.storage.provenance import MAX_FOREIGN_BYTES
from writeit.storage.store import LmdbStore
from writeit.text.block_reader import find_title

HEAD = "inputs: [{name: notes, required: true, from: document}]\nsteps:\n"
STEP = "- {name: draft, prompt: 'x'}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that somebody else made, and no configuration of the user."""
    monkeypatch.setenv("WRITEIT_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "data"))
    (tmp_path / "w" / "pipelines").mkdir(parents=True)
    return tmp_path / "w"


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("kind", ["fifo", "socket", "device", "folder"])
async def test_notes_that_are_no_file_do_not_hang_the_server(
    cloned: Editor, kind: str
) -> None:
    """Reading a pipe would wait for a writer."""
    path = cloned.folder / f"{kind}.md"
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "folder":
            path.mkdir()
        case "device":
            path.symlink_to("/dev/zero")
        case _:
            path.symlink_to("/proc/self/fd/0")
    refusal = await asyncio.wait_for(
        cloned.refusal("writeit.run.start", pipeline="tech-article", uri=path.as_uri()),
        10,
    )
    assert refusal.kind in {"not_found", "invalid_params", "not_trusted"}


def test_notes_that_are_a_pipe_do_not_hang_the_terminal(tmp_path: Path) -> None:
    """It is said at once; a pipe of the shell's `<(…)` is read."""
    os.mkfifo(tmp_path / "notes.md")
    with pytest.raises(InvalidParams, match="is a pipe"):
        read_text_file(tmp_path / "notes.md")
    reading, writing = os.pipe()
    os.write(writing, b"# Notes\n")
    os.close(writing)
    assert read_text_file(Path(f"/dev/fd/{reading}")) == "# Notes\n"
    os.close(reading)


def test_a_pipeline_that_is_a_pipe_is_not_read(folder: Path) -> None:
    """It is a problem of the folder."""
    os.mkfifo(folder / "pipelines" / "x.yaml")
    _, problems = read_library(folder)
    assert any("not a file" in problem.message for problem in problems)


@pytest.mark.parametrize("size", [2**40, MAX_FOREIGN_BYTES + 1, 2**27])
def test_a_sparse_store_is_looked_at_before_it_is_copied(
    folder: Path, size: int
) -> None:
    """A terabyte of holes would fill the disk."""
    store = folder / ".writeit" / "store"
    store.mkdir(parents=True)
    with (store / "data.mdb").open("wb") as file:
        file.truncate(size)
    started = time.monotonic()
    with pytest.raises(StoreError):
        LmdbStore(store).open_existing()
    assert time.monotonic() - started < 5
    assert sum(p.stat().st_blocks for p in store.rglob("*")) < 2**20


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_ours_is_for_this_user_only(
    folder: Path, environment: dict[str, str]
) -> None:
    """Folders 0700, files 0600, whatever the umask is; also those of before."""
    (folder / "notes.md").write_text("Notes.\n")
    old = folder / ".writeit" / "views"
    old.mkdir(parents=True)
    (old / "page.md").write_text("A page.\n")
    (old / "link").symlink_to(folder / "notes.md")
    for path in (old.parent, old, old / "page.md", folder / "notes.md"):
        path.chmod(0o755)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "writeit", "run", "tech-article", "notes.md"),
        *("-m", "openai/say-hello", "-q"),
        cwd=folder,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.DEVNULL,
        umask=0,
    )
    await process.wait()
    ours = [folder / ".writeit", *(folder / ".writeit").rglob("*")]
    assert len(ours) > 3
    for path in ours:
        if not path.is_symlink():
            mode = stat.S_IMODE(path.stat().st_mode)
            assert mode & 0o077 == 0, (path, oct(mode))
    assert stat.S_IMODE((folder / "notes.md").stat().st_mode) == 0o755


SHADOWS = ("yaml", "keyring", "click", "lmdb", "jinja2", "litellm", "pydantic")


@pytest.mark.parametrize("module", SHADOWS)
def test_no_module_of_the_folder_is_imported(
    tmp_path: Path, module: str, environment: dict[str, str]
) -> None:
    """`python -m writeit` in a cloned folder runs nothing of it."""
    (tmp_path / f"{module}.py").write_text("open('owned', 'w').close()\n")
    subprocess.run(
        [sys.executable, "-m", "writeit", "pipeline", "list"],
        cwd=tmp_path,
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        timeout=TIMEOUT,
    )
    assert not (tmp_path / "owned").exists()


def test_the_embedded_server_ends_with_its_parent_while_it_loads() -> None:
    """Its stdin is watched before the weights are."""
    code = (
        "import time\nfrom writeit.llm.providers import embedded\n"
        "embedded.start_listening = lambda settings: time.sleep(600)\n"
        "embedded.serve_embedded_model()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(b"{}\n")
    process.stdin.flush()
    process.stdin.close()
    assert process.wait(TIMEOUT) == 0


def test_a_pipeline_has_a_number_of_steps(folder: Path) -> None:
    """4,000 steps are a problem of the file, found at once."""
    steps = "".join(f"- {{name: s{n}, prompt: 'x'}}\n" for n in range(MAX_ITEMS + 1))
    (folder / "pipelines" / "x.yaml").write_text(f"name: x\n{HEAD}{steps}")
    library, problems = read_library(folder)
    assert library.pipelines["x"].value is None
    assert any(f"at most {MAX_ITEMS} steps" in p.message for p in problems)


def test_a_file_has_a_number_of_problems(folder: Path) -> None:
    """1,500 unknown variables are told of in part, and quickly."""
    prompt = " ".join(f"{{{{ inputs.unknown{n} }}}}" for n in range(1_500))
    (folder / "pipelines" / "x.yaml").write_text(
        f"name: x\n{HEAD}- {{name: draft, prompt: '{prompt}'}}\n"
    )
    started = time.process_time()
    _, problems = read_library(folder)
    assert time.process_time() - started < 3
    assert 0 < len(problems) <= MAX_PROBLEMS


def test_a_folder_has_a_number_of_bytes(folder: Path) -> None:
    """120 big files are read in part."""
    for number in range(120):
        filler = "#" * 200_000
        (folder / "pipelines" / f"x{number:03}.yaml").write_text(
            f"name: x{number}\n{HEAD}{STEP}{filler}\n"
        )
    library, problems = read_library(folder)
    own = [name for name in library.pipelines if name.startswith("x")]
    assert len(own) <= MAX_FOLDER_BYTES // 200_000
    assert any("are not read" in problem.message for problem in problems)


def test_a_folder_has_a_number_of_files(folder: Path) -> None:
    """The first ones are read."""
    for number in range(MAX_FILES + 5):
        (folder / "pipelines" / f"x{number:03}.yaml").write_text("{}\n")
    _, problems = read_library(folder)
    assert any(f"first {MAX_FILES} files" in problem.message for problem in problems)


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("number", ["1" + "0" * 400, "9" * 5_000, "-" + "9" * 30])
async def test_a_big_integer_does_not_break_the_list(
    cloned: Editor, number: str
) -> None:
    """A file of the folder has a problem; the others are listed."""
    path = cloned.folder / "pipelines" / "big.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"name: big\ndefaults: {{x: {number}}}\n{HEAD}{STEP}")
    listed = await cloned.command("writeit.pipeline.list")
    path.unlink()
    names = [pipeline["name"] for pipeline in listed["pipelines"]]
    assert "tech-article" in names


SECRET = "a-sentence-that-goes"
SECRET_ENCODED = SECRET.replace("-", "+2D")  # usage keeps the names of models


@pytest.mark.asyncio(loop_scope="session")
async def test_a_deleted_run_leaves_no_text_in_the_folder(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """After delete and compact its pages and renderings are gone, too."""
    (tmp_path / "notes.md").write_text("Notes.\n")
    async with serving([tmp_path], "bare", environment) as editor:
        notes = editor.open_document(tmp_path / "notes.md")
        run_ids = []
        for model in (f"openai/say-{SECRET_ENCODED}", "openai/say-other"):
            run = await editor.command(
                "writeit.run.start", pipeline="tech-article", uri=notes
            )
            run_ids.append(run["pipelineRunId"])
            await editor.command("writeit.step.run", runId=run_ids[-1], models=[model])
            await editor.command(
                "writeit.view.open", view="step", runId=run_ids[-1], step="angles"
            )
        before = list((tmp_path / ".writeit").rglob("*.md"))
        assert any(SECRET in p.read_text() for p in before)
        await editor.command("writeit.run.delete", runId=run_ids[0])
        await editor.command("writeit.store.compact")
        kept = [p for p in (tmp_path / ".writeit").rglob("*") if p.is_file()]
        assert [p for p in kept if SECRET.encode() in p.read_bytes()] == []
        assert any(run_ids[1] in str(p) for p in kept)


@pytest.mark.parametrize("tag", ["int ''", "timestamp x", "bool x", "float ''"])
def test_a_value_that_its_tag_does_not_fit_is_a_problem(folder: Path, tag: str) -> None:
    """PyYAML raises whatever it happens to; in an export and in a pipeline."""
    (folder / "pipelines" / "x.yaml").write_text(
        f"name: x\ndefaults: {{a: !!{tag}}}\n{HEAD}{STEP}"
    )
    _, problems = read_library(folder)
    assert any("is not a valid" in problem.message for problem in problems)
    with pytest.raises(InvalidExport, match="is not "):
        read_export(f"writeit_export: 2\nrun: !!{tag}\n")


@pytest.mark.parametrize("key", ["? [writeit]", "? {writeit: x}", "? &a [*a]"])
def test_a_key_that_is_no_text_is_a_problem(key: str) -> None:
    """It is no reason to fail while the allowed providers are looked for."""
    found = split_front_matter(f"---\n{key}\n: x\nwriteit: {{providers: [a]}}\n---\n")
    assert found.config.providers is not None


def test_a_folder_with_too_many_files_is_not_read(folder: Path) -> None:
    """Their names alone would take too long, so none counts."""
    for number in range(MAX_LISTED + 1):
        (folder / "pipelines" / f"{number}.txt").touch()
    (folder / "pipelines" / "x.yaml").write_text(f"name: x\n{HEAD}{STEP}")
    library, problems = read_library(folder)
    assert "x" not in library.pipelines
    assert any("No file of this folder is read" in p.message for p in problems)


LONG = "x" * 70_000
ENDING = "writeit: {pipeline: x}\n---\n"


@pytest.mark.parametrize(
    "front_matter",
    [
        f"---\na: {LONG}\n{ENDING}",
        "---\na: [" + "1," * 2_000 + f"]\n{ENDING}",
        f'+++\na = "{LONG}"\n[writeit]\npipeline = "x"\n+++\n',
        "---\n" + "a: b\n" * 60_000 + ENDING,
    ],
    ids=["64 KB", "2,000 nodes", "64 KB of TOML", "260,000 characters"],
)
def test_front_matter_that_is_too_long_stops_sending(front_matter: str) -> None:
    """It is not read, and might limit the providers."""
    found = split_front_matter(f"{front_matter}# Notes\n")
    assert not found.is_valid
    assert found.config.providers == ()


def test_a_title_is_looked_for_near_the_start() -> None:
    """Notes of 5 MB made for it took 17 seconds."""
    started = time.process_time()
    find_title("$$\n# a\n" * 600_000)
    assert find_title("words\n\n" * 2_000 + "# A title\n") == "A title"
    assert time.process_time() - started < 5


@pytest.mark.asyncio(loop_scope="session")
async def test_a_passage_of_a_text_that_is_too_long_is_refused(cloned: Editor) -> None:
    """5 MB of lists were parsed for minutes."""
    path = cloned.folder / "long.md"
    path.write_text("- a\n  - b\n    - c\n" * 60_000)
    span = {"start": {"line": 0, "character": 2}, "end": {"line": 0, "character": 3}}
    refusal = await cloned.refusal(
        "writeit.document.polish",
        pipeline="polish-passage",
        uri=path.as_uri(),
        range=span,
    )
    assert "1,000,000 characters" in str(refusal)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_document_that_is_not_open_has_a_length(cloned: Editor) -> None:
    """It is not read into memory."""
    path = cloned.folder / "book.md"
    path.write_text("a" * 5_000_001)
    refusal = await cloned.refusal(
        "writeit.run.start", pipeline="tech-article", uri=path.as_uri()
    )
    assert "5,000,000 characters" in str(refusal)


def test_a_key_that_is_doubled_in_json_is_found_at_once() -> None:
    """Counting each of 60,000 names took seconds."""
    keys = ", ".join(f'"k{number}": 1' for number in range(4_000))
    text = f'{{"writeit": {{}}, {keys}, "k0": 2}}\n\n# Notes\n'
    assert not split_front_matter(text).is_valid
