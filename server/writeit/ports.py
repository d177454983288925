"""What the engine needs from the world: models, a store, keys, a clock.

These are Protocols; their real adapters and their fakes live in `models/` and
`store/`, and one contract test holds each pair to the same behaviour.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import (
        AsyncIterator,
        Callable,
        Iterable,
        Iterator,
        Mapping,
        Sequence,
    )
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from writeit.core.errors import ModelError
    from writeit.core.events import Event
    from writeit.core.pipeline import PipelineConfiguration
    from writeit.core.primer import StylePrimer
    from writeit.core.run import PipelineRun, PipelineStatus
    from writeit.core.session import UserPreferences, UserSession
    from writeit.core.usage import TokenUsage


class Clock(Protocol):
    """Time and the ids made from it."""

    def now(self) -> datetime:
        """Return the moment, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def new_id(self) -> UUID:
        """Return a new id (UUIDv7: later ids sort later)."""
        ...


KeySource = Literal["environment", "keyring", "none"]
"""Where a provider's key comes from."""


class Keys(Protocol):
    """Where API keys come from; they are handed on per call and kept nowhere."""

    def get(self, provider: str) -> str | None:
        """Return the key of `provider`, or None."""
        ...

    def source(self, provider: str) -> KeySource:
        """Say where the key of `provider` comes from."""
        ...

    def sources(self, named: Iterable[str] = ()) -> dict[str, KeySource]:
        """Say where the keys of the usual providers and of `named` come from."""
        ...

    def set(self, provider: str, key: str) -> None:
        """Keep `key` in the system keyring, in place of the one that was there.

        Raises:
            InvalidParams: it is no key, or the provider needs none.
            StoreError: there is no keyring on this system.
        """
        ...


class Processes(Protocol):
    """Which processes live: two editors may have one workspace open."""

    def me(self) -> tuple[int, float]:
        """Return this process: its pid, and when it started (epoch seconds)."""
        ...

    def alive(self, pid: int, started: float) -> bool:
        """Say whether that process, and not a later one of that pid, still runs."""
        ...


