"""The only file that imports LiteLLM; only the model host imports this file.

What it must not do is as important as what it does: no retries (ours are visible), no
dropped parameters (with a 422 LiteLLM then returns None), no second guess about
repeated words, no print to stdout, no request for prices.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import litellm
from litellm.exceptions import BadRequestError, UnsupportedParamsError

from writeit.core.errors import ModelError
from writeit.core.run import split_model_id
from writeit.models.catalog import Catalog
from writeit.models.faults import ended_badly, failure, fault
from writeit.models.ollama import room_for
from writeit.models.providers import OLLAMA
from writeit.models.reading import Reading
from writeit.models.surrogates import Surrogates

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from writeit.models.target import Target

litellm.suppress_debug_info = True
litellm.telemetry = False
litellm.drop_params = False
litellm.num_retries = 0
# A refrain is not an error: without this the hundredth equal chunk raises one.
setattr(litellm, "REPEATED_STREAMING_CHUNK_LIMIT", 10**9)  # noqa: B010 -- not exported by its types

CATALOG: Final = Catalog(
    litellm.model_cost, (str(getattr(p, "value", p)) for p in litellm.provider_list)
)
LONGEST_ANSWER: Final = 4_000_000
"""Characters; many times what any model writes. Behind it something is broken."""

_AMBIENT: Final = ("AWS_", "VERTEX", "GOOGLE_APPLICATION")
"""Credentials with ways of their own; only the call itself can tell if they work."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How an answer ended well."""

    usage: dict[str, Any]
    finish_reason: str | None


def key_missing(model: str) -> bool:
    """Say whether LiteLLM would miss a key for `model`."""
    missing = litellm.validate_environment(model).get("missing_keys") or []
    return any(
        ("KEY" in name or "TOKEN" in name) and not name.startswith(_AMBIENT)
        for name in missing
    )


def identify(model: str) -> str:
    """Return the full id of a model id or a bare LiteLLM name.

    Raises:
        NotFound: no provider is known for it.
    """
    if split_model_id(model)[0] in CATALOG.providers:
        return model
    try:
        name, provider, *_ = litellm.get_llm_provider(model)
    except BadRequestError:
        CATALOG.check_provider(model)  # raises with the nearest names
        raise
    return f"{provider}/{name}"


async def rehearse() -> None:
    """Call a model that is not there, so that the first real call finds all imported.

    Half a second of modules are loaded by a first call, and by a first count.
    """
    stream: Any = await litellm.acompletion(
        model="openai/rehearsal",
        messages=[{"role": "user", "content": "Ready?"}],
        mock_response="Ready.",
        stream=True,
    )
    async for _ in stream:
        pass
    await count_tokens("openai/gpt-4o", "Ready?")


async def answer(
    target: Target,
    request: dict[str, Any],
    on_text: Callable[[str], None],
    patience: float,
) -> Ending:
    """Make one call and hand its text on, piece by piece, as it comes.

    `patience` is how long the provider may say nothing, in seconds.

    Raises:
        ModelError: it failed; text handed on before is valid.
    """
    names = {"provider": target.provider, "model": target.model}
    text: list[str] = []
    room = LONGEST_ANSWER

    def take(piece: str) -> None:
        nonlocal room
        if kept := piece[:room]:
            text.append(kept)
            on_text(kept)
            room -= len(kept)
        if len(piece) > len(kept):
            words = f"it does not stop; cut after {LONGEST_ANSWER:,} characters"
            raise failure("malformed", **names, words=words)

    reading = Reading()
    try:
        await _consume(reading, target, request, take, patience)
    except ModelError:
        raise
    except Exception as error:
        raise fault(error, **names, secrets=[target.key]) from error
    whole = "".join(text)
    told, finish = _told(reading.usage), reading.finish_reason
    if (bad := ended_badly(whole, finish, told=told is not None, **names)) is not None:
        raise bad
    return Ending(await _usage(target, request, whole, told), finish)


