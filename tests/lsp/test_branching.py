"""Going back never destroys: branch, rewind, tree, delete, diff, over the wire."""

from typing import Any

import pytest

from support.answers import find_answer
from support.editor import Editor, Json


async def at_outline(editor: Editor, **params: Any) -> tuple[str, Json]:
    """A run with its angles chosen and two outlines to choose from."""
    run_id = await editor.answered("say-angle", **params)
    await editor.choose(run_id, feedback="go")
    state = await editor.generate(run_id, "say-one", "say-two")
    return run_id, state


async def test_a_branch_shares_the_past_and_chooses_anew(one_editor: Editor) -> None:
    """Ended answers are shared by id, the selection is not; the parent stays."""
    run_id, state = await at_outline(one_editor)
    await one_editor.choose(run_id)
    before = await one_editor.show(run_id)
    child = await one_editor.command(
        "writeit.run.branch", runId=run_id, step="outline", name="the other way"
    )
    assert child["parentPipelineRunId"] == run_id
    assert child["branchPoint"] == "outline"
    assert child["status"] == "RUNNING"
    assert child["steps"]["angles"] == before["steps"]["angles"]
    outline = child["steps"]["outline"]
    shared = [answer["responseId"] for answer in outline["aiResponses"]]
    assert shared == [answer["responseId"] for answer in state["aiResponses"]]
    assert outline["userSelection"] is None
    assert outline["retryCount"] == 0
    assert child["steps"]["draft"]["status"] == "PENDING"
    chosen = await one_editor.choose(child["pipelineRunId"], 1)
    assert chosen["steps"]["outline"]["userSelection"] == 1
    assert await one_editor.show(run_id) == before


@pytest.mark.rule("verb-24")
async def test_rewinding_makes_a_branch_the_active_run(one_editor: Editor) -> None:
    """The run left behind is as it was; the session stands at the child."""
    run_id, _ = await at_outline(one_editor)
    child = await one_editor.command("writeit.run.rewind", runId=run_id, step="angles")
    session = await one_editor.command("writeit.session.show")
    assert session["activePipelineRunId"] == child["pipelineRunId"]
    back = await one_editor.command("writeit.session.activate", runId=run_id)
    assert back["activePipelineRunId"] == run_id


async def test_a_step_not_reached_cannot_be_branched_at(one_editor: Editor) -> None:
    """A step not later than currentStep."""
    run_id, _ = await at_outline(one_editor)
    refused = await one_editor.refusal("writeit.run.branch", runId=run_id, step="draft")
    assert refused.kind == "invalid_transition"


@pytest.mark.rule("rel-10")
async def test_the_tree_is_the_whole_family_from_its_root(one_editor: Editor) -> None:
    """Without depth from the root; with depth the subtree, and `more` where it ends."""
    run_id, _ = await at_outline(one_editor, name="root")
    child = await one_editor.command("writeit.run.branch", runId=run_id, step="outline")
    grandchild = await one_editor.command(
        "writeit.run.branch", runId=child["pipelineRunId"], step="angles", name="leaf"
    )
    tree = await one_editor.command(
        "writeit.run.tree", runId=grandchild["pipelineRunId"]
    )
    assert tree["runId"] == run_id
    assert tree["name"] == "root"
    assert tree["title"] == "Notes on rivers"
    (first,) = tree["children"]
    assert first["branchPoint"] == "outline"
    assert first["children"][0]["name"] == "leaf"
    cut = await one_editor.command("writeit.run.tree", runId=run_id, depth=1)
    assert cut["children"][0]["more"] is True
    assert cut["children"][0]["children"] == []


@pytest.mark.rule("verb-26")
async def test_deleting_a_run_with_children_leaves_a_tombstone(
    one_editor: Editor,
) -> None:
    """Shared answers stay while one run holds them; the tree says deleted."""
    run_id, _ = await at_outline(one_editor)
    child = await one_editor.command("writeit.run.branch", runId=run_id, step="outline")
    child_id = child["pipelineRunId"]
    gone = await one_editor.command("writeit.run.delete", runId=run_id)
    assert gone == {"deletedRuns": 1, "deletedResponses": 0}
    assert (await one_editor.refusal("writeit.run.show", runId=run_id)).kind == (
        "not_found"
    )
    tree = await one_editor.command("writeit.run.tree", runId=child_id)
    assert tree["deleted"] is True
    kept = await one_editor.show(child_id)
    assert kept["steps"]["outline"]["aiResponses"]
    gone = await one_editor.command(
        "writeit.run.delete", runId=child_id, descendants=True
    )
    assert gone["deletedResponses"] == 3


