"""The example runs that `make demo` shows."""

import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))

import finished_family  # noqa: E402 -- found by the line above


def test_each_example_run_says_that_it_was_written_by_hand() -> None:
    """In its first line, and in the name of each model."""
    for export in finished_family.FAMILY.glob("*.yaml"):
        text = export.read_text("utf-8")
        assert text.startswith("# An example, written by hand: no model wrote")
        providers = {line.strip() for line in text.split("\n") if " provider: " in line}
        assert providers == {"provider: handwritten"}


def test_the_example_runs_are_imported_and_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The tree, a step with its answers, a comparison, and the article."""
    finished_family.show(ROOT / "examples/notes-lmdb.md", tmp_path / "example")
    shown = capsys.readouterr().out
    assert "No model wrote them" in shown
    assert "└─ from draft: colder" in shown
    assert "Answer 3 · handwritten/first · your choice" in shown
    assert "draft: differs" in shown
    assert "\n# What LMDB Leaves Out\n" in shown
