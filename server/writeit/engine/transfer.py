"""Builds the bundle of a run for export, and imports one.

A bundle with a longer history than the stored run extends that run. Document URIs are
relative to the workspace, so that they work on another machine; an imported run can
never refer to a file outside the workspace.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote, urlsplit
from uuid import UUID

from writeit.domain.errors import InvalidExport
from writeit.domain.events import Event, RunBranched, RunStarted
from writeit.domain.run import PipelineRun
from writeit.domain.run_bundle import RunBundle, list_ancestors, with_uris
from writeit.engine.engine import Engine
from writeit.ports.store import RunCommit, StaleCommit, Store, StoredRun

WORKSPACE_PREFIX = "workspace:/"
"""Starts the URI, in a bundle, of a document in the workspace."""

EXTERNAL_PREFIX = "elsewhere:"
"""Starts the URI of a document outside the workspace; nothing opens it."""


async def build_bundle(
    engine: Engine, run_id: UUID, workspace: Path | None, *, history: bool = True
) -> RunBundle:
    """Return a run with everything it needs in another store.

    Raises:
        NotFound: the run does not exist.
        StoreError: the store has lost a part of it.
    """
    run, store = await engine.load_run(run_id), engine.store
    pinned = run.primer
    primer = store.primer(pinned.primer_id, pinned.version) if pinned else None
    bundle = RunBundle(
        run=run,
        configuration=engine.configuration(run),
        primer=primer and primer.evolve(created_at=None, last_used=None),
        events=tuple(store.events(run_id)) if history else None,
        ancestors=list_ancestors(run.parent_pipeline_run_id, store.summary),
    )
    return with_uris(bundle, _portable_uri_mapper(workspace)) if workspace else bundle


async def import_run(engine: Engine, bundle: RunBundle, workspace: Path) -> PipelineRun:
    """Store the run of a bundle in one transaction; return it.

    Answers that were streaming when it was exported become partial, and the run is
    paused.

    Raises:
        InvalidExport: the run exists or contradicts the stored one; nothing changed.
        StoreError: nothing was written.
    """
    bundle = with_uris(bundle, _local_uri_mapper(workspace))
    run, run_id = bundle.run, bundle.run.pipeline_run_id
    events = _bundle_events(bundle)
    stored = engine.store.get_run(run_id)
    seq = _common_event_count(engine.store, stored, bundle) if stored else 0
    commit = RunCommit(
        run=run,
        events=events[seq:],
        expected_seq=seq,
        configuration=bundle.configuration,
        primer=bundle.primer,
        ancestors=bundle.ancestors,
    )
    try:
        await engine.transactions.create_run(commit, activate=False)
    except StaleCommit:
        return await import_run(engine, bundle, workspace)
    _restore_journal(engine.store, run)
    return await engine.load_run(run_id)


def _bundle_events(bundle: RunBundle) -> tuple[Event, ...]:
    """Return the bundle's events, or one that creates the run in its present state."""
    if bundle.events is not None:
        return bundle.events
    event = RunBranched if bundle.run.parent_pipeline_run_id else RunStarted
    return (event(at=bundle.run.updated_at, run=bundle.run),)


def _common_event_count(store: Store, stored: StoredRun, bundle: RunBundle) -> int:
    """Return the number of stored events, if the bundle's history extends them.

    Raises:
        InvalidExport: it does not.
    """
    run_id = stored.run.pipeline_run_id
    local, imported = tuple(store.events(run_id)), bundle.events
    extends = imported is not None and imported[: len(local)] == local
    if extends and imported != local and not stored.run.is_streaming:
        return len(local)
    if imported is None:
        problem = "This run exists already, and the file has no history to extend it"
    elif imported == local[: len(imported)]:
        problem = "This run exists already with everything in the file"
    else:
        problem = "This run exists already and has changed since the file was made"
    raise InvalidExport(
        f"{problem}. Nothing was imported.",
        reason="conflict",
        hint=f"See it with: writeit show {run_id}. To import the file instead, use"
        " another folder or delete the run first.",
    )


def _restore_journal(store: Store, run: PipelineRun) -> None:
    """Store the text of answers that were streaming when the run was exported."""
    for step in run.steps.values():
        for stream in step.streaming:
            for text, is_thought in ((stream.text, False), (stream.thoughts, True)):
                if text:
                    store.append_journal(
                        run.pipeline_run_id,
                        stream.response_id,
                        text,
                        is_thought=is_thought,
                    )


def _portable_uri_mapper(workspace: Path) -> Callable[[str], str]:
    root = f"{workspace.as_uri()}/"

    def portable_uri(uri: str) -> str:
        if not uri.startswith(root):
            return uri
        return WORKSPACE_PREFIX + uri.removeprefix(root)

    return portable_uri


def _local_uri_mapper(workspace: Path) -> Callable[[str], str]:
    root = workspace.resolve()

    def local_uri(uri: str) -> str:
        rest = uri.partition(":")[2]
        local = uri
        if uri.startswith(WORKSPACE_PREFIX):
            local = f"{workspace.as_uri()}/{rest.lstrip('/')}"
        elif not _is_file_uri(uri):
            return uri
        return local if _is_inside_folder(local, root) else f"{EXTERNAL_PREFIX}{rest}"

    return local_uri


def _is_file_uri(uri: str) -> bool:
    """Return whether any client could read a URI as a file's."""
    try:
        return urlsplit(uri).scheme in {"file", "workspace"}
    except ValueError:
        return True


def _is_inside_folder(uri: str, root: Path) -> bool:
    """Return whether a file is in a folder after all links are resolved."""
    try:
        parts = urlsplit(uri)
        path = Path(unquote(parts.path)).resolve()
    except (ValueError, OSError, RuntimeError):
        return False
    return parts.netloc in {"", "localhost"} and path.is_relative_to(root)
