"""Where a step's text goes: passages, bodies, open documents, files, new files."""

from pathlib import Path

import pytest

from support.editor import Json, serving
from support.open_documents import (
    BETTER,
    FIRST,
    SECOND,
    TEXT,
    THIRD,
    OpenDocuments,
    file_of,
)
from support.workspace import new_workspace


async def test_a_continuation_goes_behind_its_passage(docs: OpenDocuments) -> None:
    """As a paragraph of its own behind a paragraph."""
    page = docs.open()
    run_id = await docs.polished(page, pipeline="continue-passage")
    await docs.apply(run_id)
    assert page.text == f"{FIRST}\n\n{SECOND}\n\n{BETTER}\n\n{THIRD}\n"


async def test_a_whole_body_is_replaced_and_its_front_matter_kept(
    docs: OpenDocuments,
) -> None:
    """Front matter as it is now, not as it was when the run began."""
    head = "---\ntitle: Rivers\n---\n"
    page = docs.open(head + TEXT)
    run_id = await docs.run(page.uri, page.text, content="# New\n\nAll new.")
    page.type(4, 17, "title: Waters")
    await docs.apply(run_id, mode="replace")
    assert page.text == "---\ntitle: Waters\n---\n# New\n\nAll new.\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
async def test_line_ends_stay_what_they_are(docs: OpenDocuments, end: str) -> None:
    """Also at the end of a file that has none there."""
    text = TEXT.replace("\n", end).rstrip()
    page = docs.open(text)
    run_id = await docs.polished(page, "One.\n\nTwo, the mills turn.")
    await docs.apply(run_id)
    new = f"One.{end}{end}Two, the mills turn."
    assert page.text == text.replace(SECOND, new)


async def test_an_untitled_document_is_a_document(docs: OpenDocuments) -> None:
    """It needs no file."""
    page = docs.open(uri="untitled:Untitled-1")
    run_id = await docs.polished(page)
    assert (await docs.apply(run_id))["applied"]
    assert BETTER in page.text


async def test_a_closed_file_is_written_on_the_disk(docs: OpenDocuments) -> None:
    """With what changed there merged in, and its permissions kept."""
    path = docs.path()
    path.write_text(TEXT, encoding="utf-8")
    path.chmod(0o640)
    run_id = await docs.run(path.as_uri(), TEXT, SECOND)
    path.write_text("By another hand. " + TEXT, encoding="utf-8")
    result = await docs.apply(run_id)
    assert result["applied"]
    assert result["merged"]
    written = path.read_text(encoding="utf-8")
    assert written == "By another hand. " + TEXT.replace(SECOND, BETTER)
    assert path.stat().st_mode & 0o777 == 0o640
    assert list(path.parent.glob(".*")) == [path.parent / ".writeit"]


async def test_a_file_that_is_gone_refuses_and_keeps_the_text(
    docs: OpenDocuments,
) -> None:
    """It says where the text is; under its new name it can be applied."""
    path = docs.path()
    path.write_text(TEXT, encoding="utf-8")
    run_id = await docs.run(path.as_uri(), TEXT, SECOND)
    moved = path.rename(docs.path())
    refused = await docs.editor.refusal("writeit.step.apply", runId=run_id)
    assert refused.kind == "document_changed"
    assert refused.data["keptAt"] == f"writeit:/content/{run_id}/polish.md"
    assert (await docs.apply(run_id, uri=moved.as_uri()))["applied"]
    assert BETTER in moved.read_text(encoding="utf-8")


async def test_a_new_file_has_the_suffix_and_line_ends_of_its_source(
    docs: OpenDocuments,
) -> None:
    """The notes may be R Markdown with CRLF."""
    path = docs.path().with_suffix(".Rmd")
    path.write_bytes(TEXT.replace("\n", "\r\n").encode())
    page = docs.open(TEXT.replace("\n", "\r\n"), uri=path.as_uri())
    run_id = await docs.run(page.uri, page.text, content="One.\n\nTwo.")
    made = file_of((await docs.apply(run_id))["uri"])
    assert made.name == f"{path.stem}.tech-article.Rmd"
    assert made.read_bytes() == b"One.\r\n\r\nTwo.\r\n"


async def test_a_new_file_stands_beside_its_source(docs: OpenDocuments) -> None:
    """`<stem>.<pipeline>.md`, or the next free number; once, and gone by restore."""
    page = docs.open()
    run_id = await docs.run(page.uri, page.text)
    result = await docs.apply(run_id)
    stem = page.uri.removesuffix(".md")
    assert result["uri"] == f"{stem}.tech-article.md"
    assert (await docs.apply(run_id))["uri"] == result["uri"]
    other = await docs.apply(await docs.run(page.uri, page.text, content="Other."))
    assert other["uri"] == f"{stem}.tech-article-2.md"
    await docs.editor.command("writeit.edit.restore", runId=run_id)
    again = await docs.apply(run_id)
    assert again["uri"] == result["uri"]


