"""`writeit.run.start`, `run.refresh` and the decisions on a step: what goes on.

The decision is committed first and alone. With `goOn` the next step is generated then,
or the text of the last one applied; whatever prevents that undoes nothing.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from lsprotocol import types

from writeit.domain.errors import InvalidParams, WriteItError
from writeit.domain.operations import lifecycle, select
from writeit.domain.run import PipelineRun
from writeit.engine.requests import GenerateStep, MergeWithModel
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import HANDLERS, Request, command
from writeit.lsp.commands.document import apply_step_text
from writeit.lsp.commands.run import create_run, read_source
from writeit.lsp.commands.step import (
    model_selection_for,
    read_user_edits,
    run_generation,
)
from writeit.lsp.messages import error_to_data
from writeit.lsp.progress import StreamSender
from writeit.lsp.shapes import run_to_wire
from writeit.lsp.stale_runs import read_todays_texts


@command("writeit.run.start")
async def start_run(request: Request[p.RunStartParams]) -> shapes.WirePipelineRun:
    """Start a run of a pipeline; with `goOn` generate its first step."""
    run = await create_run(request, read_source(request))
    return await _reply(request, run)


@command("writeit.run.refresh")
async def refresh(request: Request[p.RunRefreshParams]) -> shapes.WirePipelineRun:
    """Make a branch with today's texts that shares the steps that are not stale.

    If a refresh has made it before, that branch is returned, and nothing is sent.
    """
    folder = request.folder()
    before = await folder.engine.load_run(request.params.run_id)
    config = folder.documents.front_matter_config_of(before)
    today = await read_todays_texts(folder, before)
    library = await folder.load_library()
    configuration = today.configuration or folder.engine.configuration(before)
    untrusted = await folder.assess_trust(
        configuration, config, before.uri, confirmed=request.params.confirmed
    )
    key = (configuration.configuration_id, before.uri)
    folder.trust.require_files(config, untrusted, key)
    run, is_new = await folder.engine.refresh_run(before.pipeline_run_id, today)
    note_run, run_id = folder.trust.note_run, run.pipeline_run_id
    await asyncio.to_thread(note_run, library, configuration, untrusted, run_id)
    return await _reply(request, run) if is_new else run_to_wire(run)


@command("writeit.step.select")
async def select_response(
    request: Request[p.StepSelectParams],
) -> shapes.WirePipelineRun:
    """Choose an answer; that completes the step."""
    params, folder = request.params, request.folder()
    part = None if params.part is None else params.part.text or params.part.item
    if params.part is not None and params.content is not None:
        raise InvalidParams(
            "Either `content` or `part` is the text of the step.",
            hint="Leave out one of them.",
            problems=[{"path": "part", "message": "not together with content"}],
        )
    before = await folder.engine.load_run(params.run_id)
    if params.stop_others and before.is_streaming:
        await folder.engine.pause_run(params.run_id)
    edits = await read_user_edits(request, folder)
    content = params.content
    if content is None and part is None:
        content = edits.consume_answer(params.response)
    feedback = edits.consume_feedback(params.feedback)

    def choose(run: PipelineRun, at: datetime) -> lifecycle.Events:
        step = lifecycle.find_step(run, edits.step_name)
        text = content
        if part is not None:
            text = select.find_part(step, params.response, part)
        return select.select_response(
            run, step, params.response, at, content=text, feedback=feedback
        )

    run = await folder.engine.execute(params.run_id, choose)
    await edits.refresh_page()
    return await _reply(request, run)


@command("writeit.step.merge", p.StepMergeResult)
async def merge_responses(
    request: Request[p.StepMergeParams],
) -> shapes.WirePipelineRun | shapes.WireStepState | p.Accepted:
    """Merge parts: by hand, which completes the step, or with a model."""
    params, folder = request.params, request.folder()
    if params.go_on and params.instruction is not None:
        raise InvalidParams(
            "A merge with a model adds an answer, so the run cannot continue yet.",
            hint="Leave out goOn, then choose the new answer.",
            problems=[{"path": "goOn", "message": "not together with instruction"}],
        )
    edits = await read_user_edits(request, folder)
    content = params.content
    if content is None and not (params.responses or params.passages):
        content = edits.consume_merge(keep=params.instruction is not None)
    parts = select.MergeSelection(
        responses=params.responses, passages=params.passages, content=content
    )
    if params.instruction is None:
        run = await folder.engine.execute(
            params.run_id,
            lambda run, at: select.merge_responses(
                run,
                lifecycle.find_step(run, edits.step_name),
                parts,
                at,
                edits.consume_feedback(params.feedback),
            ),
        )
        await edits.refresh_page()
        return await _reply(request, run)
    models = await request.resolve_models([params.model] if params.model else [])
    generation = MergeWithModel(
        run_id=params.run_id,
        step=params.step,
        parts=parts,
        instruction=params.instruction,
        model=models[0] if models else None,
        feedback=edits.consume_feedback(params.feedback),
        model_selection=await model_selection_for(request, folder, params.run_id),
    )
    reply = await run_generation(request, folder, generation)
    await edits.refresh_page()
    return reply


@command("writeit.step.skip")
async def skip_step(request: Request[p.StepParams]) -> shapes.WirePipelineRun:
    """Skip a step."""
    params = request.params
    run = await request.folder().engine.execute(
        params.run_id,
        lambda run, at: select.skip_step(
            run, lifecycle.find_step(run, params.step), at
        ),
    )
    return await _reply(request, run)


# --- `goOn` ---


async def _reply(request: Request[Any], run: PipelineRun) -> shapes.WirePipelineRun:
    """Return the run after a decision; with `goOn` do what follows, or start it."""
    params = request.params
    if not params.go_on:
        return run_to_wire(run)
    step = run.current_step
    next_command = "writeit.step.apply" if run.is_finished else "writeit.step.run"
    if run.is_finished:
        step = lifecycle.find_applicable_step(run, None).step_name
    argument = {"runId": str(run.pipeline_run_id), "step": step}
    applied: shapes.StepApplyResult | None = None
    error: WriteItError | None = None
    try:
        applied = await _go_on(request, run, step)
    except WriteItError as refused:
        error = refused
        _report_refusal(request, refused, next_command, argument)
        if not params.wait:
            stream = StreamSender(request.session.client, params.stream_token)
            stream.send_ended(run.pipeline_run_id, step, refused)
    run = await request.session.resolve_folder(
        params.folder, run_id=run.pipeline_run_id
    ).engine.load_run(run.pipeline_run_id)
    data = None if error is None else error_to_data(error).to_json()
    return run_to_wire(run).model_copy(
        update={
            "next": shapes.NextStep(step=step, error=data),
            "applied": applied,
        }
    )


async def _go_on(
    request: Request[Any], run: PipelineRun, step: str
) -> shapes.StepApplyResult | None:
    """Apply the text of a finished run, else generate its next step."""
    params, run_id = request.params, run.pipeline_run_id
    common = {
        "folder": params.folder,
        "run_id": run_id,
        "step": step,
        "stream_token": params.stream_token,
        "wait": params.wait,
        "confirmed": getattr(params, "confirmed", False),
    }
    if run.is_finished:
        apply = p.StepApplyParams.model_validate(common)
        result = await apply_step_text(_follow_up(request, apply))
        return None if isinstance(result, p.Accepted) else result
    generate = _follow_up(request, p.StepRunParams.model_validate(common))
    folder = generate.folder()
    selection = await model_selection_for(generate, folder, run_id)
    generation = GenerateStep(run_id=run_id, step=step, model_selection=selection)
    await run_generation(generate, folder, generation)
    return None


def _follow_up(request: Request[Any], params: p.Params) -> Request[Any]:
    return Request(request.session, params, request.work_done_token)


def _report_refusal(
    request: Request[Any],
    error: WriteItError,
    next_command: str,
    argument: dict[str, str],
) -> None:
    """Tell the user why it does not go on, and offer what they can confirm."""
    session = request.session

    async def again(params: types.ExecuteCommandParams) -> object:
        handler = HANDLERS[params.command]
        parsed = handler.params_model.model_validate((params.arguments or [{}])[0])
        session.confirmations.remove(params)
        return await handler.handler(_follow_up(request, parsed))

    if "confirm" in error.data:
        call = types.ExecuteCommandParams(command=next_command, arguments=[argument])
        session.confirmations.offer(call, error, again)
        if session.client.capabilities.ask:
            return
    session.client.show_error(error)
