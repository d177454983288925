"""Pipeline files: every rule has its message, and every message its exact place."""

# ruff: noqa: D103 -- the name of a test is its promise

from datetime import UTC, datetime

import pytest

from writeit.domain.pipeline import PipelineConfiguration
from writeit.library.pipelines import read_pipeline
from writeit.library.yaml_source import SourcePosition, SourceProblem, SourceRange

FILE_DATE = datetime(2026, 2, 3, tzinfo=UTC)
URI = "file:///w/pipelines/p.yaml"

WHOLE = """\
name: essay
inputs:
  - name: source
    required: true
steps:
  - name: write
    prompt: "Write about {{ inputs.source }}"
"""


def read(text: str) -> tuple[PipelineConfiguration | None, tuple[SourceProblem, ...]]:
    """Read a pipeline's text."""
    return read_pipeline(text, URI, created=FILE_DATE)


def unmarked(text: str) -> tuple[str, SourceRange]:
    """Return a text without its «marks», and the range they mark."""
    start, end = text.index("«"), text.index("»") - 1
    plain = text.replace("«", "").replace("»", "")
    places = []
    for index in (start, end):
        before = plain[:index].split("\n")
        places.append(SourcePosition(len(before) - 1, len(before[-1])))
    return plain, SourceRange(places[0], places[1])


def check(marked: str, *words: str) -> None:
    """Check that exactly one error is there, at the marks, with these words."""
    text, place = unmarked(marked)
    configuration, problems = read(text)
    errors = [problem for problem in problems if problem.severity == "error"]
    assert [(error.range, error.uri) for error in errors] == [(place, URI)]
    for word in words:
        assert word in errors[0].message
    assert configuration is None


def changed(old: str, new: str) -> str:
    """Return the whole pipeline with one line put differently."""
    assert old in WHOLE
    return WHOLE.replace(old, new)


def test_a_pipeline_needs_only_name_inputs_and_steps() -> None:
    configuration, problems = read(WHOLE)
    assert configuration is not None
    assert problems == ()
    assert (configuration.applies_to, configuration.output) == ("document", "new_file")


def test_a_pipeline_without_a_date_has_its_files() -> None:
    configuration, _ = read(WHOLE)
    assert configuration is not None
    assert configuration.created == FILE_DATE


def test_a_pipeline_keeps_the_date_it_names() -> None:
    configuration, _ = read("created: 2025-09-08T00:00:00Z\n" + WHOLE)
    assert configuration is not None
    assert configuration.created == datetime(2025, 9, 8, tzinfo=UTC)


def test_line_ends_and_a_bom_make_no_other_pipeline() -> None:
    plain, _ = read(WHOLE)
    windows, problems = read("\ufeff" + WHOLE.replace("\n", "\r\n"))
    assert plain == windows
    assert problems == ()


# --- required, unknown and secret keys --------------------------------------------


def test_a_missing_key_is_shown_at_the_name() -> None:
    text = WHOLE[: WHOLE.index("steps:")].replace("essay", "«essay»")
    check(text, "steps is missing")


def test_a_missing_key_of_a_step_is_shown_at_the_steps_name() -> None:
    check(
        changed(
            'name: write\n    prompt: "Write about {{ inputs.source }}"',
            "name: «write»\n    samples: 2",
        ),
        "steps[0].prompt is missing",
    )


def test_an_unknown_key_is_shown_with_the_nearest_known_one() -> None:
    check("«descripton»: x\n" + WHOLE, "'descripton'", "Did you mean 'description'?")


def test_an_unknown_key_of_an_input_is_shown_where_it_is() -> None:
    check(
        changed("required: true", "required: true\n    «form»: document"),
        "Did you mean 'from'?",
    )


def test_keys_that_begin_with_x_are_the_authors_own() -> None:
    text = changed("name: write", "name: write\n    x-note: {any: thing}")
    configuration, problems = read("x-mine: [1]\n" + text)
    assert configuration is not None
    assert problems == ()


@pytest.mark.parametrize(
    "key",
    ["api_key", "API-KEY", "key", "token", "base_url", "endpoint", "openai_api_key"],
)
def test_keys_and_endpoints_are_never_taken_from_a_file(key: str) -> None:
    check(f"«{key}»: do-not-show-me\n" + WHOLE, "is ignored")


def test_a_secret_hidden_in_the_defaults_is_found() -> None:
    check("defaults: {«base_url»: http://x}\n" + WHOLE, "is ignored")


def test_what_a_secret_says_is_not_repeated() -> None:
    _, problems = read("api_key: do-not-show-me\n" + WHOLE)
    assert all("do-not-show-me" not in problem.message for problem in problems)


def test_a_key_that_is_there_twice_is_a_problem() -> None:
    check("name: first\n" + WHOLE.replace("name: essay", "«name»: essay"), "duplicated")


