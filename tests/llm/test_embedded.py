"""The embedded model: weights from the package index, its server and its text."""

# ruff: noqa: D103 -- the names of the tests describe them

import asyncio
import importlib.util
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import pytest_asyncio

from support.scripted_models import ScriptedKeys
from support.skips import skip_or_fail
from support.waiting import TIMEOUT
from writeit.domain.errors import ModelError
from writeit.llm.client import ModelHostClient
from writeit.llm.providers import embedded
from writeit.ports.models import (
    ModelCall,
    ModelDone,
    ModelNotice,
    ModelStreamItem,
    TextDelta,
)

SENTENCE = "Write one sentence about the sea."


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def local(cache: Path) -> AsyncIterator[ModelHostClient]:
    """A client with the embedded model installed."""
    if importlib.util.find_spec(embedded.RUNTIME_MODULE) is None:
        skip_or_fail(f"{embedded.RUNTIME_MODULE} is not installed")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WRITEIT_CACHE_DIR", str(cache))
        client = ModelHostClient(keys=ScriptedKeys())
        try:
            info = await client.install_model(embedded.EMBEDDED_MODEL, lambda *_: None)
        except ModelError as error:
            skip_or_fail(f"{error.message} {error.hint}")
        assert info.available
        yield client
        await client.close()


def asking(prompt: str = SENTENCE, max_tokens: int = 20) -> ModelCall:
    return ModelCall(
        model=embedded.EMBEDDED_MODEL,
        prompt=prompt,
        max_tokens=max_tokens,
        temperature=0.2,
    )


async def items_of(client: ModelHostClient, call: ModelCall) -> list[ModelStreamItem]:
    async with client.stream(call) as items:
        return [item async for item in items]


def server_of(client: ModelHostClient) -> psutil.Process:
    """Return the running server; a dead one may not have been reaped yet."""
    children = psutil.Process(client.host_pid).children()
    (server,) = [child for child in children if child.status() != psutil.STATUS_ZOMBIE]
    return server


async def test_an_answer_is_free(local: ModelHostClient) -> None:
    *deltas, done = await items_of(local, asking())
    assert "".join(d.text for d in deltas if isinstance(d, TextDelta)).strip()
    assert isinstance(done, ModelDone)
    assert done.usage.cost_usd == 0
    assert 0 < done.usage.completion_tokens <= 20


async def test_the_model_is_listed_as_installed(local: ModelHostClient) -> None:
    assert await local.embedded_model() == embedded.EMBEDDED_MODEL
    assert await local.embedded_model(installed=False) is None
    first = (await local.list_models())[0]
    assert (first.id, first.available) == (embedded.EMBEDDED_MODEL, True)


async def test_the_estimate_is_close_to_the_reported_tokens(
    local: ModelHostClient,
) -> None:
    prompt = "A sentence of some words, again and again. " * 40
    *_, done = await items_of(local, asking(prompt, 1))
    fit = await local.estimate(asking(prompt))
    assert isinstance(done, ModelDone)
    assert fit.context_window == 8192
    assert fit.refusal is None
    assert abs(fit.prompt_tokens - done.usage.prompt_tokens) <= 3


async def test_a_second_call_is_queued(local: ModelHostClient) -> None:
    first, second = await asyncio.gather(
        items_of(local, asking()), items_of(local, asking())
    )
    notices = [item for item in first + second if isinstance(item, ModelNotice)]
    assert [notice.code for notice in notices] == ["queued"]
    assert isinstance(first[-1], ModelDone)
    assert isinstance(second[-1], ModelDone)


async def test_leaving_a_call_starts_the_next_one(local: ModelHostClient) -> None:
    async with local.stream(asking("Tell a very long story.", 4000)) as items:
        await anext(items)
    async with asyncio.timeout(30):  # the story would take a minute
        await items_of(local, asking(max_tokens=3))


async def test_an_error_for_a_long_prompt_has_both_numbers(
    local: ModelHostClient,
) -> None:
    with pytest.raises(ModelError) as caught:
        await items_of(local, asking("word " * 9000))
    assert caught.value.reason == "context"
    assert "9031" in caught.value.message
    assert "8192" in caught.value.message


async def test_the_key_is_in_no_argv_and_the_server_is_on_loopback(
    local: ModelHostClient,
) -> None:
    await items_of(local, asking(max_tokens=2))
    server = server_of(local)
    assert server.cmdline()[-1] == "embedded-server"
    listening = [c.laddr for c in server.net_connections() if c.status == "LISTEN"]
    assert {address.ip for address in listening} == {"127.0.0.1"}


async def test_after_a_crash_of_the_server_the_next_call_works(
    local: ModelHostClient,
) -> None:
    with pytest.raises(ModelError) as caught:  # noqa: PT012 -- killed in the middle
        async with local.stream(asking("Tell a very long story.", 4000)) as items:
            await anext(items)
            server_of(local).kill()
            async for _ in items:
                pass
    assert caught.value.reason == "unavailable"
    assert isinstance((await items_of(local, asking(max_tokens=3)))[-1], ModelDone)


async def test_the_server_ends_with_its_host(local: ModelHostClient) -> None:
    await items_of(local, asking(max_tokens=2))
    server = server_of(local)
    assert local.host_pid is not None
    os.kill(local.host_pid, signal.SIGKILL)
    await asyncio.to_thread(server.wait, TIMEOUT)
