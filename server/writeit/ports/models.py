"""The way to language models: one call, what comes of it, what it would cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from writeit.domain.entity import TokenUsage
from writeit.domain.errors import ModelError


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


ModelStreamItem = TextDelta | ModelNotice | ModelDone


@dataclass(frozen=True, slots=True, kw_only=True)
class CallEstimate:
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
    ) -> AbstractAsyncContextManager[AsyncIterator[ModelStreamItem]]:
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

    async def estimate(self, call: ModelCall) -> CallEstimate:
        """Count the tokens of a prompt; look up the model's window, price and place.

        Nothing is sent. What would refuse the call (no key, an embedded model that
        is not installed) is the Fit's `refusal`.

        Raises:
            NotFound: the provider is not known.
            ModelError: the model host cannot be reached.
        """
        ...

    async def resolve_model_id(self, model: str) -> str:
        """Return `provider/model_name` for a model id or a bare LiteLLM name.

        Raises:
            NotFound: no provider is known for it.
            ModelError: the model host cannot be reached.
        """
        ...

    async def list_models(
        self,
        *,
        include: Sequence[str] = (),
        provider: str | None = None,
        refresh: bool = False,
    ) -> list[ModelInfo]:
        """List embedded, Ollama's, `named` and keyed providers' models; or one's.

        With `refresh` nothing is taken from memory.
        """
        ...

    async def installed_embedded_model(self) -> str | None:
        """Return the id of the embedded model if it can be used here, else None."""
        ...

    async def installable_embedded_model(self) -> str | None:
        """Return the id of the embedded model if `install` is all that it lacks."""
        ...

    async def install_model(
        self, model: str, on_progress: Callable[[str, float | None], None]
    ) -> ModelInfo:
        """Fetch the weights of an embedded model; `progress` gets message, fraction.

        Raises:
            NotFound: there is no such embedded model.
            ModelError: fetching or checking failed; nothing half done is left.
        """
        ...

    async def warm_up(self) -> None:
        """Get ready before the first call; it may take seconds.

        Raises:
            ModelError: the model host cannot be started; a call would say so again.
        """
        ...

    async def close(self) -> None:
        """End the processes behind this port."""
        ...
