"""Block boundaries: one example each, by the sections of the CommonMark spec."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from writeit.text.block_reader import find_title, read_blocks
from writeit.text.blocks import table_cells
from writeit.text.lines import split_lines

if TYPE_CHECKING:
    from writeit.text.blocks import Block


def outline(text: str) -> str:
    """Write the blocks of a text: kind, first and last line, those inside in (…)."""
    return " ".join(_outline(block) for block in read_blocks(text).root.children)


def _outline(block: Block) -> str:
    first, last = block.lines.start, block.lines.stop - 1
    lines = str(first) if first == last else f"{first}-{last}"
    level = block.level or ""
    inside = " ".join(_outline(child) for child in block.children)
    return f"{block.kind}{level}:{lines}" + (f"({inside})" if inside else "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Tabs
        ("\tfirst\n\tsecond\n", "code:0-1"),
        ("-\tone\n\n\ttwo\n", "list:0-2(item:0-2(paragraph:0 paragraph:2))"),
        (">\tword\n>\t\tcode\n", "quote:0-1(paragraph:0-1)"),
        # Precedence
        ("- `one\n- two`\n", "list:0-1(item:0(paragraph:0) item:1(paragraph:1))"),
        ("# `a\n`b`\n", "heading1:0 paragraph:1"),
        # Thematic breaks
        ("***\n---\n___\n", "rule:0 rule:1 rule:2"),
        ("word\n***\nword\n", "paragraph:0 rule:1 paragraph:2"),
        ("- one\n***\n- two\n", ("list:0(item:0(paragraph:0)) rule:1 "
         "list:2(item:2(paragraph:2))")),
        ("- * * *\n", "list:0(item:0(rule:0))"),
        ("    ***\n", "code:0"),
        # ATX headings
        ("# a\n###### b\n####### c\n", "heading1:0 heading6:1 paragraph:2"),
        ("#tag\n\n# word\n", "paragraph:0 heading1:2"),
        ("word\n    # more\n", "paragraph:0-1"),
        ("word\n## b ##\nword\n", "paragraph:0 heading2:1 paragraph:2"),
        ("#\n\n## ##\n", "heading1:0 heading2:2"),
        # Setext headings
        ("One\n===\n\nTwo\n---\n", "heading1:0-1 heading2:3-4"),
        ("One\nmore\n  ====  \n", "heading1:0-2"),
        ("One\n= =\n", "paragraph:0-1"),
        ("> word\n---\n", "quote:0(paragraph:0) rule:1"),
        ("> word\n===\n", "quote:0-1(paragraph:0-1)"),
        ("- word\n---\n", "list:0(item:0(paragraph:0)) rule:1"),
        ("- word\n  ---\n", "list:0-1(item:0-1(heading2:0-1))"),
        ("`x\n----\n`\n", "heading2:0-1 paragraph:2"),
        # Indented code
        ("    one\n\n\n    two\nword\n", "code:0-3 paragraph:4"),
        ("word\n    more\n", "paragraph:0-1"),
        ("1.  a\n\n    - b\n", ("list:0-2(item:0-2(paragraph:0 "
         "list:2(item:2(paragraph:2))))")),
        # Fenced code
        ("```\n# no\n~~~\n```\nword\n", "fence:0-3 paragraph:4"),
        ("````\n```\n`````\n", "fence:0-2"),
        ("~~~ py `x`\n# no\n~~~\n", "fence:0-2"),
        ("``` `x`\n# yes\n", "paragraph:0 heading1:1"),
        ("```x``` begins a line.\n\n## B\n", "paragraph:0 heading2:2"),
        ("> ```\n> code\n\nword\n", "quote:0-1(fence:0-1) paragraph:3"),
        ("```\n\nnever closed\n", "fence:0-2"),
        ("word\n```\ncode\n```\n", "paragraph:0 fence:1-3"),
        ("- ```\n  # no\n  ```\n- # yes\n", ("list:0-3(item:0-2(fence:0-2) "
         "item:3(heading1:3))")),
        # HTML blocks
        ("<div>\n# no\n\n# yes\n</div>\n", "html:0-1 heading1:3 html:4"),
        ("<!--\n\n# no\n-->\n# yes\n", "comment:0-3 heading1:4"),
        ("<!-- a --> # no\nword\n", "comment:0 paragraph:1"),
        ("<pre>\n\n# no\n</pre>\nword\n", "html:0-3 paragraph:4"),
        ("word\n<del>\n# yes\n", "paragraph:0-1 heading1:2"),
        ("word\n<!-- a\n\nb -->\nword\n", "paragraph:0 comment:1-3 paragraph:4"),
        ("<!-- never closed\n\n# no\n", "comment:0-2"),
        # Link reference definitions
        ("[a]: /u 'title\nmore'\nword\n", "link:0-1 paragraph:2"),
        ("word\n[a]: /u\n", "paragraph:0-1"),
        ("[a]: <u> x\n", "paragraph:0"),
        ("> [a]: /u\n", "quote:0(link:0)"),
        # Paragraphs and blank lines
        ("a\nb\n\n\nc\n  \n", "paragraph:0-1 paragraph:4"),
        # Block quotes
        ("> # a\n> b\nlazy\n", "quote:0-2(heading1:0 paragraph:1-2)"),
        ("> a\n\n> b\n", "quote:0(paragraph:0) quote:2(paragraph:2)"),
        ("> a\n>\n> b\n>\n", "quote:0-3(paragraph:0 paragraph:2)"),
        (">>> a\n> lazy\n", "quote:0-1(quote:0-1(quote:0-1(paragraph:0-1)))"),
        ("> - a\n- b\n", ("quote:0(list:0(item:0(paragraph:0))) "
         "list:1(item:1(paragraph:1))")),
        (">     code\n\n>    word\n", "quote:0(code:0) quote:2(paragraph:2)"),
        # List items
        ("1.  a\n    b\n\n        code\n\n    > c\n", ("list:0-5(item:0-5("
         "paragraph:0-1 code:3 quote:5(paragraph:5)))")),
        ("- a\n\n b\n", "list:0(item:0(paragraph:0)) paragraph:2"),
        ("-\n  a\n-\n\n  b\n", "list:0-2(item:0-1(paragraph:1) item:2) paragraph:4"),
        ("1234567890. a\n", "paragraph:0"),
        ("word\n2. a\n", "paragraph:0-1"),
        ("> 1. > a\nlazy\n", ("quote:0-1(list:0-1(item:0-1(quote:0-1("
         "paragraph:0-1))))")),
        # Lists
        ("- a\n+ b\n", "list:0(item:0(paragraph:0)) list:1(item:1(paragraph:1))"),
        ("- a\n - b\n  - c\n   - d\n    - e\n", ("list:0-4(item:0(paragraph:0) "
         "item:1(paragraph:1) item:2(paragraph:2) item:3-4(paragraph:3-4))")),
        ("- a\n\n\n- b\n\nword\n", ("list:0-3(item:0(paragraph:0) "
         "item:3(paragraph:3)) paragraph:5")),
        ("- a\n\n  [x]: /u\n- b\n", ("list:0-3(item:0-2(paragraph:0 link:2) "
         "item:3(paragraph:3))")),
        ("- a\n  > b\n  ```\n  c\n  ```\n", ("list:0-4(item:0-4(paragraph:0 "
         "quote:1(paragraph:1) fence:2-4))")),
    ],
)  # fmt: skip
def test_blocks_are_those_of_commonmark(text: str, expected: str) -> None:
    """Containers without the blank lines after them; verbatim blocks hide headings."""
    assert outline(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("| a | b |\n|---|---|\n| c | d |\n\nword\n", "table:0-2 paragraph:4"),
        ("a | b\n", "paragraph:0"),
        ("[^1]: a\n\n    b\n\nc\n", ("footnote:0-2(paragraph:0 paragraph:2) "
         "paragraph:4")),
        ("Term\n: One\n\n  more\n: Two\n\nword\n", ("definitions:0-4(term:0 "
         "definition:1-3(paragraph:1 paragraph:3) definition:4(paragraph:4)) "
         "paragraph:6")),
        ("A\n: a\n\nB\n: b\n", ("definitions:0-4(term:0 definition:1(paragraph:1) "
         "term:3 definition:4(paragraph:4))")),
        ('!!! note "T"\n    a\n\n    # b\n\nc\n',
         "admonition:0-3(paragraph:1 heading1:3) paragraph:5"),
        ("???+ tip\n    - a\n", "admonition:0-1(list:1(item:1(paragraph:1)))"),
        ("::: note\na\n:::\nb\n", "admonition:0-2(paragraph:1) paragraph:3"),
        ("::: a\n::: b\nc\n:::\n:::\nd\n", ("admonition:0-4(admonition:1-3("
         "paragraph:2)) paragraph:5")),
        ("::: a\n```\n:::\n```\n:::\n", "admonition:0-4(fence:1-3)"),
        ("::: a\n\n# b\n", "admonition:0-2(heading1:2)"),
        (":::\nword\n", "paragraph:0 paragraph:1"),
        ("> ::: a\n> b\n\nc\n", ("quote:0-1(admonition:0-1(paragraph:1)) "
         "paragraph:3")),
        ("$$\n\n# no\n$$\n# yes\n", "math:0-3 heading1:4"),
        ("word\n$$\na\n===\n$$\nword\n", "paragraph:0 math:1-4 paragraph:5"),
        ("$$a$$ and more\n# yes\n", "paragraph:0 heading1:1"),
        ("$$ is money\n\n# yes\n$$\n", "paragraph:0 heading1:2 paragraph:3"),
        ("- $$\n  # no\n  $$\n# yes\n$$\n",
         "list:0-2(item:0-2(math:0-2)) heading1:3 paragraph:4"),
        ("%%\n# no\n\n%%\n# yes\n", "comment:0-3 heading1:4"),
        ("%% a %%\n%% never closed\n# yes\n", "comment:0 paragraph:1 heading1:2"),
    ],
)  # fmt: skip
def test_blocks_of_other_dialects(text: str, expected: str) -> None:
    """Tables, footnotes, definitions, admonitions, divs, math and comments."""
    assert outline(text) == expected


@pytest.mark.parametrize(
    ("text", "lines", "prefix", "continuation"),
    [
        ("- a\n  b\n", 0, "- ", "  "),
        ("10.  a\n     b\n", 1, "     ", "     "),
        ("- [ ] a\n", 0, "- ", "  "),
        ("> a\n>b\n", 1, ">", "> "),
        ("> a\nlazy\n", 1, "", "> "),
        ("> 1. > a\n", 0, "> 1. > ", ">    > "),
        ("- > a\n  > b\n", 1, "  > ", "  > "),
        ("-     code\n", 0, "- ", "  "),
        ("[^1]: a\n", 0, "[^1]: ", "    "),
        ("T\n:   a\n", 1, ":   ", "    "),
        ("!!! note\n    a\n", 1, "    ", "    "),
        ("- !!! note\n      a\n", 1, "      ", "      "),
        ("::: a\nb\n:::\n", 1, "", ""),
        ("word\n", 0, "", ""),
        ("- a\n\n  b\n", 1, "", "  "),
        ("-\ta\n", 0, "-\t", "    "),
    ],
)
def test_containers_have_prefixes(
    text: str, lines: int, prefix: str, continuation: str
) -> None:
    """Of an existing line, and of a new one below it."""
    blocks = read_blocks(text)
    assert blocks.prefix(lines) == prefix
    assert blocks.continuation(lines) == continuation


@pytest.mark.parametrize(
    "line", ["::: a\n", "> ", "- ", "!!! a\n    ", "<!--\n", "$$ a\n"]
)
def test_a_text_may_be_nested_or_broken_a_thousand_times(line: str) -> None:
    """It is read without an error; what is too deep is text."""
    blocks = read_blocks(line * 1000)
    assert blocks.root.children
    assert blocks.sections == []


INSIDE = ("a b\n", "# a\n", "```\n# no\n```\n", "$$\nx\n$$\n", "a | b\n- | -\nc | d\n")


def in_container(marker: str, blocks: list[str]) -> str:
    """Put blocks into a container, a paragraph first."""
    indent = {"> ": "> ", "[^1]: ": "    "}.get(marker, " " * len(marker))
    lines = "\n".join(["a b\n", *blocks]).splitlines()
    return "".join(
        f"{indent if number else marker}{line}".rstrip() + "\n"
        for number, line in enumerate(lines)
    )


NESTED = st.recursive(
    st.sampled_from(INSIDE),
    lambda inner: st.builds(
        in_container,
        st.sampled_from(["> ", "- ", "10. ", "[^1]: "]),
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=8,
)


@settings(deadline=None)
@given(NESTED)
def test_without_its_prefixes_a_container_is_the_blocks_in_it(text: str) -> None:
    """Every line of every container, at any depth."""
    blocks = read_blocks(text)
    for container in blocks.root.walk():
        if container.kind in {"quote", "item", "footnote"}:
            lines = [
                blocks.lines[line].removeprefix(blocks.prefix(line, container)) or "\n"
                for line in container.lines
            ]
            shape = [block.kind for block in container.walk()]
            assert [b.kind for b in read_blocks("".join(lines)).root.walk()] == shape


@settings(deadline=None)
@given(st.text(st.sampled_from("-1.>#=`~$%:!|[^]a<b \t\n\r\0\u2028\x85\ufeff\f")))
def test_any_text_is_read_in_its_own_lines(text: str) -> None:
    """No character shifts a line, and every block is inside its parent."""
    blocks = read_blocks(text)
    assert "".join(blocks.lines) == text
    assert blocks.lines == split_lines(text)
    for block in blocks.root.walk():
        assert block.parent
        assert {*block.lines} <= {*block.parent.lines}
    for line, with_end in enumerate(blocks.lines):
        assert with_end.startswith(blocks.prefix(line))


SECTIONS = """\
intro

