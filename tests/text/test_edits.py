"""The smallest edits from one text to another."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from support.text_strategies import edited, texts
from writeit.text.diff import Edit, apply_edits, compute_edits, edit_distance


@given(texts(), st.data())
def test_edits_make_exactly_the_target(text: str, data: st.DataObject) -> None:
    """Whatever the texts, the edits make one of the other."""
    target = data.draw(st.one_of(edited(text, 8), texts()))
    assert apply_edits(text, compute_edits(text, target)) == target


@given(texts(), st.data())
def test_edits_are_in_order_and_apart(text: str, data: st.DataObject) -> None:
    """Edits of one document must not overlap; none does nothing."""
    found = compute_edits(text, data.draw(edited(text, 8)))
    for before, after in pairwise(found):
        assert before.end < after.start
    assert all(text[e.start : e.end] != e.new for e in found)


def test_a_changed_word_is_one_edit_of_that_word() -> None:
    """The cursor elsewhere in the paragraph does not move."""
    text = "One.\r\n\r\nThe river is cold.\r\n"
    assert compute_edits(text, text.replace("cold", "wet")) == [Edit(21, 25, "wet")]


def test_equal_texts_need_no_edit() -> None:
    """Nothing to do is nothing done."""
    assert compute_edits("same\n", "same\n") == []
    assert edit_distance("same\n", "same\n") == 0


@given(texts(), st.data())
def test_distance_is_what_goes_and_comes(text: str, data: st.DataObject) -> None:
    """Never more than everything."""
    other = data.draw(edited(text))
    assert (edit_distance(text, other) == 0) == (text == other)
    assert edit_distance(text, other) <= len(text) + len(other)
