"""A passage polished in its place, and front matter put in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.desk import FIRST, SECOND, TEXT, Desk, span

if TYPE_CHECKING:
    from support.editor import Json

pytestmark = pytest.mark.asyncio(loop_scope="session")

NEW = "It%20flows."
POLISHED = TEXT.replace(SECOND, "It flows.")


async def polish(
    desk: Desk, uri: str, model: str = f"say-{NEW}", **more: object
) -> Json:
    """Polish the second paragraph."""
    given: Json = {"range": span(TEXT, SECOND), "models": [f"openai/{model}"], **more}
    result: Json = await desk.editor.command(
        "writeit.document.polish", uri=uri, **given
    )
    return result


async def test_one_answer_is_put_in_its_place(desk: Desk) -> None:
    """Selected and applied as one edit; the run is COMPLETED."""
    page = desk.open()
    run = await polish(desk, page.uri, apply=True)
    assert run["status"] == "COMPLETED"
    assert page.text == POLISHED
    assert page.version == 2
    await desk.editor.command("writeit.edit.restore", runId=run["pipelineRunId"])
    assert page.text == TEXT


async def test_without_apply_the_text_stays(desk: Desk) -> None:
    """The answer waits in its run, which is not the session's active one."""
    page = desk.open()
    before = await desk.editor.command("writeit.session.show")
    run = await polish(desk, page.uri, instruction="shorter")
    assert run["steps"]["polish"]["aiResponses"][0]["rawOutput"] == "It flows."
    assert run["userInputs"]["instruction"] == "shorter"
    assert run["status"] == "RUNNING"
    assert page.text == TEXT
    after = await desk.editor.command("writeit.session.show")
    assert after["activePipelineRunId"] == before["activePipelineRunId"]


async def test_of_several_answers_none_is_applied(desk: Desk) -> None:
    """The page to choose on is opened."""
    page = desk.open()
    before = len(desk.editor.sent("window/showDocument"))
    run = await polish(desk, page.uri, samples=2, apply=True)
    assert run["status"] == "RUNNING"
    assert page.text == TEXT
    await desk.editor.until(
        lambda: len(desk.editor.sent("window/showDocument")) > before
    )
    shown = desk.editor.sent("window/showDocument")[-1]["uri"]
    assert shown.endswith(f"/step/{run['pipelineRunId']}/polish.md")


async def test_without_a_range_the_body_is_polished(desk: Desk) -> None:
    """Its front matter is no prose."""
    page = desk.open("---\ntitle: A\n---\n" + TEXT)
    result = await desk.editor.command(
        "writeit.document.polish",
        uri=page.uri,
        models=[f"openai/say-{NEW}"],
        apply=True,
    )
    assert result["status"] == "COMPLETED"
    assert page.text == "---\ntitle: A\n---\nIt flows.\n"


async def test_polishing_can_be_left_alone(desk: Desk) -> None:
    """Without waiting the reply comes at once, and the edit when it is there."""
    page = desk.open()
    result = await polish(desk, page.uri, apply=True, wait=False, streamToken=page.uri)
    assert result["step"] == "polish"

    def ended() -> bool:
        return any(v["kind"] == "ended" for v in desk.editor.progress(page.uri))

    await desk.editor.until(ended)
    assert page.text == POLISHED


async def test_a_failing_model_changes_nothing(desk: Desk) -> None:
    """The failure is the reply."""
    page = desk.open()
    refused = await desk.editor.refusal(
        "writeit.document.polish",
        uri=page.uri,
        range=span(TEXT, FIRST),
        models=["openai/err-401"],
        apply=True,
    )
    assert refused.kind == "model_error"
    assert page.text == TEXT


async def test_front_matter_is_put_in(desk: Desk) -> None:
    """A block that names the pipeline; a second time there is nothing to do."""
    page = desk.open()
    for _ in range(2):
        result = await desk.editor.command(
            "writeit.document.frontMatter", uri=page.uri, pipeline="tech-article"
        )
        assert result == {"applied": True}
    assert page.text.startswith("---\nwriteit:\n  pipeline: tech-article\n")
    assert page.text.endswith("---\n" + TEXT)
    assert page.version == 2
    refused = await desk.editor.refusal(
        "writeit.document.frontMatter", uri=page.uri, pipeline="tech-artikel"
    )
    assert refused.kind == "not_found"
