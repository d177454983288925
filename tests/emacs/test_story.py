"""The story in an Emacs that has never heard of WriteIt, by keys and nothing else.

Her init file is the one docs/emacs.md gives. She has no plug-in, and her folder is not
under version control.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from emacs.writer import SAVE
from support.notes import NOTES

if TYPE_CHECKING:
    from pathlib import Path

    from emacs.writer import Writer


def to_the_draft(emacs: Writer, notes: Path) -> None:
    """An angle chosen with words of hers; an outline asked anew."""
    emacs.take("Start tech-article")
    emacs.told("tech-article is begun; nothing is sent yet. Next: run angles")
    emacs.take("Run angles")
    emacs.told("angles has 2 answers")
    emacs.open_page("Open the step angles")
    emacs.say("for beginners")
    emacs.goto("The flood")
    emacs.take("Choose this answer")
    emacs.told("is the choice for angles. Next: run outline")
    emacs.open(notes)
    emacs.take("Run outline")
    emacs.told("outline has 1 answer")
    outline = emacs.open_page("Open the step outline")
    assert "for beginners" in emacs.text()
    emacs.say("fewer parts")
    emacs.goto("fewer parts")
    emacs.take("Ask anew with these words")
    emacs.told("outline has 2 answers")
    emacs.sees("## Answer 2")
    assert "fewer parts" in emacs.text().partition("## Answer 2")[2]
    emacs.goto("## Answer 2")
    emacs.take(r"Choose this answer \(answer 2\)")
    emacs.told("Answer 2 is the choice for outline")
    emacs.sees("**You chose answer 2.**")
    emacs.keys(SAVE)
    emacs.told(f"Wrote {outline}")


def test_from_notes_to_article(emacs: Writer) -> None:
    """Angles, outline, draft, polish; her article is a file of its own."""
    emacs.folder.mkdir(exist_ok=True)
    notes = emacs.folder / "rivers.md"
    notes.write_text(NOTES, encoding="utf-8")
    emacs.open(notes)
    to_the_draft(emacs, notes)

    emacs.take("Run draft")
    emacs.told("draft has 2 answers")
    draft = emacs.open_page("Open the step draft")
    for count, passage in enumerate(("Water moves.", "Rivers run."), 1):
        emacs.select_line(passage)
        emacs.take("Take this passage into the merge")
        emacs.told(f"the merge of draft has {count} passage")
        emacs.sees(f"{count}. answer ")
    emacs.sees("Water moves.\n\nRivers run.")
    emacs.goto("## Merge")
    emacs.take("Use the merge")
    emacs.told("The merge is the text of draft. Next: run polish")
    emacs.take("Run polish")
    emacs.told("polish has 1 answer")
    emacs.take("Choose answer 1 for polish")
    emacs.told("That was the last step: apply the text")
    emacs.take("Apply the text")
    emacs.told("The text is in rivers.tech-article.md")

    article = emacs.folder / "rivers.tech-article.md"
    assert article.read_text("utf-8") == "Rivers run and water moves.\n"
    assert notes.read_text("utf-8") == NOTES
    assert emacs.lisp("(verify-visited-file-modtime)"), f"{draft} changed on the disk"
    assert "type=1" not in emacs.messages()
    assert "type=2" not in emacs.messages()
