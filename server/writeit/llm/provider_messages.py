"""Reads what providers say in the bodies of their errors, in all their forms."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

MAX_MESSAGE_CHARACTERS: Final = 400
_CLASS_PREFIX = re.compile(
    r"^(?:litellm\.)?(?:Timeout )?\w*(?:Error|Exception|Timeout)\s*(?::|-)\s*"
)
_CONNECTION_DETAIL = re.compile(r" ssl:(?:<[^>]*>|\w+)")
"""A detail of the HTTP client in its messages."""
_ORIGINAL_EXCEPTION = re.compile(r"\s*Original exception: .*$", re.DOTALL)
_PAGE = re.compile(r"<(?:!doctype|html|head|body|h\d|p|title|center)\b", re.IGNORECASE)
_INVISIBLE = re.compile(r"<(script|style|head)\b.*?</\1>", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_OF_GATEWAY = re.compile(
    r"litellm|model.?group|fallback|drop_params|received model", re.IGNORECASE
)
"""Sentences for the operator of a LiteLLM proxy; they help no writer."""
_JSON_START = re.compile(r"b?['\"]?[\[{]")
_PART: Final = r"(\d[\d.]*+) ?(ms|[dhms])?[a-z]*+ *+"
"""A number and its unit; possessive, so that no text takes long."""
_DURATION = re.compile(rf"(?:{_PART})++", re.IGNORECASE)
_WAIT = re.compile(
    rf"(?:try again|retry|wait)(?: in| after)?:? ({_DURATION.pattern})", re.IGNORECASE
)
_SECONDS: Final = {"ms": 0.001, "": 1, "s": 1, "m": 60, "h": 3600, "d": 86_400}
MAX_WAIT: Final = 7 * 24 * 3600.0
"""Seconds; what a provider says beyond that is cut."""
_MOMENT: Final = re.compile("[0-9]{10}(?:[0-9]{3})?")
"""The time in seconds or milliseconds; smaller numbers are seconds to wait."""
_HTTP_ERRORS: Final = range(400, 600)


class ProviderFailure(Exception):
    """An error that the provider itself sent, before or in the middle of an answer."""

    def __init__(
        self, status: int, body: object, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status
        """0 if it sent none."""
        self.body = body
        """JSON, else text."""
        self.headers = headers or {}


@dataclass(frozen=True, slots=True)
class Told:
    """What a provider said with an error."""

    message: str
    codes: str = ""
    """Its codes and types, separated by spaces."""
    param: str = ""
    """The parameter that it names as the cause."""
    retry_after: float | None = None
    """Seconds to wait, from the body."""
    status: int = 0
    """The HTTP status that an error inside of a stream names; 0 if none."""
    is_page: bool = False
    """Whether it was a page for a browser, such as a proxy's."""


def read_body(body: object) -> Told:
    """Return what the body of an error says: JSON in any known form, text or a page."""
    if isinstance(body, str):
        return Told(
            clean_message(body),
            is_page=_PAGE.search(body) is not None,
            retry_after=_wait_in(body),
        )
    fields = list(_levels(body))
    texts = [text for level in fields for text in _texts(level)]
    codes = [
        str(level[name])
        for level in fields
        for name in ("code", "type", "status", "reason", "error_type")
        if isinstance(level.get(name), str | int)
    ]
    statuses = [int(c) for c in codes if c.isdigit() and int(c) in _HTTP_ERRORS]
    params = [str(p) for f in fields if (p := f.get("param") or f.get("loc"))]
    said = list(dict.fromkeys(clean_message(text) for text in texts))
    return Told(
        ": ".join(filter(None, said))[:MAX_MESSAGE_CHARACTERS],
        codes=" ".join(codes),
        param=next(iter(params), ""),
        retry_after=_wait_of(fields, " ".join(texts)),
        status=next(iter(statuses), 0),
    )


