"""Templates: what they may use, where that stands, and what they may use up."""

# ruff: noqa: D103 -- the name of a test is its promise

from datetime import UTC, datetime

import pytest

from writeit.domain.errors import InvalidPipeline
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.prompts.build import render_step
from writeit.prompts.validate import find_template_problems, find_variables


def pipeline(
    *prompts: str, inputs: tuple[InputSpec, ...] = ()
) -> PipelineConfiguration:
    """Return a pipeline whose steps `one`, `two`, … have these prompts."""
    return PipelineConfiguration(
        name="trial",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        defaults={"shape": "essay", "nested": {"deep": "yes"}},
        inputs=(InputSpec(name="source", required=True), *inputs),
        steps=tuple(
            StepSpec(name=name, prompt=prompt)
            for name, prompt in zip(("one", "two", "three"), prompts, strict=False)
        ),
    )


def rendered(template: str, source: str) -> str:
    """Return a template filled in with one input."""
    return render_step(
        StepSpec(name="one", prompt=template), {"inputs": {"source": source}}
    )


# --- what a template uses ---------------------------------------------------------


def check_variables(template: str, *expected: tuple[str, int, int, int]) -> None:
    assert [tuple(found) for found in find_variables(template)] == list(expected)


def test_a_variable_is_found_at_its_line_and_column() -> None:
    check_variables("a\n  {{ inputs.source }}", ("inputs.source", 1, 5, 13))


def test_columns_hold_behind_trimmed_blocks_comments_and_crlf() -> None:
    check_variables(
        "{# inputs.x #}\r\n  {%- if primer -%}"
        "\r\n\r\n é {{ document.title }}{% endif %}",
        ("primer", 1, 9, 6),
        ("document.title", 3, 6, 14),
    )


def test_a_name_in_brackets_is_part_of_the_path() -> None:
    check_variables('{{ inputs["the-source"] }}', ("inputs.the-source", 0, 3, 20))


def test_a_slice_or_number_ends_the_path() -> None:
    check_variables("{{ document.before[-5:] }}", ("document.before", 0, 3, 15))


def test_the_names_of_a_loop_are_its_own() -> None:
    check_variables(
        "{% for r in steps.one.responses %}{{ loop.index }}{{ r }}{% endfor %}{{ r }}",
        ("steps.one.responses", 0, 12, 19),
        ("r", 0, 72, 1),
    )


def test_a_set_name_is_known_from_there_on() -> None:
    check_variables("{% set x = primer %}{{ x }}", ("primer", 0, 11, 6))


def test_variables_of_no_template_are_refused() -> None:
    with pytest.raises(InvalidPipeline):
        find_variables("{{ primer")


# --- All template variables must be defined in inputs or previous steps -----------


def check_problem(template: str, *expected: str) -> None:
    """Check that the second of three steps has one problem with these words."""
    found = find_template_problems(pipeline("x", template, "y"))
    assert [problem.step for problem in found] == ["two"]
    for words in expected:
        assert words in found[0].message


@pytest.mark.parametrize(
    "template",
    [
        "{{ inputs.source }} {{ primer }}",
        "{{ defaults.shape }} {{ defaults.nested.deep }}",
        "{{ document.text }}{{ document.selection }}{{ document.path }}",
        "{{ revision.previous }}{{ revision.feedback }}",
        "{{ steps.one.content }}{{ steps.one.feedback }}",
        "{{ steps.one.responses | join(', ') }}",
    ],
)
def test_all_that_is_defined_may_be_used(template: str) -> None:
    assert find_template_problems(pipeline("x", template)) == []


def test_an_unknown_input_is_a_problem_that_names_the_nearest() -> None:
    check_problem("{{ inputs.sorce }}", "inputs.sorce", "Did you mean inputs.source?")


def test_a_forgotten_root_is_a_problem_that_names_the_path() -> None:
    check_problem("{{ source }}", "Did you mean inputs.source?")


def test_a_step_cannot_use_itself() -> None:
    check_problem("{{ steps.two.content }}", "only the steps before")


