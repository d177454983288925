"""Implements the `Models` port by driving the model host; never imports LiteLLM."""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from subprocess import Popen
from typing import Any, Final

from pydantic import ValidationError

from writeit.domain.entity import TokenUsage
from writeit.domain.errors import InvalidParams, ModelError, WriteItError
from writeit.domain.model_id import split_model_id
from writeit.llm import HOST_COMMAND
from writeit.llm.keys import validate_key
from writeit.llm.process import (
    HostMessage,
    HostProcess,
    error_from_fields,
)
from writeit.llm.providers import embedded
from writeit.llm.providers.provider import (
    OLLAMA,
    key_variables,
    providers_with_endpoint,
)
from writeit.llm.providers.registry import endpoint_variables, get_provider
from writeit.ports.models import (
    AnswerStream,
    CallEstimate,
    ModelCall,
    ModelDone,
    ModelInfo,
    ModelNotice,
    ModelSource,
    ModelStreamItem,
)
from writeit.ports.system import Keys, KeySource


def deliver_message(answer: AnswerStream, message: HostMessage) -> None:
    """Add a host message to the answer it is about."""
    match message["type"]:
        case "delta":
            answer.add_text(message["text"])
        case "thought":
            answer.add_thought(message["text"])
        case "notice":
            fields = {k: v for k, v in message.items() if k not in {"type", "id"}}
            answer.put(ModelNotice(**fields))
        case "done":
            reason = message["finish_reason"]
            try:
                usage = TokenUsage(**message["usage"])
            except ValidationError as error:  # the answer must end
                answer.finish(_host_error(f"The usage of a call is not valid: {error}"))
            else:
                notes = tuple(message.get("notes", ()))
                answer.finish(ModelDone(usage=usage, finish_reason=reason, notes=notes))
        case "error":
            answer.finish(error_from_fields(message))


logger = logging.getLogger(__name__)

IDLE_SECONDS: Final = 600.0
_MAX_RESTART_DELAY: Final = 30.0
_PROCESS: Final = "The process that calls models"
"""Longest delay in seconds before a host that keeps crashing is restarted."""


@dataclass(frozen=True, slots=True)
class _WithKey:
    """The user's keys, and one that is not stored yet."""

    keys: Keys
    provider: str
    key: str | None = field(repr=False)

    def get(self, provider: str) -> str | None:
        """Return the key of a provider."""
        is_given = self.key is not None and provider == self.provider
        return self.key if is_given else self.keys.get(provider)

    def source(self, provider: str) -> KeySource:
        """Say where the key of a provider comes from."""
        return self.sources((provider,))[provider]

    def sources(self, include: Iterable[str] = ()) -> dict[str, KeySource]:
        """Say where keys come from; the given one counts as stored."""
        sources = self.keys.sources(include)
        return sources if self.key is None else {**sources, self.provider: "keyring"}

    def set(self, provider: str, key: str) -> None:
        """Store a key."""
        self.keys.set(provider, key)


def _environment_error(what: str, where: str) -> InvalidParams:
    return InvalidParams(
        f"The environment sets another {what} ({where}), which takes precedence."
        " Nothing was saved.",
        hint=f"Change it there, or leave out the {what}.",
        problems=[{"path": what, "message": "the environment sets another one"}],
    )


