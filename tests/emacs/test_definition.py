"""The keys that go to a definition and back lead to the page of a step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from emacs.notes import create_notes

if TYPE_CHECKING:
    from emacs.session import EmacsSession

DEFINITION, BACK = "\x1b.", "\x1b,"


def test_definition_of_first_line_is_the_current_step(
    emacs: EmacsSession,
) -> None:
    """`M-.` opens the page of the step, `M-,` returns to the notes."""
    notes = create_notes(emacs.folder)
    emacs.open(notes)
    emacs.run_action("Start tech-article")
    emacs.wait_for_message("is begun")
    emacs.move_before("Notes on rivers")
    emacs.keys(DEFINITION)
    emacs.until('(string-match "/views/step/.*angles.md$" (or buffer-file-name ""))')
    emacs.wait_for_text("Not asked yet.")
    emacs.keys(BACK)
    emacs.wait_for_server(notes)