@pytest.mark.rule("config-4")
def test_a_step_cannot_use_a_later_one() -> None:
    check_problem("{{ steps.three.content }}", "only the steps before")


def test_an_unknown_member_of_a_step_is_a_problem() -> None:
    check_problem("{{ steps.one.text }}", "content, feedback, responses")


def test_a_group_is_no_text() -> None:
    check_problem("{{ inputs }}", "inputs.source")


def test_a_group_cannot_be_asked_for_a_computed_member() -> None:
    check_problem("{{ inputs[primer] }}", "name one of inputs.source")


def test_a_text_has_no_members() -> None:
    check_problem("{{ inputs.source.upper }}", "has no members")


def test_a_hyphenated_input_is_suggested_as_it_must_be_written() -> None:
    configuration = pipeline(
        "{{ inputs.the_reader }}", inputs=(InputSpec(name="the-reader"),)
    )
    assert (
        'Did you mean inputs["the-reader"]?'
        in find_template_problems(configuration)[0].message
    )


@pytest.mark.parametrize(
    ("template", "line", "column"),
    [
        ("{% if %}", 0, 6),
        ("a\n{{ primer", 1, 3),
        ("\n\n {% for x in primer %}", 2, 20),
        ("{{ primer | triim }}", 0, 12),
        ("{% debug %}", 0, 3),
        ("{{ primer is goood }}", 0, 10),
        ("{{ 'a }}", 0, 3),
    ],
)
def test_a_syntax_error_is_a_problem_at_its_place(
    template: str, line: int, column: int
) -> None:
    (problem,) = find_template_problems(pipeline(template))
    assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize(
    "template",
    [
        "{% macro m() %}{% endmacro %}",
        "{% set x %}{{ primer }}{% endset %}",
        "{% include 'x' %}",
        "{% import 'x' as x %}",
        "{% filter upper %}x{% endfilter %}",
        "{{ primer.upper() }}",
        "{{ primer.__class__() }}",
        "{{ 9 ** 9 }}",
        "{{ primer * 9 }}",
        "{{ '%9d' % 1 }}",
        "{% for x in primer recursive %}{% endfor %}",
        "{" + "{" + "(" * 5000 + "1" + ")" * 5000 + "}}",
        "{{ " + "9" * 5000 + " }}",
        "x" * 100_001,
    ],
)
def test_what_cannot_be_bounded_is_no_part_of_the_language(template: str) -> None:
    assert len(find_template_problems(pipeline(template))) == 1


# --- what it may use up -----------------------------------------------------------


@pytest.mark.parametrize(
    "template",
    [
        "{% for i in range(1000000000) %}x{% endfor %}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for i in range(9999) %}{% for j in range(9999) %}{% endfor %}{% endfor %}",
        "{% for i in range(9999) %}{{ inputs.source }}{% endfor %}",
        "{% set x = inputs.source %}" + "{% set x = x + x %}" * 40,
        "{% set x = inputs.source %}" + "{% set x = x ~ x %}" * 40,
        "{% set x = inputs.source %}" + "{% set x = [x, x] | join %}" * 40,
        "{% set x = inputs.source %}" + "{% set x = x|replace('a', x) %}" * 40,
        "{{ [" + "inputs.source," * 5000 + "] }}",
        "{{ [" + "inputs.source," * 5000 + "] | upper }}",
        "{% for a in 'a' %}" * 30 + "{% endfor %}" * 30,
    ],
)
@pytest.mark.timeout(60)
def test_work_without_end_ends_in_an_error(template: str) -> None:
    with pytest.raises(InvalidPipeline):
        rendered(template, "a" * 1000)


def test_an_error_says_the_step_and_the_place() -> None:
    with pytest.raises(InvalidPipeline) as caught:
        rendered("Words\n{{ inputs.source // 2 }}", "a")
    (where,) = caught.value.data["problems"]
    assert (where["step"], where["line"], where["column"]) == ("one", 1, 3)


def test_an_empty_prompt_is_refused() -> None:
    """Prompt cannot be empty."""
    with pytest.raises(InvalidPipeline, match="empty"):
        rendered("{{ inputs.source }}\n", " ")