# One
text

## Two

deep


# Three
## Four
Set
===
last
"""


def sections_of(text: str, start: int = 0) -> dict[str, tuple[int, int]]:
    """Return the lines of each section's text: the first, and the one after it."""
    blocks = read_blocks(text, start)
    return {
        blocks.heading_text(section.heading): (section.lines.start, section.lines.stop)
        for section in blocks.sections
    }


def test_a_section_ends_before_a_heading_of_its_level_or_above() -> None:
    """Blank lines at its end are not its own; an empty one has no lines."""
    assert sections_of(SECTIONS) == {
        "One": (3, 8),
        "Two": (6, 8),
        "Three": (11, 12),
        "Four": (12, 12),
        "Set": (14, 15),
    }


def test_a_heading_in_a_container_has_a_section_that_ends_with_it() -> None:
    """A quote, an item, an admonition and a div."""
    text = "> # a\n> b\n\n- # c\n  d\n\n::: x\n# e\nf\n:::\ng\n"
    assert sections_of(text) == {"a": (1, 2), "c": (4, 5), "e": (8, 9)}


def test_front_matter_and_a_byte_order_mark_are_in_no_block() -> None:
    """Lines are those of the whole text."""
    assert sections_of("---\n# no: x\n---\n# One\ntext\n", 16) == {"One": (4, 5)}
    assert sections_of("\ufeff# One\ntext\n# Two\nmore\n", 1) == {
        "One": (1, 2),
        "Two": (3, 4),
    }


