"""Where the model host works: takes requests, runs each as a task, says how it went."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from writeit.core.errors import ModelError, WriteItError
from writeit.core.run import split_model_id
from writeit.models import embedded_runner, litellm_adapter
from writeit.models.embedded import MODEL, WINDOW, check_usable
from writeit.models.faults import fault
from writeit.models.lanes import Lanes
from writeit.models.listing import Listing
from writeit.models.litellm_adapter import CATALOG, key_missing
from writeit.models.ollama import Ollama
from writeit.models.providers import EMBEDDED, OLLAMA, ollama_url
from writeit.models.target import Target, decide, destination
from writeit.models.wire import Message, error_fields, error_message

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_PATIENCE: Final = 120.0
_BREATH: Final = 0.05
"""Seconds in which requests that came before the host was ready are begun."""
_TEMPLATE_TOKENS: Final = 30
"""What the embedded model's chat template adds to a prompt."""


class Desk:
    """All requests of one host."""

    def __init__(self, say: Callable[[Message], None]) -> None:
        self._say = say
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._embedded = embedded_runner.EmbeddedRunner()
        self._ollama = Ollama()
        self._lanes = Lanes()
        self._work = {
            "start": self._start,
            "measure": self._measure,
            "identify": self._identify,
            "list": self._list,
        }

    def take(self, message: Message) -> None:
        """Begin what is asked, or end it."""
        call_id = message["id"]
        if message["type"] == "cancel":
            if (task := self._tasks.get(call_id)) is not None:
                task.cancel()
            return
        task = asyncio.ensure_future(self._run(call_id, message))
        self._tasks[call_id] = task
        task.add_done_callback(lambda _: self._tasks.pop(call_id))

    async def rehearse(self) -> None:
        """Load what first calls need while there is nothing else to do."""
        await asyncio.sleep(_BREATH)
        if self._tasks:
            return
        try:
            await litellm_adapter.rehearse()
        except Exception as error:  # it only saves time; the first call will tell
            logger.debug("the rehearsal failed", exc_info=error)

    async def _run(self, call_id: int, message: Message) -> None:
        try:
            ending = await self._work[message["type"]](message)
        except WriteItError as error:
            ending = error_message(error)
        except Exception as error:  # the last line: it must reach the server
            logger.debug("a request failed", exc_info=error)
            names = {"provider": "The model host", "model": message.get("model", "")}
            failed = fault(error, **names, secrets=[message.get("key")])
            ending = error_message(failed)
        self._say({**ending, "id": call_id})

    async def _start(self, message: Message) -> Message:
        model = message["model"]
        provider = split_model_id(model)[0]
        if provider == EMBEDDED:
            check_usable(model)
            target = None
        else:
            target = await self._target(message)

        def say_queued(places: int) -> None:
            self._say({**_queued(provider, places), "id": message["id"]})

        async with self._lanes.of(provider).turn(message["run_id"] or "", say_queued):
            if target is None:
                return await self._ask_embedded(message)
            return await self._ask(target, message)

    async def _target(self, message: Message) -> Target:
        target = decide(message["model"], message.get("key"), CATALOG, key_missing)
        if target.provider != OLLAMA:
            return target
        return replace(target, window=await self._window(message))

    async def _ask_embedded(self, message: Message) -> Message:
        server = await self._embedded.endpoint()
        target = Target(
            model=MODEL,
            provider=EMBEDDED,
            litellm_model="openai/embedded",
            endpoint=f"{server.url}/v1",
            key=server.key,
        )
        try:
            return await self._ask(target, message)
        except ModelError:
            await self._embedded.settle()
            raise

    async def _ask(self, target: Target, message: Message) -> Message:
        call_id = message["id"]

        def on_text(text: str) -> None:
            self._say({"type": "delta", "id": call_id, "text": text})

        ending = await litellm_adapter.answer(target, message, on_text, patience())
        return {"type": "done", **dataclasses.asdict(ending)}

    async def _measure(self, message: Message) -> Message:
        model, prompt = message["model"], message["prompt"]
        provider, _ = CATALOG.check_provider(model)
        refusal = refusal_of(model, keyed=message["keyed"])
        if provider == EMBEDDED:
            tokens = await self._embedded_tokens(prompt)
        else:
            tokens = await litellm_adapter.count_tokens(model, prompt)
        price = CATALOG.price(model)
        fit: dict[str, Any] = {
            "prompt_tokens": tokens,
            "context_window": await self._window(message),
            "input_cost_per_token": price and price.input,
            "output_cost_per_token": price and price.output,
            "output_limit": CATALOG.output_limit(model),
            "destination": destination(provider),
            "refusal": refusal and error_fields(refusal),
        }
        return {"type": "measured", "fit": fit}

    async def _window(self, message: Message) -> int | None:
        """Return how many tokens a model reads, None if nobody knows."""
        model = message["model"]
        provider, name = split_model_id(model)
        if provider == EMBEDDED:
            return WINDOW
        if provider == OLLAMA:
            return await self._ollama.window(ollama_url(), name)
        return CATALOG.window(model)

    async def _embedded_tokens(self, prompt: str) -> int:
        """Count as the model does if its server is up, else as LiteLLM would."""
        if (server := self._embedded.running) is not None:
            try:
                count = embedded_runner.count_tokens
                tokens = await asyncio.to_thread(count, server, prompt)
            except (OSError, ValueError) as error:
                logger.debug("the embedded model did not count", exc_info=error)
            else:
                return tokens + _TEMPLATE_TOKENS
        tokens = await litellm_adapter.count_tokens(MODEL, prompt)
        return tokens + _TEMPLATE_TOKENS

    async def _identify(self, message: Message) -> Message:
        model = litellm_adapter.identify(message["model"])
        return {"type": "identified", "model": model}

    async def _list(self, message: Message) -> Message:
        provider = message["provider"]
        url = ollama_url()
        if message["refresh"]:
            self._ollama.forget()
        near = provider in {None, OLLAMA}
        listing = Listing(
            catalog=CATALOG,
            keyed=frozenset(message["keyed"]) & CATALOG.providers,
            ollama=await self._ollama.models(url) if near else None,
            ollama_url=url,
            key_missing=key_missing,
            identify=litellm_adapter.identify,
        )
        models = listing.all(message["named"], provider)
        return {"type": "listed", "models": [dataclasses.asdict(m) for m in models]}


def _queued(provider: str, places: int) -> Message:
    if provider == EMBEDDED:
        says = "The embedded model answers one prompt at a time."
    else:
        says = f"{places} calls to {provider} are on their way, as many as go at a time"
        says += "; this one starts by itself."
    title = "Waiting for its turn"
    return {"type": "notice", "code": "queued", "title": title, "message": says}


def refusal_of(model: str, *, keyed: bool) -> ModelError | None:
    """Return why a call would be refused before anything is sent, None if it would not.

    Raises:
        NotFound: the provider is not known.
    """
    try:
        if model.startswith(f"{EMBEDDED}/"):
            check_usable(model)
        else:
            key = "there is one" if keyed else None
            decide(model, key, CATALOG, key_missing)
    except ModelError as error:
        return error
    return None


def patience() -> float:
    """Return how long a provider may say nothing, in seconds."""
    try:
        return float(os.environ.get("WRITEIT_MODEL_TIMEOUT", _PATIENCE))
    except ValueError:
        return _PATIENCE
