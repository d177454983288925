"""Implements the `Models` port by driving the model host. Never imports LiteLLM."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Final

from writeit.core.errors import ModelError, WriteItError
from writeit.core.run import split_model_id
from writeit.models import embedded
from writeit.models.answer import Answer, feed
from writeit.models.process import COMMAND, HostProcess
from writeit.models.providers import needs_key
from writeit.models.wire import Message, error_of
from writeit.ports import Fit, ModelInfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from writeit.ports import Keys, ModelCall, ModelItem

logger = logging.getLogger(__name__)

IDLE_SECONDS: Final = 600.0
_LONGEST_PAUSE: Final = 30.0
"""Seconds between two lives of a host that keeps dying, at most."""


class ModelHostClient:
    """Starts the host on first need, again when it died, and ends it when idle."""

    def __init__(
        self,
        *,
        keys: Keys,
        command: Sequence[str] = COMMAND,
        environment: Mapping[str, str] | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._keys = keys
        self._command = command
        self._environment = environment
        self._idle_seconds = idle_seconds
        self._ids = itertools.count(1)
        self._answers: dict[int, Answer] = {}
        self._questions: dict[int, asyncio.Future[Message]] = {}
        self._host: HostProcess | None = None
        self._starting = asyncio.Lock()
        self._idle: asyncio.TimerHandle | None = None
        self._stops: set[asyncio.Task[None]] = set()
        self._closed = False
        self._deaths = 0
        """How often in a row the host died without having said anything useful."""
        self._rest_until = 0.0

    # --- The port ---------------------------------------------------------------

    @asynccontextmanager
    async def stream(self, call: ModelCall) -> AsyncIterator[AsyncIterator[ModelItem]]:
        """Make one call; leaving the context closes the provider's connection."""
        key = await self._key(split_model_id(call.model)[0])
        host = await self._ready()
        call_id, answer = next(self._ids), Answer()
        self._answers[call_id] = answer
        host.send({"type": "start", "id": call_id, "key": key, **_fields(call)})
        try:
            yield answer
        finally:
            del self._answers[call_id]
            if not answer.ended:
                host.send({"type": "cancel", "id": call_id})
            self._rest()

    async def measure(self, call: ModelCall) -> Fit:
        """Count the tokens of a prompt; look up the model's window, price and place."""
        keyed = await self._key(split_model_id(call.model)[0]) is not None
        reply = await self._ask("measure", **_fields(call), keyed=keyed)
        return fit_of(reply["fit"])

    async def identify(self, model: str) -> str:
        """Return `provider/model_name` for a model id or a bare LiteLLM name."""
        reply = await self._ask("identify", model=model)
        return str(reply["model"])

    async def list(
        self,
        *,
        named: Sequence[str] = (),
        provider: str | None = None,
        refresh: bool = False,
    ) -> list[ModelInfo]:
        """List embedded, Ollama's, `named` and keyed providers' models; or one's."""
        candidates = {split_model_id(name)[0] for name in named}
        candidates |= {provider} if provider else set()
        keyed = await asyncio.to_thread(self._keyed, candidates)
        reply = await self._ask(
            "list",
            named=[*named],
            provider=provider,
            keyed=sorted(keyed),
            refresh=refresh,
        )
        return [ModelInfo(**fields) for fields in reply["models"]]

    async def embedded_installed(self) -> str | None:
        """Return the id of the embedded model if it can be used here, else None."""
        return embedded.MODEL if embedded.unusable() is None else None

    async def embedded_missing(self) -> str | None:
        """Return the id of the embedded model if `install` is all that it lacks."""
        return embedded.MODEL if embedded.lacks_only_weights() else None

    async def install(
        self, model: str, progress: Callable[[str, float | None], None]
    ) -> ModelInfo:
        """Fetch the weights of an embedded model; `progress` gets message, fraction."""
        embedded.check_name(model)
        await embedded.install(progress)
        return embedded.info()

    async def close(self) -> None:
        """End the host; calls that are on their way fail."""
        self._closed = True
        self._cancel_idle()
        self._fail_all(lambda _: _gone("The server is closing."))
        host, self._host = self._host, None
        if host is not None:
            await host.stop()
        await asyncio.gather(*self._stops)

    async def warm(self) -> None:
        """Start the host before it is needed; it takes seconds to wake up."""
        await self._ready()
        self._rest()

    @property
    def host_pid(self) -> int | None:
        """The process id of the host, None while there is none."""
        return self._host.pid if self._host is not None and self._host.alive else None

    # --- Asking -----------------------------------------------------------------

    async def _ask(self, kind: str, **fields: object) -> Message:
        host = await self._ready()
        call_id = next(self._ids)
        question = self._questions[call_id] = asyncio.Future()
        host.send({"type": kind, "id": call_id, **fields})
        try:
            return await question
        finally:
            self._questions.pop(call_id, None)
            if question.cancelled():
                host.send({"type": "cancel", "id": call_id})
            self._rest()

    async def _key(self, provider: str) -> str | None:
        """Fetch a key, in a thread: a keyring may ask its owner first."""
        if not needs_key(provider):
            return None
        return await asyncio.to_thread(self._keys.get, provider)

    def _keyed(self, providers: set[str]) -> set[str]:
        sources = self._keys.sources(filter(None, providers))
        return {provider for provider, source in sources.items() if source != "none"}

    # --- Hearing ----------------------------------------------------------------

    def _hear(self, message: Message) -> None:
        """Hand on what the host says; about a call that was left, nothing."""
        if message["type"] == "ready":
            return
        self._deaths = 0
        call_id = message["id"]
        if (answer := self._answers.get(call_id)) is not None:
            feed(answer, message)
        elif (question := self._questions.pop(call_id, None)) is not None:
            if question.done():
                return
            if message["type"] == "error":
                question.set_exception(error_of(message))
            else:
                question.set_result(message)

    def _fail_all(self, error: Callable[[int], WriteItError]) -> None:
        """End everything that is on its way; `error` gets the characters kept."""
        for answer in self._answers.values():
            answer.end(error(answer.length))
        for question in self._questions.values():
            if not question.done():
                question.set_exception(error(0))
        self._questions.clear()

    # --- The host's life --------------------------------------------------------

    async def _ready(self) -> HostProcess:
        """Return a host that can be asked.

        Raises:
            ModelError: it cannot be started, or keeps dying.
        """
        async with self._starting:
            self._cancel_idle()
            if self._closed:
                raise _gone("The server is closing.")
            if self._host is None or not self._host.alive:
                self._host = await self._start()
            if not self._host.alive:
                raise _gone("The model host ended as soon as it was started.")
            return self._host

    async def _start(self) -> HostProcess:
        wait = self._rest_until - time.monotonic()
        if wait > 0:
            raise _gone(
                f"The model host died {self._deaths} times in a row;"
                f" it is started again in {wait:.0f} s.",
                retryAfter=wait,
            )
        try:
            return await HostProcess.start(
                self._hear,
                self._mourn,
                command=self._command,
                environment=self._environment,
            )
        except OSError as error:
            raise _gone(f"The model host did not start: {error}.") from error

    def _mourn(self, host: HostProcess) -> None:
        """Fail what the dead host had to do, and slow down if this goes on."""
        how = host.ending()
        logger.warning("the model host %s", how)
        self._deaths += 1
        pause = 2.0 ** (self._deaths - 2) if self._deaths > 1 else 0.0
        self._rest_until = time.monotonic() + min(pause, _LONGEST_PAUSE)
        self._fail_all(lambda kept: _gone(f"The model host {how}. {_what(kept)}"))

    def _rest(self) -> None:
        """Begin to count idle time once nothing is on its way."""
        self._cancel_idle()
        if not self._answers and not self._questions and not self._closed:
            loop = asyncio.get_running_loop()
            self._idle = loop.call_later(self._idle_seconds, self._stop_idle)

    def _cancel_idle(self) -> None:
        if self._idle is not None:
            self._idle.cancel()
            self._idle = None

    def _stop_idle(self) -> None:
        host, self._host = self._host, None
        if host is not None:
            task = asyncio.ensure_future(host.stop())
            self._stops.add(task)
            task.add_done_callback(self._stops.discard)


def _fields(call: ModelCall) -> dict[str, Any]:
    return {
        "model": call.model,
        "prompt": call.prompt,
        "max_tokens": call.max_tokens,
        "temperature": call.temperature,
        "run_id": call.run_id and str(call.run_id),
    }


def fit_of(fields: Message) -> Fit:
    """Read a Fit back."""
    refusal = fields["refusal"] and error_of(fields["refusal"])
    return Fit(**{**fields, "refusal": refusal})


def _what(kept: int) -> str:
    if not kept:
        return "Nothing of the answer had arrived."
    return f"The {kept} characters of the answer that had arrived are kept."


def _gone(message: str, **data: float) -> ModelError:
    """Build the error of a failed host: `host` tells it from a provider's failure."""
    return ModelError(
        message,
        reason="unavailable",
        hint="Ask again: it starts anew.",
        host=True,
        **data,
    )
