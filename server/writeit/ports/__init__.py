"""What the engine needs from the world: models, a store, keys, a clock.

These are Protocols; their real adapters and their fakes live in `models/` and
`store/`, and one contract test holds each pair to the same behaviour.
"""

from writeit.ports.care import Maintenance, Moved, StoreProblem, StoreStatus, Verified
from writeit.ports.here import Clock, Keys, KeySource, Processes
from writeit.ports.keeping import (
    Decision,
    Deleted,
    Lease,
    RunPage,
    RunQuery,
    RunSummary,
    StaleDecision,
    StoredRun,
    UsageRecord,
)
from writeit.ports.models import (
    Fit,
    ModelCall,
    ModelDone,
    ModelInfo,
    ModelItem,
    ModelNotice,
    Models,
    TextDelta,
)
from writeit.ports.store import Store
from writeit.ports.world import World

__all__ = [
    "Clock",
    "Decision",
    "Deleted",
    "Fit",
    "KeySource",
    "Keys",
    "Lease",
    "Maintenance",
    "ModelCall",
    "ModelDone",
    "ModelInfo",
    "ModelItem",
    "ModelNotice",
    "Models",
    "Moved",
    "Processes",
    "RunPage",
    "RunQuery",
    "RunSummary",
    "StaleDecision",
    "Store",
    "StoreProblem",
    "StoreStatus",
    "StoredRun",
    "TextDelta",
    "UsageRecord",
    "Verified",
    "World",
]
