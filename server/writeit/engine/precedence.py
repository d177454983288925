"""Which input, model and primer a run uses when several sources name one.

The source nearest to the user's action wins. A remote model is only used if the user
has named it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import InvalidParams, NotFound
from writeit.domain.operations.lifecycle import check_name
from writeit.domain.pipeline import InputSpec, Output, PipelineConfiguration, StepSpec
from writeit.domain.placement import passage_of
from writeit.domain.primer import StylePrimer
from writeit.domain.run import (
    PipelineRun,
    RunDocument,
    RunPrimer,
    StepState,
    model_id_problem,
)
from writeit.domain.session import Settings, UserPreferences


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSelection:
    """The models and limits of front matter, settings and preferences."""

    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of the front matter: step to model ids."""
    providers: tuple[str, ...] | None = None
    """Of the front matter: the allowed providers; None allows all."""
    settings: Settings = field(default_factory=Settings)
    preferences: UserPreferences = field(default_factory=UserPreferences)

    @property
    def buffer_size(self) -> int:
        """How many pieces of text are joined per delta."""
        return (
            self.settings.streaming_buffer_size
            or self.preferences.streaming_buffer_size
        )

    @property
    def max_concurrent_runs(self) -> int:
        """How many runs may stream at once."""
        return (
            self.settings.max_concurrent_pipelines
            or self.preferences.max_concurrent_pipelines
        )


def resolve_step_models(
    spec: StepSpec,
    run: PipelineRun,
    model_selection: ModelSelection,
    embedded: str | None,
) -> tuple[str, ...]:
    """Return a step's models if the command names none.

    Raises:
        NotFound: no model is set and the embedded one is not installed.
    """
    preferred = model_selection.preferences.default_models.get(spec.name)
    settings = model_selection.settings.models
    candidates = (
        run.models.get(spec.name, ()),
        model_selection.models.get(spec.name, ()),
        spec.models,
        settings.steps.get(spec.name, ()),
        (preferred,) if preferred else (),
        settings.default,
        (embedded,) if embedded else (),
    )
    for models in candidates:
        if models:
            return tuple(models)
    raise NotFound(
        f"No model is set for {spec.name}.",
        hint="Set models.default, for instance to openai/gpt-4o, or install the"
        " offline model: writeit model install",
    )


def resolve_primer_name(
    explicit: str | None,
    front_matter: str | None,
    configuration: PipelineConfiguration,
    settings: Settings,
    preferences: UserPreferences,
) -> str | None:
    """Return the primer of a new run: the first name given, in this order."""
    candidates = (
        explicit,
        front_matter,
        configuration.default("style_primer", str),
        settings.style_primer,
        preferences.style_primer,
    )
    return next((name for name in candidates if name), None)


def resolve_inputs(
    configuration: PipelineConfiguration,
    explicit_inputs: Mapping[str, str],
    front_matter: Mapping[str, str],
    document: RunDocument,
) -> dict[str, str]:
    """Return each input's value: explicit, else front matter, `from:`, default.

    Raises:
        InvalidParams: with one problem for each unknown or invalid input.
    """
    names = [spec.name for spec in configuration.inputs]
    problems = [
        {
            "path": f"inputs.{name}",
            "message": f"is not an input of {configuration.name}",
        }
        for name in explicit_inputs
        if name not in names
    ]
    values: dict[str, str] = {}
    for spec in configuration.inputs:
        values[spec.name] = _input_value(spec, explicit_inputs, front_matter, document)
        if problem := spec.value_problem(values[spec.name]):
            problems.append({"path": f"inputs.{spec.name}", "message": problem})
    if problems:
        details = "; ".join(
            f"{p['path'].removeprefix('inputs.')} {p['message']}" for p in problems
        )
        raise InvalidParams(
            f"Some inputs are not valid: {details}.",
            hint=f"The inputs of {configuration.name} are: {', '.join(names)}.",
            problems=problems,
        )
    return values


def _input_value(
    spec: InputSpec,
    explicit_inputs: Mapping[str, str],
    front_matter: Mapping[str, str],
    document: RunDocument,
) -> str:
    for source in (explicit_inputs, front_matter):
        if spec.name in source:
            return source[spec.name]
    return _document_value(spec, document) or input_text(spec.default)


def _document_value(spec: InputSpec, document: RunDocument) -> str:
    match spec.source:
        case "document":
            return document.text
        case "selection":
            return passage_of(document).content
        case "title":
            return document.title
        case "path":
            return document.path
        case None:
            return ""


def input_text(value: str | float | bool | None) -> str:
    """Return an input's value as text: `true` and `false`, and "" for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class StartRequest:
    """What a new run is created from."""

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


def run_started_event(
    request: StartRequest, run_id: UUID, now: datetime
) -> e.RunStarted:
    """Return the first event of a new run.

    Raises:
        InvalidParams: an input is missing, unknown or invalid.
        NotFound: models are named for an unknown step.
    """
    configuration = request.configuration
    for step, models in request.models.items():
        if step not in configuration.step_names:
            raise NotFound.with_suggestions("step", step, configuration.step_names)
        _check_model_ids(step, models)
    run = PipelineRun(
        pipeline_run_id=run_id,
        configuration_id=configuration.configuration_id,
        created_at=now,
        updated_at=now,
        current_step=configuration.step_names[0],
        user_inputs=resolve_inputs(
            configuration,
            request.inputs,
            request.front_matter_inputs,
            request.document,
        ),
        steps={name: StepState(step_name=name) for name in configuration.step_names},
        name=check_name(request.name),
        uri=request.uri,
        primer=_pin_primer(request.primer),
        models=dict(request.models),
        output=request.output or configuration.output,
        output_path=request.output_path,
        document=request.document,
    )
    return e.RunStarted(at=now, run=run)


def _check_model_ids(step: str, models: tuple[str, ...]) -> None:
    for model in models:
        if problem := model_id_problem(model):
            raise InvalidParams(
                f"A model of {step} {problem}.",
                hint="A model id is provider/model, for instance openai/gpt-4o.",
                problems=[{"path": f"models.{step}", "message": problem}],
            )


def _pin_primer(primer: StylePrimer | None) -> RunPrimer | None:
    if primer is None:
        return None
    return RunPrimer(
        primer_id=primer.primer_id, version=primer.version, text=primer.prompt_text
    )
