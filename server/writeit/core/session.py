"""Who is connected, with which run before her, and what she prefers."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import Field

from writeit.core.entity import Entity, Moment, Name

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
    websocket_connection_id: str | None = None
