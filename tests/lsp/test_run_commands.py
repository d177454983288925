"""Commands on runs and steps: start, list, generate, select, pause."""

import pytest
import yaml

from support.editor import Editor

STEPS = ["angles", "outline", "draft", "polish"]


async def test_a_run_is_made_of_what_the_document_says(one_editor: Editor) -> None:
    """Front matter gives primer and inputs; the source leaves the front matter out."""
    run_id = await one_editor.start_run()
    run = await one_editor.show(run_id)
    assert run["status"] == "INITIALIZING"
    assert run["currentStep"] == "angles"
    assert run["primer"]["primerId"] == "academic"
    assert run["userInputs"]["target_audience"] == "editors"
    assert run["userInputs"]["source_material"].startswith("# Notes on rivers")
    assert run["uri"] == one_editor.notes


async def test_params_win_over_front_matter(one_editor: Editor) -> None:
    """Inputs and primer: params > front matter."""
    run_id = await one_editor.start_run(
        primer="executive", inputs={"target_audience": "captains"}
    )
    run = await one_editor.show(run_id)
    assert run["primer"]["primerId"] == "executive"
    assert run["userInputs"]["target_audience"] == "captains"


@pytest.mark.rule("rel-7")
async def test_several_models_and_samples_answer_one_step(one_editor: Editor) -> None:
    """N models times S samples; an index is a place in the order they ended."""
    run_id = await one_editor.start_run()
    state = await one_editor.generate(run_id, "say-a", "say-b", samples=2)
    texts = sorted(answer["rawOutput"] for answer in state["aiResponses"])
    assert texts == ["a", "a", "b", "b"]
    assert state["failures"] == []


async def test_one_model_failing_does_not_stop_the_others(one_editor: Editor) -> None:
    """Some answers failed: a result, with failures."""
    run_id = await one_editor.start_run()
    state = await one_editor.generate(run_id, "say-here", "err-401")
    assert [a["rawOutput"] for a in state["aiResponses"]] == ["here"]
    (failure,) = state["failures"]
    assert failure["model"] == "openai/err-401"
    assert failure["reason"] == "auth"


async def test_a_cut_answer_is_continued(one_editor: Editor) -> None:
    """The rest is an answer of its own, with the number of the first."""
    run_id = await one_editor.answered("length-3", "say-whole")
    step = (await one_editor.show(run_id))["steps"]["angles"]
    assert step["can"]["continue"]
    cut = next(a for a in step["aiResponses"] if a["finishReason"] == "length")
    state = await one_editor.command(
        "writeit.step.continue", runId=run_id, response=cut["responseId"]
    )
    rest = state["aiResponses"][-1]
    assert (rest["continues"], rest["number"]) == (cut["responseId"], cut["number"])
    assert rest["rawOutput"].strip() in rest["processedContent"]
    whole = next(a for a in step["aiResponses"] if a["rawOutput"] == "whole")
    refused = await one_editor.refusal(
        "writeit.step.continue", runId=run_id, response=whole["responseId"]
    )
    assert refused.kind == "invalid_transition"


async def test_only_what_failed_is_asked_again(one_editor: Editor) -> None:
    """A second step.run repairs, with another model if one is named."""
    run_id = await one_editor.answered("say-here", "err-400")
    state = await one_editor.generate(run_id, "say-instead")
    assert [a["rawOutput"] for a in state["aiResponses"]] == ["here", "instead"]
    assert state["failures"] == []
    assert state["retryCount"] == 0
    refused = await one_editor.refusal("writeit.step.run", runId=run_id)
    assert refused.kind == "invalid_transition"


async def test_runs_are_listed_newest_first_page_by_page(one_editor: Editor) -> None:
    """`next` is the `before` of the following page."""
    made = [await one_editor.start_run(name=f"page {n}") for n in range(3)]
    first = await one_editor.command("writeit.run.list", text="page", limit=2)
    assert [r["runId"] for r in first["runs"]] == [made[2], made[1]]
    second = await one_editor.command(
        "writeit.run.list", text="page", before=first["next"]
    )
    assert made[0] in [r["runId"] for r in second["runs"]]
    assert made[1] not in [r["runId"] for r in second["runs"]]


