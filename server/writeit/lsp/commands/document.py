"""`writeit.document.*`: a passage polished in its place, front matter put in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lsprotocol import types

from writeit.core import decide
from writeit.core.errors import WriteItError
from writeit.core.merge3 import merge
from writeit.core.run import PipelineStatus
from writeit.engine.requests import Ask
from writeit.library.binding import bound
from writeit.lsp import apply as applying
from writeit.lsp import protocol as p
from writeit.lsp.asking import ask, wishes_for
from writeit.lsp.changing import change, check_there
from writeit.lsp.commands import run as running
from writeit.lsp.commands.apply import answer, show_conflicts, show_view, tell
from writeit.lsp.dispatch import Command, Request
from writeit.lsp.plainly import file_name
from writeit.lsp.shapes import as_run
from writeit.lsp.subject import check_is_hers
from writeit.views.uris import StepView

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.run import StepState
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder

LAST_LINE = 2**31 - 1
EVERYTHING = p.Range(
    start=p.Position(line=0, character=0), end=p.Position(line=LAST_LINE, character=0)
)


async def polish(request: Request[p.DocumentPolishParams]) -> p.Wire:
    """Ask for a passage in better words; with `apply` put one answer in its place."""
    params, connection = request.params, request.connection
    folder = connection.folder(params, uri=params.uri)
    identify = connection.world.models.identify
    models = [await identify(model) for model in params.models or ()]
    started = await running.start(Request(connection, _start(params)))
    run_id = started.pipeline_run_id
    run = await folder.engine.show(run_id)
    asked = Ask(
        run_id=run_id,
        step=None,
        models=tuple(models) or None,
        samples=params.samples,
        wishes=await wishes_for(request, folder, run),
    )

    async def then(state: StepState) -> None:
        if params.apply:
            await _choose(connection, folder, run_id, state, patient=not params.wait)

    try:
        reply = await ask(request, folder, asked, then)
    except WriteItError:
        await _unmade(folder, run_id)
        raise
    if not params.wait:
        return reply
    return as_run(await folder.engine.show(run_id))


async def _unmade(folder: Folder, run_id: UUID) -> None:
    """Take away a run that was made only to be asked, and of which nothing was sent."""
    run = await folder.engine.show(run_id)
    if run.status is PipelineStatus.INITIALIZING:
        await folder.engine.delete(run_id)


def _start(params: p.DocumentPolishParams) -> p.RunStartParams:
    instruction = params.instruction
    return p.RunStartParams(
        folder=params.folder,
        pipeline=params.pipeline,
        uri=params.uri,
        range=params.range or EVERYTHING,
        primer=params.primer,
        inputs={} if instruction is None else {"instruction": instruction},
    )


async def _choose(
    connection: Connection,
    folder: Folder,
    run_id: UUID,
    state: StepState,
    *,
    patient: bool,
) -> None:
    """Select and apply the one answer; of several the writer chooses herself.

    So she does of one that was cut short: it would take the passage's end away.
    """
    if len(state.ai_responses) != 1 or state.ai_responses[0].partial:
        count = len(state.ai_responses)
        what = (
            "The answer was cut short; it is there"
            if count == 1
            else f"{count} answers are there"
        )
        connection.show(f"{what} to choose from.", types.MessageType.Info)
        view = StepView(run_id, state.step_name)
        connection.spawn(show_view(connection, folder, view))
        return
    run = await folder.engine.decide(
        run_id, lambda run, at: decide.select(run, state, 0, at)
    )
    job = applying.prepare(connection, folder, run, state.step_name, None, None)
    result = await applying.apply(job, patient=patient)
    tell(connection, result, f"The answer is in {file_name(result.uri)}.")
    show_conflicts(job, result)


async def front_matter(request: Request[p.DocumentFrontMatterParams]) -> p.Wire:
    """Bind a document to a pipeline: a complete block, what is there kept."""
    params, connection = request.params, request.connection
    folder = connection.folder(params, uri=params.uri)
    configuration = folder.library().pipeline(params.pipeline)
    check_is_hers(connection, params.uri)
    base = check_there(connection, params.uri)
    wanted = bound(base, configuration, params.inputs)

    async def work() -> p.FrontMatterResult:
        outcome = await change(
            connection,
            folder,
            params.uri,
            lambda text: merge(base, text, wanted),
            patient=not params.wait,
        )
        return p.FrontMatterResult(applied=outcome.landed)

    return await answer(request, None, work)


HANDLERS: dict[str, Command[Any]] = {
    "writeit.document.polish": Command(p.DocumentPolishParams, p.PipelineRun, polish),
    "writeit.document.frontMatter": Command(
        p.DocumentFrontMatterParams, p.FrontMatterResult, front_matter
    ),
}
