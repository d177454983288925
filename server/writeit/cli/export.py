"""`writeit show` and `writeit export`: what a run holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from writeit.cli.workspace import complete, desk_at
from writeit.export import export_run

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.session import ExportFormat

FORMATS = click.Choice(["yaml", "json", "markdown"])


@click.command()
@click.argument("run_id", metavar="RUN", type=click.UUID)
@click.option("-f", "--format", "form", type=FORMATS, default="yaml")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-history", is_flag=True, help="Leave the events out.")
@click.option("--force", is_flag=True, help="Let -o replace a file that is there.")
@click.pass_context
def export(
    context: click.Context,
    *,
    run_id: UUID,
    form: ExportFormat,
    output: Path | None,
    no_history: bool,
    force: bool,
) -> None:
    """Export RUN with every prompt, answer, choice and cost."""
    if output is not None and output.exists() and not force:
        raise click.UsageError(f"{output} is there already; --force replaces it.")
    content = complete(_content(context, run_id, form, history=not no_history))
    if output is None:
        click.echo(content, nl=False)
    else:
        output.write_text(content, encoding="utf-8", newline="")


@click.command()
@click.argument("run_id", metavar="RUN", type=click.UUID)
@click.pass_context
def show(context: click.Context, run_id: UUID) -> None:
    """Show RUN as JSON, without its history."""
    click.echo(complete(_content(context, run_id, "json", history=False)), nl=False)


async def _content(
    context: click.Context, run_id: UUID, form: ExportFormat, *, history: bool
) -> str:
    async with desk_at(Path.cwd(), context) as desk:
        run = await desk.engine.show(run_id)
        events = desk.store.events(run_id) if history else None
        return export_run(run, desk.engine.configuration(run), events, form)
