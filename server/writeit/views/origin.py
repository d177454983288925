"""Where a passage in the writer's document comes from, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.views import words
from writeit.views.markdown import blocks, inline, shortened

if TYPE_CHECKING:
    from writeit.core.run import Applied, PipelineRun, StepState

_LONGEST = 160


def render_origin(run: PipelineRun, applied: Applied) -> str:
    """Say which run and step a passage is of, who wrote it, and what it was told."""
    step = run.steps[applied.step]
    return (
        blocks(
            f"**{inline(words.origin_of(run))}**, {step.step_name}",
            f"{_authors(step)}.",
            _style(run),
            _told(step),
            f"In the document since {words.moment(applied.at)}.",
        )
        + "\n"
    )


def _authors(step: StepState) -> str:
    known = {answer.response_id: answer for answer in step.ai_responses}
    if step.user_selection is not None:
        answer = step.ai_responses[step.user_selection]
        cost = words.cost(
            answer.usage_stats.cost_usd, estimated=answer.usage_stats.estimated
        )
        said = f"{words.sentence(words.answer(step.user_selection))[:-1]} by"
        reworded = ", in your wording" if step.edited_content is not None else ""
        return f"{said} {inline(answer.model)}{reworded} · {cost}"
    merged = [
        known[part.response_id]
        for part in step.merged_from
        if part.response_id in known
    ]
    names = list(dict.fromkeys(inline(answer.model) for answer in merged))
    if not names:
        return "Written by you"
    total = words.total(words.spent(dict.fromkeys(merged)))
    return f"Merged by you from {words.listed(names)}" + (
        f" · {total}" if total else ""
    )


def _style(run: PipelineRun) -> str:
    if run.primer is None:
        return ""
    return f"In the style of {run.primer.primer_id} ({run.primer.version})."


def _told(step: StepState) -> str:
    if not step.user_feedback:
        return ""
    return f"You said: “{inline(shortened(step.user_feedback, _LONGEST))}”"
