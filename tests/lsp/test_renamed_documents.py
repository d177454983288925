"""Runs follow their documents: told by the editor, by a command, or not at all."""

import asyncio
from pathlib import Path

from support.editor import Editor, Json, serving
from support.open_documents import OpenDocuments, file_of
from support.waiting import TIMEOUT
from support.workspace import new_workspace

FIRST = {"line": 0, "character": 0}


def document(editor: Editor, name: str, text: str = "") -> Path:
    """Return a new file of the workspace."""
    path = editor.folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text or f"# Notes of {name}\n\nThe river is cold.\n", "utf-8")
    return path


async def run_on(editor: Editor, path: Path) -> str:
    """Start a run on a file; return its id."""
    return await editor.start_run(uri=path.as_uri(), inputs={"target_audience": "all"})


def tell(editor: Editor, *moves: tuple[Path, Path]) -> None:
    """Tell the server of renames that were done."""
    files = [{"oldUri": old.as_uri(), "newUri": new.as_uri()} for old, new in moves]
    editor.notify("workspace/didRenameFiles", {"files": files})


async def told(editor: Editor, runs: list[str], *moves: tuple[Path, Path]) -> None:
    """Tell the server of renames; the first document must get these runs.

    A notification has no reply, so it is asked until then.
    """
    tell(editor, *moves)
    async with asyncio.timeout(TIMEOUT):
        while await runs_of(editor, moves[0][1]) != runs:
            pass


async def runs_of(editor: Editor, path: Path) -> list[str]:
    """Return the ids of a document's runs, the newest first."""
    listed = await editor.command("writeit.run.list", uri=path.as_uri(), limit=200)
    return [run["runId"] for run in listed["runs"]]


async def titles(editor: Editor, path: Path) -> list[str]:
    """Return the titles of the actions on an open document."""
    actions = await editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": path.as_uri()},
            "range": {"start": FIRST, "end": FIRST},
            "context": {"diagnostics": []},
        },
    )
    return [action["title"] for action in actions]


async def test_the_editor_tells_of_a_rename(one_editor: Editor) -> None:
    """Run, list and the active run have the new name; the old one has none."""
    old = document(one_editor, "early.md")
    run_id = await run_on(one_editor, old)
    new = old.rename(old.with_name("late name.md"))
    await told(one_editor, [run_id], (old, new))
    assert await runs_of(one_editor, old) == []
    assert (await one_editor.show(run_id))["uri"] == new.as_uri()


async def test_files_and_folders_are_announced(
    workspace: Path, environment: dict[str, str]
) -> None:
    """A client sends the notification only for what the server asked for."""
    async with serving([workspace], "visual_studio_code", environment) as code:
        initialized = code.initialized
    operations = initialized["capabilities"]["workspace"]["fileOperations"]
    (pattern,) = operations["didRename"]["filters"]
    assert pattern == {"scheme": "file", "pattern": {"glob": "**"}}


async def test_a_rename_that_is_undone(one_editor: Editor) -> None:
    """The runs come back."""
    old = document(one_editor, "there.md")
    run_id = await run_on(one_editor, old)
    new = old.with_name("back.md")
    await told(one_editor, [run_id], (old, new))
    await told(one_editor, [run_id], (new, old))
    assert await runs_of(one_editor, new) == []


async def test_two_names_are_swapped(one_editor: Editor) -> None:
    """Each document keeps its own runs, and the one that is active."""
    a, b = document(one_editor, "swap a.md"), document(one_editor, "swap b.md")
    older, run_a = await run_on(one_editor, a), await run_on(one_editor, a)
    run_b = await run_on(one_editor, b)
    await one_editor.command("writeit.session.activate", runId=older)
    await told(one_editor, [run_a, older], (a, b), (b, a))
    assert await runs_of(one_editor, a) == [run_b]
    one_editor.open_document(b)
    found = await titles(one_editor, b)
    assert any("Generate angles" in title for title in found)


async def test_a_folder_of_a_hundred_documents(one_editor: Editor) -> None:
    """Every run follows; a folder whose name only begins the same stays."""
    inside = [document(one_editor, f"part/chapter {n}.md") for n in range(100)]
    near = document(one_editor, "part two/other.md")
    ids = [await run_on(one_editor, path) for path in inside]
    stays = await run_on(one_editor, near)
    new = inside[0].parent.rename(one_editor.folder / "book")
    result = await one_editor.command(
        "writeit.run.move", **{"from": inside[0].parent.as_uri(), "to": new.as_uri()}
    )
    assert sorted(result["runs"]) == sorted(ids)
    assert await runs_of(one_editor, new / "chapter 7.md") == [ids[7]]
    assert await runs_of(one_editor, near) == [stays]


async def test_an_applied_text_is_restored_under_the_new_name(
    docs: OpenDocuments,
) -> None:
    """What was there before is in the run's events, under the name of that time."""
    page = docs.open()
    before = page.text
    run_id = await docs.polished(page)
    await docs.apply(run_id)
    moved = docs.open(page.text)
    await told(docs.editor, [run_id], (file_of(page.uri), file_of(moved.uri)))
    await docs.editor.command("writeit.edit.restore", runId=run_id)
    assert moved.text == before


async def test_a_copy_moves_no_runs(one_editor: Editor) -> None:
    """The first document is still there, so nothing is offered either."""
    old = document(one_editor, "first.md")
    run_id = await run_on(one_editor, old)
    copy = document(one_editor, "copy.md", old.read_text("utf-8"))
    one_editor.open_document(copy)
    assert not [t for t in await titles(one_editor, copy) if "Move the runs" in t]
    assert await runs_of(one_editor, old) == [run_id]


