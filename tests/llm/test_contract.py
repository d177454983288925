"""What every `Models` port does: the real host over loopback, and the fake."""

# ruff: noqa: D102, D103 -- the name of a test is its promise; Scene says the rest

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Protocol

import pytest
import pytest_asyncio

from support.provider import Provider
from support.scripted_models import ScriptedModels
from support.waiting import TIMEOUT
from writeit.domain.errors import FailureReason, ModelError, NotFound
from writeit.llm.client import ModelHostClient
from writeit.llm.errors import build_model_error
from writeit.llm.providers.provider import missing_key_error
from writeit.ports.models import (
    ModelCall,
    ModelDone,
    Models,
    ModelStreamItem,
    TextDelta,
)

FIVE = "word0 word1 word2 word3 word4 "


class Scene(Protocol):
    """A port, and ways to set how its models behave."""

    @property
    def models(self) -> Models:
        """The port."""
        ...

    def five_words(self) -> str:
        """Return a model that answers FIVE."""
        ...

    def failing(self, reason: FailureReason) -> str:
        """Return a model that fails; `unavailable` after three words."""
        ...

    def endless(self) -> str:
        """Return a model that answers word by word, for ever."""
        ...

    def keyless(self) -> str:
        """Return a model whose provider has no key."""
        ...

    async def left(self, model: str) -> float:
        """Wait until the call was given up at the other end; return when."""
        ...


@dataclass
class HostScene:
    """The model host."""

    models: ModelHostClient
    provider: Provider
    calls: int = 0

    def five_words(self) -> str:
        return "openai/fast-5"

    def failing(self, reason: FailureReason) -> str:
        names = {
            "auth": "err-401",
            "rate_limit": "err-429-7",
            "context": "err-413",
            "unavailable": "cut-3",
            "refused": "filter",
            "empty": "empty",
        }
        return f"openai/{names[reason]}"

    def endless(self) -> str:
        self.calls += 1
        return f"openai/slow-{10_000 + self.calls}"

    def keyless(self) -> str:
        return "anthropic/claude-sonnet-4-5"

    async def left(self, model: str) -> float:
        call = await self.provider.call(model.partition("/")[2])
        await asyncio.wait_for(call.disconnected.wait(), TIMEOUT)
        assert call.disconnected_at is not None
        return call.disconnected_at


@dataclass
class ScriptedScene:
    """The fake."""

    models: ScriptedModels = field(default_factory=ScriptedModels)

    def five_words(self) -> str:
        self.models.script("openai/five", FIVE[:9], FIVE[9:])
        return "openai/five"

    def failing(self, reason: FailureReason) -> str:
        model = "openai/failing"
        if reason == "empty":
            self.models.script(model)
        elif reason == "refused":
            self.models.script(model, finish_reason="content_filter")
        else:
            before = ["word0 ", "word1 ", "word2 "] if reason == "unavailable" else []
            error = build_model_error(
                reason, provider="openai", model=model, retryAfter=7.0
            )
            self.models.script(model, *before, error)
        return model

    def endless(self) -> str:
        self.models.gate("openai/endless", "word0 ")
        return "openai/endless"

    def keyless(self) -> str:
        self.models.refusals["anthropic/x"] = missing_key_error("anthropic")
        return "anthropic/x"

    async def left(self, model: str) -> float:
        assert model in {call.model for call in self.models.left}
        return time.monotonic()


@pytest_asyncio.fixture(loop_scope="module", params=["host", "scripted"])
async def scene(
    request: pytest.FixtureRequest, client: ModelHostClient, provider: Provider
) -> AsyncIterator[Scene]:
    """Each test runs with both."""
    yield (
        ScriptedScene() if request.param == "scripted" else HostScene(client, provider)
    )


def call_to(model: str, prompt: str = "Say something.") -> ModelCall:
    return ModelCall(model=model, prompt=prompt)


async def items_of(models: Models, model: str) -> list[ModelStreamItem]:
    async with models.stream(call_to(model)) as items:
        return [item async for item in items]


async def failure_of(models: Models, model: str) -> tuple[str, ModelError]:
    text = ""
    with pytest.raises(ModelError) as caught:  # noqa: PT012 -- the text before the error counts too
        async with models.stream(call_to(model)) as items:
            async for item in items:
                text += item.text if isinstance(item, TextDelta) else ""
    return text, caught.value


async def test_an_answer_is_deltas_and_then_done(scene: Scene) -> None:
    *deltas, done = await items_of(scene.models, scene.five_words())
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas)
    assert isinstance(done, ModelDone)


