"""Makes one call in the dialect of its provider, and follows it to its end."""

from __future__ import annotations

import asyncio
import importlib
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import ModuleType
from typing import Any, Final

from writeit.domain.errors import ModelError
from writeit.llm import ollama_dialect, openai_dialect
from writeit.llm.answer import Answer
from writeit.llm.errors import build_model_error, stream_end_error, to_model_error
from writeit.llm.network import MONITOR, Monitor
from writeit.llm.parameters import (
    SCHEMA,
    CallParameters,
    Learned,
    describe_unmet,
    learn,
    learned_of,
    parameters_of,
)
from writeit.llm.price_map import ReportedUsage, price_call, usage_fields
from writeit.llm.process import HostMessage
from writeit.llm.provider_messages import ProviderFailure, Told, read_body
from writeit.llm.providers.provider import CallTarget
from writeit.llm.providers.registry import get_provider
from writeit.ports.models import (
    FIRST_TEXT_SECONDS,
    FIRST_TEXT_SECONDS_THINKING,
    MAX_ANSWER_CHARACTERS,
    SILENCE_SECONDS,
    timeout_override,
)
from writeit.text.lines import SurrogateJoiner
from writeit.text.thoughts import estimated_tokens

logger = logging.getLogger(__name__)

_MAX_CALLS: Final = 6
"""One more than parameters that can be refused one by one."""
_REFUSAL_STATUSES: Final = {0, 400, 404, 422, 500, 501}

_END_SECONDS: Final = 10.0
"""How long a connection may stay open and silent after the end of the answer."""
_REFUSALS: Final = {"invalid_request", "not_found", "unavailable"}
_loading = asyncio.Lock()


async def load_litellm() -> ModuleType:
    """Return `litellm_backend`; loading it takes seconds, in a thread."""
    async with _loading:
        return await asyncio.to_thread(_import_litellm)


@cache
def _import_litellm() -> ModuleType:
    module = importlib.import_module("writeit.llm.litellm_backend")
    try:
        module.rehearse()
    except Exception as error:  # it only saves time; the call will tell
        logger.debug("the rehearsal failed", exc_info=error)
    return module


