"""Reads the blocks of a markdown text.

CommonMark with tables, footnotes, definition lists, `!!!` admonitions, `:::` divs,
`$$` math and `%%` comments. Inline markdown is not read.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from writeit.text.blocks import (
    CONTAINER_KINDS,
    Block,
    BlockKind,
    MarkdownBlocks,
    PrefixReader,
)
from writeit.text.lines import LINE_END, split_lines

if TYPE_CHECKING:
    from collections.abc import Iterator

    from markdown_it import MarkdownIt
    from markdown_it.ruler import RuleOptionsType
    from markdown_it.rules_block import StateBlock
    from markdown_it.token import Token

_KINDS: dict[str, BlockKind] = {
    "blockquote_open": "quote",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
    "admonition_open": "admonition",
    "footnote_reference_open": "footnote",
    "dl_open": "definitions",
    "dt_open": "term",
    "dd_open": "definition",
    "heading_open": "heading",
    "paragraph_open": "paragraph",
    "table_open": "table",
    "fence": "fence",
    "code_block": "code",
    "math": "math",
    "html_block": "html",
    "comment": "comment",
    "definition": "link",
    "hr": "rule",
}
_DIV = "div"
_TITLE_LINE = re.compile(
    r"(?:\A|(?<=[\r\n])) {0,3}(?:#[ \t][^\r\n]*|=+[ \t]*(?=[\r\n]|\Z))"
)
"""What may be a heading of level 1."""
_TITLE_ATTEMPTS = 3
MAX_TITLE_CHARACTERS = 20_000
_CLOSING_TYPES = {
    kind.removesuffix("_open")
    for kind, name in _KINDS.items()
    if kind.endswith("_open") and name in CONTAINER_KINDS
}
MAX_NESTING = 100
"""Levels of containers that are read; what is deeper is text of the last one."""

_DIV_LINE = re.compile(r":{3,}[ \t]*(?P<info>.*?)[ \t:]*")
_CALLOUT = re.compile(r"\[!(?P<name>[^\]\s]+)\]")


def read_blocks(text: str, start: int = 0) -> MarkdownBlocks:
    """Read a text from the offset `start`, where its front matter ends.

    The lines of the front matter, or a byte order mark, belong to no block.
    """
    head_ends = len(LINE_END.findall(text, 0, start))
    lines = ["\n"] * head_ends + split_lines(text[start:])
    source = "".join(lines)
    tokens = _parser().parse(source if source.endswith("\n") else f"{source}\n")
    blocks = MarkdownBlocks(lines, Block("document", range(len(lines))))
    _TreeBuilder(blocks).build(tokens)
    return blocks


def find_title(text: str) -> str:
    """Return the title of a text without front matter, as `MarkdownBlocks.title`.

    What is below the title is not read, as far as the text allows. It is in the first
    `MAX_TITLE_CHARACTERS`.
    """
    text = text[:MAX_TITLE_CHARACTERS]
    for attempt, match in enumerate(_TITLE_LINE.finditer(text)):
        above = text[: match.end()]
        if attempt == _TITLE_ATTEMPTS or "$$" in above or "%%" in above:
            return read_blocks(text).title  # their end may be below
        if title := read_blocks(above).title:
            return title
    return ""


def split_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of a text; code, math and comments are not divided."""
    blocks = read_blocks(text)
    verbatim = blocks.verbatim_lines()
    paragraphs: list[list[str]] = [[]]
    for number, with_end in enumerate(blocks.lines):
        line = with_end.rstrip("\r\n")
        if line.strip() or number in verbatim:
            paragraphs[-1].append(line)
        elif paragraphs[-1]:
            paragraphs.append([])
    return ["\n".join(lines) for lines in paragraphs if lines]


class TextBlock(NamedTuple):
    """A block of a text as it stands there, and the offset where it begins."""

    start: int
    text: str


def split_blocks(text: str, start: int = 0) -> list[TextBlock]:
    """Return the outermost blocks of a text from the offset `start`, in order."""
    body = text[start:]
    blocks = read_blocks(body)
    spans = (
        (blocks.offsets[b.lines.start], blocks.offsets[b.lines.stop])
        for b in blocks.root.children
    )
    return [TextBlock(start + first, body[first:end]) for first, end in spans]