async def test_another_text_goes_into_the_new_file_of_the_first(
    docs: OpenDocuments,
) -> None:
    """As one edit that keeps the user's words, also when the file is not open."""
    page = docs.open()
    run_id = await docs.run(page.uri, page.text, content=TEXT)
    path = file_of((await docs.apply(run_id))["uri"])
    article = docs.open(path.read_text("utf-8"), uri=path.as_uri())
    article.type(0, 0, "Mine. ")
    better = TEXT.replace(SECOND, BETTER)
    await docs.editor.choose(run_id, content=better, step="angles")
    result = await docs.apply(run_id)
    assert (result["uri"], result["merged"]) == (path.as_uri(), True)
    assert (article.text, article.taken) == (f"Mine. {better}", 1)
    refused = await docs.editor.refusal("writeit.edit.restore", runId=run_id)
    assert refused.kind == "document_changed"
    path.write_text(article.text, encoding="utf-8")
    article.close()
    await docs.editor.choose(run_id, content=TEXT, step="angles")
    await docs.apply(run_id)
    assert path.read_text("utf-8") == f"Mine. {TEXT}"
    elsewhere = docs.path().as_uri()
    other = await docs.apply(run_id, mode="new_file", uri=elsewhere)
    assert other["uri"] == elsewhere


@pytest.mark.parametrize("manner", ["does it", "lies"])
async def test_a_client_that_can_makes_the_new_file(
    environment: dict[str, str], tmp_path: Path, manner: str
) -> None:
    """Or else the server does; the text is in it either way."""
    folder = new_workspace(tmp_path / "workspace")
    asked: list[str] = []

    def make(params: Json) -> Json:
        (change,) = params["edit"]["documentChanges"]
        assert change["kind"] == "create"
        asked.append(change["uri"])
        if manner == "does it":
            file_of(change["uri"]).touch(exist_ok=False)
        return {"applied": True}

    async with serving([folder], "visual_studio_code", environment) as editor:
        docs = OpenDocuments(editor)
        editor.answers["workspace/applyEdit"] = make
        page = docs.open()
        result = await docs.apply(await docs.run(page.uri, page.text))
        assert asked == [result["uri"]]
        assert file_of(result["uri"]).read_text(encoding="utf-8") == BETTER + "\n"


async def test_a_new_file_goes_where_the_run_says(docs: OpenDocuments) -> None:
    """`outputPath` inside the workspace; outside is refused."""
    page = docs.open()
    run_id = await docs.run(page.uri, page.text, outputPath="out/rivers.md")
    result = await docs.apply(run_id)
    path = docs.editor.folder / "out" / "rivers.md"
    assert result["uri"] == path.as_uri()
    assert path.read_text(encoding="utf-8") == BETTER + "\n"
    refused = await docs.editor.refusal(
        "writeit.run.start",
        pipeline="tech-article",
        uri=page.uri,
        outputPath="../rivers.md",
    )
    assert refused.kind == "not_trusted"


async def test_a_new_file_that_was_edited_is_not_removed(docs: OpenDocuments) -> None:
    """Restore says so and leaves it."""
    page = docs.open()
    run_id = await docs.run(page.uri, page.text, outputPath="out/edited.md")
    await docs.apply(run_id)
    path = docs.editor.folder / "out" / "edited.md"
    path.write_text("mine", encoding="utf-8")
    refused = await docs.editor.refusal("writeit.edit.restore", runId=run_id)
    assert refused.kind == "document_changed"
    assert path.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_characters_of_several_units_are_where_they_are(
    environment: dict[str, str], tmp_path: Path, encoding: str
) -> None:
    """Emoji and combining characters in front of the passage, in every encoding."""
    folder = new_workspace(tmp_path / "workspace")
    async with serving([folder], f"bare {encoding}", environment) as editor:
        assert editor.initialized["capabilities"]["positionEncoding"] == encoding
        await odd_characters(OpenDocuments(editor))


async def odd_characters(docs: OpenDocuments) -> None:
    """Apply behind and between characters of several units."""
    odd = "👩\u200d🚀 cafe\u0301 — \u2028 \x0c "
    page = docs.open(TEXT.replace(SECOND, odd + SECOND))
    run_id = await docs.run(page.uri, page.text, content="Short.")
    page.type(0, 0, "🚀")
    await docs.apply(run_id, mode="insert")
    text = "🚀" + TEXT.replace(SECOND, odd + SECOND) + "\nShort.\n"
    assert page.text == text
    run_id = await docs.polished(page)
    page.type(page.text.index(THIRD), page.text.index(THIRD), "👍🏽 ")
    await docs.apply(run_id)
    assert page.text == text.replace(SECOND, BETTER).replace(THIRD, "👍🏽 " + THIRD)
