"""The findings of a document, computed after a rest and never for an old version.

What the user ignores is a record beside the drafts of the document's first run, and
known by its words and those around it: it follows edits and survives the editor.
Nothing is written into the user's text.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from writeit.domain.errors import NotFound
from writeit.domain.operations.lifecycle import find_step
from writeit.domain.primer import NO_PRIMER, StylePrimer
from writeit.domain.run import PipelineRun
from writeit.domain.run_summary import RunSummary
from writeit.library.catalog import Library
from writeit.library.front_matter import FrontMatterConfig
from writeit.lsp.action import Action
from writeit.lsp.convert import normalized_uri
from writeit.lsp.documents import parse_front_matter
from writeit.lsp.findings.facts import find_missing_facts, read_sources, run_notes
from writeit.lsp.findings.finding import BoundDocument, Finding, Paragraphs
from writeit.lsp.findings.remarks import find_remarks
from writeit.lsp.findings.style import find_avoided_words, find_style_hits
from writeit.lsp.folder import LIBRARY_SECONDS, MAX_RUNS_READ, WorkspaceFolder
from writeit.ports.store import RunQuery
from writeit.text.diff import MIN_SIMILARITY, count_words, similarity
from writeit.text.language import language_of
from writeit.text.style_rules import StyleRule
from writeit.views.escape import shorten

KINDS = (find_missing_facts, find_avoided_words, find_remarks)
"""The kinds of findings, each a coroutine from a document to its findings."""
IGNORED = "ignored"
"""The record's place among the drafts of a run; it is of no step."""
REST_SECONDS = 0.2
"""A changed text is examined when the user has not typed for so long."""
MAX_REST_SECONDS = 3.0
_MAX_RUNS = 200
"""Runs of a document among which are those about all of it, and reviews."""
_MAX_TITLE = 60
_CONTEXT = 80
"""Characters on each side by which an ignored place is known again."""


@dataclass(frozen=True, slots=True)
class DocumentFindings:
    """The findings in a text, in order."""

    document: BoundDocument
    change_count: int
    findings: Sequence[Finding]


async def find_findings(
    folder: WorkspaceFolder, uri: str, listed: Sequence[RunSummary] | None = None
) -> DocumentFindings | None:
    """Return the findings of an open document; None if nothing binds it.

    `listed`: the document's runs, if they are known. After a change, this waits until
    the user rests.
    """
    documents, uri = folder.documents, normalized_uri(uri)
    paragraphs = documents.findings.setdefault(uri, Paragraphs())
    async with paragraphs.lock:
        if paragraphs.change_count not in {-1, documents.change_count(uri)}:
            await documents.wait_for_idle(uri, REST_SECONDS, MAX_REST_SECONDS)
        document = await _read_document(folder, uri, listed, paragraphs)
        if document is None:
            return None
        count = paragraphs.change_count
        found = [finding for kind in KINDS for finding in await kind(document)]
        shown = _without_ignored(document, found)
        return DocumentFindings(document, count, [*_with_ids(document, shown)])


async def _read_document(
    folder: WorkspaceFolder,
    uri: str,
    listed: Sequence[RunSummary] | None,
    paragraphs: Paragraphs,
) -> BoundDocument | None:
    """Return an open document with what binds it, or None if nothing does."""
    documents = folder.documents
    head = documents.front_matter_text(uri)
    front_matter = parse_front_matter(head, uri)
    if listed is None or len(listed) == MAX_RUNS_READ:
        listed = list_document_runs(folder, uri)
    applied = tuple(_applied_runs(folder, uri, listed))
    reviews = tuple(find_newest_reviews(folder, listed))
    is_bound = front_matter.raw_config is not None or applied
    if not (is_bound or reviews):
        return None
    library = await folder.load_library(LIBRARY_SECONDS)
    primer = (
        await _find_primer(folder, library, front_matter.config, applied)
        if is_bound
        else None
    )
    # Nothing is awaited between the count and the text.
    count, opened = documents.change_count(uri), documents.find_open(uri)
    if opened is None:
        return None
    if paragraphs.change_count != count:
        paragraphs.read(count, opened.source, len(documents.front_matter_text(uri)))
    return BoundDocument(
        folder=folder,
        uri=uri,
        front_matter=front_matter,
        applied=applied,
        first_run=listed[-1].run_id if listed else None,
        reviews=reviews,
        primer=primer,
        paragraphs=paragraphs,
    )


