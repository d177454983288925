"""`writeit.model.*`: which models can be asked, and getting the embedded one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.lsp import protocol as p
from writeit.lsp.dispatch import Command, Request
from writeit.lsp.progress import WorkDone

if TYPE_CHECKING:
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder


async def list_models(request: Request[p.ModelListParams]) -> p.ModelListResult:
    """List the models worth naming here, and why some cannot be used."""
    connection, params = request.connection, request.params
    folder = connection.folder(params)
    named = await named_models(connection, folder)
    models = await connection.world.models.list(
        named=named, provider=params.provider, refresh=params.refresh
    )
    return p.ModelListResult(models=[p.ModelInfo.model_validate(m) for m in models])


async def named_models(connection: Connection, folder: Folder) -> list[str]:
    """Every id that settings, pipelines and preferences name."""
    settings = await connection.settings(folder)
    preferences = folder.engine.session.preferences
    named = [
        *settings.models.default,
        *(m for models in settings.models.steps.values() for m in models),
        *preferences.default_models.values(),
        *(
            model
            for configuration in folder.library().usable
            for step in configuration.steps
            for model in step.models
        ),
    ]
    return list(dict.fromkeys(named))


async def install(request: Request[p.ModelInstallParams]) -> p.ModelInfo:
    """Fetch the embedded model's weights."""
    connection, model = request.connection, request.params.model
    title = f"WriteIt: installing {model}"
    async with WorkDone(connection.server, request.work_done_token, title) as done:

        def report(message: str, fraction: float | None) -> None:
            percentage = None if fraction is None else int(100 * fraction)
            done.report(message, percentage)

        info = await connection.world.models.install(model, report)
    return p.ModelInfo.model_validate(info)


HANDLERS: dict[str, Command[Any]] = {
    "writeit.model.list": Command(p.ModelListParams, p.ModelListResult, list_models),
    "writeit.model.install": Command(p.ModelInstallParams, p.ModelInfo, install),
}
