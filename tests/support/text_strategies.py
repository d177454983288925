"""Prose for property tests: words, paragraphs, and what writers do to them."""

from collections.abc import Iterable
from random import Random

from hypothesis import strategies as st

from writeit.text.diff import Edit

WORDS = (  # noqa: SIM905 -- words are read as words
    "river water stone bridge town old mill under over the a of and house quick fox"
    " lantern harbour keeper wrote letter winter salt road never small great it's"
    " Größe naïve cafe\u0301 日本語 👩\u200d🚀 👍🏽 🇩🇪 — “well” e\u0301te\u0301 हिन्दी"
).split()
ENDS = ("\n", "\r\n", "\n\n", "\r\n\r\n", "\r")

words = st.sampled_from(WORDS)
sentences = st.lists(words, min_size=1, max_size=12).map(lambda w: " ".join(w) + ".")
paragraphs = st.lists(sentences, min_size=1, max_size=4).map(" ".join)

anything = st.text(alphabet=st.sampled_from("ab \n\r.é\u0301👩\u200d\u2028\x0c"))
"""Lone CRs, other line separators, combining marks: what texts seldom have."""


@st.composite
def texts(draw: st.DrawFn, most: int = 6) -> str:
    """A text of some paragraphs, one kind of line end, perhaps none at the end."""
    end = draw(st.sampled_from(ENDS))
    text = end.join(draw(st.lists(paragraphs, max_size=most)))
    return text + draw(st.sampled_from(("", end)))


@st.composite
def edited(draw: st.DrawFn, text: str, most: int = 4) -> str:
    """`text` after a few strokes: words typed, stretches deleted or replaced."""
    for _ in range(draw(st.integers(0, most))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from((0, 0, 0, 1, 5, 40))))
        typed = draw(st.sampled_from(("", " ", "\n", "\n\n", "\r\n", "x"))) + draw(
            st.one_of(st.just(""), words, sentences)
        )
        text = text[:start] + typed + text[end:]
    return text


@st.composite
def merge_inputs(draw: st.DrawFn) -> tuple[str, str, str]:
    """A base and what two people made of it; now and then something else entirely."""
    base = draw(texts())
    ours = draw(edited(base))
    theirs = draw(st.one_of(edited(base, 8), edited(base, 8), texts()))
    return base, ours, theirs


def essay(random: Random, size: int) -> str:
    """A text of about `size` characters in paragraphs."""
    found: list[str] = []
    while sum(map(len, found)) < size:
        count = random.randint(30, 90)
        found.append(" ".join(random.choice(WORDS) for _ in range(count)) + ".")
    return "\n\n".join(found) + "\n"


def apply_edits(text: str, edits: Iterable[Edit]) -> str:
    """Return `text` after `edits`, whose offsets all count in `text` as it is."""
    parts, offset = [], 0
    for edit in edits:
        parts += [text[offset : edit.start], edit.new]
        offset = edit.end
    return "".join([*parts, text[offset:]])
