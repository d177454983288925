"""Sessions, the user's preferences, and settings.

The entities check what depends on one value alone. `validate_preferences` and
`validate_session` check what depends on other sessions, runs, primers or providers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import (
    AfterValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from writeit.domain.entity import (
    NAME_PATTERN,
    Entity,
    GrowingEntity,
    Name,
    StringList,
    UtcDatetime,
)
from writeit.domain.key_bindings import is_chord_conflict, parse_chord
from writeit.domain.model_id import split_model_id
from writeit.domain.pipeline import Output, Reasoning
from writeit.domain.primer import NO_PRIMER

LOCAL_USER = "local"
"""The id of the only user."""

ExportFormat = Literal["yaml", "json", "markdown"]


class ModelSamples(Entity):
    """A model, and how many answers it is to give to each step."""

    model: str
    samples: int = Field(default=1, ge=1, le=10)


class UserPreferences(GrowingEntity):
    """Persistent user configuration and settings."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"models"})

    models: tuple[ModelSamples, ...] = ()
    """The models of every step for which nothing else names any."""
    default_models: dict[str, str] = Field(default_factory=dict)
    """Preferred models per step."""
    style_primer: Name | None = None
    auto_save_enabled: bool = True
    streaming_buffer_size: int = Field(default=10, gt=0)
    """Tokens per delta. Buffer size must be positive integer."""
    keyboard_shortcuts: dict[str, str] = Field(default_factory=dict)
    theme: str = "default"
    max_concurrent_pipelines: int = Field(default=3, ge=1, le=10)
    """Max concurrent pipelines between 1 and 10."""
    export_format: ExportFormat = "yaml"
    """Export format must be supported."""


class SessionProcess(Entity):
    """The process of a session, which ends with it at the latest."""

    pid: int = Field(gt=0)
    started: float
    """Seconds since the epoch, because pids are reused."""


class UserSession(Entity):
    """Manages active application state and user preferences."""

    session_id: UUID
    user_id: str = LOCAL_USER
    active_pipeline_run_id: UUID | None = None
    workspace_path: Path
    """The folder the session's store is in."""
    preferences: UserPreferences = UserPreferences()
    created_at: UtcDatetime
    last_activity: UtcDatetime
    websocket_connection_id: str | None = Field(default=None, pattern=r"^[!-~]{1,200}$")
    """WebSocket connection must be valid if specified: printable, without spaces."""
    process: SessionProcess | None = None
    """None for sessions that an older version saved."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with the value of a field."""

    loc: tuple[str, ...]
    """The field, and the key in it if it is a map."""
    message: str


def validate_preferences(
    preferences: UserPreferences,
    *,
    known_primers: Collection[str],
    known_providers: Collection[str],
    system_bindings: Mapping[str, Collection[str]],
) -> list[FieldProblem]:
    """Return the preferences that do not fit the known primers, providers and keys."""
    primer = preferences.style_primer
    problems = [*_validate_models(preferences.default_models, known_providers)]
    problems += [
        FieldProblem(("models",), problem.message)
        for chosen in preferences.models
        for problem in _validate_models({"any": chosen.model}, known_providers)
    ]
    if primer is not None and primer not in {NO_PRIMER, *known_primers}:
        message = f"there is no style {primer!r}"
        problems.append(FieldProblem(("style_primer",), message))
    shortcuts = preferences.keyboard_shortcuts
    return [*problems, *_validate_shortcuts(shortcuts, system_bindings)]


def _validate_models(
    models: Mapping[str, str], known_providers: Collection[str]
) -> Iterator[FieldProblem]:
    """Default models must reference valid model identifiers."""
    for step, model in models.items():
        provider, name = split_model_id(model)
        message = ""
        if not re.fullmatch(NAME_PATTERN, step):
            message = f"{step!r} is not the name of a step"
        elif not provider or not name.strip():
            message = f"{model!r} is not a model id (provider/model)"
        elif provider not in known_providers:
            message = f"the provider {provider!r} is not known"
        if message:
            yield FieldProblem(("default_models", step), message)


