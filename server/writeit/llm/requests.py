"""Handles the requests of the model host, each in a task."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from collections.abc import Callable
from typing import Any, Final

from writeit.domain.errors import ModelError, NotFound, WriteItError
from writeit.domain.model_id import split_model_id
from writeit.llm.calls import AnswerCall, load_litellm
from writeit.llm.catalog import ModelCatalog, ModelLister
from writeit.llm.concurrency import ProviderLimiters
from writeit.llm.errors import to_model_error
from writeit.llm.model_lists import ServerList
from writeit.llm.parameters import learned_of
from writeit.llm.price_map import PriceMap, read_provider_names, thinks_by_default
from writeit.llm.process import HostMessage, error_fields, error_message
from writeit.llm.providers import embedded
from writeit.llm.providers.embedded import EMBEDDED_MODEL, check_usable
from writeit.llm.providers.ollama import OLLAMA_API, OllamaProvider
from writeit.llm.providers.provider import EMBEDDED, OLLAMA, CallTarget
from writeit.llm.providers.registry import get_provider
from writeit.text.thoughts import estimated_tokens

logger = logging.getLogger(__name__)

CATALOG: Final = ModelCatalog(PriceMap(), read_provider_names)
_CHAT_TEMPLATE_TOKENS: Final = 30
"""What the embedded model's chat template adds to a prompt."""

_LIST_WAIT_SECONDS: Final = 1.0
"""How long an estimate waits for a server's own list."""


class RequestHandler:
    """All requests of one host."""

    def __init__(self, send: Callable[[HostMessage], None]) -> None:
        self._send = send
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._embedded = embedded.EmbeddedRunner()
        self._limiters = ProviderLimiters()
        self._learning: set[asyncio.Future[ServerList | None]] = set()
        self._handlers = {
            "start": self._handle_start,
            "measure": self._handle_measure,
            "identify": self._handle_identify,
            "list": self._handle_list,
            "configure": self._handle_configure,
        }

    def handle(self, message: HostMessage) -> None:
        """Start a request, or cancel one."""
        call_id = message["id"]
        if message["type"] == "cancel":
            if (task := self._tasks.get(call_id)) is not None:
                task.cancel()
            return
        task = asyncio.ensure_future(self._handle_request(call_id, message))
        self._tasks[call_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(call_id))

    async def _handle_request(self, call_id: int, message: HostMessage) -> None:
        try:
            ending = await self._handlers[message["type"]](message)
        except WriteItError as error:
            ending = error_message(error)
        except Exception as error:  # the last line: it must reach the server
            logger.debug("a request failed", exc_info=error)
            target = CallTarget(
                model=message.get("model", ""),
                provider="The process that calls models",
                dialect="openai",
                key=message.get("key"),
            )
            ending = error_message(to_model_error(error, target))
        self._send({**ending, "id": call_id})

    async def _handle_start(self, message: HostMessage) -> HostMessage:
        model = message["model"]
        provider = split_model_id(model)[0]
        if provider == EMBEDDED:
            check_usable(model)
            target = None
        else:
            target = await resolve_target(model, message.get("key"))

        def say_queued(places: int) -> None:
            self._send({**_queued_message(provider, places), "id": message["id"]})

        async with self._limiters.for_provider(provider).slot(
            message["run_id"] or "", say_queued
        ):
            if target is None:
                return await self._call_embedded(message)
            return await self._call_provider(target, message)

    async def _call_embedded(self, message: HostMessage) -> HostMessage:
        server = await self._embedded.ensure_running()
        target = CallTarget(
            model=EMBEDDED_MODEL,
            provider=EMBEDDED,
            dialect="openai",
            endpoint=f"{server.url}/v1",
            key=server.key,
        )
        try:
            return await self._call_provider(target, message)
        except ModelError:
            await self._embedded.wait_for_exit()
            raise

    async def _call_provider(
        self, target: CallTarget, message: HostMessage
    ) -> HostMessage:
        model = message["model"]
        call = AnswerCall(
            target,
            message,
            CATALOG.entry(model),
            CATALOG.output_limit(model),
            self._send,
        )
        return await call.run()

    async def _handle_measure(self, message: HostMessage) -> HostMessage:
        model, prompt = message["model"], message["prompt"]
        provider, _ = CATALOG.parse_model_id(model)
        facts = await provider_facts(provider)
        if provider != OLLAMA:  # its own client asks for the one model
            learning = asyncio.ensure_future(
                CATALOG.lists.learn(provider, message.get("key"))
            )
            self._learning.add(learning)
            learning.add_done_callback(self._learning.discard)
            # It goes on if it takes longer; a call must not wait for a list.
            await asyncio.wait({learning}, timeout=_LIST_WAIT_SECONDS)
        refusal = call_refusal(model, facts, has_key=message.get("key") is not None)
        if provider == EMBEDDED:
            tokens = await self._count_embedded_tokens(prompt)
        else:
            tokens = estimated_tokens(prompt)
        price = CATALOG.price(model)
        fit: dict[str, Any] = {
            "prompt_tokens": tokens,
            "context_window": await context_window(model),
            "input_cost_per_token": price and price.input_cost,
            "output_cost_per_token": price and price.output_cost,
            "output_limit": CATALOG.output_limit(model),
            "destination": get_provider(provider).destination(facts.endpoint(model)),
            **await thinking_of(model),
            "refusal": refusal and error_fields(refusal),
        }
        return {"type": "measured", "fit": fit}

    async def _count_embedded_tokens(self, prompt: str) -> int:
        """Count as the model does if its server is up, else estimate."""
        if (server := self._embedded.running_endpoint) is not None:
            try:
                count = embedded.count_server_tokens
                tokens = await asyncio.to_thread(count, server, prompt)
            except (OSError, ValueError) as error:
                logger.debug("the embedded model did not count", exc_info=error)
            else:
                return tokens + _CHAT_TEMPLATE_TOKENS
        return estimated_tokens(prompt) + _CHAT_TEMPLATE_TOKENS

    async def _handle_identify(self, message: HostMessage) -> HostMessage:
        model = await resolve_model_id(message["model"])
        return {"type": "identified", "model": model}

    async def _handle_configure(self, message: HostMessage) -> HostMessage:
        os.environ.update(message["environment"])
        return {"type": "configured"}

    async def _handle_list(self, message: HostMessage) -> HostMessage:
        provider, keys = message["provider"], message["keys"]
        if message["refresh"]:
            OLLAMA_API.clear_cache()
        asked = CATALOG.providers if provider is None else {provider}
        await asyncio.gather(
            *(
                CATALOG.lists.learn(each, keys.get(each), refresh=message["refresh"])
                for each in asked & CATALOG.providers
            )
        )
        facts = await provider_facts(provider or OLLAMA)
        named = [await _resolve_or_keep(name) for name in message["named"]]
        listing = ModelLister(
            catalog=CATALOG,
            providers_with_keys=frozenset(keys) & CATALOG.providers,
            is_key_missing=facts.is_key_missing,
        )
        models = listing.list_models(named, provider, all_models=message["all"])
        return {"type": "listed", "models": [dataclasses.asdict(m) for m in models]}


