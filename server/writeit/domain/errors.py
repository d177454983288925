"""Every error a person can meet, as one tree.

    WriteItError
    ├── InvalidParams       the words of the request were wrong
    ├── NotFound            no such run, step, response, pipeline, primer, model
    ├── InvalidTransition   the state does not allow it
    ├── Busy                answers are streaming already
    ├── RetryLimit          a fourth regeneration
    ├── InvalidPipeline     the pipeline's file has problems
    ├── BadExport           a file that should hold an exported run does not
    ├── ModelError          a provider or the model host failed
    ├── BudgetExceeded      the call would cost more than allowed
    ├── StoreError          the store is full, read-only, locked, corrupt, too new
    ├── NotTrusted          refused because of where it came from or would go
    └── DocumentChanged     the document or the passage is gone

`message` says what happened and what was kept; `hint` says what to do next.
Adapters map `kind` to their own codes; nobody matches on message text.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

FailureReason = Literal[
    "auth",
    "rate_limit",
    "timeout",
    "context",
    "invalid_request",
    "unavailable",
    "refused",
    "malformed",
    "empty",
    "not_found",
    "cancelled",
]
"""Why a call to a model ended without a whole answer; the contract's words."""


class WriteItError(Exception):
    """The root: a kind, a message, a hint and whatever data the kind defines."""

    kind: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", **data: Any) -> None:  # noqa: ANN401 -- each kind defines its own JSON data
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.data = data

    def to_json(self) -> dict[str, Any]:
        """Return the error as the JSON object that the wire contract defines."""
        return {
            "kind": self.kind,
            "message": self.message,
            "hint": self.hint,
            **self.data,
        }


class InvalidParams(WriteItError):
    """Parameters are missing, extra, of the wrong type or out of bounds."""

    kind = "invalid_params"


class NotFound(WriteItError):
    """Something named does not exist; the hint names the nearest that do."""

    kind = "not_found"

    @classmethod
    def with_suggestions(cls, kind: str, name: str, known: Iterable[str]) -> NotFound:
        """Build the error for `name`, naming its nearest neighbours in `known`."""
        candidates = sorted(known)
        near = get_close_matches(name, candidates, n=3, cutoff=0.5) or candidates[:5]
        hint = f"Did you mean: {', '.join(near)}?" if near else f"There is no {kind}."
        return cls(f"No {kind} is called {name!r}.", hint=hint)


EVENT_ACTIONS = {
    "run_started": "start a run",
    "run_branched": "branch",
    "run_paused": "pause",
    "run_resumed": "resume",
    "step_started": "ask the models",
    "step_regenerated": "ask anew",
    "step_skipped": "skip the step",
    "response_selected": "choose an answer",
    "response_rated": "rate an answer",
    "passage_taken": "take a passage",
    "merged": "merge",
    "feedback_given": "give feedback",
    "text_applied": "put the text in a document",
    "text_restored": "take it back out",
}
"""What the writer does that becomes an event."""
AUTOMATIC_EVENTS = frozenset(
    {
        "run_completed",
        "run_failed",
        "step_completed",
        "response_started",
        "response_received",
        "response_interrupted",
        "response_failed",
    }
)
"""Events that come without a doing of hers."""


class InvalidTransition(WriteItError):
    """The state of the run or step does not allow what was asked.

    `allowed` names commands, or types of events; the hint says these in words.
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
        allowed = list(allowed)
        if not hint and allowed:
            can = [words for event, words in EVENT_ACTIONS.items() if event in allowed]
            can += [
                name
                for name in allowed
                if name not in EVENT_ACTIONS.keys() | AUTOMATIC_EVENTS
            ]
            hint = (
                f"Allowed here: {', '.join(can)}."
                if can
                else "writeit.run.show says how the run stands."
            )
        super().__init__(
            message, hint=hint, state=state, attempted=attempted, allowed=allowed
        )


class Busy(WriteItError):
    """Answers are streaming already, here or in another editor."""

    kind = "busy"


class RetryLimit(WriteItError):
    """A step was regenerated as often as the data model allows."""

    kind = "retry_limit"


class InvalidPipeline(WriteItError):
    """A pipeline's file cannot be used; `problems` says where and why."""

    kind = "invalid_pipeline"


class InvalidExport(WriteItError):
    """A file is no exported run that can be taken in; `reason` says which way.

    It never comes over the wire, where no file is imported.
    """

    kind = "invalid_params"

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, reason=reason)
        self.reason = reason


class ModelError(WriteItError):
    """A call to a model failed; `reason` is one of the contract's reasons."""

    kind = "model_error"

    def __init__(
        self,
        message: str,
        *,
        reason: FailureReason,
        hint: str = "",
        **data: Any,  # noqa: ANN401 -- the contract's optional fields
    ) -> None:
        super().__init__(message, hint=hint, reason=reason, **data)
        self.reason = reason


class BudgetExceeded(WriteItError):
    """The next call could cost more than the writer allowed."""

    kind = "budget_exceeded"


class StoreError(WriteItError):
    """The store cannot be read or written; `reason` says which way."""

    kind = "store_error"

    def __init__(self, message: str, *, reason: str, hint: str = "") -> None:
        super().__init__(message, hint=hint, reason=reason)
        self.reason = reason


class NotTrusted(WriteItError):
    """Refused because of where it came from or where it would go."""

    kind = "not_trusted"


class DocumentChanged(WriteItError):
    """The document, or the passage in it, is gone."""

    kind = "document_changed"
