"""Every way a provider fails, with its outcome: one table, tested row by row.

`docs/models.md` shows the same rows; a test compares them.
"""

from dataclasses import dataclass
from typing import Literal

WORDS = "word0 word1 word2 "
FIVE = WORDS + "word3 word4 "
LONGEST = 4_000_000


@dataclass(frozen=True)
class Row:
    """One fault and its outcome."""

    fault: str
    """A description for the documentation."""
    model: str
    """The model of the loopback provider that has this fault."""
    end: str
    """The reason of the failure, or the finish reason of a complete answer."""
    attempts: int = 1
    kept: str = ""
    """The text kept."""
    says: str = ""
    """A part of the message."""
    after: float | None = None
    """`retryAfter` of the error, in seconds, at most."""

    @property
    def outcome(self) -> Literal["complete", "partial", "failed"]:
        """Whether there is a whole answer, a part of one, or none."""
        if self.end in {"stop", "length", "content_filter"}:
            return "complete"
        return "partial" if self.kept else "failed"

    @property
    def reason(self) -> str | None:
        """The reason of the failure."""
        return None if self.outcome == "complete" else self.end

    def as_markdown(self) -> str:
        """The row of the documentation's table."""
        failed = self.outcome == "failed"
        reason = f"`{self.end}`" if failed else f"`finishReason: {self.end}`"
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
    Row("HTTP 400", "openai/err-400", "invalid_request"),
    Row("HTTP 401", "openai/err-401", "auth", says="[key]"),
    Row("HTTP 403", "openai/err-403", "forbidden"),
    Row("HTTP 404", "openai/err-404", "not_found"),
    Row("HTTP 408", "openai/err-408", "timeout", attempts=3),
    Row("HTTP 413", "openai/err-413", "context"),
    Row("HTTP 422", "openai/err-422", "invalid_request"),
    Row("HTTP 429 without Retry-After", "openai/err-429", "rate_limit", attempts=3),
    Row(
        "HTTP 429, Retry-After 1 second, then an answer",
        "openai/recovers-1-429-1",
        "stop",
        attempts=2,
        kept=FIVE,
    ),
    Row(
        "HTTP 429, Retry-After an HTTP date, then an answer",
        "openai/recovers-1-429-date2",
        "stop",
        attempts=2,
        kept=FIVE,
    ),
    Row(
        "HTTP 429, Retry-After above 60 seconds",
        "openai/err-429-90",
        "rate_limit",
        after=90,
    ),
    Row(
        "HTTP 429, Retry-After a date above 60 seconds away",
        "openai/err-429-date90",
        "rate_limit",
        after=90,
    ),
    Row("HTTP 500", "openai/err-500", "unavailable", attempts=3),
    Row(
        "HTTP 500 twice, then an answer",
        "openai/recovers-2-500",
        "stop",
        attempts=3,
        kept=FIVE,
    ),
    Row("HTTP 502", "openai/err-502", "unavailable", attempts=3),
    Row("HTTP 503", "openai/err-503", "unavailable", attempts=3),
    Row("HTTP 529", "openai/err-529", "overloaded", attempts=3),
    Row("refused connection", "mistral/x", "not_running"),
    Row("unknown host", "deepseek/x", "unavailable", attempts=3),
    Row("TLS failure (a self-signed certificate)", "groq/x", "tls"),
    Row("hang before the headers", "openai/hang", "timeout"),
    Row("hang after the headers", "openai/hang-after-headers", "timeout"),
    Row(
        "a slow stream, each pause shorter than the time limit",
        "openai/drip-3",
        "stop",
        kept=WORDS,
    ),
    Row("drop before the first token", "openai/cut-0", "unavailable", attempts=3),
    Row("drop mid-stream", "openai/cut-3", "unavailable", kept=WORDS),
    Row("an error object mid-stream", "openai/errin-3", "overloaded", kept=WORDS),
    Row("a stream that is not JSON", "openai/malformed", "malformed"),
    Row("malformed SSE mid-stream", "openai/bad-3", "malformed", kept=WORDS),
    Row("empty answer", "openai/empty", "empty"),
    Row("only white space", "openai/blank", "empty"),
    Row("content filter before the first token", "openai/filter", "refused"),
    Row("content filter mid-stream", "openai/filter-3", "content_filter", kept=WORDS),
    Row("wrong content type (a page of HTML)", "openai/badtype", "malformed"),
    Row("bytes that are not UTF-8", "openai/notutf8", "malformed"),
    Row(
        "a 50 MB answer",
        "openai/huge-50",
        "malformed",
        kept="0123456789" * (LONGEST // 10),
    ),
    Row("finish by length", "openai/length-3", "length", kept=WORDS),
)
