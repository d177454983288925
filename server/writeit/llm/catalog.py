"""Windows and prices from LiteLLM's bundled map, and the list of usable models.

The map is passed in, so that this module needs no LiteLLM.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from difflib import get_close_matches
from functools import cached_property
from typing import Any, Final

from writeit.domain.errors import ModelError, NotFound
from writeit.domain.model_id import EDITOR, split_model_id
from writeit.llm.model_lists import ModelLists, not_running_reason, writes_text
from writeit.llm.providers.embedded import CONTEXT_TOKENS, EMBEDDED_MODEL, why_unusable
from writeit.llm.providers.provider import (
    EMBEDDED,
    OLLAMA,
    is_loopback,
    missing_key_hint,
)
from writeit.llm.providers.registry import WELL_KNOWN_PROVIDERS, get_provider
from writeit.ports.models import ModelInfo

SHORT_LIST: Final = 12
"""How many models of a provider are listed unless all are asked for."""
LONG_LIST: Final = 40
"""The same where the provider's server lists them itself."""
_SPECIAL: Final = re.compile(
    r"^ft:|(?:^|[/_.:-])(?:beta|code\w*|codex|cyber|deep-research|devstral|exp"
    r"|experimental|latest|preview|search|vibe)(?=$|[/_.:-])|[-@](?:20)?\d{2}[-]?\d{2}"
    r"(?:-?\d{2})?(?=$|-)"
)
"""Names that a short list leaves out: for other purposes, previews, dated snapshots."""
_VERSION: Final = re.compile(
    r"(?<![\d.])(\d{1,2})(?:[.-](\d{1,2}))?(?![\d.]|b\b)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class TokenPrice:
    """US dollars a token."""

    input_cost: float
    output_cost: float


class ModelCatalog:
    """Looks up models in the bundled map."""

    def __init__(
        self,
        entries: Mapping[str, Mapping[str, Any]],
        read_providers: Callable[[], Iterable[str]],
    ) -> None:
        self._entries = entries
        self.lists = ModelLists()
        """What servers said themselves, which goes before the map."""
        self._read_providers = read_providers

    @cached_property
    def providers(self) -> frozenset[str]:
        """The names of all providers."""
        return frozenset(self._read_providers()) | {EMBEDDED, EDITOR}

    def is_provider(self, name: str) -> bool:
        """Return whether there is a provider with this name."""
        return get_provider(name).is_known or name in self.providers

    def full_id(self, name: str) -> str | None:
        """Return the id of a model that the map has by its name alone."""
        provider = self._entries.get(name, {}).get("litellm_provider")
        return f"{provider}/{name}" if provider in self.providers else None

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
        if not self.is_provider(provider):
            raise unknown_provider_error(provider, self.providers)
        return provider, name

    def entry(self, model: str) -> Mapping[str, Any]:
        """Return what the map and the model's server say; empty if nothing."""
        told = self.lists.entry(model)
        return {**self._map_entry(model), **told} if told else self._map_entry(model)

    def _map_entry(self, model: str) -> Mapping[str, Any]:
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

    def text_models(self, provider: str) -> list[str]:
        """Return the ids of a provider's models that write text, newest first.

        They come from the map.
        """
        ids = {
            f"{provider}/{name.removeprefix(f'{provider}/')}"
            for name, entry in self._entries.items()
            if entry.get("litellm_provider") == provider
            and entry.get("mode")
            and writes_text(name, entry)
            and not _is_past(entry.get("deprecation_date"))
        }
        return sorted(ids, key=lambda model: (-_version_of(model), model))


def short_list(models: list[str]) -> list[str]:
    """Return the few models that most users look for."""
    common = [model for model in models if not _SPECIAL.search(model)]
    return (common or models)[:SHORT_LIST]


def _version_of(model: str) -> float:
    """Return the version in a model's name, 0 if it has none."""
    found = _VERSION.search(model.partition("/")[2])
    return float(f"{found[1]}.{found[2] or 0}") if found else 0.0


def _is_past(date: object) -> bool:
    today = datetime.now(UTC).date().isoformat()
    return isinstance(date, str) and date < today


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
    is_key_missing: Callable[[str], bool]
    """Whether a model of a provider without a key needs one."""

    def list_models(
        self, include: Iterable[str], provider: str | None, *, all_models: bool = False
    ) -> list[ModelInfo]:
        """List the models of all usable providers, or all models of one provider.

        Of each provider only the common models are listed, unless all are asked for.

        Raises:
            NotFound: the provider is not known.
        """
        if provider is not None:
            if provider not in self.catalog.providers:
                raise unknown_provider_error(provider, self.catalog.providers)
            ids: Iterable[str] = [
                *self._provider_ids(provider, all_models=True),
                *_filter_by_provider(include, provider),
            ]
        else:
            ids = self._default_ids(include, all_models)
        return [self.model_info(model) for model in dict.fromkeys(ids)]

    def _default_ids(self, include: Iterable[str], all_models: bool) -> Iterator[str]:
        yield EMBEDDED_MODEL
        yield from self._provider_ids(OLLAMA, all_models=True)
        yield from include
        asked = {p for p, known in self.catalog.lists.lists.items() if known.entries}
        for provider in sorted(self.providers_with_keys | asked - {OLLAMA}):
            yield from self._provider_ids(provider, all_models=all_models)

    def _provider_ids(self, provider: str, *, all_models: bool) -> list[str]:
        if provider == EMBEDDED:
            return [EMBEDDED_MODEL]
        known = self.catalog.lists.lists.get(provider)
        if known is not None:
            entries = known.entries or {}
            newest = sorted(entries, key=lambda n: -entries[n].get("created", 0))
            ids = [f"{provider}/{name}" for name in newest]
            return ids if all_models else ids[:LONG_LIST]
        models = self.catalog.text_models(provider)
        return models if all_models else short_list(models)

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
        provider, name = split_model_id(model)
        if provider == EMBEDDED:
            return why_unusable(model)
        if provider == OLLAMA:
            return self._why_ollama_unusable(name)
        try:
            self.catalog.parse_model_id(model)
            if provider == EDITOR:
                get_provider(provider).check_call(model, None, self.is_key_missing)
        except (ModelError, NotFound) as error:
            return f"{error.message} {error.hint}"
        known = self.catalog.lists.lists.get(provider)
        if known is not None and (known.problem or known.entries):
            return known.problem
        is_near = is_loopback(get_provider(provider).endpoint())
        if provider in self.providers_with_keys or is_near:
            return None
        missing = f"There is no API key for {provider}. {missing_key_hint(provider)}"
        return missing if self.is_key_missing(model) else None

    def _why_ollama_unusable(self, name: str) -> str | None:
        known = self.catalog.lists.lists.get(OLLAMA)
        if known is None or known.entries is None:
            url = known.url if known else get_provider(OLLAMA).endpoint() or ""
            return not_running_reason(OLLAMA, url)
        if {name, f"{name}:latest"} & known.entries.keys():
            return None
        return f"Ollama does not have {name!r}. Download it: ollama pull {name}"


def _filter_by_provider(include: Iterable[str], provider: str) -> list[str]:
    return [model for model in include if split_model_id(model)[0] == provider]
