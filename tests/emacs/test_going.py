"""From the notes to the page of their step by one key, and back by another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emacs.texts import notes_in

if TYPE_CHECKING:
    from emacs.writer import Writer

DEFINITION, BACK = "\x1b.", "\x1b,"


def test_one_key_leads_from_the_first_line_to_the_step_and_one_leads_back(
    emacs: Writer,
) -> None:
    """The key that leads to a definition in a program."""
    notes = notes_in(emacs.folder)
    emacs.open(notes)
    emacs.take("Start tech-article")
    emacs.told("is begun")
    emacs.goto("Notes on rivers")
    emacs.keys(DEFINITION)
    emacs.until('(string-match "/views/step/.*angles.md$" (or buffer-file-name ""))')
    emacs.sees("Not asked yet.")
    emacs.keys(BACK)
    emacs.managed(notes)
