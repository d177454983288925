"""`writeit.step.*` and `writeit.response.*`: asking models, choosing, joining."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.core import decide
from writeit.core.run import Passage
from writeit.engine.requests import Ask, AskAnew, AskToJoin
from writeit.lsp import protocol as p
from writeit.lsp.asking import ask, wishes_for
from writeit.lsp.dispatch import Command, Request, folder_of_run
from writeit.lsp.shapes import as_run, as_step
from writeit.lsp.written import Words

if TYPE_CHECKING:
    from writeit.core.run import PipelineRun, StepState


async def run_step(request: Request[p.StepRunParams]) -> p.Wire:
    """Ask a step's models; again what failed or was cut."""
    params, folder = request.params, folder_of_run(request)
    run = await folder.engine.show(params.run_id)
    asked = Ask(
        run_id=params.run_id,
        step=params.step,
        models=await _named(request, params.models),
        samples=params.samples,
        wishes=await wishes_for(request, folder, run),
    )
    return await ask(request, folder, asked)


async def regenerate(request: Request[p.StepRegenerateParams]) -> p.Wire:
    """Ask a step anew, with what to change about its answer."""
    params, folder = request.params, folder_of_run(request)
    run = await folder.engine.show(params.run_id)
    words = await Words.of(request, folder)
    asked = AskAnew(
        run_id=params.run_id,
        step=params.step,
        feedback=words.feedback(params.feedback),
        models=await _named(request, params.models),
        samples=params.samples,
        wishes=await wishes_for(request, folder, run),
    )
    reply = await ask(request, folder, asked)
    await words.used()
    return reply


async def _named(
    request: Request[Any], models: list[str] | None
) -> tuple[str, ...] | None:
    if models is None:
        return None
    identify = request.connection.world.models.identify
    return tuple([await identify(model) for model in models])


async def select(request: Request[p.StepSelectParams]) -> p.PipelineRun:
    """Choose an answer; the step is completed by it."""
    params, folder = request.params, folder_of_run(request)
    words = await Words.of(request, folder)
    content = params.content
    if content is None:
        content = words.answer(params.response)
    run = await folder.engine.decide(
        params.run_id,
        lambda run, at: decide.select(
            run,
            decide.step_of(run, words.step),
            params.response,
            at,
            content=content,
            feedback=words.feedback(params.feedback),
        ),
    )
    await words.used()
    return as_run(run)


async def take(request: Request[p.StepTakeParams]) -> p.StepState:
    """Take a passage towards the step's merge; allowed while answers stream."""
    params, engine = request.params, folder_of_run(request).engine
    passage_id = engine.new_id()

    def verb(run: PipelineRun, at: Any) -> decide.Events:  # noqa: ANN401 -- a datetime
        step = decide.step_of(run, params.step)
        passage = Passage(
            passage_id=passage_id,
            response_id=decide.response_id_of(step, params.response),
            text=params.text,
        )
        return decide.take(run, step, passage, at)

    run = await engine.decide(params.run_id, verb)
    return as_step(run, decide.step_of(run, params.step))


async def merge(request: Request[p.StepMergeParams]) -> p.Wire:
    """Join parts: by hand, which completes the step, or by a model."""
    params, folder = request.params, folder_of_run(request)
    words = await Words.of(request, folder)
    content = params.content
    if content is None and not (params.responses or params.passages):
        content = words.merge(stays=params.instruction is not None)
    parts = decide.Parts(
        responses=params.responses, passages=params.passages, content=content
    )
    if params.instruction is None:
        run = await folder.engine.decide(
            params.run_id,
            lambda run, at: decide.merge(
                run,
                decide.step_of(run, words.step),
                parts,
                at,
                words.feedback(params.feedback),
            ),
        )
        await words.used()
        return as_run(run)
    named = await _named(request, [params.model] if params.model else None)
    asked = AskToJoin(
        run_id=params.run_id,
        step=params.step,
        parts=parts,
        instruction=params.instruction,
        model=named[0] if named else None,
        feedback=words.feedback(params.feedback),
        wishes=await wishes_for(
            request, folder, await folder.engine.show(params.run_id)
        ),
    )
    reply = await ask(request, folder, asked)
    await words.used()
    return reply


async def feedback(request: Request[p.StepFeedbackParams]) -> p.StepState:
    """Say what later prompts should know; of the last step with answers, if unsaid."""
    params = request.params
    run = await folder_of_run(request).engine.decide(
        params.run_id,
        lambda run, at: decide.give_feedback(
            run, decide.answered_step_of(run, params.step), params.text, at
        ),
    )
    return as_step(run, decide.answered_step_of(run, params.step))


async def skip(request: Request[p.StepParams]) -> p.PipelineRun:
    """Go on without a step."""
    params = request.params
    run = await folder_of_run(request).engine.decide(
        params.run_id,
        lambda run, at: decide.skip(run, decide.step_of(run, params.step), at),
    )
    return as_run(run)


async def rate(request: Request[p.ResponseRateParams]) -> p.AIResponse:
    """Note how good the writer finds an answer."""
    params = request.params
    run = await folder_of_run(request).engine.decide(
        params.run_id,
        lambda run, at: decide.rate(
            run, decide.step_of(run, params.step), params.response, params.score, at
        ),
    )
    state: StepState = decide.step_of(run, params.step)
    return p.AIResponse.model_validate(state.rated_responses[params.response])


HANDLERS: dict[str, Command[Any]] = {
    "writeit.step.run": Command(p.StepRunParams, p.StepState, run_step),
    "writeit.step.regenerate": Command(p.StepRegenerateParams, p.StepState, regenerate),
    "writeit.step.select": Command(p.StepSelectParams, p.PipelineRun, select),
    "writeit.step.take": Command(p.StepTakeParams, p.StepState, take),
    "writeit.step.merge": Command(p.StepMergeParams, p.PipelineRun, merge),
    "writeit.step.feedback": Command(p.StepFeedbackParams, p.StepState, feedback),
    "writeit.step.skip": Command(p.StepParams, p.PipelineRun, skip),
    "writeit.response.rate": Command(p.ResponseRateParams, p.AIResponse, rate),
}
