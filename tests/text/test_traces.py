"""A passage that was applied is known again, though the writer went on with it."""

from __future__ import annotations

import pytest

from writeit.text.diff import find_applied_lines

HERS = "The river is cold.\n\nThe mills stand further down the river.\n\nA bridge.\n"
AFTER = "The river is cold.\n\nThe mills stand below and turn all day.\n\nA bridge.\n"


@pytest.mark.parametrize(("line", "expected"), [(0, None), (2, (2, 2)), (4, None)])
def test_only_what_the_apply_put_there_is_from_it(
    line: int, expected: tuple[int, int] | None
) -> None:
    """What stood there before is hers."""
    assert find_applied_lines(HERS, AFTER, AFTER, line) == expected


def test_a_passage_that_she_edited_since_is_still_from_it() -> None:
    """And it is found where it has moved to."""
    now = "A new beginning.\n\n" + AFTER.replace("all day", "all day and all night")
    assert find_applied_lines(HERS, AFTER, now, 4) == (4, 4)
    assert find_applied_lines(HERS, AFTER, now, 0) is None


def test_a_passage_that_she_wrote_anew_is_hers() -> None:
    """Less than half the words are left."""
    now = AFTER.replace("The mills stand below and turn all day", "Wheels of oak go by")
    assert find_applied_lines(HERS, AFTER, now, 2) is None


def test_a_whole_article_is_one_passage() -> None:
    """Blank lines between its paragraphs belong to it."""
    article = "One.\n\nTwo.\n\nThree.\n"
    assert find_applied_lines("", article, f"{article}\nHers.\n", 2) == (0, 4)
    assert find_applied_lines("", article, f"{article}\nHers.\n", 6) is None


def test_no_line_is_from_nowhere() -> None:
    """A line behind the end, or a blank one, is nothing's."""
    assert find_applied_lines("", "x\n", "x\n", 7) is None
    assert find_applied_lines("", "x\n\ny\n", "x\n\ny\n", 1) is None