def test_the_headings_above_a_line_lead_to_it() -> None:
    """The highest first; a heading is not above itself."""
    blocks = read_blocks(SECTIONS)
    titles = [blocks.heading_text(heading) for heading in blocks.headings_above(7)]
    assert titles == ["One", "Two"]
    assert blocks.headings_above(0) == []


@pytest.mark.parametrize(
    ("body", "title"),
    [
        ("# A title\n\ntext", "A title"),
        ("text\n\n# Later\n# Second\n", "Later"),
        ("   #\tIndented  \n", "Indented"),
        ("# Closed ##\n", "Closed"),
        ("# C# and F#\n", "C# and F#"),
        ("#\n# Second\n", "Second"),
        ("```sh\n# a comment\n```\n# Title\n", "Title"),
        ("~~~~\n# a\n~~~\n# b\n~~~~~\n# Title", "Title"),
        ("```\n# never closed\n", ""),
        ("## Only a section\n", ""),
        ("#hashtag\n", ""),
        ("    # code\n", ""),
        ("# Windows\r\ntext", "Windows"),
        ("#\n\n# Two\n", "Two"),
        ("Set\nand more\n===\n", "Set and more"),
        ("> # Quoted\n\n- # Item\n\n::: x\n# In a div\n:::\n", "In a div"),
        ("<!--\n# no\n-->\n$$\n# no\n$$\n%%\n# no\n%%\n# Yes\n", "Yes"),
        ("word\n", ""),
        ("", ""),
    ],
)
def test_the_title_is_the_first_heading_of_level_one(body: str, title: str) -> None:
    """Outside code, quotes and lists; a closing row of `#` is not part of it."""
    assert read_blocks(body).title == title
    assert find_title(body) == title


