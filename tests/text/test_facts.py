"""The facts of a text, and which of them its sources do not have."""

import pytest

from writeit.text.fact_sources import FactSources
from writeit.text.facts import find_facts

SAME = """
It has 1,200 rows. | It has 1200 rows. / 1.2k rows / 1\u2009200 rows / 1'200 rows
It has 1.2 million rows. | It has 1,200,000 rows. / 1.2m rows / 1.2M rows
It has ten percent. | 10 % / 10% / 10 per cent / a ten-percent part / 10\u202f%
It took 40 ms. | 40ms / forty milliseconds / 0.04 s / a 40-ms wait / **40** ms
It cost $50. | 50 $ / 50 dollars / USD 50 / fifty US dollars / US$50
It cost €5 million. | 5,000,000 € / five million euros / EUR 5m / €5M
It takes 10 to 20 ms. | 10\u201320 ms / 10 ms to 20 ms / between ten and 20 ms
It took two and a half hours. | 150 minutes / 2.5 h
It has 1,187 rows. | about 1,200 rows / nearly 1,190 / over 1,100 rows / 1,200 or so
We saw half of it. | 50 % of it
Nine out of ten came. | It is 90 %.
It was on 5 March 2024. | March 5, 2024 / 2024-03-05 / March 2024 / Tuesday / Q1 2024
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
It took 40 ms. | 40 s / 40 % / 41 ms / 40 rows
It has 1,187 rows. | 1,200 rows / about 1,300 rows / over 1,190 rows
It has three nodes. | It has four nodes.
It was on 5 March 2024. | 6 March 2024 / in April 2024 / in 2023 / on Friday
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
    assert find_facts(sentence)
    assert FactSources([notes]).missing(sentence) == ()


@pytest.mark.parametrize(("notes", "sentence"), rows(OTHER))
def test_another_fact_is_missing(notes: str, sentence: str) -> None:
    """One fact of the sentence is not in the notes; they have a passage like it."""
    (missing,) = FactSources([notes]).missing(sentence)
    assert missing.fact.text in sentence
