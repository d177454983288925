"""The models that servers themselves list, with windows and prices, cached.

What a server says about a model is kept as an entry of the price map, under the map's
names. Servers at addresses of the user's own, Ollama and OpenRouter are asked.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from writeit.domain.errors import ModelError
from writeit.llm.providers.ollama import OLLAMA_API, context_length
from writeit.llm.providers.provider import OLLAMA, check_remote_allowed
from writeit.llm.providers.registry import get_provider

TIMEOUT: Final = 4.0
"""Seconds for each request; a list is short."""
_KEPT_SECONDS: Final = 300.0
_FAILURE_KEPT_SECONDS: Final = 20.0
_MOST_MODELS: Final = 2_000
"""More are not read; OpenRouter lists a few hundred."""
_LISTED_ALWAYS: Final = "openrouter"
_NO_TEXT: Final = re.compile(
    r"(?:^|[/_.:-])(?:text-)?(?:audio|asr|clip|computer-use|container|dall-e|embed\w*"
    r"|guard\w*|image\w*|live|lyria|moderation|nomic-embed\w*|ocr|realtime|rerank\w*"
    r"|robotics|safeguard|sora|speech|transcribe|tts|veo|video|voxtral|whisper)"
    r"(?=$|[/_.:-])",
    re.IGNORECASE,
)
"""Names of models that write no text, where nothing else says so."""
_WINDOW_NAMES: Final = (
    "loaded_context_length",
    "max_model_len",
    "context_length",
    "context_window",
    "max_context_length",
)

Entry = Mapping[str, Any]


def writes_text(name: str, entry: Entry) -> bool:
    """Return whether a model answers a prompt with text and nothing else."""
    outputs = entry.get("supported_output_modalities") or ["text"]
    modes = {"chat", "responses", "completion", None}
    return (
        entry.get("mode") in modes and outputs == ["text"] and not _NO_TEXT.search(name)
    )


@dataclass(frozen=True, slots=True)
class ServerList:
    """What a server said when it was asked for its models."""

    url: str
    entries: Mapping[str, Entry] | None
    """By name; None if it has no list, or could not be asked."""
    problem: str | None = None
    """Why it could not be asked and what to do."""
    asked_at: float = field(default_factory=time.monotonic)

    @property
    def is_fresh(self) -> bool:
        """Whether it need not be asked again."""
        kept = _KEPT_SECONDS if self.entries is not None else _FAILURE_KEPT_SECONDS
        return time.monotonic() - self.asked_at < kept


class ModelLists:
    """Asks servers for their models; at most one request for each list at a time."""

    def __init__(self) -> None:
        self.lists: dict[str, ServerList] = {}
        """By provider."""
        self._locks: dict[str, asyncio.Lock] = {}

    def entry(self, model: str) -> Entry:
        """Return what its server said about a model; empty if nothing."""
        provider, _, name = model.partition("/")
        known = self.lists.get(provider)
        return ((known and known.entries) or {}).get(name, {})

    async def learn(
        self, provider: str, key: str | None, *, refresh: bool = False
    ) -> ServerList | None:
        """Return a provider's own list; None if it is not asked for one."""
        url = list_address(provider, has_key=key is not None)
        if url is None:
            return None
        async with self._locks.setdefault(provider, asyncio.Lock()):
            known = self.lists.get(provider)
            if known is None or known.url != url or refresh or not known.is_fresh:
                self.lists[provider] = await self._ask(provider, url, key)
            return self.lists[provider]

    async def _ask(self, provider: str, url: str, key: str | None) -> ServerList:
        import httpx  # noqa: PLC0415 -- only where a list is asked for

        from writeit.llm.network import http_client  # noqa: PLC0415 -- as above

        # Reading certificates takes a while.
        client = await asyncio.to_thread(http_client, url.partition(":")[0])
        server = _Server(client, url.rstrip("/"), _headers(provider, key))
        try:
            async with asyncio.timeout(2 * TIMEOUT):
                entries = dict(
                    await server.ollama_models()
                    if provider == OLLAMA
                    else await server.models(provider)
                )
        except httpx.HTTPStatusError as error:
            return ServerList(url, None, _status_problem(provider, url, error))
        except (httpx.TransportError, TimeoutError):
            return ServerList(url, None, not_running_reason(provider, url))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TypeError, KeyError):
            return ServerList(url, None)
        except AttributeError:  # JSON of another shape
            return ServerList(url, None)
        return ServerList(url, entries)


def list_address(provider: str, *, has_key: bool) -> str | None:
    """Return the address of a provider whose own list is asked for, else None."""
    server = get_provider(provider)
    url = server.endpoint()
    if url is None and provider == _LISTED_ALWAYS and has_key:
        url = server.call_endpoint()
    if url is None or provider == "ollama_chat":  # another name of Ollama
        return None
    try:
        check_remote_allowed(provider, url)
    except ModelError:
        return None
    return url


