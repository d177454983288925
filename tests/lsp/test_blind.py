"""`blind`: who says so, what the wire tells, and that it is kept."""

from collections.abc import AsyncIterator

import pytest_asyncio

from support.editor import Editor, Json
from writeit.domain.blind import letter_of

MODELS = ["openai/say-One.", "openai/say-Two.", "openai/err-400"]


@pytest_asyncio.fixture(loop_scope="session")
async def blind_editor(one_editor: Editor) -> AsyncIterator[Editor]:
    """An editor whose setting says that choices are blind."""
    one_editor.settings = {"blind": True}
    one_editor.notify("workspace/didChangeConfiguration", {"settings": {}})
    yield one_editor
    one_editor.settings = {}
    one_editor.notify("workspace/didChangeConfiguration", {"settings": {}})


async def generated(editor: Editor, models: list[str] = MODELS) -> Json:
    """The first step of a new run, with two answers and a failure."""
    run_id = await editor.start_run()
    await editor.command("writeit.step.run", runId=run_id, models=models)
    return await editor.show(run_id)


def letters(step: Json) -> list[str | None]:
    """The letters of a step's answers and failures."""
    return [item["letter"] for item in (*step["aiResponses"], *step["failures"])]


async def test_letters_until_the_choice_then_numbers_and_models(
    blind_editor: Editor,
) -> None:
    """The wire tells both; a page tells the letters, then the models."""
    run = await generated(blind_editor)
    step = run["steps"]["angles"]
    assert sorted(map(str, letters(step))) == ["A", "B", "C"]
    uri = f"writeit:/step/{run['pipelineRunId']}/angles.md"
    read = await blind_editor.command("writeit.view.read", uri=uri)
    assert "openai" not in read["text"]
    answers = read["answers"]
    assert [answer["letter"] for answer in answers] == ["A", "B", "C"]
    assert {answer["model"] for answer in answers} == set(MODELS)
    assert {answer["number"] for answer in answers} == {1, 2, 3}
    chosen = await blind_editor.command(
        "writeit.step.select", runId=run["pipelineRunId"], response=0
    )
    assert letters(chosen["steps"]["angles"]) == [None] * 3
    read = await blind_editor.command("writeit.view.read", uri=uri)
    assert "openai/say-One." in read["text"]


async def test_no_page_or_list_tells_more_before_the_choice(
    blind_editor: Editor,
) -> None:
    """Neither models of the prompt, nor costs, nor usage."""
    new = ["openai/say-Unseen+20so+20far.", "openai/say-Two."]
    run_id = (await generated(blind_editor, new))["pipelineRunId"]

    async def shown() -> tuple[bool, bool, bool]:
        pages = (f"prompt/{run_id}/angles.md", "usage.md")
        texts = [
            await blind_editor.command("writeit.view.read", uri=f"writeit:/{page}")
            for page in pages
        ]
        listed = (await blind_editor.command("writeit.run.list"))["runs"][0]
        prompt, usage = (new[0] in page["text"] for page in texts)
        return prompt, usage, listed["isBlind"]

    assert await shown() == (False, False, True)
    await blind_editor.command("writeit.step.select", runId=run_id, response=0)
    assert (await shown())[1:] == (True, False)


async def test_each_round_gets_letters_and_an_export_keeps_them(
    blind_editor: Editor,
) -> None:
    """The new ones go on, because the earlier answers can still be chosen."""
    run = await generated(blind_editor)
    run_id = run["pipelineRunId"]
    before = run["steps"]["angles"]["aiResponses"]
    again = await blind_editor.command("writeit.step.regenerate", runId=run_id)
    known = {letter_of(place) for place in range(1, 4)}
    assert {str(each) for each in letters(again)} - known <= {"D", "E", "F"}
    assert again["aiResponses"][:2] == before
    exported = await blind_editor.command(
        "writeit.run.export", runId=run_id, format="json"
    )
    assert exported["content"].count('"place":') >= len(MODELS)


async def test_the_front_matter_is_closer_than_the_setting(
    blind_editor: Editor,
) -> None:
    """Either way."""
    for said, expected in (("false", True), ("true", False)):
        text = f"---\nwriteit: {{blind: {said}}}\n---\n# Notes\n\nWords.\n"
        notes = blind_editor.folder / f"blind-{said}.md"
        notes.write_text(text, encoding="utf-8")
        uri = blind_editor.open_document(notes)
        run = await blind_editor.command(
            "writeit.run.start", pipeline="tech-article", uri=uri
        )
        step = await blind_editor.command(
            "writeit.step.run", runId=run["pipelineRunId"], models=MODELS[:1]
        )
        assert (letters(step) == [None]) is expected
