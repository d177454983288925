"""`writeit export` and `writeit import`: runs that leave a store and come back."""

from __future__ import annotations

import json
from pathlib import Path
from uuid import UUID

import click

from writeit import __version__
from writeit.cli.files import require_output_path, write_text_file
from writeit.cli.workspace import (
    find_workspace,
    open_existing_workspace,
    open_workspace,
    run_async,
)
from writeit.domain.errors import InvalidExport
from writeit.domain.run import PipelineRun
from writeit.domain.run_bundle import RunBundle
from writeit.domain.session import ExportFormat
from writeit.engine.transfer import build_bundle, import_run
from writeit.export.bundle_reader import read_export
from writeit.export.render import export_run

FORMAT_CHOICE = click.Choice(["yaml", "json", "markdown"])
MAX_EXPORT_BYTES = 256 * 1024 * 1024
"""Not even read: the longest text that is, in the widest letters."""


@click.command()
@click.argument("run_id", metavar="RUN", type=click.UUID)
@click.option(
    "-f", "--format", "form", type=FORMAT_CHOICE, help="Default: as you prefer."
)
@click.option("--json", "as_json", is_flag=True, help="The same as -f json.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-history", is_flag=True, help="Leave the events out.")
@click.option("--force", is_flag=True, help="Let -o replace a file that is there.")
@click.pass_context
def export(  # noqa: PLR0913 -- one parameter an option
    context: click.Context,
    *,
    run_id: UUID,
    form: ExportFormat | None,
    as_json: bool,
    output: Path | None,
    no_history: bool,
    force: bool,
) -> None:
    """Export RUN with every prompt, answer, choice and cost.

    yaml and json hold all of it and can be imported again. markdown is the finished
    text, with where it came from in its front matter.
    """
    if as_json and form not in {None, "json"}:
        raise click.UsageError(f"--json and -f {form} contradict each other.")
    require_output_path(output, force=force)
    wanted: ExportFormat | None = "json" if as_json else form
    content = run_async(
        _export_content(context, run_id, wanted, history=not no_history)
    )
    if output is None:
        click.echo(content, nl=False)
    else:
        write_text_file(output, content, replace=force)


async def _export_content(
    context: click.Context,
    run_id: UUID,
    export_format: ExportFormat | None,
    *,
    history: bool,
) -> str:
    async with open_existing_workspace(Path.cwd(), context) as desk:
        dossier = await build_bundle(desk.engine, run_id, desk.path, history=history)
        preferred = desk.engine.session.preferences.export_format
        return export_run(dossier, export_format or preferred, __version__)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.pass_context
def import_(context: click.Context, *, file: Path, as_json: bool) -> None:
    """Take in the run of FILE, a yaml or json export, with all its history.

    It goes into the history of the folder you stand in and keeps its id. Nothing is
    sent anywhere, and no document is touched. A run that is here already goes on from
    where it stands, if the file knows more of it; else it is refused.
    """
    run = run_async(_import_bundle(context, read_export(_read_export_file(file))))
    if as_json:
        told = {"run_id": str(run.pipeline_run_id), "status": run.status.value}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(
        f"Run {run.pipeline_run_id} is here now: writeit show {run.pipeline_run_id}"
    )


def _read_export_file(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_EXPORT_BYTES:
            raise InvalidExport(
                f"{file} is too big to be an export that can be read"
                f" ({file.stat().st_size:,} bytes).",
                reason="malformed",
                hint="Export the run without its history (--no-history).",
            )
        with file.open(encoding="utf-8", newline="") as opened:
            return opened.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidExport(
            f"{file} cannot be read: {error}.",
            reason="malformed",
            hint="An export is a text file in UTF-8.",
        ) from error


async def _import_bundle(context: click.Context, bundle: RunBundle) -> PipelineRun:
    workspace = find_workspace(Path.cwd())
    async with open_workspace(workspace, context) as desk:
        return await import_run(desk.engine, bundle, workspace)
