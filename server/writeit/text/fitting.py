"""Puts an answer in the place of a passage, or after it.

An answer gets the marks of the passage's containers, whether the model left them out or
not. A line that it kept has its own marks and line end; a new line has those of its
neighbors. At last the blocks around the passage are read again: if they have changed,
the answer does not fit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from writeit.text.answer_forms import (
    ITEM_MARKER,
    WrongFormError,
    is_list,
    marker_of,
    next_marker,
    own_markers,
    to_cell_text,
    to_code,
    to_heading_text,
    to_rows,
    with_item_markers,
    with_markers,
    without_prefixes,
)
from writeit.text.block_reader import read_blocks
from writeit.text.blocks import Block, MarkdownBlocks, table_cells
from writeit.text.diff import match_sequences
from writeit.text.lines import LINE_END, line_end, split_lines
from writeit.text.passage import (
    TAB_STOP,
    SelectedPassage,
    passage_at,
)

Misfit = Literal["container", "unfit"]
"""Why an answer is not applied: its container cannot hold it, or the blocks around the
passage would change."""


_FAR_REACHING = ("%%", "$$", ":::", "<")
"""Marks whose end, in the rest of the text, may make something else of a passage."""


@dataclass(frozen=True, slots=True)
class FittedText:
    """The whole text with an answer in it."""

    text: str
    misfit: Misfit | None = None
    """Why it must not be applied, if it must not."""


def replace_passage(passage: SelectedPassage, answer: str) -> FittedText:
    """Return the text with an answer instead of the passage."""
    old, new = (LINE_END.split(text.strip()) for text in (passage.content, answer))
    if old == new:
        return FittedText(passage.text)
    return _fit_nearby(passage, answer, _replace)


def _replace(passage: SelectedPassage, answer: str) -> FittedText:
    lines = LINE_END.split(answer.strip())
    return _first_fitting(
        passage, _replacements(passage, lines), lambda: _place(passage, lines)
    )


def continue_passage(passage: SelectedPassage, answer: str) -> FittedText:
    """Return the text with an answer after the passage, in the same containers."""
    return _fit_nearby(passage, answer, _continue)


def _continue(passage: SelectedPassage, answer: str) -> FittedText:
    text, end = passage.text, passage.end
    if passage.start < end or passage.leaf:
        passage = _last_character(passage_at(text, passage.blocks, end - 1, end))
    candidates = _continuations(passage, LINE_END.split(answer.strip()))
    return _first_fitting(passage, candidates, lambda: text[:end] + answer + text[end:])


def _fit_nearby(
    passage: SelectedPassage,
    answer: str,
    fit: Callable[[SelectedPassage, str], FittedText],
) -> FittedText:
    """Fit an answer into the blocks next to the passage: a book takes a second."""
    before, after = 0, len(passage.blocks.lines)
    if not any(mark in answer for mark in _FAR_REACHING):
        blocks = passage.blocks.root.children
        above = [block for block in blocks if block.lines.stop <= passage.first]
        below = [block for block in blocks if block.lines.start > passage.last]
        before = above[-1].lines.start if above else before
        after = below[1].lines.stop if below[1:] else after
    start, stop = passage.blocks.offsets[before], passage.blocks.offsets[after]
    text = passage.text[start:stop]
    here = (passage.start - start, passage.end - start)
    fitted = fit(passage_at(text, read_blocks(text), *here), answer)
    whole = passage.text[:start] + fitted.text + passage.text[stop:]
    return FittedText(whole, fitted.misfit)


def _last_character(passage: SelectedPassage) -> SelectedPassage:
    """Return the end of the passage; of a heading or of table rows, of the block."""
    if passage.form not in {"line", "rows"} or passage.leaf is None:
        return passage
    end = passage.line_stop(passage.leaf.lines.stop - 1)
    return replace(passage, start=end - 1, end=end, form="blocks", leaf=None)


def _first_fitting(
    passage: SelectedPassage, candidates: Iterable[str], as_it_is: Callable[[], str]
) -> FittedText:
    """Return the first candidate that keeps what is around the passage.

    If an answer has the wrong form, it is shown as it is.
    """
    first = None
    try:
        for candidate in candidates:
            if _keeps_surroundings(passage, candidate):
                return FittedText(candidate)
            first = first or candidate
    except WrongFormError:
        return FittedText(as_it_is(), "container")
    return FittedText(first or as_it_is(), "unfit")


# --- the forms of an answer -----------------------------------------------------------


def _replacements(passage: SelectedPassage, lines: list[str]) -> Iterator[str]:
    """Yield the text with the answer, in the likeliest way first."""
    plain = without_prefixes(passage, lines)
    match passage.form:
        case "line":
            yield _place(passage, [to_heading_text(plain)])
        case "cell":
            yield _place(passage, [to_cell_text(passage, plain)])
        case "rows":
            yield _place(passage, to_rows(passage, plain))
        case "code":
            yield _place(passage, to_code(passage, plain))
        case "blocks":
            if (siblings := _as_siblings(passage, lines)) is not None:
                yield siblings
            marked = with_item_markers(passage, plain)
            yield _place(passage, with_markers(marked, own_markers(passage)))
            yield _place(passage, plain)


# --- lists ----------------------------------------------------------------------------


def _as_siblings(passage: SelectedPassage, lines: list[str]) -> str | None:
    """Return the text with an answer of several items instead of the one item."""
    item = passage.inner
    if item is None or item.kind != "item" or not is_list(lines):
        return None
    if sum(bool(ITEM_MARKER.match(line)) for line in lines) < len("ab"):
        return None  # it has the marker of the one item
    is_whole = (
        passage.covers(item)
        and passage.start == passage.content_start(passage.first)
        and passage.end == passage.line_stop(passage.last)
    )
    if not is_whole:
        return None
    outer = passage.without_inner()
    outer = replace(outer, start=outer.content_start(outer.first))
    return _place(outer, with_markers(lines, [marker_of(outer, item)]))


# --- after the passage ----------------------------------------------------------------


def _continuations(passage: SelectedPassage, lines: list[str]) -> Iterator[str]:
    text, end = passage.text, passage.end
    if passage.form == "cell":
        separator = " " if passage.start < end else ""
        new = separator + to_cell_text(passage, lines)
        yield text[:end] + new + text[end:]
        return
    eol, prefix = _line_end_at(passage, passage.last), passage.continuation()
    if passage.start == passage.end:
        separator = ""
    elif _goes_on(passage):
        separator = " "
    else:
        separator = eol + prefix.rstrip() + eol + prefix
        item = passage.inner
        if item is not None and item.kind == "item" and is_list(lines):
            outer = passage.without_inner()
            more = with_markers(lines, [next_marker(marker_of(outer, item))])
            between = eol + outer.continuation()
            added = _joined(more, outer.continuation(), eol)
            yield text[:end] + between + added + text[end:]
    plain = without_prefixes(passage, lines) if passage.form == "blocks" else lines
    yield text[:end] + separator + _joined(plain, prefix, eol) + text[end:]


def _goes_on(passage: SelectedPassage) -> bool:
    """Whether the paragraph goes on after the passage."""
    line = passage.last
    if passage.text[passage.end : passage.line_stop(line)].strip():
        return True
    chain = passage.blocks.chain(line)
    return (
        bool(chain)
        and chain[-1].kind == "paragraph"
        and chain[-1].lines.stop > line + 1
    )


# --- lines ----------------------------------------------------------------------------


def _joined(lines: Sequence[str], prefix: str, end: str) -> str:
    """Return lines with a prefix before all but the first."""
    blank = prefix.rstrip()
    return end.join(
        line if n == 0 else (prefix + line if line.strip() else blank)
        for n, line in enumerate(lines)
    )


def _line_end_at(passage: SelectedPassage, line: int) -> str:
    """Return the line end of the nearest line that has one, LF if none has."""
    lines = passage.blocks.lines
    nearest = (*lines[line : line + 1], *lines[max(line - 1, 0) : line], *lines[:1])
    return next((end for near in nearest if (end := line_end(near))), "\n")


def _place(passage: SelectedPassage, new: list[str]) -> str:
    """Return the text with lines instead of the passage's, with prefixes and ends."""
    old, first = passage.content_lines(), passage.first
    ends = [line_end(line) for line in passage.blocks.lines[first : passage.last]]
    kept = _kept_lines(old, new)
    standard = passage.continuation()
    default = _line_end_at(passage, first if ends else passage.last)
    placed = ""
    for n, (source, end) in enumerate(_sources_and_ends(kept, len(new), ends, default)):
        if n:
            own = passage.prefix(first + source) if source else ""
            follows = kept.get(n) == source == kept.get(n - 1, -1) + 1
            if source and (follows or (new[n].strip() and _is_whole(own, standard))):
                placed += own
            else:
                placed += standard if new[n].strip() else standard.rstrip()
        placed += new[n] + end
    return passage.text[: passage.start] + placed + passage.text[passage.end :]


