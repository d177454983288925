"""A text into the article: whole, in time, one undo step of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neovim import wording

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession

BODY = """\
The first paragraph.

The second paragraph, to be rewritten.

The last paragraph.
"""
REWRITTEN = "The second paragraph, in other words."
MODEL = "openai/say-" + REWRITTEN.replace(" ", "%20")
HANDLE = """
local uri, version = ...
local client = vim.lsp.get_clients({ name = 'writeit', bufnr = 0 })[1]
local here = vim.api.nvim_get_current_buf()
local top = { line = 0, character = 0 }
local edits = { { range = { start = top, ['end'] = top }, newText = 'x' } }
local current = vim.lsp.util.buf_versions[here]
local function change(document, at)
  return { textDocument = { uri = document, version = at }, edits = edits }
end
return client.handlers['workspace/applyEdit'](nil, { edit = { documentChanges = {
  change(vim.uri_from_bufnr(here), current), change(uri, version),
} } }, { client_id = client.id })
"""

HEAR = """
local edit = require('writeit.apply_edit')
_G.handle = edit.handle
edit.handle = function(...)
  local result = _G.handle(...)
  _G.refused = _G.refused or not result.applied
  return result
end
"""


def _finished_run(writer: NeovimSession, text: str = BODY) -> None:
    """A run whose text would replace the body by one with another paragraph."""
    writer.open_notes("---\nwriteit: {inputs: {target_audience: you}}\n---\n" + text)
    writer.do("start blog-post")
    for _ in range(3):
        writer.do("next openai/say-x")
        writer.do("choose 1")
    body = text.replace("The second paragraph, to be rewritten.", REWRITTEN)
    writer.do("next " + "openai/say-" + body.replace(" ", "%20").replace("\n", "%0A"))
    writer.do("choose 1")
    assert writer.run()["status"] == "COMPLETED"


def test_an_apply_is_one_undo_step_of_its_own(writer: NeovimSession) -> None:
    """What she typed just before stays; one undo takes exactly the text back."""
    _finished_run(writer)
    writer.nvim.keys("GoAnd I add this.<Esc>")
    writer.nvim.until("vim.api.nvim_get_current_line() == 'And I add this.'")
    before = writer.text()
    writer.do("apply replace")
    after = writer.text()
    assert REWRITTEN in after
    assert after.endswith("And I add this.\n")
    writer.nvim.keys("u")
    writer.nvim.until("not vim.bo.modified or true")
    assert writer.text() == before
    writer.nvim.keys("<C-r>")
    writer.nvim.until("vim.fn.undotree().seq_cur == vim.fn.undotree().seq_last")
    assert writer.text() == after


def test_an_apply_leaves_cursor_and_registers(writer: NeovimSession) -> None:
    """The cursor stays on its letter although lines above it changed."""
    _finished_run(writer)
    look = "return { vim.fn.getreg('\"'), vim.api.nvim_win_get_cursor(0) }"
    writer.nvim.keys("G$hyiwb")
    before = writer.nvim.lua(look)
    assert before[0] == "paragraph"
    writer.do("apply replace")
    assert REWRITTEN in writer.text()
    assert writer.nvim.lua(look) == before


def test_an_apply_waits_until_she_leaves_insert_mode(writer: NeovimSession) -> None:
    """It is offered meanwhile and said to wait; one undo takes exactly it back."""
    _finished_run(writer)
    writer.nvim.keys("GoAnd I")
    writer.nvim.until("vim.api.nvim_get_mode().mode == 'i'")
    writer.nvim.command("WriteIt apply replace")
    writer.said(wording.WAITS_FOR_INSERT)
    assert REWRITTEN not in writer.text()
    assert wording.WAITS_IN_STATUS in writer.nvim.lua(
        "return require('writeit').statusline()"
    )
    writer.nvim.keys(" type on.<Esc>")
    writer.nvim.until("vim.api.nvim_buf_get_lines(0, 5, 6, true)[1] == ...", REWRITTEN)
    writer.rest()
    assert writer.text().endswith("And I type on.\n")
    writer.nvim.keys("u")
    writer.nvim.until("vim.api.nvim_buf_get_lines(0, 5, 6, true)[1] ~= ...", REWRITTEN)
    assert writer.text().endswith(
        "be rewritten.\n\nThe last paragraph.\nAnd I type on.\n"
    )


def test_an_edit_for_another_version_is_refused(writer: NeovimSession) -> None:
    """Of every document, with the reason; version 0 counts like any other."""
    other = writer.workspace / "other.md"
    other.write_text("other\n", encoding="utf-8")
    writer.nvim.command(f"badd {other}")
    writer.nvim.lua(
        "vim.fn.bufload(...); vim.bo[vim.fn.bufnr(...)].filetype = 'markdown'",
        str(other),
    )
    writer.nvim.until("vim.lsp.util.buf_versions[vim.fn.bufnr(...)] == 0", str(other))
    before = writer.text()
    for version in (0, 7):
        if version == 0:
            writer.nvim.lua("vim.fn.setbufline(..., 1, 'changed')", str(other))
        reply = writer.nvim.lua(HANDLE, other.as_uri(), version)
        assert reply["applied"] is False
        assert f"version {version}" in reply["failureReason"]
        assert writer.text() == before


def test_an_applied_text_is_saved_if_she_likes(writer: NeovimSession) -> None:
    """`auto_save_enabled` holds: on by default, off when she says so."""
    _finished_run(writer)
    writer.do("apply replace")
    assert REWRITTEN in writer.notes.read_text("utf-8")
    writer.do("restore")
    writer.nvim.lua(
        "vim.lsp.get_clients({ name = 'writeit' })[1].settings.writeit.autoSave = false"
    )
    writer.do("apply replace")
    assert REWRITTEN in writer.text()
    assert REWRITTEN not in writer.notes.read_text("utf-8")
    writer.nvim.lua(
        "vim.lsp.get_clients({ name = 'writeit' })[1].settings.writeit.autoSave = nil"
    )


def test_a_new_file_is_made_and_shown_beside(writer: NeovimSession) -> None:
    """The article is made; the notes stay what they were, in their window."""
    _finished_run(writer)
    before = writer.text()
    writer.do("apply new_file")
    made = writer.notes.with_suffix(".blog-post.md")
    assert REWRITTEN in made.read_text("utf-8")
    writer.beside_shows(REWRITTEN)
    assert writer.text() == before


def test_a_file_that_cannot_be_saved_is_said(writer: NeovimSession) -> None:
    """The text is in the buffer; what hindered the saving stands in the message."""
    _finished_run(writer)
    writer.nvim.command("setlocal readonly")
    writer.do("apply replace")
    writer.said(wording.NOT_SAVED.format("E45: 'readonly' option is set"))
    assert "traceback" not in writer.nvim.messages()
    assert REWRITTEN in writer.text()


def test_a_buffer_that_may_not_be_changed_is_named_as_the_reason(
    writer: NeovimSession,
) -> None:
    """Once it may, the same command applies the text."""
    _finished_run(writer)
    writer.nvim.command("setlocal nomodifiable")
    writer.do("apply replace")
    writer.said(wording.READ_ONLY)
    assert REWRITTEN not in writer.text()
    writer.nvim.command("setlocal modifiable")
    writer.do("apply replace")
    assert REWRITTEN in writer.text()


def test_what_others_wrote_to_the_file_is_not_overwritten(
    writer: NeovimSession,
) -> None:
    """The text goes into her buffer, saving is hers; nothing asks in between."""
    _finished_run(writer)
    writer.nvim.keys("GoMine.<Esc>")
    writer.nvim.until("vim.bo.modified")
    writer.notes.write_text("theirs\n", encoding="utf-8")
    writer.do("apply replace")
    writer.said(wording.NOT_SAVED_CHANGED)
    assert REWRITTEN in writer.text()
    assert writer.text().endswith("Mine.\n")
    assert writer.notes.read_text("utf-8") == "theirs\n"


def test_an_apply_that_changed_nothing_saves_nothing(writer: NeovimSession) -> None:
    """What she had not saved stays hers to save."""
    _finished_run(writer)
    writer.nvim.command(f"%s/The second.*/{'I wrote this anew.'}/")
    saved = writer.notes.read_text("utf-8")
    writer.do("apply replace")
    writer.said(wording.ONE_CONFLICT)
    assert "I wrote this anew." in writer.text()
    assert writer.notes.read_text("utf-8") == saved


def test_an_apply_waits_for_the_end_of_a_selection(writer: NeovimSession) -> None:
    """Also when she ends it between the refusal of the edit and the server's reply."""
    writer.nvim.lua(HEAR)
    for moment in ("said", "refused"):
        _finished_run(writer)
        writer.nvim.lua("_G.refused = false")
        writer.nvim.keys("ggVj")
        writer.nvim.until("vim.api.nvim_get_mode().mode == 'V'")
        writer.nvim.command("WriteIt apply replace")
        writer.nvim.until("_G.refused")
        if moment == "said":
            writer.said(wording.WAITS_FOR_NORMAL)
        writer.nvim.keys("<Esc>")
        writer.said(wording.UNDO)
        assert REWRITTEN in writer.text()
    writer.nvim.lua("require('writeit.apply_edit').handle = _G.handle")


def test_a_restore_against_her_words_is_not_blamed_on_typing(
    writer: NeovimSession,
) -> None:
    """The server says that what she wrote stays; nothing contradicts it."""
    _finished_run(writer)
    writer.do("apply replace")
    writer.nvim.lua("vim.fn.search(...)", REWRITTEN)
    writer.nvim.keys("ccMine now.<Esc>")
    writer.nvim.until("vim.api.nvim_get_current_line() == 'Mine now.'")
    writer.do("restore")
    writer.said(wording.RESTORE_CONFLICT)
    assert wording.WAS_TYPING not in writer.nvim.messages()
