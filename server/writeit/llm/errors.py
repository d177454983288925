"""Classifies every failure of a model call, and removes keys from its text.

LiteLLM raises one class for many causes: a refused connection and a missing key are
both an "InternalServerError". So the whole chain of an exception is read, by the names
of its classes, because the server never imports LiteLLM.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

from writeit.domain.errors import FailureReason, ModelError
from writeit.domain.model_id import THIS_MACHINE
from writeit.llm.answer import Answer
from writeit.llm.provider_messages import (
    MAX_WAIT,
    ProviderFailure,
    Told,
    clean_message,
    parse_wait,
    read_body,
    reset_wait,
)
from writeit.llm.providers.provider import (
    CallTarget,
    is_loopback,
    missing_key_hint,
)
from writeit.llm.providers.registry import get_provider

_KEY_PATTERN = re.compile(
    r"""
      \b(?:sk|pk|gsk|xai|hf|nvapi|r8|AIza)[-_]?[A-Za-z0-9_-]{16,}
    | (?<=Bearer\s)\S+
    | (?<=[?&]key=)[^&\s'"]+
    """,
    re.VERBOSE,
)
_REDACTED = "[key]"
_SHORT_KEY: Final = 8
"""Characters; a shorter key is replaced where it is a whole word."""


def redact(text: str, secrets: Iterable[str | None] = ()) -> str:
    """Return `text` without `secrets` and without what looks like a key."""
    for secret in secrets:
        if secret and len(secret) < _SHORT_KEY:  # a local server's may be a letter
            text = re.sub(rf"(?<!\w){re.escape(secret)}(?!\w)", _REDACTED, text)
        elif secret:
            text = text.replace(secret, _REDACTED)
    return _KEY_PATTERN.sub(_REDACTED, text)


_REASON_BY_CLASS: Final[dict[str, FailureReason]] = {
    "ContextWindowExceededError": "context",
    "ContentPolicyViolationError": "moderated",
    "ProxyError": "proxy",
    "SSLError": "tls",
    "SSLCertVerificationError": "tls",
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

_TEXTS: Final[dict[FailureReason, str]] = {
    "forbidden": r"not\sallowed\sto\saccess|model_access_denied",
    "moderated": r"content[_\s]filter|responsibleai|content\smanagement\spolic"
    r"|content_policy|moderation|was\sflagged|data_inspection_failed"
    r"|content\sexists\srisk|inappropriate\scontent|敏感",
    "quota": r"insufficient_quota|insufficient\s(account\s)?(balance|credit|fund|quota)"
    r"|credit\sbalance|budget\s(has\sbeen\s)?exceeded|budget_exceeded|more\scredits"
    r"|out\sof\scredits|payment\srequired|(spending|hard)\slimit"
    r"|key\slimit\sexceeded|arrearage|account\sis\sin\sgood\sstanding|any\scredits"
    r"|billing_not_active|credit\slimit|specified\sapi\susage|free\sallocation|余额不足",
    "auth": r"api[\s_-]?key[^.]{0,20}(not\svalid|invalid|incorrect|missing|expired)"
    r"|(invalid|incorrect|missing|no)[^.]{0,12}\sapi[\s_-]?key|api_key_invalid"
    r"|invalid_api_key|authentication[_\s]error|api_key\sclient\soption"
    r"|missing\scredentials|x-api-key|unregistered\scallers",
    "malformed": r"unexpected\sendpoint|404\spage\snot\sfound",
}
_REASON_BY_TEXT: Final = {
    reason: re.compile(pattern, re.IGNORECASE) for reason, pattern in _TEXTS.items()
}
"""Causes that providers report with all kinds of HTTP status."""

_REASON_BY_STATUS: Final[dict[int, FailureReason]] = {
    401: "auth",
    402: "quota",
    403: "forbidden",
    404: "not_found",
    407: "proxy",
    408: "timeout",
    413: "context",
    429: "rate_limit",
    529: "overloaded",
}
"""Other 4xx are `invalid_request`; everything else is `unavailable`."""

_FORBIDDEN_PATTERN = re.compile(
    r"must be verified|location is not supported|not (supported|available) in your"
    r"|permission[_ ](denied|error)",
    re.IGNORECASE,
)
_CONTEXT_PATTERN = re.compile(
    r"context.?(length|window|size|limit)|maximum context|prompt is too long"
    r"|input token count \S+ exceeds"
    r"|exceeds the available context|too many (input )?tokens|input is too long"
    r"|string_above_max|reduce the length",
    re.IGNORECASE,
)
_OVERLOADED_PATTERN = re.compile(
    r"overloaded|\bcapacity\b|(server|service) (is )?(too )?busy|system_resource"
    r"|high demand",
    re.IGNORECASE,
)
_RATE_PATTERN = re.compile(r"rate_limit|throttl|too many requests", re.IGNORECASE)
_UNKNOWN_MODEL_PATTERN = re.compile(
    r"model\b.{0,80}\b(not exist|not found|decommissioned)|not a valid model"
    r"|model_not_found",
    re.IGNORECASE,
)
_NOT_LOADED_PATTERN = re.compile(
    r"no models? (is |are )?loaded|more system memory|model is not loaded"
    r"|model has (unloaded|crashed)",
    re.IGNORECASE,
)
_LOADING_PATTERN = re.compile(
    r"loading model|(still|currently) loading|warming up", re.IGNORECASE
)
_LOADING_SECONDS: Final = 10.0
"""The wait for a model that is being loaded, if the server names none."""
_PLAN_PATTERN = re.compile(r"exceeded[_ ](your[_ ])?current[_ ]quota", re.IGNORECASE)
_CONNECTION_LOST_CLASSES = ("ReadError", "RemoteProtocolError")
_CONNECTION_LOST = "the connection was lost"

_MESSAGES: Final[dict[FailureReason, str]] = {
    "auth": "{provider} did not accept the key",
    "forbidden": "{provider} does not allow you to use {model}",
    "quota": "There is no money or quota left at {provider}",
    "rate_limit": "{provider} limits your requests",
    "overloaded": "{provider} has too many requests now",
    "timeout": "{provider} did not answer in time",
    "context": "The prompt is too long for {model}",
    "invalid_request": "{provider} did not accept the request",
    "unavailable": "{provider} failed or could not be reached",
    "not_running": "{provider} is not running",
    "not_installed": "{provider} does not have the model {model}",
    "tls": "The certificate of {provider} is not trusted",
    "proxy": "The proxy did not let the request to {provider} through",
    "refused": "{provider} refused to answer",
    "moderated": "{provider} blocked the prompt",
    "malformed": "{provider} sent something that is not an answer",
    "empty": "{provider} sent an empty answer",
    "not_found": "{provider} does not know the model {model}",
}

_HINTS: Final[dict[FailureReason, str]] = {
    "forbidden": "Choose another model, or ask for access at the provider.",
    "quota": "Add credit or raise the limit at the provider, or choose another model.",
    "rate_limit": "Wait a little and generate again, or choose another model.",
    "overloaded": "Wait a little and generate again, or choose another model.",
    "timeout": "Generate again with a longer models.timeout, or choose another model.",
    "context": "Shorten the text or the style, or choose a model with a larger context "
    "window.",
    "invalid_request": "Check the model's name and the step's settings.",
    "unavailable": "Check the network and the provider's status, then generate again.",
    "not_running": "Start its server, then generate again.",
    "not_installed": "Install the model, then generate again.",
    "tls": "Check the endpoint's address. If your company signs for other servers, set"
    " SSL_CERT_FILE to its certificates.",
    "proxy": "Check HTTPS_PROXY and its user name and password, or ask who runs the"
    " proxy to allow the address.",
    "refused": "Change the text or the prompt, or choose another model.",
    "moderated": "Change the text or the prompt, or choose another model.",
    "malformed": "Check the endpoint's address, or choose another model.",
    "empty": "Generate again, or choose another model.",
    "not_found": "List the models with: writeit model list",
}


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
    does_run = reason == "not_running" and _NOT_LOADED_PATTERN.search(provider_message)
    template = "{provider} cannot run {model}" if does_run else _MESSAGES[reason]
    sentence = template.format(provider=where, model=model)
    message = f"{sentence}: {provider_message}" if provider_message else f"{sentence}."
    hint = missing_key_hint(provider) if reason == "auth" else _HINTS[reason]
    return ModelError(
        message, reason=reason, hint=hint, provider=provider, model=model, **data
    )


def to_model_error(
    error: BaseException, target: CallTarget, failure: ProviderFailure | None = None
) -> ModelError:
    """Return the `ModelError` for whatever a call raised, without its key.

    `failure` is what the provider sent, if it was seen below a library.
    """
    provider, endpoint = target.provider, target.endpoint
    if isinstance(error, ProviderFailure):
        failure = error
    told = read_body(failure.body) if failure else Told(exception_message(error))
    status = failure.status if failure else _provider_status([*_exception_chain(error)])
    reason = (
        reason_for(failure.status or told.status, told)
        if failure
        else classify_error(error)
    )
    destination = get_provider(provider).destination(endpoint) or THIS_MACHINE
    data: dict[str, float | str] = {"destination": destination}
    headers = failure.headers if failure else _response_headers(error)
    if (seconds := _retry_seconds(headers, told, reason)) is not None:
        data["retryAfter"] = seconds
    if status:
        data["status"] = status
    if reason == "forbidden" and told.is_page and _is_behind_proxy(endpoint):
        reason = "proxy"
    if reason == "unavailable" and _was_refused(error) and endpoint:
        reason, told = "not_running", Told(f"nothing answers at {endpoint}")
    if reason == "not_found" and provider in {"ollama", "ollama_chat"}:
        reason, told = "not_installed", Told("")
    failed = build_model_error(
        reason,
        provider=provider,
        model=target.model,
        provider_message=redact(told.message, [target.key]),
        **data,
    )
    if (remedy := _remedy(reason, target, told)) is not None:
        failed.hint = remedy
    return failed


_START_COMMANDS: Final = {
    11434: "ollama serve",
    1234: "lms server start",
    8000: "vllm serve MODEL",
    8080: "llama-server -m MODEL.gguf",
    4000: "litellm --config CONFIG",
}
"""By the usual port of a server."""
_USUAL_PORTS: Final = {
    "ollama": 11434,
    "ollama_chat": 11434,
    "lm_studio": 1234,
    "hosted_vllm": 8000,
    "llamafile": 8080,
    "litellm_proxy": 4000,
}


def _remedy(reason: FailureReason, target: CallTarget, told: Told) -> str | None:
    """Return what the user can do in this case; None for the usual hint."""
    name = target.name
    if reason == "not_installed":
        return f"Download it: ollama pull {name}"
    if reason == "not_running":
        if "memory" in told.message:
            return "Choose a smaller model, or close other programs."
        if "loaded" in told.message:
            return f"Load it in the server's own window, or with: lms load {name}"
        port = _USUAL_PORTS.get(target.provider)
        port = port or urlsplit(target.endpoint or "").port or 0
        command = _START_COMMANDS.get(port)
        return f"Start it: {command}" if command else None
    if "Name or service not known" in told.message:
        return "Check the endpoint's address and the network."
    return None


def _is_behind_proxy(endpoint: str | None) -> bool:
    return bool(getproxies()) and not is_loopback(endpoint)


def _was_refused(error: BaseException) -> bool:
    return any(isinstance(e, ConnectionRefusedError) for e in _exception_chain(error))


def classify_error(error: BaseException) -> FailureReason:
    """Return the reason of a failure that a library raised."""
    chain = list(_exception_chain(error))
    names = [name for link in chain for name in _class_names(link)]
    for name, reason in _REASON_BY_CLASS.items():
        if name in names:
            return reason
    text = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in text:
        return "tls"
    if "HTTPStatusError" not in names:
        for name in names:
            if name in _REASON_BY_CLASS_WITHOUT_STATUS:
                return _REASON_BY_CLASS_WITHOUT_STATUS[name]
    return reason_for(_http_status(chain), Told(text))


def reason_for(status: int, told: Told) -> FailureReason:  # noqa: PLR0911, C901 -- one return a cause
    """Return the reason of an HTTP status and what was said with it."""
    text = f"{told.codes} {told.message}"
    for reason, pattern in _REASON_BY_TEXT.items():
        if pattern.search(text):
            return reason
    if _PLAN_PATTERN.search(text) and told.retry_after is None:
        return "quota"
    if _NOT_LOADED_PATTERN.search(text):
        return "not_running"
    if status not in {404, 429} and _FORBIDDEN_PATTERN.search(text):
        return "forbidden"
    if status == 429 and _OVERLOADED_PATTERN.search(text):  # noqa: PLR2004 -- of HTTP
        return "overloaded"
    if (by_status := _REASON_BY_STATUS.get(status)) is not None:
        return by_status
    if _RATE_PATTERN.search(text):  # inside of a stream, or with a wrong status
        return "rate_limit"
    if _CONTEXT_PATTERN.search(text):
        return "context"
    if _OVERLOADED_PATTERN.search(text):
        return "overloaded"
    if _UNKNOWN_MODEL_PATTERN.search(text):
        return "not_found"
    return "invalid_request" if 400 <= status < 500 else "unavailable"  # noqa: PLR2004 -- the 4xx of HTTP


def _retry_seconds(
    headers: Mapping[str, str], told: Told, reason: FailureReason
) -> float | None:
    """Return how long the provider asks to wait, in seconds."""
    if (seconds := parse_retry_after(headers)) is not None:
        return seconds
    if reason not in {"rate_limit", "overloaded", "unavailable"}:
        return None
    if told.retry_after is None and _LOADING_PATTERN.search(told.message):
        return _LOADING_SECONDS
    return told.retry_after if told.retry_after is not None else reset_wait(headers)


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
    """Return the wait that headers name, in seconds; never negative."""
    value = headers.get("retry-after", "").strip()
    milliseconds = parse_wait(f"{headers.get('retry-after-ms', '')}ms")
    for seconds in (milliseconds, parse_wait(value)):
        if seconds is not None:
            return seconds
    return _seconds_until(value)


def _seconds_until(date: str) -> float | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, OverflowError):
        return None  # neither a wait nor a date
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.now(UTC)).total_seconds()
    return min(max(0.0, seconds), MAX_WAIT)


def exception_message(error: BaseException) -> str:
    """Return the message of a library's error, without what is the library's own."""
    if any(
        name in _CONNECTION_LOST_CLASSES
        for link in _exception_chain(error)
        for name in _class_names(link)
    ):
        return _CONNECTION_LOST
    if isinstance(error, json.JSONDecodeError | UnicodeError):
        return ""  # it is about bytes and columns
    return clean_message(str(error))


def stream_end_error(
    answer: Answer, *, limit: int | None, provider: str, model: str
) -> ModelError | None:
    """Return the error of a stream that ended without an exception; None if it is ok.

    A stream with neither a finish reason nor reported usage was interrupted.
    """
    names: dict[str, Any] = {"provider": provider, "model": model}
    if answer.finish == "error":  # OpenRouter reports an upstream failure like this
        return build_model_error("unavailable", **names)
    if answer.has_text and not answer.is_interrupted:
        return None
    if answer.has_text:
        return build_model_error(
            "unavailable", provider_message=_CONNECTION_LOST, **names
        )
    return _no_text_error(answer, limit, names)


def _no_text_error(
    answer: Answer, limit: int | None, names: dict[str, Any]
) -> ModelError:
    if answer.is_blocked or answer.finish in {"content_filter", "refused"}:
        reason: FailureReason = "moderated" if answer.is_blocked else "refused"
        why = answer.refusal or f"the reason it gave is {answer.ending}"
        return build_model_error(reason, provider_message=why, **names)
    if answer.is_interrupted and not answer.has_thought:
        return build_model_error("malformed", **names)
    return _empty_error(answer, limit, names)


def _empty_error(
    answer: Answer, limit: int | None, names: dict[str, Any]
) -> ModelError:
    if answer.finish != "length":
        return build_model_error("empty", **names)
    error = build_model_error("empty", **names, finishReason="length")
    used = answer.usage.completion if answer.usage else limit
    tokens = f"all {used:,} tokens" if used else "all of its tokens"
    error.message = f"{names['model']} used {tokens} for thinking and wrote nothing."
    error.hint = "Allow more tokens with `reasoning`, or choose another model."
    return error
