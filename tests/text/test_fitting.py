"""An answer gets the marks of the containers of the passage, or does not fit."""

import pytest

from writeit.text.fitting import (
    FittedText,
    continue_passage,
    keep_line_ends,
    replace_passage,
)
from writeit.text.passage import SelectedPassage, read_passage

QUOTE = "Before.\n\n> One line.\n\nAfter.\n"
CALLOUT = "> [!note] Title\n> Body are here\n> and [[link]].\n"
LIST = "- one\n- two\n- three\n"
TASKS = "- [ ] one\n- [x] two\n"
STARS = "*  one\n*  two\n"
TABBED = "-\tone\n\tmore\n-\ttwo\n"
ATTRIBUTES = "## Old {#old}\n\nText.\n"
ORDERED = "1. First.\n\n   A second are here,\n   over two lines.\n\n2. Next.\n"
NESTED = "> 1. one\n>    - deep\n>      are\n> 2. two\n"
ADMONITION = '!!! note "Title"\n    Body\n    more.\n\nAfter.\n'
DIV = "::: note\nBody\n:::\n\nAfter.\n"
FOOTNOTE = "Text.[^1]\n\n[^1]: The note\n    goes on.\n\nAfter.\n"
DEFINITION = "Term\n:   The text\n    goes on.\n\nAfter.\n"
INDENTED = "Before.\n\n    x = 1\n    y = 2\n\nAfter.\n"
FENCED = "Before.\n\n```\nx = 1\ny = 2\n```\n\nAfter.\n"
NORM = "| a | b |\n|---|---|\n| \\|x\\| | x |\n"
TABLE = "| a | b |\n|---|---|\n| this are long | x |\n"
HEADING = "## Old title ##\n\nText.\n"
SETEXT = "The title\n=========\n\nText.\n"


def selected(text: str, passage: str) -> SelectedPassage:
    """Return a passage of a text."""
    before, after = text.split(passage, 1)
    return read_passage(before, passage, after)


def replaced(text: str, passage: str, answer: str) -> FittedText:
    """Return a text with an answer instead of a passage."""
    return replace_passage(selected(text, passage), answer)


@pytest.mark.parametrize(
    ("text", "passage", "content", "container"),
    [
        ("Text.\n", "Text.", "Text.", ""),
        (QUOTE, "> One line.", "One line.", "a block quote"),
        (CALLOUT, CALLOUT, "Body are here\nand [[link]].", "a callout"),
        (LIST, "- two", "two", "a list item"),
        (LIST, "one\n- two", "- one\n- two", "a list"),
        (LIST, LIST, LIST.strip(), ""),
        (
            ORDERED,
            "A second are here,\n   over two lines.",
            "A second are here,\nover two lines.",
            "a list item",
        ),
        (
            NESTED,
            "deep\n>      are",
            "deep\nare",
            "a list item in a list item in a block quote",
        ),
        (ADMONITION, ADMONITION[:-8], "Body\nmore.", "an admonition"),
        (DIV, "::: note\nBody\n:::", "Body", "an admonition"),
        (FOOTNOTE, "The note\n    goes on.", "The note\ngoes on.", "a footnote"),
        (DEFINITION, "The text\n    goes on.", "The text\ngoes on.", "a definition"),
        (INDENTED, "    x = 1\n    y = 2", "x = 1\ny = 2", "a code block"),
        (FENCED, "y = 2", "y = 2", "a code block"),
        (FENCED, "```\nx = 1\ny = 2\n```", "```\nx = 1\ny = 2\n```", ""),
        (TABLE, "this are long", "this are long", "a table cell"),
        (TABLE, "| this are long | x |", "| this are long | x |", "rows of a table"),
        (HEADING, "## Old title ##", "Old title", "a heading"),
        (SETEXT, "The title\n=========", "The title", "a heading"),
    ],
)
def test_a_passage_is_taken_out_of_its_containers(
    text: str, passage: str, content: str, container: str
) -> None:
    """And put back as it was."""
    found = selected(text, passage)
    assert found.content == content
    assert found.container == container
    assert replace_passage(found, content) == FittedText(text)


