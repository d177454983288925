"""Windows and prices from LiteLLM's bundled map, and the list of usable models.

The map is passed in, so that this module needs no LiteLLM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final

from writeit.domain.errors import NotFound
from writeit.domain.run import split_model_id
from writeit.llm.providers.embedded import CONTEXT_TOKENS, EMBEDDED_MODEL, why_unusable
from writeit.llm.providers.provider import (
    EMBEDDED,
    OLLAMA,
    is_loopback,
    missing_key_hint,
)
from writeit.llm.providers.registry import WELL_KNOWN_PROVIDERS, get_provider
from writeit.ports.models import ModelInfo

_CHAT_MODES: Final = frozenset({"chat", "responses"})
"""The map's modes of models that answer a message."""


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """US dollars a token."""

    input_cost: float
    output_cost: float


class ModelCatalog:
    """Looks up models in the bundled map."""

    def __init__(
        self, entries: Mapping[str, Mapping[str, Any]], providers: Iterable[str]
    ) -> None:
        self._entries = entries
        self.providers = frozenset(providers) | {EMBEDDED}

    def parse_model_id(self, model: str) -> tuple[str, str]:
        """Split a model id.

        Raises:
            NotFound: it names no provider or an unknown one.
        """
        provider, name = split_model_id(model)
        if not name:
            raise NotFound(
                f"The model {model} names no provider.",
                hint="Write provider/model, as in 'openai/gpt-4o'.",
            )
        if provider not in self.providers:
            raise unknown_provider_error(provider, self.providers)
        return provider, name

    def entry(self, model: str) -> Mapping[str, Any]:
        """Return a model's entry in the map; empty if it has none."""
        provider, name = split_model_id(model)
        if model in self._entries:
            return self._entries[model]
        entry = self._entries.get(name, {})
        return entry if entry.get("litellm_provider") == provider else {}

    def context_window(self, model: str) -> int | None:
        """Return a model's context window in tokens; None if unknown."""
        entry = self.entry(model)
        return _parse_count(entry.get("max_input_tokens") or entry.get("max_tokens"))

    def output_limit(self, model: str) -> int | None:
        """Return the longest answer of a model in tokens; None if unknown."""
        return _parse_count(self.entry(model).get("max_output_tokens"))

    def price(self, model: str) -> TokenPrice | None:
        """Return the price of a token; None if unknown."""
        if get_provider(split_model_id(model)[0]).is_free:
            return TokenPrice(0.0, 0.0)
        entry = self.entry(model)
        prices = (
            entry.get("input_cost_per_token"),
            entry.get("output_cost_per_token"),
        )
        if prices[0] is None or prices[1] is None:
            return None
        return TokenPrice(float(prices[0]), float(prices[1]))

    def chat_models(self, provider: str) -> list[str]:
        """Return the ids of a provider's chat models."""
        names = (
            name.removeprefix(f"{provider}/")
            for name, entry in self._entries.items()
            if entry.get("litellm_provider") == provider
            and entry.get("mode") in _CHAT_MODES
        )
        return sorted({f"{provider}/{name}" for name in names})


def unknown_provider_error(provider: str, known: Iterable[str]) -> NotFound:
    """Build the error for an unknown provider."""
    near = get_close_matches(provider, sorted(known), n=3, cutoff=0.6)
    return NotFound.with_suggestions(
        "provider", provider, near or [EMBEDDED, OLLAMA, *WELL_KNOWN_PROVIDERS[:3]]
    )


def _parse_count(value: object) -> int | None:
    """Return a count, or None; some values in the map are sentences."""
    if isinstance(value, int | float):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdigit() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelLister:
    """Lists models and says why some cannot be used."""

    catalog: ModelCatalog
    providers_with_keys: frozenset[str]
    """Providers that have a key."""
    ollama_models: Sequence[str] | None
    """The models Ollama has; None if it does not answer."""
    ollama_url: str
    is_key_missing: Callable[[str], bool]
    """Whether a model of a provider without a key needs one."""
    resolve_model_id: Callable[[str], str]
    """Completes bare names."""

    def list_models(
        self, include: Iterable[str], provider: str | None
    ) -> list[ModelInfo]:
        """List the default models, or all models of one provider.

        Raises:
            NotFound: the provider is not known.
        """
        if provider is not None:
            if provider not in self.catalog.providers:
                raise unknown_provider_error(provider, self.catalog.providers)
            ids: Iterable[str] = [
                *self._provider_ids(provider),
                *_filter_by_provider(include, provider),
            ]
        else:
            ids = self._default_ids(include)
        return [self.model_info(model) for model in dict.fromkeys(ids)]

    def _default_ids(self, include: Iterable[str]) -> Iterator[str]:
        yield EMBEDDED_MODEL
        yield from self._provider_ids(OLLAMA)
        yield from map(self._resolve_or_keep, include)
        for provider in sorted(self.providers_with_keys):
            yield from self._provider_ids(provider)

    def _resolve_or_keep(self, name: str) -> str:
        try:
            return self.resolve_model_id(name)
        except NotFound:
            return name  # listed with the reason why it cannot be used

    def _provider_ids(self, provider: str) -> list[str]:
        if provider == EMBEDDED:
            return [EMBEDDED_MODEL]
        if provider == OLLAMA:
            return [f"{OLLAMA}/{name}" for name in self.ollama_models or ()]
        return self.catalog.chat_models(provider)

    def model_info(self, model: str) -> ModelInfo:
        """Describe one model."""
        provider = split_model_id(model)[0]
        reason = self._why_unusable(model)
        price = self.catalog.price(model)
        return ModelInfo(
            id=model,
            provider=provider,
            available=reason is None,
            reason=reason,
            context_window=CONTEXT_TOKENS
            if provider == EMBEDDED
            else self.catalog.context_window(model),
            input_cost_per_token=None if price is None else price.input_cost,
            output_cost_per_token=None if price is None else price.output_cost,
        )

    def _why_unusable(self, model: str) -> str | None:
        """Return why a model cannot be used and what to do; None if it can."""
        try:
            provider, name = self.catalog.parse_model_id(model)
        except NotFound as error:
            return f"{error.message} {error.hint}"
        if provider == EMBEDDED:
            return why_unusable(model)
        if provider == OLLAMA:
            return self._why_ollama_unusable(name)
        if provider in self.providers_with_keys or is_loopback(
            get_provider(provider).endpoint()
        ):
            return None
        if self.is_key_missing(model):
            return f"There is no API key for {provider}. {missing_key_hint(provider)}"
        return None

    def _why_ollama_unusable(self, name: str) -> str | None:
        if self.ollama_models is None:
            return (
                f"Ollama does not answer at {self.ollama_url}. Start it: ollama serve"
            )
        if name in self.ollama_models or f"{name}:latest" in self.ollama_models:
            return None
        return f"Ollama does not have {name!r}. Fetch it: ollama pull {name}"


def _filter_by_provider(include: Iterable[str], provider: str) -> list[str]:
    return [model for model in include if split_model_id(model)[0] == provider]