def prose_in(text: str) -> Iterator[TextBlock]:
    """Yield paragraphs, headings and tables that are in no quotation."""
    blocks = read_blocks(text)
    for block in blocks.root.walk():
        if block.kind in {"paragraph", "heading", "table", "term"}:
            chain = blocks.chain(block.lines.start)
            if not any(b.kind == "quote" and not b.info for b in chain):
                first = blocks.offsets[block.lines.start]
                yield TextBlock(first, text[first : blocks.offsets[block.lines.stop]])


def list_items(text: str) -> list[str]:
    """Return the items of a text's only list without their marks, else none."""
    blocks = read_blocks(text)
    lists = [block for block in blocks.root.children if block.kind == "list"]
    if len(lists) != 1:
        return []
    items = []
    for item in lists[0].children:
        lines = [blocks.lines[n].rstrip("\r\n").expandtabs(4) for n in item.lines]
        indents = [len(line) - len(line.lstrip()) for line in lines]
        first = lines[0][item.indent :]
        rest = zip(lines[1:], indents[1:], strict=True)
        items.append("\n".join([first, *(ln[min(item.indent, n) :] for ln, n in rest)]))
    return [item.strip("\n") for item in items]


def unclosed_fence(text: str) -> str | None:
    """Return the code fence that `text` leaves open, or None.

    One in a list or a quote ends with it.
    """
    if "```" not in text and "~~~" not in text:
        return None  # most texts, and pages ask several times a second
    last = read_blocks(text).root.children[-1:]
    return next((b.markup for b in last if b.kind == "fence" and not b.is_closed), None)


class _TreeBuilder:
    """Makes a tree of blocks of the parser's tokens."""

    def __init__(self, blocks: MarkdownBlocks) -> None:
        self._lines = blocks.lines
        self._open = [blocks.root]
        """The open containers, the outermost first."""

    def build(self, tokens: list[Token]) -> None:
        """Add the blocks of all tokens below the root."""
        for token in tokens:
            if token.type == _DIV:
                self._add_div_line(token)
            elif kind := _KINDS.get(token.type):
                self._add(kind, token)
            elif token.type.removesuffix("_close") in _CLOSING_TYPES:
                self._close()
        self._close_divs()

    def _add(self, kind: BlockKind, token: Token) -> None:
        first, stop = token.map or (0, 0)
        if kind == "definition":
            first = self._definition_line(first)
        block = Block(kind, range(first, max(stop, first + 1)), self._open[-1])
        block.markup, block.info = token.markup, token.info.strip()
        if kind == "heading":
            block.level = int(token.tag[1:])
            block.markup = "#" if token.markup.startswith("#") else token.markup
        elif kind in {"fence", "html"}:
            self._read_verbatim(block, token)
        elif kind in {"footnote", "link"}:
            block.info = str(token.meta.get("label") or token.meta.get("id"))
        self._open[-1].children.append(block)
        if token.nesting > 0 and kind in CONTAINER_KINDS:
            self._measure(block)
            self._open.append(block)

    def _definition_line(self, line: int) -> int:
        """Return the line of a definition's marker; its token may have the term's."""
        line = max(line, self._open[-1].children[-1].lines.stop)
        while not self._lines[line].strip():
            line += 1
        return line

    def _read_verbatim(self, block: Block, token: Token) -> None:
        if block.kind == "html":
            if token.content.lstrip().startswith("<!--"):
                block.kind, block.markup = "comment", "<!--"
                block.is_closed = "-->" in token.content
        else:
            inside = token.content.count("\n")
            block.is_closed = len(block.lines) > inside + 1

    def _measure(self, container: Block) -> None:
        first = container.lines.start
        reader = PrefixReader(self._lines[first])
        for outer in self._open[1:]:
            reader.take(outer, is_first=outer.lines.start == first)
        if container.kind == "quote":
            reader.take(container, is_first=True)
            match = _CALLOUT.match(reader.rest)
            container.info = match["name"] if match else ""
        else:
            container.indent = reader.measure(container)

    def _close(self) -> None:
        self._close_divs()
        container = self._open.pop()
        if container.kind == "quote":
            return  # its last lines may be markers without a text
        first, stop = container.lines.start, container.lines.start + 1
        if container.children:
            stop = max(stop, container.children[-1].lines.stop)
        container.lines = range(first, stop)

    def _add_div_line(self, token: Token) -> None:
        """Open or close a div; those of Pandoc may be nested with equal marks."""
        line = token.map[0] if token.map else 0
        if token.info and len(self._open) < MAX_NESTING:
            div = Block("admonition", range(line, line + 1), self._open[-1])
            div.markup, div.info, div.is_closed = token.markup, token.info, False
            div.indent = self._open[-1].indent
            self._open[-1].children.append(div)
            self._open.append(div)
        elif self._open[-1].is_div:
            div = self._open.pop()
            div.lines, div.is_closed = range(div.lines.start, line + 1), True
        else:
            self._add("paragraph", token)

    def _close_divs(self) -> None:
        while self._open[-1].is_div:
            div = self._open.pop()
            stop = div.children[-1].lines.stop if div.children else div.lines.stop
            div.lines = range(div.lines.start, stop)


