"""Choosing a part of an answer, and choosing or stopping while others stream."""

from support.code_actions import actions, execute, open_view
from support.document import place
from support.editor import Editor, Json
from support.model_words import escape
from support.waiting import TIMEOUT

ANGLES = "1. **Mills** turn.\n2. **Floods** come.\n   They go."
MODEL = f"openai/say-{escape(ANGLES)}"


async def chosen(editor: Editor, run_id: str, **params: object) -> Json:
    """Choose of the first answer; return the step."""
    run = await editor.command(
        "writeit.step.select", runId=run_id, response=0, step="angles", **params
    )
    step: Json = run["steps"]["angles"]
    return step


async def answered(editor: Editor) -> str:
    """A run whose first step has one answer with a list."""
    run_id = await editor.start_run()
    await editor.command("writeit.step.run", runId=run_id, models=[MODEL])
    return run_id


async def test_an_item_is_chosen_without_its_mark(one_editor: Editor) -> None:
    """It is the step's text, and the step says which item it is."""
    run_id = await answered(one_editor)
    step = await chosen(one_editor, run_id, part={"item": 2})
    assert step["content"] == "**Floods** come.\nThey go."
    assert step["part"]["item"] == 2
    page = f"writeit:/step/{run_id}/angles.md"
    shown = (await one_editor.command("writeit.view.read", uri=page))["text"]
    assert "You chose a part of answer 1." in shown
    assert "**Mills** turn." in shown


async def test_lines_are_chosen_as_they_are(one_editor: Editor) -> None:
    """What is not in the answer is refused, and so is an item it lacks."""
    run_id = await answered(one_editor)
    step = await chosen(one_editor, run_id, part={"text": "**Mills** turn."})
    assert step["content"] == "**Mills** turn."
    assert step["part"]["item"] == 1
    for part, kind in (
        ({"text": "Mills burn."}, "invalid_params"),
        ({"item": 3}, "not_found"),
        ({"item": 1, "text": "**Mills**"}, "invalid_params"),
    ):
        refused = await one_editor.refusal(
            "writeit.step.select", runId=run_id, step="angles", response=0, part=part
        )
        assert refused.kind == kind


async def test_the_notes_and_the_page_offer_each_item(one_editor: Editor) -> None:
    """The step's pipeline says that one of them is wanted."""
    run_id = await answered(one_editor)
    offered = await actions(one_editor, one_editor.notes)
    titles = [title for title in offered if title.startswith("Choose angle")]
    assert titles == [
        "Choose angle 1 and continue: **Mills** turn.",
        "Choose angle 2 and continue: **Floods** come. They go.",
    ]
    page = f"writeit:/step/{run_id}/angles.md"
    text = await open_view(one_editor, page)
    at = place(text, text.index("**Mills**"), "utf-16")
    offered = await actions(one_editor, page, {"start": at, "end": at})
    await execute(one_editor, offered["Choose angle 2 and continue (answer 1)"])
    step = (await one_editor.show(run_id))["steps"]["angles"]
    assert step["part"]["item"] == 2


async def two_streams(editor: Editor, token: str) -> tuple[str, list[str]]:
    """A run with one answer that has ended and two that stream; the ids."""
    models = ["openai/say-done", "openai/slow-3001", "openai/slow-3002"]
    run_id = await editor.start_run()
    editor.start(
        "writeit.step.run", runId=run_id, models=models, streamToken=token, wait=False
    )

    def heard() -> bool:
        kinds = [value["kind"] for value in editor.progress(token)]
        streams = {
            value["responseId"]
            for value in editor.progress(token)
            if value["kind"] == "delta"
        }
        return "finished" in kinds and len(streams) == len(models)

    await editor.until(heard, TIMEOUT)
    started = editor.progress(token)[0]["responses"]
    assert [each["number"] for each in started] == [1, 2, 3]
    return run_id, [each["responseId"] for each in started]


async def test_one_answer_is_stopped_and_the_others_go_on(one_editor: Editor) -> None:
    """It is kept as partial; the run is not paused."""
    run_id, (_, second, _) = await two_streams(one_editor, "one")
    step = await one_editor.command(
        "writeit.response.stop", runId=run_id, responseId=second
    )
    assert [a["number"] for a in step["aiResponses"]] == [1, 2]
    assert step["aiResponses"][1]["partial"]
    assert [stream["number"] for stream in step["streaming"]] == [3]
    assert (await one_editor.show(run_id))["status"] == "RUNNING"
    refused = await one_editor.refusal(
        "writeit.response.stop", runId=run_id, responseId=second
    )
    assert refused.kind == "not_found"
    await one_editor.command("writeit.run.pause", runId=run_id)


async def test_an_answer_is_chosen_while_others_stream(one_editor: Editor) -> None:
    """What they have is kept; without `stopOthers` the choice is busy."""
    run_id, (first, _, _) = await two_streams(one_editor, "others")
    params = {"runId": run_id, "response": first}
    refused = await one_editor.refusal("writeit.step.select", **params)
    assert refused.kind == "busy"
    run = await one_editor.command("writeit.step.select", **params, stopOthers=True)
    step = run["steps"]["angles"]
    assert (run["status"], step["content"]) == ("RUNNING", "done")
    assert [answer["partial"] for answer in step["aiResponses"]] == [False, True, True]