class AnswerCall:
    """One call: sent again only without what the provider refused."""

    def __init__(
        self,
        target: CallTarget,
        request: Mapping[str, Any],
        entry: Mapping[str, Any],
        output_limit: int | None,
        send: Callable[[HostMessage], None],
    ) -> None:
        self._target = target
        self._request = request
        self._entry = entry
        self._output_limit = output_limit
        self._send = send
        self._known: Learned = learned_of(
            target.endpoint, target.model, entry, keep=True
        )
        self._halves = SurrogateJoiner()
        self._text: list[str] = []
        self._room = self._thought_room = MAX_ANSWER_CHARACTERS
        self._limit: asyncio.Timeout | None = None
        self._answer = Answer(self._take, self._take_thought, self._restart_wait)
        self._monitor = Monitor(self._restart_wait)
        self._sent = CallParameters()
        self._unmet: list[str] = []

    async def run(self) -> HostMessage:
        """Make the call and return its end.

        Raises:
            ModelError: it failed; text sent on before is valid.
        """
        if self._target.dialect == "litellm":
            await load_litellm()  # it is no silence of the provider
        try:
            await self._follow()
            if (failed := self._end_error()) is not None:
                raise failed
        except ModelError as error:
            if self._answer.usage is not None:
                error.data["usage"] = self._usage()
            raise
        finish, usage = self._answer.finish, self._usage()
        notes = [self._describe(SCHEMA)["message"]] if SCHEMA in self._unmet else []
        done = {"type": "done", "usage": usage, "finish_reason": finish}
        return done | ({"notes": notes} if notes else {})

    async def _follow(self) -> None:
        """Read the answer to its end; make the call again after what was learned."""
        for _ in range(_MAX_CALLS):
            monitor = self._monitor = Monitor(self._restart_wait)
            try:
                await self._call_once(monitor)
            except ModelError:
                raise
            except Exception as error:
                failed = to_model_error(error, self._target, monitor.failure)
                if not self._learns_from(error, monitor, failed):
                    raise failed from error
            else:
                self._take(self._halves.finish())
                self._answer.ending = self._ending
                self._answer.is_blocked = monitor.is_blocked
                return

    async def _call_once(self, monitor: Monitor) -> None:
        self._sent, self._unmet = parameters_of(
            self._request, self._known, self._output_limit
        )
        for name in self._unmet:
            self._tell(name)
        try:
            with _heard_by(monitor):
                async with asyncio.timeout(self._wait) as self._limit:
                    await self._answer_call()
        except TimeoutError:
            # After its end only the connection was open.
            if self._ending is None:
                raise

    async def _answer_call(self) -> None:
        target, prompt = self._target, self._request["prompt"]
        sent, answer = self._sent, self._answer
        if target.dialect == "openai":
            await openai_dialect.answer_call(target, prompt, sent, self._known, answer)
        elif target.dialect == "ollama":
            await ollama_dialect.answer_call(target, prompt, sent, answer)
        else:
            backend = await load_litellm()
            prefix = self._request.get("shared_prefix", 0)
            await backend.answer_call(target, prompt, prefix, sent, answer)

    @property
    def _ending(self) -> str | None:
        return self._monitor.ending or self._answer.ending

    @property
    def _wait(self) -> float:
        """How long the provider may send nothing now, in seconds."""
        chosen = timeout_override()
        if self._ending is not None:
            return min(_END_SECONDS, chosen or _END_SECONDS)
        if chosen is not None:
            return chosen
        if self._text:
            return SILENCE_SECONDS
        if (wanted := self._request.get("timeout")) is not None:
            return float(wanted)
        thinks = self._known.thinks or self._request.get("thinking_room", 0) > 0
        return FIRST_TEXT_SECONDS_THINKING if thinks else FIRST_TEXT_SECONDS

    def _restart_wait(self) -> None:
        if self._limit is not None and not self._limit.expired():
            now = asyncio.get_running_loop().time()
            self._limit.reschedule(now + self._wait)

    def _take(self, piece: str) -> None:
        piece = self._halves.feed(piece)
        kept = piece[: self._room]
        if kept:
            self._text.append(kept)
            self._room -= len(kept)
            call_id = self._request["id"]
            self._send({"type": "delta", "id": call_id, "text": kept})
        if len(piece) > len(kept):
            raise self._too_long()

    def _too_long(self) -> ModelError:
        reason = f"stopped after {MAX_ANSWER_CHARACTERS:,} characters"
        return build_model_error("malformed", **self._names, provider_message=reason)

    def _take_thought(self, piece: str) -> None:
        self._known.thinks = True
        self._thought_room -= len(piece)
        if self._thought_room < 0:
            raise self._too_long()
        call_id = self._request["id"]
        self._send({"type": "thought", "id": call_id, "text": piece})

    def _tell(self, name: str) -> None:
        """Tell the user once that a parameter is not sent."""
        if name not in self._known.told:
            self._known.told.add(name)
            self._send({**self._describe(name), "id": self._request["id"]})

    def _describe(self, name: str) -> dict[str, Any]:
        return describe_unmet(self._target.model, name, self._known)

    def _learns_from(
        self, error: Exception, monitor: Monitor, failed: ModelError
    ) -> bool:
        """Learn from a refusal, and say whether the call can be made again."""
        failure = error if isinstance(error, ProviderFailure) else monitor.failure
        told = read_body(failure.body) if failure else Told(str(error))
        status = failure.status if failure else 0
        is_refusal = failed.reason in _REFUSALS or (
            failure is None and type(error).__name__ == "UnsupportedParamsError"
        )
        if self._text or not is_refusal or status not in _REFUSAL_STATUSES:
            return False
        name = learn(self._known, told.message, told.param, self._sent)
        if name is not None and name != "endpoint":
            self._tell(name)
        return name is not None

    @property
    def _names(self) -> dict[str, Any]:
        return {"provider": self._target.provider, "model": self._target.model}

    def _end_error(self) -> ModelError | None:
        limit = self._sent.max_tokens
        return stream_end_error(self._answer, limit=limit, **self._names)

    def _usage(self) -> dict[str, Any]:
        reported = self._answer.usage
        usage = reported or ReportedUsage(
            prompt=estimated_tokens(self._request["prompt"]),
            completion=estimated_tokens("".join(self._text)),
        )
        cost = usage.cost
        if get_provider(self._target.provider).is_free:
            cost = 0.0
        elif cost is None:
            cost = price_call(self._entry, usage)
        return usage_fields(usage, cost, estimated=reported is None)


@contextmanager
def _heard_by(monitor: Monitor) -> Iterator[None]:
    token = MONITOR.set(monitor)
    try:
        yield
    finally:
        MONITOR.reset(token)
