"""The page that compares two texts: what differs, then both in full."""

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
        title = f"{side.step}, as the next step gets it"
        return ComparedText(
            title=title, run_label=run_label, text=require_content(state)
        )
    answer = require_response(state, side.response)
    number = wording.answer_label(state.ai_responses.index(answer))
    return ComparedText(
        title=f"{side.step}, {number} · {answer.model}",
        run_label=run_label,
        text=answer.processed_content,
    )


def comparison_parts(left: ComparedText, right: ComparedText) -> PageParts:
    """Return the page that compares two texts, `left` being the older one."""
    diff = compare_words(left.text, right.text)
    changed = diff.is_related and (diff.removed_words or diff.added_words)
    head = join_blocks(
        f"# {escape_inline(left.title)} → {escape_inline(right.title)}",
        _run_labels(left, right),
        summary(diff),
        as_markdown(diff) if changed else "",
    )
    return [
        f"{head}\n",
        *_full_text_parts("left", "Before", left),
        *_full_text_parts("right", "After", right),
    ]


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
