"""docs/data-model.md: every rule of the data model is in it, and each has a test."""

import re
from pathlib import Path

import pytest

import data_model

SEED = Path(__file__).parents[2] / "shared" / "seed" / "data-model.md"
"""The data model's own text, where it is at hand: it is not part of this repository."""

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


def all_rules() -> dict[str, str]:
    """Return every rule of the page by its id."""
    sections = data_model.load_sections()
    return {rule: text for s in sections for rule, text in s.get("rules", {}).items()}


def sentences_of(kind: str) -> list[str]:
    """Return the sentences of one kind, in the order of the page."""
    return [
        text.strip("`") if kind == "keys" else text
        for rule, text in all_rules().items()
        if re.fullmatch(KINDS[kind], rule)
    ]


def test_the_page_is_up_to_date() -> None:
    """It is written by `python scripts/data_model.py`."""
    assert data_model.PAGE.read_text("utf-8") == data_model.render_page()


def test_every_rule_has_a_test_and_every_marker_names_a_rule() -> None:
    """A test names the rules it shows: `@pytest.mark.rule("run-4")`."""
    assert set(data_model.collect_tests()) == set(all_rules())


def test_each_sentence_of_the_data_model_is_shown_at_run_time() -> None:
    """By a server, a command line or a store, not only by an entity."""
    tests = data_model.collect_tests()
    sentences = [
        r for r in all_rules() if any(re.fullmatch(k, r) for k in KINDS.values())
    ]
    unshown = [r for r in sentences if not any(map(data_model.runs, tests[r]))]
    assert unshown == []


def test_a_marker_is_found_on_functions_and_on_assigned_classes(tmp_path: Path) -> None:
    """Of one rule or several, whatever else decorates them; only in tests."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_one.py").write_text(
        '@pytest.mark.parametrize("x", [1])\n@pytest.mark.rule("a-1..2")\n'
        "async def test_it(x): ...\n"
        'TestCase = pytest.mark.rule("a-2")(Machine.TestCase)\n'
    )
    (tmp_path / "tests" / "support.py").write_text(
        '@pytest.mark.rule("a-3")\ndef test_no(): ...\n'
    )
    assert data_model.collect_tests(tmp_path) == {
        "a-1": ["tests/test_one.py::test_it"],
        "a-2": ["tests/test_one.py::test_it", "tests/test_one.py::TestCase"],
    }


def test_the_ids_of_a_kind_count_from_1_without_gaps() -> None:
    """An id that is gone would leave one."""
    ids = set(all_rules())
    for rule in ids:
        stem = rule.rstrip("0123456789")
        before = int(rule.removeprefix(stem)) - 1
        assert before == 0 or f"{stem}{before}" in ids, rule


@pytest.mark.parametrize("kind", COUNTS)
def test_the_page_has_as_many_sentences_as_the_data_model(kind: str) -> None:
    """Also where the data model's own text is not at hand."""
    assert len(sentences_of(kind)) == COUNTS[kind]


@pytest.mark.skipif(not SEED.is_file(), reason="the data model's text is not here")
@pytest.mark.parametrize("kind", COUNTS)
def test_every_sentence_of_the_data_model_is_on_the_page(kind: str) -> None:
    """Verbatim, and no other."""
    assert sentences_of(kind) == seed_sentences()[kind]


def seed_sentences() -> dict[str, list[str]]:
    """Return what the data model says, by kind, in its order."""
    kinds: dict[str, list[str]] = {kind: [] for kind in COUNTS}
    kind = ""
    for line in SEED.read_text(encoding="utf-8").splitlines():
        sentence = line.removeprefix("- ").strip()
        if line.startswith(("## ", "### ", "**", "```")):
            kind = _kind_below(line, kind)
            sentence = ""
            if kind == "transitions":
                sentence = line.partition("**:")[2].strip()
        elif not line.startswith("- ") and not (kind == "keys" and "→" in line):
            continue
        if kind and sentence:
            kinds[kind].append(sentence)
    return kinds


def _kind_below(heading: str, kind: str) -> str:
    """Return the kind of the lines below a heading."""
    for start, below in {
        "**Purpose": "fields",
        "**Validation": "rules",
        "**State": "transitions",
        "## Entity Relationships": "relationships",
        "### Key Patterns": "keys",
        "### Data Serialization": "serialization",
    }.items():
        if heading.startswith(start):
            return below
    return kind if heading.startswith("```") or kind == "relationships" else ""
