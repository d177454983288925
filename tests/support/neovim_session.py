"""A Neovim with a workspace: open notes, run commands, read buffers and windows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

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
ASK = """
local buf, command, params = ...
local client = vim.lsp.get_clients({ name = 'writeit', bufnr = buf })[1]
local reply = client:request_sync('workspace/executeCommand',
  { command = 'writeit.' .. command, arguments = { params } }, 60000, buf)
assert(not reply.err, vim.inspect(reply.err))
return reply.result
"""
TYPE_AT_STREAM_START = """
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
"""Lua: replace a line when the first stream starts, before any answer can arrive."""
IDLE = (
    "#require('writeit.task').pending_names("
    "require('writeit.server').root_of(...)) == 0"
)


class NeovimSession:
    """One Neovim, one workspace, and the notes that are open in it."""

    def __init__(self, nvim: Nvim, workspace: Path) -> None:
        self.nvim = nvim
        self.workspace = workspace
        self.notes = workspace / "notes.md"
        self._count = 0

    def open_notes(self, text: str = NOTES) -> Path:
        """Begin anew: one window, new notes in it, the client attached."""
        self.nvim.keys("<Esc><Esc>")
        self.nvim.command("silent! tabonly! | silent! only! | silent! %bwipeout!")
        self.nvim.command("messages clear")
        self._count += 1
        self.notes = self.workspace / f"notes-{self._count}.md"
        self.notes.write_text(text, encoding="utf-8")
        self.nvim.command(f"edit {self.notes}")
        self.attached()
        return self.notes

    def attached(self) -> None:
        """Wait until the server is ready for the current buffer."""
        self.nvim.until(f"({CLIENT} or {{}}).initialized == true")

    def do(self, words: str, *, line: int | None = None) -> None:
        """Give a :WriteIt command, of a line, and wait until nothing is left to do."""
        self.nvim.command(f"{line or ''}WriteIt {words}")
        self.rest()

    def rest(self) -> None:
        """Wait until every command is done."""
        self.nvim.until(IDLE, self.buffer())

    def buffer(self) -> int:
        """The buffer of the notes."""
        return int(self.nvim.lua("return vim.fn.bufadd(...)", str(self.notes)))

    def text(self, buffer: int | None = None) -> str:
        """A buffer's text; that of the notes if none is named."""
        lines = self.nvim.lua(
            "return vim.fn.getbufline(..., 1, '$')", buffer or self.buffer()
        )
        return "\n".join(lines) + "\n"

    def beside(self) -> str:
        """What the window beside the article shows, as text."""
        buffer = self.nvim.until("require('writeit.window').buffer()")
        return self.text(int(buffer))

    def beside_shows(self, words: str) -> str:
        """Wait until the window beside the article shows `words`."""
        shown = (
            "(function(words) local buf = require('writeit.window').buffer()"
            " local text = buf and table.concat("
            "vim.api.nvim_buf_get_lines(buf, 0, -1, true), '\\n')"
            " return text and text:find(words, 1, true) and text end)(...)"
        )
        what = f"{words!r} beside the article"
        return str(self.nvim.until(shown, words, what=what))

    def ask(self, command: str, **params: Any) -> Any:
        """Run a command of the contract, past the plug-in."""
        return self.nvim.lua(ASK, self.buffer(), command, params)

    def run(self) -> dict[str, Any]:
        """The newest run of the notes."""
        listed = self.ask("run.list", uri=self.notes.as_uri())
        run: dict[str, Any] = self.ask("run.show", runId=listed["runs"][0]["runId"])
        return run

    def take_lens(self, title: str) -> None:
        """Press return on the current line, and choose one of its lenses."""
        self.nvim.keys("<CR>")
        screen = self.nvim.shows("Code lenses")
        (number,) = re.findall(rf"^(\d+): {re.escape(title)}", screen, re.MULTILINE)
        self.nvim.keys(f"{number}<CR>")

    def said(self, words: str) -> None:
        """Wait until `words` were said in a message."""
        self.nvim.until(
            "vim.fn.execute('messages'):find(..., 1, true)",
            words,
            what=f"the message {words!r}",
        )
