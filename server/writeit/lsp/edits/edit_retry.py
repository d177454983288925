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
from collections.abc import Callable
from dataclasses import dataclass

from lsprotocol import types
from pygls.workspace import TextDocument

from writeit.domain.errors import DocumentChanged
from writeit.lsp.client import EditReply
from writeit.lsp.convert import to_lsp_edits
from writeit.lsp.documents import Documents, SentEdit
from writeit.text.diff import compute_edits, edit_distance
from writeit.text.merge3 import MergeConflict, MergeResult

MAX_TRIES = 3
CHANGE_TIMEOUT = 0.7
"""Seconds in which an editor tells of an edit it took; Neovim waits 0.15 itself."""
IDLE_SECONDS = 0.5
IDLE_TIMEOUT = 5.0
"""Seconds of waiting for a pause; some editors block on a command for ten."""
DECISION_TIMEOUT = 60.0
"""Seconds of waiting for a reply that is late: somebody may be reading a question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditOutcome:
    """What became of a change."""

    is_applied: bool = False
    """Whether the newest text has it; with neither, conflicts kept it out."""
    is_pending: bool = False
    sent_edit: SentEdit | None = None
    """The edit that landed, or the last that was sent."""
    newest_text: str = ""
    """The newest text."""
    conflicts: tuple[MergeConflict, ...] = ()


class EditRetry:
    """One change on its way into one open document."""

    def __init__(
        self,
        documents: Documents,
        uri: str,
        merge_text: Callable[[str], MergeResult],
        sent_edit: SentEdit | None = None,
        *,
        wait_for_user: bool = False,
    ) -> None:
        self._documents = documents
        self._uri = uri
        self._merge_text = merge_text
        self._sent_edit = sent_edit
        self._wait_for_user = wait_for_user
        """Whether nobody waits for it, so that she may take her time to decide."""
        self._is_on_hold = False
        """Whether she said no to an edit, or has not answered it."""
        self._change_timeout = CHANGE_TIMEOUT
        """Seconds in which the editor tells of what it did with the last edit."""
        self._sent_versions: list[int | None] = []
        self._change_count = 0

    async def apply(self) -> EditOutcome:
        """Try until it is there, cannot be, or has to wait."""
        for _ in range(MAX_TRIES):
            if outcome := await self._try_once():
                return outcome
            if self._is_on_hold or not await self._wait_for_change():
                break
        if not self._is_on_hold:
            await self._documents.wait_for_idle(self._uri, IDLE_SECONDS, IDLE_TIMEOUT)
            if outcome := await self._try_once(is_idle=True):
                return outcome
            await self._wait_for_change()
        outcome, text, _ = await self._compare_with_newest()
        return outcome or EditOutcome(
            is_pending=True, sent_edit=self._sent_edit, newest_text=text
        )

    async def _try_once(self, *, is_idle: bool = False) -> EditOutcome | None:
        outcome, text, merged = await self._compare_with_newest()
        if outcome is not None or merged is None:
            return outcome
        version = self._require_open_document().version
        self._change_count = self._documents.change_count(self._uri)
        again = version in self._sent_versions and not (is_idle and version)
        if again or self._documents.is_closed:
            return None
        self._sent_versions.append(version)
        self._sent_edit = SentEdit(text, merged.text, merged.conflicts)
        await self._send_merge(version, text, merged.text)
        return None

    async def _compare_with_newest(
        self,
    ) -> tuple[EditOutcome | None, str, MergeResult | None]:
        """Compare the newest text with what it should be; text and merge fit."""
        while True:
            document = self._require_open_document()
            text, version = document.source, document.version
            outcome, merged = await asyncio.to_thread(self._judge_text, text)
            if self._require_open_document().version == version:
                return outcome, text, merged

    def _judge_text(self, text: str) -> tuple[EditOutcome | None, MergeResult | None]:
        sent = self._sent_edit
        if sent is not None and is_edit_applied(sent, text):
            landed = EditOutcome(
                is_applied=True,
                sent_edit=sent,
                newest_text=text,
                conflicts=sent.conflicts,
            )
            return landed, None
        merged = self._merge_text(text)
        if merged.text != text:
            return None, merged
        there = EditOutcome(
            is_applied=not merged.conflicts,
            newest_text=text,
            conflicts=merged.conflicts,
        )
        return there, merged

    def _require_open_document(self) -> TextDocument:
        document = self._documents.find_open(self._uri)
        if document is None:
            raise DocumentChanged(
                f"{self._uri} was closed before the text was in it.",
                hint="Apply it again; the text is kept with its run.",
                uri=self._uri,
            )
        return document

    async def _send_merge(self, version: int | None, text: str, goal_text: str) -> None:
        encoding = self._documents.client.position_encoding
        identifier = types.OptionalVersionedTextDocumentIdentifier(
            uri=self._documents.client_uri(self._uri), version=version
        )
        edit = types.TextDocumentEdit(
            text_document=identifier,
            edits=[*to_lsp_edits(text, compute_edits(text, goal_text), encoding)],
        )
        whole = types.WorkspaceEdit(document_changes=[edit])
        reply = await self._documents.client.apply_edit(whole)
        self._change_timeout = CHANGE_TIMEOUT
        if self._wait_for_user and not reply.done():
            await self._wait_for_decision(reply)
            self._change_timeout = (
                DECISION_TIMEOUT  # after a question eglot is idle at her next key only
            )
        self._is_on_hold = not reply.done() or _is_declined_by_user(reply)
        if self._wait_for_user and not self._is_on_hold and _is_rejected(reply):
            self._change_timeout = (
                IDLE_TIMEOUT  # she types, and eglot tells when she rests
            )

    async def _wait_for_decision(self, reply: EditReply) -> None:
        desk, tries = self._documents, int(DECISION_TIMEOUT / IDLE_SECONDS)
        while not reply.done() and not desk.is_closed and (tries := tries - 1) > 0:
            await asyncio.wait({reply}, timeout=IDLE_SECONDS)

    async def _wait_for_change(self) -> bool:
        desk = self._documents
        return await desk.wait_for_change(
            self._uri, self._change_count, self._change_timeout
        )


def _is_declined_by_user(reply: EditReply) -> bool:
    """Whether she was asked and said no: eglot says that she cancelled the edit."""
    return "cancelled" in _rejection_reason(reply)


def _is_rejected(reply: EditReply) -> bool:
    """Whether the editor says that it did not take an edit."""
    return bool(_rejection_reason(reply))


def _rejection_reason(reply: EditReply) -> str:
    """Return what the editor has against an edit; "" if it says that it took it."""
    if reply.cancelled():
        return ""
    if (error := reply.exception()) is not None:
        return str(error)
    answer = reply.result()  # eglot's says nothing
    if getattr(answer, "applied", True):
        return ""
    return answer.failure_reason or "no reason"


def is_edit_applied(sent_edit: SentEdit, text: str) -> bool:
    """Whether `text`, in which the writer may have gone on typing, has the edit."""
    if text in {sent_edit.text_after, sent_edit.text_before}:
        return text == sent_edit.text_after
    return edit_distance(sent_edit.text_after, text) < edit_distance(
        sent_edit.text_before, text
    )
