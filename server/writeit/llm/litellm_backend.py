"""Calls models through LiteLLM; only the model host imports this module.

LiteLLM must not retry (our retries are visible), drop parameters (after a 422 it then
returns None), stop repeated text, print to stdout or request prices.
"""

# ruff: noqa: ANN401 -- streams and chunks differ by provider and share no type

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Final

import litellm
from litellm.exceptions import BadRequestError, UnsupportedParamsError
from litellm.litellm_core_utils.get_llm_provider_logic import (
    declared_authenticating_provider,
)

from writeit.domain.errors import ModelError, NotFound
from writeit.domain.run import split_model_id
from writeit.llm.catalog import ModelCatalog
from writeit.llm.errors import build_model_error, stream_end_error, to_model_error
from writeit.llm.providers.provider import CallTarget
from writeit.llm.providers.registry import get_provider
from writeit.text.lines import SurrogateJoiner

_CONNECTION_LOST_CLASSES: Final = ("ReadError", "RemoteProtocolError")


@dataclass(slots=True)
class CompletionReader:
    """Reads a stream: its text, finish reason and usage."""

    finish_reason: str | None = None
    usage: Any = None
    """The usage as the provider reported it, or None."""

    def iterate_text(self, stream: Any) -> AsyncIterator[str]:
        """Iterate over the text of LiteLLM's `stream`; pieces may be empty."""
        inner = getattr(stream, "completion_stream", None)
        return (
            self._read_openai(inner)
            if _is_openai_stream(inner)
            else self._read_litellm(stream)
        )

    async def _read_openai(self, inner: Any) -> AsyncIterator[str]:
        try:
            async for chunk in inner:
                self.usage = getattr(chunk, "usage", None) or self.usage
                if chunk.choices:
                    choice = chunk.choices[0]
                    self.finish_reason = choice.finish_reason or self.finish_reason
                    yield _choice_text(choice)
        except Exception as error:
            # Some servers close the connection abruptly after the last chunk.
            if (
                type(error).__name__ not in _CONNECTION_LOST_CLASSES
                or self.finish_reason is None
            ):
                raise

    async def _read_litellm(self, stream: Any) -> AsyncIterator[str]:
        async for chunk in stream:
            yield _choice_text(chunk.choices[0]) if chunk.choices else ""
        self.finish_reason = stream.received_finish_reason
        # The wrapper may yield LiteLLM's own count; the chunks have the provider's.
        for chunk in stream.chunks:
            self.usage = getattr(chunk, "usage", None) or self.usage


def _is_openai_stream(inner: object) -> bool:
    kind = type(inner)
    return kind.__name__ == "AsyncStream" and kind.__module__.startswith("openai")


def _choice_text(choice: Any) -> str:
    content = choice.delta.content if choice.delta is not None else None
    return content if isinstance(content, str) else ""


litellm.suppress_debug_info = True
litellm.telemetry = False
litellm.drop_params = False
litellm.num_retries = 0
# Without this the hundredth equal chunk raises an error.
setattr(litellm, "REPEATED_STREAMING_CHUNK_LIMIT", 10**9)  # noqa: B010 -- not exported by its types

CATALOG: Final = ModelCatalog(
    litellm.model_cost, (str(getattr(p, "value", p)) for p in litellm.provider_list)
)
MAX_ANSWER_CHARACTERS: Final = 4_000_000
"""Many times what any model writes; a longer stream is broken."""

MAX_TOKENS: Final = 100_000_000
"""More in one call is an error of the provider; such numbers are not used."""

_NON_KEY_CREDENTIALS: Final = ("AWS_", "VERTEX", "GOOGLE_APPLICATION")
"""Other credentials; only a call shows whether they work."""


@dataclass(frozen=True, slots=True)
class CompletionResult:
    """The end of a complete answer."""

    usage: dict[str, Any]
    finish_reason: str | None


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


def resolve_model_id(model: str) -> str:
    """Return the full id of a model id or a bare LiteLLM name.

    Raises:
        NotFound: no provider is known for it.
    """
    provider, name = split_model_id(model)
    if provider in CATALOG.providers:
        if not name.strip():
            raise NotFound(
                f"The model id {model!r} names no model of {provider}.",
                hint="Write provider/model, as in 'openai/gpt-4o'.",
            )
        return model
    try:
        name, provider, *_ = litellm.get_llm_provider(model)
    except BadRequestError:
        CATALOG.parse_model_id(model)  # raises with the nearest names
        raise
    return f"{provider}/{name}"


async def warm_up() -> None:
    """Make a mock call and a count, which import half a second of modules."""
    stream: Any = await litellm.acompletion(
        model="openai/rehearsal",
        messages=[{"role": "user", "content": "Ready?"}],
        mock_response="Ready.",
        stream=True,
    )
    async for _ in stream:
        pass
    await count_tokens("openai/gpt-4o", "Ready?")


