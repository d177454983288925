"""What goes over the wire besides commands.

Errors, the stream of a step, the notification of changes, the client's options, and
the order of messages. `docs/protocol.md` describes them at length.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias, get_args
from uuid import UUID

from pydantic import ConfigDict, Field, SkipValidation, TypeAdapter
from pygls.exceptions import JsonRpcException

from writeit.domain.errors import FailureReason, WriteItError
from writeit.domain.pipeline import Reasoning
from writeit.domain.session import UserConfig
from writeit.engine.streaming import NoticeCode, ResponseEndStatus
from writeit.lsp.library_shapes import Problem, WireWant
from writeit.lsp.shapes import (
    Failure,
    NamedAnswer,
    WireFinishReason,
    WireModel,
    WireTokenUsage,
)
from writeit.ports.models import FinishReason


class WireMessage(WireModel):
    """A message of the server besides replies; fields that are not set are left out."""

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that goes over the wire."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


class ErrorDataBase(WireMessage):
    """The fields of every error's `data`."""

    model_config = ConfigDict(extra="allow")

    code: ClassVar[int]
    """The JSON-RPC code of the kind."""

    message: str
    """What happened and what was kept."""
    hint: str
    """What to do next; "" if nothing can be done."""


class ParamProblem(WireModel):
    """A problem with one of the params."""

    path: str
    message: str


class TemplateProblem(WireModel):
    """A problem in a step's template; lines and columns count from 0."""

    message: str
    step: str
    line: int
    column: int


class InvalidParamsData(ErrorDataBase):
    """Params are missing, unknown, of the wrong type or out of bounds."""

    code = -32602
    kind: Literal["invalid_params"]
    problems: list[ParamProblem] = Field(default_factory=list)


class NotFoundData(ErrorDataBase):
    """No such run, step, response, pipeline, primer or model; the hint names some."""

    code = -32010
    kind: Literal["not_found"]
    failures: list[Failure] = Field(default_factory=list)
    """The calls whose models no provider knew."""


class InvalidTransitionData(ErrorDataBase):
    """The state of the run or the step does not allow the command."""

    code = -32011
    kind: Literal["invalid_transition"]
    state: str
    """The state of the run or the step."""
    attempted: str
    """The type of the event that was refused."""
    allowed: list[str]
    """Commands, or types of events, that are allowed instead."""


class BusyData(ErrorDataBase):
    """Answers are already streaming."""

    code = -32012
    kind: Literal["busy"]
    run_id: UUID | None = None
    pid: int | None = None
    """The process that streams, if it is another editor's."""
    session_id: UUID | None = None
    """That editor's session."""


class RetryLimitData(ErrorDataBase):
    """A step has no regenerations left."""

    code = -32013
    kind: Literal["retry_limit"]


class InvalidPipelineData(ErrorDataBase):
    """A pipeline's file, a template or a document's front matter has problems."""

    code = -32014
    kind: Literal["invalid_pipeline"]
    problems: list[Problem | TemplateProblem] = Field(default_factory=list)


class ModelErrorData(ErrorDataBase):
    """A provider or the model host failed."""

    code = -32015
    kind: Literal["model_error"]
    reason: FailureReason
    provider: str | None = None
    model: str | None = None
    failures: list[Failure] = Field(default_factory=list)
    """All failed calls, if no call of a step has text."""
    retry_after: float | None = None
    """Seconds, as the provider asked."""
    status: int | None = None
    """The provider's HTTP status."""
    destination: str | None = None
    """The host that the call was sent to."""
    prompt_tokens: int | None = None
    """The tokens of a prompt that is too long."""
    context_window: int | None = None
    """The model's context window, in tokens."""
    host: bool | None = None
    """True if the model host failed, not a provider."""


class BudgetExceededData(ErrorDataBase):
    """The next calls could cost more than allowed; nothing was sent. In US dollars."""

    code = -32016
    kind: Literal["budget_exceeded"]
    scope: Literal["run", "day"] | None = None
    """Which limit would be passed; else `calls`, `unknown` or neither is set."""
    spent: float | None = None
    limit: float | None = None
    estimate: float | None = None
    """The most that these calls may cost."""
    streaming: float | None = None
    """The most that streaming answers may cost."""
    calls: int | None = None
    """How many calls need the user's confirmation."""
    unknown: list[str] = Field(default_factory=list)
    """Models of unknown price, while there is a limit."""
    confirm: str | None = None
    """What a button says that repeats the command with `confirmed: true`."""


