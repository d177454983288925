"""A workspace folder to write in."""

from pathlib import Path

NOTES = """\
---
writeit:
  primer: academic
  inputs: {target_audience: editors}
---
# Notes on rivers

- A river is moving water.
- It begins at a source and ends at a mouth.
"""


def new_workspace(folder: Path) -> Path:
    """A workspace folder with notes in it."""
    folder.mkdir(exist_ok=True)
    (folder / "notes.md").write_text(NOTES, encoding="utf-8")
    return folder
