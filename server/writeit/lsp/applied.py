"""What was applied: the events that hold a document before and after."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from writeit.core import events as e
from writeit.core.errors import StoreError
from writeit.core.merge3 import merge

if TYPE_CHECKING:
    from writeit.core.run import Applied, PipelineRun
    from writeit.lsp.folder import Folder


def event_of(folder: Folder, run: PipelineRun, applied: Applied) -> e.TextApplied:
    """Return the event that holds a document as it was before and after an apply.

    Raises:
        StoreError: the store has lost it.
    """
    for event in reversed(folder.store.events(run.pipeline_run_id)):
        if isinstance(event, e.TextApplied) and (event.uri, event.step) == (
            applied.uri,
            applied.step,
        ):
            return event
    raise StoreError(
        f"The store has lost what {applied.uri} was before.",
        reason="corrupt",
        hint="`writeit store verify` says what else is missing.",
    )


def earlier_of(
    folder: Folder, run: PipelineRun, step: str, uri: str
) -> e.TextApplied | None:
    """Return what a step has put into a document before, if it is there."""
    for applied in run.applied:
        if (applied.uri, applied.step) == (uri, step):
            with suppress(StoreError):  # a run may have been imported without events
                return event_of(folder, run, applied)
    return None


def without(earlier: e.TextApplied | None, text: str) -> str:
    """Return a text as the writer has it, without what was put there earlier."""
    return merge(earlier.text, text, earlier.replaced).text if earlier else text
