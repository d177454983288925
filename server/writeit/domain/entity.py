"""The base of all entities, content hashes, and the token usage of a call."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    StringConstraints,
    ValidationError,
    model_serializer,
    model_validator,
)

NAME_PATTERN = r"^[a-z0-9][a-z0-9_-]{0,63}$"
"""Names of pipelines, steps, primers and inputs."""

Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
StringList = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: (value,) if isinstance(value, str) else value),
]
"""One text or a list of them."""


def _to_utc(timestamp: datetime) -> datetime:
    if timestamp.tzinfo is None:
        return timestamp.replace(tzinfo=UTC)
    try:
        return timestamp.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("it is not within the years 1 to 9999 in UTC") from error


UtcDatetime = Annotated[datetime, AfterValidator(_to_utc)]
"""A point in time, always in UTC."""


class Entity(BaseModel):
    """An immutable value, validated when it is created."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        populate_by_name=True,
    )

    FORM_1: ClassVar[frozenset[str]] = frozenset()
    """The fields that a content hash always covers; never changed again."""
    UNHASHED: ClassVar[frozenset[str]] = frozenset()
    """The fields that a content hash never covers."""

    def evolve(self, **changes: Any) -> Self:  # noqa: ANN401 -- field values differ in type
        """Return a copy with `changes`, validated as a whole."""
        return type(self)(**{**self.__dict__, **changes})


def text_digest(text: str) -> str:
    """Return the SHA-256 of a text, as hexadecimal digits."""
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()


class GrowingEntity(Entity):
    """An entity that is written to exports and got fields after its first version."""

    ADDED: ClassVar[frozenset[str]] = frozenset()
    """The fields that an older WriteIt does not know; left out unless they are set."""

    @model_serializer(mode="wrap")
    def _omit_unset_additions(
        self, serialize: SerializerFunctionWrapHandler
    ) -> dict[str, Any]:
        fields: dict[str, Any] = serialize(self)
        for name in self.ADDED & fields.keys():
            if getattr(self, name) == type(self).model_fields[name].default:
                del fields[name]
        return fields


def content_hash(entity: Entity) -> str:
    """Return a hash of the canonical form of an entity, in 12 hexadecimal digits.

    Form 1, the only one so far, has the fields named in `FORM_1` with their defaults,
    and any other field only if it differs from its default. So a field that is added
    later changes no existing id. Keys are sorted, texts are UTF-8.
    """
    form = _canonical_form_1(entity, entity.model_dump(mode="json", by_alias=True))
    canonical = json.dumps(form, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def _canonical_form_1(value: object, dumped: Any) -> Any:  # noqa: ANN401 -- any JSON
    """Return `dumped`, the JSON of `value`, without what form 1 leaves out."""
    if isinstance(value, tuple):
        return [_canonical_form_1(*pair) for pair in zip(value, dumped, strict=True)]
    if not isinstance(value, Entity):
        return dumped
    form = {}
    for name, field in type(value).model_fields.items():
        inner, key = getattr(value, name), field.alias or name
        if name not in value.UNHASHED and (
            name in value.FORM_1
            or inner != field.get_default(call_default_factory=True)
        ):
            form[key] = _canonical_form_1(inner, dumped[key])
    return form


_UNKNOWN_VALUE_ERRORS = frozenset(
    {"extra_forbidden", "literal_error", "enum", "union_tag_invalid"}
)
"""Pydantic's error types for a key, a word or an event type that is not known."""


def find_unknown_value(error: ValidationError) -> str | None:
    """Return where the first unknown key or word is, or None if there is none.

    In undamaged data, only a newer WriteIt can have written it.
    """
    for detail in error.errors(include_url=False, include_context=False):
        if detail["type"] in _UNKNOWN_VALUE_ERRORS:
            return ".".join(map(str, detail["loc"])) or "a value"
    return None


def _sum_known(*counts: int | None) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


class TokenUsage(GrowingEntity):
    """Token consumption and cost of one call."""

    ADDED: ClassVar[frozenset[str]] = frozenset({"reasoning_tokens", "cached_tokens"})

    prompt_tokens: int = Field(ge=0)
    completion_tokens: int = Field(ge=0)
    total_tokens: int = Field(ge=0)
    cost_usd: float | None = Field(default=None, ge=0)
    """US dollars by the bundled price map; None where no price is known."""
    estimated: bool = False
    """Whether the tokens were counted here because the provider did not report them."""
    reasoning_tokens: int | None = Field(default=None, ge=0)
    """How many of `completion_tokens` were thinking; None where nobody told."""
    cached_tokens: int | None = Field(default=None, ge=0)
    """How many of `prompt_tokens` came from the provider's cache."""

    def plus(self, other: TokenUsage | None) -> TokenUsage:
        """Return the usage of two calls; the cost is unknown if either is."""
        if other is None:
            return self
        costs = self.cost_usd, other.cost_usd
        return TokenUsage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            total_tokens=self.total_tokens + other.total_tokens,
            cost_usd=None if None in costs else sum(filter(None, costs)),
            estimated=self.estimated or other.estimated,
            reasoning_tokens=_sum_known(self.reasoning_tokens, other.reasoning_tokens),
            cached_tokens=_sum_known(self.cached_tokens, other.cached_tokens),
        )

    @model_validator(mode="after")
    def _check_total(self) -> TokenUsage:
        if self.total_tokens < self.prompt_tokens + self.completion_tokens:
            raise ValueError(
                "total_tokens is less than prompt_tokens + completion_tokens"
            )
        return self


def total_cost(usages: Iterable[TokenUsage]) -> float | None:
    """Return the sum of the known costs; None if none is known."""
    known = [usage.cost_usd for usage in usages if usage.cost_usd is not None]
    return sum(known) if known else None


@dataclass(slots=True, kw_only=True)
class UsageTotal:
    """The usage of all calls with one key, such as a model or a day."""

    key: str
    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    """Of the calls with a known cost; None if there is none."""
    unknown_cost_calls: int = 0
    seconds: float = 0.0

    def add(self, usage: TokenUsage, seconds: float) -> None:
        """Count one call."""
        self.calls += 1
        self.prompt_tokens += usage.prompt_tokens
        self.completion_tokens += usage.completion_tokens
        self.seconds += seconds
        if usage.cost_usd is None:
            self.unknown_cost_calls += 1
        else:
            self.cost_usd = (self.cost_usd or 0.0) + usage.cost_usd


@dataclass(slots=True, kw_only=True)
class ChoiceCount:
    """What became of one model's answers to one step, in all runs."""

    step: str
    model: str
    blind: bool
    """Whether the user had to choose without knowing the models."""
    offered: int = 0
    """Answers, each counted once; branches share them."""
    chosen: int = 0
    edited: int = 0
    """How many of the chosen ones the user edited."""
    merged: int = 0
    """Steps whose merge has a part of them."""
    regenerated: int = 0
    """Answers of rounds that the user regenerated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPreview:
    """The size and cost of a prompt for one model; None is unknown."""

    id: str
    prompt_tokens: int
    context_window: int | None = None
    fits: bool | None = None
    """Whether prompt and longest answer fit the context window together."""
    min_cost_usd: float | None = None
    """Of the prompt alone."""
    max_cost_usd: float | None = None
    """With the longest answer allowed."""
    destination: str = ""
    allowed: bool = True
    """Whether the text may be sent to its provider."""
