"""The parameters of a call: what a model takes, and what was learned from refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from writeit.domain.model_id import THINKING_ROOM
from writeit.llm.price_map import thinks_by_default
from writeit.llm.providers.provider import EMBEDDED

if TYPE_CHECKING:
    from writeit.domain.pipeline import Reasoning  # it needs pydantic

SCHEMA: Final = "json_schema"
_NAMES: Final[Mapping[str, re.Pattern[str]]] = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "stream_options": r"stream_options|include_usage",
        "max_tokens": r"max_?(completion_|output_|new_)?tokens|n(um)?_predict"
        r"|(completion|output) tokens",
        "temperature": r"temperature|top_p",
        "reasoning": r"reasoning|thinking|\bthink\b|\beffort\b|budget_tokens",
        SCHEMA: r"response_?(format|schema)|json_?schema|output_(format|config)"
        r"|text\.format|structured output|grammar",
    }.items()
}
"""What each of our parameters is called by providers, in their messages."""
_WORDS: Final = {
    "temperature": "a temperature",
    "max_tokens": "a token limit",
    "stream_options": "a request for token counts",
    "reasoning": "a limit for thinking",
    SCHEMA: "a JSON schema",
}
_REASONER: Final = re.compile(r"^(?:gpt-5|o\d|codex)(?!.*-chat)")
"""OpenAI's models that take no temperature and have another name for the limit."""
_RESPONSES_ONLY: Final = re.compile(r"/responses\b|responses api", re.IGNORECASE)
_MIN_LIMIT: Final = 16
MIN_THINKING_BUDGET: Final = 1024
"""The smallest that Anthropic takes, in tokens."""


@dataclass(slots=True)
class Learned:
    """What is known of a model at an endpoint, for as long as the process runs."""

    dropped: set[str] = field(default_factory=set)
    """Parameters that it does not take."""
    limit_name: str = "max_tokens"
    """What OpenAI's chat dialect calls the limit here."""
    limit: int | None = None
    """The largest limit it takes, in tokens."""
    by_responses: bool = False
    """Whether it is served by OpenAI's Responses API only."""
    lowest_effort: str = "none"
    """What OpenAI's dialects call the level `none` here."""
    thinks: bool = False
    told: set[str] = field(default_factory=set)
    """Parameters that the user was told about."""


_LEARNED: dict[tuple[str | None, str], Learned] = {}


def learned_of(
    endpoint: str | None, model: str, entry: Mapping[str, Any], *, keep: bool = False
) -> Learned:
    """Return what is known of a model, from its entry at first; `keep` what follows."""
    if (known := _LEARNED.get((endpoint, model))) is not None:
        return known
    provider, _, name = model.partition("/")
    known = Learned(thinks=thinks_by_default(model, entry))
    if provider == "openai" and _REASONER.match(name):
        known.limit_name = "max_completion_tokens"
        known.dropped.add("temperature")
    known.by_responses = entry.get("mode") == "responses"
    if provider == "openai" and entry.get("supports_reasoning"):
        efforts = ("none", "minimal")
        takes = [e for e in efforts if entry.get(f"supports_{e}_reasoning_effort")]
        known.lowest_effort = next(iter(takes), "low")
    # The price map says which models think; a server's own list may not.
    default = "litellm_provider" not in entry
    if provider == EMBEDDED or not entry.get("supports_reasoning", default):
        known.dropped.add("reasoning")
    if keep:
        _LEARNED[endpoint, model] = known
    return known


