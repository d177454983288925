"""Pages as files have them: with markers around their texts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.views import compare, response, step
from writeit.views.markers import assembled

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.run import PipelineRun
    from writeit.views.compare import Compared


def render_step(run: PipelineRun, name: str, description: str = "") -> str:
    """A step's."""
    return assembled(step.step_parts(run, name, description=description))


def render_response(run: PipelineRun, name: str, response_id: UUID) -> str:
    """An answer's."""
    return assembled(response.response_parts(run, name, response_id))


def render_compare(left: Compared, right: Compared) -> str:
    """A comparison's."""
    return assembled(compare.comparison_parts(left, right))
