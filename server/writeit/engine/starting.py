"""From a request to a run: inputs, primer and document are fixed here."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.errors import InvalidParams, NotFound
from writeit.core.run import PipelineRun, RunDocument, RunPrimer, StepState
from writeit.engine.resolve import inputs_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from writeit.core.pipeline import Output, PipelineConfiguration
    from writeit.core.primer import StylePrimer


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """All that a new run is made from."""

    configuration: PipelineConfiguration
    inputs: Mapping[str, str] = field(default_factory=dict)
    front_matter_inputs: Mapping[str, str] = field(default_factory=dict)
    document: RunDocument = field(default_factory=RunDocument)
    primer: StylePrimer | None = None
    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    name: str | None = None
    uri: str | None = None
    output: Output | None = None
    output_path: str | None = None


def begin(request: StartRequest, run_id: UUID, at: datetime) -> e.RunStarted:
    """Return the event a new run begins with.

    Raises:
        InvalidParams: an input is missing, unknown or wrong.
        NotFound: models are named for a step that is not there.
    """
    configuration = request.configuration
    for step, models in request.models.items():
        if step not in configuration.step_names:
            raise NotFound.among("step", step, configuration.step_names)
        _check_model_ids(step, models)
    run = PipelineRun(
        pipeline_run_id=run_id,
        configuration_id=configuration.configuration_id,
        created_at=at,
        updated_at=at,
        current_step=configuration.step_names[0],
        user_inputs=inputs_for(
            configuration,
            request.inputs,
            request.front_matter_inputs,
            request.document,
        ),
        steps={name: StepState(step_name=name) for name in configuration.step_names},
        name=request.name,
        uri=request.uri,
        primer=_pinned(request.primer),
        models=dict(request.models),
        output=request.output or configuration.output,
        output_path=request.output_path,
        document=request.document,
    )
    return e.RunStarted(at=at, run=run)


def _check_model_ids(step: str, models: tuple[str, ...]) -> None:
    for model in models:
        if not model.strip("/"):
            raise InvalidParams(
                f"models.{step} names an empty model.",
                hint="A model id is provider/model, for instance openai/gpt-4o.",
                problems=[{"path": f"models.{step}", "message": "is empty"}],
            )


def _pinned(primer: StylePrimer | None) -> RunPrimer | None:
    if primer is None:
        return None
    return RunPrimer(
        primer_id=primer.primer_id, version=primer.version, text=primer.prompt_text
    )