def _validate_shortcuts(
    shortcuts: Mapping[str, str], system_bindings: Mapping[str, Collection[str]]
) -> Iterator[FieldProblem]:
    """Keyboard shortcuts cannot conflict with system bindings, nor each other."""
    taken = {
        parse_chord(chord): f"{chord} is a binding of {editor}"
        for editor, chords in system_bindings.items()
        for chord in sorted(chords)
    }
    for command, chord in shortcuts.items():
        loc = ("keyboard_shortcuts", command)
        try:
            strokes = parse_chord(chord)
        except ValueError as error:
            yield FieldProblem(loc, f"{chord!r} {error}")
            continue
        for other, whose in taken.items():
            if is_chord_conflict(strokes, other):
                yield FieldProblem(loc, f"{chord!r} conflicts: {whose}")
                break
        else:
            taken[strokes] = f"{chord} is the shortcut of {command}"


def validate_session(
    session: UserSession,
    *,
    now: datetime,
    active_ids: Collection[UUID],
    run_exists: Callable[[UUID], bool],
    is_writable: Callable[[Path], bool],
    connections: Collection[str] | None = None,
) -> list[FieldProblem]:
    """Return what is wrong with a session.

    `active_ids` are the other active sessions, `connections` the open WebSockets, None
    if they are not known.
    """
    run_id, path = session.active_pipeline_run_id, session.workspace_path
    socket = session.websocket_connection_id
    rules = {
        "session_id": (
            session.session_id not in active_ids,
            "another active session has this id",
        ),
        "workspace_path": (
            is_writable(path),
            f"{path} does not exist or cannot be written",
        ),
        "active_pipeline_run_id": (
            run_id is None or run_exists(run_id),
            f"there is no run {run_id}",
        ),
        "last_activity": (session.last_activity <= now, "is in the future"),
        "websocket_connection_id": (
            socket is None or connections is None or socket in connections,
            f"no connection {socket!r} is open",
        ),
    }
    return [
        FieldProblem((field,), message)
        for field, (holds, message) in rules.items()
        if not holds
    ]


CLIENT_SETTINGS = ("autoSave", "trace")
"""Settings that only editors read."""
PLACES = ("workspace", "user")
"""Locations of stores other than an absolute folder."""
COST_LIMITS_SETTING = "maxCostUsd"
USER_ONLY_SETTINGS = ("storeLocation", "models.ollamaUrl")
"""Settings that are read only from the user's own configuration."""


class _SettingsSection(Entity):
    # Reading docstrings takes a while, so only entities that a schema shows do.
    model_config = ConfigDict(alias_generator=to_camel, use_attribute_docstrings=True)


class ModelSettings(_SettingsSection):
    """The models to use if no front matter, pipeline or command names any."""

    default: StringList = ()
    steps: dict[str, StringList] = Field(default_factory=dict)
    timeout: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    """Seconds to wait for the first text of an answer."""


Dollars = Annotated[float, Field(ge=0, strict=True, allow_inf_nan=False)]


class CostLimits(_SettingsSection):
    """US dollars that may be spent; None for no limit."""

    run: Dollars | None = None
    day: Dollars | None = None
    unknown: Literal["refuse", "allow"] = "refuse"
    """Whether a call of unknown price is refused while there is a limit."""
    _problem: str | None = PrivateAttr(default=None)

    @classmethod
    def unreadable(cls, problem: str) -> Self:
        """Return limits that allow nothing, because of a problem in the setting."""
        limits = cls()
        limits._problem = problem
        return limits

    @property
    def problem(self) -> str | None:
        """What is wrong with the setting, or None; then nothing is sent."""
        return self._problem

    @property
    def is_limited(self) -> bool:
        """Whether there is a limit."""
        return self.run is not None or self.day is not None


class Toggle(_SettingsSection):
    """Something that can be switched off."""

    enabled: bool = True


