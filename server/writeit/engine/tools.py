"""What an engine asks models with, and writes down the answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from writeit.engine.converse import RetryPolicy
    from writeit.engine.ledger import Ledger
    from writeit.ports import Clock, Models, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every asking works with."""

    models: Models
    store: Store
    clock: Clock
    ledger: Ledger
    policy: RetryPolicy
