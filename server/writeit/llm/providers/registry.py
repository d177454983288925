"""Finds the provider of a name. Needs no LiteLLM."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Final

from writeit.domain.model_id import EDITOR
from writeit.llm.providers.embedded import EmbeddedProvider
from writeit.llm.providers.ollama import OLLAMA_URL_VARIABLE, OllamaProvider
from writeit.llm.providers.provider import EMBEDDED, OLLAMA, EditorProvider, Provider

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


def endpoint_variables(base_urls: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that set these addresses, where the environment has none."""
    return {
        OLLAMA_URL_VARIABLE
        if name == OLLAMA
        else f"{name.upper().replace('-', '_')}_BASE_URL": url
        for name, url in base_urls.items()
        if name == OLLAMA or get_provider(name).endpoint() is None
    }


@cache
def get_provider(name: str) -> Provider:
    """Return the provider with this name; one that LiteLLM does not know, too."""
    if name == EMBEDDED:
        return EmbeddedProvider(name)
    if name in {OLLAMA, "ollama_chat"}:
        return OllamaProvider(name)
    return EditorProvider(name) if name == EDITOR else Provider(name)
