"""Which steps would get another prompt today, and a branch with today's texts."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from engine.test_leases import other_engine
from support.engine_setup import MODEL, START, EngineSetup
from writeit.domain.document import RunDocument
from writeit.domain.errors import InvalidParams, InvalidTransition
from writeit.domain.operations import lifecycle, select
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun
from writeit.domain.run_summary import TodaysTexts
from writeit.engine.precedence import StartRequest
from writeit.engine.requests import RegenerateStep

NOTES = RunDocument(text="Rivers are cold.", title="Rivers", path="/notes.md")
PRIMER = StylePrimer(
    primer_id="plain",
    name="Plain",
    description="Plain words",
    content="Write plainly.",
    voice_attributes={"tone": "calm", "structure": "short", "language": "plain"},
    example_openings=(),
    guidelines={"avoid": ("very",), "prefer": ("short words",)},
)


def pipeline(**prompts: str) -> PipelineConfiguration:
    """A pipeline of three steps, of which some have other prompts."""
    steps = {
        "angles": "Angles on {{ inputs.source }} for {{ inputs.reader }}",
        "outline": "Outline of {{ steps.angles.content }}",
        "draft": "Draft of {{ steps.outline.content }} from {{ inputs.source }}",
    }
    return PipelineConfiguration(
        name="three",
        created=START,
        inputs=(
            InputSpec(name="source", required=True, source="document"),
            InputSpec(name="reader", default="all"),
        ),
        steps=tuple(
            StepSpec(name=name, prompt=prompt)
            for name, prompt in (steps | prompts).items()
        ),
    )


def todays(document: RunDocument = NOTES, **changes: Any) -> TodaysTexts:
    """What is there today; unchanged unless the test says so."""
    known = TodaysTexts(
        document=document, configuration=pipeline(), primers={"plain": PRIMER}
    )
    return replace(known, **changes)


CHANGED = NOTES.evolve(text="Rivers are warm.")


async def completed(setup: EngineSetup, **start: Any) -> PipelineRun:
    """A run whose first two steps are chosen and whose third has an answer."""
    known: dict[str, Any] = {"document": NOTES, "primer": PRIMER}
    known["configuration"], known["uri"] = pipeline(), "file:///notes.md"
    known.update(start)
    run = await setup.engine.start_run(StartRequest(**known))
    for name in ("angles", "outline", "draft"):
        await (await setup.ask(run, MODEL)).wait()
        if name != "draft":
            await choose(setup, run, name)
    return setup.stored(run)


async def choose(setup: EngineSetup, run: PipelineRun, name: str) -> None:
    """Choose the first answer of a step."""
    await setup.engine.execute(
        run.pipeline_run_id,
        lambda run, at: select.select_response(run, run.steps[name], 0, at),
    )


async def stale(setup: EngineSetup, run: PipelineRun, today: TodaysTexts) -> list[str]:
    """The stale steps in words: `angles: source, step`."""
    found = await setup.engine.find_stale_steps(run.pipeline_run_id, today)
    return [f"{s.step}: {', '.join(r.kind for r in s.reasons)}" for s in found]


async def test_nothing_is_stale_while_nothing_changes(setup: EngineSetup) -> None:
    """Nor after the file was moved: its text is the same."""
    run = await completed(setup)
    assert await stale(setup, run, todays()) == []
    assert await stale(setup, run, todays(NOTES.evolve(path="/elsewhere.md"))) == []
    assert await stale(setup, run, TodaysTexts()) == []


async def test_a_changed_source_makes_its_steps_and_later_ones_stale(
    setup: EngineSetup,
) -> None:
    """The outline is not made from the notes; it is made from stale angles."""
    run = await completed(setup)
    assert await stale(setup, run, todays(CHANGED)) == [
        "angles: source",
        "outline: step",
        "draft: source, step",
    ]
    (first, *_) = await setup.engine.find_stale_steps(
        run.pipeline_run_id, todays(CHANGED)
    )
    assert first.reasons[0].name == "notes.md"


async def test_what_no_template_uses_makes_nothing_stale(setup: EngineSetup) -> None:
    """The title is in no prompt here."""
    run = await completed(setup)
    assert await stale(setup, run, todays(NOTES.evolve(title="Other"))) == []


async def test_a_changed_step_of_the_pipeline(setup: EngineSetup) -> None:
    """Only it and what follows; a setting that is not in the prompt changes nothing."""
    run = await completed(setup)
    other = pipeline(outline="Plan: {{ steps.angles.content }}")
    found = await stale(setup, run, todays(configuration=other))
    assert found == ["outline: pipeline", "draft: step"]
    warmer = pipeline().evolve(defaults={"temperature": 0.9})
    assert await stale(setup, run, todays(configuration=warmer)) == []


async def test_a_changed_style_primer(setup: EngineSetup) -> None:
    """It is appended to every prompt."""
    run = await completed(setup)
    primer = PRIMER.evolve(content="Write with colour.")
    found = await stale(setup, run, todays(primers={"plain": primer}))
    assert found == ["angles: primer", "outline: primer, step", "draft: primer, step"]


async def test_front_matter_counts_and_what_the_user_named_does_not(
    setup: EngineSetup,
) -> None:
    """A value of the command line stays whatever the front matter says later."""
    today = todays(front_matter_inputs={"reader": "pilots"})
    read = await completed(setup, front_matter_inputs={"reader": "captains"})
    assert (await stale(setup, read, today))[0] == "angles: source"
    named = await completed(setup, inputs={"reader": "captains"})
    assert await stale(setup, named, today) == []


async def test_a_regeneration_with_feedback_is_not_stale(setup: EngineSetup) -> None:
    """Feedback counts the same on both sides."""
    run = await completed(setup)
    request = RegenerateStep(
        run_id=run.pipeline_run_id,
        step="draft",
        feedback="shorter",
        model_selection=setup.wishes,
    )
    await (await setup.engine.generate(request)).wait()
    assert await stale(setup, run, todays()) == []


async def test_a_document_that_the_run_has_changed_counts_as_unchanged(
    setup: EngineSetup,
) -> None:
    """Its text is the run's own."""
    run = await completed(setup)
    await choose(setup, run, "draft")
    await setup.engine.execute(
        run.pipeline_run_id,
        lambda _, at: lifecycle.record_applied(
            "draft", at, uri="file:///notes.md", mode="replace", replaced="a", text="b"
        ),
    )
    assert await stale(setup, run, todays(CHANGED)) == []
    other = pipeline(draft="Text of {{ steps.outline.content }}")
    today = todays(CHANGED, configuration=other)
    child, _ = await setup.engine.refresh_run(run.pipeline_run_id, today)
    assert child.branch_point == "draft"
    assert child.document == run.document  # not the article
    assert await stale(setup, child, today) == []


