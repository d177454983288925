"""Documents that get another name, and notes that changed since, in Neovim."""

from neovim import wording
from support.neovim_session import NeovimSession


def test_mv_renames_the_document_with_its_runs(session: NeovimSession) -> None:
    """The buffer goes on under the new name, with its undo history."""
    session.run("start")
    run_id = session.newest_run()["pipelineRunId"]
    session.nvim.keys("Goone more line<Esc>:w<CR>")
    new = session.notes.with_name("moved notes.md")
    session.nvim.keys(f":WriteIt mv {new}<CR>")
    session.wait_for_message(wording.MOVED)
    session.wait_for_client()
    assert not session.notes.exists()
    session.notes = new
    assert session.nvim.lua("return vim.api.nvim_buf_get_name(0)") == str(new)
    assert session.execute("run.show", runId=run_id)["uri"] == new.as_uri()
    session.nvim.command("undo | write")
    assert "one more line" not in new.read_text("utf-8")


def test_mv_never_overwrites_a_file(session: NeovimSession) -> None:
    """Nor moves a document whose changes are not saved."""
    other = session.workspace / "other.md"
    other.write_text("mine", "utf-8")
    session.nvim.keys(f":WriteIt mv {other}<CR>")
    session.wait_for_message(wording.EXISTS)
    session.nvim.keys(f":WriteIt mv {session.workspace}/../new.md<CR>")
    session.wait_for_message(wording.OUTSIDE)
    session.nvim.keys("Goa line<Esc>:WriteIt mv new.md<CR>")
    session.wait_for_message(wording.UNSAVED_MOVE)
    assert other.read_text("utf-8") == "mine"
    assert session.notes.exists()


def test_a_renamed_file_takes_its_runs_along_and_a_copy_does_not(
    session: NeovimSession,
) -> None:
    """`:file` after the file was renamed, as plug-ins do; `:saveas` is a copy."""
    session.run("start")
    run_id = session.newest_run()["pipelineRunId"]
    session.nvim.command(f"saveas {session.notes.with_name('copy.md')}")
    session.wait_for_client()
    session.nvim.command(f"edit {session.notes}")
    session.wait_for_client()
    uri = session.notes.as_uri()
    assert session.execute("run.show", runId=run_id)["uri"] == uri
    new = session.notes.rename(session.notes.with_name("later.md"))
    session.notes = new
    session.nvim.command(f"file {new}")
    session.wait_for_message(wording.MOVED.replace("moved notes", "later"))
    session.wait_for_client()
    assert session.execute("run.show", runId=run_id)["uri"] == new.as_uri()
    session.nvim.keys("Goone more line<Esc>")
    session.nvim.command("write!")
    assert "one more line" in new.read_text("utf-8")