async def test_the_deltas_joined_are_the_answer(scene: Scene) -> None:
    items = await items_of(scene.models, scene.five_words())
    assert "".join(i.text for i in items if isinstance(i, TextDelta)) == FIVE


async def test_done_has_usage_and_finish_reason(scene: Scene) -> None:
    done = (await items_of(scene.models, scene.five_words()))[-1]
    assert isinstance(done, ModelDone)
    assert done.finish_reason == "stop"
    assert done.usage.completion_tokens > 0
    assert not done.usage.estimated


@pytest.mark.parametrize(
    "reason", ["auth", "rate_limit", "context", "unavailable", "refused", "empty"]
)
async def test_failures_have_a_reason(scene: Scene, reason: FailureReason) -> None:
    _, error = await failure_of(scene.models, scene.failing(reason))
    assert error.reason == reason
    assert error.message
    assert error.hint


async def test_retry_after_is_in_the_error(scene: Scene) -> None:
    _, error = await failure_of(scene.models, scene.failing("rate_limit"))
    assert error.data["retryAfter"] == 7.0


async def test_text_before_a_failure_is_yielded(scene: Scene) -> None:
    text, _ = await failure_of(scene.models, scene.failing("unavailable"))
    assert text == "word0 word1 word2 "


async def test_an_unknown_provider_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await items_of(scene.models, "nosuchprovider/x")


async def test_a_missing_key_is_auth_with_a_hint(scene: Scene) -> None:
    _, error = await failure_of(scene.models, scene.keyless())
    assert error.reason == "auth"
    assert "ANTHROPIC_API_KEY" in error.hint
    assert "writeit keys set anthropic" in error.hint


async def test_leaving_the_context_ends_the_call(scene: Scene) -> None:
    model = scene.endless()
    async with scene.models.stream(call_to(model)) as items:
        assert isinstance(await anext(items), TextDelta)
    await scene.left(model)


async def test_cancelling_the_task_ends_the_call(scene: Scene) -> None:
    model = scene.endless()
    begun = asyncio.Event()

    async def read() -> None:
        async with scene.models.stream(call_to(model)) as items:
            async for _ in items:
                begun.set()

    task = asyncio.create_task(read())
    await asyncio.wait_for(begun.wait(), TIMEOUT)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await scene.left(model)


async def test_two_answers_do_not_mix(scene: Scene) -> None:
    both = [scene.five_words(), scene.five_words()]
    first, second = await asyncio.gather(
        *(items_of(scene.models, model) for model in both)
    )
    for items in (first, second):
        assert "".join(i.text for i in items if isinstance(i, TextDelta)) == FIVE


async def test_a_failed_call_does_not_affect_the_next_one(scene: Scene) -> None:
    await failure_of(scene.models, scene.failing("unavailable"))
    items = await items_of(scene.models, scene.five_words())
    assert isinstance(items[-1], ModelDone)


async def test_an_estimate_has_tokens_and_destination(scene: Scene) -> None:
    fit = await scene.models.estimate(call_to("openai/gpt-4o", "one two three " * 10))
    assert fit.prompt_tokens >= 30
    assert fit.context_window is not None
    assert fit.destination == "this machine"
    assert fit.refusal is None


async def test_an_estimate_has_a_refusal_without_a_key(scene: Scene) -> None:
    fit = await scene.models.estimate(call_to(scene.keyless()))
    assert fit.refusal is not None
    assert fit.refusal.reason == "auth"


async def test_an_estimate_for_an_unknown_provider_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.models.estimate(call_to("nosuchprovider/x"))


async def test_resolving_a_full_id_returns_it(scene: Scene) -> None:
    assert await scene.models.resolve_model_id("openai/gpt-4o") == "openai/gpt-4o"


@pytest.mark.rule("response-2")
async def test_resolving_an_unknown_provider_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.models.resolve_model_id("nosuchprovider/x")


async def test_named_models_are_listed_with_the_reason(scene: Scene) -> None:
    named = ["openai/gpt-4o", "nosuchprovider/x", scene.keyless()]
    infos = {info.id: info for info in await scene.models.list_models(include=named)}
    assert infos["openai/gpt-4o"].available
    for model in named[1:]:
        assert not infos[model].available
        assert infos[model].reason


async def test_listing_an_unknown_provider_is_not_found(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.models.list_models(provider="nosuchprovider")


async def test_only_the_embedded_model_can_be_installed(scene: Scene) -> None:
    with pytest.raises(NotFound):
        await scene.models.install_model("embedded/other", lambda *_: None)
