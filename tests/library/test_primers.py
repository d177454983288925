"""Primer files: the data model's rules, each at its place."""

# ruff: noqa: D103 -- the name of a test is its promise

import pytest

from writeit.library.pipelines import read_primer

WHOLE = """\
name: Plain
content: Write plainly.
voice_attributes: {tone: calm, structure: flat, language: plain}
example_openings: [It rained.]
guidelines: {avoid: [adverbs], prefer: [verbs]}
"""


def check(old: str, new: str, words: str, line: int) -> None:
    """Check that a change to the whole primer is one error in that line."""
    assert old in WHOLE
    primer, problems = read_primer(WHOLE.replace(old, new), "", default_id="plain")
    assert primer is None
    assert [problem.range.start.line for problem in problems] == [line]
    assert words in problems[0].message


def test_a_primer_has_the_files_name_for_an_id() -> None:
    primer, problems = read_primer(WHOLE, "", default_id="plain")
    assert primer is not None
    assert (primer.primer_id, problems) == ("plain", ())


def test_a_primer_keeps_the_id_it_names() -> None:
    primer, _ = read_primer("primer_id: other\n" + WHOLE, "", default_id="plain")
    assert primer is not None
    assert primer.primer_id == "other"


def test_a_file_name_that_is_no_id_is_a_problem() -> None:
    primer, problems = read_primer(WHOLE, "", default_id="My Style")
    assert primer is None
    assert "primer_id" in problems[0].message


def test_content_cannot_be_empty() -> None:
    check("Write plainly.", "' '", "content cannot be empty", 1)


@pytest.mark.parametrize("key", ["tone", "structure", "language"])
def test_voice_attributes_must_include_required_keys(key: str) -> None:
    check(f"{key}: ", f"x{key}: ", f"must include {key}", 2)


def test_example_openings_must_be_non_empty_if_provided() -> None:
    check("[It rained.]", "[' ']", "must be non-empty", 3)


@pytest.mark.parametrize("key", ["avoid", "prefer"])
def test_guidelines_must_include_avoid_and_prefer(key: str) -> None:
    check(f"{key}: [", f"x{key}: [", f"must include {key}", 4)


@pytest.mark.rule("settled-13")
@pytest.mark.parametrize("key", ["created_at", "last_used"])
def test_what_the_store_keeps_is_no_key_of_the_file(key: str) -> None:
    check("name: Plain", f"name: Plain\n{key}: 2026-01-01", "There is no key", 1)


def test_an_unknown_key_names_the_nearest() -> None:
    check("name: Plain", "name: Plain\ndescripton: x", "'description'?", 1)


def test_lint_rules_are_read_and_checked() -> None:
    rules = "lint:\n- {avoid: utilize, prefer: use}\n- avoid: [not only * but also]\n"
    primer, problems = read_primer(WHOLE + rules, "", default_id="plain")
    assert (primer is not None, problems) == (True, ())
    assert primer is not None
    assert [rule.avoid for rule in primer.style_rules] == [
        "utilize",
        "not only * but also",
    ]
    plain, _ = read_primer(WHOLE, "", default_id="plain")
    assert plain is not None
    assert plain.version != primer.version
    assert 'Never write: "utilize", "not only * but also".' in primer.prompt_text
    wrong = rules.replace("utilize,", "'*',")
    primer, (problem,) = read_primer(WHOLE + wrong, "", default_id="plain")
    assert primer is None
    assert "begin and end with a word" in problem.message
