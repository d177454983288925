"""Which models there are to choose from, and why some cannot be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core.errors import NotFound
from writeit.core.run import split_model_id
from writeit.models.catalog import unknown_provider
from writeit.models.embedded import MODEL, WINDOW, unusable
from writeit.models.providers import EMBEDDED, OLLAMA, is_loopback, no_key_hint
from writeit.models.providers import endpoint as endpoint_of
from writeit.ports import ModelInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from writeit.models.catalog import Catalog


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a list is made from."""

    catalog: Catalog
    keyed: frozenset[str]
    """Providers that have a key."""
    ollama: Sequence[str] | None
    """The models Ollama has; None if it does not answer."""
    ollama_url: str
    key_missing: Callable[[str], bool]
    """Whether a model of a provider without a key needs one."""
    identify: Callable[[str], str]
    """Completes bare names."""

    def all(self, named: Iterable[str], provider: str | None) -> list[ModelInfo]:
        """List everything that is near, or everything of one provider.

        Raises:
            NotFound: the provider is not known.
        """
        if provider is not None:
            if provider not in self.catalog.providers:
                raise unknown_provider(provider, self.catalog.providers)
            ids: Iterable[str] = [*self._of(provider), *_having(named, provider)]
        else:
            ids = self._near(named)
        return [self.info(model) for model in dict.fromkeys(ids)]

    def _near(self, named: Iterable[str]) -> Iterator[str]:
        yield MODEL
        yield from self._of(OLLAMA)
        yield from map(self._identified, named)
        for provider in sorted(self.keyed):
            yield from self._of(provider)

    def _identified(self, name: str) -> str:
        try:
            return self.identify(name)
        except NotFound:
            return name  # listed as it is, with the reason why it cannot be used

    def _of(self, provider: str) -> list[str]:
        if provider == EMBEDDED:
            return [MODEL]
        if provider == OLLAMA:
            return [f"{OLLAMA}/{name}" for name in self.ollama or ()]
        return self.catalog.chat_models(provider)

    def info(self, model: str) -> ModelInfo:
        """Describe one model."""
        provider = split_model_id(model)[0]
        reason = self._unusable(model)
        price = self.catalog.price(model)
        return ModelInfo(
            id=model,
            provider=provider,
            available=reason is None,
            reason=reason,
            context_window=WINDOW
            if provider == EMBEDDED
            else self.catalog.window(model),
            input_cost_per_token=None if price is None else price.input,
            output_cost_per_token=None if price is None else price.output,
        )

    def _unusable(self, model: str) -> str | None:
        """Say why `model` cannot be used, and what to do about it."""
        try:
            provider, name = self.catalog.check_provider(model)
        except NotFound as error:
            return f"{error.message} {error.hint}"
        if provider == EMBEDDED:
            return unusable(model)
        if provider == OLLAMA:
            return self._ollama_unusable(name)
        if provider in self.keyed or is_loopback(endpoint_of(provider)):
            return None
        if self.key_missing(model):
            return f"There is no API key for {provider}. {no_key_hint(provider)}"
        return None

    def _ollama_unusable(self, name: str) -> str | None:
        if self.ollama is None:
            return (
                f"Ollama does not answer at {self.ollama_url}. Start it: ollama serve"
            )
        if name in self.ollama or f"{name}:latest" in self.ollama:
            return None
        return f"Ollama does not have {name!r}. Fetch it: ollama pull {name}"


def _having(named: Iterable[str], provider: str) -> list[str]:
    return [model for model in named if split_model_id(model)[0] == provider]