# --- values -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("essay", "«My Essay»", "lower-case"),
        ("essay", '«""»', "lower-case"),
        ("required: true", "required: «perhaps»", "true or false"),
        ("required: true", "required: true\n    type: «txt»", "Did you mean 'text'?"),
        ("required: true", "required: true\n    from: «titel»", "'title'"),
        ("required: true", "required: true\n    max_length: «0»", "greater than 0"),
        ("required: true", "required: true\n    label: «no»", "put it in quotes"),
        ("required: true", "required: true\n    default: «[1]»", "should be a text"),
        ("name: write", "name: write\n    samples: «11»", "10"),
        ("name: write", "name: write\n    models: «some»", "should be a list"),
        ("name: write", "name: write\n    temperature: «2.5»", "2"),
        ('"Write about {{ inputs.source }}"', '«""»', "should not be empty"),
    ],
)
def test_a_wrong_value_is_shown_where_it_is(old: str, new: str, words: str) -> None:
    check(changed(old, new), words)


@pytest.mark.parametrize(
    ("defaults", "words"),
    [
        ("temperature: «3»", "0 to 2"),
        ("temperature: «warm»", "0 to 2"),
        ("max_tokens: «0»", "1 or more"),
        ("max_tokens: «1.5»", "1 or more"),
        ("max_tokens: «true»", "1 or more"),
        ("style_primer: «[a]»", "id of a style primer"),
        ("since: «2026-01-01»", "valid"),
    ],
)
def test_a_default_of_the_wrong_kind_is_not_passed_over(
    defaults: str, words: str
) -> None:
    check(f"defaults: {{{defaults}}}\n" + WHOLE, words)


def test_an_impossible_date_is_one_problem() -> None:
    check("created: «2026-13-45»\n" + WHOLE, "timestamp")


def test_an_empty_list_of_steps_is_shown() -> None:
    check(WHOLE[: WHOLE.index("steps:")] + "steps: «[]»\n", "should not be empty")


def test_a_choice_without_options_is_shown_at_its_name() -> None:
    check(
        changed(
            "  - name: source", "  - {name: «tone», type: choice}\n  - name: source"
        ),
        "needs options",
    )


# --- the rules of the data model --------------------------------------------------


@pytest.mark.rule("config-2")
def test_at_least_one_input_must_be_marked_as_required() -> None:
    check(
        changed("inputs:", "«inputs»:").replace("    required: true\n", ""),
        "At least one input must be marked as required",
    )


def test_steps_form_a_sequence_without_doubles() -> None:
    check(
        WHOLE + "  - {name: «write», prompt: Again}\n",
        "another step with the name 'write'",
    )


def test_inputs_are_there_once() -> None:
    check(
        changed("steps:", "  - {name: «source»}\nsteps:"),
        "another input with the name 'source'",
    )


# --- All template variables must be defined in inputs or previous steps -----------


def prompted(prompt: str) -> str:
    """Return the whole pipeline with this prompt, as YAML writes it."""
    return changed('"Write about {{ inputs.source }}"', prompt)


def test_an_undefined_variable_is_shown_in_a_literal_block() -> None:
    check(
        prompted("|\n      Write\n        about {{ «inputs.sorce» }}\n      now"),
        "Did you mean inputs.source?",
    )


def test_a_literal_blocks_own_indentation_is_counted() -> None:
    check(prompted("|2-\n        two {{ «inputs.x» }}"), "inputs.x")


def test_a_literal_block_that_begins_with_empty_lines_is_counted() -> None:
    check(prompted("|  # why\n\n\n       {{ «inputs.x» }}"), "inputs.x")


def test_a_variable_is_shown_in_a_quoted_line() -> None:
    check(prompted('"Write {{ «inputs.x» }}"'), "inputs.x")


def test_a_variable_is_shown_in_a_plain_line() -> None:
    check(prompted("Write {{ «inputs.x» }}"), "inputs.x")


def test_a_variable_in_a_folded_block_is_shown_at_the_block() -> None:
    check(prompted("«>»\n      Write\n      {{ inputs.x }}"), "inputs.x")


def test_a_variable_in_an_escaped_text_is_shown_at_the_text() -> None:
    check(prompted('«"Write\\n{{ inputs.x }}"»'), "inputs.x")


def test_a_broken_template_is_shown_where_it_breaks() -> None:
    check(prompted("|\n      {% if «%»}"), "Expected an expression")


def test_a_later_step_is_no_variable() -> None:
    check(
        prompted("'{{ «steps.after.content» }}'\n  - {name: after, prompt: x}"),
        "only the steps before",
    )


def test_characters_are_counted_not_bytes() -> None:
    check(prompted("|\n      é😀 {{ «inputs.x» }}"), "inputs.x")


# --- what is no pipeline ----------------------------------------------------------


@pytest.mark.parametrize("text", ["", "# nothing", "- a list", "just words", "42"])
def test_what_is_no_mapping_is_one_problem(text: str) -> None:
    configuration, problems = read(text)
    assert configuration is None
    assert len(problems) == 1
