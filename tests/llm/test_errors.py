"""The reasons of failures, by class names alone, without LiteLLM."""

# ruff: noqa: D103 -- the names of the tests describe them

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from writeit.domain.errors import FailureReason
from writeit.llm.errors import classify_error, parse_retry_after, redact, to_model_error
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
    [("7", 7), ("1.5", 1.5), ("-3", 0), ("", None), ("soon", None)],
)
def test_retry_after(value: str, seconds: float | None) -> None:
    assert parse_retry_after({"retry-after": value}) == seconds


def test_retry_after_as_a_date() -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    seconds = parse_retry_after({"retry-after": date})
    assert seconds is not None
    assert 50 < seconds <= 60


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
