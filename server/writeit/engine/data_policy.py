"""Which providers a document's text may be sent to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from writeit.domain.errors import NotTrusted
from writeit.domain.run import PipelineRun, split_model_id
from writeit.ports.store import RunQuery, Store

MAX_SOURCE_RUNS = 1_000
"""How many runs of one document are read."""


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
    each run started; a provider must be in all of them.
    """
    if document_providers is not None:
        return AllowedProviders(document_providers)
    policy = AllowedProviders(None)
    for source in _source_runs(store, run.uri, {run.uri}):
        providers = source.document.providers
        if providers is None:
            continue
        if policy.providers is None:
            policy = AllowedProviders(providers, source.uri)
        else:
            common = tuple(p for p in policy.providers if p in providers)
            policy = AllowedProviders(common, policy.source_uri)
    return policy


def _source_runs(
    store: Store, uri: str | None, visited: set[str | None]
) -> Iterator[PipelineRun]:
    """Yield the runs of other documents whose texts were applied here, recursively."""
    if uri is None:
        return
    for summary in store.list_runs(RunQuery(uri=uri, limit=MAX_SOURCE_RUNS)).runs:
        if uri not in summary.applied_to or summary.uri == uri:
            continue
        if (stored := store.get_run(summary.run_id)) is None:
            continue  # deleted a moment ago
        yield stored.run
        # A limit that a document sets itself replaces those of its sources.
        if stored.run.document.providers is None and summary.uri not in visited:
            visited.add(summary.uri)
            yield from _source_runs(store, summary.uri, visited)


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
