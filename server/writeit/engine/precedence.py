"""Which input, model and primer a run uses when several sources name one.

The source nearest to the user's action wins. A remote model is only used if the user
has named it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.document import RunDocument
from writeit.domain.errors import InvalidParams, InvalidPipeline, NoModelSet, NotFound
from writeit.domain.model_id import check_model_id, model_id_problem
from writeit.domain.operations.lifecycle import check_name
from writeit.domain.pipeline import (
    EVERY_STEP,
    InputSpec,
    Output,
    PipelineConfiguration,
    Reasoning,
    StepSpec,
)
from writeit.domain.placement import passage_of
from writeit.domain.primer import NO_PRIMER, RunPrimer, StylePrimer
from writeit.domain.remarks import Dismissal
from writeit.domain.run import PipelineRun, StepState
from writeit.domain.session import Settings, UserPreferences
from writeit.engine.data_policy import FileProviders
from writeit.prompts.filters import join_files, source_text

WantKind = Literal["host", "model", "output", "calls", "reasoning", "file"]


@dataclass(frozen=True, slots=True)
class Want:
    """One thing that a file of a folder would cause."""

    kind: WantKind
    value: str
    source: str
    """The file that names it."""

    def to_json(self) -> dict[str, str]:
        """Return it as in the data of an error."""
        return {"kind": self.kind, "value": self.value, "from": self.source}


@dataclass(frozen=True, slots=True, kw_only=True)
class Untrusted:
    """What of a run is named by files of a folder that the user has not trusted."""

    pipeline: str = ""
    """The file of the pipeline; "" if it is trusted."""
    front_matter: str = ""
    """The document, if its front matter names models, an output path or reasoning and
    is not trusted."""
    history: str = ""
    """The run history, if the run may have come with the folder."""
    is_own_run: bool = True
    """Whether the user made the run; else it came with the folder or was imported."""
    has_changed: bool = False
    """Whether the user trusts the folder, but not these files as they are now."""
    wants: tuple[Want, ...] = ()
    """What the files name that the user has not trusted, all of the folder's."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """Of these files, by path: what the user's yes is about."""
    agreed_calls: int = 0
    """How many calls of a step the user was shown, and agreed to by trusting the
    pipeline in this session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSelection:
    """The models and limits of front matter, settings and preferences."""

    models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Of the front matter: step to model ids."""
    front_matter_reasoning: Mapping[str, Reasoning] = field(default_factory=dict)
    """By step, `EVERY_STEP` for all others."""
    reasoning: Reasoning | None = None
    """Named by the command."""
    providers: tuple[str, ...] | None = None
    """Of the front matter: the allowed providers; None allows all."""
    file_providers: FileProviders = field(default_factory=dict)
    own_pipelines: frozenset[str] = frozenset()
    """The ids of bundled and user-level pipelines."""
    confirmed: bool = False
    """Whether the user has agreed to any number of calls."""
    blind: bool | None = None
    """Whether the models of new answers are hidden until the choice, as the command or
    the front matter says; None leaves it to the setting."""
    untrusted: Untrusted = field(default_factory=Untrusted)
    """What of pipeline and front matter must not be used."""
    settings: Settings = field(default_factory=Settings)
    preferences: UserPreferences = field(default_factory=UserPreferences)

    @property
    def is_blind(self) -> bool:
        """Whether the models of new answers are hidden until the choice."""
        return self.settings.blind if self.blind is None else self.blind

    @property
    def buffer_size(self) -> int:
        """How many pieces of text are joined per delta."""
        return (
            self.settings.streaming_buffer_size
            or self.preferences.streaming_buffer_size
        )


def resolve_reasoning(
    spec: StepSpec, run: PipelineRun, selection: ModelSelection
) -> Reasoning | None:
    """Return how long a step's models may think; None leaves it to the provider."""
    front_matter = selection.front_matter_reasoning
    if selection.untrusted.front_matter:
        front_matter = {}
    candidates = (
        selection.reasoning,
        run.reasoning,
        front_matter.get(spec.name, front_matter.get(EVERY_STEP)),
        spec.reasoning,
        selection.settings.reasoning,
    )
    return next((value for value in candidates if value is not None), None)


@dataclass(frozen=True, slots=True)
class NamedModels:
    """The models of a step, and what names them."""

    models: tuple[str, ...]
    source: str


FRONT_MATTER = "The front matter"
THE_RUN, EARLIER_STEP = "The run", "An earlier step"