# --- Models -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One prompt for one model: a single user message whose content is `prompt`."""

    model: str
    """`provider/model_name`."""
    prompt: str
    max_tokens: int | None = None
    temperature: float | None = None
    run_id: UUID | None = None
    """On whose behalf: where calls have to wait, runs take turns."""
    ollama_url: str | None = None
    """Where Ollama answers, if the writer's settings say so."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ModelNotice:
    """Something the writer should see while she waits."""

    code: Literal["retrying", "rateLimited", "queued"]
    title: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDone:
    """The answer ended as the model meant it to; always the last item."""

    usage: TokenUsage
    finish_reason: str | None = None


ModelItem = TextDelta | ModelNotice | ModelDone


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """How a prompt fits a model, and what it would cost."""

    prompt_tokens: int
    context_window: int | None = None
    """Tokens; None where nobody knows."""
    input_cost_per_token: float | None = None
    """US dollars by the bundled price map; None where no price is known."""
    output_cost_per_token: float | None = None
    output_limit: int | None = None
    """Tokens of the longest answer the model gives; None where nobody knows."""
    destination: str = ""
    """Where the prompt would go: the host it is sent to, "this machine" if none."""
    refusal: ModelError | None = None
    """Why a call would be refused before anything is sent: no key, not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model as `model.list` shows it."""

    id: str
    provider: str
    available: bool
    reason: str | None = None
    """Why it is not available, and what to do about it."""
    context_window: int | None = None
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None


class Models(Protocol):
    """The way to language models."""

    def stream(
        self, call: ModelCall
    ) -> AbstractAsyncContextManager[AsyncIterator[ModelItem]]:
        """Make one call; leaving the context closes the provider's connection.

        The iterator yields TextDelta and ModelNotice items and ends with ModelDone,
        or raises. The joined deltas are the model's output byte for byte. Nothing is
        retried here.

        Raises:
            ModelError: with one of the contract's reasons; `retryAfter` in seconds
                in its data where the provider said so. Text yielded before is valid.
            NotFound: the provider is not known.
        """
        ...

    async def measure(self, call: ModelCall) -> Fit:
        """Count the tokens of a prompt; look up the model's window, price and place.

        Nothing is sent. What would refuse the call (no key, an embedded model that
        is not installed) is the Fit's `refusal`.

        Raises:
            NotFound: the provider is not known.
            ModelError: the model host cannot be reached.
        """
        ...

    async def identify(self, model: str) -> str:
        """Return `provider/model_name` for a model id or a bare LiteLLM name.

        Raises:
            NotFound: no provider is known for it.
            ModelError: the model host cannot be reached.
        """
        ...

    async def list(
        self,
        *,
        named: Sequence[str] = (),
        provider: str | None = None,
        ollama_url: str | None = None,
        refresh: bool = False,
    ) -> list[ModelInfo]:
        """List embedded, Ollama's, `named` and keyed providers' models; or one's.

        `ollama_url` says where Ollama answers, if the writer's settings do; with
        `refresh` nothing is taken from memory.
        """
        ...

    async def embedded_installed(self) -> str | None:
        """Return the id of the embedded model if it can be used here, else None."""
        ...

    async def install(
        self, model: str, progress: Callable[[str, float | None], None]
    ) -> ModelInfo:
        """Fetch the weights of an embedded model; `progress` gets message, fraction.

        Raises:
            NotFound: there is no such embedded model.
            ModelError: fetching or checking failed; nothing half done is left.
        """
        ...

    async def warm(self) -> None:
        """Get ready before the first call; it may take seconds.

        Raises:
            ModelError: the model host cannot be started; a call would say so again.
        """
        ...

    async def close(self) -> None:
        """End the processes behind this port."""
        ...


# --- Store ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run and the number of its newest event."""

    run: PipelineRun
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is written whole or not at all."""

    run: PipelineRun
    """The run as it is after the events."""
    events: tuple[Event, ...]
    expected_seq: int
    """The number of the run's newest event when the decision was made; 0 for none."""
    configuration: PipelineConfiguration | None = None
    """Stored if it is new."""
    primer: StylePrimer | None = None
    """Stored if its version is new; its use is recorded."""
    session: UserSession | None = None
    lease: Lease | None = None
    """Taken with the decision; given back with the decision that ends the asking."""
    release: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who is asking models for a run right now: nobody else may."""

    owner: UUID
    """The session of the process that asks."""
    pid: int
    process_started: float
    """Seconds since the epoch when that process started: pids are used again."""
    heartbeat: datetime
    """When the owner last said that it lives."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A line of the list of runs; read without opening the run."""

    run_id: UUID
    name: str | None
    title: str
    pipeline: str
    uri: str | None
    status: PipelineStatus
    current_step: str
    parent_run_id: UUID | None
    branch_point: str | None
    created_at: datetime
    updated_at: datetime
    cost_usd: float | None
    deleted: bool = False
    """Whether only a tombstone is left, for the sake of its children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """What a deletion took away."""

    runs: int
    responses: int
    """Answers that no run holds any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UsageRecord:
    """One call, for the sums of `usage.show` and for budgets."""

    at: datetime
    run_id: UUID
    pipeline: str
    model: str
    usage: TokenUsage
    seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunQuery:
    """Which runs to list, newest first."""

    status: PipelineStatus | None = None
    pipeline: str | None = None
    """The pipeline's name."""
    uri: str | None = None
    text: str | None = None
    """Found in name or title, whatever the case."""
    limit: int = 50
    before: UUID | None = None
    """Only runs older than this one."""


@dataclass(frozen=True, slots=True)
class RunPage:
    """One page of runs; `next` is the `before` of the page that follows."""

    runs: list[RunSummary] = field(default_factory=list)
    next: UUID | None = None


class StaleDecision(Exception):
    """Somebody decided about the run meanwhile: read it again and decide anew."""


