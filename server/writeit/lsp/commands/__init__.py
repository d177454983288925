"""The commands, a module for each noun; here they come together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.lsp.commands import (
    apply,
    care,
    document,
    family,
    keys,
    model,
    pipeline,
    preview,
    primer,
    run,
    session,
    step,
    view,
)

if TYPE_CHECKING:
    from writeit.lsp.dispatch import Command

HANDLERS: dict[str, Command[Any]] = {
    **pipeline.HANDLERS,
    **primer.HANDLERS,
    **model.HANDLERS,
    **keys.HANDLERS,
    **run.HANDLERS,
    **step.HANDLERS,
    **view.HANDLERS,
    **preview.HANDLERS,
    **apply.HANDLERS,
    **document.HANDLERS,
    **family.HANDLERS,
    **session.HANDLERS,
    **care.HANDLERS,
}
