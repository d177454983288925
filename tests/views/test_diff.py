"""What differs between two texts: true, readable, and quickly found."""

import random
import time

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from views import manuscripts
from writeit.views.compare import as_markdown, compare_words, summary

WORDS = st.lists(
    st.sampled_from(["the", "bee", "sleeps", "at", "night.", "\n", "\n\n"])
)
TEXTS = WORDS.map(" ".join)


def shown(left: str, right: str) -> str:
    """What a writer sees of the difference."""
    return as_markdown(compare_words(left, right))


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_no_word_is_lost_or_made_up(left: str, right: str) -> None:
    """Without what was put in it is the left text, without what was taken the right."""
    pieces = [p for line in compare_words(left, right).lines for p in line.spans]
    assert [word for piece in pieces for word in piece.old] == left.split()
    assert [word for piece in pieces for word in piece.new] == right.split()


@settings(deadline=None)
@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    """No word is removed or added."""
    diff = compare_words(text, text)
    assert (diff.removed_words, diff.added_words) == (0, 0)


@pytest.mark.parametrize(
    ("left", "right", "seen"),
    [
        (
            "The last bee sleeps all night.",
            "The first bee sleeps all night.",
            "The ~~last~~ **first** bee sleeps all night.",
        ),
        ("One.\n\nTwo.", "One.\n\nTwo.\n\nThree.", "Two.\n\n**Three.**"),
        ("One.\n\nTwo.", "Two.", "~~One.~~\n\nTwo."),
        (
            "- one bee here\n- two",
            "- one wasp here\n- two",
            "- one ~~bee~~ **wasp** here\n- two",
        ),
        (
            "# A title here\n\nx",
            "# A title there\n\nx",
            "\\# A title ~~here~~ **there**\n\nx",
        ),
        ("a *b* c d", "a *b* c e", "a \\*b\\* c ~~d~~ **e**"),
    ],
)
def test_a_difference_reads_well(left: str, right: str, seen: str) -> None:
    """Words struck and bold, in their places."""
    assert seen in shown(left, right)


def test_a_few_words_between_changes_are_not_picked_out() -> None:
    """A reader sees a changed phrase, not every second word."""
    left = "When the last bee is in, most people go home to their fires."
    right = "When the last bee is in, some folk walk home by the river."
    assert shown(left, right) == (
        "When the last bee is in, ~~most people go home to their fires.~~"
        " **some folk walk home by the river.**"
    )


def test_what_did_not_change_is_left_out() -> None:
    """Of a long text only the neighbourhood of a change is shown."""
    lines = [f"Line {n} has its own words, such as word{n}." for n in range(9)]
    right = "\n\n".join(lines).replace("word4", "word44")
    seen = shown("\n\n".join(lines), right)
    assert seen.startswith("*… 3 unchanged lines …*\n\nLine 3")
    assert seen.endswith("word5.\n\n*… 3 unchanged lines …*")


def test_two_answers_are_two_texts() -> None:
    """What has little in common is not compared word by word."""
    found = compare_words(manuscripts.DRAFT, manuscripts.OTHER_DRAFT)
    assert not found.is_related
    assert "little in common" in summary(found)


@pytest.mark.parametrize("paragraph", [1, 12, 90, 5_000])
@pytest.mark.parametrize("edited", [0.02, 0.3, 1.0])
def test_long_texts_take_little_time(paragraph: int, edited: float) -> None:
    """Five thousand words, in lines of any length, changed a little or altogether."""
    chance = random.Random(5)  # noqa: S311 -- any words will do
    common = ["the", "a", "of", "and", "bee", *(f"word{n}" for n in range(600))]
    weights = [200, 150, 120, 120, 80, *([1] * 600)]
    left = chance.choices(common, weights, k=5_000)
    right = [
        chance.choices(common, weights)[0] if chance.random() < edited else word
        for word in left
    ]
    texts = [
        "\n".join(
            " ".join(words[n : n + paragraph]) for n in range(0, 5_000, paragraph)
        )
        for words in (left, right)
    ]
    began = time.process_time()
    compare_words(*texts)
    assert time.process_time() - began < 10
