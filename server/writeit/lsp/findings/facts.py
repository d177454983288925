"""Facts that the notes of a document do not have; where the others stand in them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from lsprotocol import types

from writeit.domain.errors import WriteItError
from writeit.domain.operations import permitted
from writeit.domain.run import PipelineRun
from writeit.lsp.action import Action
from writeit.lsp.convert import to_lsp_span
from writeit.lsp.documents import Documents
from writeit.lsp.findings.finding import BoundDocument, Finding
from writeit.text.block_reader import TextBlock, split_blocks
from writeit.text.fact_sources import (
    CheckedFact,
    FactSources,
    SourcePlace,
    find_passage,
)
from writeit.text.language import Language
from writeit.text.lines import first_line_end, fold_space
from writeit.views.escape import shorten

CODE = "not-in-notes"
CORRECT = "These are not in the notes. Correct or remove them, and keep the rest:"
LIST_MARKER = re.compile(r"[-+*] +")
_MAX_WORDS, _MAX_PASSAGE = 60, 200
"""Characters of a fact and of a passage in a message."""


class Notes(NamedTuple):
    """A text that a document's facts come from."""

    text: str
    uri: str | None = None
    """Its document, which Add to Notes changes; None if it is only in the run."""


@lru_cache(maxsize=8)
def read_sources(texts: tuple[str, ...]) -> FactSources:
    """Return what notes say; the same notes are read once."""
    return FactSources(texts)


def run_notes(run: PipelineRun) -> list[Notes]:
    """Return the texts that a run was started with, the notes and all inputs."""
    document = run.document
    whole = document.text or document.before + document.selection + document.after
    inputs = {value for value in run.user_inputs.values() if value not in whole}
    files = (Notes(file.text, file.uri) for file in document.files)
    return [Notes(whole, run.uri), *files, *map(Notes, sorted(inputs))]


def document_notes(document: BoundDocument) -> list[Notes]:
    """Return the notes of a document; none if no run says what it was made from.

    They are those of today: they may have been corrected since.
    """
    found: dict[str, Notes] = {}
    for run, _ in document.applied:
        for notes in run_notes(run):
            text = None
            if notes.uri is not None and notes.uri != document.uri:
                text = _read_notes(document.folder.documents, notes.uri)
            now = Notes(notes.text) if text is None else Notes(text, notes.uri)
            found.setdefault(now.text, now)
    return [notes for notes in found.values() if notes.text.strip()]


def _read_notes(documents: Documents, uri: str) -> str | None:
    try:
        return documents.read_text(uri)
    except WriteItError:  # deleted or renamed: the run has its text
        return None


async def find_missing_facts(document: BoundDocument) -> list[Finding]:
    """Return the facts of a document that its notes do not have."""
    settings = await document.folder.load_settings()
    notes = document_notes(document) if settings.facts.enabled else []
    document.paragraphs.notes = frozenset(one.uri for one in notes if one.uri)
    if not notes:
        return []
    texts, language = tuple(one.text for one in notes), document.language
    found = await document.examine(
        CODE,
        (texts, language),
        lambda text: read_sources(texts).missing(text, language),
    )
    return await asyncio.to_thread(_to_findings, document, notes, found)


def _to_findings(
    document: BoundDocument,
    notes: list[Notes],
    found: Iterator[tuple[int, CheckedFact]],
) -> list[Finding]:
    can_add = any(one.uri for one in notes)
    for_all = [*_correct_actions(document)]
    findings = []
    for start, missing in found:
        fact, words = missing.fact, shorten(missing.fact.text, _MAX_WORDS)
        near = _related(document, notes, missing.place)
        add = [Action(f"Add to notes: {words}", "writeit.facts.add", {})] * can_add
        findings.append(
            Finding(
                code=CODE,
                start=start + fact.start,
                end=start + fact.end,
                words=fact.text,
                message=f"Not in your notes: {words}",
                related=() if near is None else (near,),
                actions=(*add, *for_all),
            )
        )
    return findings


