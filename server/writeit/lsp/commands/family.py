"""`writeit.run.branch`, `rewind`, `tree`, `delete`, `diff`: runs and their kin."""

from __future__ import annotations

from difflib import unified_diff
from typing import Any

from writeit.core import decide
from writeit.core.errors import InvalidTransition
from writeit.engine.family import family_of, root_of
from writeit.lsp import protocol as p
from writeit.lsp.dispatch import Command, Request, folder_of_run
from writeit.lsp.shapes import as_run, as_tree


async def branch(
    request: Request[p.RunBranchParams] | Request[p.RunRewindParams],
) -> p.PipelineRun:
    """Make a child run that shares the past; it is the session's active run now.

    Rewinding is the same: the run that is left behind stays as it is. A run about a
    passage is never active, nor are its children.
    """
    params = request.params
    name = params.name if isinstance(params, p.RunBranchParams) else None
    child = await folder_of_run(request).engine.branch(params.run_id, params.step, name)
    return as_run(child)


async def tree(request: Request[p.RunTreeParams]) -> p.RunTree:
    """Show a run's whole family from its root, or what branched off it."""
    params, folder = request.params, folder_of_run(request)
    await folder.engine.show(params.run_id)
    if params.depth is not None:
        return as_tree(family_of(folder.store, params.run_id, params.depth))
    return as_tree(family_of(folder.store, root_of(folder.store, params.run_id)))


async def delete(request: Request[p.RunDeleteParams]) -> p.RunDeleteResult:
    """Delete a run; with children it leaves a tombstone, or they go too."""
    params = request.params
    deleted = await folder_of_run(request).engine.delete(
        params.run_id, descendants=params.descendants
    )
    return p.RunDeleteResult(
        deleted_runs=deleted.runs, deleted_responses=deleted.responses
    )


async def diff(request: Request[p.RunDiffParams]) -> p.RunDiffResult:
    """Compare two texts: answers, or what two steps hand on."""
    left, left_uri = await _side(request, request.params.left)
    right, right_uri = await _side(request, request.params.right)
    lines = unified_diff(
        left.splitlines(keepends=True),
        right.splitlines(keepends=True),
        fromfile=left_uri,
        tofile=right_uri,
    )
    unified = "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)
    return p.RunDiffResult(unified=unified, left_uri=left_uri, right_uri=right_uri)


async def _side(request: Request[p.RunDiffParams], side: p.Side) -> tuple[str, str]:
    folder = request.connection.folder(request.params, run_id=side.run_id)
    step = decide.step_of(await folder.engine.show(side.run_id), side.step)
    if side.response is None:
        if step.content is None:
            raise InvalidTransition(
                f"Nothing is chosen in step {side.step!r} of run {side.run_id}.",
                state=step.status.value,
                attempted="diff",
                hint="Name a response, or choose one first.",
            )
        return step.content, f"writeit:/content/{side.run_id}/{side.step}.md"
    response_id = decide.ended_response_id_of(step, side.response)
    answer = step.response(response_id)
    text = answer.processed_content if answer else ""
    return text, f"writeit:/response/{side.run_id}/{side.step}/{response_id}.md"


HANDLERS: dict[str, Command[Any]] = {
    "writeit.run.branch": Command(p.RunBranchParams, p.PipelineRun, branch),
    "writeit.run.rewind": Command(p.RunRewindParams, p.PipelineRun, branch),
    "writeit.run.tree": Command(p.RunTreeParams, p.RunTree, tree),
    "writeit.run.delete": Command(p.RunDeleteParams, p.RunDeleteResult, delete),
    "writeit.run.diff": Command(p.RunDiffParams, p.RunDiffResult, diff),
}
