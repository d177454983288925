"""The table of docs/data-model.md: every rule is in it, every row has its test."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TABLE = ROOT / "docs" / "data-model.md"
SEED = ROOT.parent / "shared" / "seed" / "data-model.md"
"""Where the data model's own text is, if it is there: it is no part of this repo."""

ROW = re.compile(r"^\| `(?P<id>[\w-]+)` \| (?P<rule>.+) \| (?P<tests>.*) \|$")
NAMED = re.compile(r"`(?P<path>[\w/.]+)::(?P<name>\w+)(?:\[(?P<case>[^\]]+)\])?`")

COUNTS = {
    "fields": 59,
    "rules": 36,
    "transitions": 15,
    "relationships": 18,
    "keys": 14,
    "serialization": 5,
}
"""How many sentences the data model has of each kind."""

ENTITIES = "config|run|step|response|primer|session|preferences"
KINDS = {
    "fields": rf"({ENTITIES})-f\d+",
    "rules": rf"({ENTITIES})-\d+",
    "transitions": rf"({ENTITIES})-t\d+",
    "relationships": r"rel-\d+",
    "keys": r"key-\d+",
    "serialization": r"ser-\d+",
}


def rows() -> list[re.Match[str]]:
    """The rows of all tables."""
    lines = TABLE.read_text(encoding="utf-8").splitlines()
    found = [(line, ROW.match(line)) for line in lines if line.startswith("| `")]
    assert [line for line, row in found if row is None] == []
    return [row for _, row in found if row is not None]


def of_kind(kind: str) -> list[str]:
    """The sentences of one kind, in the order of the tables."""
    return [
        row["rule"].strip("`") if kind == "keys" else row["rule"]
        for row in rows()
        if re.fullmatch(KINDS[kind], row["id"])
    ]


@cache
def read_tests(path: str) -> tuple[frozenset[str], frozenset[str]]:
    """The names of a file's tests, and all strings that stand in it."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names, strings = set(), set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.add(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.ClassDef(name=name):
                names.add(name)  # a state machine's TestCase, an entity
            case ast.Name(id=name):
                strings.add(name)  # an entity that a case is named after
            case ast.Constant(value=str(text)):
                strings.add(text)
    return frozenset(names), frozenset(strings)


def problem_with(row: re.Match[str]) -> str | None:
    """What is wrong with a row's tests, or None."""
    named = list(NAMED.finditer(row["tests"]))
    if not named or NAMED.sub("", row["tests"]).strip(", "):
        return f"{row['id']} names no test, or something else"
    for test in named:
        if not (ROOT / test["path"]).is_file():
            return f"{row['id']}: there is no {test['path']}"
        names, strings = read_tests(test["path"])
        if test["name"] not in names or not test["name"].lower().startswith("test"):
            return f"{row['id']}: there is no test {test['name']} in {test['path']}"
        if test["case"] and test["case"] not in strings:
            return f"{row['id']}: {test['name']} has no case {test['case']}"
    return None


def test_every_row_has_a_test_that_exists() -> None:
    """Found by reading the tests, not by running them."""
    assert [problem for row in rows() if (problem := problem_with(row))] == []


def test_an_id_is_given_once() -> None:
    """And the ids of a kind count from 1 without gaps."""
    ids = [row["id"] for row in rows()]
    assert len(ids) == len(set(ids))
    for name in ids:
        stem = name.rstrip("0123456789")
        before = int(name.removeprefix(stem)) - 1
        assert before == 0 or f"{stem}{before}" in ids, name


@pytest.mark.parametrize("kind", COUNTS)
def test_the_table_has_as_many_sentences_as_the_data_model(kind: str) -> None:
    """Also where the data model's own text is not at hand."""
    assert len(of_kind(kind)) == COUNTS[kind]


@pytest.mark.skipif(not SEED.is_file(), reason="the data model's text is not here")
@pytest.mark.parametrize("kind", COUNTS)
def test_every_sentence_of_the_data_model_is_in_the_table(kind: str) -> None:
    """Verbatim, and none of the table's own making."""
    assert of_kind(kind) == sentences()[kind]


def sentences() -> dict[str, list[str]]:
    """What the data model says, by kind, in its order."""
    kinds: dict[str, list[str]] = {kind: [] for kind in COUNTS}
    kind = ""
    for line in SEED.read_text(encoding="utf-8").splitlines():
        said = line.removeprefix("- ").strip()
        if line.startswith(("## ", "### ", "**", "```")):
            kind = _kind_after(line, kind)
            said = line.partition("**:")[2].strip() if kind == "transitions" else ""
        elif not line.startswith("- ") and not (kind == "keys" and "→" in line):
            continue
        if kind and said:
            kinds[kind].append(said)
    return kinds


def _kind_after(line: str, kind: str) -> str:
    """What the lines behind a heading are about."""
    for start, after in {
        "**Purpose": "fields",
        "**Validation": "rules",
        "**State": "transitions",
        "## Entity Relationships": "relationships",
        "### Key Patterns": "keys",
        "### Data Serialization": "serialization",
    }.items():
        if line.startswith(start):
            return after
    return kind if line.startswith("```") or kind == "relationships" else ""


def test_a_row_without_a_test_would_be_noticed() -> None:
    """So would one whose test is gone, or whose case is."""
    here = "tests/domain/test_rules_run.py::test_order_is_enforced"
    for tests, fine in {
        f"`{here}`": True,
        f"`{here}`, `{here}`": True,
        "": False,
        "soon": False,
        f"`{here}` and more": False,
        f"`{here}_now`": False,
        f"`{here}[never]`": False,
        "`tests/core/test_gone.py::test_gone`": False,
        "`tests/domain/test_rules_run.py::LIVES`": False,
    }.items():
        row = ROW.match(f"| `run-1` | A rule | {tests} |")
        assert row is not None, tests
        assert (problem_with(row) is None) == fine, tests
