"""The edits between two texts, and the lines that an apply inserted."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.text_strategies import apply_edits, edited, texts
from writeit.text.diff import (
    Edit,
    compute_edits,
    count_words,
    edit_distance,
    find_applied_lines,
    similarity,
)


@given(texts(), st.data())
def test_edits_turn_one_text_into_the_other(text: str, data: st.DataObject) -> None:
    """Whatever the texts."""
    target = data.draw(st.one_of(edited(text, 8), texts()))
    assert apply_edits(text, compute_edits(text, target)) == target


@given(texts(), st.data())
def test_edits_are_in_order_and_do_not_touch(text: str, data: st.DataObject) -> None:
    """Edits of one document must not overlap; each changes something."""
    edits = compute_edits(text, data.draw(edited(text, 8)))
    for before, after in pairwise(edits):
        assert before.end < after.start
    assert all(text[e.start : e.end] != e.new for e in edits)


def test_a_changed_word_is_one_edit_of_that_word() -> None:
    """A cursor elsewhere in the paragraph does not move."""
    text = "One.\r\n\r\nThe river is cold.\r\n"
    assert compute_edits(text, text.replace("cold", "wet")) == [Edit(21, 25, "wet")]


@given(texts(), st.data())
def test_the_distance_is_zero_for_equal_texts_only(
    text: str, data: st.DataObject
) -> None:
    """It is never more than both texts together."""
    other = data.draw(edited(text))
    assert (edit_distance(text, other) == 0) == (text == other)
    assert edit_distance(text, other) <= len(text) + len(other)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("One two.", "two, one", 0.5),
        ("one two three", "three two one", 1.0),
        ("one one two", "one three four", 1 / 3),
        ("...", "...", 0.0),
        ("", "", 0.0),
    ],
)
def test_similarity_is_the_share_of_common_words(
    a: str, b: str, expected: float
) -> None:
    """In any order, case counts, and signs do not."""
    assert similarity(count_words(a), count_words(b)) == pytest.approx(expected)
    assert similarity(count_words(b), count_words(a)) == pytest.approx(expected)


BEFORE = "The river is cold.\n\nThe mills stand further down the river.\n\nA bridge.\n"
AFTER = "The river is cold.\n\nThe mills stand below and turn all day.\n\nA bridge.\n"


@pytest.mark.parametrize(("line", "expected"), [(0, None), (2, (2, 2)), (4, None)])
def test_only_lines_that_the_apply_inserted_are_found(
    line: int, expected: tuple[int, int] | None
) -> None:
    """Lines that were there before are not."""
    assert find_applied_lines(BEFORE, AFTER, AFTER, line) == expected


def test_an_inserted_passage_is_found_after_edits() -> None:
    """Also if it has moved."""
    now = "A new beginning.\n\n" + AFTER.replace("all day", "all day and all night")
    assert find_applied_lines(BEFORE, AFTER, now, 4) == (4, 4)
    assert find_applied_lines(BEFORE, AFTER, now, 0) is None


def test_a_rewritten_passage_is_not_found() -> None:
    """Less than half of its words are left."""
    now = AFTER.replace("The mills stand below and turn all day", "Wheels of oak go by")
    assert find_applied_lines(BEFORE, AFTER, now, 2) is None


def test_a_whole_article_is_one_passage() -> None:
    """Blank lines between its paragraphs are part of it."""
    article = "One.\n\nTwo.\n\nThree.\n"
    assert find_applied_lines("", article, f"{article}\nTyped.\n", 2) == (0, 4)
    assert find_applied_lines("", article, f"{article}\nTyped.\n", 6) is None


def test_a_blank_line_or_one_after_the_end_is_not_found() -> None:
    """Neither was inserted by an apply."""
    assert find_applied_lines("", "x\n", "x\n", 7) is None
    assert find_applied_lines("", "x\n\ny\n", "x\n\ny\n", 1) is None
