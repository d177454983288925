"""A whole run in Emacs by keys, with the init file of docs/emacs.md.

There is no plug-in, and the folder is not under version control.
"""

from pathlib import Path

from emacs import wording
from emacs.session import SAVE, EmacsSession
from support.notes import NOTES


def run_to_the_draft(emacs: EmacsSession, notes: Path) -> None:
    """Choose an angle with feedback; regenerate the outline."""
    emacs.run_action(wording.START)
    emacs.wait_for_message(wording.STARTED)
    emacs.run_action(wording.GENERATE.format("angles"))
    emacs.wait_for_message(wording.ANSWERS.format("angles", 2))
    emacs.open_page(wording.OPEN_STEP.format("angles"))
    emacs.type_feedback("for beginners")
    emacs.move_before("The flood")
    emacs.run_action(wording.CHOOSE_THIS)
    emacs.wait_for_message(wording.CHOSEN.format("angles"))
    emacs.open(notes)
    emacs.run_action(wording.GENERATE.format("outline"))
    emacs.wait_for_message(wording.ANSWERS.format("outline", 1))
    outline = emacs.open_page(wording.OPEN_STEP.format("outline"))
    assert "for beginners" in emacs.text()
    emacs.type_feedback("fewer parts")
    emacs.move_before("fewer parts")
    emacs.run_action(wording.REGENERATE)
    emacs.wait_for_message(wording.ANSWERS.format("outline", 2))
    emacs.wait_until_in_answer(2, "fewer parts")
    emacs.move_before("## Answer 2")
    emacs.run_action(wording.CHOOSE_THIS_NUMBER.format(2))
    emacs.wait_for_message(wording.NUMBER_CHOSEN.format(2, "outline"))
    emacs.wait_for_text(wording.NUMBER_IS_CHOSEN.format(2))
    emacs.keys(SAVE)
    emacs.wait_for_message(f"Wrote {outline}")


def test_from_notes_to_article(emacs: EmacsSession) -> None:
    """Angles, outline, draft, polish; the article is a new file."""
    emacs.folder.mkdir(exist_ok=True)
    notes = emacs.folder / "rivers.md"
    notes.write_text(NOTES, encoding="utf-8")
    emacs.open(notes)
    run_to_the_draft(emacs, notes)

    emacs.run_action(wording.GENERATE.format("draft"))
    emacs.wait_for_message(wording.ANSWERS.format("draft", 2))
    draft = emacs.open_page(wording.OPEN_STEP.format("draft"))
    for count, passage in enumerate(("Water moves.", "Rivers run."), 1):
        emacs.select_line(passage)
        emacs.run_action(wording.ADD_TO_MERGE)
        emacs.wait_for_message(wording.ADDED_TO_MERGE.format("draft", count))
        emacs.wait_for_text(wording.PASSAGE.format(count))
    emacs.wait_for_text("Water moves.\n\nRivers run.")
    emacs.move_before("## Merge")
    emacs.run_action(wording.USE_MERGE)
    emacs.wait_for_message(wording.MERGED.format("draft"))
    emacs.run_action(wording.GENERATE.format("polish"))
    emacs.wait_for_message(wording.ANSWERS.format("polish", 1))
    emacs.run_action(wording.CHOOSE_NUMBER.format(1, "polish"))
    emacs.wait_for_message(wording.LAST_STEP)
    emacs.run_action(wording.APPLY)
    emacs.wait_for_message(wording.APPLIED)

    article = emacs.folder / "rivers.tech-article.md"
    assert article.read_text("utf-8") == "Rivers run and water moves.\n"
    assert notes.read_text("utf-8") == NOTES
    assert emacs.lisp("(verify-visited-file-modtime)"), f"{draft} changed on the disk"
    assert "type=1" not in emacs.messages()
    assert "type=2" not in emacs.messages()
