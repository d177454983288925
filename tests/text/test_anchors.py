"""The words that a remark quotes, found in a text and after edits of it."""

from collections import Counter
from dataclasses import dataclass
from random import Random

import pytest

from support.text_strategies import essay
from writeit.text import anchors, diff
from writeit.text.anchors import FoldedText, FollowedText, Span

TEXT = """\
# WebAssembly in the *browser*

It's “really” fast — about **40 ms** on a
cold start, and the [docs](http://x.y/z_(1)) say so. Art is a party.

- un**believ**able claims need proof, and they need it now.
- Again and again. Again and again.

> A quote with `code` inside, über alles; naïve résumé.

这是一个测试。我们喜欢中文。
"""


def found(quotation: str, text: str = TEXT) -> str | None:
    """The words of a text that a quotation was found to mean."""
    span = FoldedText(text).find(quotation)
    return None if span is None else text[span.start : span.end]


@pytest.mark.parametrize(
    ("quotation", "words"),
    [
        ("Art is a party.", "Art is a party."),
        ("art", "Art"),
        ("# WebAssembly", "# WebAssembly"),
        ("It's \"really\" fast", "It's “really” fast"),
        ("fast - about 40 ms on a", "fast — about **40 ms** on a"),
        ("the docs say so.", "the [docs](http://x.y/z_(1)) say so."),
        ("so fast, the docs", None),
        ("unbelievable claims", "un**believ**able claims"),
        ("uber ALLES; naive resume", "über alles; naïve résumé"),
        ("我们喜欢中文", "我们喜欢中文"),
        ("in the browser It's", "in the *browser*\n\nIt's"),
        ("40 ms** on a", "**40 ms** on a"),
        ("and the docs", "and the [docs](http://x.y/z_(1))"),
        ("fast ... on a cold start", "fast — about **40 ms** on a\ncold start"),
        ('"Art is a party."', "Art is a party."),
        ("…", None),
        ("", None),
    ],
)  # fmt: skip
def test_a_quotation_is_exact_after_folding(quotation: str, words: str | None) -> None:
    """Other marks, case and line breaks, and what "..." leaves out."""
    assert found(quotation) == words


def test_the_best_similar_words_are_meant() -> None:
    """From 0.8 on; a word that is misspelled counts by its letters."""
    assert found("unbeleivable claims need a proof") == (
        "un**believ**able claims need proof"
    )
    assert found("unbelievable stories rarely need any proof") is None
    twice = "One day we saw the old mill.\n\nOne day we saw the odd mill.\n"
    assert found("One day we saw the odd mil", twice) == "One day we saw the odd mill"


def test_of_two_equal_places_none_is_meant() -> None:
    """Exact ones, abridged ones and similar ones."""
    assert found("Again and again.") is None
    twice = "We saw the old mill by the river.\n\nWe saw the old mill by the river.\n"
    assert found("saw ... by the river", twice) is None
    assert found("We saw the olde mill by the river", twice) is None


