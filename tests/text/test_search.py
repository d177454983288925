"""Words, queries and excerpts of a search."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import text_strategies
from writeit.text.search import (
    EXCERPT_LENGTH,
    find_match,
    fold,
    joined_words,
    parse_query,
    split_words,
)

TEXT = (
    "First line.\n\nThe “quick” Brown fox\u2019s café in Łódź; don't STOP_here.\n"
    "人工智能AI技术很好。 Straße, ΣΊΣΥΦΟΣ, ёлка, हिन्दी, ﬁne."
)


FOUND = (
    "fox|FOX|caf*|CAFÉ|lodz|don't|don\u2019t|quick fox|here|“quick brown”|stop-here|l*"
    '|"quick brown"|"quick bro"*|"first line|strasse|σίσυφος|елка|fine|हिन्दी'
    "|智|智能|人工智|ai技术|AI技术很|fox* 好"
)


@pytest.mark.parametrize("query", FOUND.split("|"))
def test_a_query_finds_what_is_written_alike(query: str) -> None:
    """Case and accents do not count; parts of a word stand in a row."""
    assert find_match(TEXT, parse_query(query))


@pytest.mark.parametrize(
    "query",
    ["ox", "fo", '"brown quick"', "智人", "技术AI", "fox wolf", "*fox*x", "能人", ""],
)
def test_a_query_does_not_find_what_is_not_there(query: str) -> None:
    """A word is found as a whole, every word must be there, and nothing finds none."""
    assert find_match(TEXT, parse_query(query)) is None


def test_the_line_has_most_of_the_words() -> None:
    """It is the one to open; the excerpt is around the words."""
    text = "one\n" + "word " * 40 + "two one " + "word " * 40 + "\ntwo"
    match = find_match(text, parse_query("one two"))
    assert match is not None
    assert match.line == 1
    assert "two one" in match.excerpt
    assert match.excerpt.startswith("…word ")
    assert match.excerpt.endswith(" word…")
    assert len(match.excerpt) <= EXCERPT_LENGTH + 2


@given(text_strategies.texts() | st.text())
def test_a_text_is_found_by_each_of_its_words(text: str) -> None:
    """The line of the match has the word, and the excerpt is a part of that line."""
    for word in text.split()[:10]:
        terms = parse_query(f'"{word.replace(chr(34), " ")}"')
        if not terms:
            continue
        match = find_match(text, terms)
        assert match is not None
        assert match.line_text == text.split("\n")[match.line].rstrip("\r")
        plain = " ".join(match.line_text.split())
        assert match.excerpt.strip("…").strip() in plain


@given(text_strategies.texts() | st.text())
def test_words_are_split_in_one_way(text: str) -> None:
    """The fast way gives the words of the other; folding keeps lines."""
    folded = fold(text)
    words = "".join(f"{word} " for word, _ in split_words(folded))
    assert joined_words(text) == words
    assert folded.count("\n") == text.count("\n")
    assert not set('"*\n\0') & set(words)
