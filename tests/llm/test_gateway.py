"""A real LiteLLM proxy without its database, as several users share it."""

# ruff: noqa: D103 -- the name of a test is its promise

import asyncio
import os
import socket
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.provider import Provider
from support.replies import Reply, read_request
from support.scripted_models import ScriptedKeys
from support.skips import skip_or_fail
from writeit.domain.errors import ModelError
from writeit.llm.client import ModelHostClient
from writeit.ports.models import ModelCall, ModelDone, TextDelta

EDITORS = Path(__file__).parents[2] / ".cache" / "editors"
PROXY = Path(os.environ.get("WRITEIT_EDITORS") or EDITORS) / "proxy" / "bin" / "litellm"
MASTER_KEY = "sk-master-of-the-tests"
CLIENTS = 10
START_SECONDS = 120
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def proxy(
    provider: Provider, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """Run a proxy in front of the test provider; yield its address."""
    if not PROXY.exists():
        skip_or_fail("the LiteLLM proxy is not installed (make ci-setup)")
    folder = tmp_path_factory.mktemp("proxy")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    upstream = f'api_base: "{provider.base_url}", api_key: x'
    (folder / "proxy.yaml").write_text(
        "model_list:\n"
        "  - model_name: writer\n"
        f"    litellm_params: {{model: openai/fast-20, {upstream}}}\n"
        "    model_info: {max_input_tokens: 9000, input_cost_per_token: 1.0e-06,"
        " output_cost_per_token: 2.0e-06}\n"
        "  - model_name: limited\n"
        f"    litellm_params: {{model: openai/err-429-3600, {upstream}}}\n"
        f"general_settings: {{master_key: {MASTER_KEY}}}\n"
        "litellm_settings: {num_retries: 0}\n",
        encoding="utf-8",
    )
    process = await asyncio.create_subprocess_exec(
        *(str(PROXY), "--config", str(folder / "proxy.yaml")),
        *("--host", "127.0.0.1", "--port", str(port)),
        cwd=folder,  # it puts the folders above this one on its path
        env={**os.environ, "HOME": str(folder), "LITELLM_LOCAL_MODEL_COST_MAP": "True"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(START_SECONDS):
            while not await asyncio.to_thread(answers, address):
                assert process.returncode is None
                await asyncio.sleep(0.2)
        yield address
    finally:
        process.kill()
        await process.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health/liveliness", timeout=5):  # noqa: S310 -- loopback
            return True
    except (urllib.error.URLError, OSError):
        return False


def client_of(address: str, key: str = MASTER_KEY) -> ModelHostClient:
    return ModelHostClient(
        keys=ScriptedKeys({"litellm_proxy": key}),
        environment={
            "LITELLM_PROXY_API_BASE": address,
            "WRITEIT_OLLAMA_URL": "http://127.0.0.1:9",
        },
    )


async def answer_of(client: ModelHostClient, model: str) -> tuple[str, float | None]:
    """Return the text and the cost of one call."""
    text, cost = "", None
    call = ModelCall(model=f"litellm_proxy/{model}", prompt="Say something.")
    async with client.stream(call) as items:
        async for item in items:
            if isinstance(item, TextDelta):
                text += item.text
            elif isinstance(item, ModelDone):
                cost = item.usage.cost_usd
    return text, cost


async def test_the_proxys_own_models_are_listed_with_window_and_price(
    proxy: str,
) -> None:
    client = client_of(proxy)
    try:
        listed = await client.list_models(provider="litellm_proxy")
    finally:
        await client.close()
    infos = {info.id: info for info in listed}
    assert infos.keys() == {"litellm_proxy/writer", "litellm_proxy/limited"}
    writer = infos["litellm_proxy/writer"]
    assert writer.available
    assert writer.context_window == 9_000
    assert (writer.input_cost_per_token, writer.output_cost_per_token) == (1e-6, 2e-6)


async def test_ten_users_write_through_one_proxy_at_once(proxy: str) -> None:
    clients = [client_of(proxy) for _ in range(CLIENTS)]
    try:
        # Hosts take seconds to start and share two cores: they start in turn.
        for client in clients:
            await client.resolve_model_id("litellm_proxy/writer")
        answers = await asyncio.gather(*(answer_of(c, "writer") for c in clients))
    finally:
        await asyncio.gather(*(client.close() for client in clients))
    assert {len(text.split()) for text, _ in answers} == {20}


async def test_a_limit_behind_the_proxy_is_a_limit(proxy: str) -> None:
    client = client_of(proxy)
    try:
        with pytest.raises(ModelError) as caught:
            await answer_of(client, "limited")
    finally:
        await client.close()
    assert caught.value.reason == "rate_limit"
    assert MASTER_KEY not in f"{caught.value.message} {caught.value.hint}"


REFUSALS = {
    "an expired key": (
        401,
        "Authentication Error, Expired Key.",
        "expired_key",
        {"auth"},
    ),
    "a spent budget": (
        400,
        "Budget has been exceeded! Current cost: 20.1, Max budget: 20.0",
        "budget_exceeded",
        {"quota"},
    ),
}


@pytest.mark.parametrize("name", REFUSALS)
async def test_what_a_proxy_with_virtual_keys_refuses_is_told(name: str) -> None:
    status, message, kind, reasons = REFUSALS[name]
    error = {"message": message, "type": kind, "param": None, "code": str(status)}

    async def connected(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        call = await read_request(reader)
        await Reply(call, writer).whole(status, {"error": error})
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    client = client_of(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    try:
        with pytest.raises(ModelError) as caught:
            await answer_of(client, "writer")
    finally:
        await client.close()
        server.close()
    assert caught.value.reason in reasons
    assert MASTER_KEY not in f"{caught.value.message} {caught.value.hint}"