def resolve_step_models(
    spec: StepSpec,
    run: PipelineRun,
    model_selection: ModelSelection,
    embedded: str | None,
) -> NamedModels:
    """Return a step's models if the command names none.

    `embedded` is the embedded model if it is installed. Front matter of an unknown
    folder counts last, and is refused then. A model is there more than once if the
    preferences name its number of answers.

    Raises:
        NotFound: no model is set and the embedded one is not installed.
    """
    preferred = model_selection.preferences.default_models.get(spec.name)
    settings = model_selection.settings.models
    candidates: dict[str, Sequence[str]] = {
        THE_RUN: run.models.get(spec.name, ()),
        FRONT_MATTER: model_selection.models.get(spec.name, ()),
        "The pipeline": spec.models,
        EARLIER_STEP: run.last_models,
        f"The setting models.steps.{spec.name}": settings.steps.get(spec.name, ()),
        f"The preference defaultModels.{spec.name}": [preferred] if preferred else (),
        "The setting models.default": settings.default,
        "Your default models": [
            chosen.model
            for chosen in model_selection.preferences.models
            for _ in range(chosen.samples)
        ],
        "The embedded model": (embedded,) if embedded else (),
    }
    untrusted = model_selection.untrusted
    if untrusted.front_matter and not untrusted.has_changed:
        candidates[FRONT_MATTER] = candidates.pop(FRONT_MATTER)
    for source, models in candidates.items():
        if models:
            return NamedModels(tuple(models), source)
    raise NoModelSet(
        f"No model is set for {spec.name}.",
        hint="Add a model: writeit model add. Or install the embedded one: writeit"
        " model install",
    )


def is_named_by_workspace(
    configuration: PipelineConfiguration,
    spec: StepSpec,
    run: PipelineRun,
    selection: ModelSelection,
    *,
    models_named: bool,
    samples_named: bool,
) -> bool:
    """Return whether a file of the workspace names a step's models or samples.

    `models_named` and `samples_named`: the command names them. This is the one place
    that knows; the file is the document's front matter, a pipeline of the folder, or a
    run history that came along or was imported.
    """
    if not selection.untrusted.is_own_run and (
        not models_named or (not samples_named and run.samples is not None)
    ):
        return True
    is_own = configuration.configuration_id in selection.own_pipelines
    by_front_matter = bool(selection.models.get(spec.name))
    by_pipeline = not is_own and bool(spec.models)
    named_before = models_named or bool(run.models.get(spec.name))
    samples_named = samples_named or run.samples is not None
    return (not named_before and (by_front_matter or by_pipeline)) or (
        not samples_named and not is_own and spec.samples > 1
    )


def untrusted_files(
    selection: ModelSelection, named: NamedModels | None
) -> tuple[str, ...]:
    """Return the files that calls come from and that the user has not trusted.

    `named` is None for models that were called before.
    """
    untrusted = selection.untrusted
    source = THE_RUN if named is None else named.source
    files = (
        untrusted.pipeline,
        untrusted.front_matter if source == FRONT_MATTER else "",
        untrusted.history if source in {THE_RUN, EARLIER_STEP} else "",
    )
    return tuple(file for file in files if file)


def resolve_primer(
    find_primer: Callable[[str], StylePrimer],
    explicit: str | None,
    front_matter: str | None,
    configuration: PipelineConfiguration,
    settings: Settings,
    preferences: UserPreferences,
) -> StylePrimer | None:
    """Return the primer of a new run: the first one named, in this order.

    Raises:
        NotFound, InvalidPipeline: it cannot be used; the error says what names it.
        InvalidParams: one is chosen for a pipeline whose steps all forbid it.
    """
    candidates = {
        "": explicit,
        FRONT_MATTER: front_matter,
        f"The pipeline {configuration.name}": configuration.default(
            "style_primer", str
        ),
        "The setting stylePrimer": settings.style_primer,
        "The preference stylePrimer": preferences.style_primer,
    }
    source, name = next((item for item in candidates.items() if item[1]), ("", None))
    if name is None or name == NO_PRIMER:
        return None
    if not any(step.primer for step in configuration.steps):
        if source:
            return None
        raise InvalidParams(
            f"No step of {configuration.name} takes a style. Nothing was started.",
            hint=f"Leave out the style, or name it {NO_PRIMER}.",
            problems=[{"path": "primer", "message": "is forbidden by each step"}],
        )
    try:
        return find_primer(name)
    except (NotFound, InvalidPipeline) as error:
        if not source:
            raise
        raise _blame(
            error, f"{source} names the style {name!r}", "style", source
        ) from error


def _blame(
    error: NotFound | InvalidParams | InvalidPipeline,
    finding: str,
    kind: str,
    source: str,
) -> NotFound | InvalidParams | InvalidPipeline:
    """Return `error` with the setting, preference or file that is at fault."""
    where = source.removeprefix("The ")
    return type(error)(
        f"{finding}. {error.message}",
        hint=f"Change it in the {where}, or name another {kind} for this run."
        f" {error.hint}".rstrip(),
        **error.data,
    )


