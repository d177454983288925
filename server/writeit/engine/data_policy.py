"""Where a text may be sent: as it says, else as what it came from says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from writeit.domain.errors import NotTrusted
from writeit.domain.run import PipelineRun, split_model_id
from writeit.ports.store import RunQuery, Store

MAX_SOURCE_RUNS = 1_000
"""How many runs of one document are looked at."""


@dataclass(frozen=True, slots=True)
class AllowedProviders:
    """Where a text may go."""

    providers: tuple[str, ...] | None
    """None is anywhere."""
    source_uri: str | None = None
    """The document that says so, if it is not the text's own."""

    def allows(self, model: str) -> bool:
        """Say whether the text may go to a model."""
        return self.providers is None or split_model_id(model)[0] in self.providers


def resolve_allowed_providers(
    store: Store, run: PipelineRun, document_providers: tuple[str, ...] | None
) -> AllowedProviders:
    """Return where a run's text may be sent; `said` is what its document says now.

    A document that says nothing is held to what the documents said that its texts came
    from, each when its run began: an article is as private as its notes. Of several all
    count.
    """
    if document_providers is not None:
        return AllowedProviders(document_providers)
    leave = AllowedProviders(None)
    for origin in _source_runs(store, run.uri, {run.uri}):
        providers = origin.document.providers
        if providers is None:
            continue
        if leave.providers is None:
            leave = AllowedProviders(providers, origin.uri)
        else:
            both = tuple(p for p in leave.providers if p in providers)
            leave = AllowedProviders(both, leave.source_uri)
    return leave


def _source_runs(
    store: Store, uri: str | None, visited: set[str | None]
) -> Iterator[PipelineRun]:
    """Yield the runs of other documents whose texts stand in this one, and theirs."""
    if uri is None:
        return
    for summary in store.list_runs(RunQuery(uri=uri, limit=MAX_SOURCE_RUNS)).runs:
        if uri not in summary.applied_to or summary.uri == uri:
            continue
        if (stored := store.get_run(summary.run_id)) is None:
            continue  # deleted this moment
        yield stored.run
        # What a document said itself counts there, whatever it came from.
        if stored.run.document.providers is None and summary.uri not in visited:
            visited.add(summary.uri)
            yield from _source_runs(store, summary.uri, visited)


def check_models(models: Sequence[str], policy: AllowedProviders) -> None:
    """Refuse models at providers that the text may not be sent to.

    Raises:
        NotTrusted: the front matter does not name the provider.
    """
    for model in models:
        if not policy.allows(model):
            raise _not_allowed_error(split_model_id(model)[0], policy)


def _not_allowed_error(provider: str, policy: AllowedProviders) -> NotTrusted:
    allowed = ", ".join(policy.providers or ()) or "nowhere"
    message = (
        f"This text may be sent to {allowed}, not to {provider}; nothing was sent."
    )
    if policy.source_uri is None:
        hint = (
            f"Choose another model, or add {provider} to `providers` in the document's"
            " front matter. If the document is gone, what it said when the run began"
            " still holds."
        )
    else:
        message += f" So says {_document_name(policy.source_uri)}, from which it came."
        hint = (
            "Choose another model, or say in this document's own front matter where it"
            f" may be sent, as in `providers: [{provider}]`."
        )
    return NotTrusted(
        message, hint=hint, provider=provider, providers=list(policy.providers or ())
    )


def _document_name(uri: str) -> str:
    """Return what a writer calls a document."""
    return unquote(PurePosixPath(urlsplit(uri).path).name) or uri
