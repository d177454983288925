"""A Neovim with the plug-in: its notes, its commands and what it shows."""

import re
from pathlib import Path
from typing import Any

from support.nvim import Nvim

NOTES = """\
---
writeit:
  pipeline: tech-article
  inputs: {target_audience: editors}
---
# Notes on rivers

A river is moving water.

It begins at a source and ends at a mouth.
"""

CLIENT = "vim.lsp.get_clients({name = 'writeit', bufnr = 0})[1]"
EXECUTE = """
local buf, command, params = ...
local client = vim.lsp.get_clients({ name = 'writeit', bufnr = buf })[1]
local reply = client:request_sync('workspace/executeCommand',
  { command = 'writeit.' .. command, arguments = { params } }, 60000, buf)
assert(not reply.err, vim.inspect(reply.err))
return reply.result
"""
EDIT_AT_STREAM_START = """
local buf, row, line = ...
local stream = require('writeit.stream')
local handle = stream.handle_progress
stream.handle_progress = function(params)
  if params.value.kind == 'started' then
    stream.handle_progress = handle
    vim.api.nvim_buf_set_lines(buf, row, row + 1, true, { line })
  end
  return handle(params)
end
"""
"""Replaces a line when the first stream starts, before any text is received."""
IDLE = (
    "#require('writeit.task').pending_names("
    "require('writeit.server').root_of(...)) == 0"
)


DIFF_WINDOWS = (
    "#vim.tbl_filter(function(win) return vim.wo[win].diff end,"
    " vim.api.nvim_list_wins())"
)
DIFF_TEXTS = """
return vim.tbl_map(function(win)
  local buf = vim.api.nvim_win_get_buf(win)
  return vim.wo[win].diff and table.concat(vim.fn.getbufline(buf, 1, '$'), '\\n')
end, vim.api.nvim_tabpage_list_wins(0))
"""


class NeovimSession:
    """One Neovim, one workspace, and the notes that are open."""

    def __init__(self, nvim: Nvim, workspace: Path) -> None:
        self.nvim = nvim
        self.workspace = workspace
        self.notes = workspace / "notes.md"
        self._count = 0

    def open_notes(self, text: str = NOTES) -> Path:
        """Open new notes in the only window and wait for the client."""
        self.nvim.keys("<Esc><Esc>")
        self.nvim.command("silent! tabonly! | silent! only! | silent! %bwipeout!")
        self.nvim.command("messages clear")
        self._count += 1
        self.notes = self.workspace / f"notes-{self._count}.md"
        self.notes.write_text(text, encoding="utf-8")
        self.nvim.command(f"edit {self.notes}")
        self.wait_for_client()
        return self.notes

    def wait_for_client(self) -> None:
        """Wait until the server is ready for the current buffer."""
        self.nvim.wait_until(f"({CLIENT} or {{}}).initialized == true")

    def run(self, words: str, *, line: int | None = None) -> None:
        """Run a :WriteIt command, for a line if given, and wait until it is done."""
        self.nvim.command(f"{line or ''}WriteIt {words}")
        self.wait_until_idle()

    def wait_until_idle(self) -> None:
        """Wait until the queue is empty."""
        self.nvim.wait_until(IDLE, self.buffer())

    def buffer(self) -> int:
        """Return the buffer of the notes."""
        return int(self.nvim.lua("return vim.fn.bufadd(...)", str(self.notes)))

    def text(self, buffer: int | None = None) -> str:
        """Return the text of a buffer, by default of the notes."""
        lines = self.nvim.lua(
            "return vim.fn.getbufline(..., 1, '$')", buffer or self.buffer()
        )
        return "\n".join(lines) + "\n"

    def wait_for_text(self, words: str) -> None:
        """Wait until the current buffer contains a text."""
        lines = "vim.api.nvim_buf_get_lines(0, 0, -1, true)"
        found = f"table.concat({lines}, '\\n'):find(..., 1, true) ~= nil"
        self.nvim.wait_until(found, words)

    def diff_texts(self) -> list[str]:
        """Wait for two windows in diff mode; return their texts, the left one first."""
        self.nvim.wait_until(f"{DIFF_WINDOWS} == 2")
        return [f"{text}\n" for text in self.nvim.lua(DIFF_TEXTS)]

    def side_text(self) -> str:
        """Return the text in the side window."""
        buffer = self.nvim.wait_until("require('writeit.window').buffer()")
        return self.text(int(buffer))

    def wait_for_side_text(self, words: str) -> str:
        """Wait until the side window contains a text; return all of its text."""
        shown = (
            "(function(words) local buf = require('writeit.window').buffer()"
            " local text = buf and table.concat("
            "vim.api.nvim_buf_get_lines(buf, 0, -1, true), '\\n')"
            " return text and text:find(words, 1, true) and text end)(...)"
        )
        what = f"{words!r} in the side window"
        return str(self.nvim.wait_until(shown, words, what=what))

    def execute(self, command: str, **params: Any) -> Any:
        """Run a command of the protocol, without the plug-in."""
        return self.nvim.lua(EXECUTE, self.buffer(), command, params)

    def newest_run(self) -> dict[str, Any]:
        """Return the newest run of the notes."""
        listed = self.execute("run.list", uri=self.notes.as_uri())
        run: dict[str, Any] = self.execute("run.show", runId=listed["runs"][0]["runId"])
        return run

    def run_lens(self, title: str) -> None:
        """Press <CR> on the current line and run one of its lenses."""
        self.nvim.keys("<CR>")
        self.nvim.wait_for_screen("Code lenses")
        self.select_item(title)

    def select_item(self, title: str) -> None:
        """Select an item of the numbered list on the screen by its title's start."""
        screen = self.nvim.wait_for_screen(f": {title}")
        pattern = rf"^(\d+): {re.escape(title)}"
        (number,) = re.findall(pattern, screen, re.MULTILINE)
        self.nvim.keys(f"{number}<CR>")

    def wait_for_message(self, words: str) -> None:
        """Wait until a message contains a text."""
        self.nvim.wait_until(
            "vim.fn.execute('messages'):find(..., 1, true)",
            words,
            what=f"the message {words!r}",
        )
