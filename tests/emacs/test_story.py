"""A whole run in Emacs by keys, with the init file of docs/emacs.md.

There is no plug-in, and the folder is not under version control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emacs.session import SAVE
from support.notes import NOTES

if TYPE_CHECKING:
    from pathlib import Path

    from emacs.session import EmacsSession


def run_to_the_draft(emacs: EmacsSession, notes: Path) -> None:
    """Choose an angle with feedback; regenerate the outline."""
    emacs.run_action("Start tech-article")
    emacs.wait_for_message("tech-article is begun")
    emacs.run_action("Run angles")
    emacs.wait_for_message("angles has 2 answers")
    emacs.open_page("Open the step angles")
    emacs.type_feedback("for beginners")
    emacs.move_before("The flood")
    emacs.run_action("Choose this answer")
    emacs.wait_for_message("is the choice for angles. Next: run outline")
    emacs.open(notes)
    emacs.run_action("Run outline")
    emacs.wait_for_message("outline has 1 answer")
    outline = emacs.open_page("Open the step outline")
    assert "for beginners" in emacs.text()
    emacs.type_feedback("fewer parts")
    emacs.move_before("fewer parts")
    emacs.run_action("Ask anew with these words")
    emacs.wait_for_message("outline has 2 answers")
    emacs.wait_for_text("## Answer 2")
    assert "fewer parts" in emacs.text().partition("## Answer 2")[2]
    emacs.move_before("## Answer 2")
    emacs.run_action(r"Choose this answer \(answer 2\)")
    emacs.wait_for_message("Answer 2 is the choice for outline")
    emacs.wait_for_text("**You chose answer 2.**")
    emacs.keys(SAVE)
    emacs.wait_for_message(f"Wrote {outline}")


def test_from_notes_to_article(emacs: EmacsSession) -> None:
    """Angles, outline, draft, polish; the article is a new file."""
    emacs.folder.mkdir(exist_ok=True)
    notes = emacs.folder / "rivers.md"
    notes.write_text(NOTES, encoding="utf-8")
    emacs.open(notes)
    run_to_the_draft(emacs, notes)

    emacs.run_action("Run draft")
    emacs.wait_for_message("draft has 2 answers")
    draft = emacs.open_page("Open the step draft")
    for count, passage in enumerate(("Water moves.", "Rivers run."), 1):
        emacs.select_line(passage)
        emacs.run_action("Take this passage into the merge")
        emacs.wait_for_message(f"the merge of draft has {count} passage")
        emacs.wait_for_text(f"{count}. answer ")
    emacs.wait_for_text("Water moves.\n\nRivers run.")
    emacs.move_before("## Merge")
    emacs.run_action("Use the merge")
    emacs.wait_for_message("The merge is the text of draft. Next: run polish")
    emacs.run_action("Run polish")
    emacs.wait_for_message("polish has 1 answer")
    emacs.run_action("Choose answer 1 for polish")
    emacs.wait_for_message("That was the last step: apply the text")
    emacs.run_action("Apply the text")
    emacs.wait_for_message("The text is in rivers.tech-article.md")

    article = emacs.folder / "rivers.tech-article.md"
    assert article.read_text("utf-8") == "Rivers run and water moves.\n"
    assert notes.read_text("utf-8") == NOTES
    assert emacs.lisp("(verify-visited-file-modtime)"), f"{draft} changed on the disk"
    assert "type=1" not in emacs.messages()
    assert "type=2" not in emacs.messages()
