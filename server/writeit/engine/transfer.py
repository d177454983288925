"""Runs that leave a store as a dossier, and come back, here or elsewhere.

A run that comes back with a longer history than the one that is here goes on from
where that one stands. Documents are named by their place in the workspace, so that a
run finds them again on another machine; what lies outside of the workspace it is
brought to, it can never reach.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from writeit.domain.errors import InvalidExport
from writeit.domain.events import Event, RunBranched, RunStarted
from writeit.domain.run import PipelineRun
from writeit.domain.run_bundle import Ancestor, RunBundle, with_uris
from writeit.domain.run_summary import RunSummary
from writeit.engine.engine import Engine
from writeit.ports.store import RunCommit, StaleCommit, Store, StoredRun

WORKSPACE_PREFIX = "workspace:/"
"""What the URI of a document in the workspace begins with, in a dossier."""

EXTERNAL_PREFIX = "elsewhere:"
"""What the URI of a document begins with that is outside: nothing opens it."""


async def build_bundle(
    engine: Engine, run_id: UUID, workspace: Path | None, *, history: bool = True
) -> RunBundle:
    """Gather all that belongs to a run.

    Raises:
        NotFound: there is no such run here.
        StoreError: the store has lost some of it.
    """
    run, store = await engine.load_run(run_id), engine.store
    pinned = run.primer
    primer = store.primer(pinned.primer_id, pinned.version) if pinned else None
    found = RunBundle(
        run=run,
        configuration=engine.configuration(run),
        primer=primer and primer.evolve(created_at=None, last_used=None),
        events=tuple(store.events(run_id)) if history else None,
        ancestors=tuple(_list_ancestors(store, run.parent_pipeline_run_id)),
    )
    return with_uris(found, _portable_uri_mapper(workspace)) if workspace else found


def _list_ancestors(store: Store, run_id: UUID | None) -> list[Ancestor]:
    found = []
    while run_id is not None and (summary := store.summary(run_id)):
        found.append(_to_ancestor(summary))
        run_id = summary.parent_run_id
    return found


def _to_ancestor(summary: RunSummary) -> Ancestor:
    return Ancestor(**{name: getattr(summary, name) for name in Ancestor.model_fields})


async def import_run(engine: Engine, bundle: RunBundle, workspace: Path) -> PipelineRun:
    """Store the run of a dossier, whole or not at all; return it as it is here.

    Answers that were on their way when it left are kept as far as they had come, and
    the run is paused.

    Raises:
        BadExport: it is here already, or contradicts what is here; nothing changed.
        StoreError: nothing was written.
    """
    bundle = with_uris(bundle, _local_uri_mapper(workspace))
    run, run_id = bundle.run, bundle.run.pipeline_run_id
    events = _bundle_events(bundle)
    stored = engine.store.get_run(run_id)
    seq = _common_event_count(engine.store, stored, bundle) if stored else 0
    decision = RunCommit(
        run=run,
        events=events[seq:],
        expected_seq=seq,
        configuration=bundle.configuration,
        primer=bundle.primer,
        ancestors=bundle.ancestors,
    )
    try:
        await engine.transactions.create_run(decision, activate=False)
    except StaleCommit:
        return await import_run(engine, bundle, workspace)
    _restore_journal(engine.store, run)
    return await engine.load_run(run_id)


def _bundle_events(bundle: RunBundle) -> tuple[Event, ...]:
    """The run's events; without any, that it began as it stands."""
    if bundle.events is not None:
        return bundle.events
    began = RunBranched if bundle.run.parent_pipeline_run_id else RunStarted
    return (began(at=bundle.run.updated_at, run=bundle.run),)


def _common_event_count(store: Store, stored: StoredRun, bundle: RunBundle) -> int:
    """Return how much of the history is here, if the dossier's goes on from there.

    Raises:
        BadExport: it does not.
    """
    run_id = stored.run.pipeline_run_id
    here, theirs = tuple(store.events(run_id)), bundle.events
    goes_on = theirs is not None and theirs[: len(here)] == here
    if goes_on and theirs != here and not stored.run.is_streaming:
        return len(here)
    if theirs is None or theirs == here[: len(theirs)]:
        what = "is here already, with all that the file tells of it"
        if theirs is None:
            what = "is here already, and the file has no history to go on with it"
    else:
        what = "is here already and went another way since the file was made"
    raise InvalidExport(
        f"Run {run_id} {what}; nothing was imported.",
        reason="conflict",
        hint=f"`writeit show {run_id}` shows it. To have the file's instead, import it"
        " in another folder, or delete the run first (writeit.run.delete).",
    )


def _restore_journal(store: Store, run: PipelineRun) -> None:
    """Keep what had come of answers that nobody will finish."""
    for step in run.steps.values():
        for stream in step.streaming:
            if stream.text:
                store.append_journal(
                    run.pipeline_run_id, stream.response_id, stream.text
                )


def _portable_uri_mapper(workspace: Path) -> Callable[[str], str]:
    root = f"{workspace.as_uri()}/"

    def to(uri: str) -> str:
        return (
            WORKSPACE_PREFIX + uri.removeprefix(root) if uri.startswith(root) else uri
        )

    return to


def _local_uri_mapper(workspace: Path) -> Callable[[str], str]:
    root = workspace.resolve()

    def to(uri: str) -> str:
        rest = uri.partition(":")[2]
        if uri.startswith(WORKSPACE_PREFIX):
            inner = f"{workspace.as_uri()}/{rest.lstrip('/')}"
            return (
                inner if _is_inside_folder(inner, root) else f"{EXTERNAL_PREFIX}{rest}"
            )
        return (
            f"{EXTERNAL_PREFIX}{rest}"
            if _is_file_uri(uri) and not _is_inside_folder(uri, root)
            else uri
        )

    return to


def _is_file_uri(uri: str) -> bool:
    """Whether anybody could take a URI for a file's, spaces and line breaks or not."""
    try:
        return urlsplit(uri).scheme in {"file", "workspace"}
    except ValueError:
        return True


def _is_inside_folder(uri: str, root: Path) -> bool:
    """Whether a file is in the folder, wherever links on the way to it lead."""
    try:
        parts = urlsplit(uri)
        path = Path(unquote(parts.path)).resolve()
    except (ValueError, OSError, RuntimeError):
        return False
    return parts.netloc in {"", "localhost"} and path.is_relative_to(root)
