"""`writeit.view.*`: pages about runs, steps, answers, prompts and usage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.core import decide
from writeit.core.errors import InvalidParams
from writeit.lsp import protocol as p
from writeit.lsp.dispatch import Command, Request
from writeit.lsp.pages import run_of_view
from writeit.lsp.showing import open_view, read_view
from writeit.views import uris

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.lsp.folder import Folder
    from writeit.views.symbols import Section
    from writeit.views.uris import View


async def open_(request: Request[p.ViewOpenParams]) -> p.ViewOpenResult:
    """Show a view in the editor, or say where it is."""
    connection, params = request.connection, request.params
    folder = connection.folder(params, run_id=_run_id(params))
    view = await _view(folder, params)
    if params.wait:
        return p.ViewOpenResult(uri=await open_view(connection, folder, view))

    async def opening() -> None:
        # A client may not answer showDocument before it has this reply.
        await open_view(connection, folder, view)

    connection.spawn(opening())
    return p.ViewOpenResult(uri=uris.uri_of(view))


def _run_id(params: p.ViewOpenParams) -> UUID | None:
    if params.run_id is None and params.right is not None:
        return params.right.run_id
    return params.run_id


async def _view(folder: Folder, params: p.ViewOpenParams) -> View:
    match params.view:
        case "usage":
            return uris.UsageView()
        case "compare":
            left = await _side(folder, _given(params.left, "left"))
            right = await _side(folder, _given(params.right, "right"))
            return uris.CompareView(left, right)
    run_id = _given(params.run_id, "runId")
    run = await folder.engine.show(run_id)
    if params.view == "run":
        return uris.RunView(run_id)
    step = decide.step_of(run, params.step)
    match params.view:
        case "step":
            return uris.StepView(run_id, step.step_name)
        case "prompt":
            return uris.PromptView(run_id, step.step_name)
        case "response":
            response_id = decide.ended_response_id_of(
                step, _given(params.response_id, "responseId")
            )
            return uris.ResponseView(run_id, step.step_name, response_id)


async def _side(folder: Folder, side: p.ViewSide) -> uris.Side:
    step = decide.step_of(await folder.engine.show(side.run_id), side.step)
    if side.response is None or isinstance(side.response, str):
        return uris.Side(side.run_id, step.step_name, side.response or "content")
    response_id = decide.ended_response_id_of(step, side.response)
    return uris.Side(side.run_id, step.step_name, response_id)


def _given(value: Any, name: str) -> Any:  # noqa: ANN401 -- whatever the field holds
    if value is None:
        raise InvalidParams(
            f"This view needs {name}.",
            hint="run: runId; step and prompt: runId, step?; response: runId, step?,"
            " responseId; compare: left, right; usage: nothing.",
            problems=[{"path": name, "message": "is needed for this view"}],
        )
    return value


async def read(request: Request[p.ViewReadParams]) -> p.ViewReadResult:
    """Return the text of any `writeit:` URI."""
    connection, params = request.connection, request.params
    view = uris.view_of(params.uri)
    folder = connection.folder(params, run_id=run_of_view(view))
    given = await read_view(connection, folder, view)
    return p.ViewReadResult(
        text=given.text, sections=[_on_wire(section) for section in given.sections]
    )


def _on_wire(section: Section) -> p.ViewSection:
    return p.ViewSection(
        kind=section.kind,
        response_id=section.response_id,
        index=section.index,
        heading_line=section.heading,
        first_line=section.first,
        last_line=section.last,
    )


HANDLERS: dict[str, Command[Any]] = {
    "writeit.view.open": Command(p.ViewOpenParams, p.ViewOpenResult, open_),
    "writeit.view.read": Command(p.ViewReadParams, p.ViewReadResult, read),
}
