"""Random documents of nested blocks, a random passage, a random answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from writeit.text.block_reader import read_blocks
from writeit.text.blocks import MarkdownBlocks
from writeit.text.fitting import continue_passage, replace_passage
from writeit.text.passage import SelectedPassage, read_passage

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy

Lines = list[str]
words = st.sampled_from(
    ["river", "mill", "bridge", "tide", "stone", "old", "cold", "town", "wheel", "day"]
)
sentences = st.lists(words, min_size=2, max_size=5).map(
    lambda some: " ".join(some).capitalize() + "."
)
paragraphs: SearchStrategy[Lines] = st.lists(sentences, min_size=1, max_size=3)
leaves: SearchStrategy[Lines] = st.one_of(
    paragraphs,
    paragraphs,
    st.tuples(st.integers(1, 6), sentences).map(lambda x: [f"{'#' * x[0]} {x[1]}"]),
    sentences.map(lambda text: [text, "---"]),
    paragraphs.map(lambda lines: ["```py", *lines, "```"]),
    paragraphs.map(
        lambda lines: ["| a | b |", "|---|---|", *(f"| {x} | y |" for x in lines)]
    ),
    sentences.map(lambda text: ["<!--", text, "-->"]),
)
MARKS = [
    ("> ", "> "),
    ("> [!note] Title\n> ", "> "),
    ("- ", "  "),
    ("12. ", "    "),
    ('!!! note "T"\n    ', "    "),
    ("[^n]: ", "    "),
    ("Term\n:   ", "    "),
]


def joined(blocks: list[Lines]) -> Lines:
    """Return blocks with a blank line between them."""
    return [line for block in blocks for line in (*block, "")][:-1]


def contained(mark: tuple[str, str], blocks: list[Lines]) -> Lines:
    """Return a container with blocks in it."""
    first, other = mark
    lines = joined(blocks)
    text = first + lines[0]
    for line in lines[1:]:
        text += "\n" + (other + line).rstrip()
    return text.split("\n")


containers = st.recursive(
    leaves,
    lambda inner: st.one_of(
        st.builds(
            contained,
            st.sampled_from(MARKS),
            # It begins with text: `- # A` is rare, and `- - a` is another list.
            st.tuples(paragraphs, st.lists(inner, max_size=2)).map(
                lambda x: [x[0], *x[1]]
            ),
        ),
        st.lists(paragraphs, min_size=2, max_size=3).map(
            lambda items: [
                line for item in items for line in contained(("- ", "  "), [item])
            ]
        ),
    ),
    max_leaves=6,
)
documents = st.lists(containers, min_size=1, max_size=4).map(
    lambda blocks: "\n".join(
        ["# Title", "", *joined([["Intro."], *blocks, ["End."]]), ""]
    )
)
answers = st.one_of(
    st.lists(paragraphs, min_size=1, max_size=2).map(lambda p: "\n".join(joined(p))),
    st.lists(leaves, min_size=1, max_size=2).map(lambda p: "\n".join(joined(p))),
    containers.map("\n".join),
    st.sampled_from(["```\nopen", "- a\n- b", "> q", "===", "x | y", "<!-- c", "1. a"]),
)


Span = tuple[str, int, int]
"""A document, and where a passage of it begins and ends."""


def at(span: Span) -> SelectedPassage:
    """Return the passage."""
    text, start, end = span
    return read_passage(text[:start], text[start:end], text[end:])


@st.composite
def passages(draw: st.DrawFn) -> Span:
    """A passage of a document, between any two places of its lines."""
    text = draw(documents)
    start = draw(st.integers(0, len(text) - 1))
    end = draw(st.integers(start + 1, min(len(text), start + 200)))
    assume(text[start:end].strip())
    return text, start, end


@st.composite
def whole_paragraphs(draw: st.DrawFn) -> Span:
    """A paragraph of a document."""
    text = draw(documents)
    blocks = read_blocks(text)
    block = draw(
        st.sampled_from([b for b in blocks.root.walk() if b.kind == "paragraph"])
    )
    first, last = block.lines.start, block.lines.stop - 1
    start = sum(map(len, blocks.lines[:first])) + len(blocks.prefix(first))
    end = sum(map(len, blocks.lines[: last + 1])) - 1
    return text, start, end


def around(blocks: MarkdownBlocks, first: int, last: int) -> list[tuple[str, ...]]:
    """Return the kinds of the blocks of each line that is not of the passage."""
    return [
        tuple(f"{b.kind}{b.level}{b.markup}" for b in blocks.chain(line))
        for line in range(len(blocks.lines))
        if not first <= line <= last and blocks.lines[line].strip(" >\n")
    ]


@settings(max_examples=60, deadline=None)
@given(passages())
def test_a_passage_in_its_own_place_changes_nothing(span: Span) -> None:
    """Byte for byte, wherever it begins and ends."""
    passage = at(span)
    assert replace_passage(passage, passage.content).text == passage.text


@settings(max_examples=60, deadline=None)
@given(passages(), answers)
def test_the_blocks_around_a_passage_stay(span: Span, answer: str) -> None:
    """Else the answer does not fit."""
    passage = at(span)
    fitted = replace_passage(passage, answer)
    if fitted.misfit is None:
        blocks = read_blocks(fitted.text)
        last = passage.last + len(blocks.lines) - len(passage.blocks.lines)
        assert around(blocks, passage.first, last) == around(
            passage.blocks, passage.first, passage.last
        )


@settings(max_examples=60, deadline=None)
@given(passages(), answers)
def test_the_blocks_around_a_continuation_stay(span: Span, answer: str) -> None:
    """It is added between them."""
    passage = at(span)
    fitted = continue_passage(passage, answer)
    if fitted.misfit is None:
        old, new = (
            around(passage.blocks, -1, -2),
            around(read_blocks(fitted.text), -1, -2),
        )
        added = len(new) - len(old)
        assert any(new[:n] + new[n + added :] == old for n in range(len(old) + 1))


@settings(max_examples=60, deadline=None)
@given(whole_paragraphs(), st.lists(paragraphs, min_size=1, max_size=2))
def test_paragraphs_fit_with_and_without_prefixes(
    span: Span, answer: list[Lines]
) -> None:
    """And they are in the same containers."""
    passage = at(span)
    lines = joined(answer)
    fitted = replace_passage(passage, "\n".join(lines))
    assert fitted.misfit is None
    prefix = passage.continuation()
    marked = [(prefix + line).rstrip() for line in lines]
    assert replace_passage(passage, "\n".join(marked)) == fitted
    marked[0] = passage.prefix(passage.first) + lines[0]
    assert replace_passage(passage, "\n".join(marked)) == fitted
    continued = continue_passage(passage, "\n".join(lines))
    assert continued.misfit is None
