"""Two texts: what differs between them, then both as they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from writeit.core.decide import step_of
from writeit.views import words
from writeit.views.diff import difference, in_markdown, told
from writeit.views.markdown import blocks, inline, line
from writeit.views.markers import Block
from writeit.views.response import answer_of, content_of

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun
    from writeit.views.markers import Parts
    from writeit.views.uris import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One of two texts, and what it is called."""

    title: str
    """Which answer of which step, by whom."""
    origin: str
    """The run it is of."""
    text: str


def compared(run: PipelineRun, side: Side) -> Compared:
    """Return a text that the run itself has; `run` is the run it is of.

    Raises:
        NotFound: there is no such step, answer or chosen text.
    """
    state = step_of(run, side.step)
    origin = words.origin_of(run)
    if not isinstance(side.response, UUID):
        title = f"{side.step}, as the next step gets it"
        return Compared(title=title, origin=origin, text=content_of(state))
    answer = answer_of(state, side.response)
    number = words.answer(state.ai_responses.index(answer))
    return Compared(
        title=f"{side.step}, {number} · {answer.model}",
        origin=origin,
        text=answer.processed_content,
    )


def comparison_parts(left: Compared, right: Compared) -> Parts:
    """Return the view of two texts; the right one is what became of the left."""
    found = difference(left.text, right.text)
    changed = found.related and (found.taken_out or found.put_in)
    head = blocks(
        f"# {inline(left.title)} → {inline(right.title)}",
        _origins(left, right),
        told(found),
        in_markdown(found) if changed else "",
    )
    parts: Parts = [f"{head}\n"]
    parts += _whole("left", "Before", left)
    parts += _whole("right", "After", right)
    return parts


def _origins(left: Compared, right: Compared) -> str:
    if left.origin == right.origin:
        return line(left.origin)
    return f"{line(left.origin)} → {inline(right.origin)}"


def _whole(
    side: Literal["left", "right"], name: str, text: Compared
) -> tuple[str, Block]:
    heading = f"## {name}: {inline(text.title)}"
    head = blocks("---", heading, words.length(text.text))
    return f"\n{head}\n\n", Block(side, text.text)
