"""The reasons of failures, by class names alone, without LiteLLM."""

# ruff: noqa: D103 -- the names of the tests describe them

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from writeit.domain.errors import FailureReason
from writeit.llm.errors import (
    classify_error,
    parse_retry_after,
    reason_for,
    redact,
    to_model_error,
)
from writeit.llm.parameters import CallParameters, Learned, learn
from writeit.llm.provider_messages import read_body, reset_wait
from writeit.llm.providers.provider import CallTarget


def failing(name: str, text: str = "", **attributes: object) -> Exception:
    """Build an exception of a class called `name`."""
    error: Exception = type(name, (Exception,), attributes)(text)
    return error


def wrapped(outer: Exception, inner: Exception) -> Exception:
    """Chain two exceptions as `raise … from …` does."""
    outer.__cause__ = inner
    return outer


TARGET = CallTarget(model="openai/x", provider="openai", dialect="openai")
NONSENSE = json.JSONDecodeError("Expecting value", "x", 0)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (failing("ContextWindowExceededError", status_code=400), "context"),
        (failing("ContentPolicyViolationError", status_code=400), "moderated"),
        (
            failing("BadRequestError", "maximum context length is 8", status_code=400),
            "context",
        ),
        (
            failing("BadRequestError", "no such parameter", status_code=400),
            "invalid_request",
        ),
        (
            failing(
                "InternalServerError",
                "The api_key client option must be set",
                status_code=500,
            ),
            "auth",
        ),
        (
            failing("InternalServerError", "Connection refused", status_code=500),
            "unavailable",
        ),
        (
            wrapped(failing("APIConnectionError", status_code=500), NONSENSE),
            "malformed",
        ),
        (
            wrapped(failing("InternalServerError", status_code=500), TimeoutError()),
            "timeout",
        ),
        (failing("MidStreamFallbackError", original_exception=NONSENSE), "malformed"),
        (OSError("no route to host"), "unavailable"),
        (KeyError("anything"), "unavailable"),
    ],
)
def test_reason(error: Exception, reason: FailureReason) -> None:
    assert classify_error(error) == reason


@pytest.mark.parametrize(
    ("status", "message", "code", "reason"),
    [
        (400, "Make sure your account is in good standing.", "Arrearage", "quota"),
        (429, "Check your plan.", "exceeded_current_quota_error", "quota"),
        (403, "Key limit exceeded (total limit).", "403", "quota"),
        (400, "Authentication Error, invalid proxy server token.", "401", "auth"),
        (
            401,
            "key not allowed to access model",
            "key_model_access_denied",
            "forbidden",
        ),
        (400, "Output blocked by content filtering policy", "", "moderated"),
        (400, "Your prompt was flagged.", "invalid_prompt", "moderated"),
        (400, "Content Exists Risk", "", "moderated"),
        (503, "The model has high demand.", "UNAVAILABLE", "overloaded"),
        (429, "Try again later.", "engine_overloaded_error", "overloaded"),
        (400, "The input and `max_tokens` exceed context limit: 9 > 8", "", "context"),
        (400, "The input token count (9) exceeds the maximum.", "", "context"),
        (400, "Model has unloaded or crashed.", "", "not_running"),
        (0, "Slow down.", "rate_limit_exceeded", "rate_limit"),
        (400, "Too many requests", "ThrottlingException", "rate_limit"),
        (429, "Your account is not active.", "billing_not_active", "quota"),
        (403, "Your team doesn't have any credits yet.", "", "quota"),
        (429, "Service tier capacity exceeded for this model.", "", "overloaded"),
        (400, "Input is too long for requested model.", "", "context"),
        (400, "Model Not Exist", "", "not_found"),
        (200, "Unexpected endpoint or method. (POST /x)", "", "malformed"),
    ],
)
def test_reason_of_what_a_provider_says(
    status: int, message: str, code: str, reason: FailureReason
) -> None:
    told = read_body({"error": {"message": message, "code": code}})
    assert reason_for(status, told) == reason


@pytest.mark.parametrize(
    ("body", "name", "limit"),
    [
        ({"detail": [{"loc": ["body", "temperature"]}]}, "temperature", None),
        (
            {"message": {"detail": [{"loc": ["stream_options"]}]}},
            "stream_options",
            None,
        ),
        (
            {"error": {"message": "The range of max_tokens is [1, 200]"}},
            "max_tokens",
            200,
        ),
        ({"error": "at most 128 completion tokens, not 300"}, "max_tokens", 128),
    ],
)
def test_refused_parameter(body: object, name: str, limit: int | None) -> None:
    known, told = Learned(), read_body(body)
    sent = CallParameters(max_tokens=300, temperature=0.9)
    assert learn(known, told.message, told.param, sent) == name
    assert known.limit == limit


