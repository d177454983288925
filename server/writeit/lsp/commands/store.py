"""`writeit.usage.*` and `writeit.store.*`: usage and the maintenance of the store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from writeit.domain.errors import InvalidParams
from writeit.engine.queries import sum_usage
from writeit.lsp import protocol as p
from writeit.lsp import shapes
from writeit.lsp.command import Command, Handlers, Request
from writeit.lsp.convert import path_to_uri
from writeit.lsp.edits.files import resolve_in_workspace
from writeit.ports.store import Maintenance, StoreStatus


def _maintenance_of(request: Request[Any]) -> Maintenance:
    folder = request.folder()
    return request.session.ports.maintenance_for(folder.store)


async def show_usage(request: Request[p.UsageShowParams]) -> p.UsageShowResult:
    """Add up tokens, cost and time by model, pipeline, day or run."""
    params = request.params
    records = request.folder().store.usage_records(params.since)
    rows, total = sum_usage(records, params.by)
    return p.UsageShowResult(
        rows=[shapes.UsageRow.model_validate(row) for row in rows],
        total=shapes.UsageRow.model_validate(total),
    )


async def show_status(request: Request[p.Params]) -> p.StoreStatusResult:
    """Count what the store holds."""
    return _status_to_wire(await _maintenance_of(request).status())


def _status_to_wire(status: StoreStatus) -> p.StoreStatusResult:
    return p.StoreStatusResult(
        path=str(status.path),
        schema_version=status.schema,
        map_bytes=status.map_bytes,
        used_bytes=status.used_bytes,
        file_bytes=status.file_bytes,
        runs=status.runs,
        responses=status.responses,
        texts=status.texts,
        events=status.events,
    )


async def verify_store(request: Request[p.Params]) -> p.StoreVerifyResult:
    """Check the store's structure, text hashes, and entities against events."""
    verified = await _maintenance_of(request).verify()
    return p.StoreVerifyResult(
        ok=not verified.problems,
        checked=verified.checked,
        problems=[shapes.WireStoreProblem.model_validate(x) for x in verified.problems],
    )


async def compact_store(request: Request[p.Params]) -> p.StoreStatusResult:
    """Drop what nobody refers to and give the space back."""
    return _status_to_wire(await _maintenance_of(request).compact())


async def back_up_store(request: Request[p.StoreBackupParams]) -> p.StoreBackupResult:
    """Copy the store to a new folder inside the workspace, while it is in use."""
    folder = request.folder()
    path = resolve_in_workspace(folder.path, request.params.path)
    return p.StoreBackupResult(
        uri=path_to_uri(await _maintenance_of(request).backup(path))
    )


async def prune_runs(request: Request[p.StorePruneParams]) -> p.StorePruneResult:
    """Delete finished runs last touched before a moment; count them if dry."""
    params = request.params
    if params.before is None and not params.dry_run:
        raise InvalidParams(
            "Pruning needs a moment: everything finished would go.",
            hint="Give `before`, or leave `dryRun` true to see what would go.",
            problems=[{"path": "before", "message": "is needed unless dryRun"}],
        )
    before = params.before or datetime.now(UTC)
    gone = await _maintenance_of(request).prune(before, dry_run=params.dry_run)
    return p.StorePruneResult(
        deleted_runs=gone.runs, deleted_responses=gone.responses, dry_run=params.dry_run
    )


HANDLERS: Handlers = {
    "writeit.usage.show": Command(p.UsageShowParams, p.UsageShowResult, show_usage),
    "writeit.store.status": Command(p.Params, p.StoreStatusResult, show_status),
    "writeit.store.verify": Command(p.Params, p.StoreVerifyResult, verify_store),
    "writeit.store.compact": Command(p.Params, p.StoreStatusResult, compact_store),
    "writeit.store.backup": Command(
        p.StoreBackupParams, p.StoreBackupResult, back_up_store
    ),
    "writeit.store.prune": Command(p.StorePruneParams, p.StorePruneResult, prune_runs),
}