def keep_line_ends(old: str, new: str) -> str:
    """Return a new text in which each line that `old` has ends as it does there.

    A line that is not in `old` ends as the line before it.
    """
    lines, new_lines = split_lines(old), LINE_END.split(new)
    ends = [line_end(line) for line in lines]
    kept = _kept_lines([line.rstrip("\r\n") for line in lines], new_lines)
    default = next((end for end in ends if end), "\n")
    pieces = _sources_and_ends(kept, len(new_lines), ends, default)
    return "".join(line + end for line, (_, end) in zip(new_lines, pieces, strict=True))


def _kept_lines(old: list[str], new: list[str]) -> dict[int, int]:
    return {j: i for i, j in match_sequences(old, new)}


def _sources_and_ends(
    kept: dict[int, int], count: int, ends: Sequence[str], default: str
) -> Iterator[tuple[int | None, str]]:
    """Yield the old line that each new one is instead of, and its line end."""
    end = default
    for n, source in enumerate(_counterparts(kept, len(ends) + 1, count)):
        if source is not None and source < len(ends):
            end = ends[source] or end
        yield source, end if n < count - 1 else ""


def _counterparts(kept: dict[int, int], old: int, new: int) -> list[int | None]:
    """Return the old line that each new one is instead of, None if it is inserted."""
    counterparts: list[int | None] = []
    after_last, limit = 0, [old] * (new + 1)
    for n in reversed(range(new)):
        limit[n] = kept.get(n, limit[n + 1])
    for n in range(new):
        source = kept.get(n, after_last if after_last < limit[n] else None)
        counterparts.append(source)
        after_last = after_last if source is None else source + 1
    return counterparts