async def test_a_rename_that_nobody_told_of_is_offered(one_editor: Editor) -> None:
    """By git or a file manager: most of the text is what the run has stored."""
    text = "# The old mill\n\nIt stands by the weir, and its wheel is broken.\n"
    old = document(one_editor, "mill.md", text)
    run_id = await run_on(one_editor, old)
    new = old.rename(old.with_name("the mill.md"))
    new.write_text(f"{text}\nNobody has repaired it.\n", "utf-8")
    other = document(one_editor, "stars.md", "# Stars\n\nOther words altogether.\n")
    one_editor.open_document(other)
    one_editor.open_document(new)
    assert not [t for t in await titles(one_editor, other) if "Move the runs" in t]
    assert "WriteIt: Move the runs of mill.md here" in await titles(one_editor, new)
    params: Json = {"from": old.as_uri(), "to": new.as_uri()}
    await one_editor.command("writeit.run.move", **params)
    assert await runs_of(one_editor, new) == [run_id]
    assert not [t for t in await titles(one_editor, new) if "Move the runs" in t]


async def test_notes_of_one_template_are_not_taken_for_each_other(
    one_editor: Editor,
) -> None:
    """What is in other notes too does not count, nor do headings and labels."""
    template = "# Meeting\n\nWho:\n\nAsk first: is this meeting needed at all today?\n"
    kept = document(one_editor, "may.md", f"{template}The bridge needs paint.\n")
    lost = document(one_editor, "june.md", f"{template}We buy a boat for two.\n")
    for path in (kept, lost):
        await run_on(one_editor, path)
    lost.unlink()
    new = document(one_editor, "july.md", f"{template}Rain.\n")
    one_editor.open_document(new)
    assert not [t for t in await titles(one_editor, new) if "Move the runs" in t]


async def test_a_run_that_streams_is_moved_as_well(one_editor: Editor) -> None:
    """The answer ends, and is under the new name."""
    old = document(one_editor, "streams.md")
    one_editor.notes, notes = one_editor.open_document(old), one_editor.notes
    try:
        run_id, _, reply = await one_editor.streaming("slow-40", "moved-stream")
        new = old.with_name("streamed.md")
        tell(one_editor, (old, new))
        state = await reply
        assert len(state["aiResponses"]) == 1
        assert await runs_of(one_editor, new) == [run_id]
    finally:
        one_editor.notes = notes


async def test_a_file_that_left_its_folder_stops_no_other(
    workspace: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    """Each workspace folder has its own runs; the message names that file alone."""
    other = new_workspace(tmp_path / "other")
    async with serving([workspace, other], "neovim", environment) as editor:
        leaves, stays = document(editor, "leaves.md"), document(editor, "stays.md")
        left = await run_on(editor, leaves)
        run_id = await run_on(editor, stays)
        new = leaves.rename(other / "leaves.md")
        tell(editor, (leaves, new), (stays, stays.rename(workspace / "new.md")))
        await editor.until(editor.shown_messages)
        assert await runs_of(editor, workspace / "new.md") == [run_id]
        assert await runs_of(editor, leaves) == [left]
        (message,) = editor.shown_messages()
        assert "another workspace folder: leaves.md." in message


async def test_runs_move_to_files_only(one_editor: Editor) -> None:
    """A document that is not saved, a page or nonsense has no runs by its name."""
    old = document(one_editor, "stays.md")
    run_id = await run_on(one_editor, old)
    for uri in ("untitled:U", "writeit:/run/x.md", "not a uri", "http://a.example/b"):
        params: Json = {"from": old.as_uri(), "to": uri}
        refused = await one_editor.refusal("writeit.run.move", **params)
        assert refused.kind == "invalid_params"
    assert await runs_of(one_editor, old) == [run_id]


async def test_story_of_notes_that_are_renamed_changed_and_refreshed(
    one_editor: Editor,
) -> None:
    """A bare client: the branch shares what is not stale, and only the rest is paid."""
    draft = "draft of the mill"
    old = document(one_editor, "story.md", f"# Mill\n\n{draft}\n")
    run_id = await run_on(one_editor, old)
    for step in ("angles", "outline"):
        models = ["openai/say-a", "openai/say-b"]
        await one_editor.command("writeit.step.run", runId=run_id, models=models)
        await one_editor.command("writeit.step.select", runId=run_id, response=0)
        assert (await one_editor.show(run_id))["steps"][step]["status"] == "COMPLETED"
    new = old.rename(old.with_name("later story.md"))
    await told(one_editor, [run_id], (old, new))
    before = await one_editor.show(run_id)
    assert (await one_editor.command("writeit.run.stale", runId=run_id))["stale"] == []
    new.write_text(f"# Mill\n\n{draft}, now with a wheel\n", "utf-8")
    stale = (await one_editor.command("writeit.run.stale", runId=run_id))["stale"]
    assert [(s["step"], s["reasons"][0]["name"]) for s in stale] == [
        ("angles", new.name),
        ("outline", new.name),
    ]
    child = await one_editor.command("writeit.run.refresh", runId=run_id)
    assert child["currentStep"] == "angles"
    refreshed = child["pipelineRunId"]
    await one_editor.command(
        "writeit.step.run", runId=refreshed, models=["openai/say-a"]
    )
    usage = await one_editor.command("writeit.usage.show", by="run")
    calls = {row["key"]: row["calls"] for row in usage["rows"]}
    assert (calls[run_id], calls[refreshed]) == (4, 1)
    after = await one_editor.show(run_id)
    assert after == before
