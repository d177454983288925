"""A text and the user's own changes of the same passage: the user's are kept."""

from neovim import wording
from support.model_words import escape
from support.neovim_session import DIFF_WINDOWS, EDIT_AT_STREAM_START, NeovimSession

FRONT = "---\nwriteit: {models: {polish: openai/say-MODEL}}\n---\n"
BODY = """\
# Notes on rivers

A river is moving water.

This paragraph is the one to be rewritten.

The last one stays.
"""
PASSAGE = "This paragraph is the one to be rewritten."
USER_PASSAGE = "Mine is quite another one."
PROPOSED_PASSAGE = "In better words."


def _open_notes(session: NeovimSession, answer: str) -> str:
    """Open notes whose passages become `answer`; return their text."""
    model = escape(answer)
    session.open_notes(FRONT.replace("MODEL", model) + BODY)
    return session.text()


def _row(session: NeovimSession, words: str) -> int:
    return session.text().split("\n").index(words)


def _polish_meanwhile(session: NeovimSession, line: str) -> None:
    """Polish the passage; the user replaces it by `line` before the answer arrives."""
    row = _row(session, PASSAGE)
    session.nvim.lua(EDIT_AT_STREAM_START, session.buffer(), row, line)
    session.run("polish", line=row + 1)


def _finish_run(session: NeovimSession, answer: str) -> None:
    """Finish a run whose text is `answer`, and do not apply it."""
    session.open_notes("---\nwriteit: {inputs: {target_audience: you}}\n---\n" + BODY)
    uri = session.notes.as_uri()
    session.execute("run.start", pipeline="blog-post", uri=uri, output="replace")
    for _ in range(3):
        session.run("skip")
    model = escape(answer)
    session.run(f"next openai/say-{model}")
    session.run("choose 1")


def test_polish_conflict_keeps_the_users_text(session: NeovimSession) -> None:
    """The message does not say that text was rewritten, nor that it can be undone."""
    before = _open_notes(session, PROPOSED_PASSAGE)
    _polish_meanwhile(session, USER_PASSAGE)
    session.wait_for_message(wording.ONE_CONFLICT)
    session.wait_until_idle()
    assert session.nvim.messages().count("WriteIt: ") == 2  # the first: it generates
    assert session.text() == before.replace(PASSAGE, USER_PASSAGE)
    assert wording.UNDO not in session.nvim.messages()
    session.wait_for_side_text(PROPOSED_PASSAGE)
    assert session.nvim.lua("return vim.api.nvim_get_current_buf()") == session.buffer()


def test_conflict_is_resolved_with_a_diff(session: NeovimSession) -> None:
    """`compare` shows document and text; `dp` takes a change over."""
    before = _open_notes(session, PROPOSED_PASSAGE)
    _polish_meanwhile(session, USER_PASSAGE)
    session.run("compare")
    current, proposed = session.diff_texts()
    assert current == before.replace(PASSAGE, USER_PASSAGE)
    assert proposed == before.replace(PASSAGE, PROPOSED_PASSAGE)
    session.nvim.keys("]cdp")
    session.nvim.wait_until(
        "vim.fn.getbufline(..., 7)[1] == 'In better words.' or "
        "vim.fn.getbufline(..., 8)[1] == 'In better words.'",
        session.buffer(),
    )
    session.nvim.keys("q")
    session.nvim.wait_until("#vim.api.nvim_list_tabpages() == 1")
    assert session.nvim.lua(f"return {DIFF_WINDOWS}") == 0
    assert session.text() == before.replace(PASSAGE, PROPOSED_PASSAGE)
    session.run("compare")
    session.wait_for_message(wording.NO_DIFFERENCE)
    session.run("compare")
    session.wait_for_message(wording.NO_RUN)


def test_polish_of_a_read_only_buffer_is_reported(session: NeovimSession) -> None:
    """`apply` inserts the text once the buffer is modifiable."""
    before = _open_notes(session, PROPOSED_PASSAGE)
    session.nvim.command("setlocal nomodifiable")
    session.run("polish", line=_row(session, PASSAGE) + 1)
    session.wait_for_message(wording.READ_ONLY)
    assert session.text() == before
    assert wording.UNDO not in session.nvim.messages()
    session.nvim.command("setlocal modifiable")
    session.run("apply")
    assert session.text() == before.replace(PASSAGE, PROPOSED_PASSAGE)


def test_polish_without_a_change_is_reported(session: NeovimSession) -> None:
    """Undo would remove something of the user's."""
    before = _open_notes(session, PASSAGE)
    session.run("polish", line=_row(session, PASSAGE) + 1)
    session.wait_for_message(wording.SAME_TEXT)
    assert session.text() == before
    assert wording.UNDO not in session.nvim.messages()


def test_apply_conflict_is_shown(session: NeovimSession) -> None:
    """Nothing is saved; the difference is shown, and as a diff with `compare`."""
    _finish_run(session, BODY.replace(PASSAGE, PROPOSED_PASSAGE))
    row = _row(session, PASSAGE)
    session.nvim.lua(
        "vim.fn.setbufline(...)", str(session.notes), row + 1, USER_PASSAGE
    )
    before, saved = session.text(), session.notes.read_text("utf-8")
    session.run("apply replace")
    session.wait_for_message(wording.ONE_CONFLICT)
    assert session.notes.read_text("utf-8") == saved
    session.wait_for_side_text(PROPOSED_PASSAGE)
    session.run("compare")
    current, proposed = session.diff_texts()
    assert current == before
    assert proposed == before.replace(USER_PASSAGE, PROPOSED_PASSAGE)


def test_action_compares_the_document_with_the_text(session: NeovimSession) -> None:
    """Before an apply; the document is not changed."""
    _finish_run(session, BODY.replace(PASSAGE, PROPOSED_PASSAGE))
    before = session.text()
    session.nvim.keys(":WriteIt<CR>")
    session.select_item(wording.COMPARE_DOCUMENT)
    current, proposed = session.diff_texts()
    assert current == before
    assert proposed == before.replace(PASSAGE, PROPOSED_PASSAGE)
    session.nvim.command("tabclose")
    session.nvim.wait_until(f"{DIFF_WINDOWS} == 0")
    assert session.text() == before


def test_second_apply_offers_no_undo(session: NeovimSession) -> None:
    """The text is in the document already."""
    _finish_run(session, BODY.replace(PASSAGE, PROPOSED_PASSAGE))
    session.run("apply replace")
    session.wait_for_message(wording.UNDO)
    session.nvim.command("messages clear")
    session.run("apply replace")
    session.wait_for_message(wording.INSERTED.format("polish"))
    assert wording.UNDO not in session.nvim.messages()
