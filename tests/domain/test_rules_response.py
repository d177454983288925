"""The data model's rules of an answer, of its cost, and of how entities are kept."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given
from pydantic import ValidationError

from support.runs import (
    START,
    anew,
    answer,
    answered,
    broken,
    call_for,
    completed,
    current,
    done,
    new_id,
    new_run,
)
from writeit.domain.answer import AIResponse
from writeit.domain.entity import Entity, TokenUsage, total_cost
from writeit.domain.model_id import split_model_id
from writeit.domain.operations import select
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, StepState
from writeit.domain.session import UserSession

CALL = call_for(StepState(step_name="angles"))


def response(**fields: Any) -> AIResponse:
    """An answer."""
    return answer(CALL, **fields)


def usage(cost: float | None) -> TokenUsage:
    """What a call cost."""
    return TokenUsage(
        prompt_tokens=1, completion_tokens=1, total_tokens=2, cost_usd=cost
    )


# --- answers ----------------------------------------------------------------------


@pytest.mark.rule("response-1")
def test_response_id_must_be_globally_unique() -> None:
    """An answer is to a call that was made, each once, in the order they ended."""
    run = answered(new_run(), "first", "second")
    ids = [one.response_id for one in current(run).ai_responses]
    assert len(set(ids)) == len(ids) == 2
    with pytest.raises(ValidationError, match="twice"):
        current(run).evolve(ai_responses=current(run).ai_responses * 2)


@pytest.mark.parametrize("field", ["model_name", "provider"])
def test_model_name_and_provider_are_there(field: str) -> None:
    """Neither is empty, and together they are one model id."""
    with pytest.raises(ValidationError):
        response(**{field: ""})


@pytest.mark.rule("response-2")
@given(st.from_regex(r"[a-z_]{1,9}", fullmatch=True), st.text(min_size=1))
def test_model_name_and_provider_are_one_id(provider: str, name: str) -> None:
    """Split at the first slash: the name may have slashes, the provider none."""
    one = response(provider=provider, model_name=name)
    assert split_model_id(one.model) == (provider, name)
    with pytest.raises(ValidationError):
        response(provider=f"{provider}/x")


@pytest.mark.rule("response-3")
def test_prompt_cannot_be_empty() -> None:
    """An answer is to something."""
    with pytest.raises(ValidationError):
        response(prompt_used="")


@pytest.mark.rule("response-4", "settled-10")
@pytest.mark.parametrize("raw", ["", " ", "\n\t \n"])
def test_raw_output_must_contain_actual_response_content(raw: str) -> None:
    """An answer has text; a call without any is a failure of its step."""
    with pytest.raises(ValidationError, match="actual response content"):
        response(raw_output=raw)


@pytest.mark.rule("response-5")
@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_processing_time_must_be_positive(seconds: float) -> None:
    """However short it was."""
    assert response(processing_time=1e-9).processing_time == 1e-9
    with pytest.raises(ValidationError):
        response(processing_time=seconds)


@pytest.mark.rule("response-6")
@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan"), float("inf"), "good"])
def test_quality_score_must_be_between_0_and_1_if_specified(score: Any) -> None:
    """None is not specified."""
    assert [response(quality_score=s).quality_score for s in (None, 0, 1)] == [
        None,
        0,
        1,
    ]
    with pytest.raises(ValidationError):
        response(quality_score=score)


@pytest.mark.rule("response-t1")
def test_an_answer_is_immutable_once_created() -> None:
    """Whatever is decided about it afterwards."""
    run = answered(new_run())
    before = current(run).ai_responses
    with pytest.raises(ValidationError):
        setattr(before[0], "raw_output", "other")  # noqa: B010 -- mypy knows it is refused
    run = done(run, select.rate_response(run, current(run), 0, 0.5, START))
    run = done(
        run, select.select_response(run, current(run), 0, START, content="my own words")
    )
    run, _ = anew(run, "angles")
    assert broken(completed()).steps["angles"].ai_responses
    assert run.steps["angles"].ai_responses == before


@pytest.mark.rule("settled-11")
def test_a_partial_answer_can_be_selected_like_any_other() -> None:
    """An interrupted answer keeps its partial text."""
    run = answered(new_run())
    call = call_for(current(run), current(run).calls[0].response_id)
    partial = answer(call, "half a sen", partial=True)
    state = current(run).evolve(ai_responses=(partial,))
    run = run.with_step(state)
    run = done(run, select.select_response(run, current(run), 0, START))
    assert run.steps["angles"].content == "half a sen"


# --- what it cost -----------------------------------------------------------------


@pytest.mark.rule("part-8")
@pytest.mark.parametrize(
    ("prompt", "completion", "total"), [(-1, 1, 2), (1, -1, 2), (1, 1, 1), (1, 1, -2)]
)
def test_token_counts_are_sound(prompt: int, completion: int, total: int) -> None:
    """None is negative, and the total is not less than the sum."""
    with pytest.raises(ValidationError):
        TokenUsage(
            prompt_tokens=prompt, completion_tokens=completion, total_tokens=total
        )


@pytest.mark.rule("settled-24")
def test_an_unknown_cost_is_none_never_0() -> None:
    """Of known and unknown costs the known ones are added up."""
    assert usage(None).cost_usd is None
    assert total_cost([usage(None)]) is None
    assert total_cost([]) is None
    assert total_cost([usage(None), usage(0.25), usage(0.5)]) == 0.75
    with pytest.raises(ValidationError):
        usage(-0.01)


# --- serialization ----------------------------------------------------------------

CONFIGURATION = PipelineConfiguration(
    name="essay",
    created=START,
    defaults={"temperature": 0.5, "nested": {"Key": [1, None]}},
    inputs=(InputSpec.model_validate({"name": "topic", "required": True}),),
    steps=(StepSpec(name="write", prompt="Write."),),
)
PRIMER = StylePrimer(
    primer_id="academic",
    name="Academic",
    content="Write plainly.",
    voice_attributes={"tone": "dry", "structure": "short", "language": "plain"},
    guidelines={"avoid": ("very",), "prefer": ()},
    last_used=START,
)
SESSION = UserSession(
    session_id=new_id(),
    workspace_path=Path("/notes"),
    created_at=START,
    last_activity=START,
)
ENTITIES: list[Entity] = [
    *(CONFIGURATION, PRIMER, SESSION, SESSION.preferences),
    *(response(), usage(0.25), completed(), completed().steps["draft"]),
]


@pytest.mark.rule("ser-1")
@pytest.mark.parametrize("entity", ENTITIES, ids=lambda one: type(one).__name__)
def test_all_entities_are_serialized_as_json_with_pydantic_validation(
    entity: Entity,
) -> None:
    """What is read back is equal; an unknown field is refused."""
    raw = entity.model_dump_json(by_alias=True)
    assert type(entity).model_validate_json(raw) == entity
    with pytest.raises(ValidationError):
        type(entity).model_validate({**json.loads(raw), "surprise": 1})


@pytest.mark.rule("ser-3")
@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)), st.integers(-14, 14))  # noqa: DTZ001 -- hypothesis takes naive bounds
def test_timestamps_are_iso_8601_strings(moment: datetime, hours: int) -> None:
    """In UTC, whatever zone they were given in; nothing of them is lost."""
    there = moment.replace(tzinfo=timezone(timedelta(hours=hours)))
    dumped = new_run(created_at=there).model_dump(mode="json")["created_at"]
    assert dumped.endswith("Z")
    assert datetime.fromisoformat(dumped) == there
    assert new_run(created_at=there).created_at.tzinfo is UTC


@pytest.mark.rule("ser-4")
def test_uuids_are_string_representations() -> None:
    """As everybody writes them."""
    dumped = completed().model_dump(mode="json")
    assert dumped["pipeline_run_id"] == str(PipelineRun(**dumped).pipeline_run_id)
    assert len(dumped["pipeline_run_id"]) == 36


@pytest.mark.rule("ser-5")
def test_enums_are_string_values() -> None:
    """The seed's upper-case words."""
    dumped = completed().model_dump(mode="json")
    assert dumped["status"] == "COMPLETED"
    assert dumped["steps"]["draft"]["status"] == "COMPLETED"
