"""What the user typed into the page of a step, or saved as a draft.

The next select, merge or regenerate of that step uses it, unless the command has its
own text. Then the page is rendered again with the text where it was used.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Self
from uuid import UUID

from writeit.domain.errors import NotFound, NotTrusted, StoreError
from writeit.domain.operations import lifecycle
from writeit.domain.run import StepState
from writeit.lsp.folder import WorkspaceFolder
from writeit.lsp.pages.files import PageFile
from writeit.lsp.pages.views import render_editable_page
from writeit.views.editable_page import StepEdits, read_edits
from writeit.views.section_markers import SectionKey
from writeit.views.uris import StepView


class UserEdits:
    """The user's edits of a step's page, and those that a command consumes."""

    def __init__(
        self,
        folder: WorkspaceFolder,
        view: StepView,
        state: StepState,
    ) -> None:
        self.step_name = state.step_name
        self._folder = folder
        self._view = view
        self._state = state
        self._page = PageFile(folder, view)
        self._edits = StepEdits()
        self._drafts = folder.store.drafts(view.run_id, view.step)
        self._base_text = ""
        self._consumed_keys: set[SectionKey] = set()

    @classmethod
    async def read(
        cls,
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
        self = cls(folder, view, state)
        text = self._page.read_text()
        if text is not None:
            fresh = await render_editable_page(folder, view)
            self._base_text = self._page.find_base_text(text, fresh)
            self._edits = read_edits(self._base_text, text)
        return self

    def consume_answer(self, response: int | UUID) -> str | None:
        """Return the edited text of an answer, or None if it was not edited."""
        try:
            response_id = lifecycle.find_response_id(self._state, response)
        except NotFound:
            return None  # selecting it raises the error
        edited = self._consume(response_id, self._edits.answers.get(response_id))
        return self._drafts.get(str(response_id)) if edited is None else edited

    def consume_feedback(self, explicit_feedback: str | None) -> str | None:
        """Return the command's feedback, else the page's."""
        if explicit_feedback is not None:
            return explicit_feedback
        edited = self._consume("feedback", self._edits.feedback)
        return self._drafts.get("feedback") if edited is None else edited

    def consume_merge(self, *, keep: bool = False) -> str | None:
        """Return the edited merge, or None if it was not edited.

        `keep`: a model is to merge it, so it is not the step's text yet.
        """
        merge = self._edits.merge
        if merge is None:
            return self._drafts.get("merge")
        return merge if keep else self._consume("merge", merge)

    def _consume(self, key: SectionKey, text: str | None) -> str | None:
        if text is not None:
            self._consumed_keys.add(key)
        return text

    async def refresh_page(self) -> None:
        """Render the page again, with consumed edits as text."""
        if not self._page.is_open:
            await self._render_page()
        else:  # a client may not answer an edit before it has the command's reply
            self._folder.documents.client.spawn_task(self._render_page())

    async def _render_page(self) -> None:
        try:
            if self._page.read_text() is None:
                return
            if self._consumed_keys:
                self._page.record_consumed_edits(
                    self._consumed_edits(), self._base_text
                )
            await self._page.update(
                await render_editable_page(self._folder, self._view)
            )
        except (StoreError, NotTrusted) as error:  # the command itself has succeeded
            self._folder.documents.client.show_warning(error.message)

    def _consumed_edits(self) -> StepEdits:
        keys, edits = self._consumed_keys, self._edits
        return replace(
            edits,
            answers={
                key: text if key in keys else None
                for key, text in edits.answers.items()
            },
            merge=edits.merge if "merge" in keys else None,
            feedback=edits.feedback if "feedback" in keys else None,
        )
