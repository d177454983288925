"""The shelves: what is found where, what takes whose place, and what is refused."""

# ruff: noqa: D103 -- the name of a test is its promise

import os
from pathlib import Path

import pytest

from writeit.domain.errors import InvalidPipeline
from writeit.library import catalog
from writeit.library.catalog import (
    MAX_FILES,
    Library,
    LibraryCache,
    bundled_library_root,
    read_library,
    user_library_root,
)
from writeit.library.yaml_source import SourceProblem

PIPELINE = """\
name: {name}
description: {description}
inputs: [{{name: source, required: true}}]
steps: [{{name: write, prompt: "{{{{ inputs.source }}}}"}}]
"""
PRIMER = """\
name: {description}
content: Plainly.
voice_attributes: {{tone: a, structure: b, language: c}}
guidelines: {{avoid: [], prefer: []}}
"""


@pytest.fixture(autouse=True)
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The writer's own folder, empty."""
    monkeypatch.setenv("WRITEIT_CONFIG_DIR", str(tmp_path / "user"))
    return tmp_path / "user"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace folder, empty."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


def put(
    root: Path,
    name: str,
    description: str = "",
    *,
    file: str = "",
    shape: str = PIPELINE,
) -> Path:
    """Write a pipeline (or what `shape` is) below `root`."""
    shelf = "primers" if shape == PRIMER else "pipelines"
    path = root / shelf / f"{file or name}.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(shape.format(name=name, description=description or "x"), "utf-8")
    return path


def library(workspace: Path | None) -> Library:
    return read_library(workspace)[0]


def check_problem(
    workspace: Path, path: Path, severity: str, words: str
) -> tuple[Library, SourceProblem]:
    """Check that `path` has exactly one problem, of that severity, with these words."""
    found, problems = read_library(workspace)
    (problem,) = [each for each in problems if each.uri == path.as_uri()]
    assert problem.severity == severity
    assert words in problem.message
    return found, problem


# --- where things are -------------------------------------------------------------


def test_the_bundled_ones_are_there_without_a_workspace() -> None:
    found = library(None)
    assert found.pipeline("tech-article").name == "tech-article"
    assert found.primer("tech-journalist").primer_id == "tech-journalist"
    assert found.pipelines["tech-article"].scope == "bundled"


def test_the_bundled_root_holds_both_shelves() -> None:
    assert (bundled_library_root() / "pipelines").is_dir()
    assert (bundled_library_root() / "primers").is_dir()


def test_the_writers_own_folder_is_the_platforms(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("WRITEIT_CONFIG_DIR")
    assert "writeit" in user_library_root().parts


@pytest.mark.parametrize("inside", [".", ".writeit"])
def test_a_workspaces_pipelines_are_found(workspace: Path, inside: str) -> None:
    put(workspace / inside, "mine")
    found = library(workspace)
    assert found.pipeline("mine").name == "mine"
    assert found.pipelines["mine"].scope == "workspace"


def test_a_writers_own_pipelines_are_found(user: Path, workspace: Path) -> None:
    put(user, "own")
    assert library(workspace).pipelines["own"].scope == "user"


@pytest.mark.rule("config-1")
def test_nearer_folders_win(user: Path, workspace: Path) -> None:
    for root, words in (
        (user, "user"),
        (workspace / ".writeit", "hidden"),
        (workspace, "open"),
    ):
        put(root, "tech-article", words)
        assert library(workspace).pipeline("tech-article").description == words


@pytest.mark.rule("primer-1")
def test_nearer_primers_win(workspace: Path) -> None:
    put(workspace, "academic", "Mine", shape=PRIMER)
    assert library(workspace).primer("academic").name == "Mine"


def test_taking_anothers_place_is_told(workspace: Path) -> None:
    path = put(workspace, "tech-article")
    check_problem(workspace, path, "information", "the bundled 'tech-article'")


@pytest.mark.rule("config-1")
def test_the_same_name_twice_in_one_folder_is_an_error(workspace: Path) -> None:
    put(workspace, "mine", "first", file="a")
    second = put(workspace, "mine", "second", file="b")
    found, _ = check_problem(workspace, second, "error", "a.yaml has the name")
    with pytest.raises(InvalidPipeline, match=r"in a\.yaml .* b\.yaml has the name"):
        found.pipeline("mine")


def test_a_folder_that_is_the_bundled_one_is_read_once() -> None:
    """WriteIt's own checkout is a workspace too."""
    found, problems = read_library(bundled_library_root())
    assert problems == []
    assert found.pipelines["tech-article"].scope == "workspace"


def test_other_files_are_left_alone(workspace: Path) -> None:
    path = put(workspace, "mine")
    path.rename(path.with_suffix(".txt"))
    put(workspace, "hidden", file=".hidden")
    assert not {"mine", "hidden"} & set(library(workspace).pipelines)


# --- what is refused --------------------------------------------------------------


def test_a_bad_file_stops_no_other(workspace: Path) -> None:
    put(workspace, "good")
    bad = put(workspace, "bad")
    bad.write_text("name: [", "utf-8")
    found, _ = check_problem(workspace, bad, "error", "YAML")
    assert found.pipeline("good").name == "good"


def test_a_bad_file_still_takes_its_names_place(workspace: Path) -> None:
    path = put(workspace, "tech-article", file="other")
    path.write_text(path.read_text("utf-8") + "stepps: []\n", "utf-8")
    with pytest.raises(InvalidPipeline):
        library(workspace).pipeline("tech-article")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"name: \xff", "not UTF-8 (at byte 6)"),
        (b"#" * (256 * 1024 + 1), "limit is 256 KB"),
    ],
)
def test_a_file_that_cannot_be_read_is_a_problem(
    workspace: Path, content: bytes, words: str
) -> None:
    path = put(workspace, "mine")
    path.write_bytes(content)
    check_problem(workspace, path, "error", words)


