"""The loop that applies a change to an open document while the user types.

The newest text decides, never the client's reply: Neovim answers `applied: true` to an
edit it skipped, eglot answers an error, VS Code rejects an edit that is one keystroke
late. Each try merges into the newest text, sends the smallest edits with that text's
version, and compares with the text after the next change. Once the text has been what
the edit leads to, it was applied; the user may have undone it since. After three tries
it waits until the user is idle, tries once more, and then reports it as pending.

Never send two edits for the same document version unless the user has been idle: a
late acknowledgement could apply the edit twice. For version 0 never send two at all,
as Neovim does not check it.

eglot asks the user first and answers after the decision. No other edit is sent until
then, and none after the user has declined.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from lsprotocol import types

from writeit.domain.errors import DocumentChanged
from writeit.lsp.client import EditReply
from writeit.lsp.convert import to_lsp_edits
from writeit.lsp.documents import Documents, SentEdit
from writeit.lsp.pygls_fixes import WriteItDocument
from writeit.text.diff import compute_edits, edit_distance
from writeit.text.merge3 import MergeConflict, MergeResult

MAX_TRIES = 3
CHANGE_TIMEOUT = 0.7
"""Seconds in which an editor reports an edit it applied; Neovim takes 0.15 itself."""
IDLE_SECONDS = 0.5
IDLE_TIMEOUT = 5.0
"""Seconds to wait until the user is idle; some editors block on a command for ten."""
DECISION_TIMEOUT = 60.0
"""Seconds to wait for a late reply: the editor may have asked the user."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EditOutcome:
    """The result of a change; neither applied nor pending means conflicts."""

    is_applied: bool = False
    is_pending: bool = False
    sent_edit: SentEdit | None = None
    """The edit that was applied, or the last that was sent."""
    newest_text: str = ""
    conflicts: tuple[MergeConflict, ...] = ()


class EditRetry:
    """One change to one open document.

    `wait_for_user`: the caller does not wait, so the user may take time to decide.
    """

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
        self._is_on_hold = False
        """Whether the user declined an edit or has not decided yet."""
        self._change_timeout = CHANGE_TIMEOUT
        """Seconds in which the editor reports what it did with the last edit."""
        self._sent_versions: list[int | None] = []
        self._change_count = 0

    async def apply(self) -> EditOutcome:
        """Try until the change is applied, impossible or pending.

        Raises:
            DocumentChanged: the document was closed.
        """
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
        document = self._require_open_document()
        version = document.version
        self._change_count = self._documents.change_count(self._uri)
        is_repeated = version in self._sent_versions and not (is_idle and version)
        if is_repeated or self._documents.is_closed:
            return None
        self._sent_versions.append(version)
        self._sent_edit = SentEdit(text, merged.text, merged.conflicts)
        document.expected_text, document.was_expected = merged.text, False
        await self._send_merge(version, text, merged.text)
        return None

    async def _compare_with_newest(
        self,
    ) -> tuple[EditOutcome | None, str, MergeResult | None]:
        """Return the outcome so far, the newest text and the merge into that text."""
        while True:
            document = self._require_open_document()
            text, version = document.source, document.version
            judge = partial(self._judge_text, text, was_seen=self._was_seen(document))
            outcome, merged = await asyncio.to_thread(judge)
            if self._require_open_document().version == version:
                return outcome, text, merged

    def _was_seen(self, document: WriteItDocument) -> bool:
        """Whether the user has seen the edit; VS Code undoes one to refuse it."""
        sent = self._sent_edit
        is_ours = sent is not None and sent.text_after == document.expected_text
        return is_ours and document.was_expected and not self._is_on_hold

    def _judge_text(
        self, text: str, *, was_seen: bool
    ) -> tuple[EditOutcome | None, MergeResult | None]:
        sent = self._sent_edit
        if sent is not None and (was_seen or is_edit_applied(sent, text)):
            applied = EditOutcome(
                is_applied=True,
                sent_edit=sent,
                newest_text=text,
                conflicts=sent.conflicts,
            )
            return applied, None
        merged = self._merge_text(text)
        if merged.text != text:
            return None, merged
        unchanged = EditOutcome(
            is_applied=not merged.conflicts,
            newest_text=text,
            conflicts=merged.conflicts,
        )
        return unchanged, merged

    def _require_open_document(self) -> WriteItDocument:
        document = self._documents.find_open(self._uri)
        if not isinstance(document, WriteItDocument):
            raise DocumentChanged(
                f"{self._uri} was closed before the text was inserted.",
                hint="Apply it again; the text is kept with its run.",
                uri=self._uri,
            )
        return document

    async def _send_merge(self, version: int | None, text: str, goal_text: str) -> None:
        client = self._documents.client
        edits = to_lsp_edits(
            text, compute_edits(text, goal_text), client.position_encoding
        )
        identifier = types.OptionalVersionedTextDocumentIdentifier(
            uri=self._documents.client_uri(self._uri), version=version
        )
        change = types.TextDocumentEdit(text_document=identifier, edits=[*edits])
        reply = await client.apply_edit(types.WorkspaceEdit(document_changes=[change]))
        self._change_timeout = CHANGE_TIMEOUT
        if self._wait_for_user and not reply.done():
            await self._wait_for_decision(reply)
            # After a question eglot reports changes only with the next key.
            self._change_timeout = DECISION_TIMEOUT
        self._is_on_hold = not reply.done() or _is_declined_by_user(reply)
        if self._wait_for_user and not self._is_on_hold and _is_rejected(reply):
            # The user is typing, and eglot reports changes when that pauses.
            self._change_timeout = IDLE_TIMEOUT

    async def _wait_for_decision(self, reply: EditReply) -> None:
        tries = int(DECISION_TIMEOUT / IDLE_SECONDS)
        while not reply.done() and not self._documents.is_closed and tries > 1:
            await asyncio.wait({reply}, timeout=IDLE_SECONDS)
            tries -= 1

    async def _wait_for_change(self) -> bool:
        return await self._documents.wait_for_change(
            self._uri, self._change_count, self._change_timeout
        )


def _is_declined_by_user(reply: EditReply) -> bool:
    """Return whether the user declined; eglot then says "cancelled"."""
    return "cancelled" in _rejection_reason(reply)


def _is_rejected(reply: EditReply) -> bool:
    """Return whether the client rejected the edit."""
    return bool(_rejection_reason(reply))


def _rejection_reason(reply: EditReply) -> str:
    """Return why the client rejected the edit; "" if it says it applied it."""
    if reply.cancelled():
        return ""
    if (error := reply.exception()) is not None:
        return str(error)
    result = reply.result()
    if getattr(result, "applied", True):  # eglot's result is empty
        return ""
    return result.failure_reason or "no reason"


def is_edit_applied(sent_edit: SentEdit, text: str) -> bool:
    """Return whether `text`, in which the user may have typed since, has the edit."""
    if text in {sent_edit.text_after, sent_edit.text_before}:
        return text == sent_edit.text_after
    return edit_distance(sent_edit.text_after, text) < edit_distance(
        sent_edit.text_before, text
    )
