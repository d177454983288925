"""Precedence: who decides an input, a model, a primer when several could.

Nearest to the writer's hand wins. A remote model is never chosen without being named.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from writeit.core.errors import InvalidParams, NotFound
from writeit.core.session import UserPreferences
from writeit.core.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from writeit.core.pipeline import InputSpec, PipelineConfiguration, StepSpec
    from writeit.core.run import PipelineRun, RunDocument


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
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
    def concurrent_pipelines(self) -> int:
        """How many runs may stream at once."""
        return (
            self.settings.max_concurrent_pipelines
            or self.preferences.max_concurrent_pipelines
        )


def models_for(
    spec: StepSpec, run: PipelineRun, wishes: Wishes, embedded: str | None
) -> tuple[str, ...]:
    """Return the models a step asks when the command names none.

    Raises:
        NotFound: nothing names a model and the embedded one is not installed.
    """
    preferred = wishes.preferences.default_models.get(spec.name)
    settings = wishes.settings.models
    candidates = (
        run.models.get(spec.name, ()),
        wishes.models.get(spec.name, ()),
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


def inputs_for(
    configuration: PipelineConfiguration,
    given: Mapping[str, str],
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
        for name in given
        if name not in known
    ]
    values: dict[str, str] = {}
    for spec in configuration.inputs:
        values[spec.name] = _value(spec, given, front_matter, document)
        if wrong := spec.problem_with(values[spec.name]):
            problems.append({"path": f"inputs.{spec.name}", "message": wrong})
    if problems:
        said = "; ".join(f"{p['path']} {p['message']}" for p in problems)
        raise InvalidParams(
            f"The inputs of {configuration.name!r} are not right: {said}.",
            hint=f"Its inputs are: {', '.join(sorted(known))}.",
            problems=problems,
        )
    return values


def _value(
    spec: InputSpec,
    given: Mapping[str, str],
    front_matter: Mapping[str, str],
    document: RunDocument,
) -> str:
    for source in (given, front_matter):
        if spec.name in source:
            return source[spec.name]
    if spec.source is not None and (found := _from_document(spec, document)):
        return found
    return _as_text(spec.default)


def _from_document(spec: InputSpec, document: RunDocument) -> str:
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


def _as_text(value: str | float | bool | None) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
