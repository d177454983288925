"""Go to definition: from a document to its step, from a name to its file."""

import pytest

from support.document import place
from support.editor import Editor, Json
from support.front_matter_document import FrontMatterDocument, writeit_block
from support.open_documents import BETTER, OpenDocuments
from support.workspace import NOTES


async def definition(editor: Editor, uri: str, line: int, character: int = 0) -> Json:
    """Where a place leads, as the client is told."""
    where = {"line": line, "character": character}
    found: Json = await editor.request(
        "textDocument/definition", {"textDocument": {"uri": uri}, "position": where}
    )
    return found


async def test_the_first_line_leads_to_the_page_of_the_step_the_run_is_at(
    editor: Editor,
) -> None:
    """As a document of ours where the client opens those, else as a file."""
    run_id = await editor.start_run()
    found = await definition(editor, editor.notes, 0)
    view = f"/step/{run_id}/angles.md"
    if found["uri"].startswith("writeit:"):
        assert found["uri"] == f"writeit:{view}"
        return
    path = editor.folder / f".writeit/views{view}"
    assert found["uri"] == path.as_uri()
    assert path.read_text(encoding="utf-8").startswith("#")


async def test_prose_and_a_document_without_a_run_lead_nowhere(editor: Editor) -> None:
    """Neither has a place to go to."""
    path = editor.folder / "no-run.md"
    path.write_text("# A title\n\nAnd words.\n", encoding="utf-8")
    uri = editor.open_document(path)
    assert await definition(editor, uri, 0) is None
    await editor.start_run()
    last = NOTES.count("\n") - 1
    assert await definition(editor, editor.notes, last) is None


async def test_a_passage_leads_to_the_page_of_the_step_it_comes_from(
    docs: OpenDocuments,
) -> None:
    """And only the passage does."""
    page = docs.open()
    run_id = await docs.polished(page)
    await docs.apply(run_id)
    line = place(page.text, page.text.index(BETTER), "utf-16")["line"]
    found = await definition(docs.editor, page.uri, line, 3)
    assert found["uri"].endswith(f"/step/{run_id}/polish.md")
    assert await definition(docs.editor, page.uri, 0, 3) is None


@pytest.mark.parametrize(
    ("words", "file"),
    [
        ("  pipeline: po|st\n", "/pipelines/post.yaml"),
        ("  primer: academ|ic\n", "/primers/academic.yaml"),
    ],
)
async def test_a_name_in_front_matter_leads_to_its_file(
    pipelined: Editor, words: str, file: str
) -> None:
    """Whether the folder has it or it came with WriteIt."""
    head = FrontMatterDocument(pipelined, writeit_block(words))
    found = await pipelined.request("textDocument/definition", head.here())
    assert found["uri"].endswith(file)


async def test_a_name_nobody_knows_leads_nowhere(pipelined: Editor) -> None:
    """A diagnostic says that there is none."""
    head = FrontMatterDocument(pipelined, writeit_block("  pipeline: no|body\n"))
    assert await pipelined.request("textDocument/definition", head.here()) is None