def _is_whole(own: str, standard: str) -> bool:
    """Whether a prefix is that of a line that is no lazy continuation."""
    own, standard = own.expandtabs(TAB_STOP), standard.expandtabs(TAB_STOP)
    return own.count(">") == standard.count(">") and len(own.rpartition(">")[2]) >= (
        len(standard.rpartition(">")[2]) - (">" in standard)
    )


# --- what is around the passage -------------------------------------------------------


def _keeps_surroundings(passage: SelectedPassage, text: str) -> bool:
    """Whether the blocks around the passage are the same in `text`."""
    if text == passage.text:
        return True
    blocks = read_blocks(text)
    added = len(blocks.lines) - len(passage.blocks.lines)
    last = passage.last + added
    if last < passage.first:
        return False
    kinds = [block.kind for block in passage.containers]
    for line in range(passage.first, last + 1):
        if blocks.lines[line].strip():
            around = [b.kind for b in blocks.containers(line)][: len(kinds)]
            if around != kinds:
                return False
    return _shape(passage, passage.blocks, passage.last) == _shape(
        passage, blocks, last
    )


def _kind_of(block: Block) -> tuple[str, ...]:
    callout = block.info if block.kind == "quote" else ""
    return block.kind, str(block.level), block.markup, callout


def _shape(passage: SelectedPassage, blocks: MarkdownBlocks, last: int) -> list[object]:
    """Return the blocks before and after the passage, comparable between texts."""
    first, count = passage.first, len(blocks.lines)

    def anchored(line: int) -> int | None:
        """Count from the end of the text below the passage; None for a line in it."""
        if line <= first:
            return line
        return line - count if line > last + 1 else None

    shape: list[object] = [
        (b.kind, b.level, anchored(b.lines.start), anchored(b.lines.stop))
        for b in blocks.root.walk()
        if not first <= b.lines.start <= last
    ]
    before = passage.text[passage.content_start(first) : passage.start]
    after = passage.text[passage.end : passage.line_stop(passage.last)]
    for line, is_shared in ((first, before), (last, after), (last + 1, "next")):
        if is_shared.strip():
            shape.append([_kind_of(block) for block in blocks.chain(line)])
    if passage.form == "cell":
        shape.append(len(table_cells(blocks.lines[first])))
    return shape
