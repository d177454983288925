"""Reads the remarks in a model's answer: JSON, or what a model takes for it.

Whatever can be read is kept: objects in prose or in a code fence, a single one, a list
without its wrapper, an answer that was cut. What cannot be read is counted.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final

from writeit.text.lines import CONTROL, LINE_END, repair_surrogates

MAX_REMARKS: Final = 200
"""The most remarks of one answer; a person reads no more."""
_MAX_REPAIR: Final = 3_000_000
"""Characters of damaged objects times their marks: the time of a repair grows so."""
_MARKS: Final = re.compile(r"""[{\[(“"']""")
_MAX_DAMAGED: Final = 400
"""How many damaged objects are tried; such an answer is no review."""
_START: Final = re.compile(
    r"""\{\s*+(?:["'“]?\w[\w -]{0,40}["'”]?\s*+:[^{}]{0,200}?[,\s])??"""
    r"""["'“]?(?:remarks|quote|kind|remark|replacement)\s*+["'”]?\s*+:""",
    re.IGNORECASE,
)
_CLOSED: Final = re.compile(r"""(?:["'”]|null|None)\s*,?\s*\}""")
"""Where an object ends; without it the end of the answer was cut."""
_EMPTY_LIST: Final = re.compile(
    r"""(?:remarks["'”]?\s*:|\A|```(?:json)?)\s*\[\s*\]""", re.IGNORECASE
)
_DECODER: Final = json.JSONDecoder(strict=False)
_KIND_GAP: Final = re.compile(r"[\W_]+")
_MAX_KIND: Final = 40
OTHER_KIND: Final = "other"
"""The kind of a remark whose model named none."""


@dataclass(frozen=True, slots=True)
class RawRemark:
    """A remark as a model made it."""

    quote: str
    """The words that it is about; "": it is about the whole text."""
    kind: str
    """In lower case, with hyphens between words."""
    remark: str
    replacement: str | None = None
    """What the model would write in place of the quotation."""


@dataclass(frozen=True, slots=True)
class RawRemarks:
    """The remarks of one answer."""

    remarks: tuple[RawRemark, ...]
    unread: int = 0
    """How many parts look like a remark and cannot be read, or are too many."""
    is_list: bool = True
    """Whether the answer is a list of remarks; an empty list is one."""


@lru_cache(maxsize=64)
def read_remarks(answer: str) -> RawRemarks:
    """Return the remarks in an answer, in its order, each once."""
    found: dict[RawRemark, None] = {}
    unread = 0
    for value in _objects(answer):
        raw = _to_remark(value) if isinstance(value, dict) else None
        if raw is None or (len(found) >= MAX_REMARKS and raw not in found):
            unread += 1
        else:
            found[raw] = None
    is_list = bool(found) or (not unread and bool(_EMPTY_LIST.search(answer)))
    return RawRemarks(tuple(found), unread, is_list)


def _objects(text: str) -> Iterator[object]:
    """Yield what may be a remark; a wrapper around a list yields what is in it."""
    starts = [match.start() for match in _START.finditer(text)]
    position, damaged, repaired = 0, 0, 0
    for start, end in pairwise([*starts, len(text)]):
        if start < position:
            continue
        try:
            value, position = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError):
            damaged += 1
            # Its inner objects, if it has any, are read for themselves.
            repaired += (end - start) * len(_MARKS.findall(text, start, end))
            value = _repair(text[start:end]) if repaired < _MAX_REPAIR else None
        yield from _unwrap(value)
        if damaged == _MAX_DAMAGED:
            return


def _repair(fragment: str) -> object:
    """Return the object that a damaged one was meant to be, or None.

    Half a replacement is none: nobody wants it in the text.
    """
    # Most answers need no repair, and the server starts without this import.
    from json_repair import repair_json  # noqa: PLC0415

    try:
        value = repair_json(fragment, return_objects=True, skip_json_loads=True)
    except (ValueError, RecursionError):
        return None
    if isinstance(value, list):
        value = next((each for each in value if isinstance(each, dict)), None)
    if isinstance(value, dict) and not _CLOSED.search(fragment):
        value = {k: v for k, v in value.items() if not _is_name(k, "replacement")}
    return value


def _unwrap(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        inner = next((v for k, v in value.items() if _is_name(k, "remarks")), None)
        if isinstance(inner, list | dict):
            listed = inner if isinstance(inner, list) else [inner]
            yield from ({"remark": v} if isinstance(v, str) else v for v in listed)
            return
    yield value


def _is_name(key: object, name: str) -> bool:
    return isinstance(key, str) and key.strip().casefold() == name


def _to_remark(value: dict[str, object]) -> RawRemark | None:
    texts = {key.strip().casefold(): _to_text(each) for key, each in value.items()}
    quote, remark = texts.get("quote", ""), texts.get("remark")
    if not remark:
        return None
    replacement = texts.get("replacement") if quote else None
    if replacement in {quote, "", "null", "None"}:
        replacement = None
    return RawRemark(quote, to_kind(texts.get("kind", "")), remark, replacement)


def _to_text(value: object) -> str:
    """Return a value as a text that can be stored, shown and put into a document."""
    if isinstance(value, list):
        value = " ".join(each for each in value if isinstance(each, str))
    is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
    text = LINE_END.sub("\n", str(value)) if is_text else ""
    return repair_surrogates(CONTROL.sub("", text)).strip()


def to_kind(words: str) -> str:
    """Return the name of a kind in the form in which kinds are compared."""
    return _KIND_GAP.sub("-", words.casefold())[:_MAX_KIND].strip("-") or OTHER_KIND
