"""Add a model: one short call shows that it works, then key and default are saved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from writeit.domain.errors import InvalidParams, ModelError, NotFound
from writeit.ports.models import ModelCall, ModelInfo, Models, TextDelta, ThoughtDelta
from writeit.ports.system import Ports

TRIAL_PROMPT = "Answer with one word: ready"
TRIAL_TOKENS = 16
"""The smallest limit that all providers accept."""
MAX_NAMES = 5
"""How many other models an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewModel:
    """A model to add, and how to reach it."""

    provider: str
    model: str
    """With or without its provider."""
    key: str | None = field(default=None, repr=False)
    base_url: str | None = None
    default: bool = True
    """Whether it becomes the user's default model."""

    @property
    def model_id(self) -> str:
        """`provider/model_name`."""
        return f"{self.provider}/{self.model.removeprefix(f'{self.provider}/')}"


async def add_model(ports: Ports, new: NewModel) -> ModelInfo:
    """Call a model once; if its provider accepts that, save what is needed to use it.

    Raises:
        InvalidParams, NotFound, ModelError: it cannot be used; nothing was saved.
        StoreError: the key or the configuration could not be saved.
    """
    if new.base_url is not None:
        check_address(new.base_url)
    models = ports.models.with_account(new.provider, new.key, new.base_url)
    try:
        model = await models.resolve_model_id(new.model_id)
        await _call_once(models, model, new.provider)
        known = {info.id: info for info in await models.list_models(include=[model])}
    finally:
        await models.close()
    if new.key:
        await asyncio.to_thread(ports.keys.set, new.provider, new.key)
    await asyncio.to_thread(_save, ports, new, model)
    addresses = {new.provider: new.base_url} if new.base_url else {}
    await ports.models.use_account(addresses)
    return known[model]


def check_address(url: str) -> None:
    """Check the address of a server.

    Raises:
        InvalidParams: it is none, or contains a password.
    """
    if _is_address(url):
        return
    raise InvalidParams(
        "This is not the address of a server, or it contains a password.",
        hint="Give one such as http://localhost:1234/v1, and the key by itself.",
        problems=[{"path": "baseUrl", "message": "is not an address"}],
    )


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    is_http = parts.scheme in {"http", "https"}
    return is_http and bool(parts.hostname) and "@" not in parts.netloc


async def _call_once(models: Models, model: str, provider: str) -> None:
    call = ModelCall(model=model, prompt=TRIAL_PROMPT, max_tokens=TRIAL_TOKENS)
    try:
        async with models.stream(call) as items:
            async for item in items:
                if isinstance(item, TextDelta | ThoughtDelta):
                    return
    except NotFound as error:
        raise NotFound(
            f"{error.message} Nothing was saved.",
            hint=await _other_models(models, provider) or error.hint,
        ) from error
    except ModelError as error:
        if error.reason == "empty":  # it was accepted, and all of it was thought
            return
        others = await _other_models(models, provider)
        wrong_name = error.reason in {"not_found", "not_installed", "invalid_request"}
        hint = f"{error.hint} {others}" if wrong_name else error.hint
        data = {k: v for k, v in error.data.items() if k != "reason"}
        raise ModelError(
            f"{error.message} Nothing was saved.",
            reason=error.reason,
            hint=hint.strip(),
            **data,
        ) from error


async def _other_models(models: Models, provider: str) -> str:
    """Name some models of a provider; "" if it lists none."""
    listed = await models.list_models(provider=provider)
    names = [info.id for info in listed if info.available][:MAX_NAMES]
    return f"It lists: {', '.join(names)}." if names else ""


def default_models_change(models: Sequence[Mapping[str, object]]) -> dict[str, object]:
    """Return the change of the user's configuration that sets the default models."""
    return {"models": {"default": [*models]}, "default_model": None}


def _save(ports: Ports, new: NewModel, model: str) -> None:
    changes = default_models_change([{"model": model}]) if new.default else {}
    if new.base_url and new.provider == "ollama":
        changes["ollama_url"] = new.base_url
    elif new.base_url:
        changes["base_urls"] = {new.provider: new.base_url}
    if changes:
        ports.save_user_config(changes)