async def stream_answer(
    target: CallTarget,
    request: dict[str, Any],
    on_text: Callable[[str], None],
    idle_timeout: float,
) -> CompletionResult:
    """Make one call and pass each piece of its text to `on_text`.

    `idle_timeout` is how long the provider may send nothing, in seconds.

    Raises:
        ModelError: it failed; text passed on before is valid.
    """
    names = {"provider": target.provider, "model": target.model}
    destination = get_provider(target.provider).destination(target.endpoint)
    text: list[str] = []
    room = MAX_ANSWER_CHARACTERS

    def take(piece: str) -> None:
        nonlocal room
        if kept := piece[:room]:
            text.append(kept)
            on_text(kept)
            room -= len(kept)
        if len(piece) > len(kept):
            reason = f"stopped after {MAX_ANSWER_CHARACTERS:,} characters"
            raise build_model_error("malformed", **names, provider_message=reason)

    reader = CompletionReader()
    try:
        await _read_stream(reader, target, request, take, idle_timeout)
    except ModelError:
        raise
    except Exception as raised:
        raise to_model_error(
            raised, **names, secrets=[target.key], destination=destination
        ) from raised
    answer = "".join(text)
    usage, finish = _reported_usage(reader.usage), reader.finish_reason
    error = stream_end_error(answer, finish, usage_reported=usage is not None, **names)
    if error is not None:
        raise error
    return CompletionResult(await _final_usage(target, request, answer, usage), finish)


async def _read_stream(
    reader: CompletionReader,
    target: CallTarget,
    request: dict[str, Any],
    on_piece: Callable[[str], None],
    idle_timeout: float,
) -> None:
    """Read a stream to its end and always close it."""
    stream = None
    halves = SurrogateJoiner()
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(idle_timeout) as limit:
            stream = await _open_stream(
                _litellm_arguments(target, request, idle_timeout)
            )
            if stream is None:  # LiteLLM does this after HTTP 422
                raise build_model_error(
                    "malformed", provider=target.provider, model=target.model
                )
            async for piece in reader.iterate_text(stream):
                limit.reschedule(now() + idle_timeout)
                on_piece(halves.feed(piece))
        on_piece(halves.finish())
    finally:
        # Otherwise the connection stays open until garbage collection.
        if stream is not None:
            await stream.aclose()


def _reported_usage(usage: Any) -> litellm.Usage | None:
    """Return the reported usage as LiteLLM's type; None if it is empty or absurd."""
    counts = [getattr(usage, n, None) for n in ("prompt_tokens", "completion_tokens")]
    prompt, completion = (0 if count is None else count for count in counts)
    if not _is_token_count(prompt) or not _is_token_count(completion) or not prompt:
        return None
    if isinstance(usage, litellm.Usage):
        return usage
    try:
        return litellm.Usage(**usage.model_dump())
    except Exception:  # noqa: BLE001 -- a provider's details may be anything; the counts are right
        return litellm.Usage(prompt_tokens=prompt, completion_tokens=completion)


def _is_token_count(count: object) -> bool:
    """Return whether a provider's number can be a number of tokens."""
    return type(count) is int and 0 <= count <= MAX_TOKENS


def _litellm_arguments(
    target: CallTarget, request: dict[str, Any], idle_timeout: float
) -> dict[str, Any]:
    arguments = {
        "model": target.litellm_model,
        "messages": [{"role": "user", "content": request["prompt"]}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_retries": 0,
        "num_retries": 0,
        # Our own timeout must end the call before LiteLLM's.
        "timeout": idle_timeout + 5,
        "api_base": target.endpoint,
        "api_key": target.key,
        "max_tokens": request.get("max_tokens"),
        "temperature": request.get("temperature"),
    }
    provider = get_provider(target.provider)
    arguments |= provider.arguments(request, target.context_window)
    return {name: value for name, value in arguments.items() if value is not None}


async def _open_stream(arguments: dict[str, Any]) -> Any:
    """Send the request; without temperature if the model does not support it."""
    try:
        return await litellm.acompletion(**arguments)
    except UnsupportedParamsError:  # raised before anything is sent
        if arguments.pop("temperature", None) is None:
            raise
        return await litellm.acompletion(**arguments)


async def _final_usage(
    target: CallTarget,
    request: dict[str, Any],
    text: str,
    reported: litellm.Usage | None,
) -> dict[str, Any]:
    if reported is not None:
        prompt, completion = reported.prompt_tokens, reported.completion_tokens or 0
    else:
        prompt = await count_tokens(target.model, request["prompt"])
        completion = await asyncio.to_thread(
            litellm.token_counter, model=target.model, text=text
        )
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cost_usd": _call_cost(target.model, prompt, completion, reported),
        "estimated": reported is None,
    }


def _call_cost(
    model: str,
    prompt: int,
    completion: int,
    reported: litellm.Usage | None,
) -> float | None:
    """Return a call's cost in US dollars; None if the map has no price."""
    price = CATALOG.price(model)
    if price is None:
        return None
    if not price.input_cost and not price.output_cost:
        return 0.0
    base = prompt * price.input_cost + completion * price.output_cost
    try:  # LiteLLM knows discounts for cached tokens and rates for long prompts
        costs = litellm.cost_per_token(
            model=model,
            prompt_tokens=prompt,
            completion_tokens=completion,
            usage_object=reported,
        )
    except Exception:  # noqa: BLE001 -- it raises bare exceptions; the base price is near
        return base
    return cost if 0 <= (cost := sum(costs)) < inf else base


async def count_tokens(model: str, text: str) -> int:
    """Count the tokens of a message in a thread, because long texts take a while."""
    messages: Sequence[dict[str, str]] = [{"role": "user", "content": text}]
    return await asyncio.to_thread(
        litellm.token_counter, model=model, messages=messages
    )
