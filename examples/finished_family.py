"""Shows what a finished family of runs looks like, from exports written by hand."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import click

FAMILY = Path(__file__).with_name("family")
RUN, BRANCH = "written-by-hand", "colder"
PAGES = (
    ("A run and its branch", ("show", RUN), 40),
    ("A step with its answers", ("show", RUN, "--step", "outline"), 34),
    ("The branch against its parent", ("compare", RUN, BRANCH), 24),
    ("The article", ("export", RUN, "--format", "markdown"), 14),
)
"""A heading, a command, and how many lines of its output are shown."""


def show(notes: Path, folder: Path) -> None:
    """Import the example runs into `folder` and print their pages.

    Raises:
        CalledProcessError: a command of WriteIt failed.
    """
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    shutil.copy(notes, folder)
    print(
        "The texts of this example were written by hand, to show what WriteIt does."
        "\nNo model wrote them. A model's own text follows below."
    )
    for export in sorted(FAMILY.glob("*.yaml")):
        _writeit(folder, "import", str(export))
    for heading, arguments, count in PAGES:
        command = " ".join(("writeit", *arguments))
        click.secho(f"\n── {heading}: {command}", bold=True)  # only in a terminal
        output = _writeit(folder, *arguments)
        if output.startswith("---\n"):
            output = output.split("---\n", 2)[2].lstrip("\n")  # without front matter
        lines = output.rstrip("\n").split("\n")
        print("\n".join(lines[:count]))
        if len(lines) > count:
            print(f"… and {len(lines) - count} lines more")


def _writeit(folder: Path, *arguments: str) -> str:
    """Run a command and return what it printed; its errors go to the screen."""
    command = [sys.executable, "-m", "writeit", *arguments]
    done = subprocess.run(
        command, cwd=folder, check=True, stdout=subprocess.PIPE, text=True
    )
    return done.stdout
