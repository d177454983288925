"""Stores that dossiers leave from and come to."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from export.dossiers import PINNED, PRIMER, with_primer
from storage import samples
from support.scripted_models import ScriptedModels
from writeit.app import SystemClock, SystemProcesses
from writeit.domain.run_bundle import RunBundle, with_uris
from writeit.domain.session import UserSession
from writeit.engine.engine import Engine
from writeit.ports.store import RunCommit, Store
from writeit.storage.store import LmdbStore


def engine_on(store: Store, workspace: Path) -> Engine:
    """An engine on a store; no model is asked by it."""
    now = datetime.now(UTC)
    session = UserSession(
        session_id=uuid4(), workspace_path=workspace, created_at=now, last_activity=now
    )
    return Engine(
        models=ScriptedModels(),
        store=store,
        clock=SystemClock(),
        processes=SystemProcesses(),
        session=session,
    )


async def filled(store: Store, decisions: Iterable[RunCommit], workspace: Path) -> None:
    """Commit a history of the workspace's documents, with all it was made of."""
    root = f"{workspace.as_uri()}/"
    for decision in decisions:
        made = RunBundle(
            run=decision.run.evolve(primer=PINNED),
            configuration=samples.configuration(),
            events=tuple(with_primer(event) for event in decision.events),
        )
        made = with_uris(made, lambda uri: uri.replace("file:///", root))
        await store.commit(
            replace(
                decision,
                run=made.run,
                events=made.events or (),
                configuration=made.configuration,
                primer=PRIMER,
            )
        )


def new_store(workspace: Path) -> LmdbStore:
    """A new store in a folder."""
    return LmdbStore.open(workspace / ".writeit" / "store")