@pytest.mark.rule("session-3", "settled-18")
async def test_deleting_the_active_run_clears_it(one_editor: Editor) -> None:
    """Active pipeline run must exist if specified."""
    run_id = await one_editor.start_run()
    await one_editor.command("writeit.run.delete", runId=run_id)
    session = await one_editor.command("writeit.session.show")
    assert session["activePipelineRunId"] is None


async def test_two_texts_are_compared(one_editor: Editor) -> None:
    """Answers by index or id, or what the next step gets; each with its URI."""
    run_id, state = await at_outline(one_editor)
    ids = [answer["responseId"] for answer in state["aiResponses"]]
    result = await one_editor.command(
        "writeit.run.diff",
        left={"runId": run_id, "step": "outline", "response": ids[0]},
        right={"runId": run_id, "step": "angles"},
    )
    text = state["aiResponses"][0]["processedContent"]
    assert f"-{text}" in result["unified"]
    assert "+angle" in result["unified"]
    assert result["leftUri"] == f"writeit:/response/{run_id}/outline/{ids[0]}.md"
    assert result["rightUri"] == f"writeit:/content/{run_id}/angles.md"


async def test_asking_anew_appends_and_puts_the_selection_aside(
    one_editor: Editor,
) -> None:
    """Same models and samples; previous answer and words go into the prompt."""
    run_id, _ = await at_outline(one_editor)
    await one_editor.choose(run_id)
    state = await one_editor.command(
        "writeit.step.regenerate",
        runId=run_id,
        step="outline",
        feedback="with less of it",
        models=["openai/echo"],
    )
    assert state["retryCount"] == 1
    assert state["userSelection"] is None
    assert state["status"] == "RUNNING"
    assert len(state["aiResponses"]) == 3
    prompt = state["aiResponses"][2]["promptUsed"]
    assert "with less of it" in prompt
    assert "one" in prompt
    again = await one_editor.command(
        "writeit.step.regenerate", runId=run_id, step="outline"
    )
    assert [a["modelName"] for a in again["aiResponses"][3:]] == ["echo"]
    await one_editor.command("writeit.step.regenerate", runId=run_id, step="outline")
    refused = await one_editor.refusal(
        "writeit.step.regenerate", runId=run_id, step="outline"
    )
    assert refused.kind == "retry_limit"


async def test_a_regeneration_of_which_nothing_comes_changes_nothing(
    one_editor: Editor,
) -> None:
    """The step stands as before the call, selection included."""
    run_id, _ = await at_outline(one_editor)
    chosen = await one_editor.choose(run_id, 1)
    refused = await one_editor.refusal(
        "writeit.step.regenerate",
        runId=run_id,
        step="outline",
        models=["openai/err-400"],
    )
    assert refused.kind == "model_error"
    after = await one_editor.show(run_id)
    step, before = after["steps"]["outline"], chosen["steps"]["outline"]
    assert {**step, "failures": []} == before
    assert step["failures"][0]["reason"] == "invalid_request"


async def test_passages_are_taken_and_merged_by_hand(one_editor: Editor) -> None:
    """The step is completed by the merge, which knows where each part came from."""
    run_id, state = await at_outline(one_editor)
    one, two = (
        find_answer(state, rawOutput=text)["responseId"] for text in ("one", "two")
    )
    for response, text in ((two, "two"), (one, "one"), (one, "mine")):
        state = await one_editor.command(
            "writeit.step.take", runId=run_id, response=response, text=text
        )
    assert [passage["text"] for passage in state["passages"]] == ["two", "one", "mine"]
    assert [p["responseId"] for p in state["passages"]] == [two, one, None]
    run = await one_editor.command("writeit.step.merge", runId=run_id)
    outline = run["steps"]["outline"]
    assert outline["status"] == "COMPLETED"
    assert outline["userSelection"] is None
    assert outline["content"] == "two\n\none\n\nmine"
    assert outline["mergedFrom"] == [
        {"responseId": two, "text": "two"},
        {"responseId": one, "text": "one"},
        {"responseId": None, "text": "mine"},
    ]


