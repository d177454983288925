"""What the server and its model host say to each other.

One JSON object a line, both ways; `type` says what it is, `id` which call it is about.

To the host:

    start     id, model, prompt, max_tokens?, temperature?, key?, run_id?
    cancel    id
    measure   as start, with keyed (whether there is a key) for key
    identify  id, model
    list      id, named, provider, keyed (the providers that have a key), refresh
    shutdown

From the host:

    ready
    delta     id, text
    notice    id, code, title, message, retry_after?
    done      id, usage, finish_reason?
    error     id, kind, message, hint, data
    measured  id, fit
    identified id, model
    listed    id, models

Every start, measure, identify and list ends in exactly one done, measured, identified,
listed or error, unless it is cancelled: then nothing more is said about it. Keys
travel in `start` only, and never back.
"""

from __future__ import annotations

import json
from typing import Any

from writeit.core.errors import ModelError, NotFound, WriteItError

Message = dict[str, Any]


def encode(message: Message) -> bytes:
    """Write a message as one line.

    ASCII, because half an emoji (providers do split their escapes) has no UTF-8.
    """
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def decode(line: bytes) -> Message:
    """Read one line.

    Raises:
        ValueError: it is not a message.
    """
    message = json.loads(line)
    if not isinstance(message, dict) or "type" not in message:
        raise ValueError(f"not a message: {line[:80]!r}")
    return message


class Lines:
    """Cuts a stream of bytes into lines."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, data: bytes) -> list[bytes]:
        """Take bytes and return the lines that are complete now."""
        *complete, rest = data.split(b"\n")
        if complete:
            complete[0] = b"".join([*self._rest, complete[0]])
            self._rest = []
        if rest:
            self._rest.append(rest)
        return complete


def error_fields(error: WriteItError) -> Message:
    """Write an error as an object."""
    return {
        "kind": error.kind,
        "message": error.message,
        "hint": error.hint,
        "data": error.data,
    }


def error_message(error: WriteItError) -> Message:
    """Write an error as the message that ends a call."""
    return {"type": "error", **error_fields(error)}


def error_of(fields: Message) -> WriteItError:
    """Read an error back."""
    kind = NotFound if fields["kind"] == NotFound.kind else ModelError
    return kind(fields["message"], hint=fields["hint"], **fields["data"])
