"""Notes that changed since a run was generated: lens, page, actions and a branch."""

import asyncio

from support.document import Document
from support.editor import Json
from support.open_documents import FIRST, OpenDocuments
from support.waiting import TIMEOUT

CHANGED = "Notes changed since: angles"


async def lenses(docs: OpenDocuments, page: Document) -> list[str]:
    """Return the titles of a document's lenses."""
    found = await docs.editor.request(
        "textDocument/codeLens", {"textDocument": {"uri": page.uri}}
    )
    return [lens["command"]["title"] for lens in found]


async def until_lens(
    docs: OpenDocuments, page: Document, *, stale: bool, words: str = CHANGED
) -> list[str]:
    """Wait until a document has rested, and its lenses say whether it has changed."""
    async with asyncio.timeout(TIMEOUT):
        while (words in "\n".join(found := await lenses(docs, page))) is not stale:
            await docs.editor.until(lambda: True)
    return found


async def started(docs: OpenDocuments) -> tuple[Document, str]:
    """Return a document, and a run on it whose first step has an answer."""
    page = docs.open()
    return page, await docs.editor.answered("say-a", uri=page.uri)


async def test_a_lens_says_that_the_notes_have_changed(docs: OpenDocuments) -> None:
    """Typed, not saved; and no more when it is typed back."""
    page, run_id = await started(docs)
    page.type(0, len(FIRST), "The river is warm.")
    assert len(await until_lens(docs, page, stale=True)) <= 3
    shown = await docs.editor.command(
        "writeit.view.read", uri=f"writeit:/run/{run_id}.md"
    )
    assert f"**{CHANGED}.**" in shown["text"]
    page.type(0, len("The river is warm."), FIRST)
    await until_lens(docs, page, stale=False)


async def test_what_is_typed_counts_at_once_when_asked(docs: OpenDocuments) -> None:
    """`run.stale` computes it now; nothing is stale before."""
    page, run_id = await started(docs)
    assert (await docs.editor.command("writeit.run.stale", runId=run_id))["stale"] == []
    page.type(0, 0, "New. ")
    result: Json = await docs.editor.command("writeit.run.stale", runId=run_id)
    name = page.uri.rpartition("/")[2].replace("%20", " ")
    assert result["stale"] == [
        {"step": "angles", "reasons": [{"kind": "source", "name": name}]}
    ]


async def test_actions_say_what_goes_on_with_the_old_texts(docs: OpenDocuments) -> None:
    """Branch, start over and regenerate offer both."""
    page, run_id = await started(docs)
    await docs.editor.choose(run_id)
    page.type(0, 0, "New. ")
    await until_lens(docs, page, stale=True)
    titles = await docs.editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": page.uri},
            "range": {
                "start": {"line": 0, "character": 0},
                "end": {"line": 0, "character": 0},
            },
            "context": {"diagnostics": []},
        },
    )
    found = [action["title"] for action in titles]
    assert f"WriteIt: Refresh in a new branch ({CHANGED})" in found
    assert "WriteIt: Branch at angles with the earlier texts" in found


async def test_a_refresh_generates_with_todays_notes(docs: OpenDocuments) -> None:
    """In one branch, also after a double click; it is the document's run then."""
    page, run_id = await started(docs)
    before = await docs.editor.show(run_id)
    page.type(0, 0, "New. ")
    child, same = await asyncio.gather(
        *(
            docs.editor.command("writeit.run.refresh", runId=run_id, goOn=True)
            for _ in range(2)
        )
    )
    assert child["pipelineRunId"] == same["pipelineRunId"]
    assert child["parentPipelineRunId"] == run_id
    (answer,) = (await docs.editor.show(child["pipelineRunId"]))["steps"]["angles"][
        "aiResponses"
    ]
    assert "New. The river" in answer["promptUsed"]
    assert await docs.editor.show(run_id) == before
    await until_lens(docs, page, stale=False)


async def test_nothing_is_told_or_branched_while_front_matter_is_invalid(
    docs: OpenDocuments,
) -> None:
    """Its inputs are not known: they have not changed, and no branch is left behind."""
    head = "---\nwriteit:\n  inputs: {target_audience: editors}\n---\n"
    page = docs.open(head + FIRST)
    run_id = await docs.editor.answered("say-a", uri=page.uri)
    start = page.text.index("{")
    page.type(start, start, "{")
    page.type(len(page.text), len(page.text), " New.")
    for command in ("writeit.run.stale", "writeit.run.refresh"):
        refused = await docs.editor.refusal(command, runId=run_id)
        assert refused.kind == "invalid_pipeline"
    listed = await docs.editor.command("writeit.run.list", uri=page.uri)
    assert [run["runId"] for run in listed["runs"]] == [run_id]


async def test_a_passage_is_never_stale(docs: OpenDocuments) -> None:
    """A polish is about the words as they were; nor is there anything to refresh."""
    page = docs.open()
    run_id = await docs.polished(page)
    page.type(0, 0, "New. ")
    assert (await docs.editor.command("writeit.run.stale", runId=run_id))["stale"] == []
    refused = await docs.editor.refusal("writeit.run.refresh", runId=run_id)
    assert refused.kind == "invalid_transition"
    assert "regenerate" in refused.data["hint"]


async def test_a_file_that_another_program_adds_makes_a_run_stale(
    docs: OpenDocuments,
) -> None:
    """The editor watches notes; a pattern of the front matter may mean a new one."""
    added = docs.editor.folder / "watched" / "b.md"
    added.parent.mkdir()
    added.with_name("a.md").touch()
    page = docs.open("---\nwriteit:\n  notes: watched/*.md\n---\n" + FIRST)
    await docs.editor.answered("say-a", uri=page.uri)
    await until_lens(docs, page, stale=False)
    added.write_text("The weir is new.\n", "utf-8")
    change = {"uri": added.as_uri(), "type": 1}
    docs.editor.notify("workspace/didChangeWatchedFiles", {"changes": [change]})
    await until_lens(docs, page, stale=True, words="b.md changed since")