class StoreErrorData(ErrorDataBase):
    """The store, a file or the keyring cannot be read or written."""

    code = -32017
    kind: Literal["store_error"]
    reason: str
    """`full`, `read_only`, `locked`, `corrupt`, `too_new` or `keyring`."""


class NotTrustedData(ErrorDataBase):
    """Refused because of its source or its destination."""

    code = -32018
    kind: Literal["not_trusted"]
    path: str | None = None
    """A file that was not written."""
    provider: str | None = None
    """A provider that is not allowed; nothing was sent to it."""
    providers: list[str] = Field(default_factory=list)
    """The allowed providers."""
    wants: list[WireWant] = Field(default_factory=list)
    """What files of the folder would cause, which the user has not trusted."""
    calls: int | None = None
    """How many calls the command would make."""
    max_cost_usd: float | None = None
    """The most that they may cost; null if that is not known."""
    confirm: str | None = None
    """What a button says that repeats the command with `confirmed: true`."""


class DocumentChangedData(ErrorDataBase):
    """The document, or the passage in it, is gone; the text is kept."""

    code = -32019
    kind: Literal["document_changed"]
    uri: str | None = None
    kept_at: str | None = None
    """A URI where the text can be read."""


ErrorData: TypeAlias = Annotated[
    InvalidParamsData
    | NotFoundData
    | InvalidTransitionData
    | BusyData
    | RetryLimitData
    | InvalidPipelineData
    | ModelErrorData
    | BudgetExceededData
    | StoreErrorData
    | NotTrustedData
    | DocumentChangedData,
    Field(discriminator="kind"),
]

ERROR_DATA_MODELS: tuple[type[ErrorDataBase], ...] = get_args(get_args(ErrorData)[0])
ERROR_DATA_BY_KIND = {
    get_args(data.model_fields["kind"].annotation)[0]: data
    for data in ERROR_DATA_MODELS
}
"""The model of `data`, with the code, by kind."""

_ERROR_DATA_ADAPTER: TypeAdapter[ErrorData] = TypeAdapter(ErrorData)


def error_to_data(error: WriteItError) -> ErrorData:
    """Return the `data` of an error."""
    return _ERROR_DATA_ADAPTER.validate_python(error.to_json())


def to_rpc_error(
    error: WriteItError, *, include_hint: bool = False
) -> JsonRpcException:
    """Return the JSON-RPC error that carries `error`.

    With `include_hint` its message has the hint, too: many editors show nothing else.
    """
    return JsonRpcException(
        message=f"{error.message} {error.hint}".strip()
        if include_hint
        else error.message,
        code=ERROR_DATA_BY_KIND[error.kind].code,
        data=error_to_data(error).to_json(),
    )


# --- `$/progress` with the caller's `streamToken` ---------------------------------


class StartedResponse(NamedAnswer):
    """A call that was made."""

    model: str


class StreamStarted(WireMessage):
    """The first event: the calls of a step, in order."""

    kind: Literal["started"]
    run_id: UUID
    step: str
    responses: list[StartedResponse]


class StreamDelta(WireMessage):
    """The next piece of an answer; the pieces joined are its `rawOutput`, exactly."""

    kind: Literal["delta"]
    response_id: UUID
    seq: int
    """Counts from 0 in each answer, without gaps."""
    text: str
    thinking: bool | None = None
    """True if it is a thought: part of `rawOutput`, but not of the text."""


class StreamThinking(WireMessage):
    """A model is thinking before it goes on with its text; at most once a second."""

    kind: Literal["thinking"]
    response_id: UUID
    seconds: float
    """Since the call was made."""
    tokens: int | None
    """About how many tokens of thoughts were told; null if none was."""


class StreamThought(WireMessage):
    """All text of an answer before `upTo` was a thought; show it as one."""

    kind: Literal["thought"]
    response_id: UUID
    up_to: int
    """An offset in the joined deltas, in characters: all of those sent so far."""


class StreamNotice(WireMessage):
    """A message to show while the user waits."""

    kind: Literal["notice"]
    response_id: UUID | None
    """The answer it is about; null if it is about all of them."""
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
    number: int
    index: int | None
    """Its index in `aiResponses`; null if nothing was kept."""
    status: ResponseEndStatus
    usage: WireTokenUsage | None
    finish_reason: WireFinishReason
    """As in `AIResponse`; `length` is an answer that was cut, and yet `complete`."""
    error: FinishedError | None


