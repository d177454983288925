"""Two texts: what differs between them, then both as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from writeit.domain.operations.lifecycle import find_step
from writeit.domain.run import PipelineRun
from writeit.views import wording
from writeit.views.diff import as_markdown, compare_words, summary
from writeit.views.escape import escape_inline, escape_line, join_blocks
from writeit.views.section_markers import PageParts, SectionText
from writeit.views.step import require_content, require_response
from writeit.views.uris import ComparedSide


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedText:
    """One of two texts, and what it is called."""

    title: str
    """Which answer of which step, by whom."""
    run_label: str
    """The run it is of."""
    text: str


def read_compared_text(run: PipelineRun, side: ComparedSide) -> ComparedText:
    """Return a text that the run itself has; `run` is the run it is of.

    Raises:
        NotFound: there is no such step, answer or chosen text.
    """
    state = find_step(run, side.step)
    origin = wording.run_label(run)
    if not isinstance(side.response, UUID):
        title = f"{side.step}, as the next step gets it"
        return ComparedText(title=title, run_label=origin, text=require_content(state))
    answer = require_response(state, side.response)
    number = wording.answer_label(state.ai_responses.index(answer))
    return ComparedText(
        title=f"{side.step}, {number} · {answer.model}",
        run_label=origin,
        text=answer.processed_content,
    )


def comparison_parts(left: ComparedText, right: ComparedText) -> PageParts:
    """Return the view of two texts; the right one is what became of the left."""
    found = compare_words(left.text, right.text)
    changed = found.is_related and (found.removed_words or found.added_words)
    head = join_blocks(
        f"# {escape_inline(left.title)} → {escape_inline(right.title)}",
        _run_labels(left, right),
        summary(found),
        as_markdown(found) if changed else "",
    )
    parts: PageParts = [f"{head}\n"]
    parts += _full_text_parts("left", "Before", left)
    parts += _full_text_parts("right", "After", right)
    return parts


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
