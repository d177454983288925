"""Runs that leave a store as a dossier, and come back, here or elsewhere.

A run that comes back with a longer history than the one that is here goes on from
where that one stands. Documents are named by their place in the workspace, so that a
run finds them again on another machine; what lies outside of the workspace it is
brought to, it can never reach.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from writeit.core.dossier import Ancestor, Dossier, readdressed
from writeit.core.errors import BadExport
from writeit.core.events import RunBranched, RunStarted
from writeit.ports import Decision, StaleDecision

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from writeit.core.events import Event
    from writeit.core.run import PipelineRun
    from writeit.engine.engine import Engine
    from writeit.ports import RunSummary, Store, StoredRun

HERE = "workspace:/"
"""What the URI of a document in the workspace begins with, in a dossier."""

ELSEWHERE = "elsewhere:"
"""What the URI of a document begins with that is outside: nothing opens it."""


async def dossier_of(
    engine: Engine, run_id: UUID, workspace: Path | None, *, history: bool = True
) -> Dossier:
    """Gather all that belongs to a run.

    Raises:
        NotFound: there is no such run here.
        StoreError: the store has lost some of it.
    """
    run, store = await engine.show(run_id), engine.store
    pinned = run.primer
    primer = store.primer(pinned.primer_id, pinned.version) if pinned else None
    found = Dossier(
        run=run,
        configuration=engine.configuration(run),
        primer=primer and primer.evolve(created_at=None, last_used=None),
        events=tuple(store.events(run_id)) if history else None,
        ancestors=tuple(_ancestors(store, run.parent_pipeline_run_id)),
    )
    return readdressed(found, _to_portable(workspace)) if workspace else found


def _ancestors(store: Store, run_id: UUID | None) -> list[Ancestor]:
    found = []
    while run_id is not None and (summary := store.summary(run_id)):
        found.append(_ancestor(summary))
        run_id = summary.parent_run_id
    return found


def _ancestor(summary: RunSummary) -> Ancestor:
    return Ancestor(**{name: getattr(summary, name) for name in Ancestor.model_fields})


async def bring_in(engine: Engine, dossier: Dossier, workspace: Path) -> PipelineRun:
    """Store the run of a dossier, whole or not at all; return it as it is here.

    Answers that were on their way when it left are kept as far as they had come, and
    the run is paused.

    Raises:
        BadExport: it is here already, or contradicts what is here; nothing changed.
        StoreError: nothing was written.
    """
    dossier = readdressed(dossier, _to_local(workspace))
    run, run_id = dossier.run, dossier.run.pipeline_run_id
    events = _history(dossier)
    stored = engine.store.run(run_id)
    seq = _continued(engine.store, stored, dossier) if stored else 0
    decision = Decision(
        run=run,
        events=events[seq:],
        expected_seq=seq,
        configuration=dossier.configuration,
        primer=dossier.primer,
        ancestors=dossier.ancestors,
    )
    try:
        await engine.ledger.begin(decision, active=False)
    except StaleDecision:
        return await bring_in(engine, dossier, workspace)
    _journal(engine.store, run)
    return await engine.show(run_id)


def _history(dossier: Dossier) -> tuple[Event, ...]:
    """The run's events; without any, that it began as it stands."""
    if dossier.events is not None:
        return dossier.events
    began = RunBranched if dossier.run.parent_pipeline_run_id else RunStarted
    return (began(at=dossier.run.updated_at, run=dossier.run),)


def _continued(store: Store, stored: StoredRun, dossier: Dossier) -> int:
    """Return how much of the history is here, if the dossier's goes on from there.

    Raises:
        BadExport: it does not.
    """
    run_id = stored.run.pipeline_run_id
    here, theirs = tuple(store.events(run_id)), dossier.events
    goes_on = theirs is not None and theirs[: len(here)] == here
    if goes_on and theirs != here and not stored.run.is_streaming:
        return len(here)
    if theirs is None or theirs == here[: len(theirs)]:
        what = "is here already, with all that the file tells of it"
        if theirs is None:
            what = "is here already, and the file has no history to go on with it"
    else:
        what = "is here already and went another way since the file was made"
    raise BadExport(
        f"Run {run_id} {what}; nothing was imported.",
        reason="conflict",
        hint=f"`writeit show {run_id}` shows it. To have the file's instead, import it"
        " in another folder, or delete the run first (writeit.run.delete).",
    )


def _journal(store: Store, run: PipelineRun) -> None:
    """Keep what had come of answers that nobody will finish."""
    for step in run.steps.values():
        for stream in step.streaming:
            if stream.text:
                store.journal(run.pipeline_run_id, stream.response_id, stream.text)


def _to_portable(workspace: Path) -> Callable[[str], str]:
    root = f"{workspace.as_uri()}/"

    def to(uri: str) -> str:
        return HERE + uri.removeprefix(root) if uri.startswith(root) else uri

    return to


def _to_local(workspace: Path) -> Callable[[str], str]:
    root = workspace.resolve()

    def to(uri: str) -> str:
        rest = uri.partition(":")[2]
        if uri.startswith(HERE):
            inner = f"{workspace.as_uri()}/{rest.lstrip('/')}"
            return inner if _is_inside(inner, root) else f"{ELSEWHERE}{rest}"
        return (
            f"{ELSEWHERE}{rest}" if _is_file(uri) and not _is_inside(uri, root) else uri
        )

    return to


def _is_file(uri: str) -> bool:
    """Whether anybody could take a URI for a file's, spaces and line breaks or not."""
    try:
        return urlsplit(uri).scheme in {"file", "workspace"}
    except ValueError:
        return True


def _is_inside(uri: str, root: Path) -> bool:
    """Whether a file is in the folder, wherever links on the way to it lead."""
    try:
        parts = urlsplit(uri)
        path = Path(unquote(parts.path)).resolve()
    except (ValueError, OSError, RuntimeError):
        return False
    return parts.netloc in {"", "localhost"} and path.is_relative_to(root)
