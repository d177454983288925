"""`writeit.review.*`: the remarks of reviews, and what the user dismisses."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from writeit.domain.operations import review
from writeit.domain.operations.lifecycle import Events
from writeit.domain.remarks import Dismissal
from writeit.domain.run import PipelineRun
from writeit.engine.queries import read_reviews
from writeit.lsp import shapes
from writeit.lsp import store_protocol as p
from writeit.lsp.command import Request, command
from writeit.lsp.convert import normalized_uri
from writeit.lsp.findings.find import find_newest_reviews, list_document_runs
from writeit.lsp.findings.remarks import place_in_document


@command("writeit.review.list")
async def list_remarks(request: Request[p.ReviewListParams]) -> p.ReviewListResult:
    """Return the remarks of the newest review of each pipeline."""
    folder = request.folder()
    listed = list_document_runs(folder, normalized_uri(request.params.uri))
    remarks = []
    for run in find_newest_reviews(folder, listed):
        placed = await place_in_document(folder, run)
        remarks += [shapes.remark_to_wire(run, *each) for each in placed]
    return p.ReviewListResult(remarks=remarks)


@command("writeit.review.dismiss")
async def dismiss_remark(
    request: Request[p.ReviewDismissParams],
) -> shapes.WirePipelineRun:
    """Dismiss a remark, or every remark of its kind."""
    params = request.params
    engine = request.folder().engine
    run = await engine.load_run(params.run_id)
    remark = review.find_remark(run, params.remark_id)
    quote = None if params.kind else remark.subject
    dismissal = Dismissal(at=engine.now(), kind=remark.kind, quote=quote)
    return await _change(
        request, run, lambda each, at: review.dismiss(each, dismissal, at)
    )


@command("writeit.review.restore")
async def restore_remarks(
    request: Request[p.ReviewRestoreParams],
) -> shapes.WirePipelineRun:
    """Take the dismissal of a remark or its kind back, or all of the document."""
    remark_id = request.params.remark_id
    run = await request.folder().engine.load_run(request.params.run_id)
    dismissed = list(run.dismissals)
    if remark_id is not None:
        remark = review.find_remark(run, remark_id)
        dismissed = [each for each in dismissed if remark.is_meant_by(each)]
    return await _change(
        request, run, lambda each, at: review.restore_remarks(each, dismissed, at)
    )


async def _change(
    request: Request[Any],
    run: PipelineRun,
    operation: Callable[[PipelineRun, datetime], Events],
) -> shapes.WirePipelineRun:
    """Change what is dismissed in all reviews of a run's document."""
    folder = request.folder()
    reviews = read_reviews(folder.store, run.uri) if run.uri else []
    ids = dict.fromkeys(each.pipeline_run_id for each in (run, *reviews))
    changed = [await folder.engine.execute(run_id, operation) for run_id in ids]
    return shapes.run_to_wire(changed[0])
