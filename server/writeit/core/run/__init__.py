"""A run as a value: the entities of the data model and the rules each must obey.

What may happen to a run, and when, is in `writeit.core.machine`.

    status   where a run and its steps can stand
    answers  what models answer, and what is made of it
    step     a step with its answers and the writer's choice
    whole    the run itself
"""

from writeit.core.run.answers import (
    AIResponse,
    Call,
    MergePart,
    Passage,
    ResponseFailure,
    StreamingResponse,
    split_model_id,
)
from writeit.core.run.status import DONE, PipelineStatus, StepStatus
from writeit.core.run.step import MAX_RETRIES, StepBefore, StepState
from writeit.core.run.whole import (
    Applied,
    PipelineRun,
    RunDocument,
    RunPrimer,
    first_open_step,
    pipeline_of,
)

__all__ = [
    "DONE",
    "MAX_RETRIES",
    "AIResponse",
    "Applied",
    "Call",
    "MergePart",
    "Passage",
    "PipelineRun",
    "PipelineStatus",
    "ResponseFailure",
    "RunDocument",
    "RunPrimer",
    "StepBefore",
    "StepState",
    "StepStatus",
    "StreamingResponse",
    "first_open_step",
    "pipeline_of",
    "split_model_id",
]
