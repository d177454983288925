"""A server that is missing, too old, broken, crashes or hangs: said, and no more."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import psutil

from neovim import wording
from support.neovim_session import NOTES, NeovimSession
from support.waiting import TIMEOUT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.nvim import Nvim

IMPATIENT = 700
"""Milliseconds after which a silent server is remarked upon."""
NOWHERE = {"VIRTUAL_ENV": "", "PATH": "/usr/bin:/bin"}


def _writer(nvim: Nvim, tmp_path: Path) -> NeovimSession:
    """Notes open in a Neovim of the test's own, whatever became of the server."""
    workspace = tmp_path / "workspace"
    (workspace / ".git").mkdir(parents=True)
    writer = NeovimSession(nvim, workspace)
    writer.notes.write_text(NOTES, encoding="utf-8")
    nvim.command(f"edit {writer.notes}")
    return writer


def _is_alive(writer: NeovimSession) -> None:
    """She can go on writing and saving."""
    writer.nvim.keys("<Esc>Goand on.<Esc>:write<CR>")
    writer.nvim.until("not vim.bo.modified and vim.fn.getline('$') == 'and on.'")
    assert writer.notes.read_text("utf-8").endswith("and on.\n")


def _server(writer: NeovimSession) -> psutil.Process:
    """The server's process: the one that Neovim started."""
    (process,) = psutil.Process(writer.nvim.process.pid).children()
    return process


def _with_server(command: list[str]) -> str:
    """An init.lua that names the server, for one that will not answer."""
    words = ", ".join(f"[==[{word}]==]" for word in command)
    return f"vim.g.writeit = {{ cmd = {{ {words} }}, patience = {IMPATIENT} }}"


def test_a_missing_server_is_said_once(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """With what to do about it; a command says it again, and nothing else happens."""
    lua = _with_server(["/nowhere/writeit", "serve"])
    writer = _writer(start(lua), tmp_path)
    writer.said(wording.CANNOT_RUN.format("/nowhere/writeit"))
    writer.said(wording.CHECKHEALTH)
    writer.nvim.command("messages clear")
    writer.nvim.command(f"edit {writer.workspace}/second.md")
    assert wording.CANNOT_RUN.format("") not in writer.nvim.messages()
    writer.nvim.command("WriteIt next")
    writer.said(wording.CANNOT_RUN.format("/nowhere/writeit"))
    writer.nvim.command(f"edit! {writer.notes}")
    _is_alive(writer)


def test_a_server_that_is_too_old_is_not_used(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """Both versions are named, and how to bring it up to date."""
    old = (
        "import writeit, sys; writeit.__version__ = '0.0.9';"
        " from writeit.app import main; sys.argv = ['writeit', 'serve']; main()"
    )
    writer = _writer(start(_with_server([sys.executable, "-c", old])), tmp_path)
    writer.said(wording.TOO_OLD.format("0.0.9", "0.1.0"))
    writer.said(wording.UPDATE)
    writer.nvim.until("#vim.lsp.get_clients({ name = 'writeit' }) == 0")
    _is_alive(writer)


def test_a_server_that_ends_at_once_is_said(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """With its exit code and where to read more."""
    broken = [sys.executable, "-c", "import sys; sys.exit('no lmdb here')"]
    writer = _writer(start(_with_server(broken)), tmp_path)
    writer.said(wording.EXITED.format(1))
    writer.nvim.command("WriteIt next")
    writer.said(wording.READ_LOG)
    _is_alive(writer)


def test_a_server_that_never_answers_is_said(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """Commands that wait for it give up and say so; Neovim ends without waiting."""
    silent = [sys.executable, "-c", "import time; time.sleep(600)"]
    writer = _writer(start(_with_server(silent)), tmp_path)
    writer.nvim.command("WriteIt next")
    writer.said(wording.NO_ANSWER_YET)
    writer.said(wording.NO_ANSWER)
    _is_alive(writer)
    assert writer.nvim.quit() == 0


def test_a_crash_while_answers_come_loses_nothing(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """What came is in the run; the next command starts the server again."""
    writer = _writer(start(), tmp_path)
    writer.attached()
    writer.do("start")
    writer.nvim.command("WriteIt next openai/slow-2000")
    writer.beside_shows("word9 ")
    _server(writer).send_signal(signal.SIGKILL)
    writer.said(wording.KILLED.format(9))
    writer.rest()
    assert "word9 " in writer.beside()
    _is_alive(writer)
    writer.do("open")
    writer.beside_shows("## Answer 1")
    (answer,) = writer.run()["steps"]["angles"]["aiResponses"]
    assert answer["partial"]
    assert "word6 " in answer["rawOutput"]  # the last 50 ms may be missing


def test_a_server_that_hangs_is_said_and_can_be_started_anew(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """Nothing in the editor waits for it."""
    writer = _writer(start(f"vim.g.writeit = {{ patience = {IMPATIENT} }}"), tmp_path)
    writer.attached()
    writer.nvim.lua("vim.g.writeit = nil")  # the next server has time to come up
    writer.do("start")
    hanging = _server(writer)
    hanging.send_signal(signal.SIGSTOP)
    writer.nvim.command("messages clear")
    writer.nvim.command("WriteIt next openai/say-x")
    writer.said(wording.NO_LONGER_ANSWERS)
    _is_alive(writer)
    writer.nvim.command("WriteIt restart")
    writer.said(wording.RESTARTED)
    assert hanging.wait(TIMEOUT) is not None or not hanging.is_running()
    writer.do("skip")
    assert writer.run()["currentStep"] == "outline"


def test_neovim_ends_while_answers_come(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """No question, no delay, no process left behind."""
    writer = _writer(start(), tmp_path)
    writer.attached()
    writer.do("start")
    writer.nvim.command("WriteIt next openai/slow-2000")
    writer.beside_shows("word9 ")
    server = _server(writer)
    assert writer.nvim.quit() == 0
    psutil.wait_procs([server], timeout=TIMEOUT)
    assert not psutil.pid_exists(server.pid)
