"""`writeit.usage.*` and `writeit.store.*`: what was used, and care of what is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from writeit.core.errors import InvalidParams
from writeit.engine.sums import summed
from writeit.lsp import protocol as p
from writeit.lsp.convert import uri_of
from writeit.lsp.dispatch import Command, Request
from writeit.lsp.files import inside

if TYPE_CHECKING:
    from writeit.ports import Maintenance, StoreStatus


def _care(request: Request[Any]) -> Maintenance:
    folder = request.connection.folder(request.params)
    return request.connection.world.maintain(folder.store)


async def usage(request: Request[p.UsageShowParams]) -> p.UsageShowResult:
    """Add up tokens, cost and time by model, pipeline, day or run."""
    params = request.params
    records = request.connection.folder(params).store.usage(params.since)
    rows, total = summed(records, params.by)
    return p.UsageShowResult(
        rows=[p.UsageRow.model_validate(row) for row in rows],
        total=p.UsageRow.model_validate(total),
    )


async def status(request: Request[p.Params]) -> p.StoreStatusResult:
    """Count what the store holds."""
    return _as_status(await _care(request).status())


def _as_status(status: StoreStatus) -> p.StoreStatusResult:
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


async def verify(request: Request[p.Params]) -> p.StoreVerifyResult:
    """Check the store's structure, text hashes, and entities against events."""
    verified = await _care(request).verify()
    return p.StoreVerifyResult(
        ok=not verified.problems,
        checked=verified.checked,
        problems=[p.StoreProblem.model_validate(x) for x in verified.problems],
    )


async def compact(request: Request[p.Params]) -> p.StoreStatusResult:
    """Drop what nobody refers to and give the space back."""
    return _as_status(await _care(request).compact())


async def backup(request: Request[p.StoreBackupParams]) -> p.StoreBackupResult:
    """Copy the store to a new folder inside the workspace, while it is in use."""
    folder = request.connection.folder(request.params)
    path = inside(folder.path, request.params.path)
    return p.StoreBackupResult(uri=uri_of(await _care(request).backup(path)))


async def prune(request: Request[p.StorePruneParams]) -> p.StorePruneResult:
    """Delete finished runs last touched before a moment; count them if dry."""
    params = request.params
    if params.before is None and not params.dry_run:
        raise InvalidParams(
            "Pruning needs a moment: everything finished would go.",
            hint="Give `before`, or leave `dryRun` true to see what would go.",
            problems=[{"path": "before", "message": "is needed unless dryRun"}],
        )
    before = params.before or datetime.now(UTC)
    gone = await _care(request).prune(before, dry_run=params.dry_run)
    return p.StorePruneResult(
        deleted_runs=gone.runs, deleted_responses=gone.responses, dry_run=params.dry_run
    )


HANDLERS: dict[str, Command[Any]] = {
    "writeit.usage.show": Command(p.UsageShowParams, p.UsageShowResult, usage),
    "writeit.store.status": Command(p.Params, p.StoreStatusResult, status),
    "writeit.store.verify": Command(p.Params, p.StoreVerifyResult, verify),
    "writeit.store.compact": Command(p.Params, p.StoreStatusResult, compact),
    "writeit.store.backup": Command(p.StoreBackupParams, p.StoreBackupResult, backup),
    "writeit.store.prune": Command(p.StorePruneParams, p.StorePruneResult, prune),
}
