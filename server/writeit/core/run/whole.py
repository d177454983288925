"""A run as a whole: its steps in their order, and what it was started with."""

from __future__ import annotations

from typing import Self
from urllib.parse import unquote
from uuid import UUID

from pydantic import Field, model_validator

from writeit.core.entity import Entity, Moment, Name
from writeit.core.pipeline import Output
from writeit.core.run.status import DONE, PipelineStatus
from writeit.core.run.step import StepState
from writeit.core.usage import total_cost


class RunPrimer(Entity):
    """The primer a run was started with: pinned, whatever becomes of the file."""

    primer_id: Name
    version: str
    text: str


class RunDocument(Entity):
    """The writer's document as it was when the run started."""

    text: str = ""
    """The whole text without its front matter."""
    selection: str = ""
    before: str = ""
    """The text in front of the selection."""
    after: str = ""
    """The text behind the selection."""
    title: str = ""
    path: str = ""
    providers: tuple[str, ...] | None = None
    """Where its front matter let it be sent; None is anywhere.

    What the document says now counts; this holds when it cannot be read any more.
    """


class Applied(Entity):
    """A document that a step's text stands in; the events have the texts."""

    uri: str
    step: Name
    at: Moment
    mode: Output


class PipelineRun(Entity):
    """Represents a specific execution instance of a pipeline configuration."""

    pipeline_run_id: UUID
    configuration_id: str = Field(min_length=1)
    parent_pipeline_run_id: UUID | None = None
    branch_point: Name | None = None
    created_at: Moment
    updated_at: Moment
    current_step: Name
    status: PipelineStatus = PipelineStatus.INITIALIZING
    user_inputs: dict[str, str] = Field(default_factory=dict)
    steps: dict[str, StepState] = Field(min_length=1)
    name: str | None = None
    uri: str | None = None
    primer: RunPrimer | None = None
    models: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """Only what `run.start` named; all else is resolved when a step is run."""
    output: Output = "new_file"
    output_path: str | None = None
    document: RunDocument = RunDocument()
    applied: tuple[Applied, ...] = ()
    """Where texts of this run stand, the newest last."""

    @model_validator(mode="after")
    def _branch_point_is_a_step(self) -> Self:
        """Branch point must be valid step name if specified."""
        if self.branch_point is not None and self.branch_point not in self.steps:
            msg = f"the branch point {self.branch_point!r} is not a step of the run"
            raise ValueError(msg)
        if (self.branch_point is None) != (self.parent_pipeline_run_id is None):
            msg = "a branch has both a parent and a branch point"
            raise ValueError(msg)
        if self.parent_pipeline_run_id == self.pipeline_run_id:
            msg = "a run is not its own parent"
            raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _steps_have_their_names(self) -> Self:
        """Step name must be valid pipeline step."""
        for name, state in self.steps.items():
            if state.step_name != name:
                msg = f"the step at {name!r} is called {state.step_name!r}"
                raise ValueError(msg)
        return self

    @model_validator(mode="after")
    def _current_step_is_next(self) -> Self:
        """Current step must not exceed completed steps."""
        expected = first_open_step(self.steps)
        if self.current_step != expected:
            msg = f"the current step is {expected!r}, not {self.current_step!r}"
            raise ValueError(msg)
        return self

    @property
    def step_names(self) -> list[str]:
        """The steps in their order."""
        return list(self.steps)

    @property
    def is_streaming(self) -> bool:
        """Whether any answer is on its way."""
        return any(step.streaming for step in self.steps.values())

    @property
    def is_finished(self) -> bool:
        """Whether every step is done, whatever became of the run afterwards."""
        return all(step.status in DONE for step in self.steps.values())

    @property
    def cost_usd(self) -> float | None:
        """What the answers of this run cost so far, as far as it is known."""
        return total_cost(
            response.usage_stats
            for step in self.steps.values()
            for response in step.ai_responses
        )

    @property
    def pipeline(self) -> str:
        """The name of the pipeline it was made from."""
        return pipeline_of(self.configuration_id)

    @property
    def title(self) -> str:
        """What it is about: its document's title, else that file, else its pipeline."""
        if self.document.title.strip():
            return self.document.title
        stem = unquote(self.uri or "").rstrip("/").rpartition("/")[2].rpartition(".")[0]
        return stem if stem.strip() else self.pipeline

    def later_steps(self, step: str) -> list[StepState]:
        """The steps after `step`, in order."""
        names = self.step_names
        return [self.steps[name] for name in names[names.index(step) + 1 :]]

    def with_step(self, state: StepState, **changes: object) -> Self:
        """Return the run with `state` in its place and `current_step` put right."""
        steps = {**self.steps, state.step_name: state}
        return self.evolve(
            **{"steps": steps, "current_step": first_open_step(steps), **changes}
        )


def pipeline_of(configuration_id: str) -> str:
    """The pipeline's name in a configuration id."""
    return configuration_id.rpartition("@")[0] or configuration_id


def first_open_step(steps: dict[str, StepState]) -> str:
    """The first step neither completed nor skipped; of a finished run the last."""
    for name, state in steps.items():
        if state.status not in DONE:
            return name
    return next(reversed(steps))
