"""`goOn`: what follows a decision, and that nothing undoes the decision."""

from support.editor import Editor, Json

MODELS = ["openai/say-Words.", "openai/say-Other+20words."]


async def begin(editor: Editor, *models: str, **params: object) -> Json:
    """Start a run that goes on with some models for its first step."""
    run: Json = await editor.command(
        "writeit.run.start",
        pipeline="tech-article",
        uri=editor.notes,
        models={"angles": list(models)},
        goOn=True,
        **params,
    )
    return run


async def choose(editor: Editor, run: Json, **params: object) -> Json:
    """Choose the first answer of the current step and go on."""
    given = {"runId": run["pipelineRunId"], "response": 0, "goOn": True, **params}
    chosen: Json = await editor.command("writeit.step.select", **given)
    return chosen


async def test_each_decision_brings_the_next_answers(one_editor: Editor) -> None:
    """With the models and samples of the first step, to the article in five acts."""
    run = await begin(one_editor, *MODELS, samples=2, output="new_file")
    assert run["next"] == {"step": "angles", "error": None}
    for step in ("angles", "outline", "draft", "polish"):
        answers = run["steps"][step]["aiResponses"]
        assert sorted(answer["number"] for answer in answers) == [1, 2, 3, 4]
        assert run["currentStep"] == step
        run = await choose(one_editor, run)
    assert run["status"] == "COMPLETED"
    assert run["applied"]["applied"]
    article = one_editor.folder / "notes.tech-article.md"
    assert article.read_text("utf-8") in {"Words.\n", "Other words.\n"}


async def test_a_step_that_gets_no_answer_leaves_the_decision(
    one_editor: Editor,
) -> None:
    """The reply says which step and why, and one message what to do."""
    before = len(one_editor.shown_messages())
    run = await begin(one_editor, "openai/err-400")
    assert run["next"]["step"] == "angles"
    assert run["next"]["error"]["kind"] == "model_error"
    assert run["steps"]["angles"]["status"] == "PENDING"
    assert len(one_editor.shown_messages()) == before + 1


async def test_without_waiting_the_stream_tells_the_end(one_editor: Editor) -> None:
    """The reply is the run; what streams and ends is the next step."""
    run = await begin(one_editor, MODELS[0])
    run = await choose(one_editor, run, wait=False, streamToken="next")
    assert run["steps"]["angles"]["status"] == "COMPLETED"
    await one_editor.until(lambda: one_editor.progress("next")[-1]["kind"] == "ended")
    values = one_editor.progress("next")
    assert values[0]["kind"] == "started"
    assert values[-1]["step"] == "outline"
    assert "error" not in values[-1]


async def test_a_refusal_ends_the_stream_of_who_does_not_wait(
    one_editor: Editor,
) -> None:
    """What was chosen stays chosen, and the stream has the error."""
    one_editor.settings = {"maxCostUsd": {"run": 0.0001}}
    one_editor.notify("workspace/didChangeConfiguration", {"settings": None})
    try:
        run = await begin(one_editor, "openai/gpt-4o", wait=False, streamToken="first")
    finally:
        one_editor.settings = {}
        one_editor.notify("workspace/didChangeConfiguration", {"settings": None})
    assert run["next"]["error"]["kind"] == "budget_exceeded"
    (ended,) = one_editor.progress("first")
    assert ended["error"]["kind"] == "budget_exceeded"


async def test_skipping_goes_on_too(one_editor: Editor) -> None:
    """The step after the skipped one is generated."""
    run_id = await one_editor.start_run(models={"outline": MODELS[:1]})
    run = await one_editor.command("writeit.step.skip", runId=run_id, goOn=True)
    assert run["next"] == {"step": "outline", "error": None}
    assert len(run["steps"]["outline"]["aiResponses"]) == 1


async def test_a_models_merge_does_not_go_on(one_editor: Editor) -> None:
    """It is one more answer to choose from."""
    run = await begin(one_editor, *MODELS)
    refused = await one_editor.refusal(
        "writeit.step.merge",
        runId=run["pipelineRunId"],
        responses=[0, 1],
        instruction="Join them.",
        goOn=True,
    )
    assert refused.kind == "invalid_params"
