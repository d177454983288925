"""What stands beside the runs, as it is on the disk; see `writeit.store.records`."""
# ruff: noqa: TC001, TC003 -- pydantic reads the annotations of a Record

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from writeit.core.entity import Moment
from writeit.core.pipeline import PipelineConfiguration
from writeit.core.session import UserPreferences, UserSession
from writeit.store.codec import Text
from writeit.store.records import Record, TokensRecord


class LeaseRecord(Record):
    """`lease:{run}`: who is asking models for a run."""

    owner: UUID
    pid: int
    process_started: float
    heartbeat: Moment


class UsedRecord(Record):
    """`usage:{time}:{response}`: what an answer used."""

    at: Moment
    run_id: UUID
    pipeline: str
    model: str
    usage: TokensRecord
    seconds: float


class ConfigurationRecord(Record):
    """`config:{id}`: a configuration, whole."""

    SPARSE: ClassVar[bool] = False
    configuration: PipelineConfiguration


class PrimerRecord(Record):
    """`primer:{id}:{version}`: a version of a primer."""

    primer_id: str
    name: str
    description: Text = ""
    content: Text
    voice_attributes: dict[str, Text]
    example_openings: tuple[Text, ...] = ()
    guidelines: dict[str, tuple[Text, ...]]
    created_at: Moment
    last_used: Moment


class PrimerPointer(Record):
    """`primer:{id}`: the version that was used last."""

    newest: str


class SessionRecord(Record):
    """`session:{id}`: a session."""

    SPARSE: ClassVar[bool] = False
    session: UserSession


class PreferencesRecord(Record):
    """`preferences:{user}`: what a user prefers, for the sessions to come."""

    SPARSE: ClassVar[bool] = False
    preferences: UserPreferences
