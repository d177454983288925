"""`writeit.step.*` and `writeit.response.*`: asking models, choosing, joining."""

from __future__ import annotations

from typing import Any

from writeit.domain.operations import lifecycle, select
from writeit.domain.run import Passage, PipelineRun, StepState
from writeit.engine.requests import GenerateStep, MergeWithModel, RegenerateStep
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Command, Handlers, Request
from writeit.lsp.commands.generation import model_selection_for, run_generation
from writeit.lsp.pages.user_edits import UserEdits
from writeit.lsp.shapes import run_to_wire, step_to_wire

# --- `writeit.step.*` and `writeit.response.*`: asking models, choosing, joining ------


async def run_step(request: Request[p.StepRunParams]) -> shapes.WireModel:
    """Ask a step's models; again what failed or was cut."""
    params, folder = request.params, request.folder()
    run = await folder.engine.load_run(params.run_id)
    asked = GenerateStep(
        run_id=params.run_id,
        step=params.step,
        models=await _resolve_model_ids(request, params.models),
        samples=params.samples,
        model_selection=await model_selection_for(request, folder, run),
    )
    return await run_generation(request, folder, asked)


async def regenerate_step(request: Request[p.StepRegenerateParams]) -> shapes.WireModel:
    """Regenerate a step with feedback."""
    params, folder = request.params, request.folder()
    run = await folder.engine.load_run(params.run_id)
    words = await UserEdits.read(
        request.session.documents, folder, params.run_id, params.step
    )
    asked = RegenerateStep(
        run_id=params.run_id,
        step=params.step,
        feedback=words.consume_feedback(params.feedback),
        models=await _resolve_model_ids(request, params.models),
        samples=params.samples,
        model_selection=await model_selection_for(request, folder, run),
    )
    reply = await run_generation(request, folder, asked)
    await words.refresh_page()
    return reply


async def _resolve_model_ids(
    request: Request[Any], models: list[str] | None
) -> tuple[str, ...] | None:
    if models is None:
        return None
    identify = request.session.ports.models.resolve_model_id
    return tuple([await identify(model) for model in models])


async def select_response(
    request: Request[p.StepSelectParams],
) -> shapes.WirePipelineRun:
    """Choose an answer; the step is completed by it."""
    params, folder = request.params, request.folder()
    words = await UserEdits.read(
        request.session.documents, folder, params.run_id, params.step
    )
    content = params.content
    if content is None:
        content = words.consume_answer(params.response)
    run = await folder.engine.execute(
        params.run_id,
        lambda run, at: select.select_response(
            run,
            lifecycle.find_step(run, words.step_name),
            params.response,
            at,
            content=content,
            feedback=words.consume_feedback(params.feedback),
        ),
    )
    await words.refresh_page()
    return run_to_wire(run)


async def add_to_merge(request: Request[p.StepTakeParams]) -> shapes.WireStepState:
    """Take a passage towards the step's merge; allowed while answers stream."""
    params, engine = request.params, request.folder().engine
    passage_id = engine.new_id()

    def verb(run: PipelineRun, at: Any) -> lifecycle.Events:  # noqa: ANN401 -- a datetime
        step = lifecycle.find_step(run, params.step)
        passage = Passage(
            passage_id=passage_id,
            response_id=lifecycle.find_response_id(step, params.response),
            text=params.text,
        )
        return select.add_passage(run, step, passage, at)

    run = await engine.execute(params.run_id, verb)
    return step_to_wire(run, lifecycle.find_step(run, params.step))