def list_document_runs(folder: WorkspaceFolder, uri: str) -> Sequence[RunSummary]:
    """Return the runs of a document, newest first; most may be about passages."""
    query = RunQuery(uri=uri, limit=_MAX_RUNS)
    return folder.store.list_runs(query).runs if folder.has_store else ()


def _applied_runs(
    folder: WorkspaceFolder, uri: str, listed: Sequence[RunSummary]
) -> Iterator[tuple[PipelineRun, str]]:
    """Yield the runs about whole documents that a document has texts of, and the step.

    The one that was applied last comes first.
    """
    found = [
        (max(here, key=lambda applied: applied.at), stored)
        for summary in listed
        if uri in summary.applied_to
        and not folder.is_selection_pipeline(summary.configuration_id)
        and (stored := folder.store.get_run(summary.run_id)) is not None
        # The text may have been removed since the runs were listed.
        and (here := [one for one in stored.run.applied if one.uri == uri])
    ]
    for applied, stored in sorted(found, key=lambda one: one[0].at, reverse=True):
        yield stored.run, applied.step


def find_newest_reviews(
    folder: WorkspaceFolder, listed: Sequence[RunSummary]
) -> Iterator[PipelineRun]:
    """Yield the newest review by each pipeline that has answers."""
    seen: set[str] = set()
    for summary in listed:
        if summary.is_review and summary.pipeline not in seen:
            stored = folder.store.get_run(summary.run_id)
            step = stored and stored.run.review_step
            if stored and step and step.ai_responses and not step.streaming:
                seen.add(summary.pipeline)
                yield stored.run


async def _find_primer(
    folder: WorkspaceFolder,
    library: Library,
    config: FrontMatterConfig,
    applied: Sequence[tuple[PipelineRun, str]],
) -> StylePrimer | None:
    """Return the style of a document: its own, its run's, else a new run's."""
    name = config.primer
    if name is None and applied:
        run, _ = applied[0]
        name = run.primer.primer_id if run.primer else NO_PRIMER
    if name is None:
        pipeline = library.usable_pipeline(config.pipeline or "")
        name = pipeline.default("style_primer", str) if pipeline else None
        name = name or (await folder.load_settings()).style_primer
        if name is None and folder.has_store:
            name = folder.engine.preferences.style_primer
    entry = library.primers.get(name or NO_PRIMER)
    return entry.value if entry else None


def _with_ids(
    document: BoundDocument, findings: Sequence[Finding]
) -> Iterator[Finding]:
    """Yield findings in order with their ids and what all of them offer."""
    counts: Counter[tuple[str, str]] = Counter()
    for found in sorted(findings, key=lambda one: (one.start, one.end)):
        counts[found.code, found.words] += 1
        number = counts[found.code, found.words]
        name = f"{found.code}\0{found.words}\0{number}".encode()
        known = {"uri": document.uri, "finding": sha256(name).hexdigest()[:12]}
        fixes = [
            Action(
                f"{found.fix_title} {shorten(text, _MAX_TITLE)}",
                "writeit.finding.fix",
                {**known, "replacement": index},
            )
            for index, text in enumerate(found.replacements)
        ]
        others = [a if a.params else replace(a, params=known) for a in found.actions]
        if document.first_run is not None and found.can_ignore:
            others.append(Action("Ignore here", "writeit.finding.ignore", known))
        yield replace(found, id=known["finding"], actions=(*fixes, *others))


