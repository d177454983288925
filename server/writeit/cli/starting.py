"""What `writeit run` is asked to do, and the run it begins or takes up again."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import click

from writeit.cli.files import read_text
from writeit.core.settings import CostLimits, Settings
from writeit.engine.resolve import Wishes
from writeit.engine.starting import StartRequest
from writeit.library.document import read_manuscript
from writeit.library.frontmatter import Binding

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.cli.workspace import Desk
    from writeit.core.run import PipelineRun
    from writeit.library.document import Manuscript


@dataclass(frozen=True, kw_only=True)
class Request:
    """What the command line says."""

    pipeline: str | None = None
    file: Path | None = None
    resume: UUID | None = None
    inputs: dict[str, str] = field(default_factory=dict)
    models: tuple[str, ...] = ()
    primer: str | None = None
    limits: CostLimits = field(default_factory=CostLimits)

    @property
    def place(self) -> Path:
        """Where the workspace is looked for."""
        return self.file or Path.cwd()


@dataclass(frozen=True, kw_only=True)
class Task:
    """A run, and what its steps are asked with."""

    run: PipelineRun
    models: tuple[str, ...] | None
    """Named on the command line, for every step; None if none is."""
    wishes: Wishes


def pairs(inputs: tuple[str, ...]) -> dict[str, str]:
    """Return what `-i NAME=VALUE` says."""
    found = {}
    for given in inputs:
        name, equals, value = given.partition("=")
        if not equals:
            raise click.BadParameter(f"{given!r} is not NAME=VALUE", param_hint="-i")
        if _readable(given) != given:
            raise click.BadParameter(f"{name!r} is no text in UTF-8", param_hint="-i")
        found[name] = value
    return found


def _readable(said: str) -> str:
    """Return what the system said as a text; it may have said bytes that are none."""
    return said.encode(errors="surrogateescape").decode(errors="replace")


async def taken_up(desk: Desk, request: Request) -> Task:
    """Begin the run that is asked for, or take it up again.

    Raises:
        WriteItError: it cannot be; nothing was made.
    """
    identify = desk.world.models.identify
    models = tuple([await identify(model) for model in request.models])
    if request.resume is None:
        run, binding = await _begun(desk, request, models)
    else:
        run = await desk.engine.show(request.resume)
        binding = _binding_of(run)
    wishes = Wishes(
        models=binding.models,
        providers=binding.providers,
        settings=Settings(max_cost_usd=request.limits),
        preferences=desk.engine.session.preferences,
    )
    return Task(run=run, models=models or None, wishes=wishes)


async def _begun(
    desk: Desk, request: Request, models: tuple[str, ...]
) -> tuple[PipelineRun, Binding]:
    manuscript = _read(request.file).understood()
    library = desk.library()
    configuration = library.pipeline(request.pipeline or "")
    binding = manuscript.front_matter.binding
    preferences = desk.engine.session.preferences
    primer = (
        request.primer
        or binding.primer
        or configuration.default("style_primer", str)
        or preferences.style_primer
    )
    run = await desk.engine.start(
        StartRequest(
            configuration=configuration,
            inputs=request.inputs,
            front_matter_inputs=binding.inputs,
            document=manuscript.document,
            primer=library.primer(primer) if primer else None,
            models={step: models for step in configuration.step_names if models},
            uri=request.file.resolve().as_uri() if request.file else None,
            output_path=binding.output_path,
        )
    )
    return run, binding


def _read(file: Path | None) -> Manuscript:
    if file is None:
        return read_manuscript("")
    return read_manuscript(
        read_text(file), path=_readable(str(file)), uri=file.resolve().as_uri()
    )


def _binding_of(run: PipelineRun) -> Binding:
    """Return what the run's document says now; if it is gone, where it might go."""
    parts = urlsplit(run.uri or "")
    path = Path(unquote(parts.path))
    if parts.scheme != "file" or not path.is_file():
        return Binding(providers=run.document.providers)
    return _read(path).understood().front_matter.binding
