"""`writeit.primer.*`: in which voice a text can be written."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.core.errors import NotFound
from writeit.lsp import protocol as p
from writeit.lsp.dispatch import Command, Request

if TYPE_CHECKING:
    from writeit.core.primer import StylePrimer as Primer


async def list_primers(request: Request[p.Params]) -> p.PrimerListResult:
    """List every usable primer of a folder."""
    folder = request.connection.folder(request.params)
    current = [e.value for e in folder.library().primers.values() if e.value]
    return p.PrimerListResult(
        primers=[
            _primer(folder.store.primer(primer.primer_id, primer.version) or primer)
            for primer in current
        ]
    )


async def show_primer(request: Request[p.PrimerShowParams]) -> p.StylePrimer:
    """Show a primer: as its file has it, or a version that a run was pinned to."""
    folder, params = request.connection.folder(request.params), request.params
    if params.version is None:
        return _primer(folder.library().primer(params.primer))
    kept = folder.store.primer(params.primer, params.version)
    if kept is None:
        current = folder.library().primer(params.primer)
        if current.version != params.version:
            raise NotFound(
                f"No version {params.version!r} of primer {params.primer!r} is kept.",
                hint=f"The file has version {current.version}.",
            )
        kept = current
    return _primer(kept)


def _primer(primer: Primer) -> p.StylePrimer:
    return p.StylePrimer.model_validate(primer)


HANDLERS: dict[str, Command[Any]] = {
    "writeit.primer.list": Command(p.Params, p.PrimerListResult, list_primers),
    "writeit.primer.show": Command(p.PrimerShowParams, p.StylePrimer, show_primer),
}
