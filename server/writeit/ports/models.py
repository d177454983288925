"""The interface to language models: calls, their answers, and estimates."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol
from uuid import UUID

from writeit.domain.errors import ModelError, WriteItError

if TYPE_CHECKING:
    # Without pydantic the model host starts in half the time.
    from writeit.domain.entity import TokenUsage
    from writeit.domain.pipeline import Reasoning


MAX_ANSWER_CHARACTERS: Final = 4_000_000
"""Many times what any model writes; a longer stream is broken."""
FIRST_TEXT_SECONDS: Final = 60.0
"""How long the first text may take, from the last byte."""
FIRST_TEXT_SECONDS_THINKING: Final = 300.0
SILENCE_SECONDS: Final = 120.0
"""How long a provider may send no byte after the first text."""


def timeout_override() -> float | None:
    """Return the wait that the environment sets, in seconds; None if it does not."""
    try:
        return float(os.environ["WRITEIT_MODEL_TIMEOUT"])
    except (KeyError, ValueError):
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCall:
    """One prompt for one model, sent as a single user message."""

    model: str
    """`provider/model_name`."""
    prompt: str
    max_tokens: int | None = None
    """Tokens of the longest text, without thinking."""
    thinking_room: int = 0
    """Tokens sent on top of `max_tokens`, for thinking; at most the model's limit."""
    reasoning: Reasoning | None = None
    """How long the model may think; None is the provider's default."""
    shared_prefix: int = 0
    """Characters at the start of `prompt` that other prompts of the run share."""
    timeout: float | None = None
    """Seconds to wait for the first text; None is the default of the adapter."""
    temperature: float | None = None
    json_schema: Mapping[str, Any] | None = None
    """The form of the answer; sent where the provider takes one."""
    run_id: UUID | None = None
    """The run that the call is for: waiting calls are started run by run in turn."""


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of what the provider calls content, never empty."""

    text: str


@dataclass(frozen=True, slots=True)
class ThoughtDelta:
    """A sign that the model thinks: the next piece of a reasoning field.

    It is no content. It is empty where a provider only says that it is at work.
    """

    text: str


@dataclass(frozen=True, slots=True)
class ModelNotice:
    """Something the user should see while waiting."""

    code: Literal["retrying", "rateLimited", "queued", "moreRoom", "parameterDropped"]
    title: str
    message: str
    retry_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelDone:
    """The answer is complete; always the last item."""

    usage: TokenUsage
    finish_reason: FinishReason | None = None
    notes: tuple[str, ...] = ()
    """What the provider could not be asked for, one sentence each."""


FinishReason = Literal["stop", "length", "content_filter", "refused", "context"]
"""Why the provider ended an answer that has text."""
ModelStreamItem = TextDelta | ThoughtDelta | ModelNotice | ModelDone


@dataclass(slots=True)
class _Pieces:
    """Pieces of the same kind that were not read yet."""

    kind: type[TextDelta | ThoughtDelta]
    texts: list[str]


class AnswerStream:
    """Iterates over the items of an answer; text not read yet is joined."""

    def __init__(self) -> None:
        self._items: deque[_Pieces | ModelNotice | ModelDone | WriteItError] = deque()
        self._arrived = asyncio.Event()
        self.is_finished = False
        """Whether the last item was received, read or not."""
        self.length = 0
        """Characters received."""

    def add_text(self, text: str) -> None:
        """Add a piece of text."""
        if text:
            self.length += len(text)
            self._add(TextDelta, text)

    def add_thought(self, text: str) -> None:
        """Add a piece of a thought; an empty one says that the model is at work."""
        self._add(ThoughtDelta, text)

    def _add(self, kind: type[TextDelta | ThoughtDelta], text: str) -> None:
        last = self._items[-1] if self._items else None
        if isinstance(last, _Pieces) and last.kind is kind:
            last.texts.append(text)
        else:
            self.put(_Pieces(kind, [text]))

    def finish(self, last: ModelDone | WriteItError) -> None:
        """Add the last item; later ones are ignored."""
        if not self.is_finished:
            self.is_finished = True
            self.put(last)

    def put(self, item: _Pieces | ModelNotice | ModelDone | WriteItError) -> None:
        """Add an item."""
        self._items.append(item)
        self._arrived.set()

    def __aiter__(self) -> AnswerStream:
        """Iterate over the items."""
        return self

    async def __anext__(self) -> ModelStreamItem:
        """Return the next item; raise the error of a failed call."""
        while not self._items:
            if self.is_finished:
                raise StopAsyncIteration
            self._arrived.clear()
            await self._arrived.wait()
        item = self._items.popleft()
        if isinstance(item, _Pieces):
            return item.kind("".join(item.texts))
        if isinstance(item, Exception):
            raise item
        return item


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEstimate:
    """The tokens of a prompt, the model's limits and prices."""

    prompt_tokens: int
    context_window: int | None = None
    """Tokens; None if unknown."""
    input_cost_per_token: float | None = None
    """US dollars by the bundled price map; None if unknown."""
    output_cost_per_token: float | None = None
    output_limit: int | None = None
    """Tokens of the longest possible answer; None if unknown."""
    thinks: bool = False
    """Whether the model is known to think before it answers."""
    takes_reasoning: bool = True
    """Whether it can be told how long to think, as far as is known."""
    destination: str = ""
    """The host that the prompt would be sent to, or "this machine"."""
    refusal: ModelError | None = None
    """Why a call would fail before anything is sent: no key, not installed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """A model as `model.list` shows it."""

    id: str
    provider: str
    available: bool
    reason: str | None = None
    """Why it is not available, and what to do next."""
    context_window: int | None = None
    input_cost_per_token: float | None = None
    output_cost_per_token: float | None = None


class ModelSource(Protocol):
    """Models of one provider that are not called by the model host."""

    def stream(
        self, call: ModelCall
    ) -> AbstractAsyncContextManager[AsyncIterator[ModelStreamItem]]:
        """Make one call, as `Models.stream` does."""

    async def estimate(self, call: ModelCall) -> CallEstimate:
        """Count the tokens of a prompt, as `Models.estimate` does."""

    async def list_models(self, include: Sequence[str]) -> list[ModelInfo]:
        """List all models, and those of `include` that do not exist."""


class Models(Protocol):
    """The interface to language models."""

    def add_source(self, provider: str, source: ModelSource) -> None:
        """Have a source call the models of a provider from now on."""

    def stream(
        self, call: ModelCall
    ) -> AbstractAsyncContextManager[AsyncIterator[ModelStreamItem]]:
        """Make one call; leaving the context closes the provider's connection.

        The iterator yields TextDelta, ThoughtDelta and ModelNotice items and ends with
        ModelDone. The joined text deltas are the provider's exact content, `<think>`
        tags included. Nothing is retried, except once without a parameter that the
        provider refused, with a notice.

        Raises:
            ModelError: `retryAfter`, in seconds, is in its data if the provider sent
                it; `usage`, the fields of a TokenUsage, if the failed call used tokens;
                `finishReason` "length" with reason `empty` if all of the room went
                into thinking. Text yielded before is valid.
            NotFound: the provider is not known.
        """

    async def estimate(self, call: ModelCall) -> CallEstimate:
        """Count the tokens of a prompt, and look up the model's limits and prices.

        Nothing is sent. A missing key or embedded model is reported as `refusal`.

        Raises:
            NotFound: the provider is not known.
            ModelError: the model host cannot be reached.
        """

    async def resolve_model_id(self, model: str) -> str:
        """Return `provider/model_name` for a model id or a bare LiteLLM name.

        Raises:
            NotFound: no provider is known for it.
            ModelError: the model host cannot be reached.
        """

    async def list_models(
        self,
        *,
        include: Sequence[str] = (),
        provider: str | None = None,
        refresh: bool = False,
        all_models: bool = False,
    ) -> list[ModelInfo]:
        """List the common models of usable providers and `include`, or of `provider`.

        All of them with `all_models` and of one provider. With `refresh`, no cached
        list is used.
        """

    def with_account(
        self, provider: str, key: str | None, base_url: str | None
    ) -> Models:
        """Return other models, where a provider has this key and address.

        Raises:
            InvalidParams: the environment sets another key or address, which would
                take precedence, or the key is not valid.
        """

    async def use_account(self, base_urls: Mapping[str, str]) -> None:
        """Use these addresses from now on."""

    async def embedded_model(self, *, installed: bool = True) -> str | None:
        """Return the id of the embedded model if it can be used, else None.

        Or, if not `installed`, if it only has to be installed.
        """

    async def install_model(
        self, model: str, on_progress: Callable[[str, float | None], None]
    ) -> ModelInfo:
        """Download the weights of an embedded model.

        `on_progress` gets a message and a fraction from 0 to 1, or None.

        Raises:
            NotFound: there is no such embedded model.
            ModelError: the download or its check failed; nothing incomplete is left.
        """

    async def warm_up(self) -> None:
        """Prepare for the first call; this may take seconds.

        Raises:
            ModelError: the model process cannot be started.
        """

    async def close(self) -> None:
        """End the model process."""