class Settings(_SettingsSection):
    """The editor's section `writeit`. A setting takes precedence over a preference."""

    models: ModelSettings = ModelSettings()
    max_cost_usd: CostLimits = CostLimits()
    max_concurrent_pipelines: int | None = Field(default=None, ge=1, le=10)
    streaming_buffer_size: int | None = Field(default=None, gt=0)
    style_primer: Name | None = None
    export_format: ExportFormat | None = None
    code_lens: Toggle = Toggle()
    facts: Toggle = Toggle()
    """Whether facts that the notes do not have are marked."""
    primer_lint: Toggle = Toggle()
    """Whether words that the style avoids are marked."""
    output: Output | None = None
    reasoning: Reasoning | None = None
    blind: bool = False


def _require_characters(value: str) -> None:
    try:
        os.fsencode(value)
    except UnicodeEncodeError as error:  # JSON and YAML can name half a character
        raise ValueError("has half a character (a lone UTF-16 surrogate)") from error


def _location(value: str) -> str:
    _require_characters(value)
    location = os.path.expanduser(value)  # noqa: PTH111 -- Path raises where there is no such user
    if "\0" not in location and (location in PLACES or Path(location).is_absolute()):
        return location
    raise ValueError("should be workspace, user, or an absolute folder")


def _address(value: str) -> str:
    _require_characters(value)
    parts = urlsplit(value if "//" in value else f"http://{value}")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        raise ValueError("should be an address like http://localhost:11434")
    _ = parts.port  # raises ValueError if it is no number
    return value


ModelId = Annotated[str, Field(pattern=r"^[^\s/]+/\S+$")]


class DefaultModel(ModelSamples):
    """A default model, which may be named by its id alone."""

    model: ModelId

    @model_validator(mode="before")
    @classmethod
    def _read_id(cls, value: object) -> object:
        """Take a model's id for one answer of it."""
        return {"model": value} if isinstance(value, str) else value


class DefaultModels(_SettingsSection):
    """The models of every step for which nothing else names any."""

    default: tuple[DefaultModel, ...] = ()


class UserConfig(_SettingsSection):
    """The user's own configuration, which no workspace or document can set."""

    store_location: Annotated[str, AfterValidator(_location)] = "workspace"
    """`workspace`, `user`, or an absolute folder with a subfolder per workspace."""
    ollama_url: Annotated[str, AfterValidator(_address)] | None = None
    """The address of Ollama."""
    models: DefaultModels = DefaultModels()
    default_model: ModelId | None = None
    """What an earlier version wrote instead of `models.default`."""
    base_urls: dict[str, Annotated[str, AfterValidator(_address)]] = Field(
        default_factory=dict
    )
    """The addresses of providers' servers, by provider."""


def problem_with(
    section: type[_SettingsSection], key: str, value: object
) -> tuple[str, str] | None:
    """Return the full name of the wrong value and what is wrong with it, or None."""
    try:
        section.model_validate({key: value})
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        return name, first["msg"].removeprefix("Value error, ")
    return None


def read_settings(raw: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Return the valid settings, and a sentence for the user about each other one.

    Each section is validated by itself: an invalid one must not cost the others.
    """
    valid: dict[str, Any] = {}
    limits: CostLimits | None = None
    sentences = []
    for key, value in raw.items():
        if key in CLIENT_SETTINGS:
            continue
        problem = problem_with(Settings, key, value)
        if problem is None:
            valid[key] = value
            continue
        name, message = problem
        # A limit that cannot be read must not become none.
        is_limit = key.lower().startswith("maxcost")
        ending = "Nothing is sent" if is_limit else "Its default is used"
        sentences.append(f"Setting writeit.{name}: {message}. {ending}.")
        if is_limit:
            limits = CostLimits.unreadable(f"{name}: {message}")
    if limits is not None:
        valid[COST_LIMITS_SETTING] = limits
    return Settings.model_validate(valid), sentences


def without(raw: Mapping[str, Any], name: str) -> tuple[dict[str, Any], bool]:
    """Return a section without a setting (`a` or `a.b`), and whether it was there."""
    first, _, rest = name.partition(".")
    if first not in raw:
        return dict(raw), False
    if not rest:
        return {key: value for key, value in raw.items() if key != first}, True
    if not isinstance(raw[first], dict):
        return dict(raw), False
    inner, found = without(raw[first], rest)
    return {**raw, first: inner}, found