@pytest.mark.parametrize(
    ("more", "seconds"),
    [
        ({"message": "Try again in 1 minute."}, 60),
        ({"message": "Try again in 2m5s."}, 125),
        ({"message": "Try again in 400ms."}, 0.4),
        ({"retry_after": 5}, 5),
    ],
)
def test_wait_in_a_body(more: dict[str, object], seconds: float) -> None:
    assert read_body({"error": more}).retry_after == seconds


def test_the_status_decides_if_the_body_is_not_json() -> None:
    response = failing("HTTPStatusError")
    response.response = type("R", (), {"status_code": 503})()  # type: ignore[attr-defined]  # as httpx has it
    error = wrapped(failing("APIError", status_code=500), wrapped(NONSENSE, response))
    assert classify_error(error) == "unavailable"


def test_a_cycle_of_causes_ends() -> None:
    first, second = Exception("a"), Exception("b")
    first.__cause__, second.__cause__ = second, first
    assert classify_error(first) == "unavailable"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        *(("7", 7), ("1.5", 1.5), ("-3", 0), ("", None), ("soon", None)),
        *(
            ("1m30s", 90),
            ("2 hours", 7200),
            ("6ms", 0.006),
            ('"9"', 9),
            ("1.2.3", None),
        ),
        *(("9" * 400, 604_800), ("1" * 99 + "!", None), ("x +99999999", None)),
    ],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert parse_retry_after({"retry-after": value}) == seconds
    told = read_body({"details": [{"retryDelay": value}]})
    assert told.retry_after == seconds


def test_retry_after_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    seconds = parse_retry_after({"retry-after": date})
    assert seconds is not None
    assert 50 < seconds <= 60


@pytest.mark.parametrize(
    ("remaining", "reset", "seconds"),
    [
        ("0", "6m0s", 360),
        ("0", "12", 12),
        ("0", "1000000000", 0),
        ("0", "9" * 400, 604_800),
        ("0", "soon", None),
        ("1", "6m0s", None),
        (None, "6m0s", None),
    ],
)
def test_a_limit_that_is_used_up_is_waited_for(
    remaining: str | None, reset: str, seconds: float | None
) -> None:
    headers = {"X-RateLimit-Reset-Tokens": reset}
    if remaining is not None:
        headers["X-RateLimit-Remaining-Tokens"] = remaining
    assert reset_wait(headers) == seconds
    body = {"error": {"code": 429, "metadata": {"headers": headers}}}
    assert read_body(body).retry_after == seconds


@pytest.mark.parametrize("unit", ["", "000"])
def test_the_time_of_a_reset_is_in_seconds_or_milliseconds(unit: str) -> None:
    reset = f"{round(time.time()) + 3600}{unit}"
    wait = reset_wait({"x-ratelimit-reset": reset, "x-ratelimit-remaining": "0"})
    assert wait == pytest.approx(3600, abs=60)


def test_retry_after_in_the_past_is_0() -> None:
    assert parse_retry_after({"retry-after": "Sun, 06 Nov 1994 08:49:37 GMT"}) == 0


def test_the_message_has_no_class_names() -> None:
    error = failing(
        "RateLimitError",
        "litellm.RateLimitError: RateLimitError: OpenAIException - Slow\n down",
    )
    assert str(to_model_error(error, TARGET)).endswith(": Slow down")


def test_a_long_message_is_truncated() -> None:
    assert len(str(to_model_error(Exception("x" * 9999), TARGET))) < 600


def test_a_short_key_leaves_words_alone() -> None:
    assert redact("407 Proxy: key x", ["x"]) == "407 Proxy: key [key]"


@pytest.mark.parametrize(
    "text",
    [
        "the key is my-own-secret!",
        "sk-proj-abcdefghijklmnop1234",
        "Authorization: Bearer abc.def",
        "https://x/v1?key=AIzaSy123&alt=sse",
    ],
)
def test_keys_are_redacted(text: str) -> None:
    clean = redact(text, ["my-own-secret", None, ""])
    assert "[key]" in clean
    for secret in ("my-own-secret", "abcdefghijklmnop", "abc.def", "AIzaSy123"):
        assert secret not in clean
