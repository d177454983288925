"""Words without dialogs: what the writer typed into the file of a step's view.

It goes with the next choice, merge or asking anew of that step, unless the command
itself says otherwise; then the view is rendered afresh, with the words where they went.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Self
from uuid import UUID

from writeit.domain.errors import NotTrusted, StoreError
from writeit.domain.operations import lifecycle
from writeit.domain.run import StepState
from writeit.lsp.convert import path_to_uri
from writeit.lsp.documents import Documents
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.files import (
    find_base_text,
    read_page_text,
    record_consumed_edits,
    update_page_file,
)
from writeit.lsp.pages.render import render_editable_page
from writeit.views.editable_page import StepEdits, read_edits
from writeit.views.section_markers import SectionKey
from writeit.views.uris import StepView


class UserEdits:
    """What the writer changed in a step's view, and which of it a command takes."""

    def __init__(
        self,
        documents: Documents,
        folder: WorkspaceFolder,
        view: StepView,
        state: StepState,
        step_edits: StepEdits,
        base_text: str,
    ) -> None:
        self.step_name = state.step_name
        self._documents = documents
        self._folder = folder
        self._view = view
        self._state = state
        self._step_edits = step_edits
        self._base_text = base_text
        self._consumed_keys: set[SectionKey] = set()

    @classmethod
    async def read(
        cls,
        documents: Documents,
        folder: WorkspaceFolder,
        run_id: UUID,
        step: str | None,
    ) -> Self:
        """Read the page of a step; without a file nothing was edited.

        Raises:
            NotFound: the run or the step does not exist.
            StoreError: the file cannot be read.
        """
        state = lifecycle.find_step(await folder.engine.load_run(run_id), step)
        view = StepView(run_id, state.step_name)
        text = read_page_text(documents, folder.page_path(view))
        edits, base = StepEdits(), ""
        if text is not None:
            fresh = await render_editable_page(documents, folder, view)
            base = find_base_text(documents, folder, view, text, fresh)
            edits = read_edits(base, text)
        return cls(documents, folder, view, state, edits, base)

    def consume_answer(self, index: int) -> str | None:
        """Take her wording of an answer; None if she left it as it was."""
        if not 0 <= index < len(self._state.ai_responses):
            return None  # the decision will say so
        response_id = self._state.ai_responses[index].response_id
        return self._consume(response_id, self._step_edits.answers.get(response_id))

    def consume_feedback(self, explicit_feedback: str | None) -> str | None:
        """Take her feedback, unless the command says some."""
        if explicit_feedback is not None:
            return explicit_feedback
        return self._consume("feedback", self._step_edits.feedback)

    def consume_merge(self, *, keep: bool = False) -> str | None:
        """Take her wording of the merge; None if she left it as it was.

        One that a model is to join `stays` hers: it is not the step's text yet.
        """
        return (
            self._step_edits.merge
            if keep
            else self._consume("merge", self._step_edits.merge)
        )

    def _consume(self, key: SectionKey, text: str | None) -> str | None:
        if text is not None:
            self._consumed_keys.add(key)
        return text

    async def refresh_page(self) -> None:
        """Render the view afresh: what was taken stands where it went to."""
        if self._documents.find_open(path_to_uri(self._page_path)) is None:
            await self._render_page()
        else:  # the client may not answer before it has the reply to its command
            self._documents.client.spawn_task(self._render_page())

    async def _render_page(self) -> None:
        """The decision stands, whatever becomes of the page."""
        try:
            if read_page_text(self._documents, self._page_path) is None:
                return
            if self._consumed_keys:
                record_consumed_edits(
                    self._folder, self._view, self._consumed_edits(), self._base_text
                )
            text = await render_editable_page(self._documents, self._folder, self._view)
            await update_page_file(self._documents, self._folder, self._view, text)
        except (StoreError, NotTrusted) as error:
            self._documents.client.show_warning(error.message)

    @property
    def _page_path(self) -> Path:
        return self._folder.page_path(self._view)

    def _consumed_edits(self) -> StepEdits:
        """Return of her edits what a command has taken."""
        return replace(
            self._step_edits,
            answers={
                key: text if key in self._consumed_keys else None
                for key, text in self._step_edits.answers.items()
            },
            merge=self._step_edits.merge if "merge" in self._consumed_keys else None,
            feedback=self._step_edits.feedback
            if "feedback" in self._consumed_keys
            else None,
        )
