"""A text applied to the document: complete, in time, one undo step."""

from neovim import wording
from support.model_words import escape
from support.neovim_session import NeovimSession

BODY = """\
The first paragraph.

The second paragraph, to be rewritten.

The last paragraph.
"""
REWRITTEN = "The second paragraph, in other words."
SEND_EDITS = """
local uri, version = ...
local client = vim.lsp.get_clients({ name = 'writeit', bufnr = 0 })[1]
local buf = vim.api.nvim_get_current_buf()
local top = { line = 0, character = 0 }
local edits = { { range = { start = top, ['end'] = top }, newText = 'x' } }
local current = vim.lsp.util.buf_versions[buf]
local function change(document, number)
  return { textDocument = { uri = document, version = number }, edits = edits }
end
return client.handlers['workspace/applyEdit'](nil, { edit = { documentChanges = {
  change(vim.uri_from_bufnr(buf), current), change(uri, version),
} } }, { client_id = client.id })
"""
RECORD_REFUSAL = """
local edit = require('writeit.apply_edit')
_G.handle = edit.handle
edit.handle = function(...)
  local result = _G.handle(...)
  _G.refused = _G.refused or not result.applied
  return result
end
"""


def _finish_run(session: NeovimSession, text: str = BODY) -> None:
    """Finish a run whose text has another second paragraph."""
    session.open_notes("---\nwriteit: {inputs: {target_audience: you}}\n---\n" + text)
    session.run("start blog-post")
    for _ in range(3):
        session.run("next openai/say-x")
        session.run("choose 1")
    body = text.replace("The second paragraph, to be rewritten.", REWRITTEN)
    session.run(f"next openai/say-{escape(body)}")
    session.run("choose 1")
    assert session.newest_run()["status"] == "COMPLETED"


def test_apply_is_one_undo_step(session: NeovimSession) -> None:
    """Text typed just before stays; one undo removes exactly the applied text."""
    _finish_run(session)
    session.nvim.keys("GoAnd I add this.<Esc>")
    session.nvim.wait_until("vim.api.nvim_get_current_line() == 'And I add this.'")
    before = session.text()
    session.run("apply replace")
    after = session.text()
    assert REWRITTEN in after
    assert after.endswith("And I add this.\n")
    assert "And I add this." not in session.notes.read_text("utf-8")  # not ours to save
    session.nvim.keys("u")
    session.nvim.wait_until("not vim.bo.modified or true")
    assert session.text() == before
    session.nvim.keys("<C-r>")
    session.nvim.wait_until("vim.fn.undotree().seq_cur == vim.fn.undotree().seq_last")
    assert session.text() == after


def test_apply_keeps_cursor_and_registers(session: NeovimSession) -> None:
    """The cursor stays on its letter although lines above it change."""
    _finish_run(session)
    look = "return { vim.fn.getreg('\"'), vim.api.nvim_win_get_cursor(0) }"
    session.nvim.keys("G$hyiwb")
    before = session.nvim.lua(look)
    assert before[0] == "paragraph"
    session.run("apply replace")
    assert REWRITTEN in session.text()
    assert session.nvim.lua(look) == before


def test_apply_waits_until_insert_mode_ends(session: NeovimSession) -> None:
    """The wait is shown; one undo removes exactly the applied text."""
    _finish_run(session)
    session.nvim.keys("GoAnd I")
    session.nvim.wait_until("vim.api.nvim_get_mode().mode == 'i'")
    session.nvim.command("WriteIt apply replace")
    session.wait_for_message(wording.WAITS_FOR_INSERT)
    assert REWRITTEN not in session.text()
    assert wording.WAITS_IN_STATUS in session.nvim.lua(
        "return require('writeit').statusline()"
    )
    session.nvim.keys(" type on.<Esc>")
    session.nvim.wait_until(
        "vim.api.nvim_buf_get_lines(0, 5, 6, true)[1] == ...", REWRITTEN
    )
    session.wait_until_idle()
    assert session.text().endswith("And I type on.\n")
    session.nvim.keys("u")
    session.nvim.wait_until(
        "vim.api.nvim_buf_get_lines(0, 5, 6, true)[1] ~= ...", REWRITTEN
    )
    assert session.text().endswith(
        "be rewritten.\n\nThe last paragraph.\nAnd I type on.\n"
    )


