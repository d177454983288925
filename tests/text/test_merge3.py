"""Three-way merge: laws that hold for every text, and named cases."""

from collections import Counter
from difflib import SequenceMatcher
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from support.text_strategies import (
    WORDS,
    anything,
    edited,
    essay,
    merge_inputs,
    paragraphs,
    texts,
)
from writeit.text import diff
from writeit.text.lines import split_tokens
from writeit.text.merge3 import MergeConflict, merge

Triple = tuple[str, str, str]


def words_and_signs(text: str) -> Counter[str]:
    """Return the words and signs of a text, counted."""
    return Counter(token for token in split_tokens(text) if not token.isspace())


@given(texts(), st.data())
def test_one_side_alone_wins(base: str, data: st.DataObject) -> None:
    """merge(b, b, t) is t, merge(b, o, b) is o, merge(b, x, x) is x; no conflicts."""
    other = data.draw(edited(base, 8))
    for merged in (
        merge(base, base, other),
        merge(base, other, base),
        merge(base, other, other),
    ):
        assert merged.text == other
        assert not merged.conflicts


@given(merge_inputs())
def test_merging_again_changes_nothing(triple: Triple) -> None:
    """An edit that was made merges to the same text, whatever the client reported."""
    base, ours, theirs = triple
    merged = merge(base, ours, theirs)
    assert merge(base, merged.text, theirs).text == merged.text


@given(anything, anything, anything)
def test_the_laws_hold_for_unusual_characters(
    base: str, ours: str, theirs: str
) -> None:
    """Lone CRs, form feeds, separators, combining marks without a letter."""
    merged = merge(base, ours, theirs)
    assert merge(base, merged.text, theirs).text == merged.text
    assert merge(base, base, theirs).text == theirs
    assert merge(base, ours, base).text == ours


@given(merge_inputs())
def test_every_word_the_user_typed_is_in_the_result(triple: Triple) -> None:
    """Not only in a conflict."""
    base, ours, theirs = triple
    typed = words_and_signs(ours) - words_and_signs(base)
    assert not typed - words_and_signs(merge(base, ours, theirs).text)


@given(merge_inputs())
def test_every_word_of_the_other_side_is_in_the_result_or_a_conflict(
    triple: Triple,
) -> None:
    """No word of the answer is lost without a report."""
    base, ours, theirs = triple
    brought = words_and_signs(theirs) - words_and_signs(base)
    merged = merge(base, ours, theirs)
    reported = words_and_signs(" ".join(c.theirs for c in merged.conflicts))
    assert not brought - words_and_signs(merged.text) - reported


@given(merge_inputs())
def test_ours_of_a_conflict_is_part_of_the_result(triple: Triple) -> None:
    """In order."""
    base, ours, theirs = triple
    merged = merge(base, ours, theirs)
    offset = 0
    for conflict in merged.conflicts:
        offset = merged.text.index(conflict.ours, offset) + len(conflict.ours)


@given(st.lists(paragraphs, min_size=2, max_size=6), st.data())
def test_edits_of_different_paragraphs_both_survive(
    texts: list[str], data: st.DataObject
) -> None:
    """Each side's new words are in their own paragraph, and nothing else changed."""
    numbered = [f"Number {n} begins: {text}" for n, text in enumerate(texts)]
    first, second = data.draw(st.permutations(range(len(texts))))[:2]
    mine, yours = list(numbered), list(numbered)
    mine[first] += " Mine."
    yours[second] = yours[second].replace("begins", "starts") + " Yours."
    both = list(yours)
    both[first] = mine[first]
    # Paragraphs of the same words could be matched with each other.
    assume(len({frozenset(Counter(split_tokens(t))) for t in texts}) == len(texts))
    base, ours, theirs = ("\n\n".join(side) for side in (numbered, mine, yours))
    merged = merge(base, ours, theirs)
    assert merged.text == "\n\n".join(both)
    assert not merged.conflicts


OLD = "The baker was an old man, maker of roofs, and he lived by the river alone."


