"""A page about a run is no text of the writer's: nothing is begun on it."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from support.editor import Editor
from support.provider import Provider


async def page_of(editor: Editor, run_id: str) -> str:
    """The page of a run's first step, open in the editor."""
    opened = await editor.command("writeit.view.open", view="step", runId=run_id)
    uri: str = opened["uri"]
    if uri.startswith("file:"):
        return editor.open_document(Path(unquote(urlsplit(uri).path)))
    return uri


@pytest.mark.parametrize(
    ("command", "params"),
    [
        ("writeit.run.start", {"pipeline": "tech-article"}),
        ("writeit.document.polish", {"models": ["openai/say-page"]}),
        ("writeit.document.frontMatter", {"pipeline": "tech-article"}),
    ],
)
async def test_a_page_is_not_taken_for_a_document(
    editor: Editor, provider: Provider, command: str, params: dict[str, object]
) -> None:
    """It is the server's text, without the front matter of the document."""
    uri = await page_of(editor, await editor.start_run())
    asked = len(provider.calls)
    refusal = await editor.refusal(command, uri=uri, **params)
    assert refusal.kind == "invalid_params"
    assert "page about a run" in str(refusal)
    assert "in your document" in refusal.data["hint"]
    assert len(provider.calls) == asked


async def test_a_text_is_not_put_into_a_page(editor: Editor) -> None:
    """It stays where it is kept."""
    run_id = await editor.start_run()
    model = ["openai/say-page"]
    await editor.command("writeit.step.run", runId=run_id, models=model)
    await editor.choose(run_id)
    uri = await page_of(editor, run_id)
    refusal = await editor.refusal("writeit.step.apply", runId=run_id, uri=uri)
    assert "page about a run" in str(refusal)
