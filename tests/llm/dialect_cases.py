"""What real providers send, and what WriteIt makes of it; `docs/models.md` shows it.

Each case of `dialects.yaml` replays one answer or failure in a provider's format.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from support.wire_formats import TEXT, Fault, Reply, Scene, event
from writeit.domain.errors import FailureReason

HALF = "The river rose in the night. "


@dataclass(frozen=True, kw_only=True)
class DialectCase:
    """One recording and its outcome; tokens: 300 of text.

    In the file, `scene` has the fields of a `Scene` (or a number of `words`), `fault`
    a status and a body, `headers` those of the fault, `events` bytes. `delta` is a
    thought in a field of its own. `refuses` is a parameter and the message of HTTP 400
    as long as the parameter is sent, with more fields of the error.
    """

    dialect: str
    what: str
    model: str
    replies: tuple[Reply, ...]
    room: int = 0
    reasoning: str | None = None
    temperature: float | None = None
    text: str | None = TEXT
    """The whole text; None for a failure without any."""
    thought: bool = False
    finish: str | None = "stop"
    reason: FailureReason | None = None
    says: str = ""
    """A part of the message and its hint."""
    after: float | None = None
    """`retryAfter`, in seconds."""
    requests: int = 1
    notices: int = 0
    sent: dict[str, Any] = field(default_factory=dict)
    """Fields of the last request; None if absent."""
    usage: dict[str, Any] = field(default_factory=dict)
    """Fields of the usage, of a failed call too."""

    def as_markdown(self) -> str:
        """The row of the documentation's table."""
        outcome = "failed" if self.text is None else "complete"
        if self.text is not None and self.reason:
            outcome = "partial"
        word = f"`{self.reason or f'finishReason: {self.finish}'}`"
        again = "yes" if self.requests > 1 else "no"
        return f"| {self.dialect} | {self.what} | {outcome} | {word} | {again} |"


def refusing(name: str, message: str, **more: object) -> Reply:
    """Answer only requests without a parameter."""
    error = {"message": message, "type": "invalid_request_error", **more}

    def reply(body: dict[str, Any]) -> Reply:
        return Fault(status=400, body={"error": error}) if name in body else Scene()

    return reply


def _replies(given: dict[str, Any]) -> tuple[Reply, ...]:
    """Take the replies out of a case of the file."""
    replies: list[Reply] = []
    if refuses := given.pop("refuses", {}):
        (name, message), *more = refuses.items()
        replies.append(refusing(name, message, **dict(more)))
    for status, body in given.pop("fault", {}).items():
        headers = given.pop("headers", {})
        replies.append(Fault(status=status, body=body, headers=headers))
    if events := given.pop("events", []):
        replies.append([each.encode() for each in events])
    if delta := given.pop("delta", {}):
        told = [{"delta": delta}, {"delta": {"content": TEXT}}]
        choices = [*told, {"delta": {}, "finish_reason": "stop"}]
        replies.append([event({"choices": [choice]}) for choice in choices])
    scene = given.pop("scene", None)
    if scene is not None or not replies:
        replies.append(_scene(scene or {}))
    return tuple(replies)


def _scene(given: dict[str, Any]) -> Scene:
    if "words" in given:
        given = {"text": "word " * given["words"]}
    if "silence" in given:
        sent, times, seconds = given["silence"]
        given["silence"] = (sent.encode(), times, seconds)
    return Scene(**given)


def _case(dialect: str, what: str, given: dict[str, Any]) -> DialectCase:
    scene = given.get("scene", {})
    is_again = "refuses" in given or {"fault", "scene"} <= given.keys()
    outcome: dict[str, Any] = {"text": scene.get("text", TEXT)}
    if "reason" in given:
        outcome = {"text": HALF if "error" in scene else None, "finish": None}
    elif "words" in scene:
        outcome = {"text": "word " * 300}
    outcome |= {"requests": 2 if is_again else 1, "thought": "delta" in given}
    replies = _replies(given)
    return DialectCase(dialect=dialect, what=what, replies=replies, **outcome | given)


CASES = [
    _case(dialect, what, given)
    for dialect, cases in yaml.safe_load(
        Path(__file__).with_name("dialects.yaml").read_text(encoding="utf-8")
    ).items()
    for what, given in cases.items()
]
"""As the documentation shows them."""