async def context_window(model: str) -> int | None:
    """Return a model's context window in tokens; None if unknown."""
    provider, name = split_model_id(model)
    return await get_provider(provider).context_window(
        name, CATALOG.context_window(model)
    )


async def thinking_of(model: str) -> dict[str, bool]:
    """Return whether a model is known to think, and can be told how long."""
    provider, name = split_model_id(model)
    found = get_provider(provider)
    if isinstance(found, OllamaProvider):
        thinks = await OLLAMA_API.can_think(found.endpoint(), name)
        return {"thinks": thinks, "takes_reasoning": thinks}
    entry = CATALOG.entry(model)
    known = learned_of(found.call_endpoint(), model, entry)
    return {
        "thinks": thinks_by_default(model, entry) or known.thinks,
        "takes_reasoning": "reasoning" not in known.dropped,
    }


@dataclasses.dataclass(frozen=True, slots=True)
class ProviderFacts:
    """What LiteLLM knows of a provider; loaded only for those that need it."""

    endpoint: Callable[[str], str | None]
    """Where it sends calls of a model; None if only a call shows it."""
    is_key_missing: Callable[[str], bool]
    """Whether a model needs a key."""


_KNOWN_FACTS: Final = ProviderFacts(lambda _: None, lambda _: True)


async def provider_facts(provider: str) -> ProviderFacts:
    """Return what is known of a provider without a call."""
    if get_provider(provider).is_known or provider not in CATALOG.providers:
        return _KNOWN_FACTS
    backend = await load_litellm()
    return ProviderFacts(backend.default_endpoint, backend.is_key_missing)


async def resolve_model_id(model: str) -> str:
    """Return the full id of a model id or a bare LiteLLM name.

    Raises:
        NotFound: no provider is known for it.
    """
    provider, name = split_model_id(model)
    if CATALOG.is_provider(provider):
        if not name.strip():
            raise NotFound(
                f"The model id {model!r} names no model of {provider}.",
                hint="Write provider/model, as in 'openai/gpt-4o'.",
            )
        return model
    if "/" not in model and (full := CATALOG.full_id(model)) is not None:
        return full
    found: str | None = (await load_litellm()).find_provider(model)
    if found is None:
        CATALOG.parse_model_id(model)  # raises with the nearest names
    return found or model


async def _resolve_or_keep(model: str) -> str:
    try:
        return await resolve_model_id(model)
    except NotFound:
        return model  # listed with the reason why it cannot be used


async def resolve_target(model: str, key: str | None) -> CallTarget:
    """Return where a call goes.

    Raises:
        NotFound: the provider is not known.
        ModelError: there is no key, or the call may not leave this machine.
    """
    provider, _ = CATALOG.parse_model_id(model)
    facts = await provider_facts(provider)
    return await get_provider(provider).target(
        model,
        key,
        CATALOG.context_window(model),
        facts.is_key_missing,
        facts.endpoint(model),
    )


def _queued_message(provider: str, limit: int) -> HostMessage:
    if provider == EMBEDDED:
        says = "The embedded model answers one prompt at a time."
    else:
        says = f"{limit} calls to {provider} are in progress, which is the limit"
        says += ". This one starts automatically."
    title = "Waiting for its turn"
    return {"type": "notice", "code": "queued", "title": title, "message": says}


def call_refusal(
    model: str, facts: ProviderFacts, *, has_key: bool
) -> ModelError | None:
    """Return why a call would be refused before anything is sent, None if it would not.

    Raises:
        NotFound: the provider is not known.
    """
    try:
        if model.startswith(f"{EMBEDDED}/"):
            check_usable(model)
        else:
            provider, _ = CATALOG.parse_model_id(model)
            key = "unused" if has_key else None
            get_provider(provider).check_call(
                model, key, facts.is_key_missing, facts.endpoint(model)
            )
    except ModelError as error:
        return error
    return None