@pytest.mark.parametrize(
    ("ours", "theirs", "result"),
    [
        (
            OLD.replace("old", "older"),
            OLD.replace(", maker", " and a maker").replace("roofs, and", "roofs;"),
            OLD.replace(
                "an old man, maker of roofs, and", "an older man and a maker of roofs;"
            ),
        ),
        ("Yes! " + OLD, OLD + " No.", "Yes! " + OLD + " No."),
        (
            OLD + "\n\nMore.\n",
            OLD.replace("old", "aged"),
            OLD.replace("old", "aged") + "\n\nMore.\n",
        ),
    ],
)
def test_words_are_merged_within_a_paragraph(
    ours: str, theirs: str, result: str
) -> None:
    """The user changed a word, the answer edited the same paragraph."""
    merged = merge(OLD, ours, theirs)
    assert merged.text == result
    assert not merged.conflicts


def test_a_rewritten_paragraph_is_a_conflict() -> None:
    """Less than half of its words are left: the user's paragraph is kept whole."""
    ours = OLD.replace("old", "very old")
    theirs = "Nobody knew who lived in the ruin, a house of slates and of long shadows."
    rest = "\n\nThe second paragraph stays.\n"
    merged = merge(OLD + rest, ours + rest, theirs + rest)
    assert merged.text == ours + rest
    (conflict,) = merged.conflicts
    assert ours in conflict.ours
    assert theirs in conflict.theirs


def test_words_that_both_sides_changed_are_kept_as_the_user_has_them() -> None:
    """Other paragraphs get the changes of the answer."""
    rest = "\n\nAnd then the winter came.\n"
    ours = OLD.replace("old", "young") + rest
    theirs = OLD.replace("old", "grey") + rest.replace("winter", "spring")
    merged = merge(OLD + rest, ours, theirs)
    kept, lost = (OLD.replace("old", word) + "\n" for word in ("young", "grey"))
    assert merged.text == kept + rest[1:].replace("winter", "spring")
    assert merged.conflicts == (MergeConflict(OLD + "\n", kept, lost),)


def test_half_of_a_divided_paragraph_is_not_inserted_next_to_a_conflict() -> None:
    """The answer divides a paragraph, and the user typed in the second half."""
    first = "The river rises in the hills and it is cold there all the year round."
    second = "Further down the mills stand, and their wheels turn day and night."
    base = f"{first} {second}\n"
    ours = f"{first} {second.replace('mills', 'old mills')}\n"
    theirs = f"{first}\n\n{second.replace('Further down', 'Below')}\n"
    merged = merge(base, ours, theirs)
    assert merged.text == ours
    assert len(merged.conflicts) == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_and_the_end_of_the_file_stay(end: str) -> None:
    """CRLF stays CRLF, and a missing end of the last line is preserved."""
    base = f"One line.{end}Two lines.{end}Three"
    merged = merge(base, base.replace("One", "1"), base.replace("Two", "2"))
    assert merged.text == f"1 line.{end}2 lines.{end}Three"


@pytest.mark.parametrize("kind", ["few", "many", "rewritten", "one line", "all equal"])
def test_the_work_on_a_long_text_is_bounded(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """25 kB take at most 100 comparisons per character."""
    work = 0

    class Counting(SequenceMatcher[str]):
        """Counts the turns of difflib's innermost loop."""

        def find_longest_match(self, *args: Any, **kwargs: Any) -> Any:
            """Count and find."""
            nonlocal work
            matcher: Any = self  # its indices are not in the type stubs
            inner = (
                len(matcher.b2j.get(matcher.a[i], ())) for i in range(args[0], args[1])
            )
            work += sum(inner)
            return super().find_longest_match(*args, **kwargs)

    monkeypatch.setattr(diff, "SequenceMatcher", Counting)
    random = Random(7)  # noqa: S311 -- a text
    base = essay(random, 25_000)
    if kind == "one line":
        base = base.replace("\n", " ")
    if kind == "all equal":
        base = "the same\n" * 2_800
    ours = _scattered(random, base, 5)
    theirs = (
        essay(random, 25_000) if kind == "rewritten" else _scattered(random, base, 300)
    )
    if kind == "few":
        theirs = _scattered(random, base, 3)
    merge(base, ours, theirs)
    assert work < 100 * len(base)


def _scattered(random: Random, text: str, count: int) -> str:
    for _ in range(count):
        start = random.randrange(len(text))
        text = text[:start] + random.choice(WORDS) + text[start + 3 :]
    return text
