"""Prompts: what they are made of, and the words they must keep."""

# ruff: noqa: D103 -- the name of a test is its promise

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from writeit.domain.answer import AIResponse
from writeit.domain.document import RunDocument
from writeit.domain.entity import TokenUsage
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.primer import RunPrimer
from writeit.domain.run import PipelineRun, StepState, StepStatus
from writeit.prompts.build import (
    Revision,
    build_context,
    build_prompt,
    render_step,
    shared_prefix,
)

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
        defaults={"shape": "essay"},
        inputs=(InputSpec(name="source", required=True), *inputs),
        steps=tuple(
            StepSpec(name=name, prompt=prompt)
            for name, prompt in zip(names, prompts, strict=False)
        ),
    )


def answer(text: str, number: int = 1, prompt: str = "p") -> AIResponse:
    return AIResponse(
        response_id=UUID(int=number),
        model_name="model",
        provider="test",
        prompt_used=prompt,
        raw_output=text,
        processed_content=text,
        created_at=NOW,
        usage_stats=TokenUsage(prompt_tokens=1, completion_tokens=1, total_tokens=2),
        processing_time=1.0,
    )


def done(
    name: str, text: str = "an answer", feedback: str | None = None, prompt: str = "p"
) -> StepState:
    return StepState(
        step_name=name,
        status=StepStatus.COMPLETED,
        started_at=NOW,
        completed_at=NOW,
        ai_responses=(answer(text, prompt=prompt),),
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
    return build_prompt(configuration, run_of(configuration, user_inputs=values), "one")


# --- the exact prompt -------------------------------------------------------------


@settings(deadline=None)
@given(text=JINJA_TEXT)
def test_what_the_writer_wrote_is_put_in_verbatim(text: str) -> None:
    assert prompted("<{{ inputs.source }}>", source=text) == f"<{text}>"


@settings(deadline=None)
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
    assert build_prompt(configuration, run_of(configuration), "one") == "<>"


def test_an_input_named_like_a_method_is_the_input() -> None:
    configuration = pipeline("{{ inputs.items }}", inputs=(InputSpec(name="items"),))
    run = run_of(configuration, user_inputs={"items": "three"})
    assert build_prompt(configuration, run, "one") == "three"


@pytest.mark.parametrize("value", ["true", "false"])
def test_a_boolean_counts_as_what_it_says(value: str) -> None:
    configuration = pipeline(
        "{{ inputs.b }}{{ ' yes' if inputs.b else ' no' }}",
        inputs=(InputSpec(name="b", type="boolean"),),
    )
    run = run_of(configuration, user_inputs={"b": value})
    expected = "true yes" if value == "true" else "false no"
    assert build_prompt(configuration, run, "one") == expected


def test_a_prompt_knows_primer_document_and_defaults() -> None:
    configuration = pipeline(
        "{{ primer }}|{{ document.title }}|{{ document.before }}|{{ defaults.shape }}"
    )
    run = run_of(
        configuration,
        primer=RunPrimer(primer_id="p", version="1", text="Plainly."),
        document=RunDocument(title="T", before="B"),
    )
    assert build_prompt(configuration, run, "one") == "Plainly.|T|B|essay"


def test_a_prompt_knows_the_content_and_answers_of_earlier_steps() -> None:
    configuration = pipeline(
        "x", "{{ steps.one.content }}|{{ steps.one.responses[0] }}"
    )
    run = run_of(configuration, done("one", "angle"))
    assert build_prompt(configuration, run, "two") == "angle|angle"


def test_what_is_not_there_yet_is_empty() -> None:
    configuration = pipeline("x", "<{{ steps.one.content }}>")
    assert build_prompt(configuration, run_of(configuration), "two") == "<>"


def test_the_context_holds_no_later_step() -> None:
    configuration = pipeline("x", "y", "z")
    context = build_context(configuration, run_of(configuration), "two")
    assert context["steps"] == {"one": {"content": "", "feedback": "", "responses": []}}


def test_a_step_renders_from_a_context_alone() -> None:
    step = StepSpec(name="one", prompt="{{ primer }}!")
    assert render_step(step, {"primer": "P"}) == "P!"


# --- words are never dropped ------------------------------------------------------


@pytest.mark.rule("verb-10")
def test_feedback_the_next_template_does_not_name_is_appended() -> None:
    configuration = pipeline("x", "Go on.\n")
    run = run_of(configuration, done("one", feedback="Shorter {{ x }}!"))
    assert build_prompt(configuration, run, "two") == (
        "Go on.\n\nThe author's words about the step 'one':\nShorter {{ x }}!"
    )


def test_feedback_the_template_places_is_not_appended() -> None:
    configuration = pipeline("x", "Mind: {{ steps.one.feedback }}")
    run = run_of(configuration, done("one", feedback="Shorter!"))
    assert build_prompt(configuration, run, "two") == "Mind: Shorter!"


@pytest.mark.rule("verb-10")
def test_feedback_of_the_nearest_step_that_has_some_is_appended() -> None:
    configuration = pipeline("x", "y", "Go on.")
    run = run_of(configuration, done("one", feedback="A"), done("two"))
    assert build_prompt(configuration, run, "three").endswith("'one':\nA")


def test_feedback_an_earlier_prompt_carried_is_not_repeated() -> None:
    configuration = pipeline("x", "y", "Go on.")
    one = done("one", feedback="A")
    sent = build_prompt(configuration, run_of(configuration, one), "two")
    run = run_of(configuration, one, done("two", feedback="B", prompt=sent))
    prompt = build_prompt(configuration, run, "three")
    assert prompt.endswith("'two':\nB")
    assert "'one'" not in prompt


def test_feedback_given_after_the_next_prompt_goes_into_the_one_after() -> None:
    configuration = pipeline("x", "{{ steps.one.feedback }} y", "Go on.")
    early = run_of(configuration, done("one", feedback="A"))
    sent = build_prompt(configuration, early, "two")
    run = run_of(configuration, done("one", feedback="late"), done("two", prompt=sent))
    assert build_prompt(configuration, run, "three").endswith("'one':\nlate")


@pytest.mark.parametrize(
    ("template", "appended"),
    [
        ("Write.", True),
        ("{% if primer %}In style.{% endif %}", True),
        ("x{% if defaults.shape == 'poem' %}{{ primer }}{% endif %}", True),
        ("{{ primer }} Write.", False),
        ("{% set voice = primer %}{{ voice | upper }} Write.", False),
    ],
)
def test_a_chosen_primer_is_in_every_prompt(template: str, appended: bool) -> None:
    configuration = pipeline(template)
    primer = RunPrimer(primer_id="dry", version="1", text="Be dry.\nNo jokes.")
    run = run_of(configuration).evolve(primer=primer)
    prompt = build_prompt(configuration, run, "one")
    assert prompt.casefold().count("be dry.") == 1
    assert prompt.endswith("How it must sound:\nBe dry.\nNo jokes.") is appended


def test_a_step_can_forbid_the_primer() -> None:
    configuration = pipeline("{{ primer }}Write.")
    (step,) = configuration.steps
    configuration = configuration.evolve(steps=(step.evolve(primer=False),))
    primer = RunPrimer(primer_id="dry", version="1", text="Be dry.")
    run = run_of(configuration).evolve(primer=primer)
    assert build_prompt(configuration, run, "one") == "Write."


def test_feedback_that_a_filter_changes_is_not_repeated() -> None:
    configuration = pipeline("x", "{{ steps.one.feedback | trim }}", "Go on.")
    one = done("one", feedback="Shorter.\n")
    sent = build_prompt(configuration, run_of(configuration, one), "two")
    run = run_of(configuration, one, done("two", prompt=sent))
    assert build_prompt(configuration, run, "three") == "Go on."


def test_late_feedback_is_kept_though_its_words_stand_in_the_prompt_before() -> None:
    configuration = pipeline("x", "<{{ steps.one.feedback }}> Be brief.", "Go on.")
    sent = build_prompt(configuration, run_of(configuration, done("one")), "two")
    late = done("one", feedback="Be brief.")
    run = run_of(configuration, late, done("two", prompt=sent))
    assert build_prompt(configuration, run, "three").endswith("'one':\nBe brief.")


def test_feedback_in_a_branch_that_is_not_taken_is_appended() -> None:
    template = "x{% if inputs.source == 'no' %}{{ steps.one.feedback }}{% endif %}"
    configuration = pipeline("x", template)
    run = run_of(configuration, done("one", feedback="A"))
    assert build_prompt(configuration, run, "two").endswith("'one':\nA")


def test_feedback_from_before_a_skipped_step_comes_along() -> None:
    configuration = pipeline("x", "y", "Go on.")
    run = run_of(configuration, done("one", feedback="A"), skipped("two", "B"))
    prompt = build_prompt(configuration, run, "three")
    assert prompt.index("'one':\nA") < prompt.index("'two':\nB")


def test_a_revision_the_template_does_not_name_is_appended() -> None:
    configuration = pipeline("Write.")
    prompt = build_prompt(
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
    prompt = build_prompt(
        configuration, run_of(configuration), "one", Revision("Old", "New!")
    )
    assert prompt == "Was: Old\n\nThe author asks for these changes:\nNew!"


def test_without_a_revision_its_variables_are_empty() -> None:
    configuration = pipeline("<{{ revision.previous }}{{ revision.feedback }}>")
    assert build_prompt(configuration, run_of(configuration), "one") == "<>"


@settings(deadline=None)
@given(words=JINJA_TEXT.filter(str.strip), previous=JINJA_TEXT.filter(str.strip))
def test_appended_words_are_verbatim_whatever_they_are(
    words: str, previous: str
) -> None:
    configuration = pipeline("x", "Go on.")
    run = run_of(configuration, done("one", feedback=words))
    prompt = build_prompt(configuration, run, "two", Revision(previous, words))
    assert prompt.count(words) >= 2
    assert f">\n{previous}\n</" in prompt


@given(st.text("ab\n", max_size=30), st.lists(st.text("ab\n", max_size=30)))
def test_what_prompts_share_is_whole_lines_and_no_longer_ones(
    prompt: str, others: list[str]
) -> None:
    length = shared_prefix(prompt, others)
    shared, rest = prompt[:length], prompt[length:]
    assert not shared or shared.endswith("\n")
    assert not shared or any(other.startswith(shared) for other in others)
    line, end, _ = rest.partition("\n")
    assert not end or not any(o.startswith(f"{shared}{line}\n") for o in others)
