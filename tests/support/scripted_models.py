"""The shipped fake: models whose answers are scripted.

    models = ScriptedModels()
    models.script("openai/gpt-4o", "First ", "answer.")
    models.script("openai/gpt-4o", "Half an ", ModelError("cut", reason="unavailable"))
    gate = models.gate("anthropic/claude", "Slowly ")  # goes on after gate.open()

Each call takes the next script of its model; without one the model answers with the
prompt, as an echo does.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import (
    AsyncGenerator,
    AsyncIterator,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from typing import Final

from writeit.domain.entity import TokenUsage
from writeit.domain.errors import ModelError, NotFound, WriteItError
from writeit.domain.model_id import split_model_id
from writeit.llm.answer import Answer
from writeit.llm.errors import stream_end_error
from writeit.llm.keys import validate_key
from writeit.llm.providers.provider import EMBEDDED, OLLAMA
from writeit.llm.providers.registry import WELL_KNOWN_PROVIDERS
from writeit.ports.models import (
    CallEstimate,
    FinishReason,
    ModelCall,
    ModelDone,
    ModelInfo,
    ModelNotice,
    ModelSource,
    ModelStreamItem,
    TextDelta,
    ThoughtDelta,
)
from writeit.ports.system import KeySource

EMBEDDED_MODEL: Final = "embedded/smollm2-135m"
WINDOW: Final = 8192
PRICE: Final = 1e-6
"""US dollars a token, in and out."""


class Gate:
    """A place in a script where the answer waits until the test opens it."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self.reached = asyncio.Event()
        """Set once an answer stands before it."""

    def open(self) -> None:
        """Let the answer go on."""
        self._open.set()

    async def pass_through(self) -> None:
        """Wait until it is open."""
        self.reached.set()
        await self._open.wait()


Part = str | float | Gate | ModelNotice | ThoughtDelta | WriteItError
"""Text, seconds to wait, a gate, a notice, a thought, or how it fails."""


class ScriptedModels:
    """A `Models` port without models."""

    def __init__(self, *, embedded: bool = False) -> None:
        self.calls: list[ModelCall] = []
        """Every call, in the order they were made."""
        self.left: list[ModelCall] = []
        """The calls whose context was left before their end."""
        self.infos: list[ModelInfo] = []
        """What `list` shows besides what is named."""
        self.refusals: dict[str, ModelError] = {}
        """By model: why a call would be refused before anything is sent."""
        self.windows: dict[str, int] = {}
        """By model; others have a window of 8192 tokens."""
        self.thinkers: set[str] = set()
        self.without_reasoning: set[str] = set()
        """Models that are known to think before they answer."""
        self.output_limits: dict[str, int] = {}
        """By model; others have no known limit."""
        self.prices: dict[str, float | None] = {}
        """By model; others cost a millionth of a dollar a token."""
        self.identities: dict[str, str] = {}
        """Bare names and what they are short for."""
        self.providers = {*WELL_KNOWN_PROVIDERS, EMBEDDED, OLLAMA}
        self.embedded = embedded
        self.closed = False
        self.warmed = False
        self._scripts: defaultdict[str, deque[_Script]] = defaultdict(deque)

    def add_source(self, provider: str, source: ModelSource) -> None:
        """No script needs models of an editor."""
        raise NotImplementedError

    def script(
        self, model: str, *parts: Part, finish_reason: FinishReason | None = "stop"
    ) -> None:
        """Say what the next unscripted call to `model` answers."""
        self._scripts[model].append(_Script(parts, finish_reason))

    def gate(self, model: str, *before: Part) -> Gate:
        """Script an answer that stops at a gate after `before`; return the gate."""
        gate = Gate()
        self.script(model, *before, gate, "after the gate.")
        return gate

    @asynccontextmanager
    async def stream(
        self, call: ModelCall
    ) -> AsyncIterator[AsyncIterator[ModelStreamItem]]:
        """Play the next script of the model."""
        self.calls.append(call)
        scripts = self._scripts[call.model]
        script = scripts.popleft() if scripts else _Script([_echo(call)], "stop")
        playing = self._play(call, script)
        try:
            yield playing
        finally:
            if not script.over:
                self.left.append(call)
            await playing.aclose()

    async def _play(
        self, call: ModelCall, script: _Script
    ) -> AsyncGenerator[ModelStreamItem, None]:
        text, thoughts = "", ""
        try:
            self._refuse(call.model)
            for part in script.parts:
                match part:
                    case str():
                        text += part
                        yield TextDelta(part)
                    case ModelNotice():
                        yield part
                    case ThoughtDelta():
                        thoughts += part.text
                        yield part
                    case _:
                        await _act(part)
            _judge(call, text, script.finish_reason, thoughts)
        except WriteItError:
            script.over = True
            raise
        script.over = True
        usage = _usage(call.prompt, text, thoughts)
        yield ModelDone(usage=usage, finish_reason=script.finish_reason)

    def _refuse(self, model: str) -> None:
        self._check(model)
        if (refusal := self.refusals.get(model)) is not None:
            raise refusal

    def _check(self, model: str) -> None:
        provider, name = split_model_id(model)
        if not name or provider not in self.providers:
            raise NotFound.with_suggestions("provider", provider, self.providers)

    async def estimate(self, call: ModelCall) -> CallEstimate:
        """Count words as tokens."""
        self._check(call.model)
        return CallEstimate(
            prompt_tokens=_tokens(call.prompt),
            context_window=self.windows.get(call.model, WINDOW),
            input_cost_per_token=self.prices.get(call.model, PRICE),
            output_cost_per_token=self.prices.get(call.model, PRICE),
            output_limit=self.output_limits.get(call.model),
            thinks=call.model in self.thinkers,
            takes_reasoning=call.model not in self.without_reasoning,
            destination="this machine",
            refusal=self.refusals.get(call.model),
        )

    async def resolve_model_id(self, model: str) -> str:
        """Look the name up in `identities`."""
        model = self.identities.get(model, model)
        self._check(model)
        return model

    async def list_models(
        self,
        *,
        include: Sequence[str] = (),
        provider: str | None = None,
        refresh: bool = False,
        all_models: bool = False,
    ) -> list[ModelInfo]:
        """List `infos` and what is named."""
        del refresh, all_models  # nothing is remembered, nothing left out
        if provider is not None and provider not in self.providers:
            raise NotFound.with_suggestions("provider", provider, self.providers)
        infos = {info.id: info for info in self.infos}
        for name in include:
            infos.setdefault(name, self._info(name))
        return [i for i in infos.values() if provider in {None, i.provider}]

    def _info(self, model: str) -> ModelInfo:
        provider = split_model_id(model)[0]
        refusal = self.refusals.get(model)
        known = provider in self.providers
        reason = refusal.message if refusal else f"No provider is called {provider!r}."
        return ModelInfo(
            id=model,
            provider=provider,
            available=known and refusal is None,
            reason=None if known and refusal is None else reason,
            context_window=WINDOW,
        )

    def with_account(
        self, provider: str, key: str | None, base_url: str | None
    ) -> ScriptedModels:
        """Accept every key and address."""
        del provider, key, base_url
        return self

    async def use_account(self, base_urls: Mapping[str, str]) -> None:
        """Keep nothing."""

    async def embedded_model(self, *, installed: bool = True) -> str | None:
        """Return its id where it was, or was not, said to be installed."""
        return EMBEDDED_MODEL if self.embedded is installed else None

    async def install_model(
        self, model: str, on_progress: Callable[[str, float | None], None]
    ) -> ModelInfo:
        """Pretend to fetch the weights."""
        if model != EMBEDDED_MODEL:
            raise NotFound.with_suggestions("embedded model", model, [EMBEDDED_MODEL])
        on_progress("Fetching the weights", 0.5)
        on_progress("The weights are installed.", 1.0)
        self.embedded = True
        return self._info(model)

    async def warm_up(self) -> None:
        """Note that somebody wants to be quick."""
        self.warmed = True

    async def close(self) -> None:
        """Note that this port was closed."""
        self.closed = True


