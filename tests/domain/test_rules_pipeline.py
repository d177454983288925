"""The data model's rules of pipelines, their inputs and their steps."""

from typing import Any

import pytest
from pydantic import ValidationError

from support.runs import START, STEPS, later
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.prompts.validate import find_template_problems

TOPIC = InputSpec(name="topic", required=True)


def pipeline(**fields: Any) -> PipelineConfiguration:
    """A pipeline of the seed's four steps."""
    return PipelineConfiguration(
        **{
            "name": "tech-article",
            "created": START,
            "inputs": (TOPIC,),
            "steps": tuple(StepSpec(name=name, prompt="Write.") for name in STEPS),
            **fields,
        }
    )


def spec(**fields: Any) -> InputSpec:
    """An input."""
    return InputSpec.model_validate({"name": "topic", **fields})


# --- configurations ---------------------------------------------------------------


@pytest.mark.rule("part-7")
@pytest.mark.parametrize(
    "name", ["", "Tech", "tech article", "-tech", "_tech", "tech/article", "t" * 65]
)
def test_names_follow_the_conventions(name: str) -> None:
    """Of pipelines, inputs and steps alike."""
    for make in (pipeline, spec, lambda name: StepSpec(name=name, prompt="x")):
        with pytest.raises(ValidationError):
            make(name=name)
    assert pipeline(name="t" * 64).name == "t" * 64


@pytest.mark.rule("config-2")
def test_at_least_one_input_must_be_marked_as_required() -> None:
    """One is enough."""
    optional = InputSpec(name="audience")
    assert pipeline(inputs=(optional, TOPIC)).inputs == (optional, TOPIC)
    with pytest.raises(ValidationError, match="marked as required"):
        pipeline(inputs=(optional,))
    with pytest.raises(ValidationError):
        pipeline(inputs=())


@pytest.mark.rule("config-3")
def test_steps_must_form_valid_sequential_workflow() -> None:
    """At least one, none of them twice, in the order they stand in."""
    assert pipeline().step_names == list(STEPS)
    with pytest.raises(ValidationError):
        pipeline(steps=())
    once = StepSpec(name="write", prompt="x")
    with pytest.raises(ValidationError, match="defined twice"):
        pipeline(steps=(once, once))
    with pytest.raises(ValidationError, match="defined twice"):
        pipeline(inputs=(TOPIC, TOPIC))


@pytest.mark.rule("config-4")
@pytest.mark.parametrize(
    ("prompt", "undefined"),
    [
        ("{{ inputs.topic }} {{ steps.angles.content }}", False),
        ("{{ inputs.topics }}", True),
        ("{{ steps.draft.content }}", True),
        ("{{ steps.outline.content }}", True),
        ("{{ somebody }}", True),
    ],
)
def test_all_template_variables_must_be_defined_in_inputs_or_previous_steps(
    prompt: str, undefined: bool
) -> None:
    """The step itself and later ones are no previous steps."""
    steps = [StepSpec(name=name, prompt="Write.") for name in STEPS]
    steps[1] = StepSpec(name="outline", prompt=prompt)
    found = find_template_problems(pipeline(steps=tuple(steps)))
    assert [problem.step for problem in found] == (["outline"] if undefined else [])


@pytest.mark.rule("config-t1", "rel-3")
def test_a_configuration_is_static() -> None:
    """No state changes after creation; an edited file is a new configuration."""
    one = pipeline()
    with pytest.raises(ValidationError):
        setattr(one, "description", "other")  # noqa: B010 -- mypy knows it is refused
    edited = one.evolve(description="other")
    assert edited.configuration_id != one.configuration_id
    assert one.configuration_id.startswith("tech-article@")


@pytest.mark.rule("settled-14")
def test_the_day_it_was_written_makes_no_other_configuration() -> None:
    """Its id is its name and a hash of all else."""
    assert pipeline(created=later(60)).configuration_id == pipeline().configuration_id


class LaterStep(StepSpec):
    """A step of a later version, with a key more."""

    audience: str = ""


class LaterPipeline(PipelineConfiguration):
    """A pipeline of a later version, with a key that is hashed and one that is not."""

    UNHASHED = PipelineConfiguration.UNHASHED | {"tests"}
    language: str | None = None
    tests: tuple[str, ...] = ()
    steps: tuple[LaterStep, ...]


def test_a_key_that_is_added_later_enters_the_id_only_where_it_is_used() -> None:
    """So no id that was given before ever changes."""
    one = pipeline()
    later_one = LaterPipeline.model_validate(one.model_dump())
    assert later_one.configuration_id == one.configuration_id
    assert later_one.evolve(tests=("a",)).configuration_id == one.configuration_id
    used = later_one.evolve(language="de")
    steps = (later_one.steps[0].evolve(audience="all"), *later_one.steps[1:])
    in_a_step = later_one.evolve(steps=steps)
    ids = {one.configuration_id, used.configuration_id, in_a_step.configuration_id}
    assert len(ids) == 3


