"""Looking a pipeline or a primer up, and what is said when that fails."""

# ruff: noqa: D103 -- the name of a test is its promise

from pathlib import Path

import pytest

from writeit.domain.errors import InvalidPipeline, NotFound
from writeit.library.catalog import Library, read_library


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A pipeline `mine` with an unknown key in its second line."""
    path = tmp_path / "pipelines" / "mine.yaml"
    path.parent.mkdir()
    path.write_text(
        "name: mine\n"
        "stepps: []\n"
        "inputs: [{name: source, required: true}]\n"
        "steps: [{name: write, prompt: x}]\n",
        "utf-8",
    )
    return path


def library(workspace: Path | None) -> Library:
    """Return what is within reach of a workspace."""
    return read_library(workspace)[0]


def test_a_pipeline_is_found_by_its_id() -> None:
    found = library(None)
    configuration = found.pipeline("blog-post")
    assert found.pipeline(configuration.configuration_id) == configuration


def test_an_id_whose_file_has_changed_is_not_found() -> None:
    with pytest.raises(NotFound) as caught:
        library(None).pipeline("blog-post@000000000000")
    assert "blog-post@" in caught.value.hint


def test_an_unknown_pipeline_names_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        library(None).pipeline("tech-articel")
    assert "tech-article" in caught.value.hint


def test_an_unknown_primer_names_the_nearest() -> None:
    with pytest.raises(NotFound) as caught:
        library(None).primer("academics")
    assert "academic" in caught.value.hint


def test_a_broken_pipeline_says_what_is_wrong_and_where(broken: Path) -> None:
    with pytest.raises(InvalidPipeline) as caught:
        library(broken.parents[1]).pipeline("mine")
    assert caught.value.data["problems"] == [
        {
            "uri": broken.as_uri(),
            "message": "There is no key 'stepps' here. Did you mean 'steps'?",
            "severity": "error",
            "range": {
                "start": {"line": 1, "character": 0},
                "end": {"line": 1, "character": 6},
            },
        }
    ]


def test_only_pipelines_without_errors_are_usable(broken: Path) -> None:
    found = library(broken.parents[1])
    assert "mine" in found.pipelines
    assert "mine" not in [
        configuration.name for configuration in found.usable_pipelines
    ]
