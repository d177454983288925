"""Precedence: who decides an input, a model, a primer when several could.

Nearest to the writer's hand wins. A remote model is never chosen without being named.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.errors import InvalidParams, NotFound
from writeit.domain.pipeline import InputSpec, Output, PipelineConfiguration, StepSpec
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, RunDocument, RunPrimer, StepState
from writeit.domain.session import Settings, UserPreferences


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSelection:
    """What the text's front matter, the editor's settings and the writer prefer."""

    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """From the front matter: step to model ids."""
    providers: tuple[str, ...] | None = None
    """From the front matter: where the text may be sent; None is anywhere."""
    settings: Settings = field(default_factory=Settings)
    preferences: UserPreferences = field(default_factory=UserPreferences)

    @property
    def buffer_size(self) -> int:
        """Tokens joined per delta."""
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
    """Return the models a step asks when the command names none.

    Raises:
        NotFound: nothing names a model and the embedded one is not installed.
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
        f"No model is named for step {spec.name!r} and none is installed here.",
        hint="Name one in the setting models.default and set its key with"
        " writeit.keys.set (or `writeit keys set`), or install the embedded model"
        " with writeit.model.install (or `writeit model install`).",
    )


def resolve_inputs(
    configuration: PipelineConfiguration,
    explicit_inputs: Mapping[str, str],
    front_matter: Mapping[str, str],
    document: RunDocument,
) -> dict[str, str]:
    """Return every input's value: given, else front matter, `from:`, default.

    Raises:
        InvalidParams: with one problem for each input that is unknown or wrong.
    """
    known = {spec.name for spec in configuration.inputs}
    problems = [
        {"path": f"inputs.{name}", "message": f"there is no input {name!r}"}
        for name in explicit_inputs
        if name not in known
    ]
    values: dict[str, str] = {}
    for spec in configuration.inputs:
        values[spec.name] = _input_value(spec, explicit_inputs, front_matter, document)
        if wrong := spec.value_problem(values[spec.name]):
            problems.append({"path": f"inputs.{spec.name}", "message": wrong})
    if problems:
        said = "; ".join(f"{p['path']} {p['message']}" for p in problems)
        raise InvalidParams(
            f"The inputs of {configuration.name!r} are not right: {said}.",
            hint=f"Its inputs are: {', '.join(sorted(known))}.",
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
    if spec.source is not None and (found := _document_value(spec, document)):
        return found
    return _default_as_text(spec.default)


def _document_value(spec: InputSpec, document: RunDocument) -> str:
    match spec.source:
        case "document":
            return document.text
        case "selection":
            return document.selection
        case "title":
            return document.title
        case "path":
            return document.path
        case None:
            return ""


def _default_as_text(value: str | float | bool | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


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


def run_started_event(
    request: StartRequest, run_id: UUID, now: datetime
) -> e.RunStarted:
    """Return the event a new run begins with.

    Raises:
        InvalidParams: an input is missing, unknown or wrong.
        NotFound: models are named for a step that is not there.
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
        name=request.name,
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
        if not model.strip("/"):
            raise InvalidParams(
                f"models.{step} names an empty model.",
                hint="A model id is provider/model, for instance openai/gpt-4o.",
                problems=[{"path": f"models.{step}", "message": "is empty"}],
            )


def _pin_primer(primer: StylePrimer | None) -> RunPrimer | None:
    if primer is None:
        return None
    return RunPrimer(
        primer_id=primer.primer_id, version=primer.version, text=primer.prompt_text
    )
