"""The sections that are offered: where a heading is, and what fits a pipeline."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from support.code_actions import actions
from support.waiting import TIMEOUT
from writeit.text.lines import split_lines

if TYPE_CHECKING:
    from support.document import Document
    from support.editor import Json
    from support.open_documents import OpenDocuments

pytestmark = pytest.mark.asyncio(loop_scope="session")

POLISH = "Polish this passage ("
LAST = "\n\n# Last\n\nlast words\n"


async def offered(page: Document, line: int) -> dict[str, tuple[int, int]]:
    """The sections offered at a line: the first line and the one after the last."""
    place = {"line": line, "character": 0}
    found = await actions(page.editor, page.uri, {"start": place, "end": place})
    return {
        title.removeprefix(POLISH).removesuffix(")"): lines_of(command)
        for title, command in found.items()
        if title.startswith(POLISH)
    }


def lines_of(command: Json) -> tuple[int, int]:
    """The lines that a command is for; it is for whole lines."""
    where = command["arguments"][0]["range"]
    assert where["start"]["character"] == where["end"]["character"] == 0
    return where["start"]["line"], where["end"]["line"]


async def parsed(docs: OpenDocuments, text: str) -> Document:
    """Open a text with one more section; return it when that is offered."""
    page = docs.open(text + LAST)
    await wait_for_last(page)
    return page


async def wait_for_last(page: Document) -> None:
    """Wait until the text as it is now was parsed."""
    line = len(split_lines(page.text)) - 3
    await until_offered(page, line, {"this section": (line + 1, line + 3)})


async def until_offered(
    page: Document, line: int, sections: dict[str, tuple[int, int]]
) -> None:
    """Ask for the actions at a line until they are these."""
    async with asyncio.timeout(TIMEOUT):
        while await offered(page, line) != sections:
            pass


@pytest.mark.parametrize(
    ("text", "sections"),
    [
        pytest.param(
            "\ufeff# One\nfirst\n# Two\nsecond", {0: (1, 2), 2: (3, 4)}, id="BOM"
        ),
        pytest.param(
            "Title\n=====\n\nText.\n\nPart\n----\n\nShort.",
            {0: (2, 9), 1: (2, 9), 5: (7, 9), 6: (7, 9)},
            id="setext",
        ),
        pytest.param(
            "## A\n\n<!--\n## old\nhidden\n-->\n\nstill A\n\n## C\n\nother",
            {0: (1, 8), 9: (10, 12)},
            id="a heading in a comment",
        ),
        pytest.param(
            "## A\n\n```x``` begins a line.\n\n## B\n\nother text",
            {0: (1, 3), 4: (5, 7)},
            id="inline code begins a line",
        ),
        pytest.param(
            '+++\ntitle = "A"\n# draft\n+++\n# A\n\ntext',
            {4: (5, 7)},
            id="a comment in TOML",
        ),
        pytest.param(
            "---\n# a comment\ntitle: A\n---\n## A\n$$\n## b\n$$\n%%\n## c\n%%",
            {4: (5, 11)},
            id="YAML, math and a comment",
        ),
        pytest.param("> # A\n> text\n\nafter", {0: (1, 2)}, id="a quote"),
        pytest.param("- one\n- ## A\n  text\n- two", {1: (2, 3)}, id="a list"),
        pytest.param("# A\r\ntext\r# B\rmore\r\n", {0: (1, 2), 2: (3, 4)}, id="CR"),
        pytest.param("# A\u2028\x85\f\n# B\ntext", {1: (2, 3)}, id="other breaks"),
        pytest.param("text\n\n---\n\n# A\n\n# B", {}, id="empty"),
    ],
)
async def test_a_section_is_offered_on_its_heading_only(
    docs: OpenDocuments, text: str, sections: dict[int, tuple[int, int]]
) -> None:
    """On every line of the heading, and for the lines below it."""
    page = await parsed(docs, text)
    found = {
        line: lines
        for line in range(len(split_lines(text)))
        if (lines := (await offered(page, line)).get("this section"))
    }
    assert found == sections


async def test_of_a_section_that_is_too_long_the_largest_that_fits_is_offered(
    docs: OpenDocuments,
) -> None:
    """A title's text is often the whole article; nothing is offered if none fits."""
    word = "Words are here. "
    text = f"# T\n\n## A\n{word * 100}\n\n## B\n{word * 300}\n\n# U\n{word * 500}"
    page = await parsed(docs, text)
    assert await offered(page, 0) == {"section “B”": (6, 7)}
    assert await offered(page, 2) == {"this section": (3, 4)}
    assert await offered(page, 8) == {}


async def test_what_is_typed_above_a_section_moves_it(docs: OpenDocuments) -> None:
    """Before the text is parsed again and after it."""
    page = await parsed(docs, "intro\n\n# A\n\ntext\n\n# B\n\nmore")
    page.type(0, 0, "new\n\n")
    assert await offered(page, 4) == {"this section": (5, 7)}
    await wait_for_last(page)
    assert await offered(page, 4) == {"this section": (5, 7)}
    start = page.text.index("text")
    page.type(start, start + 4, "```\n# no\n")
    await until_offered(page, len(split_lines(page.text)) - 3, {})
    assert await offered(page, 7) == {}
