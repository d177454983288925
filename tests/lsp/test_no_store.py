"""No store is made until something is to be kept."""

import asyncio
from pathlib import Path

import pytest

from support.editor import PROFILES, Editor, serving

UNBOUND = "# Bees\n\nThey dance to say where the flowers are.\n"
LOOKS = (
    *("run.list", "usage.show", "session.show", "preferences.get"),
    *("pipeline.list", "primer.list"),
    *("store.status", "store.verify", "store.compact", "store.prune"),
)
"""Commands that only look, or put in order what is there."""
TELL_ME = {"writeit": {"events": True}}
A_LOOK_AROUND = 0.7
"""Seconds; the store is asked twice a second whether anybody wrote."""


def all_in(folder: Path) -> list[Path]:
    """Every file and folder there."""
    return sorted(folder.rglob("*"))


async def look_at(editor: Editor, uri: str) -> None:
    """Ask of a document whatever an editor asks by itself."""
    here = {"textDocument": {"uri": uri}}
    start, end = {"line": 0, "character": 0}, {"line": 2, "character": 4}
    await editor.request("textDocument/codeLens", here)
    for stop in (start, end):
        await editor.request(
            "textDocument/codeAction",
            {
                **here,
                "range": {"start": start, "end": stop},
                "context": {"diagnostics": []},
            },
        )
    for position in (start, end):
        await editor.request("textDocument/hover", {**here, "position": position})
        await editor.request("textDocument/completion", {**here, "position": position})
        await editor.request("textDocument/definition", {**here, "position": position})
    await editor.request("textDocument/documentSymbol", here)
    await editor.request("workspace/symbol", {"query": "bees"})
    await editor.command("writeit.search", text="bees")


@pytest.mark.parametrize("profile", PROFILES)
async def test_looking_leaves_no_trace(
    workspace: Path, environment: dict[str, str], profile: str
) -> None:
    """Documents bound and unbound, all that is shown of them, and every list."""
    (workspace / "bees.md").write_text(UNBOUND)
    before = all_in(workspace)
    async with serving([workspace], profile, environment) as editor:
        for name in ("notes.md", "bees.md"):
            await look_at(editor, editor.open_document(workspace / name))
        for command in LOOKS:
            await editor.command(f"writeit.{command}")
        await asyncio.sleep(A_LOOK_AROUND)
        assert (await editor.command("writeit.run.list"))["runs"] == []
        assert all_in(workspace) == before
        assert await editor.quit() == 0
    assert all_in(workspace) == before


async def test_what_is_refused_leaves_no_trace(
    workspace: Path, environment: dict[str, str]
) -> None:
    """There is nothing to keep of it."""
    async with serving([workspace], "bare", environment) as editor:
        notes = editor.open_document(workspace / "notes.md")
        await editor.refusal("writeit.run.start", pipeline="none", uri=notes)
        nobody = "00000000-0000-0000-0000-000000000001"
        for command in ("run.show", "run.delete", "session.activate", "step.run"):
            refused = await editor.refusal(f"writeit.{command}", runId=nobody)
            assert refused.kind == "not_found"
        backup = await editor.refusal("writeit.store.backup", path="copy")
        assert backup.kind == "not_found"
    assert not (workspace / ".writeit").exists()
    assert not (workspace / "copy").exists()


async def test_the_first_run_makes_it(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Hidden from git, and with the session in which it was begun."""
    async with serving([workspace], "neovim", environment) as editor:
        await look_at(editor, editor.notes)
        run_id = await editor.start_run()
        assert (workspace / ".writeit" / ".gitignore").read_text() == "*\n"
        assert (workspace / ".writeit" / "store" / "data.mdb").is_file()
        (listed,) = (await editor.command("writeit.run.list"))["runs"]
        assert listed["runId"] == run_id
        session = await editor.command("writeit.session.show")
        assert session["activePipelineRunId"] == run_id
        assert (await editor.command("writeit.store.status"))["runs"] == 1
        assert (await editor.command("writeit.store.verify"))["problems"] == []


async def test_preferences_are_worth_a_store(
    workspace: Path, environment: dict[str, str]
) -> None:
    """They hold for the next editor."""
    async with serving([workspace], "bare", environment) as editor:
        await editor.command("writeit.preferences.set", theme="dark")
        assert await editor.quit() == 0
    async with serving([workspace], "bare", environment) as editor:
        kept = await editor.command("writeit.preferences.get")
    assert kept["theme"] == "dark"


async def test_one_editor_sees_what_another_made(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Both began where there was none; it is told, listed, and gone on with."""
    async with (
        serving([workspace], "neovim", environment) as one,
        serving([workspace], "neovim", environment, options=TELL_ME) as two,
    ):
        for editor in (one, two):
            await look_at(editor, editor.notes)
            assert (await editor.command("writeit.run.list"))["runs"] == []
        await asyncio.sleep(A_LOOK_AROUND)
        run_id = await one.start_run()
        await two.until(
            lambda: any(
                run_id in told["runIds"] for told in two.sent("writeit/changed")
            )
        )
        (listed,) = (await two.command("writeit.run.list"))["runs"]
        assert listed["runId"] == run_id
        await two.command("writeit.step.skip", runId=run_id)
        run = await one.show(run_id)
        assert run["steps"]["angles"]["status"] == "SKIPPED"


async def test_a_page_as_a_file_is_hidden_from_git_too(
    workspace: Path, environment: dict[str, str]
) -> None:
    """It may be the first thing beside the workspace; it makes no store."""
    async with serving([workspace], "bare", environment) as editor:
        await editor.command("writeit.view.open", view="usage")
    home = workspace / ".writeit"
    assert sorted(path.name for path in home.iterdir()) == [".gitignore", "views"]
    assert (home / ".gitignore").read_text() == "*\n"


async def test_without_a_folder_none_is_made_in_the_users_data_either(
    workspace: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """It says where it would be; a run makes it there."""
    data = tmp_path / "data"
    own = {**environment, "WRITEIT_DATA_DIR": str(data)}
    async with serving([], "neovim", own) as editor:
        editor.notes = editor.open_document(workspace / "notes.md")
        await look_at(editor, editor.notes)
        for command in LOOKS:
            await editor.command(f"writeit.{command}")
        assert not data.exists()
        (told,) = editor.sent("window/showMessage")
        assert str(data) in told["message"]
        await editor.start_run()
        assert (data / "store" / "data.mdb").is_file()
    assert not (workspace / ".writeit").exists()
