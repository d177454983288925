"""Front matter held against the library: what is wrong, where, and what was meant."""

# ruff: noqa: D103 -- the name of a test is its promise

from pathlib import Path

import pytest

from writeit.library.catalog import Library, read_library
from writeit.library.front_matter import split_front_matter
from writeit.library.front_matter_check import check_front_matter
from writeit.library.yaml_source import SourceProblem

PIPELINE = """\
name: post
inputs:
  - {name: notes, required: true, from: document}
  - {name: readers, required: true}
  - {name: tone, type: choice, options: [dry, warm], default: dry}
  - {name: length, required: true, default: short}
steps:
  - {name: draft, prompt: "{{ inputs.notes }}"}
"""
WHOLE = "  pipeline: post\n  inputs: {readers: you}\n"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    folder: Path = tmp_path_factory.mktemp("workspace")
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "post.yaml").write_text(PIPELINE, encoding="utf-8")
    (folder / "pipelines" / "torn.yaml").write_text("name: torn\n", encoding="utf-8")
    return read_library(folder)[0]


def problems(library: Library, block: str) -> list[SourceProblem]:
    text = f"---\ntitle: x\nwriteit:\n{block}---\nbody\n"
    return check_front_matter(split_front_matter(text, "file:///n.md"), library)


def test_a_whole_block_has_no_problems(library: Library) -> None:
    assert problems(library, WHOLE) == []
    assert problems(library, "  primer: academic\n") == []


@pytest.mark.parametrize(
    ("block", "code", "severity", "where", "instead"),
    [
        ("  pipeline: pots\n", "unknown-pipeline", "error", (3, 12, 16), ["post"]),
        ("  pipeline: torn\n", "unusable-pipeline", "error", (3, 12, 16), []),
        ("  primer: 'akademic'\n", "unknown-primer", "error", (3, 10, 20), "academic"),
        (WHOLE + "  primr: x\n", "unknown-key", "error", (5, 2, 7), ["primer"]),
        (
            WHOLE + "  models: {drft: a/b}\n",
            "unknown-step",
            "warning",
            (5, 11, 15),
            "draft",
        ),
        ("  pipeline: post\n", "missing-input", "warning", (3, 12, 16), []),
        (
            "  pipeline: post\n  inputs:\n    tone: dry\n",
            "missing-input",
            "warning",
            (4, 2, 8),
            [],
        ),
        (
            "  pipeline: post\n  inputs:\n    readers: ''\n",
            "missing-input",
            "warning",
            (5, 13, 15),
            [],
        ),
        (
            "  pipeline: post\n  inputs: {readers: you, toan: dry}\n",
            "unknown-input",
            "warning",
            (4, 25, 29),
            ["tone"],
        ),
        (
            "  pipeline: post\n  inputs: {readers: you, tone: dyr}\n",
            "wrong-input",
            "error",
            (4, 31, 34),
            ["dry"],
        ),
        (
            WHOLE + "  models: {draft: [embedded/a, openai/b]}\n"
            "  providers: embedded\n",
            "provider-not-allowed",
            "warning",
            (5, 31, 39),
            [],
        ),
        (
            WHOLE + "  models: {draft: openai/b}\n  providers: []\n",
            "provider-not-allowed",
            "warning",
            (5, 18, 26),
            [],
        ),
        (WHOLE + "  api_key: no\n", "secret", "error", (5, 2, 9), []),
    ],
)
def test_a_mistake_is_marked_where_it_is(
    library: Library,
    block: str,
    code: str,
    severity: str,
    where: tuple[int, int, int],
    instead: list[str] | str,
) -> None:
    """One problem, its rule, its range, and the nearest names."""
    (problem,) = problems(library, block)
    assert (problem.code, problem.severity) == (code, severity)
    start, end = problem.range.start, problem.range.end
    assert (start.line, start.character, end.character) == where
    assert problem.suggestions == (
        (instead,) if isinstance(instead, str) else (*instead,)
    )
    for name in problem.suggestions[:1]:
        assert f"Did you mean {name!r}?" in problem.message or code == "wrong-input"


def test_what_pipeline_it_would_be_is_not_guessed(library: Library) -> None:
    """Without a pipeline nothing can be said of inputs and steps."""
    assert problems(library, "  inputs: {a: b}\n  models: {c: d/e}\n") == []


def test_what_is_wrong_is_not_missing_as_well(library: Library) -> None:
    (problem,) = problems(library, "  pipeline: post\n  inputs: {readers: [you]}\n")
    assert problem.code == "wrong-value"


def test_problems_come_in_the_order_of_the_text(library: Library) -> None:
    block = "  inputs: {a: b}\n  primer: nobody\n  pipeline: post\n"
    found = problems(library, block)
    assert [p.code for p in found] == [
        "missing-input",
        "unknown-input",
        "unknown-primer",
    ]


def test_an_alias_is_followed_to_where_it_is_defined(library: Library) -> None:
    """Nothing is raised for YAML that is clever."""
    block = "  primer: &p nobody\n  pipeline: *p\n"
    assert {p.code for p in problems(library, block)} == {
        "unknown-pipeline",
        "unknown-primer",
    }
