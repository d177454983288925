"""Calls through a real host to a provider on loopback."""

# ruff: noqa: D103 -- the names of the tests describe them

import asyncio
import logging
import time
from collections.abc import Callable

import pytest

from support.provider import Provider
from support.provider_models import SURROGATE_TEXT, UTF8_TEXT
from support.replies import PROMPT_TOKENS
from support.scripted_models import ScriptedKeys
from support.waiting import TIMEOUT, wait_until_async
from writeit.domain.errors import FailureReason, ModelError
from writeit.llm.client import ModelHostClient
from writeit.ports.models import ModelCall, ModelDone, TextDelta

MakeClient = Callable[..., ModelHostClient]


def asking(name: str, prompt: str = "Say something.") -> ModelCall:
    model = name if "/" in name else f"openai/{name}"
    return ModelCall(model=model, prompt=prompt)


async def answer(client: ModelHostClient, call: ModelCall) -> tuple[str, ModelDone]:
    text = ""
    async with client.stream(call) as items:
        async for item in items:
            if isinstance(item, TextDelta):
                text += item.text
            elif isinstance(item, ModelDone):
                return text, item
    raise AssertionError("the answer did not end")


async def failed(client: ModelHostClient, name: str) -> ModelError:
    with pytest.raises(ModelError) as caught:
        await answer(client, asking(name))
    return caught.value


STATUSES: dict[int, FailureReason] = {
    400: "invalid_request",
    401: "auth",
    402: "quota",
    403: "forbidden",
    404: "not_found",
    408: "timeout",
    409: "invalid_request",
    413: "context",
    422: "invalid_request",
    429: "rate_limit",
    500: "unavailable",
    502: "unavailable",
    503: "unavailable",
    529: "overloaded",
}


@pytest.mark.parametrize("status", STATUSES)
async def test_http_status(client: ModelHostClient, status: int) -> None:
    assert (await failed(client, f"err-{status}")).reason == STATUSES[status]


TROUBLES: dict[str, FailureReason] = {
    "malformed": "malformed",
    "notutf8": "malformed",
    "badtype": "malformed",
    "bad-3": "malformed",
    "errin-0": "overloaded",
    "errin-3": "overloaded",
    "cut-0": "unavailable",
    "cut-3": "unavailable",
    "empty": "empty",
    "blank": "empty",
    "filter": "refused",
}


@pytest.mark.parametrize("name", TROUBLES)
async def test_a_fault_without_a_status(client: ModelHostClient, name: str) -> None:
    assert (await failed(client, name)).reason == TROUBLES[name]


@pytest.mark.parametrize("name", ["hang", "hang-after-headers"])
async def test_a_hang_is_a_timeout(
    impatient_client: ModelHostClient, name: str
) -> None:
    assert (await failed(impatient_client, name)).reason == "timeout"


async def test_nothing_is_retried(client: ModelHostClient, provider: Provider) -> None:
    await failed(client, "err-500-1")
    assert [call.model for call in provider.calls].count("err-500-1") == 1


async def test_retry_after_as_a_date(client: ModelHostClient) -> None:
    error = await failed(client, "err-503-date30")
    assert 1 < error.data["retryAfter"] <= 30


async def test_the_key_is_in_no_error(client: ModelHostClient, key: str) -> None:
    error = await failed(client, "err-401")
    assert "boom for [key]" in error.message
    assert key not in str(error.to_json())


async def test_the_key_is_sent(
    client: ModelHostClient, provider: Provider, key: str
) -> None:
    await answer(client, asking("fast-2"))
    call = await provider.call("fast-2")
    assert call.headers["authorization"] == f"Bearer {key}"


