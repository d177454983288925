"""The loop that brings a change into an open document while its writer types.

The newest text decides, never the client's reply: Neovim answers `applied: true` to an
edit it skipped, eglot answers an error, VS Code refuses what is a keystroke late. Each
try merges anew into the newest text, sends the smallest edits with that text's version,
and looks at what the writer's next change brings. After three tries it waits for a
pause in her typing, tries once more, and then gives up for now: pending.

No version is sent an edit twice in a row, unless she has paused: an edit whose echo is
late might land on top of itself. Version 0 never is; Neovim does not check it.

eglot asks her first, and answers when she has decided. While an edit is unanswered no
other is sent, or she would be asked twice; and her no is no reason to ask again.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from lsprotocol import types
from pygls.exceptions import JsonRpcException

from writeit.core.edits import distance, edits
from writeit.core.errors import DocumentChanged
from writeit.lsp.convert import to_lsp_edits
from writeit.lsp.desk import Sent
from writeit.lsp.documents import open_document, spelled
from writeit.lsp.patience import comes

if TYPE_CHECKING:
    from collections.abc import Callable

    from pygls.workspace import TextDocument

    from writeit.core.merge3 import Conflict, Merged
    from writeit.lsp.connection import Connection

    Reply = asyncio.Future[types.ApplyWorkspaceEditResult]

TRIES = 3
ECHO = 0.7
"""Seconds in which an editor tells of an edit it took; Neovim waits 0.15 itself."""
PAUSE = 0.5
PATIENCE = 5.0
"""Seconds of waiting for a pause; some editors block on a command for ten."""
REPLY = 2.0
DECISION = 60.0
"""Seconds of waiting for a reply that is late: somebody may be reading a question."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a change."""

    landed: bool = False
    """Whether the newest text has it; with neither, conflicts kept it out."""
    pending: bool = False
    sent: Sent | None = None
    """The edit that landed, or the last that was sent."""
    text: str = ""
    """The newest text."""
    conflicts: tuple[Conflict, ...] = ()


class Landing:
    """One change on its way into one open document."""

    def __init__(
        self,
        connection: Connection,
        uri: str,
        change: Callable[[str], Merged],
        sent: Sent | None = None,
        *,
        patient: bool = False,
    ) -> None:
        self._connection = connection
        self._uri = uri
        self._change = change
        self._sent = sent
        self._patient = patient
        """Whether nobody waits for it, so that she may take her time to decide."""
        self._held = False
        """Whether she said no to an edit, or has not answered it."""
        self._wait = ECHO
        """Seconds in which the editor tells of what it did with the last edit."""
        self._versions: list[int | None] = []
        self._seen = 0

    async def land(self) -> Outcome:
        """Try until it is there, cannot be, or has to wait."""
        for _ in range(TRIES):
            if outcome := await self._try():
                return outcome
            if self._held or not await self._echo():
                break
        if not self._held:
            await self._connection.desk.pause(self._uri, PAUSE, PATIENCE)
            if outcome := await self._try(paused=True):
                return outcome
            await self._echo()
        outcome, text, _ = await self._look()
        return outcome or Outcome(pending=True, sent=self._sent, text=text)

    async def _try(self, *, paused: bool = False) -> Outcome | None:
        outcome, text, merged = await self._look()
        if outcome is not None or merged is None:
            return outcome
        version = self._document().version
        self._seen = self._connection.desk.seen(self._uri)
        again = version in self._versions and not (paused and version)
        if again or self._connection.desk.closed:
            return None
        self._versions.append(version)
        self._sent = Sent(text, merged.text, merged.conflicts)
        await self._send(version, text, merged.text)
        return None

    async def _look(self) -> tuple[Outcome | None, str, Merged | None]:
        """Compare the newest text with what it should be; text and merge fit."""
        while True:
            document = self._document()
            text, version = document.source, document.version
            outcome, merged = await asyncio.to_thread(self._judged, text)
            if self._document().version == version:
                return outcome, text, merged

    def _judged(self, text: str) -> tuple[Outcome | None, Merged | None]:
        sent = self._sent
        if sent is not None and has_landed(sent, text):
            landed = Outcome(
                landed=True, sent=sent, text=text, conflicts=sent.conflicts
            )
            return landed, None
        merged = self._change(text)
        if merged.text != text:
            return None, merged
        there = Outcome(
            landed=not merged.conflicts, text=text, conflicts=merged.conflicts
        )
        return there, merged

    def _document(self) -> TextDocument:
        document = open_document(self._connection, self._uri)
        if document is None:
            raise DocumentChanged(
                f"{self._uri} was closed before the text was in it.",
                hint="Apply it again; the text is kept with its run.",
                uri=self._uri,
            )
        return document

    async def _send(self, version: int | None, text: str, wanted: str) -> None:
        server = self._connection.server
        encoding = server.workspace.position_encoding or "utf-16"
        identifier = types.OptionalVersionedTextDocumentIdentifier(
            uri=spelled(self._connection, self._uri), version=version
        )
        edit = types.TextDocumentEdit(
            text_document=identifier,
            edits=[*to_lsp_edits(text, edits(text, wanted), encoding)],
        )
        whole = types.WorkspaceEdit(document_changes=[edit])
        reply = await send(self._connection, whole)
        self._wait = ECHO
        if self._patient and not reply.done():
            await self._decision(reply)
            self._wait = DECISION  # after a question eglot is idle at her next key only
        self._held = not reply.done() or _is_no(reply)
        if self._patient and not self._held and _is_refusal(reply):
            self._wait = PATIENCE  # she types, and eglot tells when she rests

    async def _decision(self, reply: Reply) -> None:
        desk, tries = self._connection.desk, int(DECISION / PAUSE)
        while not reply.done() and not desk.closed and (tries := tries - 1) > 0:
            await asyncio.wait({reply}, timeout=PAUSE)

    async def _echo(self) -> bool:
        desk = self._connection.desk
        return await desk.change_after(self._uri, self._seen, self._wait)


async def send(connection: Connection, edit: types.WorkspaceEdit) -> Reply:
    """Ask the client for an edit; whatever it replies is no more than a hint.

    The reply may be still to come: it is waited for only a moment.
    """
    params = types.ApplyWorkspaceEditParams(label="WriteIt", edit=edit)
    reply = asyncio.ensure_future(connection.server.workspace_apply_edit_async(params))
    reply.add_done_callback(_read)
    await comes(reply, REPLY)
    return reply


def _is_no(reply: Reply) -> bool:
    """Whether she was asked and said no: eglot says that she cancelled the edit."""
    return "cancelled" in _refusal(reply)


def _is_refusal(reply: Reply) -> bool:
    """Whether the editor says that it did not take an edit."""
    return bool(_refusal(reply))


def _refusal(reply: Reply) -> str:
    """Return what the editor has against an edit; "" if it says that it took it."""
    if reply.cancelled():
        return ""
    if (error := reply.exception()) is not None:
        return str(error)
    answer = reply.result()  # eglot's says nothing
    if getattr(answer, "applied", True):
        return ""
    return answer.failure_reason or "no reason"


def _read(reply: Reply) -> None:
    if reply.cancelled():
        return
    error = reply.exception()
    if isinstance(error, JsonRpcException):
        logger.info("the editor refused an edit: %s", error)
    elif error is not None:
        logger.warning("an edit went unanswered: %s", error)


def has_landed(sent: Sent, text: str) -> bool:
    """Whether `text`, in which the writer may have gone on typing, has the edit."""
    if text in {sent.text, sent.before}:
        return text == sent.text
    return distance(sent.text, text) < distance(sent.before, text)
