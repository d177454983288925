"""Finds the provider of a name. Needs no LiteLLM."""

from __future__ import annotations

from functools import cache
from typing import Final

from writeit.llm.providers.embedded import EmbeddedProvider
from writeit.llm.providers.ollama import OllamaProvider
from writeit.llm.providers.provider import EMBEDDED, OLLAMA, Provider

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


@cache
def get_provider(name: str) -> Provider:
    """Return the provider with this name; one that LiteLLM does not know, too."""
    if name == EMBEDDED:
        return EmbeddedProvider(name)
    if name in {OLLAMA, "ollama_chat"}:
        return OllamaProvider(name)
    return Provider(name)
