"""What differs between providers, one method each, and what they share.

Everything here reads the environment only; a workspace can set none of it.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import urlsplit

from writeit.domain.errors import ModelError
from writeit.domain.model_id import EDITOR, THE_EDITOR, THIS_MACHINE, split_model_id

EMBEDDED: Final = "embedded"
OLLAMA: Final = "ollama"

_KEY_VARIABLES: Final[Mapping[str, tuple[str, ...]]] = {
    "gemini": ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    "together_ai": ("TOGETHERAI_API_KEY", "TOGETHER_AI_API_KEY"),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "huggingface": ("HUGGINGFACE_API_KEY", "HF_TOKEN"),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "anthropic": ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
}
"""Where the usual variable is not `<PROVIDER>_API_KEY`; the first is the one named."""

ENDPOINT_SUFFIXES: Final = ("_BASE_URL", "_API_BASE")
"""How the variables of endpoints end; the provider's name is before them."""

PLACEHOLDER_KEY: Final = "local"
"""Sent to a server on this machine that is called without a key."""

_OPENAI_ENDPOINTS: Final[Mapping[str, str | None]] = {
    "openai": "https://api.openai.com/v1",
    "openrouter": "https://openrouter.ai/api/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "groq": "https://api.groq.com/openai/v1",
    "mistral": "https://api.mistral.ai/v1",
    "xai": "https://api.x.ai/v1",
    "together_ai": "https://api.together.xyz/v1",
    "perplexity": "https://api.perplexity.ai",
    "cerebras": "https://api.cerebras.ai/v1",
    "deepinfra": "https://api.deepinfra.com/v1/openai",
    "moonshot": "https://api.moonshot.ai/v1",
    "nvidia_nim": "https://integrate.api.nvidia.com/v1",
    "lm_studio": "http://localhost:1234/v1",
    "llamafile": "http://127.0.0.1:8080/v1",
    "hosted_vllm": None,
    "litellm_proxy": None,
    "custom_openai": None,
}
"""Providers that speak OpenAI's dialect, and where; they need no LiteLLM."""
_DEFAULT_ENDPOINTS: Final[Mapping[str, str | None]] = {
    **_OPENAI_ENDPOINTS,
    "anthropic": "https://api.anthropic.com",
}
"""Where a call goes unless the environment says otherwise."""
_HOSTS: Final = {
    "gemini": "generativelanguage.googleapis.com",
    "vertex_ai": "aiplatform.googleapis.com",
    "bedrock": "amazonaws.com",
    "sagemaker": "amazonaws.com",
    "sagemaker_chat": "amazonaws.com",
    "cohere": "api.cohere.com",
    "cohere_chat": "api.cohere.com",
    "huggingface": "router.huggingface.co",
    "replicate": "api.replicate.com",
    "ai21": "api.ai21.com",
    "cloudflare": "api.cloudflare.com",
    "voyage": "api.voyageai.com",
    "minimax": "api.minimax.io",
    "oci": "oraclecloud.com",
    "ovhcloud": "endpoints.ai.cloud.ovh.net",
    "github_copilot": "api.githubcopilot.com",
    "chatgpt": "chatgpt.com",
    EDITOR: THE_EDITOR,
}
"""Hosts of providers whose address depends on the model or the region."""


