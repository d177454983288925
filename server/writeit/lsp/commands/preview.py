"""`writeit.step.preview`: what a step would send; nothing is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.engine.requests import Ask
from writeit.lsp import protocol as p
from writeit.lsp.asking import wishes_for
from writeit.lsp.dispatch import Command, folder_of_run

if TYPE_CHECKING:
    from writeit.lsp.dispatch import Request


async def preview(request: Request[p.StepPreviewParams]) -> p.StepPreviewResult:
    """Show a step's prompt, and for each model its fit, cost and destination."""
    params, folder = request.params, folder_of_run(request)
    run = await folder.engine.show(params.run_id)
    identify = request.connection.world.models.identify
    asked = Ask(
        run_id=params.run_id,
        step=params.step,
        models=tuple([await identify(model) for model in params.models or ()]),
        wishes=await wishes_for(request, folder, run),
    )
    shown = await folder.engine.preview(asked)
    return p.StepPreviewResult.model_validate(shown)


HANDLERS: dict[str, Command[Any]] = {
    "writeit.step.preview": Command(p.StepPreviewParams, p.StepPreviewResult, preview),
}
