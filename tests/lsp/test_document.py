"""A passage polished in its place, and front matter put in."""

from support.editor import Json
from support.open_documents import FIRST, SECOND, TEXT, OpenDocuments, span

NEW = "It+20flows."
POLISHED = TEXT.replace(SECOND, "It flows.")


async def polish(
    docs: OpenDocuments, uri: str, model: str = f"say-{NEW}", **more: object
) -> Json:
    """Polish the second paragraph."""
    given: Json = {"range": span(TEXT, SECOND), "models": [f"openai/{model}"], **more}
    result: Json = await docs.editor.command(
        "writeit.document.polish", uri=uri, **given
    )
    return result


async def test_one_answer_is_put_in_its_place(docs: OpenDocuments) -> None:
    """Selected and applied as one edit; the run is COMPLETED."""
    page = docs.open()
    run = await polish(docs, page.uri, apply=True)
    assert run["status"] == "COMPLETED"
    assert page.text == POLISHED
    assert page.version == 2
    await docs.editor.command("writeit.edit.restore", runId=run["pipelineRunId"])
    assert page.text == TEXT


async def test_without_apply_the_text_stays(docs: OpenDocuments) -> None:
    """The answer waits in its run, which is not the session's active one."""
    page = docs.open()
    before = await docs.editor.command("writeit.session.show")
    run = await polish(docs, page.uri, instruction="shorter")
    assert run["steps"]["polish"]["aiResponses"][0]["rawOutput"] == "It flows."
    assert run["userInputs"]["instruction"] == "shorter"
    assert run["status"] == "RUNNING"
    assert page.text == TEXT
    after = await docs.editor.command("writeit.session.show")
    assert after["activePipelineRunId"] == before["activePipelineRunId"]


async def test_without_a_range_the_body_is_polished(docs: OpenDocuments) -> None:
    """Its front matter is no prose."""
    page = docs.open("---\ntitle: A\n---\n" + TEXT)
    result = await docs.editor.command(
        "writeit.document.polish",
        uri=page.uri,
        models=[f"openai/say-{NEW}"],
        apply=True,
    )
    assert result["status"] == "COMPLETED"
    assert page.text == "---\ntitle: A\n---\nIt flows.\n"


async def test_polishing_can_be_left_alone(docs: OpenDocuments) -> None:
    """Without waiting the reply comes at once, and the edit when it is there."""
    page = docs.open()
    result = await polish(docs, page.uri, apply=True, wait=False, streamToken=page.uri)
    assert result["step"] == "polish"

    def ended() -> bool:
        return any(v["kind"] == "ended" for v in docs.editor.progress(page.uri))

    await docs.editor.until(ended)
    assert page.text == POLISHED


async def test_a_failing_model_changes_nothing(docs: OpenDocuments) -> None:
    """The failure is the reply."""
    page = docs.open()
    refused = await docs.editor.refusal(
        "writeit.document.polish",
        uri=page.uri,
        range=span(TEXT, FIRST),
        models=["openai/err-401"],
        apply=True,
    )
    assert refused.kind == "model_error"
    assert page.text == TEXT


async def test_front_matter_is_put_in(docs: OpenDocuments) -> None:
    """A block that names the pipeline; a second time there is nothing to do."""
    page = docs.open()
    for _ in range(2):
        result = await docs.editor.command(
            "writeit.document.frontMatter", uri=page.uri, pipeline="tech-article"
        )
        assert result == {"applied": True}
    assert page.text.startswith("---\nwriteit:\n  pipeline: tech-article\n")
    assert page.text.endswith("---\n" + TEXT)
    assert page.version == 2
    refused = await docs.editor.refusal(
        "writeit.document.frontMatter", uri=page.uri, pipeline="tech-artikel"
    )
    assert refused.kind == "not_found"