async def merge_responses(request: Request[p.StepMergeParams]) -> shapes.WireModel:
    """Join parts: by hand, which completes the step, or by a model."""
    params, folder = request.params, request.folder()
    words = await UserEdits.read(
        request.session.documents, folder, params.run_id, params.step
    )
    content = params.content
    if content is None and not (params.responses or params.passages):
        content = words.consume_merge(keep=params.instruction is not None)
    parts = select.MergeSelection(
        responses=params.responses, passages=params.passages, content=content
    )
    if params.instruction is None:
        run = await folder.engine.execute(
            params.run_id,
            lambda run, at: select.merge_responses(
                run,
                lifecycle.find_step(run, words.step_name),
                parts,
                at,
                words.consume_feedback(params.feedback),
            ),
        )
        await words.refresh_page()
        return run_to_wire(run)
    named = await _resolve_model_ids(request, [params.model] if params.model else None)
    asked = MergeWithModel(
        run_id=params.run_id,
        step=params.step,
        parts=parts,
        instruction=params.instruction,
        model=named[0] if named else None,
        feedback=words.consume_feedback(params.feedback),
        model_selection=await model_selection_for(
            request, folder, await folder.engine.load_run(params.run_id)
        ),
    )
    reply = await run_generation(request, folder, asked)
    await words.refresh_page()
    return reply


async def give_feedback(request: Request[p.StepFeedbackParams]) -> shapes.WireStepState:
    """Say what later prompts should know; of the last step with answers, if unsaid."""
    params = request.params
    run = await request.folder().engine.execute(
        params.run_id,
        lambda run, at: select.give_feedback(
            run, lifecycle.find_answered_step(run, params.step), params.text, at
        ),
    )
    return step_to_wire(run, lifecycle.find_answered_step(run, params.step))


async def skip_step(request: Request[p.StepParams]) -> shapes.WirePipelineRun:
    """Go on without a step."""
    params = request.params
    run = await request.folder().engine.execute(
        params.run_id,
        lambda run, at: select.skip_step(
            run, lifecycle.find_step(run, params.step), at
        ),
    )
    return run_to_wire(run)


async def rate_response(
    request: Request[p.ResponseRateParams],
) -> shapes.WireAIResponse:
    """Note how good the writer finds an answer."""
    params = request.params
    run = await request.folder().engine.execute(
        params.run_id,
        lambda run, at: select.rate_response(
            run,
            lifecycle.find_step(run, params.step),
            params.response,
            params.score,
            at,
        ),
    )
    state: StepState = lifecycle.find_step(run, params.step)
    return shapes.WireAIResponse.model_validate(state.rated_responses[params.response])


# --- `writeit.step.preview`: what a step would send; nothing is sent ------------------


async def preview_prompt(request: Request[p.StepPreviewParams]) -> p.StepPreviewResult:
    """Show a step's prompt, and for each model its fit, cost and destination."""
    params, folder = request.params, request.folder()
    run = await folder.engine.load_run(params.run_id)
    identify = request.session.ports.models.resolve_model_id
    asked = GenerateStep(
        run_id=params.run_id,
        step=params.step,
        models=tuple([await identify(model) for model in params.models or ()]),
        model_selection=await model_selection_for(request, folder, run),
    )
    shown = await folder.engine.preview_step(asked)
    return p.StepPreviewResult.model_validate(shown)


PREVIEW_HANDLERS: Handlers = {
    "writeit.step.preview": Command(
        p.StepPreviewParams, p.StepPreviewResult, preview_prompt
    ),
}


HANDLERS: Handlers = {
    "writeit.step.run": Command(p.StepRunParams, shapes.WireStepState, run_step),
    "writeit.step.regenerate": Command(
        p.StepRegenerateParams, shapes.WireStepState, regenerate_step
    ),
    "writeit.step.select": Command(
        p.StepSelectParams, shapes.WirePipelineRun, select_response
    ),
    "writeit.step.take": Command(p.StepTakeParams, shapes.WireStepState, add_to_merge),
    "writeit.step.merge": Command(
        p.StepMergeParams, shapes.WirePipelineRun, merge_responses
    ),
    "writeit.step.feedback": Command(
        p.StepFeedbackParams, shapes.WireStepState, give_feedback
    ),
    "writeit.step.skip": Command(p.StepParams, shapes.WirePipelineRun, skip_step),
    "writeit.response.rate": Command(
        p.ResponseRateParams, shapes.WireAIResponse, rate_response
    ),
}