def _levels(body: object) -> Iterator[Mapping[str, Any]]:
    """Yield the objects of an error that carry its message and codes."""
    if isinstance(body, list):
        for item in body[:5]:
            yield from _levels(item)
    elif isinstance(body, Mapping):
        yield body
        for name in ("error", "errors", "message", "detail", "metadata", "details"):
            yield from _levels(body.get(name))
        yield from _levels(body.get("innererror"))


def _texts(level: Mapping[str, Any]) -> Iterator[str]:
    for name in ("message", "msg", "error", "detail", "raw"):
        if isinstance(text := level.get(name), str):
            yield text


def _wait_of(levels: list[Mapping[str, Any]], text: str) -> float | None:
    for level in levels:
        names = ("retryDelay", "estimated_time", "retry_after")
        delay = next((level[name] for name in names if name in level), None)
        if isinstance(delay, Mapping):
            delay = delay.get("seconds")
        if (seconds := parse_wait(str(delay))) is not None:
            return seconds
        if isinstance(headers := level.get("headers"), Mapping):  # of OpenRouter
            return reset_wait(headers)
    return _wait_in(text)


def reset_wait(headers: Mapping[str, Any]) -> float | None:
    """Return the seconds until a limit is reset of which nothing remains, else None."""
    told = {name.lower(): str(value) for name, value in headers.items()}
    for name, value in told.items():
        remaining = told.get(name.replace("-reset", "-remaining"))
        if name.startswith("x-ratelimit-reset") and remaining == "0":
            if _MOMENT.fullmatch(value):
                return min(max(0.0, int(value[:10]) - time.time()), MAX_WAIT)
            return parse_wait(value)
    return None


def _wait_in(text: str) -> float | None:
    found = _WAIT.search(text)
    return parse_wait(found[1]) if found else None


def parse_wait(text: str) -> float | None:
    """Return the seconds of a wait such as `7`, `1m30s` or `2 hours`, else None."""
    text = text.strip(' "')
    if text.startswith("-"):
        return 0.0
    if not _DURATION.fullmatch(text):
        return None
    parts = re.findall(_PART, text, re.IGNORECASE)
    try:
        seconds = sum(float(n) * _SECONDS[unit.lower()] for n, unit in parts)
    except ValueError:
        return None
    return min(seconds, MAX_WAIT)


def clean_message(text: str) -> str:
    """Return a message in words: no classes of Python, JSON, page or b'…'."""
    text = " ".join(
        _CONNECTION_DETAIL.sub("", _ORIGINAL_EXCEPTION.sub("", text)).split()
    )
    while (shorter := _CLASS_PREFIX.sub("", text)) != text:
        text = shorter
    if _PAGE.search(text):
        text = " ".join(_TAG.sub(" ", _INVISIBLE.sub(" ", text)).split())
    text = _without_json(text)
    kept = [s for s in _SENTENCE_END.split(text) if not _OF_GATEWAY.search(s)]
    text = " ".join(kept).rstrip(".")
    if len(text) > MAX_MESSAGE_CHARACTERS:
        text = text[:MAX_MESSAGE_CHARACTERS] + " …"
    return text


def _without_json(text: str) -> str:
    """Replace JSON inside of a message by the message that is inside of it."""
    found = _JSON_START.search(text)
    if found is None:
        return text
    before = text[: found.start()].rstrip(" :-")
    quoted = found[0].startswith("b") and len(found[0]) > 2  # noqa: PLR2004 -- b'{
    source = text[found.end() - 1 :]
    if quoted:
        source = source.replace("\\\\", "\\").replace("\\'", "'")
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(source)
    except ValueError:
        return before if quoted or '":' in source else text
    if isinstance(value, list) and not any(isinstance(v, dict) for v in value):
        return text  # such as the range [1, 8192]
    inner = read_body(value).message if isinstance(value, dict | list) else ""
    return f"{before}: {inner}" if before and inner else before or inner
