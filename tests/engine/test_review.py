"""A review: its answers become remarks, and the run completes itself."""

import json
from pathlib import Path

import pytest

from support.engine_setup import MODEL, OTHER, PIPELINE, START, EngineSetup
from writeit.domain.document import RunDocument
from writeit.domain.errors import InvalidParams, InvalidTransition, ModelError
from writeit.domain.operations import lifecycle, review, select
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.remarks import Dismissal, Remark
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.domain.session import ExportFormat
from writeit.engine.precedence import StartRequest
from writeit.engine.requests import RegenerateStep
from writeit.engine.transfer import build_bundle
from writeit.export.article import final_text
from writeit.export.bundle_reader import read_export
from writeit.export.render import export_run
from writeit.ports.store import RunQuery
from writeit.storage.store import LmdbStore

REVIEW = PipelineConfiguration.model_validate(
    PIPELINE.model_dump(exclude={"steps"})
    | {"name": "review", "output": "review", "steps": [PIPELINE.steps[0]]}
)
TEXT = "The cache is fast. The cache is really very fast. It was warm."
URI = "file:///w/text.md"


def remarked(*remarks: tuple[str, str], replacement: str | None = None) -> str:
    """Return an answer with remarks: a quotation and a kind each."""
    return json.dumps(
        {
            "remarks": [
                {
                    "quote": quote,
                    "kind": kind,
                    "remark": "Say it better.",
                    "replacement": replacement,
                }
                for quote, kind in remarks
            ]
        }
    )


@pytest.fixture
def setup(tmp_path: Path) -> EngineSetup:
    """Return an engine on a fresh store."""
    return EngineSetup(LmdbStore(tmp_path / "store"))


async def start(setup: EngineSetup, text: str = TEXT) -> PipelineRun:
    """Start a review of a document."""
    return await setup.engine.start_run(
        StartRequest(
            configuration=REVIEW,
            inputs={"source": text},
            document=RunDocument(text=text),
            uri=URI,
        )
    )


async def reviewed(setup: EngineSetup, *answers: str) -> PipelineRun:
    """Return a review that one or two models have answered."""
    run = await start(setup)
    for model, text in zip((MODEL, OTHER), answers, strict=False):
        setup.models.script(model, text)
    generation = await setup.ask(run, *(MODEL, OTHER)[: len(answers)])
    await setup.engine.wait_for_generation(generation)
    return setup.stored(run)


async def dismiss(
    setup: EngineSetup, run: PipelineRun, dismissal: Dismissal
) -> PipelineRun:
    """Dismiss a remark, or a kind, of a review."""
    return await setup.engine.execute(
        run.pipeline_run_id, lambda run, now: review.dismiss(run, dismissal, now)
    )


def remarks_of(run: PipelineRun) -> list[Remark]:
    """Return the remarks of a review."""
    found = review.review_of(run)
    assert found is not None
    return list(found.remarks)


async def test_a_review_completes_itself_with_the_remarks_of_all_models(
    setup: EngineSetup,
) -> None:
    """The same place and kind is one remark, and it says how many models made it."""
    run = await reviewed(
        setup,
        remarked(("really very fast", "wordiness"), ("It was warm", "tense")),
        "Sure:\n" + remarked(("is really very", "Wordiness"), ("is fast", "tone")),
    )
    assert run.status is PipelineStatus.COMPLETED
    assert [(r.quote, r.kind, r.count) for r in remarks_of(run)] == [
        ("is fast", "tone", 1),
        ("really very fast", "wordiness", 2),
        ("It was warm", "tense", 1),
    ]
    assert all(r.place and TEXT[slice(*r.place)] == r.quote for r in remarks_of(run))


async def test_the_answer_is_asked_for_by_a_schema_and_the_form_is_in_the_prompt(
    setup: EngineSetup,
) -> None:
    """A provider without schemas is told by the prompt alone."""
    run = await reviewed(setup, '{"remarks": []}')
    [call] = setup.models.calls
    assert call.json_schema
    assert '{"remarks": []}' in call.prompt
    assert run.status is PipelineStatus.COMPLETED


async def test_an_unreadable_answer_beside_a_readable_one_is_said(
    setup: EngineSetup,
) -> None:
    """The readable one is the review."""
    run = await reviewed(setup, "I like it.", remarked(("It was warm", "tense")))
    found = review.review_of(run)
    assert found is not None
    assert run.status is PipelineStatus.COMPLETED
    assert [parts for _, parts in found.unread] == [0]
    assert len(found.remarks) == 1


