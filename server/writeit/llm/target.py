"""Where a call goes: decided, or refused, before anything is sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from writeit.llm.catalog import ModelCatalog
from writeit.llm.providers.registry import (
    EMBEDDED,
    OLLAMA,
    PLACEHOLDER_KEY,
    check_remote_allowed,
    is_loopback,
    missing_key_error,
    needs_key,
    provider_endpoint,
)

THIS_MACHINE: Final = "this machine"
_DEFAULT_HOSTS: Final = {
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
class CallTarget:
    """One call's way."""

    model: str
    """As the writer names it."""
    provider: str
    litellm_model: str
    """As LiteLLM is asked for it."""
    endpoint: str | None = None
    key: str | None = field(default=None, repr=False)
    context_window: int | None = None
    """Tokens, of Ollama's models: what they can read, if Ollama says so."""


def resolve_target(
    model: str,
    key: str | None,
    catalog: ModelCatalog,
    is_key_missing: Callable[[str], bool],
) -> CallTarget:
    """Decide where a call goes.

    Raises:
        NotFound: the provider is not known.
        ModelError: there is no key, or the call may not leave this machine.
    """
    provider, name = catalog.parse_model_id(model)
    url = provider_endpoint(provider)
    if not key and needs_key(provider):
        if is_loopback(url):
            key = PLACEHOLDER_KEY
        elif is_key_missing(model):
            raise missing_key_error(provider)
    check_remote_allowed(provider, url)
    return CallTarget(
        model=model,
        provider=provider,
        # Ollama's chat endpoint applies the model's own template; the plain one ours.
        litellm_model=f"ollama_chat/{name}" if provider == OLLAMA else model,
        endpoint=url,
        key=key,
    )


def destination_host(provider: str) -> str:
    """Name the host that calls to `provider` are sent to."""
    url = provider_endpoint(provider)
    if provider == EMBEDDED or is_loopback(url):
        return THIS_MACHINE
    return urlsplit(url or "").hostname or _DEFAULT_HOSTS.get(provider, provider)
