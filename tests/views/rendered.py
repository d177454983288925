"""Pages as files have them: with markers around their texts."""

from uuid import UUID

from writeit.domain.run import PipelineRun
from writeit.views import compare, step
from writeit.views.compare import ComparedText
from writeit.views.section_markers import assemble_page
from writeit.views.step import response_parts


def render_step(run: PipelineRun, name: str, description: str = "") -> str:
    """A step's."""
    return assemble_page(step.step_parts(run, name, description=description))


def render_response(run: PipelineRun, name: str, response_id: UUID) -> str:
    """An answer's."""
    return assemble_page(response_parts(run, name, response_id))


def render_compare(left: ComparedText, right: ComparedText) -> str:
    """A comparison's."""
    return assemble_page(compare.comparison_parts(left, right))