async def require_finding(
    folder: WorkspaceFolder, uri: str, finding_id: str
) -> tuple[DocumentFindings, Finding]:
    """Return a finding and the findings that it is among.

    Raises:
        NotFound: it is not in the document any more.
    """
    found = await find_findings(folder, uri)
    for finding in found.findings if found else ():
        if found is not None and finding.id == finding_id:
            return found, finding
    raise NotFound(
        "This is not in the document any more. Nothing was done.",
        hint="You have changed or ignored it.",
    )


# --- what the user ignores ---


def _to_record(document: BoundDocument, finding: Finding) -> list[str]:
    """Return by what a finding is known again: code, words, the text around them."""
    start, end = max(0, finding.start - _CONTEXT), finding.end + _CONTEXT
    return [finding.code, finding.words, document.text[start:end]]


def _read_records(document: BoundDocument) -> list[list[str]]:
    """Return the records of the findings that are not shown."""
    if document.first_run is None:
        return []
    drafts = document.folder.store.drafts(document.first_run, IGNORED)
    return list(json.loads(drafts.get(IGNORED, "[]")))


def _without_ignored(
    document: BoundDocument, findings: Sequence[Finding]
) -> list[Finding]:
    records = _read_records(document) if findings else []
    known = [(record[:2], count_words(record[2])) for record in records]

    def is_ignored(finding: Finding) -> bool:
        *named, around = _to_record(document, finding)
        return any(
            named == other and similarity(count_words(around), counts) >= MIN_SIMILARITY
            for other, counts in known
        )

    return [one for one in findings if not is_ignored(one)]


async def ignore_finding(folder: WorkspaceFolder, uri: str, finding_id: str) -> None:
    """Show a finding no more, in this place of the document.

    Raises:
        NotFound: it is not in the document any more, or there is no run to keep it.
        StoreError: it could not be written.
    """
    found, finding = await require_finding(folder, uri, finding_id)
    document = found.document
    if document.first_run is None:
        raise NotFound(
            "Nothing was ignored: this document has no run.",
            hint="Change the words, or switch the hints off in the settings.",
        )
    records = [*_read_records(document), _to_record(document, finding)]
    await folder.store.save_draft(
        document.first_run, IGNORED, IGNORED, json.dumps(records)
    )


# --- counts for answers ---


class AnswerCounts(NamedTuple):
    """How much of an answer is marked; None where that is switched off."""

    not_in_notes: int | None = None
    against_style: int | None = None

    @property
    def text(self) -> str:
        """The counts in words, "" if nothing is marked."""
        notes, style = self
        counts = {"not in the notes": notes, "against the style": style}
        return " · ".join(f"{count} {what}" for what, count in counts.items() if count)


async def count_in_answers(
    folder: WorkspaceFolder, run: PipelineRun, step: str
) -> dict[UUID, AnswerCounts]:
    """Return the counts of a step's answers; each of the last ones is read once.

    Raises:
        NotFound: the run has no such step.
    """
    answers = find_step(run, step).ai_responses
    settings = await folder.load_settings()
    notes = rules = None
    if settings.facts.enabled:
        notes = tuple(one.text for one in run_notes(run))
    if settings.primer_lint.enabled and (pinned := run.primer) and answers:
        primer = folder.store.primer(pinned.primer_id, pinned.version)
        rules = primer and tuple(primer.style_rules)
    return await asyncio.to_thread(
        lambda: {
            each.response_id: _count(notes, rules, each.processed_content)
            for each in answers
        }
    )


@lru_cache(maxsize=64)
def _count(
    notes: tuple[str, ...] | None, rules: tuple[StyleRule, ...] | None, text: str
) -> AnswerCounts:
    return AnswerCounts(
        None if notes is None else read_sources(notes).count_missing(text),
        None if rules is None else len(find_style_hits(rules, text, language_of(text))),
    )