class StreamEnded(WireMessage):
    """The last event, only for a command with `wait: false`: it has no later reply."""

    kind: Literal["ended"]
    run_id: UUID
    step: str
    error: ErrorData | None = None
    """The error that the command would have been refused with."""


StreamEvent: TypeAlias = Annotated[
    StreamStarted
    | StreamDelta
    | StreamThinking
    | StreamThought
    | StreamNotice
    | StreamFinished
    | StreamEnded,
    Field(discriminator="kind"),
]

# --- notifications ----------------------------------------------------------------

CHANGED_METHOD = "writeit/changed"


class ChangedParams(WireMessage):
    """`writeit/changed`: runs changed, here or in another process."""

    run_ids: list[UUID]
    views: list[str]
    """The URIs of the client's views whose text changed."""


# --- the client's models: `initializationOptions.writeit.languageModels` ---

LIST_METHOD = "writeit/lm/list"
REQUEST_METHOD = "writeit/lm/request"
DELTA_METHOD = "writeit/lm/delta"


class LanguageModel(WireModel):
    """A model of the client; its id for WriteIt is `vscode/<vendor>/<family>`."""

    id: str
    """The client's own id; unique among the models of its vendor."""
    vendor: str
    family: str
    max_input_tokens: int | None = None
    """The longest prompt in tokens; null if unknown."""


class LanguageModelRequest(WireMessage):
    """`writeit/lm/request`: the prompt for a model, as a single user message."""

    request_id: str
    """Also the id of the JSON-RPC request, which `$/cancelRequest` names."""
    model: str
    """The `id` of the model."""
    vendor: str
    prompt: str
    max_tokens: int | None = None
    """Of the longest answer, thinking included."""
    temperature: float | None = None
    reasoning: Reasoning | None = None


class LanguageModelUsage(WireModel):
    """Tokens of a call, as the client counted them."""

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)


class LanguageModelResult(WireModel):
    """The end of an answer; all of its deltas were sent before."""

    finish_reason: FinishReason
    usage: LanguageModelUsage | None = None
    """Left out, the server estimates it."""


class LanguageModelDelta(WireModel):
    """`writeit/lm/delta`: the next piece of an answer, in any order."""

    request_id: str
    seq: int
    """Counts from 0 in each answer, without gaps."""
    text: str
    """"" says that the model is at work."""


# --- the client's options ---


class ClientOptions(WireModel):
    """`initializationOptions.writeit`; unknown keys are ignored."""

    model_config = ConfigDict(extra="ignore")

    views: Literal["uri"] | None = None
    """`uri`: the client opens `writeit:` documents itself; else views are files."""
    events: bool = False
    """Whether it is sent `writeit/changed`."""
    trusted: bool | None = None
    """Whether the user trusts the open folders: true or false if the editor has asked,
    else WriteIt's own record counts."""
    language_models: bool = False
    """Whether it answers `writeit/lm/list` and `writeit/lm/request`."""
    token: str | None = None
    """The token that the server printed at its start; for TCP and WebSocket."""
    user: SkipValidation[UserConfig | None] = None
    """The user's own configuration; an invalid value is ignored, the others apply."""

    @property
    def has_plugin(self) -> bool:
        """Whether the client has messages of its own."""
        return bool(self.model_fields_set & {"views", "events"})


def parse_client_options(initialization_options: Any) -> ClientOptions:  # noqa: ANN401 -- any JSON
    """Return the client's options for WriteIt.

    Raises:
        ValidationError: a value is not valid.
    """
    options = initialization_options
    ours = options.get("writeit") if isinstance(options, dict) else None
    return ClientOptions.model_validate(ours if isinstance(ours, dict) else {})


# --- the order of messages ---

LIFECYCLE: tuple[dict[str, str], ...] = (
    {"from": "client", "method": "initialize", "type": "request"},
    {"from": "client", "method": "initialized", "type": "notification"},
    {"from": "server", "method": "client/registerCapability", "type": "request"},
    {"from": "server", "method": "workspace/configuration", "type": "request"},
    {"from": "client", "method": "workspace/executeCommand", "type": "request"},
    {"from": "client", "method": "shutdown", "type": "request"},
    {"from": "client", "method": "exit", "type": "notification"},
)
"""The messages of a connection in order; some depend on the client's capabilities."""
