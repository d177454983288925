"""The context of a passage is cut at blocks, and says what it leaves out."""

import pytest

from writeit.text.excerpts import context_after, context_before, used_definitions
from writeit.text.passage import SelectedPassage, read_passage

CODE = "```py\n" + "".join(f"x{n} = {n}\n" for n in range(90)) + "```"
ITEMS = "\n".join(f"- item {n}" for n in range(90))
PROSE = "One sentence of some length. " * 20


def of(before: str, after: str = "") -> SelectedPassage:
    """Return the passage `Text.` between two texts."""
    return read_passage(before, "Text.", after)


@pytest.mark.parametrize(
    ("before", "context"),
    [
        ("", ""),
        ("# T\n\nShort.\n\n", "# T\n\nShort."),
        ("# T\n\n> ", "# T"),
        (f"# T\n\n## A\n\n{PROSE}\n\n## B\n\nNear.\n\n", "# T\n\n[…]\n\n## B\n\nNear."),
        (f"# T\n\n{PROSE}\n\nNear.\n\n- ", "# T\n\n[…]\n\nNear."),
        (f"{ITEMS}\n\n", "[…]\n\n" + "\n".join(f"- item {n}" for n in range(81, 90))),
    ],
)
def test_what_is_before_begins_with_a_block(before: str, context: str) -> None:
    """Under the headings above it."""
    assert context_before(of(before), limit=90) == context


def test_a_block_of_code_that_is_too_long_is_marked_as_code() -> None:
    """On both sides; it is cut at lines."""
    before, after = f"# T\n\n{CODE}\n\n", f"\n\n{CODE}\n\nEnd.\n"
    assert context_before(of(before), limit=25) == (
        "# T\n\n[…]\n\n```py\n[…]\nx88 = 88\nx89 = 89\n```"
    )
    assert context_after(of("", after), limit=25) == (
        "```py\nx0 = 0\nx1 = 1\n[…]\n```\n\n[…]"
    )


def test_a_table_that_is_cut_has_its_heads() -> None:
    """What is after its cell is rows."""
    rows = "".join(f"| row {n} | x |\n" for n in range(20))
    passage = of(f"| a | b |\n|---|---|\n{rows}| ", f" | x |\n{rows}")
    assert context_before(passage, limit=20) == (
        "[…]\n\n| a | b |\n|---|---|\n[…]\n| row 19 | x |\n|"
    )
    assert context_after(passage, limit=20) == "| x |\n| row 0 | x |\n\n[…]"


def test_an_open_fence_that_is_cut_is_not_closed() -> None:
    """Its last line is code."""
    after = f"\n\n{CODE.removesuffix('```')}"
    assert context_after(of("", after), limit=25) == ("```py\nx0 = 0\nx1 = 1\n\n[…]")


@pytest.mark.parametrize(
    ("after", "context"),
    [
        ("", ""),
        ("\n\nShort.\n", "Short."),
        (f"\n\nNear.\n\n## B\n\n{PROSE}\n", "Near.\n\n## B\n\n[…]"),
        (f"\n\n{PROSE}\n", "One sentence of some length. One sentence of some\n\n[…]"),
    ],
)
def test_what_is_after_ends_with_a_block(after: str, context: str) -> None:
    """A paragraph that is too long ends with a word."""
    assert context_after(of("", after), limit=55) == context


def test_definitions_are_those_that_the_passage_uses() -> None:
    """Of links in each form, and of footnotes."""
    passage = "A [link], [one][Two  words], [x][] and a note.[^n]"
    after = (
        "\n\n[LINK]: a\n[two words]: b\n[x]: c\n[unused]: d\n\n[^n]: Note\n    more.\n"
    )
    assert used_definitions(read_passage("", passage, after)) == (
        "[LINK]: a\n[two words]: b\n[x]: c\n[^n]: Note\n    more."
    )


def test_the_boxes_of_tasks_refer_to_nothing() -> None:
    """What is around a list of tasks is no definition."""
    tasks = read_passage("# T\n\nText.\n\n", "- [ ] one\n- [ ] two", "\n\n[x]: y\n")
    assert not used_definitions(tasks)
