"""Calls models through LiteLLM, where a provider speaks a dialect of its own.

Only the model host imports this module, in a thread, when it is needed: that takes
seconds. LiteLLM must not retry (our retries are visible), drop parameters (after a 422
it then returns None), stop repeated text, print to stdout or request prices.
"""

# ruff: noqa: ANN401 -- streams and chunks differ by provider and share no type

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import cache
from typing import Any, Final

import litellm
from litellm.exceptions import BadRequestError
from litellm.litellm_core_utils.get_llm_provider_logic import (
    declared_authenticating_provider,
)
from litellm.llms.custom_httpx.http_handler import AsyncHTTPHandler

from writeit.llm.answer import Answer
from writeit.llm.network import http_client
from writeit.llm.parameters import MIN_THINKING_BUDGET, CallParameters
from writeit.llm.price_map import read_usage
from writeit.llm.providers.provider import CallTarget

litellm.suppress_debug_info = True
litellm.telemetry = False
litellm.drop_params = False
litellm.num_retries = 0
litellm.disable_aiohttp_transport = True
# Without this the hundredth equal chunk raises an error.
setattr(litellm, "REPEATED_STREAMING_CHUNK_LIMIT", 10**9)  # noqa: B010 -- not exported by its types

_TIMEOUT: Final = 3600.0
"""Seconds; our own timeout must end a call before LiteLLM's."""
_NON_KEY_CREDENTIALS: Final = ("AWS_", "VERTEX", "GOOGLE_APPLICATION")
"""Other credentials; only a call shows whether they work."""


def is_key_missing(model: str) -> bool:
    """Say whether LiteLLM needs a key for `model`."""
    missing = litellm.validate_environment(model).get("missing_keys") or []
    return any(
        ("KEY" in name or "TOKEN" in name) and not name.startswith(_NON_KEY_CREDENTIALS)
        for name in missing
    )


def default_endpoint(model: str) -> str | None:
    """Return where LiteLLM sends calls of a model; None if only a call shows it."""
    if declared_authenticating_provider(model):  # LiteLLM would sign in
        return None
    try:
        endpoint: str | None = litellm.get_llm_provider(model)[3]
    except BadRequestError:  # it needs an endpoint and has none
        return None
    return endpoint


def find_provider(name: str) -> str | None:
    """Return the full id of a bare model name; None if LiteLLM knows no provider."""
    try:
        model, provider, *_ = litellm.get_llm_provider(name)
    except BadRequestError:
        return None
    return f"{provider}/{model}"


def rehearse() -> None:
    """Make a mock call, which imports half a second of modules; runs in a thread."""

    async def call() -> None:
        stream: Any = await litellm.acompletion(
            model="openai/rehearsal",
            messages=[{"role": "user", "content": "Ready?"}],
            mock_response="Ready.",
            stream=True,
        )
        async for _ in stream:
            pass

    asyncio.run(call())


async def answer_call(
    target: CallTarget, prompt: str, prefix: int, sent: CallParameters, answer: Answer
) -> None:
    """Make one call and read its answer; `prefix` is how much others may share.

    Raises:
        Exception: whatever LiteLLM raises.
    """
    stream: Any = await litellm.acompletion(**_arguments(target, prompt, prefix, sent))
    if stream is None:  # LiteLLM does this after HTTP 422
        raise ValueError("the provider sent no stream")
    try:
        async for chunk in stream:
            _read_chunk(chunk, answer)
        # The wrapper may yield LiteLLM's own count; the chunks have the provider's.
        for chunk in stream.chunks:
            _read_usage(chunk, answer)
        if target.provider == "anthropic" and not _counts_thinking(stream):
            answer.usage = answer.usage and replace(answer.usage, reasoning=None)
    finally:
        # Otherwise the connection stays open until garbage collection.
        await stream.aclose()


def _read_chunk(chunk: Any, answer: Answer) -> None:
    _read_usage(chunk, answer)
    if not chunk.choices:
        return
    choice = chunk.choices[0]
    if choice.delta is not None:
        answer.add_thought(getattr(choice.delta, "reasoning_content", None))
        answer.add_text(choice.delta.content)
    answer.end(choice.finish_reason)


def _read_usage(chunk: Any, answer: Answer) -> None:
    if (usage := getattr(chunk, "usage", None)) is not None:
        answer.usage = read_usage(usage.model_dump()) or answer.usage


def _counts_thinking(stream: Any) -> bool:
    """Whether Anthropic counted the thinking; else LiteLLM estimates its tokens."""
    reported = getattr(stream.completion_stream, "_cumulative_usage", {})
    return litellm.AnthropicConfig.thinking_tokens_from_usage(reported) is not None


def _arguments(
    target: CallTarget, prompt: str, prefix: int, sent: CallParameters
) -> dict[str, Any]:
    arguments = {
        "model": target.model,
        "messages": [{"role": "user", "content": _content(target, prompt, prefix)}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_retries": 0,
        "num_retries": 0,
        "timeout": _TIMEOUT,
        "api_base": target.endpoint,
        "api_key": target.key,
        "max_tokens": sent.max_tokens,
        "temperature": sent.temperature,
        "response_format": sent.chat_response_format or None,
        **_reasoning(target, sent),
    }
    if target.provider in {"anthropic", "gemini"}:
        arguments["client"] = _client((target.endpoint or "https").partition(":")[0])
    return {name: value for name, value in arguments.items() if value is not None}


@cache
def _client(scheme: str) -> AsyncHTTPHandler:
    """Return LiteLLM's client with our connections, whose bytes are heard."""
    handler = AsyncHTTPHandler()
    handler.client = http_client(scheme)
    return handler


def _content(target: CallTarget, prompt: str, prefix: int) -> Any:
    """Return the prompt; for Anthropic cut where its cache may end."""
    if target.provider != "anthropic" or not 0 < prefix <= len(prompt):
        return prompt
    cached = {"cache_control": {"type": "ephemeral"}}
    parts: list[dict[str, Any]] = [{"type": "text", "text": prompt[:prefix]} | cached]
    if prompt[prefix:]:
        parts.append({"type": "text", "text": prompt[prefix:]})
    return parts


def _reasoning(target: CallTarget, sent: CallParameters) -> dict[str, Any]:
    if sent.reasoning is None:
        return {}
    if sent.level == "none" and target.provider == "anthropic":
        return {"thinking": {"type": "disabled"}}
    if target.provider == "gemini" and "gemini-3" not in target.name:
        kind = "disabled" if sent.level == "none" else "enabled"
        return {"thinking": {"type": kind, "budget_tokens": sent.thinking_tokens}}
    entry = litellm.model_cost.get(target.name) or {}
    if target.provider != "anthropic" or entry.get("supports_adaptive_thinking"):
        return {"reasoning_effort": sent.level}
    # Anthropic wants less than the whole limit, and no temperature beside it.
    budget = max(sent.thinking_tokens, MIN_THINKING_BUDGET)
    budget = min(budget, (sent.max_tokens or budget + 1) - 1)
    thinking = {"type": "enabled", "budget_tokens": budget}
    return {"thinking": thinking, "temperature": None}
