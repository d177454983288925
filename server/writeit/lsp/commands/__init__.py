"""The commands, a module for each noun; here they come together."""

from __future__ import annotations

from writeit.lsp.command import Handlers
from writeit.lsp.commands import document, library, run, session, step, store, view
from writeit.lsp.commands.document import APPLY_HANDLERS
from writeit.lsp.commands.run import TREE_HANDLERS
from writeit.lsp.commands.step import PREVIEW_HANDLERS

HANDLERS: Handlers = {
    **library.PIPELINE_HANDLERS,
    **library.PRIMER_HANDLERS,
    **library.MODEL_HANDLERS,
    **library.KEY_HANDLERS,
    **run.HANDLERS,
    **step.HANDLERS,
    **view.HANDLERS,
    **PREVIEW_HANDLERS,
    **APPLY_HANDLERS,
    **document.HANDLERS,
    **TREE_HANDLERS,
    **session.HANDLERS,
    **store.HANDLERS,
}