class ModelHostClient:
    """Starts the host when needed, restarts it after a crash, stops it when idle."""

    def __init__(
        self,
        *,
        keys: Keys,
        command: Sequence[str] = HOST_COMMAND,
        environment: Mapping[str, str] | None = None,
        idle_seconds: float = IDLE_SECONDS,
        started: Popen[bytes] | None = None,
    ) -> None:
        self._keys = keys
        self._started = started
        self._sources: dict[str, ModelSource] = {}
        self._command = command
        self._environment = dict(environment or {})
        self._idle_seconds = idle_seconds
        self._ids = itertools.count(1)
        self._streams: dict[int, AnswerStream] = {}
        self._pending_replies: dict[int, asyncio.Future[HostMessage]] = {}
        self._host: HostProcess | None = None
        self._start_lock = asyncio.Lock()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._stop_tasks: set[asyncio.Task[None]] = set()
        self._closed = False
        self._crash_count = 0
        """Crashes in a row without any message from the host."""
        self._restart_after = 0.0

    def add_source(self, provider: str, source: ModelSource) -> None:
        """Have a source call the models of a provider from now on."""
        self._sources[provider] = source

    def _source_of(self, model: str) -> ModelSource | None:
        return self._sources.get(split_model_id(model)[0])

    @asynccontextmanager
    async def stream(
        self, call: ModelCall
    ) -> AsyncIterator[AsyncIterator[ModelStreamItem]]:
        """Make one call; leaving the context cancels it."""
        if (source := self._source_of(call.model)) is not None:
            async with source.stream(call) as items:
                yield items
            return
        key = await self._fetch_key(split_model_id(call.model)[0])
        host = await self._running_host()
        call_id, answer = next(self._ids), AnswerStream()
        self._streams[call_id] = answer
        host.send({"type": "start", "id": call_id, "key": key, **_call_fields(call)})
        try:
            yield answer
        finally:
            del self._streams[call_id]
            if not answer.is_finished:
                host.send({"type": "cancel", "id": call_id})
            self._schedule_idle_stop()

    async def estimate(self, call: ModelCall) -> CallEstimate:
        """Count a prompt's tokens; look up the model's window, price and host."""
        if (source := self._source_of(call.model)) is not None:
            return await source.estimate(call)
        key = await self._fetch_key(split_model_id(call.model)[0])
        reply = await self._request("measure", **_call_fields(call), key=key)
        return estimate_from_fields(reply["fit"])

    async def resolve_model_id(self, model: str) -> str:
        """Return `provider/model_name` for a model id or a bare LiteLLM name."""
        reply = await self._request("identify", model=model)
        return str(reply["model"])

    async def list_models(
        self,
        *,
        include: Sequence[str] = (),
        provider: str | None = None,
        refresh: bool = False,
        all_models: bool = False,
    ) -> list[ModelInfo]:
        """List the models of local providers, of those with a key and `include`.

        With `provider`, list that provider's models.
        """
        infos: list[ModelInfo] = []
        for name, source in self._sources.items():
            if provider in {None, name}:
                own = [m for m in include if split_model_id(m)[0] == name]
                infos += await source.list_models(own)
        if provider in self._sources:
            return infos
        include = [model for model in include if self._source_of(model) is None]
        candidates = {split_model_id(name)[0] for name in include}
        candidates |= {provider or ""} | providers_with_endpoint(
            {**os.environ, **self._environment}
        )
        reply = await self._request(
            "list",
            named=[*include],
            provider=provider,
            keys=await asyncio.to_thread(self._read_keys, candidates),
            refresh=refresh,
            all=all_models,
        )
        return [*infos, *(ModelInfo(**fields) for fields in reply["models"])]

    def with_account(
        self, provider: str, key: str | None, base_url: str | None
    ) -> ModelHostClient:
        """Return a client with a host of its own, key and address of one provider."""
        if key is not None:
            key = validate_key(provider, key)
        given = {} if base_url is None else {provider: base_url}
        set_already = get_provider(provider).endpoint()
        if base_url and set_already not in {None, base_url} and provider != OLLAMA:
            raise _environment_error("address", f"{provider} at {set_already}")
        if key and self._keys.source(provider) == "environment":
            if key != self._keys.get(provider):
                raise _environment_error("key", key_variables(provider)[0])
            key = None
        client = ModelHostClient(
            keys=_WithKey(self._keys, provider, key),
            command=self._command,
            environment={**self._environment, **endpoint_variables(given)},
        )
        client._sources = self._sources
        return client

    async def use_account(self, base_urls: Mapping[str, str]) -> None:
        """Use these addresses from now on."""
        variables = endpoint_variables(base_urls)
        self._environment |= variables
        if self.host_pid is not None:
            await self._request("configure", environment=variables)

    async def embedded_model(self, *, installed: bool = True) -> str | None:
        """Return its id if it can be used here, or if only its weights are missing."""
        can_be_used = embedded.why_unusable() is None
        is_found = can_be_used if installed else embedded.is_installable()
        return embedded.EMBEDDED_MODEL if is_found else None

    async def install_model(
        self, model: str, on_progress: Callable[[str, float | None], None]
    ) -> ModelInfo:
        """Download an embedded model; `on_progress` gets a message and a fraction."""
        embedded.check_model_id(model)
        await embedded.install_weights(on_progress)
        return embedded.model_info()

    async def close(self) -> None:
        """Stop the host; calls in progress fail."""
        self._closed = True
        self._cancel_idle_timer()
        self._fail_all(lambda _: _host_error("The server is closing."))
        host, self._host = self._host, None
        if host is not None:
            await host.stop()
        await asyncio.gather(*self._stop_tasks)

    async def warm_up(self) -> None:
        """Start the host before it is needed, because that takes seconds."""
        await self._running_host()
        self._schedule_idle_stop()

    @property
    def host_pid(self) -> int | None:
        """The process id of the host; None if it is not running."""
        return self._host.pid if self._host and self._host.is_alive else None

    async def _request(self, kind: str, **fields: object) -> HostMessage:
        host = await self._running_host()
        call_id = next(self._ids)
        reply = self._pending_replies[call_id] = asyncio.Future()
        host.send({"type": kind, "id": call_id, **fields})
        try:
            return await reply
        finally:
            self._pending_replies.pop(call_id, None)
            if reply.cancelled():
                host.send({"type": "cancel", "id": call_id})
            self._schedule_idle_stop()

    async def _fetch_key(self, provider: str) -> str | None:
        """Read a key in a thread, because a keyring may ask the user first."""
        if not get_provider(provider).needs_key:
            return None
        return await asyncio.to_thread(self._keys.get, provider)

    def _read_keys(self, providers: set[str]) -> dict[str, str]:
        """Return the keys of the well-known providers and of `providers`."""
        sources = self._keys.sources(filter(None, providers))
        keyed = [provider for provider, source in sources.items() if source != "none"]
        return {name: key for name in keyed if (key := self._keys.get(name))}

    def _on_message(self, message: HostMessage) -> None:
        """Pass a message to its answer or request; ignore it if that has ended."""
        if message["type"] == "ready":
            return
        self._crash_count = 0
        call_id = message["id"]
        if (answer := self._streams.get(call_id)) is not None:
            deliver_message(answer, message)
        elif (reply := self._pending_replies.pop(call_id, None)) is not None:
            if reply.done():
                return
            if message["type"] == "error":
                reply.set_exception(error_from_fields(message))
            else:
                reply.set_result(message)

    def _fail_all(self, error: Callable[[int], WriteItError]) -> None:
        """Fail all calls in progress; `error` gets the number of characters kept."""
        for answer in self._streams.values():
            answer.finish(error(answer.length))
        for reply in self._pending_replies.values():
            if not reply.done():
                reply.set_exception(error(0))
        self._pending_replies.clear()

    async def _running_host(self) -> HostProcess:
        """Return a running host.

        Raises:
            ModelError: it cannot be started, or keeps crashing.
        """
        async with self._start_lock:
            self._cancel_idle_timer()
            if self._closed:
                raise _host_error("The server is closing.")
            if self._host is None or not self._host.is_alive:
                self._host = await self._start_host()
            if not self._host.is_alive:
                raise _host_error(f"{_PROCESS} crashed when it started.")
            return self._host

    async def _start_host(self) -> HostProcess:
        wait = self._restart_after - time.monotonic()
        if wait > 0:
            raise _host_error(
                f"{_PROCESS} crashed {self._crash_count} times in a row. It can"
                f" restart in {wait:.0f} s.",
                retryAfter=wait,
            )
        started, self._started = self._started, None
        try:
            return await HostProcess.start(
                self._on_message,
                self._on_exit,
                command=self._command,
                environment=self._environment,
                started=started,
            )
        except OSError as error:
            raise _host_error(f"{_PROCESS} did not start: {error}.") from error

    def _on_exit(self, host: HostProcess) -> None:
        """Fail the calls of a dead host, and delay restarts after repeated crashes."""
        how = host.describe_exit()
        logger.warning("the model host %s", how)
        self._crash_count += 1
        pause = 2.0 ** (self._crash_count - 2) if self._crash_count > 1 else 0.0
        self._restart_after = time.monotonic() + min(pause, _MAX_RESTART_DELAY)
        self._fail_all(
            lambda kept: _host_error(f"{_PROCESS} {how}. {_describe_kept(kept)}")
        )

    def _schedule_idle_stop(self) -> None:
        """Start the idle timer if no call is in progress."""
        self._cancel_idle_timer()
        if not self._streams and not self._pending_replies and not self._closed:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self._idle_seconds, self._stop_idle)

    def _cancel_idle_timer(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None

    def _stop_idle(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            task = asyncio.ensure_future(host.stop())
            self._stop_tasks.add(task)
            task.add_done_callback(self._stop_tasks.discard)


def _call_fields(call: ModelCall) -> dict[str, Any]:
    return {**asdict(call), "run_id": call.run_id and str(call.run_id)}


def estimate_from_fields(fields: HostMessage) -> CallEstimate:
    """Return the estimate of a host message."""
    refusal = fields["refusal"] and error_from_fields(fields["refusal"])
    return CallEstimate(**{**fields, "refusal": refusal})


def _describe_kept(kept: int) -> str:
    if not kept:
        return "No text had been received."
    return f"The {kept} characters received were kept."


def _host_error(message: str, **data: float) -> ModelError:
    """Build the error of a failed host, marked with `host` in its data."""
    return ModelError(
        message,
        reason="unavailable",
        hint="Generate again. WriteIt starts it again.",
        host=True,
        **data,
    )
