"""The page that compares two texts: what differs word by word, then both in full.

Removed words are ~~struck~~, added words are **bold**. Lines are matched first, so
that long texts are fast. A pair of lines with little in common is not compared by
words: the old line is struck and the new one is added.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal
from uuid import UUID

from writeit.domain.blind import answer_title
from writeit.domain.operations.lifecycle import find_step
from writeit.domain.run import PipelineRun
from writeit.text.diff import most_similar
from writeit.text.lines import LINE_END
from writeit.views import wording
from writeit.views.escape import escape_inline, escape_line, join_blocks
from writeit.views.section_markers import PageParts, SectionText
from writeit.views.step import require_content, require_response
from writeit.views.uris import ComparedSide

LineWords = tuple[str, ...]

_BLOCK_SYNTAX = re.compile(r"^(?:#{1,6}(?=\s)|[=-]+$)")
_LOOKAHEAD_LINES = 8
"""How many lines ahead the match of a line may be."""
_AUTOJUNK_WORDS = 1_000
"""In longer lines the commonest words are not matched, which bounds the time."""
_MIN_UNCHANGED_WORDS = 3
"""Fewer unchanged words between two changes are shown as part of the change."""
_CONTEXT_LINES = 1
"""Unchanged lines shown on each side of a change."""


@dataclass(frozen=True, slots=True)
class DiffSpan:
    """Words that are unchanged, removed or added."""

    old: LineWords
    new: LineWords

    @property
    def is_unchanged(self) -> bool:
        """Whether these words are in both texts."""
        return self.old == self.new


@dataclass(frozen=True, slots=True)
class DiffLine:
    """A line of the combined texts."""

    spans: tuple[DiffSpan, ...]
    starts_paragraph: bool
    """Whether it is the first line of a paragraph."""


@dataclass(frozen=True, slots=True)
class TextDiff:
    """The differences between two texts."""

    lines: tuple[DiffLine, ...]
    removed_words: int
    added_words: int
    unchanged_words: int

    @property
    def is_related(self) -> bool:
        """Whether the texts are similar enough to be two versions of one text."""
        return self.unchanged_words >= min(self.removed_words, self.added_words)


def compare_words(left: str, right: str) -> TextDiff:
    """Compare two texts by words."""
    old, new = _split_words_by_line(left), _split_words_by_line(right)
    lines: list[DiffLine] = []
    for tag, a, b, c, d in SequenceMatcher(
        None, [words for words, _ in old], [words for words, _ in new], autojunk=False
    ).get_opcodes():
        if tag == "equal":
            lines += [DiffLine((DiffSpan(w, w),), blank) for w, blank in new[c:d]]
        else:
            lines += _align_lines(old[a:b], new[c:d])
    spans = [span for line in lines for span in line.spans]
    changes = [span for span in spans if not span.is_unchanged]
    return TextDiff(
        lines=tuple(lines),
        removed_words=sum(len(span.old) for span in changes),
        added_words=sum(len(span.new) for span in changes),
        unchanged_words=sum(len(span.old) for span in spans if span.is_unchanged),
    )


def summary(diff: TextDiff) -> str:
    """Return a sentence that says how much differs."""
    if not diff.removed_words and not diff.added_words:
        return "The two texts have the same words."
    if not diff.is_related:
        return "The two texts have little in common, so both are shown in full."
    return (
        f"{wording.count_of(diff.removed_words, 'word')} ~~removed~~,"
        f" {wording.count_of(diff.added_words, 'word')} **added**,"
        f" {wording.count_of(diff.unchanged_words, 'word')} unchanged."
    )


def as_markdown(diff: TextDiff) -> str:
    """Return the differences as markdown, without long unchanged passages."""
    shown, left_out = "", 0
    for line, near in zip(diff.lines, _are_in_context(diff.lines), strict=True):
        if not near:
            left_out += 1
            continue
        shown += _omission_note(left_out)
        shown += "\n\n" if line.starts_paragraph or left_out else "\n"
        shown += _line_markdown(line)
        left_out = 0
    return (shown + _omission_note(left_out)).strip("\n")


def _split_words_by_line(text: str) -> list[tuple[LineWords, bool]]:
    """Return the words of each filled line, and whether a blank line precedes it."""
    lines: list[tuple[LineWords, bool]] = []
    blank = True
    for line in LINE_END.split(text):
        if words := tuple(line.split()):
            lines.append((words, blank))
        blank = not words
    return lines


def _align_lines(
    old: Sequence[tuple[LineWords, bool]], new: Sequence[tuple[LineWords, bool]]
) -> Iterator[DiffLine]:
    """Pair each changed line with the most similar one of the next new lines."""
    position = 0
    for text, blank in old:
        ahead = new[position : position + _LOOKAHEAD_LINES]
        match = most_similar(Counter(text), (Counter(words) for words, _ in ahead))
        if match is None:
            yield DiffLine((DiffSpan(text, ()),), blank)
            continue
        yield from (DiffLine((DiffSpan((), w),), b) for w, b in ahead[:match])
        words, starts_paragraph = ahead[match]
        yield DiffLine(tuple(_diff_line_words(text, words)), starts_paragraph)
        position += match + 1
    yield from (DiffLine((DiffSpan((), w),), b) for w, b in new[position:])


def _diff_line_words(old: LineWords, new: LineWords) -> list[DiffSpan]:
    many = max(len(old), len(new)) > _AUTOJUNK_WORDS
    matcher = SequenceMatcher(None, old, new, autojunk=many)
    return _merge_short_gaps(
        [DiffSpan(old[a:b], new[c:d]) for _, a, b, c, d in matcher.get_opcodes()]
    )


def _merge_short_gaps(spans: list[DiffSpan]) -> list[DiffSpan]:
    """Merge changes with only a few unchanged words between them."""
    merged: list[DiffSpan] = []
    for index, span in enumerate(spans):
        is_gap = index < len(spans) - 1 and len(span.old) < _MIN_UNCHANGED_WORDS
        if merged and not merged[-1].is_unchanged and (is_gap or not span.is_unchanged):
            last = merged.pop()
            merged.append(DiffSpan(last.old + span.old, last.new + span.new))
        else:
            merged.append(span)
    return merged


def _are_in_context(lines: Sequence[DiffLine]) -> list[bool]:
    changed = [any(not s.is_unchanged for s in line.spans) for line in lines]
    return [
        any(changed[max(0, index - _CONTEXT_LINES) : index + _CONTEXT_LINES + 1])
        for index in range(len(changed))
    ]


def _omission_note(omitted_lines: int) -> str:
    if not omitted_lines:
        return ""
    return f"\n\n*… {wording.count_of(omitted_lines, 'unchanged line')} …*"


def _line_markdown(line: DiffLine) -> str:
    text = " ".join(part for span in line.spans for part in _span_markdown(span))
    return _BLOCK_SYNTAX.sub(r"\\\g<0>", text)


def _span_markdown(span: DiffSpan) -> Iterator[str]:
    old, new = escape_inline(" ".join(span.old)), escape_inline(" ".join(span.new))
    if span.is_unchanged:
        yield old
        return
    if old:
        yield f"~~{old}~~"
    if new:
        yield f"**{new}**"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedText:
    """One of two compared texts, with its labels."""

    title: str
    """The step, the answer and its model."""
    run_label: str
    """The name of its run."""
    text: str


def read_compared_text(run: PipelineRun, side: ComparedSide) -> ComparedText:
    """Return a text of `run`.

    Raises:
        NotFound: the step, the answer or the chosen text does not exist.
    """
    state = find_step(run, side.step)
    run_label = wording.run_label(run)
    if not isinstance(side.response, UUID):
        title = f"{side.step} · {wording.run_in_family(run)}"
        return ComparedText(
            title=title, run_label=run_label, text=require_content(state)
        )
    answer = require_response(state, side.response)
    title = answer_title(state, answer.response_id, answer.model)
    return ComparedText(
        title=f"{side.step}, answer {title}",
        run_label=run_label,
        text=answer.processed_content,
    )


def compare_steps(left: PipelineRun, right: PipelineRun) -> dict[str, bool]:
    """Return the steps with a text in both runs, True where the texts are equal.

    The steps before the runs part are left out.
    """
    names = [name for name in right.steps if name in left.steps]
    equal = {
        name: left.steps[name].content == right.steps[name].content
        for name in names
        if None not in {left.steps[name].content, right.steps[name].content}
    }
    parting = {run.branch_point for run in (left, right)}
    parting |= {name for name, is_equal in equal.items() if not is_equal}
    first = min((names.index(name) for name in names if name in parting), default=0)
    return {name: equal[name] for name in names[first:] if name in equal}


def first_difference(steps: Mapping[str, bool]) -> str | None:
    """Return the step that a comparison begins with: the first one that differs.

    If all are equal it is the first of them; None if there is none.
    """
    different = (name for name, is_equal in steps.items() if not is_equal)
    return next(different, next(iter(steps), None))


def comparison_parts(
    left: ComparedText, right: ComparedText, steps: Mapping[str, bool] | None = None
) -> PageParts:
    """Return the page that compares two texts, `left` being the older one.

    `steps` are those of two runs, as `compare_steps` returns them.
    """
    diff = compare_words(left.text, right.text)
    changed = diff.is_related and (diff.removed_words or diff.added_words)
    head = join_blocks(
        f"# {escape_inline(left.title)} → {escape_inline(right.title)}",
        _run_labels(left, right),
        _step_labels(steps or {}),
        "The two texts are equal." if left.text == right.text else summary(diff),
        as_markdown(diff) if changed else "",
    )
    return [
        f"{head}\n",
        *_full_text_parts("left", "Before", left),
        *_full_text_parts("right", "After", right),
    ]


def _step_labels(steps: Mapping[str, bool]) -> str:
    """Say whether each is equal: "angles: equal · draft: differs"."""
    return " · ".join(f"{n}: {'equal' if e else 'differs'}" for n, e in steps.items())


def _run_labels(left: ComparedText, right: ComparedText) -> str:
    if left.run_label == right.run_label:
        return escape_line(left.run_label)
    return f"{escape_line(left.run_label)} → {escape_inline(right.run_label)}"


def _full_text_parts(
    side: Literal["left", "right"], name: str, compared_text: ComparedText
) -> tuple[str, SectionText]:
    heading = f"## {name}: {escape_inline(compared_text.title)}"
    head = join_blocks("---", heading, wording.text_length(compared_text.text))
    return f"\n{head}\n\n", SectionText(side, compared_text.text)
