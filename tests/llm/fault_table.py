"""Every way a provider fails, with its outcome: one table, tested row by row.

`docs/models.md` shows the same rows; a test compares them.
"""

from dataclasses import dataclass
from typing import Literal

from writeit.domain.errors import FailureReason

WORDS = "word0 word1 word2 "
FIVE = WORDS + "word3 word4 "
LONGEST = 4_000_000


@dataclass(frozen=True, kw_only=True)
class Row:
    """One fault and its outcome."""

    fault: str
    """A description for the documentation."""
    model: str
    """The model of the loopback provider that has this fault."""
    outcome: Literal["complete", "partial", "failed"] = "failed"
    reason: FailureReason | None = None
    finish: str | None = None
    """The finish reason of an answer that was kept."""
    attempts: int = 1
    kept: str = ""
    """The text kept."""
    says: str = ""
    """A part of the message."""
    after: float | None = None
    """`retryAfter` of the error, in seconds, at most."""

    def as_markdown(self) -> str:
        """The row of the documentation's table."""
        reason = f"`{self.reason}`" if self.reason else ""
        if self.outcome != "failed" and self.finish:
            reason = f"`finishReason: {self.finish}`"
        retried = {1: "no", 2: "once"}.get(self.attempts, "twice")
        return (
            f"| {self.fault} | {self.outcome} | {reason} | {retried} | {self._kept()} |"
        )

    def _kept(self) -> str:
        if self.outcome == "complete":
            return "all of it"
        if len(self.kept) >= LONGEST:
            return f"the first {LONGEST:,} characters"
        return "what had arrived" if self.kept else "nothing"


ROWS = (
    Row(fault="HTTP 400", model="openai/err-400", reason="invalid_request"),
    Row(fault="HTTP 401", model="openai/err-401", reason="auth", says="[key]"),
    Row(fault="HTTP 403", model="openai/err-403", reason="forbidden"),
    Row(fault="HTTP 404", model="openai/err-404", reason="not_found"),
    Row(fault="HTTP 408", model="openai/err-408", reason="timeout", attempts=3),
    Row(fault="HTTP 413", model="openai/err-413", reason="context"),
    Row(fault="HTTP 422", model="openai/err-422", reason="invalid_request"),
    Row(
        fault="HTTP 429 without Retry-After",
        model="openai/err-429",
        reason="rate_limit",
        attempts=3,
    ),
    Row(
        fault="HTTP 429, Retry-After 1 second, then an answer",
        model="openai/recovers-1-429-1",
        outcome="complete",
        finish="stop",
        attempts=2,
        kept=FIVE,
    ),
    Row(
        fault="HTTP 429, Retry-After an HTTP date, then an answer",
        model="openai/recovers-1-429-date2",
        outcome="complete",
        finish="stop",
        attempts=2,
        kept=FIVE,
    ),
    Row(
        fault="HTTP 429, Retry-After above 60 seconds",
        model="openai/err-429-90",
        reason="rate_limit",
        after=90,
    ),
    Row(
        fault="HTTP 429, Retry-After a date above 60 seconds away",
        model="openai/err-429-date90",
        reason="rate_limit",
        after=90,
    ),
    Row(fault="HTTP 500", model="openai/err-500", reason="unavailable", attempts=3),
    Row(
        fault="HTTP 500 twice, then an answer",
        model="openai/recovers-2-500",
        outcome="complete",
        finish="stop",
        attempts=3,
        kept=FIVE,
    ),
    Row(fault="HTTP 502", model="openai/err-502", reason="unavailable", attempts=3),
    Row(fault="HTTP 503", model="openai/err-503", reason="unavailable", attempts=3),
    Row(fault="HTTP 529", model="openai/err-529", reason="overloaded", attempts=3),
    Row(fault="refused connection", model="mistral/x", reason="not_running"),
    Row(fault="unknown host", model="deepseek/x", reason="unavailable", attempts=3),
    Row(
        fault="TLS failure (a self-signed certificate)",
        model="groq/x",
        reason="tls",
    ),
    Row(fault="hang before the headers", model="openai/hang", reason="timeout"),
    Row(
        fault="hang after the headers",
        model="openai/hang-after-headers",
        reason="timeout",
    ),
    Row(
        fault="a slow stream, each pause shorter than the time limit",
        model="openai/drip-3",
        outcome="complete",
        finish="stop",
        kept=WORDS,
    ),
    Row(
        fault="drop before the first token",
        model="openai/cut-0",
        reason="unavailable",
        attempts=3,
    ),
    Row(
        fault="drop mid-stream",
        model="openai/cut-3",
        outcome="partial",
        reason="unavailable",
        finish="unavailable",
        kept=WORDS,
    ),
    Row(
        fault="an error object mid-stream",
        model="openai/errin-3",
        outcome="partial",
        reason="overloaded",
        finish="overloaded",
        kept=WORDS,
    ),
    Row(
        fault="a stream that is not JSON", model="openai/malformed", reason="malformed"
    ),
    Row(
        fault="malformed SSE mid-stream",
        model="openai/bad-3",
        outcome="partial",
        reason="malformed",
        finish="malformed",
        kept=WORDS,
    ),
    Row(fault="empty answer", model="openai/empty", reason="empty"),
    Row(fault="only white space", model="openai/blank", reason="empty"),
    Row(
        fault="content filter before the first token",
        model="openai/filter",
        reason="refused",
    ),
    Row(
        fault="content filter mid-stream",
        model="openai/filter-3",
        outcome="complete",
        finish="content_filter",
        kept=WORDS,
    ),
    Row(
        fault="wrong content type (a page of HTML)",
        model="openai/badtype",
        reason="malformed",
    ),
    Row(fault="bytes that are not UTF-8", model="openai/notutf8", reason="malformed"),
    Row(
        fault="a 50 MB answer",
        model="openai/huge-50",
        outcome="partial",
        reason="malformed",
        finish="malformed",
        kept="0123456789" * (LONGEST // 10),
    ),
    Row(
        fault="finish by length",
        model="openai/length-3",
        outcome="complete",
        finish="length",
        kept=WORDS,
    ),
)