async def test_a_review_without_a_readable_answer_fails_and_can_be_regenerated(
    setup: EngineSetup,
) -> None:
    """The error names what to do, and what was answered is kept."""
    with pytest.raises(ModelError, match="No remarks could be read") as failed:
        await reviewed(setup, "I like it.", "So do I.")
    assert "Regenerate" in failed.value.hint
    [summary] = setup.store.list_runs(RunQuery()).runs
    run = await setup.engine.load_run(summary.run_id)
    assert run.status is PipelineStatus.ERROR
    assert len(run.steps["angles"].ai_responses) == 2
    setup.models.script(MODEL, remarked(("It was warm", "tense")))
    again = RegenerateStep(run_id=run.pipeline_run_id, models=(MODEL,))
    await setup.engine.wait_for_generation(await setup.engine.generate(again))
    run = setup.stored(run)
    assert run.status is PipelineStatus.COMPLETED
    assert [remark.kind for remark in remarks_of(run)] == ["tense"]


async def test_a_review_that_was_stopped_waits_for_its_other_answers(
    setup: EngineSetup,
) -> None:
    """The remarks received so far are shown, and the next run of the step ends it."""
    run = await start(setup)
    setup.models.script(MODEL, remarked(("It was warm", "tense")))
    gate = setup.models.gate(OTHER, '{"remarks": [{"quote": "It was ')
    generation = await setup.ask(run, MODEL, OTHER)
    await gate.reached.wait()
    await setup.engine.pause_run(run.pipeline_run_id)
    assert setup.stored(run).status is PipelineStatus.PAUSED
    assert "tense" in {remark.kind for remark in remarks_of(setup.stored(run))}
    setup.models.script(OTHER, remarked(("is fast", "tone")))
    generation = await setup.ask(run, OTHER)
    await setup.engine.wait_for_generation(generation)
    assert setup.stored(run).status is PipelineStatus.COMPLETED
    assert {r.kind for r in remarks_of(setup.stored(run))} == {"tense", "tone"}


async def test_a_dismissed_kind_holds_for_the_next_review_and_is_in_its_prompt(
    setup: EngineSetup,
) -> None:
    """So does a dismissed remark, while its words are there."""
    answer = remarked(("is fast", "tone"), ("It was warm", "tense"))
    run = await reviewed(setup, answer)
    tone, tense = remarks_of(run)
    for remark, quote in ((tone, None), (tense, tense.quote)):
        await dismiss(setup, run, Dismissal(at=START, kind=remark.kind, quote=quote))
    following = await reviewed(setup, answer)
    assert all(remark.dismissed for remark in remarks_of(following))
    prompt = setup.models.calls[-1].prompt
    assert "no remarks of these kinds: tone" in prompt
    assert "- tense: “It was warm”" in prompt


async def test_a_dismissal_can_be_taken_back(setup: EngineSetup) -> None:
    """Going back destroys nothing: the remark is as it was."""
    run = await reviewed(setup, remarked(("is fast", "tone")))
    [before] = remarks_of(run)
    dismissed = await dismiss(setup, run, Dismissal(at=START, kind="tone"))
    assert remarks_of(dismissed)[0].dismissed
    restored = await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, now: review.restore_remarks(run, dismissed.dismissals, now),
    )
    assert remarks_of(restored) == [before]
    assert remarks_of(setup.stored(run)) == [before]


async def test_a_review_is_exported_and_stored_with_what_was_dismissed(
    setup: EngineSetup, tmp_path: Path
) -> None:
    """A long quotation, too; the exported remarks are those that are open."""
    long = "It was warm, and it stayed so for a while. " * 20
    run = await start(setup, f"{TEXT} {long}")
    setup.models.script(MODEL, remarked((long.strip(), "tense"), ("is fast", "tone")))
    await setup.engine.wait_for_generation(await setup.ask(run))
    quote = Dismissal(at=START, kind="tense", quote=long.strip())
    run = await dismiss(setup, run, quote)
    bundle = await build_bundle(setup.engine, run.pipeline_run_id, None)
    forms: tuple[ExportFormat, ...] = ("yaml", "json")
    for form in forms:
        assert read_export(export_run(bundle, form, "0")) == bundle
    assert "tone" in final_text(run)
    assert "tense" not in final_text(run)
    setup.store.close()
    stored = LmdbStore(tmp_path / "store").get_run(run.pipeline_run_id)
    assert stored is not None
    assert remarks_of(stored.run) == remarks_of(run)


async def test_a_review_has_no_text_to_choose_or_to_apply(setup: EngineSetup) -> None:
    """It never changes the document by itself, and it is never the active run."""
    run = await reviewed(setup, remarked(("is fast", "tone")))
    step = run.steps["angles"]
    with pytest.raises(InvalidTransition, match="a review changes no text"):
        lifecycle.find_applicable_step(run, None)
    with pytest.raises(InvalidTransition, match="are remarks"):
        select.select_response(run, step, 0, setup.engine.now())
    assert setup.engine.session.active_pipeline_run_id is None
    with pytest.raises(InvalidParams, match="is a review"):
        await setup.engine.activate_run(run.pipeline_run_id)