@pytest.mark.parametrize("text", ["", " \n"])
async def test_an_empty_passage_is_refused(one_editor: Editor, text: str) -> None:
    """With a reply that says so."""
    run_id, _ = await at_outline(one_editor)
    refused = await one_editor.refusal(
        "writeit.step.take", runId=run_id, response=0, text=text
    )
    assert refused.kind == "invalid_params"


@pytest.mark.parametrize("text", [" \n", "x" * 20_001])
async def test_feedback_of_spaces_or_without_end_is_refused(
    one_editor: Editor, text: str
) -> None:
    """With every command that takes feedback; nothing is changed."""
    run_id, _ = await at_outline(one_editor)
    before = await one_editor.show(run_id)
    for command, params in (
        ("writeit.step.feedback", {"text": text}),
        ("writeit.step.select", {"response": 0, "feedback": text}),
        ("writeit.step.merge", {"responses": [0], "feedback": text}),
        ("writeit.step.regenerate", {"feedback": text}),
        (
            "writeit.step.merge",
            {"responses": [0, 1], "instruction": "join", "feedback": text},
        ),
    ):
        refused = await one_editor.refusal(command, runId=run_id, **params)
        assert (command, refused.kind) == (command, "invalid_params")
    assert await one_editor.show(run_id) == before


async def test_empty_feedback_clears_what_was_given(one_editor: Editor) -> None:
    """By every command that takes feedback."""
    run_id, _ = await at_outline(one_editor)
    show = {"runId": run_id}
    give = {"command": "writeit.step.feedback", **show}
    await one_editor.command(**give, text="shorter")
    step = await one_editor.command(**give, text="")
    assert step["userFeedback"] is None
    await one_editor.command(**give, text="shorter")
    step = await one_editor.command("writeit.step.regenerate", **show, feedback="")
    assert step["userFeedback"] is None
    assert "shorter" not in step["aiResponses"][-1]["promptUsed"]
    await one_editor.command(**give, text="shorter")
    run = await one_editor.command(
        "writeit.step.select", **show, response=0, feedback=""
    )
    assert run["steps"]["outline"]["userFeedback"] is None


@pytest.mark.parametrize("name", ["x" * 201, "two\nlines", "a\u2028b", " "])
async def test_a_name_is_one_line_of_at_most_200_characters(
    one_editor: Editor, name: str
) -> None:
    """Of a run and of a branch."""
    params = {"pipeline": "tech-article", "uri": one_editor.notes, "name": name}
    refused = await one_editor.refusal("writeit.run.start", **params)
    assert refused.kind == "invalid_params"
    run_id = await one_editor.start_run(name="x" * 200)
    refused = await one_editor.refusal(
        "writeit.run.branch", runId=run_id, step="angles", name=name
    )
    assert refused.kind == "invalid_params"


async def test_a_model_joins_the_parts_as_one_more_answer(one_editor: Editor) -> None:
    """No regeneration; the parts and the instruction are in the prompt."""
    run_id, _ = await at_outline(one_editor)
    state = await one_editor.command(
        "writeit.step.merge",
        runId=run_id,
        responses=[0, 1],
        instruction="keep the first tone",
        model="openai/echo",
    )
    joined = state["aiResponses"][2]
    assert "keep the first tone" in joined["promptUsed"]
    assert "one" in joined["promptUsed"]
    assert "two" in joined["promptUsed"]
    assert state["retryCount"] == 0
    assert state["status"] == "RUNNING"


async def test_nothing_to_merge_is_refused(one_editor: Editor) -> None:
    """No responses, no passages taken, no content."""
    run_id, _ = await at_outline(one_editor)
    refused = await one_editor.refusal("writeit.step.merge", runId=run_id)
    assert refused.kind == "invalid_params"


