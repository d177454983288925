"""Classifies every failure of a model call, and removes keys from its text.

LiteLLM raises one class for many causes: a refused connection and a missing key are
both an "InternalServerError". So the whole chain of an exception is read, by the names
of its classes, because the server never imports LiteLLM.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Final

from writeit.domain.errors import FailureReason, ModelError
from writeit.llm.providers.provider import THIS_MACHINE, missing_key_hint

_KEY_PATTERN = re.compile(
    r"""
      \b(?:sk|pk|gsk|xai|hf|nvapi|r8|AIza)[-_]?[A-Za-z0-9_-]{16,}
    | (?<=Bearer\s)\S+
    | (?<=[?&]key=)[^&\s'"]+
    """,
    re.VERBOSE,
)
_REDACTED = "[key]"


def redact(text: str, secrets: Iterable[str | None] = ()) -> str:
    """Return `text` without `secrets` and without what looks like a key."""
    for secret in secrets:
        if secret:
            text = text.replace(secret, _REDACTED)
    return _KEY_PATTERN.sub(_REDACTED, text)


_REASON_BY_CLASS: Final[dict[str, FailureReason]] = {
    "ContextWindowExceededError": "context",
    "ContentPolicyViolationError": "refused",
}
"""Classes that are more specific than their HTTP status."""

_REASON_BY_CLASS_WITHOUT_STATUS: Final[dict[str, FailureReason]] = {
    "JSONDecodeError": "malformed",
    "UnicodeDecodeError": "malformed",
    "APIResponseValidationError": "malformed",
    "TimeoutException": "timeout",
    "APITimeoutError": "timeout",
    "TimeoutError": "timeout",
}
"""Classes that count if the provider sent no HTTP status."""

_REASON_BY_STATUS: Final[dict[int, FailureReason]] = {
    401: "auth",
    402: "auth",
    403: "auth",
    404: "not_found",
    408: "timeout",
    413: "context",
    429: "rate_limit",
}
"""Other 4xx are `invalid_request`; everything else is `unavailable`."""

_CONTEXT_PATTERN = re.compile(
    r"context.?(length|window|size)|maximum context|prompt is too long"
    r"|exceeds the available context|too many (input )?tokens",
    re.IGNORECASE,
)
_MISSING_KEY_PATTERN = re.compile(
    r"api_key client option|missing (api key|credentials)", re.IGNORECASE
)
_CLASS_PREFIX_PATTERN = re.compile(
    r"^(?:litellm\.)?(?:Timeout )?\w*(?:Error|Exception|Timeout)\s*(?::|-)\s*"
)
_CONNECTION_PATTERN = re.compile(r" ssl:(?:<[^>]*>|\w+)")
"""A detail of the HTTP client in its messages."""
_ORIGINAL_EXCEPTION_PATTERN = re.compile(r"\s*Original exception: .*$", re.DOTALL)
_CONNECTION_LOST_CLASSES = ("ReadError", "RemoteProtocolError")
_CONNECTION_LOST = "the connection was lost"
_MAX_MESSAGE_CHARACTERS = 400
_MAX_RETRY_AFTER = 7 * 24 * 3600.0
"""Seconds; what a provider says beyond that is cut."""

_MESSAGES: Final[dict[FailureReason, str]] = {
    "auth": "{provider} did not accept the key",
    "rate_limit": "{provider} limits your requests",
    "timeout": "{provider} did not answer in time",
    "context": "The prompt is too long for {model}",
    "invalid_request": "{provider} did not accept the request",
    "unavailable": "{provider} failed or could not be reached",
    "refused": "{provider} refused to answer",
    "malformed": "{provider} sent something that is not an answer",
    "empty": "{provider} sent an empty answer",
    "not_found": "{provider} does not know the model {model}",
}

_HINTS: Final[dict[FailureReason, str]] = {
    "rate_limit": "Wait a little and generate again, or choose another model.",
    "timeout": "Generate again, or choose another model.",
    "context": "Shorten the text or the primer, or choose a model with a larger "
    "window.",
    "invalid_request": "Check the model's name and the step's settings.",
    "unavailable": "Check the network and the provider's status, then generate again.",
    "refused": "Change the text or the prompt, or choose another model.",
    "malformed": "Check the endpoint's address, or choose another model.",
    "empty": "Generate again, or choose another model.",
    "not_found": "List the models with: writeit model list",
}


_HINTS_BY_MESSAGE: Final = {
    "CERTIFICATE_VERIFY_FAILED": "Check the endpoint's address; where a company signs"
    " for its own servers, set SSL_CERT_FILE to its certificates.",
    "Name or service not known": "Check the endpoint's address and the network.",
}
"""Hints for causes that appear inside a message."""


def build_model_error(
    reason: FailureReason,
    *,
    provider: str,
    model: str,
    provider_message: str = "",
    **data: object,
) -> ModelError:
    """Build the error for a reason, with the provider's own message if any."""
    host = data.get("destination", THIS_MACHINE)
    where = provider if host == THIS_MACHINE else f"{provider} ({host})"
    sentence = _MESSAGES[reason].format(provider=where, model=model)
    message = f"{sentence}: {provider_message}" if provider_message else f"{sentence}."
    hint = missing_key_hint(provider) if reason == "auth" else _HINTS[reason]
    return ModelError(
        message, reason=reason, hint=hint, provider=provider, model=model, **data
    )


def to_model_error(
    error: BaseException,
    *,
    provider: str,
    model: str,
    secrets: Iterable[str | None],
    destination: str = THIS_MACHINE,
) -> ModelError:
    """Return the `ModelError` for whatever a call raised, without `secrets`."""
    data: dict[str, float | str] = {"destination": destination}
    if (seconds := parse_retry_after(_response_headers(error))) is not None:
        data["retryAfter"] = seconds
    if status := _provider_status(list(_exception_chain(error))):
        data["status"] = status
    provider_message = redact(_provider_message(error), secrets)
    failed = build_model_error(
        classify_error(error),
        provider=provider,
        model=model,
        provider_message=provider_message,
        **data,
    )
    for cause, hint in _HINTS_BY_MESSAGE.items():
        if cause in provider_message:
            failed.hint = hint
    return failed


def classify_error(error: BaseException) -> FailureReason:
    """Return the reason of a failure."""
    chain = list(_exception_chain(error))
    names = [name for link in chain for name in _class_names(link)]
    for name, reason in _REASON_BY_CLASS.items():
        if name in names:
            return reason
    text = str(error)
    if _MISSING_KEY_PATTERN.search(text):
        return "auth"
    if "HTTPStatusError" not in names:
        for name in names:
            if name in _REASON_BY_CLASS_WITHOUT_STATUS:
                return _REASON_BY_CLASS_WITHOUT_STATUS[name]
    return _reason_for_status(_http_status(chain), text)


def _reason_for_status(status: int, text: str) -> FailureReason:
    reason = _REASON_BY_STATUS.get(status)
    if reason is not None:
        return reason
    if _CONTEXT_PATTERN.search(text):
        return "context"
    return "invalid_request" if 400 <= status < 500 else "unavailable"  # noqa: PLR2004 -- the 4xx of HTTP


def _exception_chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those it wraps, each once."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        inner = getattr(link, "original_exception", None)
        if not isinstance(inner, BaseException):
            inner = link.__cause__ or link.__context__
        link = inner


def _class_names(error: BaseException) -> list[str]:
    return [kind.__name__ for kind in type(error).__mro__]


def _http_status(chain: list[BaseException]) -> int:
    """Return the provider's HTTP status, else LiteLLM's, else 0."""
    if provider_status := _provider_status(chain):
        return provider_status
    for link in chain:
        status = getattr(link, "status_code", None)
        if isinstance(status, int):
            return status
    return 0


def _provider_status(chain: list[BaseException]) -> int:
    """Return the HTTP status the provider sent; 0 if it sent none."""
    for link in reversed(chain):
        response = getattr(link, "response", None)
        if type(link).__name__ == "HTTPStatusError" and response is not None:
            return int(response.status_code)
    return 0


def _response_headers(error: BaseException) -> Mapping[str, str]:
    """Return the response headers of a failure, in lower case."""
    for link in _exception_chain(error):
        response = getattr(link, "response", None)
        for headers in (
            getattr(link, "litellm_response_headers", None),
            getattr(response, "headers", None),
        ):
            if headers:
                return {str(key).lower(): str(headers[key]) for key in headers}
    return {}


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds of Retry-After, a number or an HTTP date; never negative."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        return _seconds_until(value)
    return min(max(0.0, seconds), _MAX_RETRY_AFTER) if isfinite(seconds) else None


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except ValueError:
        return None  # neither seconds nor a date
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _provider_message(error: BaseException) -> str:
    """Return the provider's message, without the names of Python classes."""
    if any(
        name in _CONNECTION_LOST_CLASSES
        for link in _exception_chain(error)
        for name in _class_names(link)
    ):
        return _CONNECTION_LOST
    text = " ".join(
        _CONNECTION_PATTERN.sub(
            "", _ORIGINAL_EXCEPTION_PATTERN.sub("", str(error))
        ).split()
    )
    while (shorter := _CLASS_PREFIX_PATTERN.sub("", text)) != text:
        text = shorter
    return (
        text
        if len(text) <= _MAX_MESSAGE_CHARACTERS
        else text[:_MAX_MESSAGE_CHARACTERS] + " …"
    )


def stream_end_error(
    text: str,
    finish_reason: str | None,
    *,
    usage_reported: bool,
    provider: str,
    model: str,
) -> ModelError | None:
    """Return the error of a stream that ended without an exception; None if it is ok.

    A stream with neither a finish reason nor reported usage was interrupted.
    """
    names = {"provider": provider, "model": model}
    if finish_reason == "error":  # OpenRouter reports an upstream failure like this
        return build_model_error("unavailable", **names)
    if text.strip():
        if finish_reason is None and not usage_reported:
            return build_model_error(
                "unavailable", provider_message=_CONNECTION_LOST, **names
            )
        return None
    if finish_reason == "content_filter":
        return build_model_error(
            "refused", provider_message="the content filter stopped it", **names
        )
    if finish_reason is None and not usage_reported:
        return build_model_error("malformed", **names)
    return build_model_error("empty", **names)