# --- the parser ---------------------------------------------------------------------


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """Return the parser; it is imported when a text is read first."""
    from markdown_it import MarkdownIt  # noqa: PLC0415 -- 60 ms that a start does not need
    from mdit_py_plugins.admon import admon_plugin  # noqa: PLC0415 -- as above
    from mdit_py_plugins.deflist import deflist_plugin  # noqa: PLC0415 -- as above
    from mdit_py_plugins.footnote import footnote_plugin  # noqa: PLC0415 -- as above

    options = {"maxNesting": MAX_NESTING, "inline_definitions": True}
    parser = MarkdownIt("commonmark", options).enable("table")
    parser.use(footnote_plugin, move_to_end=False).use(deflist_plugin).use(admon_plugin)
    parser.core.ruler.enableOnly(["normalize", "block"])
    interrupts: RuleOptionsType = {
        "alt": ["paragraph", "reference", "blockquote", "list"]
    }
    parser.block.ruler.before("fence", "delimited", _delimited_rule, interrupts)
    parser.block.ruler.before("fence", _DIV, _div_rule, interrupts)
    parser.parse("a")  # compiles the rules, before a second thread uses them
    return parser


def _delimited_rule(
    state: StateBlock, start_line: int, end_line: int, silent: bool
) -> bool:
    """Read `$$` math or a `%%` comment; without its end it is text.

    The plug-in for math cannot interrupt a paragraph.
    """
    first = _line_text(state, start_line)
    mark = first[:2]
    if mark not in {"$$", "%%"} or state.is_code_block(start_line):
        return False
    last = _delimited_end(state, first, start_line, end_line)
    if last is None:
        return False
    if not silent:
        state.line = last + 1
        token = state.push("math" if mark == "$$" else "comment", "", 0)
        token.map, token.markup = [start_line, state.line], mark
    return True


def _delimited_end(
    state: StateBlock, first: str, start_line: int, end_line: int
) -> int | None:
    mark, after = first[:2], first[2:].rstrip()
    if mark in after:
        return start_line if after.endswith(mark) else None
    for line in range(start_line + 1, end_line):
        text = _line_text(state, line)
        is_blank = not text.strip()
        if not is_blank and state.sCount[line] < state.blkIndent:
            return None  # the container ends here
        if mark in text:
            return line
        if is_blank and after and mark == "$$":
            return None  # an amount of money, not a formula
    return None


def _div_rule(state: StateBlock, start_line: int, _: int, silent: bool) -> bool:
    """Read a line that begins or ends a div; its text has no prefix."""
    match = _DIV_LINE.fullmatch(_line_text(state, start_line).rstrip())
    if match is None or state.is_code_block(start_line):
        return False
    if not silent:
        state.line = start_line + 1
        token = state.push(_DIV, "", 0)
        token.map, token.info = [start_line, state.line], match["info"]
        token.markup = ":::"
    return True


def _line_text(state: StateBlock, line: int) -> str:
    start = state.bMarks[line] + state.tShift[line]
    return state.src[start : state.eMarks[line]]
