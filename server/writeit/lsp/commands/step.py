"""`writeit.step.*`, `writeit.response.*`: generate, choose, merge, give feedback."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any
from uuid import UUID

from writeit.domain.errors import InvalidParams, NotTrusted, WriteItError
from writeit.domain.operations import lifecycle, select
from writeit.domain.run import Passage, PipelineRun, StepState
from writeit.engine.continuing import ContinueResponse
from writeit.engine.limits import TRUST_BUTTON
from writeit.engine.precedence import ModelSelection
from writeit.engine.requests import GenerateStep, GenerationRequest, RegenerateStep
from writeit.engine.streaming import StreamEvent
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Request, command
from writeit.lsp.convert import path_to_uri
from writeit.lsp.fallback_messages import answers_message
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.user_edits import UserEdits
from writeit.lsp.progress import ProgressCounter, StreamSender, WorkDoneProgress
from writeit.lsp.shapes import step_to_wire

# --- commands that call models ---


@command("writeit.step.run")
async def run_step(
    request: Request[p.StepRunParams],
) -> shapes.WireStepState | p.Accepted:
    """Generate a step, or only its failed and incomplete answers."""
    params, folder = request.params, request.folder()
    generation = GenerateStep(
        run_id=params.run_id,
        step=params.step,
        models=await request.resolve_models(params.models),
        samples=params.samples,
        instruction=params.instruction,
        model_selection=await model_selection_for(request, folder, params.run_id),
    )
    return await run_generation(request, folder, generation)


@command("writeit.step.regenerate")
async def regenerate_step(
    request: Request[p.StepRegenerateParams],
) -> shapes.WireStepState | p.Accepted:
    """Regenerate a step with feedback."""
    params, folder = request.params, request.folder()
    edits = await read_user_edits(request, folder)
    generation = RegenerateStep(
        run_id=params.run_id,
        step=params.step,
        feedback=edits.consume_feedback(params.feedback),
        models=await request.resolve_models(params.models),
        samples=params.samples,
        model_selection=await model_selection_for(request, folder, params.run_id),
    )
    reply = await run_generation(request, folder, generation)
    await edits.refresh_page()
    return reply


@command("writeit.step.continue")
async def continue_response(
    request: Request[p.StepContinueParams],
) -> shapes.WireStepState | p.Accepted:
    """Let the model of an incomplete answer write its rest."""
    params, folder = request.params, request.folder()
    generation = ContinueResponse(
        run_id=params.run_id,
        step=params.step,
        response=params.response,
        model_selection=await model_selection_for(request, folder, params.run_id),
    )
    return await run_generation(request, folder, generation)


@command("writeit.step.preview")
async def preview_prompt(request: Request[p.StepPreviewParams]) -> p.StepPreviewResult:
    """Show a step's prompt, and for each model its fit, cost and destination."""
    params, folder = request.params, request.folder()
    generation = GenerateStep(
        run_id=params.run_id,
        step=params.step,
        models=await request.resolve_models(params.models),
        model_selection=await model_selection_for(request, folder, params.run_id),
    )
    preview = await folder.engine.preview_step(generation)
    return p.StepPreviewResult.model_validate(preview)


async def run_generation(
    request: Request[Any],
    folder: WorkspaceFolder,
    generation: GenerationRequest,
    on_answered: Callable[[StepState], Awaitable[None]] | None = None,
) -> shapes.WireStepState | p.Accepted:
    """Generate answers and reply as `wait` says; an error always is the reply.

    `on_answered` runs when all answers have ended, before the client is told.
    """
    client, params = request.session.client, request.params
    stream = StreamSender(client, params.stream_token)
    accepted: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    if params.wait:
        state = await _generate_with_progress(
            request, folder, generation, stream, accepted
        )
        if on_answered is not None:
            await on_answered(state)
        run = await folder.engine.load_run(generation.run_id)
        return step_to_wire(run, run.steps[state.step_name])

    async def work() -> None:
        error: WriteItError | None = None
        try:
            state = await _generate_with_progress(
                request, folder, generation, stream, accepted
            )
            if on_answered is not None:
                await on_answered(state)
            else:
                run = await folder.engine.load_run(generation.run_id)
                message = answers_message(run, state.step_name)
                client.show_fallback_message(message)
        except WriteItError as refused:
            if not accepted.done():
                accepted.set_exception(refused)
                return
            error = refused
            client.show_error(refused)
        finally:
            accepted.cancel()  # has no effect once it is done
        stream.send_ended(generation.run_id, accepted.result(), error)

    client.spawn_task(work())
    step = await asyncio.shield(accepted)
    return p.Accepted(run_id=generation.run_id, step=step)


async def _generate_with_progress(
    request: Request[Any],
    folder: WorkspaceFolder,
    generation: GenerationRequest,
    stream: StreamSender,
    accepted: asyncio.Future[str],
) -> StepState:
    run = await folder.engine.load_run(generation.run_id)
    title = f"WriteIt: {generation.step or run.current_step}"
    client = request.session.client
    async with WorkDoneProgress(client, request.work_done_token, title) as work_done:
        counter = ProgressCounter(work_done)

        def on_event(event: StreamEvent) -> None:
            stream.send_event(event)
            counter.count_event(event)

        try:
            running = await folder.engine.generate(generation, on_event)
        except NotTrusted as error:
            if "wants" in error.data:
                key = (run.configuration_id, run.uri)
                shown = generation.model_selection.untrusted.digests
                folder.trust.shown[key] = shown
            raise
        _say_what_was_not_used(request, generation, run, running.step)
        work_done.on_cancel(running.stop)
        accepted.set_result(running.step)
        return await folder.engine.wait_for_generation(running)


