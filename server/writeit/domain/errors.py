"""All errors a user can meet, as one tree.

    WriteItError
    ├── InvalidParams       the parameters of the request are wrong
    ├── NotFound            no such run, step, answer, pipeline, primer, model
    ├── InvalidTransition   the state does not allow it
    ├── Busy                answers are being generated already
    ├── RetryLimit          a fourth regeneration
    ├── InvalidPipeline     the pipeline's file has problems
    ├── InvalidExport       a file is no exported run that can be imported
    ├── ModelError          a provider or the model process failed
    ├── BudgetExceeded      the call could cost more than allowed
    ├── StoreError          the store is full, read-only, locked, corrupt, too new
    ├── NotTrusted          refused because of its source or destination
    └── DocumentChanged     the document or the passage is gone

`message` says what happened and what was kept, `hint` what to do next. Adapters map
`kind` to their own codes; no code compares message texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

FailureReason = Literal[
    "auth",
    "forbidden",
    "quota",
    "rate_limit",
    "overloaded",
    "timeout",
    "context",
    "invalid_request",
    "unavailable",
    "not_running",
    "not_installed",
    "tls",
    "proxy",
    "refused",
    "moderated",
    "malformed",
    "empty",
    "not_found",
    "cancelled",
]
"""Why a call to a model ended without a complete answer, as on the wire."""


class WriteItError(Exception):
    """The root: a kind, a message, a hint and the data that the kind defines."""

    kind: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", **data: Any) -> None:  # noqa: ANN401 -- each kind defines its own JSON data
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.data = data

    def to_json(self) -> dict[str, Any]:
        """Return the error as the JSON object that the wire contract defines."""
        fields = {"kind": self.kind, "message": self.message, "hint": self.hint}
        return fields | self.data


class InvalidParams(WriteItError):
    """Parameters are missing, extra, of the wrong type or out of bounds."""

    kind = "invalid_params"


class NotFound(WriteItError):
    """Something named does not exist; the hint names similar ones that do."""

    kind = "not_found"

    @classmethod
    def with_suggestions(cls, kind: str, name: str, known: Iterable[str]) -> NotFound:
        """Return the error for `name`, with the most similar names in `known`."""
        candidates = sorted(known)
        near = get_close_matches(name, candidates, n=3, cutoff=0.5) or candidates[:5]
        hint = f"Did you mean: {', '.join(near)}?" if near else f"There is no {kind}."
        return cls(f"No {kind} is called {name!r}.", hint=hint)


class NoModelSet(NotFound):
    """Nothing names a model for a step, and none is installed here."""


class InvalidTransition(WriteItError):
    """The state of the run or step does not allow the action.

    `allowed` names the commands or event types that are allowed instead.
    """

    kind = "invalid_transition"

    def __init__(
        self,
        message: str,
        *,
        state: str,
        attempted: str,
        allowed: Iterable[str] = (),
        hint: str = "",
    ) -> None:
        super().__init__(
            message, hint=hint, state=state, attempted=attempted, allowed=list(allowed)
        )


class Busy(WriteItError):
    """Answers are being generated already, here or in another editor."""

    kind = "busy"


class RetryLimit(WriteItError):
    """A step was regenerated as often as the data model allows."""

    kind = "retry_limit"


class InvalidPipeline(WriteItError):
    """A pipeline's file cannot be used; `problems` lists where and why."""

    kind = "invalid_pipeline"


class InvalidExport(WriteItError):
    """A file is no exported run that can be imported; `reason` names the cause.

    It is never sent over the wire, because no file is imported there.
    """

    kind = "invalid_params"

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, reason=reason)
        self.reason = reason


class ModelError(WriteItError):
    """A call to a model failed."""

    kind = "model_error"

    def __init__(
        self,
        message: str,
        *,
        reason: FailureReason,
        hint: str = "",
        **data: Any,  # noqa: ANN401 -- optional JSON fields
    ) -> None:
        super().__init__(message, hint=hint, reason=reason, **data)
        self.reason = reason


class BudgetExceeded(WriteItError):
    """The next call could cost more than the user allowed."""

    kind = "budget_exceeded"


class StoreError(WriteItError):
    """The store cannot be read or written; `reason` names the cause."""

    kind = "store_error"

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, reason=reason)
        self.reason = reason


class NotTrusted(WriteItError):
    """Refused because of its source or its destination."""

    kind = "not_trusted"


class DocumentChanged(WriteItError):
    """The document, or the passage in it, is gone."""

    kind = "document_changed"


class WorkStopped(Exception):
    """Work exceeded a limit and was stopped; the text names the limit."""