def test_a_link_that_leaves_the_workspace_is_not_followed(
    workspace: Path, tmp_path: Path
) -> None:
    outside = put(tmp_path / "elsewhere", "outside")
    link = put(workspace, "inside").with_name("link.yaml")
    link.symlink_to(outside)
    found, _ = check_problem(workspace, link, "warning", "leads out of the workspace")
    assert "outside" not in found.pipelines


def test_a_linked_folder_that_leaves_the_workspace_is_not_followed(
    workspace: Path, tmp_path: Path
) -> None:
    put(tmp_path / "elsewhere", "outside")
    (workspace / "pipelines").symlink_to(tmp_path / "elsewhere" / "pipelines")
    assert "outside" not in library(workspace).pipelines


def test_a_link_within_the_workspace_is_followed(workspace: Path) -> None:
    path = put(workspace / "drafts", "mine")
    (workspace / "pipelines").mkdir()
    (workspace / "pipelines" / "link.yaml").symlink_to(path)
    assert library(workspace).pipeline("mine").name == "mine"


def test_a_dangling_link_is_a_problem(workspace: Path) -> None:
    link = put(workspace, "mine").with_name("link.yaml")
    link.symlink_to(workspace / "nothing.yaml")
    check_problem(workspace, link, "warning", "cannot be read")


def test_what_is_no_file_is_not_opened(workspace: Path) -> None:
    pipe = put(workspace, "mine").with_name("pipe.yaml")
    os.mkfifo(pipe)
    check_problem(workspace, pipe, "warning", "not a file")


def test_more_files_than_anyone_has_are_not_read(workspace: Path) -> None:
    folder = put(workspace, "mine").parent
    for number in range(MAX_FILES):
        (folder / f"z{number}.yaml").touch()
    check_problem(workspace, folder, "warning", f"first {MAX_FILES}")


@pytest.mark.rule("preferences-2", "rel-13")
def test_a_style_primer_must_exist_if_specified(workspace: Path) -> None:
    path = put(workspace, "mine")
    path.write_text(
        path.read_text("utf-8") + "defaults: {style_primer: academy}\n", "utf-8"
    )
    found, problem = check_problem(workspace, path, "warning", "'academic'")
    assert (problem.range.start.line, problem.range.start.character) == (4, 25)
    assert found.pipeline("mine").name == "mine"


# --- reading again ----------------------------------------------------------------


def test_files_that_did_not_change_are_not_read_again(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(workspace, "mine")
    cache: LibraryCache = {}
    before = read_library(workspace, cache)
    monkeypatch.setattr(catalog, "_read_text", None)
    assert read_library(workspace, cache) == before


def test_a_file_that_changed_is_read_again(workspace: Path) -> None:
    path = put(workspace, "mine", "before")
    cache: LibraryCache = {}
    read_library(workspace, cache)
    put(workspace, "mine", "after")
    os.utime(path, ns=(1, 1))
    found, _ = read_library(workspace, cache)
    assert found.pipeline("mine").description == "after"


def test_a_file_that_is_gone_is_gone(workspace: Path) -> None:
    path = put(workspace, "mine")
    cache: LibraryCache = {}
    read_library(workspace, cache)
    path.unlink()
    assert "mine" not in read_library(workspace, cache)[0].pipelines
