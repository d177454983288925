"""Prompts: what a template may use, what it may use up, and the words it must keep."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeit.core.errors import InvalidPipeline
from writeit.core.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.core.prompt import (
    Revision,
    build_context,
    problems,
    prompt_for,
    render,
    variables,
)
from writeit.core.run import (
    AIResponse,
    PipelineRun,
    RunDocument,
    RunPrimer,
    StepState,
    StepStatus,
)
from writeit.core.usage import TokenUsage

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ANY_TEXT = st.text(max_size=60)
JINJA_TEXT = st.text(alphabet="{%#}- \n\rab'\"", max_size=40) | ANY_TEXT


def pipeline(
    *prompts: str, inputs: tuple[InputSpec, ...] = ()
) -> PipelineConfiguration:
    """Return a pipeline whose steps `one`, `two`, … have these prompts."""
    names = ("one", "two", "three", "four")
    return PipelineConfiguration(
        name="trial",
        created=NOW,
        defaults={"shape": "essay", "nested": {"deep": "yes"}},
        inputs=(InputSpec(name="source", required=True), *inputs),
        steps=tuple(
            StepSpec(name=name, prompt=prompt)
            for name, prompt in zip(names, prompts, strict=False)
        ),
    )


def answer(text: str, number: int = 1) -> AIResponse:
    return AIResponse(
        response_id=UUID(int=number),
        model_name="model",
        provider="test",
        prompt_used="p",
        raw_output=text,
        processed_content=text,
        created_at=NOW,
        usage_stats=TokenUsage(prompt_tokens=1, completion_tokens=1, total_tokens=2),
        processing_time=1.0,
    )


def done(name: str, text: str = "an answer", feedback: str | None = None) -> StepState:
    return StepState(
        step_name=name,
        status=StepStatus.COMPLETED,
        started_at=NOW,
        completed_at=NOW,
        ai_responses=(answer(text),),
        user_selection=0,
        user_feedback=feedback,
    )


def skipped(name: str, feedback: str | None = None) -> StepState:
    return StepState(step_name=name, status=StepStatus.SKIPPED, user_feedback=feedback)


def run_of(
    configuration: PipelineConfiguration, *states: StepState, **fields: Any
) -> PipelineRun:
    steps = {name: StepState(step_name=name) for name in configuration.step_names}
    steps |= {state.step_name: state for state in states}
    names = configuration.step_names
    return PipelineRun(
        pipeline_run_id=UUID(int=1),
        configuration_id=configuration.configuration_id,
        created_at=NOW,
        updated_at=NOW,
        current_step=names[min(len(states), len(names) - 1)],
        steps=steps,
        **fields,
    )


def prompted(template: str, **values: Any) -> str:
    """Return the template of a one-step pipeline filled in with inputs."""
    configuration = pipeline(template)
    return prompt_for(configuration, run_of(configuration, user_inputs=values), "one")


# --- what a template uses ---------------------------------------------------------


def check_variables(template: str, *expected: tuple[str, int, int, int]) -> None:
    assert [tuple(found) for found in variables(template)] == list(expected)


def test_a_variable_is_found_at_its_line_and_column() -> None:
    check_variables("a\n  {{ inputs.source }}", ("inputs.source", 1, 5, 13))


def test_columns_hold_behind_trimmed_blocks_comments_and_crlf() -> None:
    check_variables(
        "{# inputs.x #}\r\n  {%- if primer -%}\r\n\r\n é {{ document.title }}{% endif %}",
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
        variables("{{ primer")


# --- All template variables must be defined in inputs or previous steps -----------


def check_problem(template: str, *expected: str) -> None:
    """Check that the second of three steps has one problem with these words."""
    found = problems(pipeline("x", template, "y"))
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
    assert problems(pipeline("x", template)) == []


def test_an_unknown_input_is_a_problem_that_names_the_nearest() -> None:
    check_problem("{{ inputs.sorce }}", "inputs.sorce", "Did you mean inputs.source?")


def test_a_forgotten_root_is_a_problem_that_names_the_path() -> None:
    check_problem("{{ source }}", "Did you mean inputs.source?")


def test_a_step_cannot_use_itself() -> None:
    check_problem("{{ steps.two.content }}", "only the steps before")


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
    assert 'Did you mean inputs["the-reader"]?' in problems(configuration)[0].message


@pytest.mark.parametrize(
    ("template", "line", "column"),
    [
        ("{% if %}", 0, 6),
        ("a\n{{ primer", 1, 3),
        ("\n\n {% for x in primer %}", 2, 20),
        ("{{ primer | triim }}", 0, 12),
        ("{% debug %}", 0, 3),
        ("{{ primer is goood }}", 0, 13),
        ("{{ 'a }}", 0, 3),
    ],
)
def test_a_syntax_error_is_a_problem_at_its_place(
    template: str, line: int, column: int
) -> None:
    (problem,) = problems(pipeline(template))
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
    assert len(problems(pipeline(template))) == 1


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
@pytest.mark.timeout(20)
def test_work_without_end_ends_in_an_error(template: str) -> None:
    with pytest.raises(InvalidPipeline):
        prompted(template, source="a" * 1000)


def test_an_error_says_the_step_and_the_place() -> None:
    with pytest.raises(InvalidPipeline) as caught:
        prompted("Words\n{{ inputs.source // 2 }}", source="a")
    (where,) = caught.value.data["problems"]
    assert (where["step"], where["line"], where["column"]) == ("one", 1, 3)


def test_an_empty_prompt_is_refused() -> None:
    """Prompt cannot be empty."""
    with pytest.raises(InvalidPipeline, match="empty"):
        prompted("{{ inputs.source }}\n", source=" ")


# --- the exact prompt -------------------------------------------------------------


@given(text=JINJA_TEXT)
def test_what_the_writer_wrote_is_put_in_verbatim(text: str) -> None:
    assert prompted("<{{ inputs.source }}>", source=text) == f"<{text}>"


@given(text=JINJA_TEXT)
def test_a_fence_holds_any_text_verbatim_and_is_not_in_it(text: str) -> None:
    prompt = prompted("{{ inputs.source | fenced('a') }}", source=text)
    tag = prompt[1 : prompt.index(">")]
    assert prompt == f"<{tag}>\n{text}\n</{tag}>"
    assert f"</{tag}>" not in text


def test_a_text_cannot_close_its_own_fence() -> None:
    prompt = prompted("{{ inputs.source | fenced('a') }}", source="x</a>y")
    assert prompt == "<a-2>\nx</a>y\n</a-2>"


def test_block_lines_leave_no_blank_lines() -> None:
    template = "a\n  {% if inputs.source %}\nb\n  {% endif %}\nc\n"
    assert prompted(template, source="x") == "a\nb\nc\n"


def test_an_input_nobody_gave_is_empty() -> None:
    configuration = pipeline("<{{ inputs.x }}>", inputs=(InputSpec(name="x"),))
    assert prompt_for(configuration, run_of(configuration), "one") == "<>"


def test_an_input_named_like_a_method_is_the_input() -> None:
    configuration = pipeline("{{ inputs.items }}", inputs=(InputSpec(name="items"),))
    run = run_of(configuration, user_inputs={"items": "three"})
    assert prompt_for(configuration, run, "one") == "three"


@pytest.mark.parametrize("value", ["true", "false"])
def test_a_boolean_counts_as_what_it_says(value: str) -> None:
    configuration = pipeline(
        "{{ inputs.b }}{{ ' yes' if inputs.b else ' no' }}",
        inputs=(InputSpec(name="b", type="boolean"),),
    )
    run = run_of(configuration, user_inputs={"b": value})
    expected = "true yes" if value == "true" else "false no"
    assert prompt_for(configuration, run, "one") == expected


def test_a_prompt_knows_primer_document_and_defaults() -> None:
    configuration = pipeline(
        "{{ primer }}|{{ document.title }}|{{ document.before }}|{{ defaults.shape }}"
    )
    run = run_of(
        configuration,
        primer=RunPrimer(primer_id="p", version="1", text="Plainly."),
        document=RunDocument(title="T", before="B"),
    )
    assert prompt_for(configuration, run, "one") == "Plainly.|T|B|essay"


def test_a_prompt_knows_the_content_and_answers_of_earlier_steps() -> None:
    configuration = pipeline(
        "x", "{{ steps.one.content }}|{{ steps.one.responses[0] }}"
    )
    run = run_of(configuration, done("one", "angle"))
    assert prompt_for(configuration, run, "two") == "angle|angle"


def test_what_is_not_there_yet_is_empty() -> None:
    configuration = pipeline("x", "<{{ steps.one.content }}>")
    assert prompt_for(configuration, run_of(configuration), "two") == "<>"


def test_the_context_holds_no_later_step() -> None:
    configuration = pipeline("x", "y", "z")
    context = build_context(configuration, run_of(configuration), "two")
    assert context["steps"] == {"one": {"content": "", "feedback": "", "responses": []}}


def test_a_step_renders_from_a_context_alone() -> None:
    step = StepSpec(name="one", prompt="{{ primer }}!")
    assert render(step, {"primer": "P"}) == "P!"


# --- words are never dropped ------------------------------------------------------


def test_feedback_the_next_template_does_not_name_is_appended() -> None:
    configuration = pipeline("x", "Go on.\n")
    run = run_of(configuration, done("one", feedback="Shorter {{ x }}!"))
    assert prompt_for(configuration, run, "two") == (
        "Go on.\n\nThe author's words about the step 'one':\nShorter {{ x }}!"
    )


def test_feedback_the_template_places_is_not_appended() -> None:
    configuration = pipeline("x", "Mind: {{ steps.one.feedback }}")
    run = run_of(configuration, done("one", feedback="Shorter!"))
    assert prompt_for(configuration, run, "two") == "Mind: Shorter!"


def test_feedback_of_the_nearest_step_that_has_some_is_appended() -> None:
    configuration = pipeline("x", "y", "Go on.")
    run = run_of(configuration, done("one", feedback="A"), done("two"))
    assert prompt_for(configuration, run, "three").endswith("'one':\nA")


def test_feedback_an_earlier_prompt_carried_is_not_repeated() -> None:
    configuration = pipeline("x", "y", "Go on.")
    run = run_of(configuration, done("one", feedback="A"), done("two", feedback="B"))
    prompt = prompt_for(configuration, run, "three")
    assert prompt.endswith("'two':\nB")
    assert "'one'" not in prompt


def test_feedback_from_before_a_skipped_step_comes_along() -> None:
    configuration = pipeline("x", "y", "Go on.")
    run = run_of(configuration, done("one", feedback="A"), skipped("two", "B"))
    prompt = prompt_for(configuration, run, "three")
    assert prompt.index("'one':\nA") < prompt.index("'two':\nB")


def test_a_revision_the_template_does_not_name_is_appended() -> None:
    configuration = pipeline("Write.")
    prompt = prompt_for(
        configuration, run_of(configuration), "one", Revision("Old </b>", "New!")
    )
    assert prompt == (
        "Write.\n\n"
        "Your previous answer, to be improved on, was:\n"
        "<previous-answer>\nOld </b>\n</previous-answer>\n\n"
        "The author asks for these changes:\nNew!"
    )


def test_of_a_revision_only_what_is_not_placed_is_appended() -> None:
    configuration = pipeline("Was: {{ revision.previous }}")
    prompt = prompt_for(
        configuration, run_of(configuration), "one", Revision("Old", "New!")
    )
    assert prompt == "Was: Old\n\nThe author asks for these changes:\nNew!"


def test_without_a_revision_its_variables_are_empty() -> None:
    configuration = pipeline("<{{ revision.previous }}{{ revision.feedback }}>")
    assert prompt_for(configuration, run_of(configuration), "one") == "<>"


@given(words=JINJA_TEXT.filter(str.strip), previous=JINJA_TEXT.filter(str.strip))
def test_appended_words_are_verbatim_whatever_they_are(
    words: str, previous: str
) -> None:
    configuration = pipeline("x", "Go on.")
    run = run_of(configuration, done("one", feedback=words))
    prompt = prompt_for(configuration, run, "two", Revision(previous, words))
    assert prompt.count(words) >= 2
    assert f">\n{previous}\n</" in prompt
