"""Notes for the tests."""

from itertools import count
from pathlib import Path

FIRST = "A river is moving water."
SECOND = "It begins at a source."
_count = count(1)
"""One counter for all tests: they share an Emacs, which keeps their files open."""


def create_notes(folder: Path, **models: str) -> Path:
    """Create new notes whose front matter names the models of steps."""
    named = "".join(f"    {step}: openai/{model}\n" for step, model in models.items())
    head = f"---\nwriteit:\n  models:\n{named}---\n" if models else ""
    folder.mkdir(exist_ok=True)
    path = folder / f"notes-{next(_count)}.md"
    path.write_text(f"{head}# Notes on rivers\n\n{FIRST}\n\n{SECOND}\n", "utf-8")
    return path