def _say_what_was_not_used(
    request: Request[Any], generation: GenerationRequest, run: PipelineRun, step: str
) -> None:
    """Tell the user that front matter of an untrusted folder named other models."""
    untrusted = generation.model_selection.untrusted
    is_named = getattr(request.params, "models", None) or run.models.get(step)
    names_models = generation.model_selection.models.get(step) and not is_named
    thinks = generation.model_selection.front_matter_reasoning
    if untrusted.front_matter and (names_models or thinks):
        what = "models" if names_models else "settings for reasoning"
        request.session.client.warn_once(
            f"The {what} that {untrusted.front_matter} names were not used: you have"
            f" not trusted its folder. To use them, choose the action {TRUST_BUTTON}."
        )
        folder = request.folder()
        folder.trust.shown[run.configuration_id, run.uri] = untrusted.digests
        uri = path_to_uri(folder.path) if folder.path else None
        request.session.confirmations.add(
            TRUST_BUTTON, "writeit.trust.set", {"trusted": True, "folder": uri}
        )


async def model_selection_for(
    request: Request[Any], folder: WorkspaceFolder, run_id: UUID
) -> ModelSelection:
    """Return what front matter, settings and preferences say about a run's models."""
    run = await folder.engine.load_run(run_id)
    return await folder.model_selection(
        run,
        confirmed=getattr(request.params, "confirmed", False),
        reasoning=getattr(request.params, "reasoning", None),
    )


async def read_user_edits(request: Request[Any], folder: WorkspaceFolder) -> UserEdits:
    """Return what the user typed into the page of the step of a command."""
    params = request.params
    return await UserEdits.read(folder, params.run_id, params.step)


# --- commands that decide ---


async def _execute_on_step(
    request: Request[Any],
    operation: Callable[[PipelineRun, StepState, datetime], lifecycle.Events],
    find_step: Callable[[PipelineRun, str | None], StepState] = lifecycle.find_step,
) -> tuple[PipelineRun, StepState]:
    """Execute an operation on the named step; return the run and that step."""
    params = request.params
    run = await request.folder().engine.execute(
        params.run_id, lambda run, at: operation(run, find_step(run, params.step), at)
    )
    return run, find_step(run, params.step)


@command("writeit.step.take")
async def add_to_merge(request: Request[p.StepTakeParams]) -> shapes.WireStepState:
    """Add a passage to the step's merge; allowed while answers stream."""
    params = request.params
    select.check_passage(params.text)
    passage_id = request.folder().engine.new_id()

    def add(run: PipelineRun, step: StepState, at: datetime) -> lifecycle.Events:
        passage = Passage(
            passage_id=passage_id,
            response_id=lifecycle.find_response_id(step, params.response),
            text=params.text,
        )
        return select.add_passage(run, step, passage, at)

    run, step = await _execute_on_step(request, add)
    return step_to_wire(run, step)


@command("writeit.step.draft")
async def save_draft(request: Request[p.StepDraftParams]) -> p.StepDraftResult:
    """Keep what the user types in a step until a decision takes it."""
    params, folder = request.params, request.folder()
    step = lifecycle.find_step(await folder.engine.load_run(params.run_id), params.step)
    place: str = params.kind
    if (params.kind == "answer") != (params.response is not None):
        raise InvalidParams(
            "A draft of an answer needs `response`, and no other draft has it.",
            hint="Name the answer by its id or its index.",
            problems=[{"path": "response", "message": "belongs to kind answer"}],
        )
    if params.response is not None:
        place = str(lifecycle.find_response_id(step, params.response))
    text, replaces = params.text, params.replaces
    newer = await folder.store.save_draft(
        params.run_id, step.step_name, place, text, replaces
    )
    if newer is None:
        folder.listener.notify_run_changed(params.run_id)
    return p.StepDraftResult(saved=newer is None and bool(text.strip()), newer=newer)


@command("writeit.step.feedback")
async def give_feedback(request: Request[p.StepFeedbackParams]) -> shapes.WireStepState:
    """Set the feedback for later prompts; by default of the last step with answers."""
    run, step = await _execute_on_step(
        request,
        lambda run, step, at: select.give_feedback(run, step, request.params.text, at),
        lifecycle.find_answered_step,
    )
    return step_to_wire(run, step)


@command("writeit.response.stop")
async def stop_response(
    request: Request[p.ResponseStopParams],
) -> shapes.WireStepState:
    """Stop one answer; the others go on, and what it has is kept."""
    params = request.params
    engine = request.folder().engine
    step = await engine.stop_response(params.run_id, params.response_id)
    run = await engine.load_run(params.run_id)
    return step_to_wire(run, run.steps[step])


@command("writeit.response.rate")
async def rate_response(
    request: Request[p.ResponseRateParams],
) -> shapes.WireAIResponse:
    """Rate an answer, from 0 to 1."""
    response, score = request.params.response, request.params.score
    run, step = await _execute_on_step(
        request,
        lambda run, step, at: select.rate_response(run, step, response, score, at),
    )
    index = lifecycle.find_response_index(step, response)
    return step_to_wire(run, step).ai_responses[index]
