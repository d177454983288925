"""Who is connected, with which run before her, and what she prefers.

What can be said of one value alone, the entities check when they are made. What needs
the world (other sessions, runs, primers, providers, editors) is told to
`problems_with_preferences` and `problems_with_session`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from pydantic import Field

from writeit.core.entity import NAME_PATTERN, Entity, Moment, Name
from writeit.core.run import split_model_id
from writeit.core.system_bindings import conflict, keystrokes

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime

LOCAL_USER = "local"
"""The user id until there are more users than one."""

ExportFormat = Literal["yaml", "json", "markdown"]


class UserPreferences(Entity):
    """Persistent user configuration and settings."""

    default_models: dict[str, str] = Field(default_factory=dict)
    """Preferred models per step."""
    style_primer: Name | None = None
    auto_save_enabled: bool = True
    streaming_buffer_size: int = Field(default=10, gt=0)
    """Tokens joined per delta. Buffer size must be positive integer."""
    keyboard_shortcuts: dict[str, str] = Field(default_factory=dict)
    theme: str = "default"
    max_concurrent_pipelines: int = Field(default=3, ge=1, le=10)
    """Max concurrent pipelines between 1 and 10."""
    export_format: ExportFormat = "yaml"
    """Export format must be supported."""


class SessionProcess(Entity):
    """The process a session lives in: it ends with it at the latest."""

    pid: int = Field(gt=0)
    started: float
    """Seconds since the epoch: pids are used again."""


class UserSession(Entity):
    """Manages active application state and user preferences."""

    session_id: UUID
    user_id: str = LOCAL_USER
    active_pipeline_run_id: UUID | None = None
    workspace_path: Path
    """The folder the session's store is in."""
    preferences: UserPreferences = UserPreferences()
    created_at: Moment
    last_activity: Moment
    websocket_connection_id: str | None = Field(default=None, pattern=r"^[!-~]{1,200}$")
    """WebSocket connection must be valid if specified: one word, nothing unseen."""
    process: SessionProcess | None = None
    """Where the session lives; None of sessions from before this was kept."""


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with a field, in the world as it is."""

    loc: tuple[str, ...]
    """The field, and the key within it if it is a map."""
    message: str


def problems_with_preferences(
    preferences: UserPreferences,
    *,
    known_primers: Collection[str],
    known_providers: Collection[str],
    system_bindings: Mapping[str, Collection[str]],
) -> list[FieldProblem]:
    """Return what the world has against these preferences, field by field."""
    primer = preferences.style_primer
    problems = [*_problems_with_models(preferences.default_models, known_providers)]
    if primer is not None and primer not in known_primers:
        message = f"no primer is called {primer!r}"
        problems.append(FieldProblem(("style_primer",), message))
    shortcuts = preferences.keyboard_shortcuts
    problems += _problems_with_shortcuts(shortcuts, system_bindings)
    return problems


def _problems_with_models(
    models: Mapping[str, str], known_providers: Collection[str]
) -> Iterator[FieldProblem]:
    """Default models must reference valid model identifiers."""
    for step, model in models.items():
        provider, name = split_model_id(model)
        message = ""
        if not re.fullmatch(NAME_PATTERN, step):
            message = f"{step!r} is no name of a step"
        elif not provider or not name.strip():
            message = f"{model!r} is no model id, provider/model"
        elif provider not in known_providers:
            message = f"the provider {provider!r} is not known"
        if message:
            yield FieldProblem(("default_models", step), message)


def _problems_with_shortcuts(
    shortcuts: Mapping[str, str], system_bindings: Mapping[str, Collection[str]]
) -> Iterator[FieldProblem]:
    """Keyboard shortcuts cannot conflict with system bindings, nor each other."""
    taken = {
        keystrokes(chord): f"{chord} is a binding of {editor}"
        for editor, chords in system_bindings.items()
        for chord in sorted(chords)
    }
    for command, chord in shortcuts.items():
        loc = ("keyboard_shortcuts", command)
        try:
            strokes = keystrokes(chord)
        except ValueError as error:
            yield FieldProblem(loc, f"{chord!r} {error}")
            continue
        for other, whose in taken.items():
            if conflict(strokes, other):
                yield FieldProblem(loc, f"{chord!r} conflicts: {whose}")
                break
        else:
            taken[strokes] = f"{chord} is the shortcut of {command}"


def problems_with_session(
    session: UserSession,
    *,
    now: datetime,
    active_ids: Collection[UUID],
    run_exists: Callable[[UUID], bool],
    path_writable: Callable[[Path], bool],
    connections: Collection[str] | None = None,
) -> list[FieldProblem]:
    """Return what the world has against this session.

    `active_ids` are the other active sessions, `connections` the WebSockets that are
    open; None where nobody knows them.
    """
    run_id, path = session.active_pipeline_run_id, session.workspace_path
    socket = session.websocket_connection_id
    rules = {
        "session_id": (
            session.session_id not in active_ids,
            "another active session has this id",
        ),
        "workspace_path": (
            path_writable(path),
            f"{path} is not there or cannot be written",
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
