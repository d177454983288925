"""Prices, limits and provider names from LiteLLM's own files, without importing it.

Importing LiteLLM takes seconds; one entry of its price map is read in milliseconds.
"""

from __future__ import annotations

import importlib.util
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

MAX_TOKENS: Final = 100_000_000
"""More in one call is an error of the provider; such numbers are not used."""
MAX_COST: Final = 10_000
"""As `MAX_TOKENS`, in US dollars."""
_PROVIDER_CLASS: Final = re.compile(
    r"^class LlmProviders\(.*?(?=^\S)", re.MULTILINE | re.DOTALL
)
_PROVIDER_VALUE: Final = re.compile(r'^    \w+ = "([^"]+)"', re.MULTILINE)


def litellm_file(*names: str) -> Path:
    """Return the path of a file in LiteLLM's package."""
    spec = importlib.util.find_spec("litellm")
    assert spec is not None  # noqa: S101 -- a dependency of this package
    assert spec.origin is not None  # noqa: S101 -- as above
    return Path(spec.origin).parent.joinpath(*names)


def read_provider_names() -> frozenset[str]:
    """Return the names of all providers that LiteLLM knows, from its source."""
    source = litellm_file("types", "utils.py").read_text("utf-8")
    found = _PROVIDER_CLASS.search(source)
    return frozenset(_PROVIDER_VALUE.findall(found[0] if found else source))


class PriceMap(Mapping[str, Mapping[str, Any]]):
    """LiteLLM's price map; all of it is parsed only to iterate over it."""

    def __init__(self, text: str | None = None) -> None:
        self._given = text
        self._seen: dict[str, Mapping[str, Any] | None] = {}

    @cached_property
    def _text(self) -> str:
        if self._given is not None:
            return self._given
        path = litellm_file("model_prices_and_context_window_backup.json")
        return path.read_text("utf-8")

    @cached_property
    def _all(self) -> dict[str, Mapping[str, Any]]:
        entries: dict[str, Mapping[str, Any]] = json.loads(self._text)
        return entries

    def _find(self, model: str) -> Mapping[str, Any] | None:
        name = f"{json.dumps(model)}: "
        at = self._text.find(f"{name}{{")
        if at < 0:
            return None
        entry: Mapping[str, Any] = json.JSONDecoder().raw_decode(
            self._text, at + len(name)
        )[0]
        return entry

    def __getitem__(self, model: str) -> Mapping[str, Any]:
        """Return the entry of a model."""
        if model not in self._seen:
            self._seen[model] = self._find(model)
        if (entry := self._seen[model]) is None:
            raise KeyError(model)
        return entry

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names of all models."""
        return iter(self._all)

    def __len__(self) -> int:
        """Return the number of models."""
        return len(self._all)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedUsage:
    """The tokens of a call as its provider reported them."""

    prompt: int
    completion: int = 0
    """With the tokens of thinking."""
    reasoning: int | None = None
    cached: int | None = None
    """Tokens of the prompt that were read from the provider's cache."""
    written: int = 0
    """Tokens of the prompt that were written to the provider's cache."""
    cost: float | None = None
    """US dollars."""


def read_usage(reported: object) -> ReportedUsage | None:
    """Return the usage that OpenAI's dialects and LiteLLM report; None if absurd."""
    if not isinstance(reported, Mapping):
        return None
    prompt = _count(reported, "prompt_tokens", "input_tokens")
    completion = _count(reported, "completion_tokens", "output_tokens")
    if not prompt or completion is None:
        return None
    given = _details(reported, "prompt_tokens_details", "input_tokens_details")
    made = _details(reported, "completion_tokens_details", "output_tokens_details")
    reasoning, cached = (
        _count(made, "reasoning_tokens") if made else None,
        _count(given, "cached_tokens") if given else None,
    )
    cost: Any = reported.get("cost")
    return ReportedUsage(
        prompt=prompt,
        completion=completion,
        reasoning=None if reasoning is None else min(reasoning, completion),
        cached=None if cached is None else min(cached, prompt),
        written=min(_count(given, "cache_creation_tokens") or 0, prompt),
        cost=cost if type(cost) in {int, float} and 0 <= cost <= MAX_COST else None,
    )


def _details(reported: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    found = next((reported[name] for name in names if reported.get(name)), None)
    return found if isinstance(found, Mapping) else {}


def _count(reported: Mapping[str, Any], *names: str) -> int | None:
    """Return the first of these numbers, 0 if absent; None if it counts no tokens."""
    value = next((reported[n] for n in names if reported.get(n) is not None), 0)
    return value if type(value) is int and 0 <= value <= MAX_TOKENS else None


def usage_fields(
    usage: ReportedUsage, cost: float | None, *, estimated: bool
) -> dict[str, Any]:
    """Return the fields of a `TokenUsage`."""
    return {
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "total_tokens": usage.prompt + usage.completion,
        "cost_usd": cost,
        "estimated": estimated,
        "reasoning_tokens": usage.reasoning,
        "cached_tokens": usage.cached,
    }


_TIER: Final = re.compile(r"_above_(\d+)k_tokens$")


def price_call(entry: Mapping[str, Any], usage: ReportedUsage) -> float | None:
    """Return the cost of a call in US dollars by an entry of the price map."""
    tiers = {int(m[1]) for name in entry if (m := _TIER.search(name))}
    passed = max((t for t in tiers if usage.prompt > t * 1000), default=0)

    def price(name: str, default: float | None) -> float | None:
        value = entry.get(f"{name}_above_{passed}k_tokens") if passed else None
        value = entry.get(name, default) if value is None else value
        return float(value) if isinstance(value, int | float) else default

    into = price("input_cost_per_token", None)
    out = price("output_cost_per_token", None)
    if into is None or out is None:
        return None
    cached, thought = usage.cached or 0, usage.reasoning or 0
    plain = max(usage.prompt - cached - usage.written, 0)
    parts = (
        (plain, into),
        (cached, price("cache_read_input_token_cost", into)),
        (usage.written, price("cache_creation_input_token_cost", into)),
        (usage.completion - thought, out),
        (thought, price("output_cost_per_reasoning_token", out)),
    )
    return sum(tokens * (cost or 0.0) for tokens, cost in parts)


_THINKING_NAME: Final = re.compile(
    r"(?:^|[/_.:-])(?:o[134]|gpt-?5|gpt-oss|qwq|qwen-?3|magistral|reasoner|thinking"
    r"|reasoning|r1)(?=$|[/_.:-])",
    re.IGNORECASE,
)
_NOT_THINKING_NAME: Final = re.compile(
    r"instruct|non-?(?:thinking|reasoning)|-chat|coder|flash-lite", re.IGNORECASE
)


def thinks_by_default(model: str, entry: Mapping[str, Any]) -> bool:
    """Return whether a model thinks before each answer unless told not to."""
    provider, _, name = model.partition("/")
    if entry.get("thinking_always_on"):
        return True
    if entry.get("default_reasoning_effort") == "none" or _NOT_THINKING_NAME.search(
        name
    ):
        return False
    if "claude" in name or provider == "anthropic":
        return False  # it thinks only where it is asked to
    return bool(entry.get("supports_reasoning") or _THINKING_NAME.search(name))
