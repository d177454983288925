"""A server that is missing, too old, broken, crashes or hangs."""

import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from neovim import wording
from support.neovim_session import NOTES, NeovimSession
from support.nvim import Nvim
from support.waiting import TIMEOUT

SHORT_PATIENCE = 700
"""Milliseconds after which a silent server is reported."""


def _open_session(nvim: Nvim, tmp_path: Path) -> NeovimSession:
    """Open notes in a Neovim of the test's own, whether or not the server starts."""
    workspace = tmp_path / "workspace"
    (workspace / ".git").mkdir(parents=True)
    session = NeovimSession(nvim, workspace)
    session.notes.write_text(NOTES, encoding="utf-8")
    nvim.command(f"edit {session.notes}")
    return session


def _check_editing(session: NeovimSession) -> None:
    """Check that the user can still edit and save."""
    session.nvim.keys("<Esc>Goand on.<Esc>:write<CR>")
    session.nvim.wait_until("not vim.bo.modified and vim.fn.getline('$') == 'and on.'")
    assert session.notes.read_text("utf-8").endswith("and on.\n")


def _server(session: NeovimSession) -> psutil.Process:
    """Return the server's process, which Neovim started."""
    (process,) = psutil.Process(session.nvim.process.pid).children()
    return process


def _with_server(command: list[str]) -> str:
    """Return an init.lua with a server command, for a server that will not answer."""
    words = ", ".join(f"[==[{word}]==]" for word in command)
    return f"vim.g.writeit = {{ cmd = {{ {words} }}, patience = {SHORT_PATIENCE} }}"


def test_missing_server_is_reported_by_a_command(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """Opening markdown shows no message; a command says what to do."""
    lua = _with_server(["/nowhere/writeit", "serve"])
    session = _open_session(start(lua), tmp_path)
    _check_editing(session)
    assert "WriteIt" not in session.nvim.messages()
    session.nvim.command("WriteIt next")
    session.wait_for_message(wording.CANNOT_RUN.format("/nowhere/writeit"))
    session.wait_for_message(wording.CHECKHEALTH)


def test_messages_of_an_opened_file_wait_for_a_command(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """A server that fails by itself is reported once the user wants something of it."""
    broken = [sys.executable, "-c", "import sys; sys.exit('no lmdb here')"]
    session = _open_session(start(_with_server(broken)), tmp_path)
    session.nvim.wait_until("vim.lsp.log ~= nil")
    session.nvim.wait_until("#vim.lsp.get_clients({ _uninitialized = true }) == 0")
    _check_editing(session)
    assert "WriteIt" not in session.nvim.messages()
    session.nvim.command("WriteIt info")
    session.wait_for_message(wording.EXITED.format(1))


def test_too_old_server_is_not_used(start: Callable[..., Nvim], tmp_path: Path) -> None:
    """The message has both versions and the command that updates it."""
    old = (
        "import writeit, sys; writeit.__version__ = '0.0.9';"
        " from writeit.app import main; sys.argv = ['writeit', 'serve']; main()"
    )
    session = _open_session(start(_with_server([sys.executable, "-c", old])), tmp_path)
    session.nvim.command("WriteIt next")
    session.wait_for_message(wording.TOO_OLD.format("0.0.9", "0.1.0"))
    session.wait_for_message(wording.UPDATE)
    session.nvim.wait_until("#vim.lsp.get_clients({ name = 'writeit' }) == 0")
    _check_editing(session)


def test_failed_start_is_reported(start: Callable[..., Nvim], tmp_path: Path) -> None:
    """With the exit code and the command that opens the log."""
    broken = [sys.executable, "-c", "import sys; sys.exit('no lmdb here')"]
    session = _open_session(start(_with_server(broken)), tmp_path)
    session.nvim.command("WriteIt next")
    session.wait_for_message(wording.EXITED.format(1))
    session.wait_for_message(wording.READ_LOG)
    _check_editing(session)


def test_silent_server_is_reported(start: Callable[..., Nvim], tmp_path: Path) -> None:
    """Commands time out, and Neovim exits without a delay."""
    silent = [sys.executable, "-c", "import time; time.sleep(600)"]
    session = _open_session(start(_with_server(silent)), tmp_path)
    session.nvim.command("WriteIt next")
    session.wait_for_message(wording.NO_ANSWER_YET)
    session.wait_for_message(wording.NO_ANSWER)
    _check_editing(session)
    assert session.nvim.quit() == 0


def test_crash_during_a_stream_loses_nothing(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """The run has the partial answer; the next command starts the server."""
    session = _open_session(start(), tmp_path)
    session.wait_for_client()
    session.run("start")
    session.nvim.command("WriteIt next openai/slow-2000")
    session.wait_for_side_text("word9 ")
    _server(session).send_signal(signal.SIGKILL)
    session.wait_for_message(wording.KILLED.format(9))
    session.wait_until_idle()
    assert "word9 " in session.side_text()
    _check_editing(session)
    session.run("open")
    session.wait_for_side_text("## Answer 1")
    (answer,) = session.newest_run()["steps"]["angles"]["aiResponses"]
    assert answer["partial"]
    assert "word6 " in answer["rawOutput"]  # the last 50 ms may be missing


def test_hanging_server_can_be_restarted(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """It is reported, and the editor does not wait for it."""
    session = _open_session(
        start(f"vim.g.writeit = {{ patience = {SHORT_PATIENCE} }}"), tmp_path
    )
    session.wait_for_client()
    session.nvim.lua("vim.g.writeit = nil")  # the next server has time to come up
    session.run("start")
    hanging = _server(session)
    hanging.send_signal(signal.SIGSTOP)
    session.nvim.command("messages clear")
    session.nvim.command("WriteIt next openai/say-x")
    session.wait_for_message(wording.NO_LONGER_ANSWERS)
    _check_editing(session)
    session.nvim.command("WriteIt restart")
    session.wait_for_message(wording.RESTARTED)
    assert hanging.wait(TIMEOUT) is not None or not hanging.is_running()
    session.run("skip")
    assert session.newest_run()["currentStep"] == "outline"


def test_exit_during_a_stream(start: Callable[..., Nvim], tmp_path: Path) -> None:
    """No question, no delay, no process left running."""
    session = _open_session(start(), tmp_path)
    session.wait_for_client()
    session.run("start")
    session.nvim.command("WriteIt next openai/slow-2000")
    session.wait_for_side_text("word9 ")
    server = _server(session)
    assert session.nvim.quit() == 0
    psutil.wait_procs([server], timeout=TIMEOUT)
    assert not psutil.pid_exists(server.pid)