@pytest.mark.rule("verb-12")
async def test_the_writers_own_wording_goes_on_and_the_answer_stays(
    one_editor: Editor,
) -> None:
    """`content` is what the next step gets; the answer is immutable."""
    run_id = await one_editor.answered("say-raw")
    run = await one_editor.choose(run_id, content="my words", feedback="shorter")
    angles = run["steps"]["angles"]
    assert angles["content"] == "my words"
    assert angles["editedContent"] == "my words"
    assert angles["aiResponses"][0]["rawOutput"] == "raw"
    state = await one_editor.generate(run_id, "echo")
    prompt = state["aiResponses"][0]["promptUsed"]
    assert "my words" in prompt
    assert "shorter" in prompt


@pytest.mark.rule("settled-15")
async def test_the_session_knows_the_run_it_is_at(one_editor: Editor) -> None:
    """run.start makes a run the session's active one."""
    run_id = await one_editor.start_run()
    session = await one_editor.command("writeit.session.show")
    assert session["activePipelineRunId"] == run_id
    assert session["workspacePath"] == str(one_editor.folder)


async def test_pause_and_resume(one_editor: Editor) -> None:
    """A paused run says so, refuses nothing it should not, and goes on."""
    run_id = await one_editor.answered("say-a")
    paused = await one_editor.command("writeit.run.pause", runId=run_id)
    assert paused["status"] == "PAUSED"
    resumed = await one_editor.command("writeit.run.resume", runId=run_id)
    assert resumed["status"] == "RUNNING"


async def test_a_form_learns_what_front_matter_says(one_editor: Editor) -> None:
    """However it is written, open or not; keys of other tools are none of it."""
    bound, foreign = one_editor.folder / "bound.md", one_editor.folder / "foreign.md"
    inputs = '{"target_audience": you}'
    front = f"---\nwriteit: {{pipeline: 'tech-article', inputs: {inputs}}}\n---\n"
    bound.write_text(front, encoding="utf-8")
    foreign.write_text("---\ntarget_audience: nobody\n---\n", encoding="utf-8")
    told = {"pipeline": "tech-article", "inputs": {"target_audience": "you"}}
    for uri in (bound.as_uri(), one_editor.open_document(bound)):
        listed = await one_editor.command("writeit.pipeline.list", uri=uri)
        assert listed["binding"] == told
    listed = await one_editor.command("writeit.pipeline.list", uri=foreign.as_uri())
    assert listed["binding"] == {"pipeline": None, "inputs": {}}
    listed = await one_editor.command("writeit.pipeline.list")
    assert listed["binding"] is None


async def test_pipelines_and_primers_are_listed_and_shown(one_editor: Editor) -> None:
    """Lists say what a form needs; show gives the whole."""
    listed = await one_editor.command("writeit.pipeline.list")
    by_name = {entry["name"]: entry for entry in listed["pipelines"]}
    entry = by_name["tech-article"]
    assert entry["steps"] == STEPS
    assert {i["name"] for i in entry["inputs"]} >= {"source_material"}
    shown = await one_editor.command("writeit.pipeline.show", pipeline=entry["id"])
    assert shown["id"] == entry["id"]
    assert [step["name"] for step in shown["steps"]] == STEPS
    primers = await one_editor.command("writeit.primer.list")
    assert "academic" in {primer["primerId"] for primer in primers["primers"]}
    primer = await one_editor.command("writeit.primer.show", primer="academic")
    assert {"tone", "structure", "language"} <= set(primer["voiceAttributes"])


async def test_the_text_is_exported_to_a_file_and_the_history_as_yaml(
    one_editor: Editor,
) -> None:
    """A relative path is inside the workspace; the history has every event."""
    run_id = await one_editor.answered("say-a")
    await one_editor.choose(run_id)
    exported = await one_editor.command(
        "writeit.run.export", runId=run_id, format="markdown", path="out/article.md"
    )
    file = one_editor.folder / "out" / "article.md"
    assert exported["uri"] == file.as_uri()
    text = file.read_text(encoding="utf-8")
    assert text.startswith("---\nwriteit_export:\n")
    assert text.endswith("\n---\na\n")
    history = await one_editor.command("writeit.run.export", runId=run_id)
    kinds = [event["type"] for event in yaml.safe_load(history["content"])["history"]]
    assert kinds[0] == "run_started"
    assert kinds[-1] == "step_completed"
