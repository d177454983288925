"""The outline: keys and words found with their places, however half the text is."""

# ruff: noqa: D103 -- the name of a test is its promise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from writeit.library.yaml_cursor import (
    MAX_BRACE_DEPTH,
    CursorContext,
    cursor_context,
    find_word,
    parse_words,
)

WHOLE = """\
---
title: "A: b"  # mine
writeit:
  pipeline: tech-article
  "primer": 'academic'
  models:
    draft: [openai/gpt-4o, ollama/llama3.2:latest]
    polish:
    - a/b
    - c/d
  inputs: {target_audience: web developers, length: short
  note: |
    pipeline: not this one
  providers: [embedded,
      ollama]
---
"""
OURS = ("writeit",)


def spot(marked: str) -> CursorContext | None:
    """What is typed in a block, where the bar is."""
    text = f"---\nwriteit:\n{marked}\n---\n"
    return cursor_context(text.replace("|", ""), text.index("|"))


def test_every_key_has_its_place() -> None:
    keys = [(*w.path, w.text) for w in parse_words(WHOLE) if w.kind == "key"]
    assert keys == [
        ("title",),
        ("writeit",),
        (*OURS, "pipeline"),
        (*OURS, "primer"),
        (*OURS, "models"),
        (*OURS, "models", "draft"),
        (*OURS, "models", "polish"),
        (*OURS, "inputs"),
        (*OURS, "inputs", "target_audience"),
        (*OURS, "inputs", "length"),
        (*OURS, "note"),
        (*OURS, "providers"),
    ]


def test_every_value_stands_under_its_keys() -> None:
    values = [(w.path[-1], w.text) for w in parse_words(WHOLE) if w.kind == "value"]
    assert values == [
        ("title", "A: b"),
        ("pipeline", "tech-article"),
        ("primer", "academic"),
        ("draft", "openai/gpt-4o"),
        ("draft", "ollama/llama3.2:latest"),
        ("polish", "a/b"),
        ("polish", "c/d"),
        ("target_audience", "web developers"),
        ("length", "short"),
        ("providers", "embedded"),
        ("providers", "ollama"),
    ]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_places_are_those_of_the_text(end: str) -> None:
    text = WHOLE.replace("\n", end)
    found = parse_words(text)
    assert len(found) == len(parse_words(WHOLE))
    assert all(text[w.start : w.end] == w.text for w in found)


@pytest.mark.parametrize(
    ("marked", "path", "word"),
    [
        ("  |", (), ""),
        ("  pi|", (), "pi"),
        ("  pi|peline: x", (), "pipeline"),
        ("  pipeline: |", ("pipeline",), ""),
        ("  pipeline:\n    tech|", ("pipeline",), "tech"),
        ("  pipeline: 'tech|", ("pipeline",), "tech"),
        ("  models:\n    dr|", ("models",), "dr"),
        ("  models:\n    draft:\n      - |", ("models", "draft"), ""),
        ("  models:\n    draft:\n    - a/|\n    - c/d", ("models", "draft"), "a/"),
        ("  models: {draft: [a/b, |", ("models", "draft"), ""),
        ("  inputs: {|}", ("inputs",), ""),
        ("  inputs: {a: b, c|", ("inputs",), "c"),
        ("  inputs: {a: [b\n  primer: |", ("primer",), ""),
        ("  providers: [|", ("providers",), ""),
    ],
)
def test_half_a_line_has_its_place(
    marked: str, path: tuple[str, ...], word: str
) -> None:
    found = spot(marked)
    assert found is not None
    assert (found.word.path, found.word.text) == ((*OURS, *path), word)


def test_at_the_edge_the_block_has_ended() -> None:
    found = spot("  pipeline: a\n|")
    assert found is not None
    assert found.word.path == ()


@pytest.mark.parametrize("marked", ["  # pipe|", "  note: >\n    pipe|", "  a: b  #|"])
def test_nothing_is_typed_in_a_comment_or_a_long_text(marked: str) -> None:
    assert spot(marked) is None


def test_what_else_is_there_is_known() -> None:
    found = spot("  pipeline: a\n  inputs:\n    b: c\n    |\n  primer: [")
    assert found is not None
    assert found.value_at((*OURS, "pipeline")) == "a"
    assert found.keys_under((*OURS, "inputs")) == {"b"}
    assert found.keys_under(OURS) == {"pipeline", "inputs", "primer"}


def test_a_word_is_found_up_to_its_end() -> None:
    at = WHOLE.index("tech-article")
    for offset in (at, at + 5, at + len("tech-article")):
        found = find_word(WHOLE, offset)
        assert found is not None
        assert found[0].text == "tech-article"
    assert find_word(WHOLE, at - 1) is None


PIECES = st.sampled_from(
    [*"{}[],:#'\"-|>&*!?", "\n", "\r\n", "  ", " ", "writeit:", "a: b", "- ", "é"]
)


@settings(deadline=None)
@given(st.lists(PIECES, max_size=30).map("".join), st.data())
def test_any_text_can_be_looked_through(text: str, data: st.DataObject) -> None:
    """It ends, and every word is where it says, whatever stands there."""
    assert all(text[w.start : w.end] == w.text for w in parse_words(text))
    offset = data.draw(st.integers(0, len(text)))
    found = cursor_context(text, offset)
    assert found is None or text[found.word.start : found.word.end] == found.word.text


def test_depth_has_an_end() -> None:
    assert len(parse_words("a: " + "[" * 100_000)) == 1
    assert parse_words("a: " + "[" * MAX_BRACE_DEPTH + "b")[-1].text == "b"
