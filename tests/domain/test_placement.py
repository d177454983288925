"""Where a text goes in the document that a run was started on."""

import pytest
from hypothesis import given

from support.text_strategies import paragraphs, texts
from writeit.domain.document import RunDocument
from writeit.domain.placement import is_passage_gone, place_content, with_line_ends_of


def on(before: str, selection: str, after: str) -> RunDocument:
    """Return a document with a selected passage."""
    return RunDocument(
        text=before + selection + after, selection=selection, before=before, after=after
    )


@pytest.mark.parametrize(
    ("document", "mode", "result"),
    [
        (on("A.\n\n", "B b.", "\n\nC.\n"), "replace", "A.\n\nNEW\n\nC.\n"),
        (on("A.\n\n", "  B b.\n", "\nC.\n"), "replace", "A.\n\n  NEW\n\nC.\n"),
        (on("A.\n\n", "B b.", "\n\nC.\n"), "insert", "A.\n\nB b.\n\nNEW\n\nC.\n"),
        (on("A.\n\n", "B b.\n", "\nC.\n"), "insert", "A.\n\nB b.\n\nNEW\n\nC.\n"),
        (on("A. ", "B b.", " C.\n"), "insert", "A. B b. NEW C.\n"),
        (on("A. ", "", "B.\n"), "insert", "A. NEWB.\n"),
        (on("A.\r\n", "B b.", ""), "insert", "A.\r\nB b.\r\n\r\nNEW"),
        (RunDocument(text="A.\n"), "insert", "A.\n\nNEW\n"),
        (RunDocument(text="A."), "insert", "A.\n\nNEW"),
        (RunDocument(text="A."), "replace", "NEW"),
        (RunDocument(text="A.\n\nB.\n"), "replace", "NEW\n"),
        (RunDocument(text=""), "insert", "NEW\n"),
        (RunDocument(text="\r\n\r\nA.\r\n"), "replace", "\r\n\r\nNEW\r\n"),
    ],
)
def test_a_text_has_its_place(document: RunDocument, mode: str, result: str) -> None:
    """Instead of a passage, behind it, in place of the body, at its end.

    A document whose last line has no end is left without one.
    """
    goal = place_content(document, "\nNEW\n", mode)  # type: ignore[arg-type]  # a parameter
    assert goal.base == document.text
    assert goal.theirs == result


@given(texts(), paragraphs, texts())
def test_a_passage_that_stands_there_is_not_gone(
    before: str, passage: str, after: str
) -> None:
    """Whatever the text around it."""
    document = on(before, passage, after)
    assert not is_passage_gone(document, document.text)


def test_a_deleted_passage_is_gone_and_an_edited_one_is_not() -> None:
    """They differ in how many of its words are left."""
    passage = "The mills stand further down, and their wheels turn day and night."
    document = on("A river.\n\n", passage, "\n\nA bridge.\n")
    assert is_passage_gone(document, "A river.\n\nA bridge.\n")
    edited = passage.replace("mills", "old mills").replace(" day and night", "")
    assert not is_passage_gone(document, f"A river.\n\n{edited}\n\nA bridge.\n")


def test_a_text_takes_the_line_ends_of_its_document() -> None:
    """Models answer with LF."""
    assert with_line_ends_of("a\r\nb\r\n", "x\ny") == "x\r\ny"
    assert with_line_ends_of("a", "x\r\ny") == "x\ny"
