"""Which providers a document's text may be sent to."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from uuid import UUID

from writeit.domain.errors import NotFound, NotTrusted
from writeit.domain.model_id import split_model_id
from writeit.domain.run import PipelineRun
from writeit.domain.run_summary import RunSummary
from writeit.ports.models import Models
from writeit.ports.store import RunQuery, Store

MAX_SOURCE_RUNS = 1_000
"""How many runs are looked at: the newest of a document, and the newest of all."""
MIN_PASSAGE_CHARACTERS = 40
"""The shortest sentence that tells by itself where a text came from."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|[\r\n]+[\s>#*+-]*|\A[\s>#*+-]+")


@dataclass(frozen=True, slots=True)
class AllowedProviders:
    """The providers that a text may be sent to."""

    providers: tuple[str, ...] | None
    """None allows all."""
    source_uri: str | None = None
    """The source document that sets the limit; None if the document itself does."""

    def allows(self, model: str) -> bool:
        """Say whether the text may be sent to a model."""
        return self.providers is None or split_model_id(model)[0] in self.providers


def resolve_allowed_providers(
    store: Store, run: PipelineRun, document_providers: tuple[str, ...] | None
) -> AllowedProviders:
    """Return the providers that a run's text may be sent to.

    `document_providers` is what the document's front matter says now. If it says
    nothing, the limits of the documents its text came from apply, as recorded when
    each run started; a provider must be in all of them. A text that was renamed or
    copied is known by the passages in it.
    """
    if document_providers is not None:
        return AllowedProviders(document_providers)
    policy = AllowedProviders(None)
    for source in _sources(store, run.uri, _passages(run.document.text)):
        providers = source.providers
        if providers is None:
            continue
        if policy.providers is None:
            policy = AllowedProviders(providers, source.uri)
        else:
            common = tuple(p for p in policy.providers if p in providers)
            policy = AllowedProviders(common, policy.source_uri)
    return policy


@dataclass(frozen=True, slots=True)
class _Source:
    """A run whose text was applied to a document."""

    uri: str | None
    document: frozenset[int]
    """The passages of the document that it was started on."""
    providers: tuple[str, ...] | None
    applied: frozenset[int]
    """The passages of what was applied."""


def _sources(
    store: Store, uri: str | None, passages: frozenset[int]
) -> Iterator[_Source]:
    """Yield the runs of other documents whose texts are in this one, recursively.

    A document is known by its URI. Renamed or copied, it is known by what was applied.
    """
    newest = store.list_runs(RunQuery(limit=MAX_SOURCE_RUNS)).runs
    seen: set[UUID] = set()
    pending = [(uri, passages)]
    while pending:
        uri, passages = pending.pop()
        own = RunQuery(uri=uri, limit=MAX_SOURCE_RUNS)
        for summary in (*(store.list_runs(own).runs if uri else ()), *newest):
            is_other = uri is None or summary.uri != uri
            if summary.run_id in seen or not (summary.applied_to and is_other):
                continue
            source = _read_source(store, summary)
            if source is None or (
                uri not in summary.applied_to and passages.isdisjoint(source.applied)
            ):
                continue
            seen.add(summary.run_id)
            yield source
            # A limit that a document sets itself replaces those of its sources.
            if source.providers is None:
                pending.append((source.uri, source.document))


_sources_read: OrderedDict[tuple[UUID, datetime], _Source] = OrderedDict()
"""Runs are read once; only a few of them change."""


def _read_source(store: Store, summary: RunSummary) -> _Source | None:
    """Return a run, None if it was deleted a moment ago."""
    key = (summary.run_id, summary.updated_at)
    if key not in _sources_read:
        if (stored := store.get_run(summary.run_id)) is None:
            return None
        run = stored.run
        contents = [run.steps[applied.step].content for applied in run.applied]
        _sources_read[key] = _Source(
            uri=run.uri,
            document=_passages(run.document.text),
            providers=run.document.providers,
            applied=frozenset[int]().union(*map(_passages, filter(None, contents))),
        )
        while len(_sources_read) > MAX_SOURCE_RUNS:
            _sources_read.popitem(last=False)
    return _sources_read[key]


def _passages(text: str) -> frozenset[int]:
    """Return hashes of a text and of its long sentences, without spaces and marks.

    Texts that share one have the same source, also after edits elsewhere.
    """
    parts = {"".join(part.split()) for part in _SENTENCE_END.split(text)}
    found = {hash(part) for part in parts if len(part) >= MIN_PASSAGE_CHARACTERS}
    if whole := "".join(text.split()):
        found.add(hash(whole))
    return frozenset(found)


async def find_unknown_provider(models: Models, policy: AllowedProviders) -> str | None:
    """Return the first allowed provider that does not exist, None if all do."""
    for name in policy.providers or ():
        try:
            model = await models.resolve_model_id(f"{name}/x")
        except NotFound:
            return name
        if model != f"{name}/x" or "/" in name:
            return name
    return None


async def check_provider_names(models: Models, policy: AllowedProviders) -> None:
    """Check that all allowed providers exist: a misspelled limit is not understood.

    Raises:
        NotTrusted: one does not exist.
    """
    if (name := await find_unknown_provider(models, policy)) is not None:
        raise NotTrusted(
            f"`providers` names {name!r}, which is not a provider. Nothing was sent.",
            hint="Correct `providers` in the front matter. Examples: embedded, ollama,"
            " openai.",
            provider=name,
            providers=list(policy.providers or ()),
        )


def check_models(models: Sequence[str], policy: AllowedProviders) -> None:
    """Check that the text may be sent to all models.

    Raises:
        NotTrusted: a model's provider is not allowed.
    """
    for model in models:
        if not policy.allows(model):
            raise _not_allowed_error(split_model_id(model)[0], policy)


def _not_allowed_error(provider: str, policy: AllowedProviders) -> NotTrusted:
    message = f"This text may not be sent to {provider}. Nothing was sent."
    if policy.providers:
        message += f" Allowed providers: {', '.join(policy.providers)}."
    if policy.source_uri is None:
        hint = (
            f"Choose another model, or add {provider} to `providers` in the document's"
            " front matter."
        )
    else:
        message += f" Its source {_document_name(policy.source_uri)} sets this limit."
        hint = (
            "Choose another model, or add this to the document's front matter:"
            f" providers: [{provider}]"
        )
    return NotTrusted(
        message, hint=hint, provider=provider, providers=list(policy.providers or ())
    )


def _document_name(uri: str) -> str:
    """Return a document's file name, or its URI if it has none."""
    return unquote(PurePosixPath(urlsplit(uri).path).name) or uri
