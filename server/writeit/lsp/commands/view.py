"""`writeit.view.*`: pages about runs, steps, answers, prompts and usage."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from writeit.domain.errors import InvalidParams
from writeit.domain.operations import lifecycle
from writeit.domain.run import PipelineRun, StepState
from writeit.lsp import protocol as p
from writeit.lsp.command import Request, command
from writeit.lsp.findings.find import AnswerCounts, count_in_answers
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.views import display_view, read_view
from writeit.lsp.shapes import ExtendedSource, run_to_wire, step_to_wire
from writeit.views import uris
from writeit.views.answer_heads import answer_heads
from writeit.views.uris import View, run_id_of_view


@command("writeit.view.open")
async def open_requested_view(request: Request[p.ViewOpenParams]) -> p.ViewOpenResult:
    """Open a view in the editor and return its URI."""
    session, params = request.session, request.params
    folder = session.resolve_folder(params.folder, run_id=_requested_run_id(params))
    view = await _resolve_view(folder, params)
    if params.wait:
        shown = await display_view(folder, view, remark_id=params.remark_id)
        return p.ViewOpenResult(uri=shown)

    async def opening() -> None:
        # A client may not answer showDocument before it has this reply.
        await display_view(folder, view, remark_id=params.remark_id)

    session.client.spawn_task(opening())
    return p.ViewOpenResult(uri=uris.view_uri(view))


def _requested_run_id(params: p.ViewOpenParams) -> UUID | None:
    if params.run_id is None and params.right is not None:
        return params.right.run_id
    return params.run_id


async def _resolve_view(folder: WorkspaceFolder, params: p.ViewOpenParams) -> View:
    match params.view:
        case "usage":
            return uris.UsageView()
        case "compare":
            left = await _resolve_side(folder, _require_field(params.left, "left"))
            right = await _resolve_side(folder, _require_field(params.right, "right"))
            return uris.CompareView(left, right)
    run_id = _require_field(params.run_id, "runId")
    run = await folder.engine.load_run(run_id)
    if params.view == "run":
        return uris.RunView(run_id)
    step = lifecycle.find_step(run, params.step)
    match params.view:
        case "step":
            return uris.StepView(run_id, step.step_name)
        case "prompt":
            return uris.PromptView(run_id, step.step_name)
        case "response":
            response_id = lifecycle.find_ended_response_id(
                step, _require_field(params.response_id, "responseId")
            )
            return uris.ResponseView(run_id, step.step_name, response_id)


async def _resolve_side(folder: WorkspaceFolder, side: p.ViewSide) -> uris.ComparedSide:
    step = lifecycle.find_step(await folder.engine.load_run(side.run_id), side.step)
    if side.response is None or isinstance(side.response, str):
        return uris.ComparedSide(
            side.run_id, step.step_name, side.response or "content"
        )
    response_id = lifecycle.find_ended_response_id(step, side.response)
    return uris.ComparedSide(side.run_id, step.step_name, response_id)


def _require_field(value: Any, name: str) -> Any:  # noqa: ANN401 -- whatever the field holds
    if value is None:
        raise InvalidParams(
            f"This view needs {name}.",
            hint="run: runId; step and prompt: runId, step?; response: runId, step?,"
            " responseId; compare: left, right; usage: nothing.",
            problems=[{"path": name, "message": "is needed for this view"}],
        )
    return value


@command("writeit.view.read")
async def read_view_text(request: Request[p.ViewReadParams]) -> p.ViewReadResult:
    """Return the text of any `writeit:` URI."""
    session, params = request.session, request.params
    view = uris.parse_view_uri(params.uri)
    folder = session.resolve_folder(params.folder, run_id=run_id_of_view(view))
    page = await read_view(folder, view)
    run_id = run_id_of_view(view)
    if run_id is None:
        return p.ViewReadResult.model_validate(ExtendedSource(page, sections=[]))
    run = await folder.engine.load_run(run_id)
    indices: dict[UUID | None, int] = {
        answer.response_id: index
        for step in run.steps.values()
        for index, answer in enumerate(step.ai_responses)
    }
    numbers: dict[UUID | None, int] = {
        key: number for s in run.steps.values() for key, number in s.numbers.items()
    }
    sections = [
        ExtendedSource(
            section,
            index=indices.get(section.response_id),
            number=numbers.get(section.response_id),
        )
        for section in page.sections
    ]
    name = getattr(getattr(view, "right", view), "step", None)
    counts = await count_in_answers(folder, run, name) if name else {}
    marks = {key: count._asdict() for key, count in counts.items()}
    details: dict[str, Any] = {}
    if name is not None:
        state = lifecycle.find_step(run, name)
        details["step"] = step_to_wire(run, state, marks)
        if isinstance(view, uris.StepView):
            details |= _page_details(folder, run, state, counts)
    return p.ViewReadResult.model_validate(
        ExtendedSource(page, sections=sections, run=run_to_wire(run, marks), **details)
    )


def _page_details(
    folder: WorkspaceFolder,
    run: PipelineRun,
    step: StepState,
    counts: dict[UUID, AnswerCounts],
) -> dict[str, Any]:
    """Return what a client needs to show a step's page by itself."""
    marks = {key: count.text for key, count in counts.items()}
    steps = folder.engine.configuration(run).steps
    chooses = {spec.choose for spec in steps if spec.name == step.step_name}
    return {
        "answers": answer_heads(run, step, folder.engine.now(), marks),
        "drafts": folder.store.drafts(run.pipeline_run_id, step.step_name),
        "chooses_items": "item" in chooses,
    }
