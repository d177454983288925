"""The lists of models that servers answer with, as each kind of server does."""

# ruff: noqa: D103 -- the name of a test is its promise

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from support.replies import Call, Reply, read_request
from writeit.llm.catalog import ModelCatalog, TokenPrice
from writeit.llm.model_lists import ModelLists

Answers = dict[str, Any]
PLAIN = {"id": "qwen3-8b", "object": "model"}


@asynccontextmanager
async def server(
    monkeypatch: pytest.MonkeyPatch, provider: str, answers: Answers, path: str = "/v1"
) -> AsyncIterator[list[Call]]:
    """Run a server that answers by path; it is the provider's. Yield its requests."""
    seen: list[Call] = []

    async def connected(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        call = await read_request(reader)
        seen.append(call)
        answer = answers.get(call.path)
        if callable(answer):
            answer = answer(call)
        status = answer if isinstance(answer, int) else 404 if answer is None else 200
        await Reply(call, writer).whole(status, answer)
        writer.close()

    listening = await asyncio.start_server(connected, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    name = "WRITEIT_OLLAMA_URL" if provider == "ollama" else f"{provider}_BASE_URL"
    monkeypatch.setenv(name.upper(), f"http://127.0.0.1:{port}{path}")
    try:
        yield seen
    finally:
        listening.close()


def models(*entries: object) -> object:
    return {"object": "list", "data": entries}


SERVERS: dict[str, tuple[str, Answers, int | None, TokenPrice | None]] = {
    "vLLM": (
        "hosted_vllm",
        {"/v1/models": models({**PLAIN, "owned_by": "vllm", "max_model_len": 40_960})},
        40_960,
        None,
    ),
    "llama.cpp": (
        "openai",
        {"/v1/models": models({**PLAIN, "meta": {"n_ctx_train": 32_768}})},
        32_768,
        None,
    ),
    "LM Studio": (
        "lm_studio",
        {
            "/v1/models": models({**PLAIN, "owned_by": "organization_owner"}),
            "/api/v0/models": models(
                {
                    **PLAIN,
                    "type": "llm",
                    "max_context_length": 40_000,
                    "loaded_context_length": 8_000,
                }
            ),
        },
        8_000,
        None,
    ),
    "OpenRouter": (
        "openrouter",
        {
            "/v1/models": models(
                {
                    **PLAIN,
                    "context_length": 200_000,
                    "pricing": {"prompt": "0.000003", "completion": "0.000015"},
                    "architecture": {"output_modalities": ["text"]},
                }
            )
        },
        200_000,
        TokenPrice(3e-6, 15e-6),
    ),
    "a LiteLLM proxy": (
        "openai",
        {
            "/v1/models": models({**PLAIN, "owned_by": "openai"}),
            "/v1/model/info": {
                "data": [
                    {
                        "model_name": "qwen3-8b",
                        "model_info": {
                            "max_input_tokens": 9_000,
                            "input_cost_per_token": 1e-7,
                            "output_cost_per_token": 2e-7,
                            "mode": "chat",
                        },
                    }
                ]
            },
        },
        9_000,
        TokenPrice(1e-7, 2e-7),
    ),
    "another one": ("openai", {"/v1/models": [PLAIN]}, None, None),
}


@pytest.mark.parametrize("name", SERVERS)
async def test_a_servers_list_tells_names_windows_and_prices(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    provider, answers, window, price = SERVERS[name]
    catalog = ModelCatalog({}, lambda: [provider])
    async with server(monkeypatch, provider, answers) as seen:
        known = await catalog.lists.learn(provider, "sk-1")
    assert known is not None
    assert known.entries is not None
    assert [*known.entries] == ["qwen3-8b"]
    assert catalog.context_window(f"{provider}/qwen3-8b") == window
    assert catalog.price(f"{provider}/qwen3-8b") == price
    assert {call.headers["authorization"] for call in seen} == {"Bearer sk-1"}


async def test_models_that_write_no_text_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pictures = {"id": "painter", "architecture": {"output_modalities": ["image"]}}
    answers = {
        "/v1/models": models(
            PLAIN,
            {"id": "text-embedding-nomic-embed-text-v1.5"},
            {"id": "bge-m3", "type": "embeddings"},
            pictures,
        )
    }
    async with server(monkeypatch, "openai", answers):
        known = await ModelLists().learn("openai", None)
    assert known is not None
    assert known.entries is not None
    assert [*known.entries] == ["qwen3-8b"]


async def test_ollama_tells_windows_and_what_its_models_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def show(call: Call) -> object:
        info = {"general.architecture": "fox", "fox.context_length": 5_000}
        can = ["embedding"] if call.model == "nomic" else ["completion", "thinking"]
        return {"model_info": info, "capabilities": can}

    tags = {"models": [{"name": "qwen3:8b"}, {"name": "nomic"}]}
    catalog = ModelCatalog({}, lambda: ["ollama"])
    answers = {"/api/tags": tags, "/api/show": show}
    async with server(monkeypatch, "ollama", answers, ""):
        known = await catalog.lists.learn("ollama", None)
    assert known is not None
    assert known.entries is not None
    assert [*known.entries] == ["qwen3:8b"]
    assert catalog.context_window("ollama/qwen3:8b") == 5_000
    assert catalog.entry("ollama/qwen3:8b")["supports_reasoning"] is True


async def test_a_list_is_asked_for_once_by_many_and_again_on_refresh(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lists = ModelLists()
    async with server(monkeypatch, "openai", {"/v1/models": models(PLAIN)}) as seen:
        await asyncio.gather(*(lists.learn("openai", None) for _ in range(5)))
        assert len(seen) == 1
        await lists.learn("openai", None, refresh=True)
        assert len(seen) == 2


@pytest.mark.parametrize(
    ("answer", "problem"),
    [(401, "keys set openai"), (404, None), ({"data": 5}, None), ([[]], None)],
)
async def test_a_server_without_a_list_says_what_to_do_if_anything(
    monkeypatch: pytest.MonkeyPatch, answer: object, problem: str | None
) -> None:
    async with server(monkeypatch, "openai", {"/v1/models": answer}):
        known = await ModelLists().learn("openai", "sk-secret")
    assert known is not None
    assert known.entries is None
    assert (problem or "") in (known.problem or "")
    assert (known.problem is None) is (problem is None)
    assert "sk-secret" not in json.dumps(known.problem)


async def test_where_nothing_answers_the_address_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    known = await ModelLists().learn("openai", None)
    assert known is not None
    assert known.problem is not None
    assert "http://127.0.0.1:9/v1" in known.problem


async def test_providers_without_an_address_of_the_users_are_not_asked() -> None:
    assert await ModelLists().learn("openai", "sk-1") is None
    assert await ModelLists().learn("openrouter", None) is None
