"""YAML from anywhere: what is read, what is refused, and that nothing is raised."""

# ruff: noqa: D103 -- the name of a test is its promise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from writeit.library.yaml_source import MAX_YAML_BYTES, YamlSource


def check_refused(text: str, words: str) -> None:
    """Check that a text gives a problem with these words, and raises nothing."""
    source = YamlSource(text, "file:///x.yaml")
    source.data()
    assert words in " ".join(problem.message for problem in source.problems)


def test_data_is_plain() -> None:
    source = YamlSource("a: [1, x, {b: true}]\nc: 2.5\nd: null\n", "")
    assert source.data() == {"a": [1, "x", {"b": True}], "c": 2.5, "d": None}
    assert source.problems == []


def test_aliases_are_followed() -> None:
    assert YamlSource("a: &x [1]\nb: *x\n", "").data() == {"a": [1], "b": [1]}


def test_aliases_that_grow_without_end_are_refused() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 9)]
    check_refused("\n".join(lines), "aliases repeat too much")


def test_an_alias_of_itself_is_refused() -> None:
    check_refused("a: &a [*a]", "aliases repeat too much")


def test_what_is_nested_too_deeply_is_refused() -> None:
    check_refused("[" * 3000 + "]" * 3000, "nested too deeply")


def test_what_is_too_long_is_refused() -> None:
    check_refused("a: " + "x" * MAX_YAML_BYTES, "limit is 256 KB")


@pytest.mark.parametrize(
    "text",
    [
        "a: !!python/object/apply:os.system [ls]",
        "a: !!python/name:os.system",
        "a: !mine x",
        "a: !!binary aGk=",
        "a: !!set {x}",
    ],
)
def test_tags_make_no_objects(text: str) -> None:
    check_refused(text, "is not supported")


@pytest.mark.parametrize(
    ("text", "line", "character"),
    [("a: [\n", 1, 0), ("a: b\n c: d\n", 1, 2), ("a: 'x", 0, 5), ("a: \0", 0, 3)],
)
def test_what_is_no_yaml_is_a_problem_at_its_place(
    text: str, line: int, character: int
) -> None:
    (problem,) = YamlSource(text, "").problems
    start = problem.range.start
    assert (start.line, start.character) == (line, character)


def test_lines_end_where_an_editor_ends_them() -> None:
    source = YamlSource("a: '\u2028\x85'\r\nb: 1\rc: [", "")
    assert source.problems[0].range.start.line == 2


@settings(deadline=None)
@given(st.text(alphabet="abc: -[]{}&*!|>'\"#%@\n\r\t,?0\ufeff\u2028~<é", max_size=80))
def test_no_text_raises(text: str) -> None:
    source = YamlSource(text, "")
    source.data()
    for problem in source.problems:
        assert problem.range.start <= problem.range.end
