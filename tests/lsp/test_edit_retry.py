"""The loop against a client in the same process, at moments that are hard to hit."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcInternalError

from support.documents import documents_of
from writeit.domain.errors import DocumentChanged
from writeit.lsp import client as lsp_client
from writeit.lsp.edits import edit_retry
from writeit.lsp.edits.edit_retry import EditRetry
from writeit.lsp.pygls_fixes import WriteItWorkspace
from writeit.text.merge3 import MergeResult, merge

URI = "untitled:a"
BASE = "One two three.\n\nFour five six.\n"
GOAL = BASE.replace("five", "5")


class Client:
    """A client that notes what it is sent; `obeys` says what it does about it."""

    def __init__(self, version: int = 1) -> None:
        self.workspace = WriteItWorkspace(None)
        self.sent: list[types.TextDocumentEdit] = []
        self.obeys: Callable[[types.TextDocumentEdit], None] = lambda _: None
        item = types.TextDocumentItem(
            uri=URI, language_id="markdown", version=version, text=BASE
        )
        self.workspace.put_text_document(item)
        self.documents = documents_of(
            self.workspace, workspace_apply_edit_async=self.workspace_apply_edit_async
        )

    @property
    def text(self) -> str:
        """The server's text."""
        return str(self.workspace.text_documents[URI].source)

    async def workspace_apply_edit_async(
        self, params: types.ApplyWorkspaceEditParams
    ) -> types.ApplyWorkspaceEditResult:
        """Take an edit; say that it was applied."""
        (edit,) = params.edit.document_changes or ()
        assert isinstance(edit, types.TextDocumentEdit)
        self.sent.append(edit)
        await self.asks()
        self.obeys(edit)
        return types.ApplyWorkspaceEditResult(applied=True)

    async def asks(self) -> None:
        """Ask the writer first; nothing, in most editors."""

    def take(self, edit: types.TextDocumentEdit) -> None:
        """Apply an edit if it is not stale."""
        document = self.workspace.text_documents[URI]
        if edit.text_document.version == document.version:
            for one in reversed(edit.edits):
                assert isinstance(one, types.TextEdit)
                self.change(one.range, one.new_text)

    def take_and_undo(self, edit: types.TextDocumentEdit) -> None:
        """Tell of an edit and its undo in one message, as Emacs does."""
        (one,) = edit.edits
        assert isinstance(one, types.TextEdit)
        start, end = types.Position(0, 0), types.Position(99, 0)
        self.replace(one.range, one.new_text)
        self.change(types.Range(start, end), BASE)

    def change(self, where: types.Range, text: str) -> None:
        """Tell of a change."""
        self.replace(where, text)
        self.documents.notify_change(URI)

    def replace(self, where: types.Range, text: str) -> None:
        """Change the server's text."""
        version = (self.workspace.text_documents[URI].version or 0) + 1
        self.workspace.update_text_document(
            types.VersionedTextDocumentIdentifier(uri=URI, version=version),
            types.TextDocumentContentChangePartial(range=where, text=text),
        )

    def type(self, text: str) -> None:
        """Type at the beginning."""
        here = types.Position(line=0, character=0)
        self.change(types.Range(start=here, end=here), text)

    async def land(
        self,
        wanted: Callable[[str], MergeResult] | None = None,
        *,
        patient: bool = False,
    ) -> Any:
        """Bring the goal in."""
        wanted = wanted or (lambda text: merge(BASE, text, GOAL))
        return await EditRetry(
            self.documents, URI, wanted, wait_for_user=patient
        ).apply()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait less."""
    for name in ("CHANGE_TIMEOUT", "IDLE_SECONDS", "IDLE_TIMEOUT"):
        monkeypatch.setattr(edit_retry, name, 0.05)
    monkeypatch.setattr(lsp_client, "REPLY_TIMEOUT_SECONDS", 0.05)


@pytest.fixture
def _longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait long enough for what a test does meanwhile."""
    monkeypatch.setattr(edit_retry, "IDLE_TIMEOUT", 5.0)


async def test_what_changes_while_it_merges_is_merged_too() -> None:
    """Text and version belong together; an edit of an older text is never sent."""
    client = Client()
    client.obeys = client.take
    words = iter(["a ", "b ", "c "])

    def wanted(text: str) -> MergeResult:
        if word := next(words, ""):
            client.type(word)
        return merge(BASE, text, GOAL)

    outcome = await client.land(wanted)
    assert outcome.is_applied
    assert client.text == "c b a " + GOAL
    assert len(client.sent) == 1


async def test_version_0_is_sent_one_edit_only() -> None:
    """Neovim does not check it: a second one could land on the first."""
    client = Client(version=0)
    outcome = await client.land()
    assert outcome.is_pending
    assert len(client.sent) == 1


async def test_another_version_is_tried_again_after_a_pause() -> None:
    """Nothing came, so nothing landed."""
    client = Client()
    outcome = await client.land()
    assert outcome.is_pending
    assert len(client.sent) == 2