async def test_a_refresh_needs_a_value_for_each_input(setup: EngineSetup) -> None:
    """As a start does; a default is one, and nothing is made without."""
    run = await completed(setup)
    added = InputSpec(name="place", default="Bern")
    other = pipeline(outline="{{ inputs.place }} {{ steps.angles.content }}")
    known = other.evolve(inputs=(*other.inputs, added))
    child, _ = await setup.engine.refresh_run(
        run.pipeline_run_id, todays(configuration=known)
    )
    assert child.user_inputs["place"] == "Bern"
    needed = added.evolve(default=None, required=True)
    unknown = other.evolve(inputs=(*other.inputs, needed))
    with pytest.raises(InvalidParams, match="place"):
        await setup.engine.refresh_run(
            run.pipeline_run_id, todays(configuration=unknown)
        )


async def test_a_refresh_shares_the_steps_before_the_first_stale_one(
    setup: EngineSetup,
) -> None:
    """The branch has today's texts, and the old run is as it was."""
    run = await completed(setup)
    other = pipeline(outline="Plan: {{ steps.angles.content }}")
    today = todays(configuration=other)
    child, _ = await setup.engine.refresh_run(run.pipeline_run_id, today)
    assert child.parent_pipeline_run_id == run.pipeline_run_id
    assert child.branch_point == child.current_step == "outline"
    assert child.steps["angles"] == run.steps["angles"]
    assert not child.steps["outline"].ai_responses
    assert setup.engine.configuration(child) == other
    assert setup.stored(run) == run
    await (await setup.ask(child, MODEL)).wait()
    assert (
        setup.stored(child)
        .steps["outline"]
        .ai_responses[0]
        .prompt_used.startswith("Plan: ")
    )
    assert await stale(setup, child, today) == []


