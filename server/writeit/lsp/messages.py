"""What goes over the wire besides commands and their errors.

The stream of a step, the notification of changes, what a client says of itself, and
the order in which a conversation runs. `docs/protocol.md` says it at length.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from pydantic import ConfigDict, Field, WithJsonSchema

from writeit.domain.errors import FailureReason
from writeit.domain.session import UserConfig
from writeit.engine.streaming import NoticeCode, ResponseEndStatus
from writeit.lsp.errors import ErrorData, WireMessage
from writeit.lsp.shapes import WireModel, WireTokenUsage

# --- `$/progress` with the caller's `streamToken` ---------------------------------


class StartedResponse(WireModel):
    """An answer that was asked for."""

    response_id: UUID
    model: str


class StreamStarted(WireMessage):
    """The first event: the calls of a step, in the order they were asked."""

    kind: Literal["started"]
    run_id: UUID
    step: str
    responses: list[StartedResponse]


class StreamDelta(WireMessage):
    """The next piece of an answer; joined they are its `rawOutput`, byte for byte."""

    kind: Literal["delta"]
    response_id: UUID
    seq: int
    """Counts from 0 in each answer, without gaps."""
    text: str


class StreamNotice(WireMessage):
    """Something to show while waiting."""

    kind: Literal["notice"]
    response_id: UUID | None
    """The answer it is about; null if it is about them all."""
    code: NoticeCode
    title: str
    message: str
    retry_after: float | None
    """Seconds."""


class FinishedError(WireModel):
    """Why an answer is partial or failed."""

    reason: FailureReason
    message: str | None


class StreamFinished(WireMessage):
    """An answer ended; nothing of it follows."""

    kind: Literal["finished"]
    response_id: UUID
    index: int | None
    """Its place in `aiResponses`; null where nothing was kept."""
    status: ResponseEndStatus
    usage: WireTokenUsage | None
    error: FinishedError | None


class StreamEnded(WireMessage):
    """The last event, only of a command with `wait: false`: it has no later reply."""

    kind: Literal["ended"]
    run_id: UUID
    step: str
    error: ErrorData | None = None
    """What the command would have been refused with."""


StreamEvent: TypeAlias = Annotated[
    StreamStarted | StreamDelta | StreamNotice | StreamFinished | StreamEnded,
    Field(discriminator="kind"),
]

# --- notifications ----------------------------------------------------------------

CHANGED_METHOD = "writeit/changed"


class ChangedParams(WireMessage):
    """`writeit/changed`: runs changed, here or in another process."""

    run_ids: list[UUID]
    views: list[str]
    """The URIs of the views that the client has and that read differently now."""


# --- what a client says of itself ---------------------------------------------------


class ClientOptions(WireModel):
    """`initializationOptions.writeit`. Keys that are not known are ignored."""

    model_config = ConfigDict(extra="ignore")

    views: Literal["uri"] | None = None
    """`uri`: the client opens `writeit:` documents itself. Else views are files."""
    events: bool = False
    """Whether it is sent `writeit/changed`."""
    token: str | None = None
    """What the server printed at its start; over TCP and WebSocket only."""
    user: Annotated[Any, WithJsonSchema(UserConfig.model_json_schema())] = None
    """The user's own configuration. What is wrong in it costs only itself."""

    @property
    def has_plugin(self) -> bool:
        """Whether the client speaks to the user in its own way."""
        return bool(self.model_fields_set & {"views", "events"})


def parse_client_options(initialization_options: Any) -> ClientOptions:  # noqa: ANN401 -- any JSON
    """Return what a client says of itself under `writeit`.

    Raises:
        ValidationError: a key has a value that it cannot have.
    """
    options = initialization_options
    ours = options.get("writeit") if isinstance(options, dict) else None
    return ClientOptions.model_validate(ours if isinstance(ours, dict) else {})


# --- the order of a conversation ----------------------------------------------------

LIFECYCLE: tuple[dict[str, str], ...] = (
    {"from": "client", "method": "initialize", "type": "request"},
    {"from": "client", "method": "initialized", "type": "notification"},
    {"from": "server", "method": "client/registerCapability", "type": "request"},
    {"from": "server", "method": "workspace/configuration", "type": "request"},
    {"from": "client", "method": "workspace/executeCommand", "type": "request"},
    {"from": "client", "method": "shutdown", "type": "request"},
    {"from": "client", "method": "exit", "type": "notification"},
)
"""The messages of a conversation in their order; some only where the client can."""