def test_defaults_are_found_by_name_and_kind() -> None:
    """A value of another kind is no default; a whole number is a temperature."""
    one = pipeline(defaults={"temperature": 1, "max_tokens": True, "style_primer": "a"})
    assert one.default("temperature", float) == 1.0
    assert one.default("max_tokens", int) is None
    assert one.default("style_primer", str) == "a"
    assert one.default("nothing", str) is None


# --- inputs -----------------------------------------------------------------------


@pytest.mark.rule("part-2")
@pytest.mark.parametrize(
    ("fields", "value", "problem"),
    [
        ({"required": True}, "", "required"),
        ({"required": True}, " \n", "required"),
        ({"required": True}, "bees", None),
        ({}, "", None),
        ({"max_length": 3}, "bees", "4 characters"),
        ({"max_length": 4}, "bees", None),
        ({"type": "choice", "options": ["a", "b"]}, "c", "one of a, b"),
        ({"type": "choice", "options": ["a", "b"]}, "b", None),
        ({"type": "choice", "options": ["a", "b"]}, "", None),
        ({"type": "number"}, "7.5", None),
        ({"type": "number"}, "-1e3", None),
        ({"type": "number"}, "seven", "a number"),
        ({"type": "number"}, "nan", "a number"),
        ({"type": "number"}, "inf", "a number"),
        ({"type": "boolean"}, "true", None),
        ({"type": "boolean"}, "false", None),
        ({"type": "boolean"}, "True", "true or false"),
        ({"type": "boolean"}, "yes", "true or false"),
    ],
)
def test_an_input_says_what_is_wrong_with_a_value(
    fields: dict[str, Any], value: str, problem: str | None
) -> None:
    """Required, longest, one of the options, a number, true or false."""
    said = spec(**fields).value_problem(value)
    assert (said is None) == (problem is None)
    assert (problem or "") in (said or "")


@pytest.mark.rule("part-3")
@pytest.mark.parametrize(
    "fields",
    [
        {"type": "choice"},
        {"options": ["a"]},
        {"type": "date"},
        {"from": "clipboard"},
        {"max_length": 0},
        {"max_length": -1},
        {"surprise": 1},
    ],
)
def test_an_input_that_cannot_be_filled_in_is_refused(fields: dict[str, Any]) -> None:
    """A choice has options, only a choice has; types and sources are the known ones."""
    with pytest.raises(ValidationError):
        spec(**fields)


@pytest.mark.rule("part-4")
@pytest.mark.parametrize(
    ("fields", "fine"),
    [
        ({"type": "choice", "options": ["a"], "default": "a"}, True),
        ({"type": "choice", "options": ["a"], "default": "b"}, False),
        ({"type": "number", "default": 7}, True),
        ({"type": "number", "default": 0}, True),
        ({"type": "number", "default": "7.5"}, True),
        ({"type": "number", "default": "seven"}, False),
        ({"type": "number", "default": True}, False),
        ({"type": "boolean", "default": False}, True),
        ({"type": "boolean", "default": "true"}, True),
        ({"type": "boolean", "default": "maybe"}, False),
        ({"type": "boolean", "default": 1}, False),
        ({"max_length": 3, "default": "bee"}, True),
        ({"max_length": 3, "default": "bees"}, False),
        ({"required": True, "default": ""}, True),
    ],
)
def test_the_default_of_an_input_is_allowed_by_it(
    fields: dict[str, Any], fine: bool
) -> None:
    """So that the author hears of it, and not every writer."""
    if fine:
        assert spec(**fields).default == fields["default"]
    else:
        with pytest.raises(ValidationError, match="the default of input 'topic'"):
            spec(**fields)


@pytest.mark.rule("part-1")
def test_an_input_may_come_from_the_document() -> None:
    """The whole of it, the selection, its title or its path."""
    for source in ("document", "selection", "title", "path"):
        assert spec(**{"from": source}).source == source
    assert spec(label="Topic", help="What about?").help == "What about?"


# --- steps ------------------------------------------------------------------------


@pytest.mark.rule("part-6")
@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": ""},
        {"samples": 0},
        {"samples": 11},
        {"max_tokens": 0},
        {"temperature": -0.1},
        {"temperature": 2.1},
        {"surprise": 1},
    ],
)
def test_a_step_that_cannot_be_asked_is_refused(fields: dict[str, Any]) -> None:
    """A prompt, 1 to 10 samples, a token or more, a temperature from 0 to 2."""
    with pytest.raises(ValidationError):
        StepSpec.model_validate({"name": "write", "prompt": "Write.", **fields})


@pytest.mark.rule("part-5")
def test_a_step_needs_a_name_and_a_prompt() -> None:
    """All else has defaults."""
    step = StepSpec(name="write", prompt="Write.")
    assert (step.models, step.samples, step.max_tokens) == ((), 1, None)
    for missing in ("name", "prompt"):
        with pytest.raises(ValidationError):
            StepSpec.model_validate({"name": "w", "prompt": "W"} | {missing: None})
