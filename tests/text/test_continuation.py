"""A cut text is continued after its last whole sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeit.text.continuation import join_rest, whole_part


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("One. Two is cu", "One."),
        ("One. “Two.” Three", "One. “Two.”"),
        ("One. Two.", "One. Two."),
        ("One.\n\n## Head\n\nTwo is", "One.\n\n## Head"),
        ("# Head\n\nThis was not fin", "# Head"),
        ("Wrapped\nprose. And a seco\nnd sentence", "Wrapped\nprose."),
        ("- one\n- two\n- thr", "- one\n- two"),
        ("1. **One** It is.\n2. **Nobody was pag", "1. **One** It is."),
        ("See:\n\n```python\nx = 1\ny = ", "See:\n\n```python\nx = 1"),
        ("See.\n\n```\nx\n```\n\nAnd no", "See.\n\n```\nx\n```"),
        ("no sentence at al", "no sentence at"),
        ("word", "word"),
    ],
)
def test_a_text_is_kept_up_to_its_last_whole_sentence(text: str, whole: str) -> None:
    """Of code up to its last whole line."""
    assert whole_part(text) == whole


@pytest.mark.parametrize(
    ("text", "rest", "joined"),
    [
        ("One. Two is cu", "Two is cut.", "One. Two is cut."),
        ("One.\n\nTwo is cu", "Two is cut.", "One.\n\nTwo is cut."),
        ("One.", "\n\nTwo.", "One.\n\nTwo."),
        ("One.", "Two.", "One. Two."),
        ("- one\n- tw", "- two", "- one\n- two"),
        (
            "Zero. This sentence is here twice. An",
            "This sentence is here twice. And on.",
            "Zero. This sentence is here twice. And on.",
        ),
        ("A" * 120 + ". B", "A" * 120 + ". Begun again.", "A" * 120 + ". Begun again."),
        ("One. Tw", "", "One."),
    ],
)
def test_the_rest_is_joined_without_repetition(
    text: str, rest: str, joined: str
) -> None:
    """The space between is the rest's own, or the text's."""
    assert join_rest(text, rest) == joined


@given(st.text(), st.text())
def test_a_joined_text_begins_with_what_was_whole(text: str, rest: str) -> None:
    """Nothing of it is lost."""
    assert text.startswith(whole_part(text))
    assert join_rest(text, rest).startswith(whole_part(text))
