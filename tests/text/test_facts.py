"""The facts of a text, and which of them its sources do not have."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support import text_strategies
from support.acts import counting_calls
from writeit.text.fact_sources import FactSources
from writeit.text.facts import FactText

SAME = """
It has 1,200 rows. | It has 1200 rows. / 1.2k rows / 1\u2009200 rows / 1'200 rows
It has 1.2 million rows. | It has 1,200,000 rows. / 1.2m rows / 1.2M rows
It has ten percent. | 10 % / 10% / 10 per cent / a ten-percent part / 10\u202f%
It took 40 ms. | 40ms / forty milliseconds / 0.04 s / a 40-ms wait / **40** ms
It cost $50. | 50 $ / 50 dollars / USD 50 / fifty US dollars / US$50
It took $40$ ms, $n = 7$. | 40 ms / 7 / $40$ ms / 7 for $9x^2$, \\(12y\\), $$n_8$$
It cost €5 million. | 5,000,000 € / five million euros / EUR 5m / €5M
It takes 10 to 20 ms. | 10\u201320 ms / 10 ms to 20 ms / between ten and 20 ms
It held 32 cm, or 38 cm. | It is 6 cm further. / It rose by 6 cm. / It is 6 cm more.
It was 215,000, then 190,000. | It is 25,000 visitors more. / It fell by 25,000.
It needs 640 MB, not 1.8 GB. | It is 640 MB and it was 1,800.
It took two and a half hours. | 150 minutes / 2.5 h
It has 1,187 rows. | about 1,200 rows / nearly 1,190 / over 1,100 rows / 1,200 or so
The time (in ms) was 1,187. | about 1,200 ms / over 1,100 ms
We saw half of it. | 50 % of it
The p95 340 ms is the mean of it. | It is 340 ms. / It is 0.34 s.
Nine out of ten came. | It is 90 %.
It was on 5 March 2024. | March 5, 2024 / 2024-03-05 / March 2024 / Tuesday / Q1 2024
It was built in 1911. | It is 20th-century work.
It was on 5 March, in 2024. | 5 March 2024 / the 5th of March / in the 2020s
It was at 14:30. | at 2:30 pm / at 2:30 / um 14.30 Uhr
She said: "We lost no page." | \u201cWe lost no page\u201d / \u2018we lost no page\u2019
She said we lost no page at all. | "we lost [\u2026] page at all" / "[W]e lost no page"
See <https://www.Example.org/a/#b>. | [it](http://example.org/a) / https://example.org/a/.
Use `PRAGMA x = 1` or fsync. | `PRAGMA x=1` / `x = 1` / `fsync()`
We met Ada Lovelace, PostgreSQL. | The Lovelace, Ada. / Is it Ada's? / It is PostgreSQL
The write-ahead log is fast. | Here the WAL is fast. / Here the Write-Ahead Log is fast.
Der Test ist mit 1.187 Zeilen. | das sind und 1187 Zeilen / die rund 1.200 Zeilen
Es ist und kostet 1,5 Mio. Euro. | das sind 1.500.000 € / 1,5 Millionen Euro
Das ist und sind zweiundzwanzig Prozent. | die 22 % / die 22-prozentige
Das war und ist am 5. März 2024. | es ist am 05.03.2024 / es ist im März 2024
"""
OTHER = """
It has 1,200 rows. | It has 1,300 rows. / It has 1.2 rows / 12k rows
It took 40 ms. | 40 s / 40 % / 41 ms / 40 rows / $41$ ms / for $8 to $x
It has 1,187 rows. | 1,200 rows / about 1,300 rows / over 1,190 rows
It is between 12 and 19 kg, and has version 2.4.1. | It is 12 m. / It has version 2.4.2.
It has three nodes. | It has four nodes.
It was on 5 March 2024. | 6 March 2024 / in April 2024 / in 2023 / on Friday
It held 32 cm, or 38 cm. | It is 5 cm further. / It is 6 cm. / It is 6 m further.
It needs 640 MB, not 1.8 GB. | It is 640 MB and it was 1,700. / It is 640 MB. And 1,800.
It was at 14:30. | It was at 2:30 am.
She said: "We lost no page." | "We lost one page"
See https://example.org/a. | https://example.org/b / https://example.com/a
Use `fsync`. | `sync`
We met Ada Lovelace. | The pioneer was Ada Byron.
Das ist und sind 1,2 Prozent. | die 1.200 Prozent / die 12 %
Das war und ist am 5. März 2024. | es ist am 06.03.2024
"""


def rows(table: str) -> list[tuple[str, str]]:
    """Return the notes of each line with each text about them."""
    lines = [line.split(" | ") for line in table.split("\n")[1:-1]]
    return [(notes, text) for notes, texts in lines for text in texts.split(" / ")]


@pytest.mark.parametrize(("notes", "sentence"), rows(SAME))
def test_a_fact_is_found_however_it_is_written(notes: str, sentence: str) -> None:
    """There are facts in the sentence, and each stands in the notes."""
    assert FactText(sentence).facts
    assert FactSources([notes]).missing(sentence) == ()


@pytest.mark.parametrize(("notes", "sentence"), rows(OTHER))
def test_another_fact_is_missing(notes: str, sentence: str) -> None:
    """One fact of the sentence is not in the notes; they have a passage like it."""
    (missing,) = FactSources([notes]).missing(sentence)
    assert missing.fact.text in sentence


# --- any text -------------------------------------------------------------------------

PIECES = (
    *("1,200", "1.2k", "40 ms", "10 %", "$5m", "half a million", "zweiundzwanzig"),
    *(
        "5 March 2024",
        "5.3.2024",
        "14:30",
        '"we lost it all"',
        "\u201cwe lost it\u201d",
    ),
    *("`x = 1`", "``", "[a](http://b.c/d)", "https://b.c", "> ", "- ", "| a | 1 |"),
    *("Ada Lovelace", "WAL", "about", "rund", "---\nlang: de\n---\n", "```", "\n\n"),
    *(
        "'",
        "\u2019",
        "_",
        "*",
        "[",
        "]",
        "(",
        "<",
        "&nbsp;",
        "\u00a0",
        "\u0130",
        "\r\n",
    ),
)
pieces = st.sampled_from(PIECES) | st.text(max_size=5)
any_text = st.lists(pieces, max_size=20).map(" ".join) | text_strategies.texts()


@settings(deadline=None)
@given(any_text)
def test_facts_are_where_they_say(text: str) -> None:
    """The offsets hold for any text, and the facts are in order."""
    facts = FactText(text).facts
    assert [text[fact.start : fact.end] for fact in facts] == [f.text for f in facts]
    assert [fact.start for fact in facts] == sorted(fact.start for fact in facts)


@settings(deadline=None)
@given(any_text, any_text)
def test_a_text_has_its_own_facts(text: str, other: str) -> None:
    """Nothing is missing in what a text is compared with itself, beside other notes."""
    sources = FactSources([other, text])
    assert sources.missing(text) == ()
    for _, is_found, place in sources.check(text, None):
        assert is_found
        assert place is not None
        assert 0 <= place.start < place.end <= len((other, text)[place.source])


@settings(deadline=None)
@given(any_text, any_text)
def test_missing_facts_are_counted_and_placed(notes: str, text: str) -> None:
    """The count is that of the list; the nearest passage is in the notes."""
    sources = FactSources([notes])
    missing = sources.missing(text)
    assert sources.count_missing(text) == len(missing)
    assert {missed.fact for missed in missing} <= {*FactText(text).facts}
    for place in (missed.place for missed in missing):
        assert place is None or notes[place.start : place.end].strip()


SENTENCES = tuple(dict(rows(SAME) + rows(OTHER)))


@settings(deadline=None)
@given(st.sampled_from(SENTENCES), st.sampled_from(SENTENCES))
def test_the_way_of_writing_changes_nothing(notes: str, text: str) -> None:
    """Curly quotation marks, spaces, line breaks and blocks are no facts."""
    missing = FactSources([notes]).count_missing(text)
    curly = re.sub(r'"(.*?)"', "\u201c\\1\u201d", text)
    for variant in (curly, text.replace(" ", "  "), f"\n\n{text}\n", f"- {text}"):
        assert FactSources([notes]).count_missing(variant) == missing
    for space in ("\n", "\u00a0"):
        sources = FactSources([notes.replace(" ", space)])
        assert sources.count_missing(text) == missing


# --- how much work it is --------------------------------------------------------------

STRANGE = (
    "1",
    '"',
    '"a ',
    " '",
    "\u201c",
    "[",
    "](",
    "`` ",
    "_",
    "<a",
    "a.",
    "und",
    "[^",
)


@pytest.mark.parametrize("piece", STRANGE)
def test_a_strange_text_is_searched_in_one_go(piece: str) -> None:
    """No search goes back again and again: 300 KB of anything come to an end."""
    text = piece * (300_000 // len(piece))
    facts = FactText(text).facts
    assert all(text[fact.start : fact.end] == fact.text for fact in facts)


def test_strange_sources_are_read_in_one_go() -> None:
    """The same holds for notes of digits, of quotation marks, and of brackets."""
    for piece in ("1", '"', "[", "a."):
        assert FactSources([piece * 30_000]).count_missing("It is `x`.") == 1


def test_the_work_grows_with_the_article() -> None:
    """20,000 words cost twice the calls of 10,000; the notes were read before."""
    article = "\n\n".join(SENTENCES)
    sources = FactSources([article[: len(article) // 2]])
    times = 10_000 // len(article.split())
    counts = []
    for count in (times, times * 2):
        with counting_calls() as calls:
            sources.missing("\n\n".join([article] * count))
        counts.append(len(calls))
    half, full = counts
    assert full < half * 2.1
    assert full < 20_000 * 200