@pytest.mark.parametrize(
    ("text", "passage", "answers", "result"),
    [
        (QUOTE, "One line.", ["A.\n\nB.", "> A.\n>\n> B."], "A.\n>\n> B."),
        (QUOTE, "One line.", ["A > b\n> c"], "A > b\n> c"),
        (QUOTE, "One line.", ["A.\n\n> b"], "A.\n>\n> > b"),
        (LIST, "- two", ["*all* 2. of it", "- *all* 2. of it"], "- *all* 2. of it"),
        (
            CALLOUT,
            CALLOUT,
            ["A\nb", "> A\n> b", "> [!note] Title\n> A\n> b", "[!note] Title\nA\nb"],
            "> [!note] Title\n> A\n> b\n",
        ),
        (
            ORDERED,
            "A second are here,\n   over two lines.",
            ["A\nb.", "A\n   b."],
            "A\n   b.",
        ),
        (LIST, "- two", ["A\nb", "- A\n  b", "- A\nb"], "- A\n  b"),
        (LIST, "two", ["- A\n- b"], "A\n- b"),
        (TASKS, "- [x] two", ["A", "- A", "- [ ] A", "[x] A"], "- [x] A"),
        (
            TASKS,
            "- [ ] one\n- [x] two",
            ["A\nb", "- [ ] A\n- [x] b"],
            "- [ ] A\n- [x] b",
        ),
        (STARS, STARS[:-1], ["- A\n- b", "1. A\n2. b", "* A\n* b"], "*  A\n*  b"),
        (ORDERED, "2. Next.", ["- A\n- b", "1. A\n2. b", "2. A\n3. b"], "2. A\n3. b"),
        (STARS, "*  two", ["- A\n  b\n- c"], "*  A\n   b\n*  c"),
        (TABBED, "one\n\tmore", ["A\nb\nc", "- A\n  b\n  c"], "A\n\tb\n\tc"),
        (ATTRIBUTES, "Old", ["New", "## New {#old}"], "New"),
        (LIST, "- one\n- two", ["A\nb", "- A\n- b", "A\n\nb"], "- A\n- b"),
        (
            NESTED,
            "deep\n>      are",
            ["A\nb", "- A\n  b", "> - A\n>   b"],
            "A\n>      b",
        ),
        (
            ADMONITION,
            "Body\n    more.",
            ["A\n\nb", "    A\n\n    b", "!!! note\n    A\n\n    b"],
            "A\n\n    b",
        ),
        (DIV, "Body", ["A\n\nb", "::: note\nA\n\nb\n:::"], "A\n\nb"),
        (
            FOOTNOTE,
            "The note\n    goes on.",
            ["A\n\nb", "[^1]: A\n\n    b"],
            "A\n\n    b",
        ),
        (DEFINITION, "The text\n    goes on.", ["A\nb", ":   A\n    b"], "A\n    b"),
        (INDENTED, "x = 1\n    y = 2", ["x\ny", "    x\n    y"], "x\n    y"),
        (FENCED, "x = 1\ny = 2", ["x\ny", "```\nx\ny\n```"], "x\ny"),
        (
            TABLE,
            "this are long",
            ["this | and\nthat", r"this \| and that"],
            r"this \| and that",
        ),
        (TABLE, "this are long", ["| A |", "| A | x |", "A", "A |"], "A"),
        (NORM, r"\|x\|", ["|y|", r"\|y\|"], r"\|y\|"),
        (TABLE, "this are long", ["A.\n\nB."], "A.<br>B."),
        (HEADING, "## Old title ##", ["New", "# New", "### New ###"], "## New ##"),
        (SETEXT, "The title", ["New", "# New", "New\n==="], "New"),
        (
            "> one\n> two\n> three\n",
            "one\n> two\n> three",
            ["two\nthree"],
            "two\n> three",
        ),
    ],
)
def test_answers_come_with_or_without_the_marks(
    text: str, passage: str, answers: list[str], result: str
) -> None:
    """The result is the same."""
    for answer in answers:
        assert replaced(text, passage, answer) == FittedText(
            text.replace(passage, result, 1)
        )