async def test_the_key_is_in_no_log_and_no_argv(
    client: ModelHostClient, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    import psutil  # noqa: PLC0415 -- for this test only

    with caplog.at_level(logging.DEBUG, logger="writeit"):
        await failed(client, "err-403")
    assert key not in caplog.text
    assert key not in " ".join(psutil.Process(client.host_pid).cmdline())


async def test_one_user_message_with_a_plain_string(
    client: ModelHostClient, provider: Provider
) -> None:
    prompt = "First.\n\n  Second — ünïcode \u2028 and 🦊.\n"
    call = ModelCall(
        model="openai/fast-3", prompt=prompt, max_tokens=7, temperature=0.5
    )
    await answer(client, call)
    body = (await provider.call("fast-3")).body
    assert body["messages"] == [{"role": "user", "content": prompt}]
    assert (body["max_tokens"], body["temperature"]) == (7, 0.5)


async def test_parameters_that_are_not_set_are_not_sent(
    client: ModelHostClient, provider: Provider
) -> None:
    await answer(client, asking("fast-4"))
    body = (await provider.call("fast-4")).body
    assert {*body} == {"model", "messages", "stream", "stream_options"}


async def test_temperature_is_not_sent_to_a_model_without_it(
    client: ModelHostClient, provider: Provider
) -> None:
    await answer(client, ModelCall(model="openai/gpt-5", prompt="x", temperature=0.7))
    assert "temperature" not in (await provider.call("gpt-5")).body


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("utf8", UTF8_TEXT),
        ("surrogate", SURROGATE_TEXT),
        ("same-150", "again " * 150),
        ("say-+0A+20+20x+20+0A+0A", "\n  x \n\n"),
    ],
)
async def test_text_is_exact(client: ModelHostClient, name: str, text: str) -> None:
    assert (await answer(client, asking(name)))[0] == text


async def test_usage_is_the_providers(client: ModelHostClient) -> None:
    _, done = await answer(client, asking("fast-5"))
    assert done.usage.prompt_tokens == PROMPT_TOKENS
    assert done.usage.completion_tokens == 5
    assert not done.usage.estimated


async def test_missing_usage_is_counted_and_marked(client: ModelHostClient) -> None:
    _, done = await answer(client, asking("nousage-5"))
    assert done.usage.estimated
    assert done.usage.completion_tokens >= 5


async def test_an_unknown_price_is_none(client: ModelHostClient) -> None:
    _, done = await answer(client, asking("fast-5"))
    assert done.usage.cost_usd is None


async def test_a_known_price_is_from_the_price_list(client: ModelHostClient) -> None:
    _, done = await answer(client, asking("gpt-4o-mini"))
    words = done.usage.completion_tokens
    assert done.usage.cost_usd == pytest.approx(PROMPT_TOKENS * 15e-8 + words * 6e-7)


async def test_a_token_limit_is_the_finish_reason(client: ModelHostClient) -> None:
    assert (await answer(client, asking("length-3")))[1].finish_reason == "length"


async def test_text_before_a_content_filter_is_an_answer(
    client: ModelHostClient,
) -> None:
    text, done = await answer(client, asking("filter-2"))
    assert text == "word0 word1 "
    assert done.finish_reason == "content_filter"


async def test_a_stream_with_usage_but_no_finish_reason_is_complete(
    client: ModelHostClient,
) -> None:
    assert (await answer(client, asking("nofinish-2")))[1].finish_reason is None


async def test_leaving_closes_the_connection_within_100_ms(
    client: ModelHostClient, provider: Provider
) -> None:
    for number in range(25):  # the machine may be busy, the way may not be longer
        name = f"slow-{2000 + number}"
        async with client.stream(asking(name)) as items:
            await anext(items)
            call = await provider.call(name)
            left = time.monotonic()
        await asyncio.wait_for(call.disconnected.wait(), TIMEOUT)
        assert call.disconnected_at is not None
        if call.disconnected_at - left < 0.1:
            return
    pytest.fail("it always took longer")


async def test_leaving_before_the_first_token_closes_the_connection(
    client: ModelHostClient, provider: Provider
) -> None:
    async with client.stream(asking("hang", "before")):
        call = await provider.call(
            "hang", nth=len([c for c in provider.calls if c.model == "hang"])
        )
    await asyncio.wait_for(call.disconnected.wait(), TIMEOUT)


