"""Write docs/data-model.md: each rule of the data model beside the tests that show it.

The rules are in `scripts/data_model.toml`. A test names the rules it shows with
`@pytest.mark.rule("run-4")`, or several with `"run-4..6"`. `python
scripts/data_model.py` writes the page; a test fails while the page is stale.
"""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "data-model.md"
RULES = Path(__file__).with_suffix(".toml")


def load_sections() -> list[dict[str, Any]]:
    """Return the sections of the page: title, text, and rules by id."""
    sections: list[dict[str, Any]] = tomllib.loads(RULES.read_text("utf-8"))["section"]
    return sections


def collect_tests(root: Path = ROOT) -> dict[str, list[str]]:
    """Return for each rule the ids of the tests that name it, sorted."""
    tests: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((root / "tests").rglob("test_*.py")):
        module = path.relative_to(root).as_posix()
        for node in ast.parse(path.read_text("utf-8")).body:
            for rule in _marked_rules(node):
                tests[rule].append(f"{module}::{_name_of(node)}")
    return dict(tests)


def _marked_rules(node: ast.stmt) -> list[str]:
    calls = [
        call
        for call in ast.walk(node)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.rule"
    ]
    named = [ast.literal_eval(argument) for call in calls for argument in call.args]
    return [rule for name in named for rule in _expand(name)]


def _expand(name: str) -> list[str]:
    """Return the ids that a name stands for: `run-4..6` for three."""
    first, _, last = name.partition("..")
    stem = first.rstrip("0123456789")
    start = int(first.removeprefix(stem))
    return [f"{stem}{number}" for number in range(start, int(last or start) + 1)]


def _name_of(node: ast.stmt) -> str:
    if isinstance(node, ast.Assign):
        return ast.unparse(node.targets[0])
    return str(getattr(node, "name", ""))


def render_page() -> str:
    """Return the whole page.

    Raises:
        KeyError: a rule has no test.
    """
    tests = collect_tests()
    return "\n".join(_render_section(section, tests) for section in load_sections())


def _render_section(section: dict[str, Any], tests: dict[str, list[str]]) -> str:
    lines = [section["title"], "", *section.get("text", "").splitlines()]
    if rules := section.get("rules"):
        lines += [""] if section.get("text") else []
        lines += ["| id | rule | at run time | shown by |", "| --- | --- | --- | --- |"]
        lines += [_row(rule, rules[rule], tests[rule]) for rule in rules]
    return "\n".join(lines).rstrip() + "\n"


RUN_TIME = ("tests/lsp/", "tests/cli/", "tests/drills/", "tests/storage/")
"""Tests of a server, a command line or a store as they run."""


def runs(test: str) -> bool:
    """Whether a test shows its rule at run time."""
    return test.startswith(RUN_TIME)


def _row(rule: str, sentence: str, tests: list[str]) -> str:
    """Return the row of a rule; the tests at run time are in a column of their own."""
    columns = ([t for t in tests if runs(t)], [t for t in tests if not runs(t)])
    shown = (", ".join(f"`{test}`" for test in column) or "-" for column in columns)
    return f"| `{rule}` | {sentence} | {' | '.join(shown)} |"


if __name__ == "__main__":
    PAGE.write_text(render_page(), encoding="utf-8")
