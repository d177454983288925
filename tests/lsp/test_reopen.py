"""The editor is opened again: the first line shows where the run stands."""

from pathlib import Path

from support.editor import Editor, serving


async def first_line(editor: Editor) -> list[str]:
    """The lenses above the notes, as an editor asks for them when it opens the file."""
    params = {"textDocument": {"uri": editor.notes}}
    found = await editor.request("textDocument/codeLens", params)
    assert all(lens["range"]["start"]["line"] == 0 for lens in found)
    return [lens["command"]["title"] for lens in found]


async def test_answers_that_wait_for_a_choice_are_told_and_offered(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Where the run stands, and what is likeliest next."""
    async with serving([workspace], "bare", environment) as editor:
        run_id = await editor.start_run()
        models = ["openai/say-one", "openai/say-two"]
        await editor.command("writeit.step.run", runId=run_id, models=models)
        before = await first_line(editor)
        await editor.quit()
    async with serving([workspace], "bare", environment) as editor:
        assert await first_line(editor) == before
    state, *offered = before
    assert state == "WriteIt: angles (1/4), 2 answers to choose from"
    assert offered == ["Open angles to choose", "Regenerate"]


async def test_a_run_that_was_paused_is_told_and_its_resuming_offered(
    workspace: Path, environment: dict[str, str]
) -> None:
    """What came before the editor was closed in the middle of it can be chosen."""
    async with serving([workspace], "bare", environment) as editor:
        await editor.streaming("slow-2000", "left")
        await editor.quit()
    async with serving([workspace], "bare", environment) as editor:
        state, *offered = await first_line(editor)
        assert state == "WriteIt: angles (1/4), stopped"
        assert offered == ["Choose and continue", "Resume angles (1 missing)"]