async def test_twenty_answers_at_once(client: ModelHostClient) -> None:
    answers = await asyncio.gather(
        *(answer(client, asking(f"fast-{100 + n}")) for n in range(20))
    )
    for number, (text, _) in enumerate(answers):
        assert text == "".join(f"word{i} " for i in range(100 + number))


async def test_a_slow_reader_gets_joined_deltas(client: ModelHostClient) -> None:
    items = []
    async with client.stream(asking("fast-500")) as stream:
        first = await anext(stream)
        (answer,) = client._streams.values()  # noqa: SLF001 -- to know when all came
        await wait_until_async(lambda: answer.is_finished)
        items = [first, *[item async for item in stream]]
    texts = [item.text for item in items if isinstance(item, TextDelta)]
    assert "".join(texts) == "".join(f"word{i} " for i in range(500))
    assert len(texts) < 100


async def test_ollama_is_called_through_its_chat_api(
    client: ModelHostClient, provider: Provider
) -> None:
    text, done = await answer(client, asking("ollama/llama3"))
    assert text == "word0 word1 word2 "
    assert done.usage.cost_usd == 0
    call = await provider.call("llama3")
    assert call.path == "/api/chat"
    assert call.body["messages"][0]["content"] == "Say something."


async def test_ollama_gets_a_window_for_the_prompt(
    client: ModelHostClient, provider: Provider
) -> None:
    await answer(client, asking("ollama/phi", "word " * 8000))
    call = await provider.call("phi")
    assert call.body["options"]["num_ctx"] == 16_384


async def test_tests_cannot_call_remote_providers(
    make_client: MakeClient, key: str
) -> None:
    error = await failed(make_client(mistral=key), "mistral/mistral-small")
    assert error.reason == "invalid_request"
    assert "only loopback" in error.message


async def test_a_local_server_needs_no_key_and_no_proxy(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    text, _ = await answer(make_client(), asking("fast-6"))
    assert text.startswith("word0 ")


async def test_a_refused_connection_is_a_server_that_is_not_running(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("MISTRAL_API_BASE", "http://127.0.0.1:9/v1")
    error = await failed(make_client(mistral=key), "mistral/mistral-small")
    assert error.reason == "not_running"
    assert "http://127.0.0.1:9/v1" in error.message


async def test_bare_names_are_completed(client: ModelHostClient) -> None:
    assert await client.resolve_model_id("gpt-4o") == "openai/gpt-4o"
    assert (
        await client.resolve_model_id("claude-sonnet-4-5")
        == "anthropic/claude-sonnet-4-5"
    )


async def test_the_list_has_ollama_named_and_usable_models(
    client: ModelHostClient, provider: Provider
) -> None:
    provider.ollama_models = ["llama3:latest"]
    infos = {info.id: info for info in await client.list_models(include=["gpt-4o"])}
    assert next(iter(infos)) == "embedded/smollm2-135m"
    assert infos["ollama/llama3:latest"].available
    assert infos["openai/gpt-4o"].context_window == 128_000
    assert "openai/gpt-4o-mini" in infos
    assert "anthropic/claude-sonnet-4-5" not in infos


async def test_the_list_of_one_provider_is_complete(client: ModelHostClient) -> None:
    infos = await client.list_models(provider="anthropic")
    assert len(infos) > 5
    assert {info.provider for info in infos} == {"anthropic"}
    assert not any(info.available for info in infos)
    assert all("ANTHROPIC_API_KEY" in (info.reason or "") for info in infos)


async def test_an_estimate_does_not_wait_for_a_long_list_of_models(key: str) -> None:
    hung_up = asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(-1)  # until the host gives up
        hung_up.set()
        writer.close()

    held = await asyncio.start_server(hold, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{held.sockets[0].getsockname()[1]}/v1"
    client = ModelHostClient(
        keys=ScriptedKeys({"openai": key}), environment={"OPENAI_BASE_URL": url}
    )
    try:
        estimate = await client.estimate(asking("gpt-4o"))
        assert estimate.context_window == 128_000
        assert not hung_up.is_set()
    finally:
        await client.close()
        held.close()
