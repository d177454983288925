"""Names, keys and endpoints of providers, as far as they need no LiteLLM to be known.

Everything here reads the environment only; a workspace can set none of it.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from writeit.domain.errors import ModelError

EMBEDDED: Final = "embedded"
OLLAMA: Final = "ollama"

WELL_KNOWN_PROVIDERS: Final = (
    "openai",
    "anthropic",
    "gemini",
    "mistral",
    "groq",
    "xai",
    "deepseek",
    "openrouter",
    "cohere",
    "together_ai",
    "fireworks_ai",
    "perplexity",
    "azure",
    "cerebras",
    "deepinfra",
    "huggingface",
    "moonshot",
    "nvidia_nim",
)
"""Providers whose keys are looked for when models are listed."""

_KEY_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "huggingface": ("HUGGINGFACE_API_KEY", "HF_TOKEN"),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
}
"""Where the usual variable is not `<PROVIDER>_API_KEY`; the first is the one named."""

OLLAMA_URL_VARIABLE: Final = "WRITEIT_OLLAMA_URL"
"""Set for the model host to what the user's own configuration says."""

PLACEHOLDER_KEY: Final = "local"
"""Sent where a server on this machine is asked without a key."""


def key_variables(provider: str) -> tuple[str, ...]:
    """Return the environment variables that may hold the key of `provider`."""
    plain = provider.upper().replace("-", "_") + "_API_KEY"
    return _KEY_VARIABLES.get(provider, (plain,))


def needs_key(provider: str) -> bool:
    """Say whether it makes sense to look for a key of `provider` at all."""
    return provider not in {EMBEDDED, OLLAMA, "ollama_chat"}


def missing_key_error(provider: str) -> ModelError:
    """Build the error for a provider that has no key."""
    return ModelError(
        f"There is no API key for {provider}.",
        reason="auth",
        hint=missing_key_hint(provider),
        provider=provider,
    )


def missing_key_hint(provider: str) -> str:
    """Say how to give `provider` a key."""
    variable = key_variables(provider)[0]
    return f"Set {variable}, or run: writeit keys set {provider}"


def ollama_url() -> str:
    """Return where Ollama is expected to answer."""
    for variable in (OLLAMA_URL_VARIABLE, "OLLAMA_API_BASE", "OLLAMA_HOST"):
        value = os.environ.get(variable, "").strip()
        if value:
            return _complete_ollama_url(value)
    return "http://localhost:11434"


def _complete_ollama_url(value: str) -> str:
    """Complete an `OLLAMA_HOST`, which may be no more than a host or `:port`."""
    parts = urlsplit(value if "//" in value else f"http://{value}")
    host = parts.hostname or "localhost"
    host = "localhost" if host == "0.0.0.0" else host  # noqa: S104 -- what Ollama binds to is not where one calls it
    host = f"[{host}]" if ":" in host else host
    port = parts.port or {"https": 443}.get(parts.scheme, 11434)
    return f"{parts.scheme}://{host}:{port}{parts.path.rstrip('/')}"


def provider_endpoint(provider: str) -> str | None:
    """Return the endpoint that is set for `provider` by the environment, or None."""
    if provider in {OLLAMA, "ollama_chat"}:
        return ollama_url()
    name = provider.upper().replace("-", "_")
    for variable in (f"{name}_BASE_URL", f"{name}_API_BASE"):
        value = os.environ.get(variable, "").strip()
        if value:
            return value
    return None


def is_loopback(url: str | None) -> bool:
    """Say whether `url` is on this machine."""
    host = urlsplit(url or "").hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_remote_allowed(provider: str, url: str | None) -> None:
    """Refuse a call that would leave the machine where only loopback is allowed.

    Test-suites set `WRITEIT_ALLOW_MODEL_REQUESTS=loopback`, so that no test ever
    reaches a real provider by accident.

    Raises:
        ModelError: the call is not allowed.
    """
    if os.environ.get("WRITEIT_ALLOW_MODEL_REQUESTS") != "loopback" or is_loopback(url):
        return
    raise ModelError(
        f"Calls to {provider} are switched off here: only loopback may be asked.",
        reason="invalid_request",
        hint="WRITEIT_ALLOW_MODEL_REQUESTS is set to 'loopback'; unset it.",
        provider=provider,
    )