def test_a_long_article_is_compared_at_a_few_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long it is: thirty bad quotations of 20,000 words, and of 2,000."""
    compared: list[int] = []
    match = diff.match_sequences

    def count(a: list[str], b: list[str]) -> list[tuple[int, int]]:
        compared.append(len(a) * len(b))
        return match(a, b)

    monkeypatch.setattr(anchors, "match_sequences", count)
    for size in (10_000, 110_000):
        compared.clear()
        random = Random(1)  # noqa: S311 -- the same edits each time
        text = FoldedText(_article(random, size))
        for _ in range(30):
            at = random.randrange(len(text.words) - 30)
            words = text.words[at : at + 20]
            words[5], words[12] = "xyz", f"{words[12]}x"
            assert text.find(" ".join(words)) is not None
        assert sum(compared) <= 30 * 2 * anchors.MAX_COMPARED * 20 * 26


# --- after edits ---


@dataclass
class Traced:
    """A text that knows of each letter where it stood first; -1: it was typed."""

    text: str
    origins: list[int]

    def replace(self, start: int, end: int, new: "Traced") -> None:
        """Replace what is between two offsets."""
        self.text = self.text[:start] + new.text + self.text[end:]
        self.origins[start:end] = new.origins

    def part(self, start: int, end: int) -> "Traced":
        """What is between two offsets."""
        return Traced(self.text[start:end], self.origins[start:end])

    def is_whole(self, span: Span) -> bool:
        """Whether all that stood between two offsets still stands together, once."""
        origins = [*range(*span)]
        if self.origins.count(span.start) != 1:
            return False
        at = self.origins.index(span.start)
        return self.origins[at : at + len(origins)] == origins

    def share(self, found: Span, first: Span) -> float:
        """The share of what was found that stood between two offsets."""
        origins = self.origins[found.start : found.end]
        return sum(first.start <= n < first.end for n in origins) / len(origins)


def typed(text: str) -> Traced:
    """What is new."""
    return Traced(text, [-1] * len(text))


def _article(random: Random, size: int) -> str:
    """An essay of some thousand words instead of a few."""
    parts = ["river", "stone", "old", "mill", "ber", "ton", "an", "is", "lin", "ka"]
    return "".join(
        f"{word}{random.choice(parts)}{random.choice(parts)}"
        if word[0].isalpha() and random.random() < 0.7
        else word
        for word in essay(random, size // 2).replace(" ", "\0 \0").split("\0")
    )


def _paragraph(random: Random, text: str) -> tuple[int, int]:
    starts = [0, *(n + 2 for n in range(len(text)) if text.startswith("\n\n", n))]
    start = random.choice(starts)
    end = text.find("\n\n", start)
    return start, len(text) if end < 0 else end + 2


def _edit(random: Random, text: Traced) -> None:
    """Make one change that a writer makes."""
    start, end = _paragraph(random, text.text)
    paragraph = text.part(start, end)
    at = random.randrange(start, max(start + 1, end - 2))
    other = _paragraph(random, text.text)[0]
    match random.randrange(30):
        case 0:  # cut and pasted elsewhere
            text.replace(start, end, typed(""))
            place = other if other <= start else other - len(paragraph.text)
            text.replace(place, place, paragraph)
        case 1:  # copied
            text.replace(other, other, paragraph)
        case 2:  # deleted
            text.replace(start, end, typed(""))
        case 3:  # wrapped in other lines
            spaces = [n for n in range(start, end) if text.text[n] == " "]
            for space in random.sample(spaces, min(3, len(spaces))):
                text.replace(space, space + 1, typed("\n"))
        case 4:  # words of another place copied into a sentence
            text.replace(at, at, text.part(other, other + random.randint(5, 60)))
        case 5:  # written anew
            new = _article(random, 200).replace("\n\n", " ")
            text.replace(start, end, typed(f"{new}\n\n"))
        case _:  # a few letters replaced
            stop = max(at, min(end - 2, at + random.randint(1, 12)))
            text.replace(at, stop, typed(random.choice(["", " new ", "e"])))


@pytest.mark.parametrize("seed", range(3))
def test_remarks_survive_200_edits(seed: int) -> None:
    """Each is at its words or listed as lost, never at others; -s shows the counts."""
    random = Random(seed)  # noqa: S311 -- the same edits each time
    first = _article(random, 12_000)
    before = FoldedText(first)
    spans: list[Span] = []
    while len(spans) < 40:
        at = random.randrange(len(before.words) - 20)
        last = before.spans[at + random.choice([0, 1, 3, 6, 12, 18])]
        if span := before.find(first[before.spans[at].start : last.end]):
            spans.append(span)
    text = Traced(first, [*range(len(first))])
    counts: Counter[str] = Counter()
    for number in range(200):
        _edit(random, text)
        if number % 10:
            continue
        followed = FollowedText(before, FoldedText(text.text))
        for span in spans:
            place = followed.find(span)
            if place is None:
                counts["lost, and whole" if text.is_whole(span) else "lost"] += 1
            else:
                counts["anchored"] += 1
                words = first[slice(*span)], text.text[slice(*place)]
                share = text.share(place, span)
                assert share > (0 if words[0] == words[1] else 0.5), words
    print(dict(counts))  # noqa: T201 -- the figures of the benchmark
    assert counts["anchored"] > counts["lost"] / 2
    assert counts["lost, and whole"] < counts["anchored"] / 10
