"""Where a call goes: decided, or refused, before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from writeit.models.providers import (
    EMBEDDED,
    LOCAL_KEY,
    OLLAMA,
    endpoint,
    is_loopback,
    needs_key,
    no_key,
    refuse_remote,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.models.catalog import Catalog

HERE: Final = "this machine"
_USUAL_HOSTS: Final = {
    "openai": "api.openai.com",
    "anthropic": "api.anthropic.com",
    "gemini": "generativelanguage.googleapis.com",
    "mistral": "api.mistral.ai",
    "groq": "api.groq.com",
    "openrouter": "openrouter.ai",
    "deepseek": "api.deepseek.com",
    "xai": "api.x.ai",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One call's way."""

    model: str
    """As the writer names it."""
    provider: str
    litellm_model: str
    """As LiteLLM is asked for it."""
    endpoint: str | None = None
    key: str | None = field(default=None, repr=False)
    window: int | None = None
    """Tokens, of Ollama's models: what they can read, if Ollama says so."""


def decide(
    model: str,
    key: str | None,
    catalog: Catalog,
    key_missing: Callable[[str], bool],
) -> Target:
    """Decide where a call goes.

    Raises:
        NotFound: the provider is not known.
        ModelError: there is no key, or the call may not leave this machine.
    """
    provider, name = catalog.check_provider(model)
    url = endpoint(provider)
    if not key and needs_key(provider):
        if is_loopback(url):
            key = LOCAL_KEY
        elif key_missing(model):
            raise no_key(provider)
    refuse_remote(provider, url)
    return Target(
        model=model,
        provider=provider,
        # Ollama's chat endpoint applies the model's own template; the plain one ours.
        litellm_model=f"ollama_chat/{name}" if provider == OLLAMA else model,
        endpoint=url,
        key=key,
    )


def destination(provider: str) -> str:
    """Name the host that calls to `provider` are sent to."""
    url = endpoint(provider)
    if provider == EMBEDDED or is_loopback(url):
        return HERE
    return urlsplit(url or "").hostname or _USUAL_HOSTS.get(provider, provider)