class _Script:
    """One answer."""

    def __init__(
        self, parts: Sequence[Part], finish_reason: FinishReason | None
    ) -> None:
        self.parts = parts
        self.finish_reason = finish_reason
        self.over = False


async def _act(part: float | Gate | WriteItError) -> None:
    """Wait, or fail."""
    match part:
        case Gate():
            await part.pass_through()
        case WriteItError():
            raise part
        case _:
            await asyncio.sleep(part)


def _judge(
    call: ModelCall, text: str, finish_reason: str | None, thoughts: str
) -> None:
    """Refuse an answer without text, as the real ones do."""
    provider = split_model_id(call.model)[0]
    answer = Answer(on_text=lambda _: None, on_thought=lambda _: None)
    answer.add_text(text)
    answer.end(finish_reason or "other")
    bad = stream_end_error(
        answer, limit=call.max_tokens, provider=provider, model=call.model
    )
    if bad is not None:
        if thoughts:
            usage = _usage(call.prompt, text, thoughts)
            bad.data |= {
                "usage": usage.model_dump(mode="json"),
                "finishReason": finish_reason,
            }
        raise bad


def _echo(call: ModelCall) -> str:
    return f"Echo: {call.prompt}"


def _tokens(text: str) -> int:
    return len(text.split())


def _usage(prompt: str, text: str, thoughts: str = "") -> TokenUsage:
    thinking = _tokens(thoughts)
    counts = _tokens(prompt), _tokens(text) + thinking
    return TokenUsage(
        prompt_tokens=counts[0],
        completion_tokens=counts[1],
        total_tokens=sum(counts),
        cost_usd=sum(counts) * PRICE,
        reasoning_tokens=thinking or None,
    )


class ScriptedKeys:
    """A `Keys` port over a dictionary of providers and their keys."""

    def __init__(self, keys: dict[str, str] | None = None) -> None:
        self.keys = dict(keys or {})
        self.stored: set[str] = set()

    def get(self, provider: str) -> str | None:
        """Return the key of `provider`, or None."""
        return self.keys.get(provider)

    def source(self, provider: str) -> KeySource:
        """Say where the key comes from: the keyring if it was set."""
        if provider in self.stored:
            return "keyring"
        return "environment" if provider in self.keys else "none"

    def sources(self, include: Iterable[str] = ()) -> dict[str, KeySource]:
        """Say where the keys of the usual providers and of `named` come from."""
        return {
            provider: self.source(provider)
            for provider in (*WELL_KNOWN_PROVIDERS, *include)
        }

    def set(self, provider: str, key: str) -> None:
        """Keep the key."""
        self.keys[provider] = validate_key(provider, key)
        self.stored.add(provider)
