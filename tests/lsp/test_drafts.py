"""What the user types before a decision is kept until the decision takes it."""

import pytest

from support.editor import Editor

ANSWERS = ["openai/say-One.", "openai/say-Two."]


async def answered(editor: Editor) -> str:
    """A run whose first step has two answers."""
    run_id = await editor.start_run()
    await editor.command("writeit.step.run", runId=run_id, models=ANSWERS)
    return run_id


async def page_text(editor: Editor, run_id: str) -> str:
    """The page of its first step."""
    uri = f"writeit:/step/{run_id}/angles.md"
    text: str = (await editor.command("writeit.view.read", uri=uri))["text"]
    return text


async def draft(editor: Editor, run_id: str, **params: object) -> bool:
    """Save a draft on its first step."""
    saved: bool = (
        await editor.command(
            "writeit.step.draft", runId=run_id, step="angles", **params
        )
    )["saved"]
    return saved


async def test_a_choice_takes_the_drafts_of_its_answer_and_feedback(
    one_editor: Editor,
) -> None:
    """The drafts of other places stay on the page."""
    run_id = await answered(one_editor)
    assert await draft(one_editor, run_id, kind="answer", response=0, text="My one.")
    assert await draft(one_editor, run_id, kind="answer", response=1, text="My two.")
    assert await draft(one_editor, run_id, kind="feedback", text="Be shorter.")
    page = await page_text(one_editor, run_id)
    assert all(text in page for text in ("My one.", "My two.", "Be shorter."))
    run = await one_editor.command(
        "writeit.step.select", runId=run_id, response=0, step="angles"
    )
    step = run["steps"]["angles"]
    assert step["editedContent"] == "My one."
    assert step["userFeedback"] == "Be shorter."
    page = await page_text(one_editor, run_id)
    assert page.count("not used yet") == 1
    assert "My two." in page


async def test_a_merge_takes_its_draft(one_editor: Editor) -> None:
    """Without a merge the words stay where they are."""
    run_id = await answered(one_editor)
    assert await draft(one_editor, run_id, kind="merge", text="Both.")
    run = await one_editor.command("writeit.step.merge", runId=run_id, step="angles")
    assert run["steps"]["angles"]["mergedContent"] == "Both."
    assert "not used yet" not in await page_text(one_editor, run_id)


async def test_words_that_a_decision_does_not_have_stay(one_editor: Editor) -> None:
    """The command had other words of its own."""
    run_id = await answered(one_editor)
    await draft(one_editor, run_id, kind="feedback", text="Be shorter.")
    await one_editor.command(
        "writeit.step.select", runId=run_id, response=0, step="angles", feedback="No."
    )
    assert "Be shorter." in await page_text(one_editor, run_id)
    assert not await draft(one_editor, run_id, kind="feedback", text=" ")
    assert "not used yet" not in await page_text(one_editor, run_id)


async def test_words_of_another_window_are_not_overwritten(one_editor: Editor) -> None:
    """Who typed over an older text gets the newer one instead, and can keep both."""
    run_id = await answered(one_editor)

    async def save(text: str, replaces: str) -> str | None:
        reply = await one_editor.command(
            "writeit.step.draft",
            runId=run_id,
            step="angles",
            kind="feedback",
            text=text,
            replaces=replaces,
        )
        newer: str | None = reply["newer"]
        assert reply["saved"] is (newer is None)
        return newer

    assert await save("Theirs.", "") is None
    assert await save("Mine.", "") == "Theirs."
    assert await save("Theirs.", "") is None  # a repeated request
    assert await save("Theirs. Mine.", "Theirs.") is None
    assert "Theirs. Mine." in await page_text(one_editor, run_id)


@pytest.mark.parametrize(
    "params", [{"kind": "answer"}, {"kind": "merge", "response": 0}]
)
async def test_only_a_draft_of_an_answer_names_one(
    one_editor: Editor, params: dict[str, object]
) -> None:
    """Anything else is refused."""
    run_id = await answered(one_editor)
    refused = await one_editor.refusal(
        "writeit.step.draft", runId=run_id, text="Mine.", **params
    )
    assert refused.kind == "invalid_params"


async def test_a_view_has_what_a_client_needs_to_show_a_step_by_itself(
    one_editor: Editor,
) -> None:
    """The newest round comes first, with drafts, facts, and what went wrong."""
    run_id = await answered(one_editor)
    await draft(one_editor, run_id, kind="feedback", text="Be shorter.")
    await one_editor.command(
        "writeit.step.regenerate",
        runId=run_id,
        models=["openai/say-Three.", "openai/err-401"],
        feedback="Other.",
    )
    uri = f"writeit:/step/{run_id}/angles.md"
    page = await one_editor.command("writeit.view.read", uri=uri)
    heads = [(a["number"], a["state"], a["round"]) for a in page["answers"]]
    newest = page["answers"][0]["round"]
    assert heads[:2] == [(3, "ended", newest), (4, "failed", newest)]
    assert [number for number, _, older in heads[2:] if older < newest] == [1, 2]
    assert page["answers"][0]["facts"].startswith("1 word · ")
    assert "key" in page["answers"][1]["note"]
    assert page["drafts"] == {"feedback": "Be shorter."}
    assert page["step"] == page["run"]["steps"]["angles"]
    assert page["choosesItems"] is True
    run_page = await one_editor.command(
        "writeit.view.read", uri=f"writeit:/run/{run_id}.md"
    )
    assert run_page["run"]["pipelineRunId"] == run_id
    assert run_page["step"] is None
