"""`writeit.search` and `workspace/symbol`: a hit leads to the line of a page."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from support.editor import Editor, serving

ANSWER = "say-zebras-drum"
WORDS = "Zebras of the Łódź zoo\n\n- are striped\n- do not *quack*\n"


async def search(editor: Editor, text: str, **params: object) -> list[dict[str, Any]]:
    """Return the hits, once the index is complete."""
    while True:
        page = await editor.command("writeit.search", text=text, **params)
        if not page["partial"]:
            hits: list[dict[str, Any]] = page["hits"]
            return hits


async def line_of(editor: Editor, hit: dict[str, Any]) -> str:
    """Return the line that a hit leads to."""
    page = await editor.command("writeit.view.read", uri=hit["uri"])
    line: str = page["text"].split("\n")[hit["line"]]
    return line


async def test_hits_lead_to_the_line_of_their_page(editor: Editor) -> None:
    """Answers, the user's own words, feedback, titles and prompts."""
    run_id = await editor.answered(ANSWER)
    step = (await editor.show(run_id))["steps"]["angles"]
    response = step["aiResponses"][0]["responseId"]
    await editor.choose(run_id, content=WORDS, feedback="No aardvarks, please.")
    await editor.command("writeit.step.apply", runId=run_id, step="angles")

    (answer,) = await search(editor, "drum", **{"in": ["answer"]})
    assert answer["responseId"] == response
    assert answer["uri"] == f"writeit:/response/{run_id}/angles/{response}.md"
    assert "drum" in await line_of(editor, answer)
    (own,) = await search(editor, "quack*", uri=editor.notes, **{"in": ["answer"]})
    (applied,) = await search(editor, "striped", **{"in": ["applied"]})
    assert own["responseId"] is None
    assert "quack" in await line_of(editor, own)
    assert "striped" in await line_of(editor, applied)
    (feedback,) = await search(editor, "AARDVARKS")
    assert (feedback["in"], feedback["step"]) == ("feedback", "angles")
    assert "aardvarks" in await line_of(editor, feedback)
    (title, *_) = await search(editor, own["title"], **{"in": ["title"]})
    assert title["uri"] == f"writeit:/run/{run_id}.md"
    prompt = (await search(editor, own["title"], **{"in": ["prompt"]}))[0]
    assert prompt["uri"].startswith(f"writeit:/prompt/{run_id}/")


async def test_pages_are_continued_and_a_wrong_cursor_is_refused(
    editor: Editor,
) -> None:
    """`next` is the `cursor` of the next page."""
    for number in "abc":
        await editor.answered(f"say-okapi-{number}")
    everything = await search(editor, "okapi", model="say-okapi-a")
    assert len(everything) == 1
    everything = await search(editor, "okapi")
    first = await editor.command("writeit.search", text="okapi", limit=2)
    rest = await editor.command("writeit.search", text="okapi", cursor=first["next"])
    assert first["hits"] + rest["hits"] == everything
    assert rest["next"] is None
    assert await search(editor, '" * (') == []
    refused = await editor.refusal("writeit.search", text="okapi", cursor="1; DROP")
    assert refused.kind == "invalid_params"


@pytest.mark.parametrize("profile", ["neovim", "bare"])
async def test_every_editor_finds_symbols(
    profile: str, workspace: Path, environment: dict[str, str]
) -> None:
    """The last word may be incomplete; an editor without our pages gets files."""
    async with serving([workspace], profile, environment) as editor:
        await editor.answered(ANSWER)
        await search(editor, "drum")
        found = await editor.request("workspace/symbol", {"query": "zebras dru"})
        symbols = {s["location"]["uri"]: s for s in found if "zebras" in s["name"]}
        assert symbols
        for uri, symbol in symbols.items():
            if "/response/" not in uri:
                continue
            if uri.startswith("file:"):
                file = Path(uri.removeprefix("file://"))
                text = await asyncio.to_thread(file.read_text, "utf-8")
            else:
                text = (await editor.command("writeit.view.read", uri=uri))["text"]
            line = text.split("\n")[symbol["location"]["range"]["start"]["line"]]
            assert "zebras" in line
            break
        else:
            pytest.fail(f"no answer among {list(symbols)}")
        assert await editor.request("workspace/symbol", {"query": "ze"}) == []