@pytest.mark.rule("verb-27")
async def test_feedback_without_a_step_goes_to_the_last_with_answers(
    one_editor: Editor,
) -> None:
    """And it is there for the prompts that follow."""
    run_id, _ = await at_outline(one_editor)
    state = await one_editor.command(
        "writeit.step.feedback", runId=run_id, text="more numbers"
    )
    assert state["stepName"] == "outline"
    assert state["userFeedback"] == "more numbers"
    refused = await one_editor.refusal(
        "writeit.step.feedback", runId=run_id, step="draft", text="x"
    )
    assert refused.kind == "invalid_transition"


async def test_a_pending_step_is_skipped_and_hands_on_nothing(
    one_editor: Editor,
) -> None:
    """Content of a skipped step is "", and the run goes on."""
    run_id = await one_editor.start_run()
    run = await one_editor.command("writeit.step.skip", runId=run_id)
    assert run["status"] == "RUNNING"
    assert run["steps"]["angles"]["status"] == "SKIPPED"
    assert run["steps"]["angles"]["content"] == ""
    assert run["currentStep"] == "outline"


async def test_a_score_is_shown_with_the_answer_and_taken_back(
    one_editor: Editor,
) -> None:
    """Quality score must be between 0.0 and 1.0 if specified."""
    run_id, _ = await at_outline(one_editor)
    rated = await one_editor.command(
        "writeit.response.rate", runId=run_id, response=1, score=0.75
    )
    assert rated["qualityScore"] == 0.75
    run = await one_editor.show(run_id)
    scores = [a["qualityScore"] for a in run["steps"]["outline"]["aiResponses"]]
    assert scores == [None, 0.75]
    back = await one_editor.command(
        "writeit.response.rate", runId=run_id, response=1, score=None
    )
    assert back["qualityScore"] is None


@pytest.mark.rule("preferences-t1")
async def test_preferences_hold_for_sessions_to_come(one_editor: Editor) -> None:
    """What is set is kept, the rest stays, bad values are refused."""
    before = await one_editor.command("writeit.preferences.get")
    assert before["exportFormat"] == "yaml"
    after = await one_editor.command("writeit.preferences.set", exportFormat="json")
    assert after == {**before, "exportFormat": "json"}
    refused = await one_editor.refusal(
        "writeit.preferences.set", maxConcurrentPipelines=11
    )
    assert refused.kind == "invalid_params"
    await one_editor.command("writeit.preferences.set", exportFormat="yaml")


@pytest.mark.parametrize(
    ("given", "path"),
    [
        ({"stylePrimer": "nobody"}, "stylePrimer"),
        ({"defaultModels": {"draft": "nobody/model"}}, "defaultModels.draft"),
        ({"keyboardShortcuts": {"next": "ctrl+s"}}, "keyboardShortcuts.next"),
        ({"streamingBufferSize": 0}, "streamingBufferSize"),
    ],
)
async def test_preferences_the_world_is_against_are_refused(
    one_editor: Editor, given: dict[str, Any], path: str
) -> None:
    """Unknown primers and providers, keys of the editor's own, bad sizes."""
    before = await one_editor.command("writeit.preferences.get")
    refused = await one_editor.refusal("writeit.preferences.set", **given)
    assert refused.kind == "invalid_params"
    assert [problem["path"] for problem in refused.data["problems"]] == [path]
    assert await one_editor.command("writeit.preferences.get") == before


async def test_going_back_in_a_polish_run_leaves_the_active_run(
    one_editor: Editor,
) -> None:
    """Branched, rewound or asked to be made active: the document's run is meant."""
    run_id = await one_editor.start_run()
    polish = await one_editor.command(
        "writeit.document.polish", uri=one_editor.notes, models=["openai/say-x"]
    )
    polish_id = polish["pipelineRunId"]
    for command in ("branch", "rewind"):
        child = await one_editor.command(
            f"writeit.run.{command}", runId=polish_id, step="polish"
        )
        assert child["parentPipelineRunId"] == polish_id
    for polishing in (polish_id, child["pipelineRunId"]):
        refused = await one_editor.refusal("writeit.session.activate", runId=polishing)
        assert refused.kind == "invalid_params"
        assert [problem["path"] for problem in refused.data["problems"]] == ["runId"]
    session = await one_editor.command("writeit.session.show")
    assert session["activePipelineRunId"] == run_id
    # Other tests of this editor look at the actions on the same notes.
    await one_editor.command("writeit.run.delete", runId=polish_id, descendants=True)
