"""Proxy variables: used for remote servers, never for servers on this machine."""

# ruff: noqa: D103 -- the names of the tests describe them

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import pytest

from support.provider import Provider
from support.scripted_models import ScriptedKeys
from writeit.domain.errors import ModelError
from writeit.llm.client import ModelHostClient
from writeit.ports.models import ModelCall, ModelDone, ModelStreamItem

REMOTE_HOST = "models.invalid"
"""A host that does not exist, so only a proxy can accept it."""


class Proxy:
    """Forwards plain requests to the provider, refuses tunnels, and records all."""

    def __init__(self, to: int) -> None:
        self.requests: list[str] = []
        self.port = 0
        self._to = to

    async def serve(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Serve one request."""
        line = (await reader.readline()).decode()
        method, url, version = line.split()
        self.requests.append(f"{method} {url}")
        if method == "CONNECT":
            writer.write(b"HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n")
            writer.close()
            return
        onward, back = await asyncio.open_connection("127.0.0.1", self._to)
        back.write(f"{method} {urlsplit(url).path} {version}\r\n".encode())
        await asyncio.gather(pump(reader, back), pump(onward, writer))


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(1 << 16):
            sink.write(data)
            await sink.drain()
        sink.close()


@asynccontextmanager
async def proxied(
    provider: Provider, **environment: str
) -> AsyncIterator[tuple[Proxy, ModelHostClient]]:
    """A proxy, and a client whose host has its address in environment variables."""
    proxy = Proxy(provider.port)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    variables = {
        name: value.replace("PROXY", f"http://127.0.0.1:{port}")
        for name, value in environment.items()
    }
    client = ModelHostClient(
        keys=ScriptedKeys({"openai": "k", "groq": "k", "anthropic": "k"}),
        environment={"WRITEIT_ALLOW_MODEL_REQUESTS": "", **variables},
    )
    try:
        yield proxy, client
    finally:
        await client.close()
        server.close()


async def answer(client: ModelHostClient, model: str) -> list[ModelStreamItem]:
    async with client.stream(ModelCall(model=model, prompt="x")) as items:
        return [item async for item in items]


async def test_remote_calls_use_the_proxy(provider: Provider) -> None:
    url = f"http://{REMOTE_HOST}/v1"
    async with proxied(provider, OPENAI_BASE_URL=url, HTTP_PROXY="PROXY") as made:
        proxy, client = made
        assert isinstance((await answer(client, "openai/fast-3"))[-1], ModelDone)
    assert proxy.requests == [f"POST {url}/chat/completions"]


async def test_tls_calls_use_a_tunnel(provider: Provider) -> None:
    url = f"https://{REMOTE_HOST}/v1"
    remote = dict.fromkeys(("GROQ_API_BASE", "ANTHROPIC_API_BASE"), url)
    async with proxied(provider, **remote, HTTPS_PROXY="PROXY") as (proxy, client):
        for model in ("groq/x", "anthropic/x"):
            proxy.requests.clear()
            with pytest.raises(ModelError) as caught:
                await answer(client, model)
            assert caught.value.reason == "proxy"
            assert set(proxy.requests) == {f"CONNECT {REMOTE_HOST}:443"}


async def test_no_proxy_is_an_exception(provider: Provider) -> None:
    async with proxied(
        provider,
        OPENAI_BASE_URL=f"http://{REMOTE_HOST}/v1",
        HTTP_PROXY="PROXY",
        NO_PROXY=f"elsewhere.invalid,{REMOTE_HOST}",
    ) as (proxy, client):
        with pytest.raises(ModelError) as caught:
            await answer(client, "openai/fast-3")
    assert caught.value.reason == "unavailable"
    assert proxy.requests == []


async def test_calls_to_this_machine_use_no_proxy(provider: Provider) -> None:
    async with proxied(
        provider,
        OPENAI_BASE_URL=provider.base_url,
        WRITEIT_OLLAMA_URL=f"http://localhost:{provider.port}",
        HTTP_PROXY="PROXY",
        ALL_PROXY="PROXY",
        NO_PROXY="elsewhere.invalid",
    ) as (proxy, client):
        assert isinstance((await answer(client, "openai/fast-3"))[-1], ModelDone)
        assert isinstance((await answer(client, "ollama/llama3"))[-1], ModelDone)
    assert proxy.requests == []