@pytest.mark.parametrize(
    ("text", "passage", "content", "answer", "result"),
    [
        ("[^n]:\n    One.\n", "[^n]:\n    One.", "One.", "Two.", "[^n]:\n    Two."),
        ("-\n  one\n", "-\n  one", "one", "two", "-\n  two"),
        ("> a\n>\n> b\n>\n> c\n", ">\n> b\n>", "b", "d", ">\n> d\n>"),
        ("> a\n>\n> - b\n", ">\n> - b", "- b", ">\n> - d", ">\n> - d"),
        ("```\npip install\n```\n", "install", "install", "run", "run"),
        (
            "- a\n- b\n  c\n- d\n\ne\n",
            "c\n- d\n\ne",
            "c\n- d\n\ne",
            "C\n- d\n\ne",
            "C\n- d\n\ne",
        ),
        (
            "a\n\n::: x\n- b\n- c\n:::\n",
            "a\n\n::: x\n- b\n- c\n:::",
            "a\n\n::: x\n- b\n- c\n:::",
            "A\n\n::: x\n- b\n- c\n:::",
            "A\n\n::: x\n- b\n- c\n:::",
        ),
        ("- a\n\t- b\n- c\n", "- a\n\t- b", "a\n- b", "- A\n\t- b", "- A\n\t- b"),
        (
            "| a | b |\n|--|--|\n| $x|y$ | z |\n",
            "|--|--|\n| $x|y$ | z |",
            "|--|--|\n| $x|y$ | z |",
            "|--|--|\n| $x|y$ | Z |",
            "|--|--|\n| $x|y$ | Z |",
        ),
    ],
)
def test_a_passage_has_no_empty_edges(
    text: str, passage: str, content: str, answer: str, result: str
) -> None:
    """What is selected with it stays as it is."""
    assert selected(text, passage).content == content
    fitted = replaced(text, passage, answer)
    assert (fitted.text, fitted.misfit) == (text.replace(passage, result), None)


@pytest.mark.parametrize(
    ("text", "passage", "answer", "misfit"),
    [
        (TABLE, "this are long", "- a\n- b", "container"),
        (TABLE, "this are long", "| q | y |", "container"),
        (TABLE, "| this are long | x |", "this", "container"),
        (HEADING, "Old title", "One.\n\nTwo.", "container"),
        (DIV, "Body", "::: note\n:::", "container"),
        (ADMONITION, "Body\n    more.", "!!! note", "container"),
        (TABLE, "this are long", "| |", "container"),
        (FENCED, "x = 1", "x\n```\ny", "unfit"),
        (QUOTE.replace("> ", ""), "One line.", "```\nnever closed", "unfit"),
        ("- one\n\nText.\n\n- two\n", "Text.", "- three", "unfit"),
        ("A. B. C.\n", "B.", "b\n---\nc", "unfit"),
    ],
)
def test_what_cannot_fit_says_why(
    text: str, passage: str, answer: str, misfit: str
) -> None:
    """It is shown and not applied."""
    assert replaced(text, passage, answer).misfit == misfit


@pytest.mark.parametrize(
    ("text", "passage", "answer", "added"),
    [
        (QUOTE, "One line.", "New.\n\nMore.", "\n>\n> New.\n>\n> More."),
        (LIST, "two", "New.", "\n\n  New."),
        (LIST, "two", "- new", "\n- new"),
        (STARS, "*  two", "- new", "\n*  new"),
        (ORDERED, "2. Next.", "1. New.\n2. More.", "\n3. New.\n4. More."),
        (LIST, "- one\n- two", "New.", "\n\n  New."),
        (ADMONITION, "more.", "New.", "\n\n    New."),
        (TABLE, "this are long", "New\none.", " New one."),
        (HEADING, "## Old title ##", "New.", "\n\nNew."),
        (SETEXT, "The title\n=========", "New.", "\n\nNew."),
        ("A. B. C.\n", "B.", "New.", " New."),
        ("A.\nB.\n", "A.", "New.", " New."),
    ],
)
def test_a_continuation_is_in_the_same_container(
    text: str, passage: str, answer: str, added: str
) -> None:
    """Below the passage; on its line if that goes on."""
    result = continue_passage(selected(text, passage), answer)
    assert result == FittedText(text.replace(passage, passage + added, 1))


def test_kept_lines_keep_their_line_ends() -> None:
    """A new line ends as the one before it."""
    old = "a\r\nb\nc\r\n"
    assert keep_line_ends(old, "a\nB\nnew\nc\n") == "a\r\nB\nnew\nc\r\n"
    passage = selected(f"# M\r\n\r\n{old}\nlast\n", old)
    assert (
        replace_passage(passage, "a\nB\nc").text == "# M\r\n\r\na\r\nB\nc\r\n\nlast\n"
    )