def test_edit_for_another_version_is_refused(session: NeovimSession) -> None:
    """The version of every document is checked, also version 0."""
    other = session.workspace / "other.md"
    other.write_text("other\n", encoding="utf-8")
    session.nvim.command(f"badd {other}")
    session.nvim.lua(
        "vim.fn.bufload(...); vim.bo[vim.fn.bufnr(...)].filetype = 'markdown'",
        str(other),
    )
    session.nvim.wait_until(
        "vim.lsp.util.buf_versions[vim.fn.bufnr(...)] == 0", str(other)
    )
    before = session.text()
    for version in (0, 7):
        if version == 0:
            session.nvim.lua("vim.fn.setbufline(..., 1, 'changed')", str(other))
        reply = session.nvim.lua(SEND_EDITS, other.as_uri(), version)
        assert reply["applied"] is False
        assert f"version {version}" in reply["failureReason"]
        assert session.text() == before


def test_applied_text_is_saved_unless_auto_save_is_off(session: NeovimSession) -> None:
    """The preference is on by default; the setting turns it off."""
    _finish_run(session)
    session.run("apply replace")
    assert REWRITTEN in session.notes.read_text("utf-8")
    session.run("restore")
    session.nvim.lua(
        "vim.lsp.get_clients({ name = 'writeit' })[1].settings.writeit.autoSave = false"
    )
    session.run("apply replace")
    assert REWRITTEN in session.text()
    assert REWRITTEN not in session.notes.read_text("utf-8")
    session.nvim.lua(
        "vim.lsp.get_clients({ name = 'writeit' })[1].settings.writeit.autoSave = nil"
    )


def test_apply_to_a_new_file_shows_it(session: NeovimSession) -> None:
    """The notes are not changed and stay in their window."""
    _finish_run(session)
    before = session.text()
    session.run("apply new_file")
    made = session.notes.with_suffix(".blog-post.md")
    assert REWRITTEN in made.read_text("utf-8")
    session.wait_for_side_text(REWRITTEN)
    assert session.text() == before


def test_failed_save_is_reported(session: NeovimSession) -> None:
    """The text is in the buffer; the message has the reason."""
    _finish_run(session)
    session.nvim.command("setlocal readonly")
    session.run("apply replace")
    session.wait_for_message(wording.NOT_SAVED.format("E45: 'readonly' option is set"))
    assert "traceback" not in session.nvim.messages()
    assert REWRITTEN in session.text()


def test_apply_to_a_read_only_buffer_is_reported(session: NeovimSession) -> None:
    """Once the buffer is modifiable, the same command applies the text."""
    _finish_run(session)
    session.nvim.command("setlocal nomodifiable")
    session.run("apply replace")
    session.wait_for_message(wording.READ_ONLY)
    assert REWRITTEN not in session.text()
    session.nvim.command("setlocal modifiable")
    session.run("apply replace")
    assert REWRITTEN in session.text()


def test_change_on_disk_is_not_overwritten(session: NeovimSession) -> None:
    """The text is inserted into the buffer and not saved; nothing is asked."""
    _finish_run(session)
    session.nvim.keys("GoMine.<Esc>")
    session.nvim.wait_until("vim.bo.modified")
    session.notes.write_text("theirs\n", encoding="utf-8")
    session.run("apply replace")
    session.wait_for_message(wording.NOT_SAVED_CHANGED)
    assert REWRITTEN in session.text()
    assert session.text().endswith("Mine.\n")
    assert session.notes.read_text("utf-8") == "theirs\n"


def test_apply_waits_until_the_selection_ends(session: NeovimSession) -> None:
    """Also if it ends between the refusal of the edit and the server's reply."""
    session.nvim.lua(RECORD_REFUSAL)
    for moment in ("said", "refused"):
        _finish_run(session)
        session.nvim.lua("_G.refused = false")
        session.nvim.keys("ggVj")
        session.nvim.wait_until("vim.api.nvim_get_mode().mode == 'V'")
        session.nvim.command("WriteIt apply replace")
        session.nvim.wait_until("_G.refused")
        if moment == "said":
            session.wait_for_message(wording.WAITS_FOR_NORMAL)
        session.nvim.keys("<Esc>")
        session.wait_for_message(wording.UNDO)
        assert REWRITTEN in session.text()
    session.nvim.lua("require('writeit.apply_edit').handle = _G.handle")


def test_restore_conflict_is_reported_once(session: NeovimSession) -> None:
    """The server reports the conflict; typing is not given as the reason."""
    _finish_run(session)
    session.run("apply replace")
    session.nvim.lua("vim.fn.search(...)", REWRITTEN)
    session.nvim.keys("ccMine now.<Esc>")
    session.nvim.wait_until("vim.api.nvim_get_current_line() == 'Mine now.'")
    session.run("restore")
    session.wait_for_message(wording.RESTORE_CONFLICT)
    assert wording.WAS_TYPING not in session.nvim.messages()
