"""Where a run and its steps can stand."""

from __future__ import annotations

from enum import StrEnum


class PipelineStatus(StrEnum):
    """Where a run stands."""

    INITIALIZING = "INITIALIZING"
    RUNNING = "RUNNING"
    PAUSED = "PAUSED"
    COMPLETED = "COMPLETED"
    ERROR = "ERROR"


class StepStatus(StrEnum):
    """Where a step stands; RUNNING lasts from being asked until the choice."""

    PENDING = "PENDING"
    RUNNING = "RUNNING"
    COMPLETED = "COMPLETED"
    SKIPPED = "SKIPPED"


DONE = (StepStatus.COMPLETED, StepStatus.SKIPPED)
