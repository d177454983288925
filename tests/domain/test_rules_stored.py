"""What the data model says of fields, keys and records, literally."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, get_type_hints
from uuid import UUID

import pytest

from support.engine_setup import PIPELINE, EngineSetup
from support.runs import START, answered, completed, current, later, new_run
from writeit.domain.answer import AIResponse
from writeit.domain.entity import Entity, TokenUsage
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, StepState
from writeit.domain.session import UserPreferences, UserSession
from writeit.engine.precedence import StartRequest, run_started_event
from writeit.storage import keys, mapping
from writeit.storage.records import SharedTexts, encode_record
from writeit.storage.store import LmdbStore

RUN, OTHER = UUID(int=1), UUID(int=2)
MOMENT = datetime(2026, 3, 1, 9, 30, 1, tzinfo=UTC)
TIME = "2026-03-01T09:30:01.000000Z"

# --- fields -----------------------------------------------------------------------

FIELDS: dict[type[Entity], str] = {
    PipelineConfiguration: "name description created defaults inputs steps"
    " + applies_to output",
    PipelineRun: "pipeline_run_id configuration_id parent_pipeline_run_id branch_point"
    " created_at current_step status user_inputs steps"
    " + updated_at name uri primer models reasoning samples last_models"
    " front_matter_inputs output"
    " output_path document applied dismissals",
    StepState: "step_name status started_at completed_at ai_responses user_selection"
    " user_feedback merged_content retry_count"
    " + edited_content instruction ratings passages merged_from calls streaming"
    " failures before failed_cost_usd",
    AIResponse: "response_id model_name provider prompt_used raw_output"
    " processed_content created_at usage_stats processing_time quality_score"
    " + partial finish_reason first_token_seconds thinking continues notes",
    StylePrimer: "primer_id name description content voice_attributes example_openings"
    " guidelines created_at last_used + lint",
    UserSession: "session_id user_id active_pipeline_run_id workspace_path preferences"
    " created_at last_activity websocket_connection_id + process",
    UserPreferences: "default_models style_primer auto_save_enabled"
    " streaming_buffer_size keyboard_shortcuts theme max_concurrent_pipelines"
    " export_format + models",
    InputSpec: "+ name type label required default options help max_length source",
    StepSpec: "+ name description prompt models samples max_tokens temperature primer"
    " reasoning choose",
    TokenUsage: "+ prompt_tokens completion_tokens total_tokens cost_usd estimated"
    " reasoning_tokens cached_tokens",
}
"""The data model's fields, and behind the plus what the design added."""


@pytest.mark.rule(
    "config-f1..6",
    "run-f1..9",
    "step-f1..9",
    "response-f1..10",
    "primer-f1..9",
    "session-f1..8",
    "preferences-f1..8",
    "part-1",
    "part-5",
    "part-8",
)
@pytest.mark.parametrize("entity", FIELDS, ids=lambda entity: entity.__name__)
def test_an_entity_has_the_fields_of_the_data_model(entity: type[Entity]) -> None:
    """Under the data model's names; an addition is a settled one."""
    seed, _, added = FIELDS[entity].partition("+")
    assert set(entity.model_fields) == {*seed.split(), *added.split()}


@pytest.mark.parametrize(
    ("entity", "field", "kind"),
    [
        (PipelineRun, "pipeline_run_id", "UUID"),
        (PipelineRun, "parent_pipeline_run_id", "UUID | None"),
        (PipelineRun, "status", "PipelineStatus"),
        (PipelineRun, "user_inputs", "dict[str, str]"),
        (PipelineRun, "steps", "dict[str, writeit.domain.run.StepState]"),
        (StepState, "status", "StepStatus"),
        (StepState, "user_selection", "int | None"),
        (StepState, "retry_count", "int"),
        (AIResponse, "usage_stats", "TokenUsage"),
        (AIResponse, "quality_score", "float | None"),
        (StylePrimer, "voice_attributes", "dict[str, str]"),
        (UserSession, "workspace_path", "Path"),
        (UserSession, "preferences", "UserPreferences"),
        (UserPreferences, "keyboard_shortcuts", "dict[str, str]"),
    ],
)
def test_a_field_is_of_the_data_models_kind(
    entity: type[Entity], field: str, kind: str
) -> None:
    """Where lists are tuples and models are kept, that is how they are immutable."""
    hint = get_type_hints(entity)[field]
    assert (str(hint) if "[" in kind or "|" in kind else hint.__name__).replace(
        "uuid.", ""
    ) == kind