async def _consume(
    reading: Reading,
    target: Target,
    request: dict[str, Any],
    take: Callable[[str], None],
    patience: float,
) -> None:
    """Read a stream to its end and close it, whatever happens."""
    stream = None
    halves = Surrogates()
    now = asyncio.get_running_loop().time
    try:
        async with asyncio.timeout(patience) as limit:
            stream = await _open(_arguments(target, request, patience))
            if stream is None:  # seen with HTTP 422; it must never pass for an answer
                raise failure("malformed", provider=target.provider, model=target.model)
            async for piece in reading.pieces(stream):
                limit.reschedule(now() + patience)
                take(halves.feed(piece))
        take(halves.end())
    finally:
        # A stream that is merely dropped keeps its connection until it is collected.
        if stream is not None:
            await stream.aclose()


def _told(usage: Any) -> litellm.Usage | None:  # noqa: ANN401 -- as LiteLLM or the OpenAI client has it
    """Return the usage a provider reported in LiteLLM's shape, None for a blank one."""
    if usage is None or not usage.prompt_tokens:
        return None
    if isinstance(usage, litellm.Usage):
        return usage
    return litellm.Usage(**usage.model_dump())


def _arguments(
    target: Target, request: dict[str, Any], patience: float
) -> dict[str, Any]:
    arguments = {
        "model": target.litellm_model,
        "messages": [{"role": "user", "content": request["prompt"]}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "max_retries": 0,
        "num_retries": 0,
        # Ours ends the call; LiteLLM's own default of ten minutes must not do so first.
        "timeout": patience + 5,
        "api_base": target.endpoint,
        "api_key": target.key,
        "max_tokens": request.get("max_tokens"),
        "temperature": request.get("temperature"),
    }
    if target.provider == OLLAMA:
        prompt, answer = request["prompt"], request.get("max_tokens")
        arguments["num_ctx"] = room_for(prompt, answer, target.window)
    return {name: value for name, value in arguments.items() if value is not None}


async def _open(arguments: dict[str, Any]) -> Any:  # noqa: ANN401 -- LiteLLM's stream, which differs by provider
    """Send the request; a model that takes no temperature is asked without one."""
    try:
        return await litellm.acompletion(**arguments)
    except UnsupportedParamsError:  # raised before anything is sent
        if arguments.pop("temperature", None) is None:
            raise
        return await litellm.acompletion(**arguments)


async def _usage(
    target: Target,
    request: dict[str, Any],
    text: str,
    told: litellm.Usage | None,
) -> dict[str, Any]:
    if told is not None:
        prompt, completion = told.prompt_tokens, told.completion_tokens or 0
    else:
        prompt = await count_tokens(target.model, request["prompt"])
        completion = await asyncio.to_thread(
            litellm.token_counter, model=target.model, text=text
        )
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "cost_usd": _cost(target.model, prompt, completion, told),
        "estimated": told is None,
    }


def _cost(
    model: str,
    prompt: int,
    completion: int,
    told: litellm.Usage | None,
) -> float | None:
    """Price a call; None where the bundled map has no price."""
    price = CATALOG.price(model)
    if price is None:
        return None
    if not price.input and not price.output:
        return 0.0
    try:  # LiteLLM knows rebates for cached tokens and steps for long prompts
        costs = litellm.cost_per_token(
            model=model,
            prompt_tokens=prompt,
            completion_tokens=completion,
            usage_object=told,
        )
    except Exception:  # noqa: BLE001 -- it raises bare exceptions; the plain price is near
        return prompt * price.input + completion * price.output
    return sum(costs)


async def count_tokens(model: str, text: str) -> int:
    """Count the tokens of a message, in a thread: long texts take a while."""
    messages: Sequence[dict[str, str]] = [{"role": "user", "content": text}]
    return await asyncio.to_thread(
        litellm.token_counter, model=model, messages=messages
    )
