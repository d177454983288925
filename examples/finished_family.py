"""Shows what a finished family of runs looks like, from exports written by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click

FAMILY = Path(__file__).with_name("family")
FIRST = "what-lmdb-leaves-out"
BRANCH = "what-lmdb-leaves-out-colder"
SHOWN_LINES = 16


def show(notes: Path, folder: Path) -> None:
    """Import the example runs into `folder` and print their pages.

    Raises:
        CalledProcessError: a command of WriteIt failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(notes, folder)
    print(
        "These texts were written by hand, to show what WriteIt does with them."
        "\nNo model wrote them; the embedded model's own texts follow below."
    )
    for name in (FIRST, BRANCH):
        _writeit(folder, "import", str(FAMILY / f"{name}.yaml"))
    first, branch = run_id(FIRST), run_id(BRANCH)
    _page(folder, "A run and its branch", "show", first)
    _page(folder, "A step: answers to choose from", "show", first, "--step", "draft")
    _page(folder, "The branch against its parent", "compare", first, branch)
    _page(folder, "The article", "export", first, "--format", "markdown")


def run_id(name: str) -> str:
    """Return the id of an example run."""
    text = (FAMILY / f"{name}.yaml").read_text("utf-8")
    return text.partition("pipeline_run_id: ")[2].split("\n", 1)[0]


def _page(folder: Path, heading: str, *arguments: str) -> None:
    """Print the beginning of what a command prints, and the command."""
    command = " ".join(("writeit", *arguments))
    click.secho(f"\n── {heading} ({command})", bold=True)  # bold only in a terminal
    lines = _writeit(folder, *arguments).rstrip("\n").split("\n")
    print("\n".join(lines[:SHOWN_LINES]))
    if left := len(lines) - SHOWN_LINES:
        print(f"… {left} more lines" if left > 0 else "", end="\n" if left > 0 else "")


def _writeit(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "writeit", *arguments]
    done = subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