@pytest.mark.parametrize(
    ("row", "cells"),
    [
        ("| a | b |", ["a", "b"]),
        ("a | b", ["a", "b"]),
        (r"| a \| b |  | `c` |", [r"a \| b", "", "`c`"]),
        ("|---|:-:|", ["---", ":-:"]),
        ("  | a |\r\n", ["a"]),
        ("| a", ["a"]),
    ],
)
def test_a_row_has_cells(row: str, cells: list[str]) -> None:
    """An escaped pipe is part of its cell."""
    assert [row[start:end] for start, end in table_cells(row)] == cells


def test_labels_and_info_are_kept() -> None:
    """What a fence, a footnote, a link, a callout and an item say."""
    text = "``` py\n```\n\n> [!Note] T\n\n[^a b]\n\n[^a]: x\n\n[L k]: /u\n\n3) x\n"
    said = [block.info for block in read_blocks(text).root.walk() if block.info]
    assert said == ["py", "Note", "a", "L k", "3"]


@pytest.mark.parametrize(
    ("text", "closed"),
    [
        ("```\na\n```\n", True),
        ("```\na\n", False),
        ("> ```\n> a\n", False),
        ("```\n```", True),
        ("```", False),
        ("<!-- a\n", False),
        ("::: a\nb\n", False),
    ],
)
def test_what_has_no_end_is_not_closed(text: str, closed: bool) -> None:
    """A fence, a comment, a div."""
    *_, block = (b for b in read_blocks(text).root.walk() if b.kind != "paragraph")
    assert block.is_closed is closed
