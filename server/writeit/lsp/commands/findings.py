"""`writeit.facts.*` and `writeit.finding.*`: what is done about findings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from writeit.domain.errors import InvalidParams, NotFound
from writeit.domain.operations import lifecycle
from writeit.lsp import protocol as p
from writeit.lsp import store_protocol as sp
from writeit.lsp.command import Request, command
from writeit.lsp.commands.document import reply_when_done
from writeit.lsp.convert import to_lsp_spans
from writeit.lsp.edits.files import edit_document, require_document_text
from writeit.lsp.fallback_messages import document_name
from writeit.lsp.findings import facts
from writeit.lsp.findings.find import find_findings, ignore_finding, require_finding
from writeit.lsp.findings.finding import BoundDocument
from writeit.lsp.pages.views import display_view
from writeit.text.block_reader import split_blocks
from writeit.text.language import language_of
from writeit.text.merge3 import MergeResult, merge
from writeit.views.step import require_content
from writeit.views.uris import StepView


async def _read_checked(
    request: Request[Any],
) -> tuple[facts.CheckedText, BoundDocument | None]:
    """Return the text that a command names with its notes; the document if it is one.

    Raises:
        InvalidParams: it names neither a document nor a run.
        NotFound: the step or the answer does not exist.
    """
    params, folder = request.params, request.folder()
    if params.uri is not None:
        found = await find_findings(folder, params.uri)
        if found is None:
            return facts.CheckedText("", [], "", []), None
        return facts.checked_document(found.document), found.document
    if params.run_id is None:
        raise InvalidParams(
            "Neither a document nor a run is named.",
            hint="Give `uri`, or `runId` and `step`.",
            problems=[{"path": "uri", "message": "is needed without runId"}],
        )
    run = await folder.engine.load_run(params.run_id)
    step = lifecycle.find_step(run, params.step)
    if params.response is None:
        text = require_content(step)
    else:
        index = lifecycle.find_response_index(step, params.response)
        text = step.ai_responses[index].processed_content
    notes, blocks = facts.run_notes(run), split_blocks(text)
    return facts.CheckedText(text, notes, language_of(text), blocks), None


@command("writeit.facts.check")
async def check_facts(request: Request[sp.FactsCheckParams]) -> sp.FactsCheckResult:
    """List the facts of a text, and whether its notes have them."""
    text, document = await _read_checked(request)
    checked = await asyncio.to_thread(lambda: list(facts.check_facts(text)))
    encoding = request.session.client.position_encoding
    spans = [(start, start + len(one.fact.text)) for start, one in checked]
    found = [
        {
            "text": one.fact.text,
            "kind": one.fact.kind,
            "found": one.is_found,
            "line": span.start.line,
            "range": document and span,
            "source": document
            and one.place
            and facts.place_in_notes(document, text.notes, one.place),
        }
        for (_, one), span in zip(
            checked, to_lsp_spans(text.text, spans, encoding), strict=True
        )
    ]
    return sp.FactsCheckResult.model_validate({"facts": found})


@command("writeit.facts.add")
async def add_to_notes(
    request: Request[sp.FindingParams],
) -> sp.FindingResult | p.Accepted:
    """Add the sentence of a missing fact to the end of the notes, as one edit."""
    folder, params = request.folder(), request.params
    found, finding = await require_finding(folder, params.uri, params.finding)
    uri = next((n.uri for n in facts.document_notes(found.document) if n.uri), None)
    if uri is None:
        raise NotFound(
            "Nothing was added: the notes of this text are no document.",
            hint="Change the text, or choose Ignore here.",
        )
    sentence = facts.sentence_at(found.document, finding)
    return await _edit(
        request,
        uri,
        lambda text: MergeResult(facts.with_note(text, sentence), ()),
        f"Added to {document_name(uri)}: {sentence}",
    )


@command("writeit.finding.fix")
async def fix_finding(
    request: Request[sp.FindingFixParams],
) -> sp.FindingResult | p.Accepted:
    """Replace the words of a finding by what can stand there, as one edit."""
    folder, params = request.folder(), request.params
    found, finding = await require_finding(folder, params.uri, params.finding)
    if params.replacement >= len(finding.replacements):
        raise NotFound("There is no such replacement.", hint="Count from 0.")
    text, better = found.document.text, finding.replacements[params.replacement]
    goal = text[: finding.start] + better + text[finding.end :]
    return await _edit(request, params.uri, lambda now: merge(text, now, goal), "")


async def _edit(
    request: Request[Any], uri: str, change: Callable[[str], MergeResult], done: str
) -> sp.FindingResult | p.Accepted:
    folder, client = request.folder(), request.session.client
    require_document_text(folder.documents, uri)

    async def work() -> sp.FindingResult:
        waits = not request.params.wait
        outcome = await edit_document(folder, uri, change, wait_for_user=waits)
        folder.documents.recheck(request.params.uri)
        if outcome.is_applied:
            if done:
                client.show_info(done)
        elif waits:
            client.show_info(
                "Nothing was changed: you were typing, or declined it. Try again."
            )
        shown = folder.documents.client_uri(uri)
        return sp.FindingResult(applied=outcome.is_applied, uri=shown)

    return await reply_when_done(request, None, work)


@command("writeit.finding.ignore")
async def ignore(request: Request[sp.FindingParams]) -> sp.FindingResult:
    """Show a finding no more, in this place; the text itself stays as it is."""
    folder, params = request.folder(), request.params
    await ignore_finding(folder, params.uri, params.finding)
    folder.documents.recheck(params.uri)
    return sp.FindingResult(applied=True, uri=folder.documents.client_uri(params.uri))


@command("writeit.facts.correct")
async def correct_facts(request: Request[sp.FactsCorrectParams]) -> sp.FindingResult:
    """Write the missing facts into the feedback of a step, and show it.

    Nothing is sent: the user reads it, and regenerates.
    """
    params, folder = request.params, request.folder()
    text, _ = await _read_checked(request)
    run = await folder.engine.load_run(params.run_id)
    step = lifecycle.find_step(run, params.step).step_name
    words = await asyncio.to_thread(facts.describe_missing, text)
    if not words:
        raise NotFound(
            "All facts are in the notes. Nothing was done.",
            hint="Regenerate with your own feedback.",
        )
    draft = folder.store.drafts(params.run_id, step).get("feedback", "").strip()
    if words not in draft:
        words = f"{draft}\n\n{words}".strip()
        await folder.store.save_draft(params.run_id, step, "feedback", words)
        folder.listener.notify_run_changed(params.run_id)
    uri = await display_view(folder, StepView(params.run_id, step))
    return sp.FindingResult(applied=True, uri=uri)
