"""Three texts into one: laws that hold for every text, and cases worth naming."""

from __future__ import annotations

from collections import Counter
from difflib import SequenceMatcher
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from support.text_strategies import (
    WORDS,
    edited,
    essay,
    merge_inputs,
    paragraphs,
    texts,
)
from writeit.text import diff
from writeit.text.diff import split_tokens
from writeit.text.merge3 import MergeConflict, merge

Triple = tuple[str, str, str]
anything = st.text(alphabet=st.sampled_from("ab \n\r.é\u0301👩\u200d\u2028\x0c"))


def words(text: str) -> Counter[str]:
    """The words and signs of a text, counted."""
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
    """An edit that landed merges to "nothing to do", whatever the client said."""
    base, ours, theirs = triple
    merged = merge(base, ours, theirs)
    assert merge(base, merged.text, theirs).text == merged.text


@given(anything, anything, anything)
def test_no_text_is_too_odd(base: str, ours: str, theirs: str) -> None:
    """Lone CRs, form feeds, separators, marks without a letter: laws hold for all."""
    merged = merge(base, ours, theirs)
    assert merge(base, merged.text, theirs).text == merged.text
    assert merge(base, base, theirs).text == theirs
    assert merge(base, ours, base).text == ours


@given(merge_inputs())
def test_every_word_the_writer_typed_is_there(triple: Triple) -> None:
    """The writer's words are in the result, not only in a report."""
    base, ours, theirs = triple
    typed = words(ours) - words(base)
    assert not typed - words(merge(base, ours, theirs).text)


@given(merge_inputs())
def test_what_the_other_side_brought_is_there_or_in_a_conflict(triple: Triple) -> None:
    """No word of the answer is lost without a word about it."""
    base, ours, theirs = triple
    brought = words(theirs) - words(base)
    merged = merge(base, ours, theirs)
    reported = words(" ".join(c.theirs for c in merged.conflicts))
    assert not brought - words(merged.text) - reported


@given(merge_inputs())
def test_a_conflict_says_what_stands_in_the_result(triple: Triple) -> None:
    """`ours` of each conflict is a stretch of the result, in order."""
    base, ours, theirs = triple
    merged = merge(base, ours, theirs)
    here = 0
    for conflict in merged.conflicts:
        here = merged.text.index(conflict.ours, here) + len(conflict.ours)


@given(st.lists(paragraphs, min_size=2, max_size=6), st.data())
def test_edits_of_different_paragraphs_both_survive(
    texts: list[str], data: st.DataObject
) -> None:
    """Each side's new words stand in their own paragraphs, all else as it was."""
    numbered = [f"Number {n} begins: {text}" for n, text in enumerate(texts)]
    here, there = data.draw(st.permutations(range(len(texts))))[:2]
    mine, yours = list(numbered), list(numbered)
    mine[here] += " Mine."
    yours[there] = yours[there].replace("begins", "starts") + " Yours."
    both = list(yours)
    both[here] = mine[here]
    # Paragraphs of the same few words could stand for each other.
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
    """A writer's word and an editor's pass on the same paragraph go together."""
    merged = merge(OLD, ours, theirs)
    assert merged.text == result
    assert not merged.conflicts


def test_a_paragraph_written_anew_is_no_mixture() -> None:
    """Less than half in common: the writer's paragraph stays whole and is reported."""
    ours = OLD.replace("old", "very old")
    theirs = "Nobody knew who lived in the ruin, a house of slates and of long shadows."
    rest = "\n\nThe second paragraph stays.\n"
    merged = merge(OLD + rest, ours + rest, theirs + rest)
    assert merged.text == ours + rest
    (conflict,) = merged.conflicts
    assert ours in conflict.ours
    assert theirs in conflict.theirs


def test_the_same_words_changed_by_both_stay_the_writers() -> None:
    """The paragraph stays hers; other paragraphs take what the answer did."""
    rest = "\n\nAnd then the winter came.\n"
    ours = OLD.replace("old", "young") + rest
    theirs = OLD.replace("old", "grey") + rest.replace("winter", "spring")
    merged = merge(OLD + rest, ours, theirs)
    hers, its = (OLD.replace("old", word) + "\n" for word in ("young", "grey"))
    assert merged.text == hers + rest[1:].replace("winter", "spring")
    assert merged.conflicts == (MergeConflict(OLD + "\n", hers, its),)


def test_half_a_paragraph_is_not_left_beside_the_writers() -> None:
    """An answer that cuts a paragraph in two, where she typed in the second half."""
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
    """CRLF stays CRLF; a last line without an end stays without."""
    base = f"One line.{end}Two lines.{end}Three"
    merged = merge(base, base.replace("One", "1"), base.replace("Two", "2"))
    assert merged.text == f"1 line.{end}2 lines.{end}Three"


def test_what_is_one_character_to_a_reader_stays_whole() -> None:
    """Marks, joined emoji, skin tones and flags are never taken apart."""
    text = "cafe\u0301 👩\u200d👩\u200d👧 👍🏽 🇩🇪🇫🇷 हिन्दी"
    found = split_tokens(text)
    assert "".join(found) == text
    for whole in ("👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "🇫🇷", "हि"):
        assert whole in found
    assert not any(token.startswith("\u0301") for token in found)


@given(st.one_of(texts(), anything))
def test_the_pieces_of_a_text_are_the_text(text: str) -> None:
    """Lines and tokens leave nothing out and cut no CRLF."""
    assert "".join(diff.split_lines(text)) == text
    assert "".join(split_tokens(text)) == text
    assert not any(t.startswith("\n") for t in split_tokens(text.replace("\n", "\r\n")))


@pytest.mark.parametrize("kind", ["few", "polished", "anew", "one line", "all alike"])
def test_the_work_on_a_long_text_is_bounded(
    monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """25 kB cost at most some hundred comparisons a character, however odd the text."""
    work = 0

    class Counting(SequenceMatcher[str]):
        """Counts what difflib's innermost loop does."""

        def find_longest_match(self, *args: Any, **kwargs: Any) -> Any:
            """Find it, and count."""
            nonlocal work
            me: Any = self  # its indices are not in the type stubs
            inner = (len(me.b2j.get(me.a[i], ())) for i in range(args[0], args[1]))
            work += sum(inner)
            return super().find_longest_match(*args, **kwargs)

    monkeypatch.setattr(diff, "SequenceMatcher", Counting)
    random = Random(7)  # noqa: S311 -- a text
    base = essay(random, 25_000)
    if kind == "one line":
        base = base.replace("\n", " ")
    if kind == "all alike":
        base = "the same\n" * 2_800
    ours = _scattered(random, base, 5)
    theirs = essay(random, 25_000) if kind == "anew" else _scattered(random, base, 300)
    if kind == "few":
        theirs = _scattered(random, base, 3)
    merge(base, ours, theirs)
    assert work < 100 * len(base)


def _scattered(random: Random, text: str, count: int) -> str:
    for _ in range(count):
        at = random.randrange(len(text))
        text = text[:at] + random.choice(WORDS) + text[at + 3 :]
    return text