async def test_a_refresh_of_the_first_step_shares_nothing(setup: EngineSetup) -> None:
    """It starts over, with today's notes."""
    run = await completed(setup)
    child, _ = await setup.engine.refresh_run(run.pipeline_run_id, todays(CHANGED))
    assert child.current_step == child.branch_point == "angles"
    assert not any(step.ai_responses for step in child.steps.values())
    assert child.user_inputs["source"] == CHANGED.text
    assert child.document.text == CHANGED.text
    assert await stale(setup, child, todays(CHANGED)) == []


async def test_a_refresh_with_other_steps_shares_nothing(setup: EngineSetup) -> None:
    """The first step has another name today."""
    run = await completed(setup)
    first, *others = pipeline().steps
    renamed = pipeline().evolve(steps=(first.evolve(name="ideas"), *others))
    child, _ = await setup.engine.refresh_run(
        run.pipeline_run_id, todays(configuration=renamed)
    )
    assert list(child.steps) == ["ideas", "outline", "draft"]
    assert child.branch_point == "ideas"


async def test_two_refreshes_at_once_make_one_branch(setup: EngineSetup) -> None:
    """The other one, and each later one, gets that branch; so nothing is paid twice."""
    run = await completed(setup)
    second = other_engine(setup)
    for engines in ((setup.engine, second), (second, setup.engine)):
        made = await asyncio.gather(
            *(
                each.refresh_run(run.pipeline_run_id, todays(CHANGED))
                for each in engines
            )
        )
        children = setup.store.children(run.pipeline_run_id)
        assert [child.pipeline_run_id for child, _ in made] == children * 2
    assert [is_new for _, is_new in made] == [False, False]
    assert second.session.active_pipeline_run_id == children[0]


async def test_there_is_nothing_to_refresh(setup: EngineSetup) -> None:
    """Nothing stale: refused, and no run is made."""
    run = await completed(setup)
    with pytest.raises(InvalidTransition, match="Nothing has changed"):
        await setup.engine.refresh_run(run.pipeline_run_id, todays())


async def test_a_primer_that_front_matter_names_since_then_counts(
    setup: EngineSetup,
) -> None:
    """One that it named already does not, whatever the user chose for the run."""
    plain = pipeline(angles="{{ primer }} {{ inputs.source }}")
    other = PRIMER.evolve(primer_id="other", content="Write at length.")
    today = todays(configuration=plain, primers={"plain": PRIMER, "other": other})
    for primer, before, named, found in (
        (PRIMER, "other", "other", []),
        (
            PRIMER,
            "plain",
            "other",
            ["angles: primer", "outline: primer, step", "draft: primer, step"],
        ),
        (
            None,
            None,
            "other",
            ["angles: primer", "outline: primer, step", "draft: primer, step"],
        ),
        (PRIMER, None, "other", []),
    ):
        document = NOTES.evolve(primer=before)
        run = await completed(
            setup, configuration=plain, primer=primer, document=document
        )
        now = replace(today, document=NOTES.evolve(primer=named))
        assert await stale(setup, run, now) == found


async def test_other_line_ends_make_nothing_stale(setup: EngineSetup) -> None:
    """Git and some editors change them, and spaces there; a space before counts."""
    run = await completed(setup, document=NOTES.evolve(text="Cold. \nWet."))
    for text, is_same in (("Cold.\r\nWet.  \r\n", True), (" Cold.\nWet.", False)):
        assert (
            await stale(setup, run, todays(NOTES.evolve(text=text))) == []
        ) is is_same