def _correct_actions(document: BoundDocument) -> Iterator[Action]:
    """Yield the regeneration of the document's text, if its step allows one."""
    run, step = document.applied[0] if document.applied else (None, "")
    if run and permitted.step_permissions(run, run.steps[step]).regenerate:
        params = {"runId": str(run.pipeline_run_id), "step": step, "uri": document.uri}
        yield Action("Regenerate with corrections", "writeit.facts.correct", params)


def _related(
    document: BoundDocument, notes: list[Notes], place: SourcePlace | None
) -> types.DiagnosticRelatedInformation | None:
    if place is None or (location := place_in_notes(document, notes, place)) is None:
        return None
    text = notes[place.source].text[place.start : place.end]
    message = f"The nearest passage of the notes: {shorten(text, _MAX_PASSAGE)}"
    return types.DiagnosticRelatedInformation(location=location, message=message)


def place_in_notes(
    document: BoundDocument, notes: list[Notes], place: SourcePlace
) -> types.Location | None:
    """Return where a place of notes is in their document; None if they have none."""
    text, uri = notes[place.source]
    if uri is None:
        return None
    documents = document.folder.documents
    span = to_lsp_span(text, place.start, place.end, documents.client.position_encoding)
    return types.Location(uri=documents.client_uri(uri), range=span)


class CheckedText(NamedTuple):
    """A text, and what its facts are compared with."""

    text: str
    notes: list[Notes]
    language: Language
    blocks: Sequence[TextBlock]


def checked_document(document: BoundDocument) -> CheckedText:
    """Return a document with its notes."""
    notes, blocks = document_notes(document), document.paragraphs.blocks
    return CheckedText(document.text, notes, document.language, blocks)


def check_facts(
    text: CheckedText, at: int | None = None
) -> Iterator[tuple[int, CheckedFact]]:
    """Yield the facts of a text, or of the block at an offset, with their offsets."""
    if not text.notes:
        return
    sources = read_sources(tuple(one.text for one in text.notes))
    for block in text.blocks:
        if at is None or 0 <= at - block.start <= len(block.text):
            for one in sources.check(block.text, text.language):
                yield block.start + one.fact.start, one


def find_in_notes(document: BoundDocument, offset: int) -> types.Location | None:
    """Return where the fact at an offset of a document stands in its notes, or None."""
    text = checked_document(document)
    for start, one in check_facts(text, offset):
        is_here = start <= offset <= start + len(one.fact.text)
        if is_here and one.is_found and one.place is not None:
            return place_in_notes(document, text.notes, one.place)
    return None


def describe_missing(text: CheckedText) -> str:
    """Return missing facts as feedback for a model, "" if there are none."""
    lines: dict[str, str] = {}
    for _, one in check_facts(text):
        if not one.is_found:
            near = ""
            if one.place is not None:
                notes = text.notes[one.place.source].text
                passage = shorten(notes[one.place.start : one.place.end], _MAX_PASSAGE)
                near = f" (nearest in the notes: {passage})"
            lines[one.fact.text] = f"- {shorten(one.fact.text, _MAX_WORDS)}{near}"
    return "\n".join([CORRECT, *lines.values()]) if lines else ""


def sentence_at(document: BoundDocument, finding: Finding) -> str:
    """Return the sentence of a document that a finding is in, on one line."""
    found = find_passage(document.text, finding.start)
    return fold_space(document.text[slice(*found)] if found else finding.words)


def with_note(notes: str, sentence: str) -> str:
    """Return notes with a sentence at their end: an item, if they end in a list.

    A sentence that is there stays as it is.
    """
    if sentence in notes:
        return notes
    blocks = split_blocks(notes)
    last = LIST_MARKER.match(blocks[-1].text) if blocks else None
    end = first_line_end(notes)
    text = notes if not notes or notes.endswith(("\n", "\r")) else notes + end
    gap = "" if last or not text.strip() else end
    return f"{text}{gap}{last[0] if last else ''}{sentence}{end}"
