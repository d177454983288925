"""Words without dialogs: what the writer typed into the file of a step's view.

It goes with the next choice, merge or asking anew of that step, unless the command
itself says otherwise; then the view is rendered afresh, with the words where they went.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

from lsprotocol import types

from writeit.core import decide
from writeit.core.errors import NotTrusted, StoreError
from writeit.lsp.convert import uri_of
from writeit.lsp.documents import open_document
from writeit.lsp.pagefiles import file_of, text_at
from writeit.lsp.pages import page
from writeit.lsp.viewfiles import as_file, base_of, take_note
from writeit.views.edits import StepEdits, read_back
from writeit.views.uris import StepView

if TYPE_CHECKING:
    from pathlib import Path

    from writeit.core.run import StepState
    from writeit.lsp.connection import Connection
    from writeit.lsp.dispatch import Request
    from writeit.lsp.folder import Folder
    from writeit.views.markers import Key


class Words:
    """What the writer changed in a step's view, and which of it a command takes."""

    def __init__(
        self,
        connection: Connection,
        folder: Folder,
        view: StepView,
        state: StepState,
        edits: StepEdits,
        base: str,
    ) -> None:
        self.step = state.step_name
        self._connection = connection
        self._folder = folder
        self._view = view
        self._state = state
        self._edits = edits
        self._base = base
        self._used: set[Key] = set()

    @classmethod
    async def of(cls, request: Request[Any], folder: Folder) -> Self:
        """Read the view of the step that a command is about; it may have no file.

        Raises:
            NotFound: there is no such run or step.
            StoreError: its file cannot be read.
        """
        connection, params = request.connection, request.params
        state = decide.step_of(await folder.engine.show(params.run_id), params.step)
        view = StepView(params.run_id, state.step_name)
        path = file_of(folder, view)
        now = text_at(connection, path)
        edits, base = StepEdits(), ""
        if now is not None:
            fresh = await page(connection, folder, view)
            base = base_of(connection, folder, view, now, fresh)
            edits = read_back(base, now)
        return cls(connection, folder, view, state, edits, base)

    def answer(self, index: int) -> str | None:
        """Take her wording of an answer; None if she left it as it was."""
        if not 0 <= index < len(self._state.ai_responses):
            return None  # the decision will say so
        response_id = self._state.ai_responses[index].response_id
        return self._taken(response_id, self._edits.answers.get(response_id))

    def feedback(self, said: str | None) -> str | None:
        """Take her feedback, unless the command says some."""
        if said is not None:
            return said
        return self._taken("feedback", self._edits.feedback)

    def merge(self, *, stays: bool = False) -> str | None:
        """Take her wording of the merge; None if she left it as it was.

        One that a model is to join `stays` hers: it is not the step's text yet.
        """
        return self._edits.merge if stays else self._taken("merge", self._edits.merge)

    def _taken(self, key: Key, text: str | None) -> str | None:
        if text is not None:
            self._used.add(key)
        return text

    async def used(self) -> None:
        """Render the view afresh: what was taken stands where it went to."""
        if open_document(self._connection, uri_of(self._path)) is None:
            await self._refresh()
        else:  # the client may not answer before it has the reply to its command
            self._connection.spawn(self._refresh())

    async def _refresh(self) -> None:
        """The decision stands, whatever becomes of the page."""
        try:
            if text_at(self._connection, self._path) is None:
                return
            if self._used:
                take_note(self._folder, self._view, self._taken_over(), self._base)
            text = await page(self._connection, self._folder, self._view)
            await as_file(self._connection, self._folder, self._view, text)
        except (StoreError, NotTrusted) as error:
            self._connection.show(error.message, types.MessageType.Warning)

    @property
    def _path(self) -> Path:
        return file_of(self._folder, self._view)

    def _taken_over(self) -> StepEdits:
        """Return of her edits what a command has taken."""
        return replace(
            self._edits,
            answers={
                key: text if key in self._used else None
                for key, text in self._edits.answers.items()
            },
            merge=self._edits.merge if "merge" in self._used else None,
            feedback=self._edits.feedback if "feedback" in self._used else None,
        )