@dataclass(frozen=True, slots=True, kw_only=True)
class CallParameters:
    """What is sent besides the prompt; None is not sent."""

    max_tokens: int | None = None
    """With the room for thinking, at most the model's limit."""
    temperature: float | None = None
    reasoning: Reasoning | None = None
    stream_options: bool = True
    json_schema: Mapping[str, Any] | None = None

    @property
    def response_format(self) -> dict[str, Any]:
        """The JSON schema as OpenAI's Responses API wants it; {} if none is sent."""
        if self.json_schema is None:
            return {}
        form = {"name": "answer", "strict": True, "schema": dict(self.json_schema)}
        return {"type": "json_schema", **form}

    @property
    def chat_response_format(self) -> dict[str, Any]:
        """The same as its chat completions want it."""
        form = self.response_format
        return form and {"type": form.pop("type"), "json_schema": form}

    @property
    def level(self) -> str:
        """The reasoning as a level."""
        if isinstance(self.reasoning, int):
            levels = (n for n, room in THINKING_ROOM.items() if self.reasoning <= room)
            return next(levels, "high")
        return str(self.reasoning)

    @property
    def thinking_tokens(self) -> int:
        """The reasoning as a number of tokens."""
        if isinstance(self.reasoning, int):
            return self.reasoning
        return THINKING_ROOM[self.reasoning or "none"]


def parameters_of(
    request: Mapping[str, Any], known: Learned, output_limit: int | None
) -> tuple[CallParameters, list[str]]:
    """Return what is sent for a request, and the wishes that cannot be met."""
    limit, room = request.get("max_tokens"), request.get("thinking_room", 0)
    if request.get("reasoning") and "reasoning" in known.dropped and not known.thinks:
        room = 0  # it is not asked to think, so all of it would go into the text
    if limit is not None:
        limits = (limit + room, output_limit, known.limit)
        limit = min(n for n in limits if n is not None)
    wishes: dict[str, Any] = {
        "max_tokens": limit,
        "temperature": request.get("temperature"),
        "reasoning": request.get("reasoning"),
        SCHEMA: request.get(SCHEMA),
    }
    unmet = [n for n, v in wishes.items() if v is not None and n in known.dropped]
    if not known.thinks and wishes["reasoning"] in {"none", 0} and "reasoning" in unmet:
        unmet.remove("reasoning")  # it does not think anyhow
    sent = {name: value for name, value in wishes.items() if name not in known.dropped}
    options = "stream_options" not in known.dropped
    return CallParameters(**sent, stream_options=options), unmet


def learn(known: Learned, message: str, param: str, sent: CallParameters) -> str | None:
    """Learn from a refusal; return the parameter it is about, None if it is no use."""
    if _RESPONSES_ONLY.search(message) and not known.by_responses:
        known.by_responses = True
        return "endpoint"
    for said in filter(None, (param, message)):
        for name, pattern in _NAMES.items():
            is_sent = bool(getattr(sent, name))
            if is_sent and name not in known.dropped and pattern.search(said):
                _drop(known, name, message, sent)
                return name
    return None


def _drop(known: Learned, name: str, message: str, sent: CallParameters) -> None:
    if name != "max_tokens":
        known.dropped.add(name)
        return
    other = {"max_tokens": "max_completion_tokens"}.get(known.limit_name, "max_tokens")
    if re.search(rf"use '?\"?`?{other}\b", message, re.IGNORECASE):
        known.limit_name = other
        return
    message = re.sub(r"(?<=\d),(?=\d{3}(?!\d))", "", message)
    numbers = [int(n) for n in re.findall(r"(?<![\d.])\d{2,9}(?![\d.]*\d)", message)]
    fitting = [n for n in numbers if _MIN_LIMIT <= n < (sent.max_tokens or 0)]
    if fitting:
        known.limit = max(fitting)
    else:
        known.dropped.add(name)


def describe_unmet(model: str, name: str, known: Learned) -> dict[str, Any]:
    """Return the notice that a parameter is not sent, or in another form."""
    if name in known.dropped:
        title = f"{model}: called without {_WORDS[name]}"
        message = f"{model} does not take {_WORDS[name]}. The call is made without it."
    else:
        title = f"{model}: called with another limit"
        message = f"{model} takes {_WORDS[name]} in another form. That form is used."
    return {
        "type": "notice",
        "code": "parameterDropped",
        "title": title,
        "message": message,
    }