def not_running_reason(provider: str, url: str) -> str:
    """Say that nothing answers at an address, and what to do."""
    if provider == OLLAMA:
        return f"Ollama does not answer at {url}. Start it: ollama serve"
    return f"Nothing answers at {url}. Start the server, or correct its address."


def _status_problem(provider: str, url: str, error: Any) -> str | None:  # noqa: ANN401 -- httpx is imported late
    if error.response.status_code in {401, 403}:
        return (
            f"{url} does not accept the key. Set another: writeit keys set {provider}"
        )
    return None


def _headers(provider: str, key: str | None) -> dict[str, str]:
    if not key:
        return {}
    if provider == "anthropic":
        return {"x-api-key": key, "anthropic-version": "2023-06-01"}
    return {"authorization": f"Bearer {key}"}


@dataclass(frozen=True, slots=True)
class _Server:
    """One server that is asked."""

    client: Any
    url: str
    headers: Mapping[str, str]

    async def models(self, provider: str) -> Iterator[tuple[str, Entry]]:
        """Return name and entry of each model that a `/models` lists."""
        is_bare = provider == "anthropic" and not self.url.endswith("/v1")
        answer = await self._get(f"{self.url}{'/v1' if is_bare else ''}/models")
        items = answer if isinstance(answer, list) else answer["data"]
        entries = {str(item["id"]): _entry_of(item) for item in items[:_MOST_MODELS]}
        owners = {item.get("owned_by") for item in items}
        if "openai" in owners:  # a LiteLLM proxy says so of all models
            entries |= await self._proxy_models()
        elif "organization_owner" in owners:
            entries |= await self._lm_studio_models()
        return ((n, entry) for n, entry in entries.items() if writes_text(n, entry))

    async def ollama_models(self) -> Iterator[tuple[str, Entry]]:
        """Return name and entry of each model that Ollama has."""
        answer = await self._get(f"{self.url}/api/tags")
        names = sorted(str(item["name"]) for item in answer["models"][:_MOST_MODELS])
        shown = await asyncio.gather(*(OLLAMA_API.show(self.url, n) for n in names))
        entries = zip(names, map(_ollama_entry, shown), strict=True)
        return ((n, entry) for n, entry in entries if writes_text(n, entry))

    async def _proxy_models(self) -> dict[str, Entry]:
        items = await self._get_optional(self.url, "/model/info")
        return {
            str(item["model_name"]): {
                name: value
                for name, value in (item.get("model_info") or {}).items()
                if value is not None
            }
            for item in items
        }

    async def _lm_studio_models(self) -> dict[str, Entry]:
        items = await self._get_optional(self.url.removesuffix("/v1"), "/api/v0/models")
        return {str(item["id"]): _entry_of(item) for item in items}

    async def _get(self, url: str) -> Any:  # noqa: ANN401 -- JSON of a stranger
        response = await self.client.get(url, headers=self.headers)
        response.raise_for_status()
        return response.json()

    async def _get_optional(self, url: str, path: str) -> list[Any]:
        """Return what a list adds to the first one; nothing if there is none."""
        response = await self.client.get(f"{url}{path}", headers=self.headers)
        return [] if response.is_error else list(response.json()["data"])


def _ollama_entry(answer: Any) -> Entry:  # noqa: ANN401 -- JSON of a stranger
    """Return the entry of a model of Ollama; empty if Ollama does not show it."""
    if answer is None:
        return {}
    can = answer.get("capabilities")
    entry: dict[str, Any] = {}
    if can is not None:
        entry["mode"] = "chat" if "completion" in can else "embedding"
        entry["supports_reasoning"] = "thinking" in can
    return entry | _known(max_input_tokens=context_length(answer))


def _entry_of(item: Mapping[str, Any]) -> Entry:
    """Return the entry of a model in the list of an OpenAI-compatible server."""
    details = item.get("meta") or {}  # llama.cpp
    windows = [item.get(name) for name in _WINDOW_NAMES]
    windows += [details.get("n_ctx"), details.get("n_ctx_train")]
    prices = item.get("pricing") or {}
    kind = item.get("type")
    abilities = item.get("supported_parameters")
    return _known(
        mode="embedding" if kind in {"embedding", "embeddings", "rerank"} else None,
        max_input_tokens=next(filter(None, map(_count, windows)), None),
        max_output_tokens=_count(
            (item.get("top_provider") or {}).get("max_completion_tokens")
        ),
        supported_output_modalities=(item.get("architecture") or {}).get(
            "output_modalities"
        ),
        input_cost_per_token=_price(prices.get("prompt")),
        output_cost_per_token=_price(prices.get("completion")),
        supports_reasoning=None if abilities is None else "reasoning" in abilities,
        created=_count(item.get("created")),
    )


def _known(**values: object) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _count(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None


def _price(value: object) -> float | None:
    """Return US dollars a token; OpenRouter's are texts, and -1 if they vary."""
    try:
        price = float(str(value))
    except ValueError:
        return None
    return price if 0 <= price < 1 else None
