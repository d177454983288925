"""The params and the result of each command on the store and its usage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from writeit.domain.entity import UtcDatetime
from writeit.lsp import shapes
from writeit.lsp.protocol import Params
from writeit.lsp.shapes import WireModel


class UsageShowParams(Params):
    since: UtcDatetime | None = None
    by: Literal["model", "pipeline", "day", "run", "document"] = "model"


class UsageRow(WireModel):
    """What the calls with one key used."""

    key: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float | None
    unknown_cost_calls: int
    seconds: float


class UsageShowResult(WireModel):
    """Rows by key, and their total."""

    rows: list[UsageRow]
    total: UsageRow


class StoreStatusResult(WireModel):
    """Sizes of a store, in bytes, and counts of its records."""

    path: shapes.PathText
    schema_version: int = Field(validation_alias="schema")
    map_bytes: int
    used_bytes: int
    file_bytes: int
    runs: int
    responses: int
    texts: int
    events: int


class StoreVerifyResult(WireModel):
    """What `verify` checked and found."""

    ok: bool
    checked: int
    problems: list[shapes.WireStoreProblem]


class StoreBackupParams(Params):
    """`writeit.store.backup`: `path` is a new folder inside the workspace."""

    path: str


class StoreBackupResult(WireModel):
    """Where the backup is."""

    uri: str


class StorePruneParams(Params):
    """`writeit.store.prune`; without `before`, finished runs of any age."""

    before: UtcDatetime | None = None
    dry_run: bool = True


class StorePruneResult(WireModel):
    """How much was deleted, or would be."""

    deleted_runs: int
    deleted_responses: int
    dry_run: bool