async def identify_models(
    resolve_model_id: Callable[[str], Awaitable[str]], named: NamedModels
) -> NamedModels:
    """Return the models with their full ids.

    Raises:
        NotFound: nobody provides one of them; the error says what names it.
        InvalidParams: one of them is no model id.
    """
    ids = []
    for model in named.models:
        try:
            check_model_id(model)
            ids.append(await resolve_model_id(model))
        except (NotFound, InvalidParams) as error:
            finding = f"{named.source} names the model {model!r}"
            raise _blame(error, finding, "model", named.source) from error
    return NamedModels(tuple(ids), named.source)


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
        values[spec.name] = input_value(spec, explicit_inputs, front_matter, document)
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


def input_value(
    spec: InputSpec,
    explicit_inputs: Mapping[str, str],
    front_matter: Mapping[str, str],
    document: RunDocument,
) -> str:
    """Return an input's value: explicit, else front matter, `from:`, default."""
    for source in (explicit_inputs, front_matter):
        if spec.name in source:
            return source[spec.name]
    return _document_value(spec, document) or input_text(spec.default)


def _document_value(  # noqa: PLR0911 -- one return a source
    spec: InputSpec, document: RunDocument
) -> str:
    match spec.source:
        case "document":
            return source_text(document)
        case "selection":
            return passage_of(document).content
        case "title":
            return document.title
        case "path":
            return document.path
        case "text":
            return document.text
        case "notes":
            return join_files(document.notes)
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
    front_matter_models: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reasoning: Reasoning | None = None
    samples: int | None = None
    name: str | None = None
    uri: str | None = None
    output: Output | None = None
    output_path: str | None = None
    dismissals: tuple[Dismissal, ...] = ()
    """Of earlier reviews of the document."""


def run_started_event(
    request: StartRequest, run_id: UUID, now: datetime
) -> e.RunStarted:
    """Return the first event of a new run.

    Raises:
        InvalidParams: an input is missing, unknown or invalid.
        NotFound: models are named for an unknown step.
    """
    _check_start(request)
    configuration = request.configuration
    document = request.document
    if configuration.output != "review":  # an older WriteIt does not know the field
        document = document.evolve(first_line=0)
    run = PipelineRun(
        pipeline_run_id=run_id,
        configuration_id=configuration.configuration_id,
        created_at=now,
        updated_at=now,
        current_step=configuration.step_names[0],
        user_inputs=resolve_inputs(
            configuration, request.inputs, request.front_matter_inputs, request.document
        ),
        steps={name: StepState(step_name=name) for name in configuration.step_names},
        name=check_name(request.name),
        uri=request.uri,
        primer=pin_primer(request.primer),
        models=dict(request.models),
        reasoning=request.reasoning,
        samples=request.samples,
        output=request.output or configuration.output,
        output_path=request.output_path,
        document=document,
        dismissals=request.dismissals,
        front_matter_inputs=tuple(
            spec.name
            for spec in configuration.inputs
            if spec.name in request.front_matter_inputs
            and spec.name not in request.inputs
        ),
    )
    return e.RunStarted(at=now, run=run)


def _check_start(request: StartRequest) -> None:
    """Raise InvalidParams or NotFound if the pipeline cannot be started so."""
    configuration = request.configuration
    is_for_passage = configuration.applies_to == "selection" and request.uri is not None
    if is_for_passage and not request.document.selection:
        raise InvalidParams(
            f"{configuration.name} is for a passage, and no passage is selected.",
            hint="Select the passage, or start a pipeline for documents.",
            problems=[{"path": "range", "message": "has no text"}],
        )
    if request.output is not None and configuration.output == "review":
        raise InvalidParams(
            f"{configuration.name} is a review. It makes remarks and no text.",
            hint="Start it without `output`.",
            problems=[{"path": "output", "message": "is not for a review"}],
        )
    for step, models in request.models.items():
        if step not in configuration.step_names:
            raise NotFound.with_suggestions("step", step, configuration.step_names)
        _check_model_ids(step, models)


def _check_model_ids(step: str, models: tuple[str, ...]) -> None:
    for model in models:
        if problem := model_id_problem(model):
            raise InvalidParams(
                f"A model of {step} {problem}.",
                hint="A model id is provider/model, for instance openai/gpt-4o.",
                problems=[{"path": f"models.{step}", "message": problem}],
            )


def pin_primer(primer: StylePrimer | None) -> RunPrimer | None:
    """Return the version of a primer that a run keeps."""
    if primer is None:
        return None
    return RunPrimer(
        primer_id=primer.primer_id, version=primer.version, text=primer.prompt_text
    )
