"""Which providers a document's text may be sent to."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit
from uuid import UUID

from writeit.domain.document import RunDocument, strictest
from writeit.domain.errors import NotFound, NotTrusted
from writeit.domain.model_id import split_model_id
from writeit.domain.run import PipelineRun
from writeit.domain.run_summary import RunSummary
from writeit.ports.models import Models
from writeit.ports.store import RunQuery, Store

FileProviders = Mapping[str, tuple[str, ...] | None]
"""By URI, what the front matter of a file that a document names says now."""
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
    is_file: bool = False
    """Whether the document's front matter names that source as notes or context."""

    def allows(self, model: str) -> bool:
        """Say whether the text may be sent to a model."""
        return self.providers is None or split_model_id(model)[0] in self.providers

    def limited_by(self, other: AllowedProviders) -> AllowedProviders:
        """Return the providers that both allow; of the first that sets a limit."""
        common = strictest([self.providers, other.providers])
        first = other if self.providers is None else self
        # The name in a refusal is of the file whose limit has to be changed.
        last = other if common != first.providers else first
        return replace(last, providers=common)


def resolve_allowed_providers(
    store: Store,
    run: PipelineRun,
    document_providers: tuple[str, ...] | None,
    file_providers: FileProviders | None = None,
) -> AllowedProviders:
    """Return the providers that a run's text may be sent to.

    `document_providers` is what the document's front matter says now, and
    `file_providers` what that of the files it names says. Of a text that says nothing,
    the limits of the documents it came from apply, as recorded when each run started. A
    text that was renamed or copied is known by the passages in it. A provider must be
    in all limits.
    """
    policy = AllowedProviders(document_providers)
    texts = {run.uri: run.document.text} if document_providers is None else {}
    for file in run.document.files:
        limit = (file_providers or {}).get(file.uri, file.providers)
        if limit is None:
            texts[file.uri] = file.text
        policy = policy.limited_by(AllowedProviders(limit, file.uri, is_file=True))
    passages = frozenset[int]().union(*map(_passages, texts.values()))
    uris = frozenset(uri for uri in texts if uri)
    for source in _sources(store, uris, passages) if texts else ():
        policy = policy.limited_by(AllowedProviders(source.providers, source.uri))
    return policy


@dataclass(frozen=True, slots=True)
class _Source:
    """A run whose text was applied to a document."""

    uri: str | None
    unlimited: frozenset[int]
    """The passages of those of its texts that set no limit themselves."""
    providers: tuple[str, ...] | None
    applied: frozenset[int]
    """The passages of what was applied."""


def _sources(
    store: Store, uris: frozenset[str], passages: frozenset[int]
) -> Iterator[_Source]:
    """Yield the runs of other documents whose texts are in these, recursively.

    A document is known by its URI. Renamed or copied, it is known by what was applied.
    """
    newest = store.list_runs(RunQuery(limit=MAX_SOURCE_RUNS)).runs
    seen: set[UUID] = set()
    pending = [(uris, passages)]
    while pending:
        uris, passages = pending.pop()
        own = [RunQuery(uri=uri, limit=MAX_SOURCE_RUNS) for uri in uris]
        for summary in (
            *(run for q in own for run in store.list_runs(q).runs),
            *newest,
        ):
            is_other = summary.uri not in uris
            if summary.run_id in seen or not (summary.applied_to and is_other):
                continue
            source = _read_source(store, summary)
            if source is None or (
                uris.isdisjoint(summary.applied_to)
                and passages.isdisjoint(source.applied)
            ):
                continue
            seen.add(summary.run_id)
            yield source
            # A limit that a document sets itself replaces those of its sources.
            if source.unlimited:
                pending.append(
                    (frozenset(filter(None, [source.uri])), source.unlimited)
                )


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
            unlimited=_unlimited_passages(run.document),
            providers=run.document.allowed_providers,
            applied=frozenset[int]().union(*map(_passages, filter(None, contents))),
        )
        while len(_sources_read) > MAX_SOURCE_RUNS:
            _sources_read.popitem(last=False)
    return _sources_read[key]


def _unlimited_passages(document: RunDocument) -> frozenset[int]:
    texts = [(document.text, document.providers)]
    texts += [(file.text, file.providers) for file in document.files]
    found = [_passages(text) for text, providers in texts if providers is None]
    return frozenset[int]().union(*found)


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
    if policy.source_uri is not None:
        name = _document_name(policy.source_uri)
        message += f" Its source {name} sets this limit."
        where = (
            f"add {provider} to `providers` in the front matter of {name}."
            if policy.is_file
            else f"add this to the document's front matter: providers: [{provider}]"
        )
    else:
        where = f"add {provider} to `providers` in the document's front matter."
    hint = f"Choose another model, or {where}"
    return NotTrusted(
        message, hint=hint, provider=provider, providers=list(policy.providers or ())
    )


def _document_name(uri: str) -> str:
    """Return a document's file name, or its URI if it has none."""
    return unquote(PurePosixPath(urlsplit(uri).path).name) or uri
