"""Where a text may be sent: as it says, else as what it came from says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from writeit.core.errors import NotTrusted
from writeit.core.run import split_model_id
from writeit.ports import RunQuery

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from writeit.core.run import PipelineRun
    from writeit.ports import Store

ORIGINS = 1_000
"""How many runs of one document are looked at."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Where a text may go."""

    providers: tuple[str, ...] | None
    """None is anywhere."""
    of: str | None = None
    """The document that says so, if it is not the text's own."""

    def allows(self, model: str) -> bool:
        """Say whether the text may go to a model."""
        return self.providers is None or split_model_id(model)[0] in self.providers


def leave_of(store: Store, run: PipelineRun, said: tuple[str, ...] | None) -> Leave:
    """Return where a run's text may be sent; `said` is what its document says now.

    A document that says nothing is held to what the documents said that its texts came
    from, each when its run began: an article is as private as its notes. Of several all
    count.
    """
    if said is not None:
        return Leave(said)
    leave = Leave(None)
    for origin in _origins(store, run.uri, {run.uri}):
        providers = origin.document.providers
        if providers is None:
            continue
        if leave.providers is None:
            leave = Leave(providers, origin.uri)
        else:
            both = tuple(p for p in leave.providers if p in providers)
            leave = Leave(both, leave.of)
    return leave


def _origins(
    store: Store, uri: str | None, seen: set[str | None]
) -> Iterator[PipelineRun]:
    """Yield the runs of other documents whose texts stand in this one, and theirs."""
    if uri is None:
        return
    for summary in store.runs(RunQuery(uri=uri, limit=ORIGINS)).runs:
        if uri not in summary.applied_to or summary.uri == uri:
            continue
        if (stored := store.run(summary.run_id)) is None:
            continue  # deleted this moment
        yield stored.run
        # What a document said itself counts there, whatever it came from.
        if stored.run.document.providers is None and summary.uri not in seen:
            seen.add(summary.uri)
            yield from _origins(store, summary.uri, seen)


def check(models: Sequence[str], leave: Leave) -> None:
    """Refuse models at providers that the text may not be sent to.

    Raises:
        NotTrusted: the front matter does not name the provider.
    """
    for model in models:
        if not leave.allows(model):
            raise _refusal(split_model_id(model)[0], leave)


def _refusal(provider: str, leave: Leave) -> NotTrusted:
    allowed = ", ".join(leave.providers or ()) or "nowhere"
    message = (
        f"This text may be sent to {allowed}, not to {provider}; nothing was sent."
    )
    if leave.of is None:
        hint = (
            f"Choose another model, or add {provider} to `providers` in the document's"
            " front matter. If the document is gone, what it said when the run began"
            " still holds."
        )
    else:
        message += f" So says {_name(leave.of)}, from which it came."
        hint = (
            "Choose another model, or say in this document's own front matter where it"
            f" may be sent, as in `providers: [{provider}]`."
        )
    return NotTrusted(
        message, hint=hint, provider=provider, providers=list(leave.providers or ())
    )


def _name(uri: str) -> str:
    """Return what a writer calls a document."""
    return unquote(PurePosixPath(urlsplit(uri).path).name) or uri