class Store(Protocol):
    """Where runs are kept, beside the workspace. Reads are fast and synchronous."""

    async def commit(self, decision: Decision) -> int:
        """Write a decision and return the run's new seq, once it is on the disk.

        Also folds the journal: text journaled for a response that ended is dropped.

        Raises:
            StaleDecision: `expected_seq` is no longer the run's.
            StoreError: it could not be written; nothing of it was.
        """
        ...

    def journal(self, run_id: UUID, response_id: UUID, text: str) -> None:
        """Append streamed text; it is on the disk at most 50 ms later.

        A failure to write shows as StoreError at the next `commit`.
        """
        ...

    def run(self, run_id: UUID) -> StoredRun | None:
        """Read a run with its answers; what streams stands with its journaled text."""
        ...

    def runs(self, query: RunQuery) -> RunPage:
        """List runs, newest first."""
        ...

    def events(self, run_id: UUID) -> list[Event]:
        """Read all events of a run, oldest first; their place + 1 is their seq."""
        ...

    def streaming_runs(self) -> list[UUID]:
        """List the runs that have answers on their way (or had, when all went dark)."""
        ...

    def summary(self, run_id: UUID) -> RunSummary | None:
        """Read the summary of a run, or of the tombstone it left."""
        ...

    def children(self, run_id: UUID) -> list[UUID]:
        """List the runs that branched off a run, oldest first; tombstones too."""
        ...

    def lease(self, run_id: UUID) -> Lease | None:
        """Read who is asking models for a run."""
        ...

    async def renew(self, leases: Mapping[UUID, Lease]) -> None:
        """Write new heartbeats, by run id, of leases that are still the owner's."""
        ...

    async def delete(self, run_id: UUID, *, descendants: bool = False) -> Deleted:
        """Delete a run, or its whole family below it.

        A run with children leaves a tombstone unless `descendants` go too. Answers
        stay while one run holds them; what a call cost stays in the usage.

        Raises:
            NotFound: there is no such run.
            Busy: answers of one of them are streaming; nothing was deleted.
            StoreError: nothing was deleted.
        """
        ...

    def usage(self, since: datetime | None = None) -> Iterator[UsageRecord]:
        """Read what calls used, oldest first; each answer counts once."""
        ...

    def configuration(self, configuration_id: str) -> PipelineConfiguration | None:
        """Read a configuration."""
        ...

    def primer(self, primer_id: str, version: str | None = None) -> StylePrimer | None:
        """Read a primer: the version asked for, else the one used last."""
        ...

    async def save_session(self, session: UserSession) -> None:
        """Write a session and list it as active.

        Raises:
            StoreError: it could not be written.
        """
        ...

    async def end_session(self, session_id: UUID) -> None:
        """Take a session off the list of active ones; the session itself stays."""
        ...

    def session(self, session_id: UUID) -> UserSession | None:
        """Read a session."""
        ...

    def preferences(self) -> UserPreferences | None:
        """Read the preferences that were saved last, whatever session saved them."""
        ...

    async def save_preferences(self, preferences: UserPreferences) -> None:
        """Keep preferences for the sessions to come.

        Raises:
            StoreError: they could not be written.
        """
        ...

    def active_sessions(self) -> list[UserSession]:
        """Read the sessions that are active now."""
        ...

    def close(self) -> None:
        """Write what is still waiting, then let go of the store."""
        ...


# --- Maintenance --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStatus:
    """Figures of a store."""

    path: Path
    schema: int
    map_bytes: int
    used_bytes: int
    file_bytes: int
    runs: int
    responses: int
    texts: int
    events: int


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """One thing that `verify` found."""

    key: str
    message: str


@dataclass(frozen=True, slots=True)
class Verified:
    """What `verify` looked at and found; it is well if there are no problems."""

    checked: int
    problems: list[StoreProblem]


class Maintenance(Protocol):
    """The care of a store; every method may take long and runs off the event loop."""

    async def status(self) -> StoreStatus:
        """Count what is there."""
        ...

    async def verify(self) -> Verified:
        """Check structure, text hashes, and every entity against its events."""
        ...

    async def compact(self) -> StoreStatus:
        """Drop texts nobody refers to and give free pages back to the disk.

        Raises:
            Busy: another process has the store open; nothing was changed.
        """
        ...

    async def backup(self, path: Path) -> Path:
        """Copy a consistent store to a new folder, while it is in use.

        Raises:
            InvalidParams: there is something at `path` already.
            StoreError: it could not be written; nothing half done is left.
        """
        ...

    async def prune(self, before: datetime, *, dry_run: bool = True) -> Deleted:
        """Delete finished runs last touched before a moment; count them if dry."""
        ...


# --- all of them --------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The ports as the composition root hands them out."""

    models: Models
    keys: Keys
    clock: Clock
    processes: Processes
    open_store: Callable[[Path | None], tuple[Store, str | None]]
    """Opens a folder's store; also returns a message if it had to go elsewhere."""
    find_store: Callable[[Path | None], tuple[Path, str | None]]
    """Says where a folder's store is, or would be; makes nothing."""
    maintain: Callable[[Store], Maintenance]
    """Hands out the care of an open store."""