# --- keys -------------------------------------------------------------------------


@pytest.mark.rule("key-1..14", "more-key-1", "more-key-3", "more-key-4")
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        pytest.param(keys.config("essay@1"), "config:essay@1", id="config"),
        pytest.param(keys.run(RUN), f"run:{RUN}", id="run"),
        pytest.param(
            keys.index_entry(keys.run_by_config("essay@1"), MOMENT, RUN),
            f"run_by_config:essay@1:{TIME}:{RUN}",
            id="run_by_config",
        ),
        pytest.param(keys.step(RUN, "draft"), f"step:{RUN}:draft", id="step"),
        pytest.param(keys.response(OTHER), f"response:{OTHER}", id="response"),
        pytest.param(
            keys.step_response(RUN, "draft", 3, OTHER),
            f"step_responses:{RUN}:draft:0003:{OTHER}",
            id="step_responses",
        ),
        pytest.param(
            keys.branch_parent(OTHER), f"branch_parent:{OTHER}", id="branch_parent"
        ),
        pytest.param(
            keys.branch_child(RUN, OTHER),
            f"branch_children:{RUN}:{OTHER}",
            id="branch_children",
        ),
        pytest.param(keys.primer("academic"), "primer:academic", id="primer"),
        pytest.param(
            keys.primer("academic", "abc"), "primer:academic:abc", id="primer version"
        ),
        pytest.param(
            keys.index_entry(keys.primer_usage("academic"), MOMENT, RUN),
            f"primer_usage:academic:{TIME}:{RUN}",
            id="primer_usage",
        ),
        pytest.param(keys.session(OTHER), f"session:{OTHER}", id="session"),
        pytest.param(
            keys.active_session("local", OTHER),
            f"active_sessions:local:{OTHER}",
            id="active_sessions",
        ),
        pytest.param(
            keys.index_entry(keys.recent_runs("local"), MOMENT, RUN),
            f"recent_runs:local:{TIME}:{RUN}",
            id="recent_runs",
        ),
        pytest.param(
            keys.index_entry(keys.completed_runs("local"), MOMENT, RUN),
            f"completed_runs:local:{TIME}:{RUN}",
            id="completed_runs",
        ),
        pytest.param(keys.event(RUN, 7), f"event:{RUN}:0000000007", id="event"),
        pytest.param(keys.streaming(RUN), f"streaming:{RUN}", id="streaming"),
        pytest.param(keys.lease(RUN), f"lease:{RUN}", id="lease"),
        pytest.param(keys.tombstone(RUN), f"tombstone:{RUN}", id="tombstone"),
        pytest.param(keys.preferences("local"), "preferences:local", id="preferences"),
        pytest.param(keys.usage(MOMENT, OTHER), f"usage:{TIME}:{OTHER}", id="usage"),
    ],
)
def test_a_key_is_the_data_models_pattern(key: bytes, expected: str) -> None:
    """Literally; an element of a list is the key's tail."""
    assert key == expected.encode()


# --- records ----------------------------------------------------------------------


def stored(run: PipelineRun) -> list[dict[str, Any]]:
    """A run's records as they are on the disk."""
    records = [
        mapping.run_record(run, 1),
        mapping.step_record(current(run)),
        mapping.response_record(current(run).ai_responses[0]),
    ]
    return [json.loads(encode_record(record, SharedTexts())) for record in records]


