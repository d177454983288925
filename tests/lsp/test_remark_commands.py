"""A review over the wire: its remarks, and what the user dismisses."""

from typing import Any

import pytest

from support.editor import Editor, Refused

PIPELINE, MODEL = "review-clarity", "openai/review"
SAY = "openai/say-Rivers+20run."


async def review(editor: Editor) -> dict[str, Any]:
    """Review the notes; return the run."""
    run = await editor.command(
        "writeit.run.start",
        pipeline=PIPELINE,
        uri=editor.notes,
        models={"review": MODEL},
    )
    run_id = run["pipelineRunId"]
    await editor.command("writeit.step.run", runId=run_id)
    uri = f"writeit:/run/{run_id}.md"
    read: dict[str, Any] = await editor.command("writeit.view.read", uri=uri)
    page = await editor.command(
        "writeit.view.read", uri=f"writeit:/step/{run_id}/review.md"
    )
    assert "## Remarks" in page["text"] or not states(read["run"])["open"]
    return dict(read["run"])


def states(run: dict[str, Any]) -> dict[str, list[str]]:
    """Return the kinds of the remarks of a run by their state."""
    remarks = run["review"]["remarks"]
    return {
        state: [r["kind"] for r in remarks if r["state"] == state]
        for state in ("open", "dismissed")
    }


async def test_a_dismissed_kind_stays_away_until_it_is_restored(editor: Editor) -> None:
    """It holds for the document: for this review, the next and what is listed."""
    first = await review(editor)
    assert first["isDone"]
    assert states(first) == {"open": ["long-sentence"], "dismissed": []}
    [remark] = first["review"]["remarks"]
    dismissed = await editor.command(
        "writeit.review.dismiss", remarkId=remark["remarkId"], kind=True
    )
    assert dismissed["review"]["dismissedKinds"] == ["long-sentence"]
    second = await review(editor)
    assert states(second) == {"open": [], "dismissed": ["long-sentence"]}
    answer = second["steps"]["review"]["aiResponses"][0]
    assert "no remarks of these kinds: long-sentence" in answer["promptUsed"]
    [listed] = (await editor.command("writeit.review.list", uri=editor.notes))[
        "remarks"
    ]
    assert (listed["runId"], listed["state"]) == (second["pipelineRunId"], "dismissed")
    await editor.command(
        "writeit.review.restore",
        runId=second["pipelineRunId"],
        remarkId=listed["remarkId"],
    )
    for run in (first, second):
        shown = await editor.command("writeit.run.show", runId=run["pipelineRunId"])
        assert states(shown) == {"open": ["long-sentence"], "dismissed": []}


async def test_a_review_is_not_applied_and_is_not_the_run_of_its_document(
    editor: Editor,
) -> None:
    """The notes stay as they are, and lenses and actions go on with the article."""
    article = await editor.start_run()
    run = await review(editor)
    with pytest.raises(Refused, match="a review changes no text") as refused:
        await editor.command("writeit.step.apply", runId=run["pipelineRunId"])
    assert refused.value.data["kind"] == "invalid_transition"
    session = await editor.command("writeit.session.show")
    assert session["activePipelineRunId"] == article
    newest = (await editor.command("writeit.run.list"))["runs"][0]
    assert newest["documentRunId"] == article


async def test_claims_are_checked_against_the_notes_that_the_text_came_from(
    editor: Editor,
) -> None:
    """The article's run tells which notes those are."""
    run_id = await editor.start_run(pipeline="tiny-note", models={"note": SAY})
    await editor.command("writeit.step.run", runId=run_id)
    await editor.command("writeit.step.select", runId=run_id, response=0)
    applied = await editor.command("writeit.step.apply", runId=run_id)
    run = await editor.command(
        "writeit.run.start", pipeline="review-facts", uri=applied["uri"]
    )
    notes = (await editor.command("writeit.run.show", runId=run_id))["userInputs"]
    assert notes["source_material"].strip() in run["userInputs"]["notes"]
    assert notes["source_material"].strip() not in run["userInputs"]["text"]
