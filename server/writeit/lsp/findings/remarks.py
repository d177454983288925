"""Remarks of a document's newest reviews, where their words are in the text of now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from lsprotocol import types

from writeit.domain.errors import WriteItError
from writeit.domain.operations.review import (
    PlacedRemark,
    apply_suggestion,
    place_remarks,
)
from writeit.domain.remarks import Remark
from writeit.domain.run import PipelineRun
from writeit.library.front_matter import split_front_matter
from writeit.lsp.action import Action
from writeit.lsp.convert import to_lsp_spans
from writeit.lsp.findings.finding import BoundDocument, Finding
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.shapes import Range
from writeit.views import wording
from writeit.views.escape import shorten

_MAX_INSTRUCTION = 500
"""Characters of what a model is asked for."""


RemarkPlace = tuple[PlacedRemark, types.Range | None]
"""A remark and its range in the document of now, if its words are there."""


async def place_in_document(
    folder: WorkspaceFolder, run: PipelineRun
) -> list[RemarkPlace]:
    """Return the remarks of a review; without its document they have no ranges."""
    if run.output != "review":
        return []
    encoding = folder.documents.client.position_encoding
    with suppress(WriteItError):  # the document is gone, or no file
        text = folder.documents.read_text(run.uri or "")
        start = len(split_front_matter(text).head)
        return await asyncio.to_thread(_place, run, text, start, encoding)
    placed = await asyncio.to_thread(place_remarks, run, run.document.text)
    return [(each, None) for each in placed]


def _place(run: PipelineRun, text: str, start: int, encoding: str) -> list[RemarkPlace]:
    placed = place_remarks(run, text[start:])
    spans = [(start + p.span.start, start + p.span.end) for p in placed if p.span]
    ranges = iter(to_lsp_spans(text, spans, encoding))
    return [(each, next(ranges) if each.span else None) for each in placed]


async def find_remarks(document: BoundDocument) -> list[Finding]:
    """Return the remarks that are neither dismissed nor applied nor without a place."""
    return [
        finding
        for run in document.reviews
        for finding in await asyncio.to_thread(_findings_of, document, run)
    ]


def _findings_of(document: BoundDocument, run: PipelineRun) -> list[Finding]:
    start, body = document.paragraphs.start, document.text[document.paragraphs.start :]
    encoding = document.folder.documents.client.position_encoding
    placed = _place(run, document.text, start, encoding)
    page = {"view": "step", "runId": str(run.pipeline_run_id)}
    return [
        Finding(
            code=each.remark.kind,
            start=start + each.span.start,
            end=start + each.span.end,
            words=each.remark.quote,
            message=wording.remark_text(each.remark),
            severity=types.DiagnosticSeverity.Information,
            replacements=tuple(filter(None, [apply_suggestion(run, each, body)])),
            fix_title="Apply the suggestion:",
            can_ignore=False,
            actions=(
                *remark_actions(each.remark, document.uri, place),
                Action(
                    "Explain this remark",
                    "writeit.view.open",
                    {**page, "remarkId": each.remark.remark_id},
                ),
            ),
        )
        for each, place in placed
        if each.span and place and each.state == "open"
    ]


def remark_actions(
    remark: Remark, uri: str | None, place: types.Range | None
) -> Iterator[Action]:
    """Yield what can be done about a remark, wherever it is shown.

    `place` is that of its words in the document `uri`; without one they cannot be
    rewritten.
    """
    if uri is not None and place is not None:
        params = {
            "uri": uri,
            "range": Range.model_validate(place).to_json(),
            "instruction": shorten(wording.remark_text(remark), _MAX_INSTRUCTION),
            "apply": True,
        }
        title, command = "Rewrite with this remark", "writeit.document.polish"
        yield Action(title, command, params, uses_model=True)
    known: dict[str, Any] = {"remarkId": remark.remark_id}
    yield Action("Dismiss", "writeit.review.dismiss", known)
    yield Action(
        f"Dismiss all remarks about {remark.kind}",
        "writeit.review.dismiss",
        {**known, "kind": True},
        lens_title="Dismiss this kind",
    )
