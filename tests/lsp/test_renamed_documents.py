"""Runs follow their documents: told by the editor, by a command, or not at all."""

import asyncio
import os
import shutil
from pathlib import Path

from support.drafts import LETTER
from support.editor import Editor, Json, serving
from support.open_documents import OpenDocuments, file_of
from support.waiting import TIMEOUT
from support.workspace import new_workspace

FIRST = {"line": 0, "character": 0}


HUNDRED = (*(f"part/{n}.md" for n in range(100)), "part 2/x.md")
ONE, PAIR, PARTS = ("a.md",), ("a.md", "b.md"), ("part/1.md", "part/2.md", "other.md")
CASES: dict[str, tuple[int, int, tuple[str, ...], list[dict[str, str]]]] = {
    "a document": (1, 1, ONE, [{"a.md": "b c.md"}]),
    "only in upper case": (1, 1, ONE, [{"a.md": "A.md"}]),
    "undone": (1, 0, ONE, [{"a.md": "b.md"}, {"b.md": "a.md"}]),
    "two names swapped": (1, 2, PAIR, [{"a.md": "b.md", "b.md": "a.md"}]),
    "onto another document": (1, 1, PAIR, [{"a.md": "b.md"}]),
    "a folder of a hundred": (1, 100, HUNDRED, [{"part": "book"}]),
    "and a file out of it": (1, 2, PARTS, [{"part": "book", "part/1.md": "1.md"}]),
    "two editors tell of it": (2, 1, ONE, [{"a.md": "b.md"}]),
    "git mv": (0, 1, ONE, [{"a.md": "b.md"}]),
    "a folder, by a file manager": (0, 2, PARTS, [{"part": "book"}]),
    "a copy": (0, 0, ONE, [{"a.md": "b.md"}]),
}
"""How many editors tell of it, how many runs follow, the documents, the renames."""


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
    return [action["title"] for action in await actions(editor, path)]


async def actions(editor: Editor, path: Path) -> list[Json]:
    """Return the actions on an open document."""
    found: list[Json] = await editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": path.as_uri()},
            "range": {"start": FIRST, "end": FIRST},
            "context": {"diagnostics": []},
        },
    )
    return found


async def test_files_and_folders_are_announced(
    workspace: Path, environment: dict[str, str]
) -> None:
    """A client sends the notification only for what the server asked for."""
    async with serving([workspace], "visual_studio_code", environment) as code:
        initialized = code.initialized
    operations = initialized["capabilities"]["workspace"]["fileOperations"]
    (pattern,) = operations["didRename"]["filters"]
    assert pattern == {"scheme": "file", "pattern": {"glob": "**"}}


def rename_all(place: Path, moves: dict[str, str], case: str) -> list[Path]:
    """Rename files and folders all at once, or copy a file; return all documents."""
    for number, old in reversed(list(enumerate(moves))):  # a file before its folder
        rename = shutil.copy if case == "a copy" else os.rename
        rename(place / old, place / f"{number}~")
    for number, new in enumerate(moves.values()):
        (place / f"{number}~").replace(place / new)
    return sorted(place.rglob("*.md"))


async def take_offers(editor: Editor, paths: list[Path]) -> None:
    """Write on in documents, and let the runs of their earlier names follow."""
    for path in paths:
        path.write_text(f"{path.read_text('utf-8')}\nMore words.\n", "utf-8")
        editor.open_document(path)
        for action in await actions(editor, path):
            if "Move the runs of" in action["title"]:
                (params,) = action["command"]["arguments"]
                await editor.command("writeit.run.move", **params)


def place_of(old: Path, text: str, paths: list[Path]) -> Path:
    """Return where a run has to be: where its text is, unless that was overwritten."""
    having = [path for path in paths if path.read_text("utf-8").startswith(text)]
    return old if old in having or not having else having[0]


async def test_the_cases_of_a_rename_are_counted(
    one_editor: Editor, environment: dict[str, str]
) -> None:
    """Each run is where its text is, whoever tells of the rename; none is lost."""
    table = [f"{'case':30} documents  followed  stayed"]
    async with serving([one_editor.folder], "bare", environment) as other:
        for case, (editors, follow, names, acts) in CASES.items():
            place, runs = one_editor.folder / f"case {case}", {}
            for name in names:
                text = f"Word {case} {name}, {name[::-1]} and so on."
                path = document(one_editor, f"{place.name}/{name}", f"{text}\n")
                one_editor.open_document(path)  # an editor that is not told keeps it
                runs[await run_on(one_editor, path)] = (path, text)
            for moves in acts:
                paths = rename_all(place, moves, case)
                for editor in (one_editor, other)[:editors]:
                    tell(editor, *((place / a, place / b) for a, b in moves.items()))
            if not editors:
                await take_offers(one_editor, paths)
            followed = 0
            for run_id, (old, text) in runs.items():
                new = place_of(old, text, paths)
                followed += new != old
                async with asyncio.timeout(TIMEOUT):
                    while (await one_editor.show(run_id))["uri"] != new.as_uri():
                        pass
            assert followed == follow, case
            table.append(
                f"{case:30} {len(runs):9} {followed:9} {len(runs) - followed:7}"
            )
    print("\n".join(table))  # noqa: T201 -- the counts, for runs with -s


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
    pipeline = one_editor.folder / "pipelines" / "letter.yaml"
    pipeline.parent.mkdir(exist_ok=True)
    pipeline.write_text(LETTER, "utf-8")
    old = document(one_editor, "story.md")
    run_id = await one_editor.start_run(uri=old.as_uri(), pipeline="letter")
    await one_editor.generate(run_id, "gpt-4o", "gpt-4o-mini")
    await one_editor.choose(run_id)
    await one_editor.generate(run_id, "gpt-4o")
    new = old.rename(old.with_name("later story.md"))
    await told(one_editor, [run_id], (old, new))
    before = await one_editor.show(run_id)
    assert (await one_editor.command("writeit.run.stale", runId=run_id))["stale"] == []
    new.write_text("# Mill\n\nNow with a wheel.\n", "utf-8")
    found = (await one_editor.command("writeit.run.stale", runId=run_id))["stale"]
    reason = {"kind": "source", "name": new.name}
    assert found == [{"step": "letter", "reasons": [reason]}]
    child = await one_editor.command("writeit.run.refresh", runId=run_id)
    shared = before["steps"]["plan"]["aiResponses"]
    assert child["steps"]["plan"]["aiResponses"] == shared
    assert child["currentStep"] == "letter"
    refreshed = child["pipelineRunId"]
    await one_editor.generate(refreshed, "gpt-4o")
    usage = await one_editor.command("writeit.usage.show", by="run")
    rows = {row["key"]: row for row in usage["rows"]}
    first, again = rows[run_id], rows[refreshed]
    assert (first["calls"], again["calls"]) == (3, 1)
    assert 0 < again["costUsd"] < first["costUsd"]
    assert await one_editor.show(run_id) == before
    pipeline.unlink()
    print(  # noqa: T201 -- what it cost, for runs with -s
        f"{old.name} renamed to {new.name} with its run, then changed: letter is stale."
        f"\nplan was shared, letter generated again: 1 call, ${again['costUsd']:.5f}."
        f"\nThe run before: 3 calls, ${first['costUsd']:.5f}."
    )