Dialect = Literal["openai", "ollama", "litellm"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTarget:
    """Where one call goes, and with which key."""

    model: str
    provider: str
    dialect: Dialect
    endpoint: str | None = None
    key: str | None = field(default=None, repr=False)
    context_window: int | None = None
    """In tokens; None if unknown."""

    @property
    def name(self) -> str:
        """The model's name at its provider."""
        return self.model.partition("/")[2]


class Provider:
    """A provider that LiteLLM knows; subclasses override what differs."""

    needs_key = True
    """Whether a key is looked for at all."""
    is_free = False
    """Whether calls cost nothing, because the model runs on the user's machine."""
    max_calls: int | None = None
    """How many calls it takes at a time; None for the configured limit."""

    def __init__(self, name: str) -> None:
        self.name = name

    def endpoint(self) -> str | None:
        """Return the endpoint set in the environment, or None."""
        name = self.name.upper().replace("-", "_")
        for variable in map(name.__add__, ENDPOINT_SUFFIXES):
            value = os.environ.get(variable, "").strip()
            if value:
                return value
        return None

    def call_endpoint(self, default: str | None = None) -> str | None:
        """Return where calls are sent; None if it depends on the model or region.

        `default` is what LiteLLM says.
        """
        return self.endpoint() or _DEFAULT_ENDPOINTS.get(self.name) or default

    def destination(self, default: str | None = None) -> str:
        """Return the host that calls are sent to, to show it to the user; or "".

        `default` is as for `call_endpoint`.
        """
        endpoint = self.call_endpoint(default)
        if is_loopback(endpoint):
            return THIS_MACHINE
        return urlsplit(endpoint or "").hostname or _HOSTS.get(self.name, "")

    @property
    def dialect(self) -> Dialect:
        """What its server is spoken to in."""
        return "openai" if self.name in _OPENAI_ENDPOINTS else "litellm"

    @property
    def is_known(self) -> bool:
        """Whether its endpoint and key are known without LiteLLM."""
        return self.dialect != "litellm" or self.name in {"anthropic", "gemini", EDITOR}

    async def context_window(self, name: str, known: int | None) -> int | None:
        """Return a model's context window in tokens; `known` is LiteLLM's value."""
        del name
        return known

    async def target(
        self,
        model: str,
        key: str | None,
        known_window: int | None,
        is_key_missing: Callable[[str], bool],
        default: str | None = None,
    ) -> CallTarget:
        """Return where a call goes; `default` is as for `call_endpoint`.

        Raises:
            ModelError: there is no key, or the call may not leave this machine.
        """
        key = self.check_call(model, key, is_key_missing, default)
        return CallTarget(
            model=model,
            provider=self.name,
            dialect=self.dialect,
            endpoint=self.call_endpoint(default),
            key=key,
            context_window=await self.context_window(
                split_model_id(model)[1], known_window
            ),
        )

    def check_call(
        self,
        model: str,
        key: str | None,
        is_key_missing: Callable[[str], bool],
        default: str | None = None,
    ) -> str | None:
        """Return the key that a call is made with.

        Raises:
            ModelError: there is no key or no known host, or the call may not leave
                this machine.
        """
        endpoint = self.call_endpoint(default)
        if not self.destination(default):
            raise _unknown_host_error(self.name)
        if not key and self.needs_key:
            if is_loopback(endpoint):
                key = PLACEHOLDER_KEY
            elif is_key_missing(model):
                raise missing_key_error(self.name)
        check_remote_allowed(self.name, endpoint)
        return key


class EditorProvider(Provider):
    """Models of an editor; what is called here has no editor that has them."""

    needs_key = False

    def check_call(self, model: str, *_: object) -> str | None:
        """Refuse the call.

        Raises:
            ModelError: always.
        """
        raise ModelError(
            f"{model} is a model of VS Code, and no VS Code that shares its models is"
            " connected. Nothing was sent.",
            reason="not_running",
            hint="Generate in VS Code with the WriteIt extension, or choose another"
            " model.",
            provider=self.name,
        )


def providers_with_endpoint(environment: Mapping[str, str]) -> set[str]:
    """Return the providers, known or not, whose endpoint an environment sets."""
    return {
        variable.removesuffix(suffix).lower()
        for variable, value in environment.items()
        for suffix in ENDPOINT_SUFFIXES
        if variable.endswith(suffix) and value.strip()
    }


def key_variables(provider: str) -> tuple[str, ...]:
    """Return the environment variables that may hold the key of `provider`."""
    plain = provider.upper().replace("-", "_") + "_API_KEY"
    return _KEY_VARIABLES.get(provider, (plain,))


def _unknown_host_error(provider: str) -> ModelError:
    variable = provider.upper().replace("-", "_") + "_BASE_URL"
    return ModelError(
        f"Nothing was sent: no address is set for {provider}.",
        reason="invalid_request",
        hint=f"Set {variable} to the address of its server.",
        provider=provider,
    )


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
        f"Calls to {provider} are switched off here: only loopback may be called.",
        reason="invalid_request",
        hint="WRITEIT_ALLOW_MODEL_REQUESTS is set to 'loopback'; unset it.",
        provider=provider,
    )
