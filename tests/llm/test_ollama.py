"""Ollama: its models, and a context window that fits the prompt."""

# ruff: noqa: D103 -- the names of the tests describe them

import pytest

from support.provider import Provider
from writeit.llm.client import ModelHostClient
from writeit.llm.providers.ollama import OllamaClient, context_size_for
from writeit.ports.models import ModelCall


@pytest.mark.parametrize(
    ("letters", "max_tokens", "window", "expected"),
    [
        (10, 100, None, 4096),
        (10, None, None, 4096),
        (30_000, 1000, None, 16_384),
        (30_000, 1000, 131_072, 16_384),
        (30_000, 1000, 12_000, 12_000),
        (10, 100, 2048, 2048),
    ],
)
async def test_the_window_is_sized_by_prompt_and_answer(
    letters: int, max_tokens: int | None, window: int | None, expected: int
) -> None:
    assert context_size_for("x" * letters, max_tokens, window) == expected


async def test_the_context_window_is_the_models(
    client: ModelHostClient, provider: Provider
) -> None:
    provider.ollama_windows["reader"] = 5000
    fit = await client.estimate(ModelCall(model="ollama/reader", prompt="x"))
    assert fit.context_window == 5000
    assert fit.destination == "this machine"
    unknown = await client.estimate(ModelCall(model="ollama/stranger", prompt="x"))
    assert unknown.context_window is None


async def test_the_window_is_at_most_the_models(
    client: ModelHostClient, provider: Provider
) -> None:
    provider.ollama_windows["small"] = 5000
    call = ModelCall(model="ollama/small", prompt="word " * 3000, max_tokens=100)
    async with client.stream(call) as items:
        async for _ in items:
            pass
    (sent,) = [
        c for c in provider.calls if c.path == "/api/chat" and c.model == "small"
    ]
    assert sent.body["options"]["num_ctx"] == 5000


async def test_refresh_clears_the_cached_windows(
    client: ModelHostClient, provider: Provider
) -> None:
    call = ModelCall(model="ollama/growing", prompt="x")
    for window, refresh, expected in ((4000, False, 4000), (9000, False, 4000)):
        provider.ollama_windows["growing"] = window
        await client.list_models(provider="ollama", refresh=refresh)
        assert (await client.estimate(call)).context_window == expected
    await client.list_models(provider="ollama", refresh=True)
    assert (await client.estimate(call)).context_window == 9000


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "ftp://127.0.0.1", "nonsense"])
async def test_a_missing_ollama_is_no_error(url: str) -> None:
    assert await OllamaClient().context_window(url, "x") is None


async def test_another_server_is_no_error(provider: Provider) -> None:
    assert await OllamaClient().context_window(provider.root, "nobody-knows") is None