async def test_the_user_types_before_each_try() -> None:
    """Three tries, one after the pause that does not come, then it is pending."""
    client = Client()
    client.obeys = lambda _: client.type("x")
    outcome = await client.land()
    assert outcome.is_pending
    assert len(client.sent) == 4
    assert client.text == "xxxx" + BASE


async def test_it_lands_with_a_late_echo() -> None:
    """The edit and what was typed after it come as one change."""
    client = Client()

    def late(edit: types.TextDocumentEdit) -> None:
        client.take(edit)
        client.type("Late. ")

    client.obeys = late
    outcome = await client.land()
    assert outcome.is_applied
    assert outcome.sent_edit.text_after == GOAL
    assert client.text == "Late. " + GOAL


async def test_an_edit_that_the_user_undoes_at_once_is_not_sent_again() -> None:
    """The server looks at the text only after both changes."""
    client = Client()

    client.obeys = client.take_and_undo
    outcome = await client.land()
    assert outcome.is_applied
    assert client.text == BASE
    assert len(client.sent) == 1


class Asking(Client):
    """eglot as it comes: it asks the writer about every edit."""

    def __init__(self) -> None:
        super().__init__()
        self.decided = asyncio.Event()
        self.yes = True

    async def asks(self) -> None:
        """Wait for the user; a rejection is an error."""
        await self.decided.wait()
        if not self.yes:
            raise JsonRpcInternalError("User cancelled server edit")


class Refusing(Client):
    """VS Code with a read-only file: only an edit shows that it is."""

    async def asks(self) -> None:
        """Undo the edit and refuse it."""
        self.take_and_undo(self.sent[-1])
        raise JsonRpcInternalError("cancelled: a.md is read-only")


class Typing(Client):
    """eglot while the user types: the server's text is old, and does not change."""

    def __init__(self) -> None:
        super().__init__()
        self.typing = True
        self.obeys = self.take

    async def asks(self) -> None:
        """Refuse what is not for the newest text."""
        if self.typing:
            raise JsonRpcInternalError("Edits require version 1, you have 2")


async def test_the_user_is_asked_about_an_edit_once() -> None:
    """No second one is sent while the first is unanswered."""
    client = Asking()
    client.obeys = client.take
    landing_ = asyncio.create_task(client.land(patient=True))
    await asyncio.sleep(0.4)
    assert len(client.sent) == 1
    client.decided.set()
    assert (await landing_).is_applied
    assert client.text == GOAL
    assert len(client.sent) == 1


async def test_who_waits_for_the_reply_is_not_kept_waiting_by_a_question() -> None:
    """The text is pending, and no second question is asked."""
    client = Asking()
    outcome = await client.land()
    assert outcome.is_pending
    assert len(client.sent) == 1
    client.decided.set()


async def test_after_a_question_the_editor_may_tell_of_its_edit_late() -> None:
    """Emacs is not idle before the next key."""
    client = Asking()
    landing_ = asyncio.create_task(client.land(patient=True))
    await asyncio.sleep(0.2)
    client.decided.set()
    await asyncio.sleep(0.4)
    assert not landing_.done()
    client.take(client.sent[0])
    assert (await landing_).is_applied
    assert len(client.sent) == 1


@pytest.mark.usefixtures("_longer")
async def test_typing_that_is_told_when_the_user_rests_is_waited_for() -> None:
    """Until then it refuses what is meant for the text it told of."""
    client = Typing()
    landing_ = asyncio.create_task(client.land(patient=True))
    await asyncio.sleep(0.5)
    client.typing = False
    client.type("Words. ")
    assert (await landing_).is_applied
    assert client.text == "Words. " + GOAL
    assert len(client.sent) == 2


async def test_a_rejection_is_not_asked_about_again() -> None:
    """The text waits until the user applies it."""
    client = Asking()
    client.yes = False
    client.decided.set()
    outcome = await client.land(patient=True)
    assert outcome.is_pending
    assert len(client.sent) == 1


async def test_an_edit_that_the_editor_undoes_to_refuse_it_is_pending() -> None:
    """The text was there for a moment, but not for the user."""
    client = Refusing()
    outcome = await client.land()
    assert outcome.is_pending
    assert client.text == BASE
    assert len(client.sent) == 1


async def test_a_document_closed_meanwhile_is_gone() -> None:
    """The refusal says so."""
    client = Client()
    client.obeys = lambda _: client.workspace.remove_text_document(URI)
    with pytest.raises(DocumentChanged):
        await client.land()


async def test_an_editor_that_goes_away_is_not_waited_for() -> None:
    """Nothing is sent to it any more."""
    client = Client()
    client.documents.close()
    outcome = await client.land()
    assert outcome.is_pending
    assert not client.sent


async def test_a_wait_that_is_cancelled_as_the_change_comes_is_cancelled() -> None:
    """Whoever ends the work is not overheard because the writer typed just then."""
    documents = Client().documents
    waiting = asyncio.create_task(documents.wait_for_change(URI, 0, 5))
    await asyncio.sleep(0)
    documents.notify_change(URI)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
