"""Lines and tokens of a text, and characters that arrive in halves."""

from hypothesis import given
from hypothesis import strategies as st

from support.text_strategies import anything, texts
from writeit.text.lines import SurrogateJoiner, split_lines, split_tokens


@given(st.one_of(texts(), anything))
def test_joined_lines_and_tokens_are_the_text(text: str) -> None:
    """They leave nothing out and split no CRLF."""
    assert "".join(split_lines(text)) == text
    assert "".join(split_tokens(text)) == text
    assert not any(t.startswith("\n") for t in split_tokens(text.replace("\n", "\r\n")))


def test_a_token_never_splits_what_a_reader_sees_as_one_character() -> None:
    """Combining marks, joined emoji, skin tones and flags."""
    text = "cafe\u0301 👩\u200d👩\u200d👧 👍🏽 🇩🇪🇫🇷 हिन्दी"
    tokens = split_tokens(text)
    assert "".join(tokens) == text
    for whole in ("👩\u200d👩\u200d👧", "👍🏽", "🇩🇪", "🇫🇷", "हि"):
        assert whole in tokens
    assert not any(token.startswith("\u0301") for token in tokens)


@given(st.text(), st.lists(st.integers(0, 200)))
def test_halves_of_characters_in_two_pieces_are_joined(
    text: str, cuts: list[int]
) -> None:
    """Wherever the stream of UTF-16 code units is cut."""
    encoded = text.encode("utf-16-le")
    places = sorted({2 * cut for cut in cuts if 2 * cut < len(encoded)})
    joiner, joined = SurrogateJoiner(), ""
    for start, end in zip([0, *places], [*places, len(encoded)], strict=True):
        joined += joiner.feed(encoded[start:end].decode("utf-16-le", "surrogatepass"))
    assert joined + joiner.finish() == text


def test_a_lone_half_becomes_a_replacement_character() -> None:
    """In the middle of a stream and at its end."""
    joiner = SurrogateJoiner()
    assert joiner.feed("a\udd8a") + joiner.feed("b\ud83e") == "a\ufffdb"
    assert joiner.finish() == "\ufffd"