@pytest.mark.rule("ser-3..5")
def test_stored_timestamps_uuids_and_enums_are_strings() -> None:
    """ISO 8601 in UTC, 36 characters, the seed's upper-case words."""
    run = completed()
    run_record, step_record, response_record = stored(run)
    assert run_record["created_at"] == "2026-01-01T00:00:00Z"
    assert run_record["pipeline_run_id"] == str(run.pipeline_run_id)
    assert run_record["status"] == step_record["status"] == "COMPLETED"
    assert step_record["started_at"] == "2026-01-01T00:00:00Z"
    answer = current(run).ai_responses[0]
    assert response_record["response_id"] == str(answer.response_id)


@pytest.mark.rule("ser-2")
def test_a_long_text_is_stored_apart_with_a_reference_key() -> None:
    """A record holds its SHA-256; the bytes stand under it once."""
    texts = SharedTexts()
    run = answered(new_run(), "bees " * 100)
    raw = encode_record(mapping.response_record(current(run).ai_responses[0]), texts)
    (digest,) = texts.by_digest
    assert json.loads(raw)["raw_output"] == {"text": digest}
    assert texts.by_digest[digest].decode() == "bees " * 100


# --- what the engine keeps up to date ---------------------------------------------


@pytest.mark.rule("session-t1")
async def test_last_activity_is_updated_on_every_user_interaction(
    tmp_path: Path,
) -> None:
    """With each decision, in its own transaction."""
    setup = EngineSetup(LmdbStore(tmp_path / "store"))
    seen = [setup.engine.session.last_activity]
    for _ in range(3):
        await setup.run()
        session = setup.store.session(setup.engine.session.session_id)
        assert session == setup.engine.session
        assert session is not None
        seen.append(session.last_activity)
    assert seen == sorted(set(seen))


@pytest.mark.rule("session-t2")
async def test_active_pipeline_run_id_changes_on_pipeline_switching(
    tmp_path: Path,
) -> None:
    """Starting a run makes it the active one, and so does going back to another."""
    setup = EngineSetup(LmdbStore(tmp_path / "store"))
    first, second = await setup.run(), await setup.run()
    assert setup.engine.session.active_pipeline_run_id == second.pipeline_run_id
    await setup.engine.activate_run(first.pipeline_run_id)
    assert setup.engine.session.active_pipeline_run_id == first.pipeline_run_id


@pytest.mark.rule("rel-14", "settled-12")
def test_a_run_pins_its_primers_id_version_and_text() -> None:
    """Primer content is included for consistency, whatever becomes of the file."""
    primer = StylePrimer(
        primer_id="academic",
        name="Academic",
        content="Write plainly.",
        voice_attributes={"tone": "dry", "structure": "short", "language": "plain"},
        guidelines={"avoid": (), "prefer": ()},
    )
    request = StartRequest(
        configuration=PIPELINE, inputs={"source": "bees"}, primer=primer
    )
    pinned = run_started_event(request, RUN, START).run.primer
    assert pinned is not None
    assert (pinned.primer_id, pinned.version) == ("academic", primer.version)
    assert pinned.text == primer.prompt_text
    other = primer.evolve(content="Write richly.", last_used=later(1))
    assert pinned.version != other.version


@pytest.mark.rule("rel-1")
def test_many_runs_come_of_one_configuration() -> None:
    """Each has its own id and state; the configuration is the same."""
    request = StartRequest(configuration=PIPELINE, inputs={"source": "bees"})
    runs = [run_started_event(request, UUID(int=n), START).run for n in range(3)]
    assert {run.configuration_id for run in runs} == {PIPELINE.configuration_id}
    assert len({run.pipeline_run_id for run in runs}) == 3
    assert [list(run.steps) for run in runs] == [PIPELINE.step_names] * 3
