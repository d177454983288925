"""Values as JSON: a version in front, long texts by reference, upcast on read.

A text of 256 bytes or more stands in the store once, under the SHA-256 of its bytes,
however many records share it; a record holds `{"text": "<sha256>"}` in its place.
Which fields may do so is said by their type, `Text`, so no writer's words can be
mistaken for a reference.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from pydantic import (
    BeforeValidator,
    JsonValue,
    PlainSerializer,
    SerializationInfo,
    SerializerFunctionWrapHandler,
    ValidationError,
    ValidationInfo,
    WrapSerializer,
)

from writeit.core.entity import unknown_in
from writeit.store.seal import unsealed

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.store.records import Record

LONG = 256
"""Bytes from which on a text is stored apart."""

EMPTY = b'{"v":1}'
"""The value of a key that says it all."""


class TooNew(ValueError):
    """A newer version of this program wrote the record."""


def newer(error: BaseException) -> str | None:
    """Return what of a newer program made a record that is whole unreadable, if so."""
    if isinstance(error, TooNew):
        return str(error)
    place = unknown_in(error) if isinstance(error, ValidationError) else None
    return f"this one does not know {place}" if place else None


class Texts:
    """The long texts of a record that is being written, by their digest."""

    def __init__(self) -> None:
        self.found: dict[str, bytes] = {}

    def fold(self, text: str) -> JsonValue:
        """Return what stands for `text` in the record."""
        data = text.encode()
        if len(data) < LONG:
            return text
        digest = hashlib.sha256(data).hexdigest()
        self.found[digest] = data
        return {"text": digest}


def _fold(text: str, info: SerializationInfo[Texts]) -> JsonValue:
    return info.context.fold(text)


def _unfold(value: object, info: ValidationInfo[Callable[[str], str]]) -> object:
    if isinstance(value, dict) and set(value) == {"text"}:
        return info.context(value["text"])
    return value


Text = Annotated[
    str, BeforeValidator(_unfold), PlainSerializer(_fold, when_used="json")
]
"""A string that may be long, and may be shared by many records."""


def _fold_json(
    value: object,
    handler: SerializerFunctionWrapHandler,
    info: SerializationInfo[Texts],
) -> JsonValue:
    plain = handler(value)
    folded = info.context.fold(json.dumps(plain, separators=(",", ":")))
    return plain if isinstance(folded, str) else folded


def _unfold_json(value: object, info: ValidationInfo[Callable[[str], str]]) -> object:
    text = _unfold(value, info)
    return value if text is value else json.loads(str(text))


T = TypeVar("T")
Shared = Annotated[
    T, BeforeValidator(_unfold_json), WrapSerializer(_fold_json, when_used="json")
]
"""A list that many records have in common; its JSON is stored like a long text."""


R = TypeVar("R", bound="Record")


def encode(record: Record, texts: Texts) -> bytes:
    """Return `record` as JSON; its long texts are added to `texts`."""
    body = record.model_dump_json(exclude_defaults=record.SPARSE, context=texts)
    comma = "" if body == "{}" else ","
    return f'{{"v":{record.VERSION}{comma}{body[1:]}'.encode()


def decode(kind: type[R], raw: bytes, text: Callable[[str], str]) -> R:
    """Read a record; `text` finds a long text by its digest.

    Raises:
        TooNew: it has a higher version.
        ValueError: it is not a record of this kind, or has more than this one knows:
            `newer` tells which, once the checksum was found to be right.
    """
    raw = unsealed(raw)
    if raw.startswith((b'{"v":%d,' % kind.VERSION, b'{"v":%d}' % kind.VERSION)):
        return kind.model_validate_json(raw, context=text)
    return kind.model_validate(_upcast(kind, raw), context=text)


def _upcast(kind: type[R], raw: bytes) -> dict[str, Any]:
    data = json.loads(raw)
    version = data.get("v") if isinstance(data, dict) else None
    if not isinstance(version, int) or version < 1:
        msg = f"a {kind.__name__} has no version"
        raise ValueError(msg)
    if version > kind.VERSION:
        msg = f"a {kind.__name__} has version {version}, not {kind.VERSION}"
        raise TooNew(msg)
    for step in kind.UPCASTS[version - 1 :]:
        data = step(data)
    return {**data, "v": kind.VERSION}
