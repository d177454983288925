"""What LiteLLM's bundled map knows: providers, windows, prices.

The map comes in as a mapping, so that this file needs no LiteLLM.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

from writeit.core.errors import NotFound
from writeit.core.run import split_model_id
from writeit.models.providers import EMBEDDED, KNOWN, OLLAMA

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FREE: Final = frozenset({EMBEDDED, OLLAMA, "ollama_chat"})
"""Providers on the writer's own machine: what they cost is known to be nothing."""

_TALKING: Final = frozenset({"chat", "responses"})
"""The map's modes of models that answer a message."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars a token."""

    input: float
    output: float


class Catalog:
    """The bundled map, asked by model id."""

    def __init__(
        self, entries: Mapping[str, Mapping[str, Any]], providers: Iterable[str]
    ) -> None:
        self._entries = entries
        self.providers = frozenset(providers) | {EMBEDDED}

    def check_provider(self, model: str) -> tuple[str, str]:
        """Split a model id.

        Raises:
            NotFound: it names no provider, or one that nobody knows.
        """
        provider, name = split_model_id(model)
        if not name:
            raise NotFound(
                f"The model {model!r} names no provider.",
                hint="Write provider/model, as in 'openai/gpt-4o'.",
            )
        if provider not in self.providers:
            raise unknown_provider(provider, self.providers)
        return provider, name

    def entry(self, model: str) -> Mapping[str, Any]:
        """Return what the map says about `model`; nothing if it is not in it."""
        provider, name = split_model_id(model)
        if model in self._entries:
            return self._entries[model]
        entry = self._entries.get(name, {})
        return entry if entry.get("litellm_provider") == provider else {}

    def window(self, model: str) -> int | None:
        """Return how many tokens `model` reads at most, None if nobody knows."""
        entry = self.entry(model)
        return _number(entry.get("max_input_tokens") or entry.get("max_tokens"))

    def output_limit(self, model: str) -> int | None:
        """Return how many tokens an answer of `model` has at most, None if unknown."""
        return _number(self.entry(model).get("max_output_tokens"))

    def price(self, model: str) -> Price | None:
        """Return what a token costs, None if nobody knows."""
        if split_model_id(model)[0] in FREE:
            return Price(0.0, 0.0)
        entry = self.entry(model)
        prices = (
            entry.get("input_cost_per_token"),
            entry.get("output_cost_per_token"),
        )
        if prices[0] is None or prices[1] is None:
            return None
        return Price(float(prices[0]), float(prices[1]))

    def chat_models(self, provider: str) -> list[str]:
        """Return the ids of the models of `provider` that answer messages."""
        names = (
            name.removeprefix(f"{provider}/")
            for name, entry in self._entries.items()
            if entry.get("litellm_provider") == provider
            and entry.get("mode") in _TALKING
        )
        return sorted({f"{provider}/{name}" for name in names})


def unknown_provider(provider: str, known: Iterable[str]) -> NotFound:
    """Build the error for a provider that nobody knows."""
    near = get_close_matches(provider, sorted(known), n=3, cutoff=0.6)
    return NotFound.among("provider", provider, near or [EMBEDDED, OLLAMA, *KNOWN[:3]])


def _number(value: object) -> int | None:
    """Read a count; the map has a few that are sentences."""
    if isinstance(value, int | float):
        return int(value)
    return int(value) if isinstance(value, str) and value.isdigit() else None
