"""`writeit export` and `writeit import`."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import click

from writeit import __version__
from writeit.cli.files import require_output_path, write_text_file
from writeit.cli.output import json_option, print_json
from writeit.cli.workspace import open_existing_workspace, open_workspace, run_async
from writeit.domain.errors import InvalidExport
from writeit.domain.run import PipelineRun
from writeit.domain.run_bundle import RunBundle
from writeit.domain.session import ExportFormat
from writeit.engine.transfer import build_bundle, import_run
from writeit.export.bundle_reader import read_export
from writeit.export.render import export_run

FORMAT_CHOICE = click.Choice(["yaml", "json", "markdown"])
MAX_EXPORT_BYTES = 256 * 1024 * 1024
"""A larger file is not read: the text limit in four-byte characters."""


@click.command()
@click.argument("run_id", metavar="RUN", type=click.UUID)
@click.option(
    "-f", "--format", "form", type=FORMAT_CHOICE, help="Default: your preference."
)
@click.option("--json", "as_json", is_flag=True, help="Same as -f json.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--no-history", is_flag=True, help="Leave out the events.")
@click.option("--force", is_flag=True, help="Let -o replace an existing file.")
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

    yaml and json contain everything and can be imported. markdown is the finished
    text; its front matter names the run.
    """
    if as_json and form not in {None, "json"}:
        raise click.UsageError(f"Use --json or -f {form}, not both.")
    require_output_path(output, force=force)
    form = "json" if as_json else form
    content = run_async(_export_content(context, run_id, form, history=not no_history))
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
    async with open_existing_workspace(Path.cwd(), context) as workspace:
        engine = workspace.engine
        bundle = await build_bundle(engine, run_id, workspace.path, history=history)
        preferred = engine.session.preferences.export_format
        return export_run(bundle, export_format or preferred, __version__)


@click.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@json_option
@click.pass_context
def import_(context: click.Context, *, file: Path, as_json: bool) -> None:
    """Import the run of FILE, a yaml or json export, with all its history.

    The run is stored for the current folder and keeps its id. Nothing is sent, and no
    document is changed. A run that exists here is extended if FILE has newer steps;
    otherwise the import is refused.
    """
    run = run_async(_import_bundle(context, read_export(_read_export_file(file))))
    if as_json:
        print_json({"run_id": str(run.pipeline_run_id), "status": run.status.value})
    else:
        run_id = run.pipeline_run_id
        click.echo(f"Imported run {run_id}. Show it with: writeit show {run_id}")


def _read_export_file(file: Path) -> str:
    try:
        if file.stat().st_size > MAX_EXPORT_BYTES:
            raise InvalidExport(
                f"{file} is too large for an export ({file.stat().st_size:,} bytes).",
                reason="malformed",
                hint="Export the run without its history (--no-history).",
            )
        with file.open(encoding="utf-8", newline="") as text_file:
            return text_file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidExport(
            f"{file} cannot be read: {error}.",
            reason="malformed",
            hint="An export is a text file in UTF-8.",
        ) from error


async def _import_bundle(context: click.Context, bundle: RunBundle) -> PipelineRun:
    async with open_workspace(Path.cwd(), context) as workspace:
        return await import_run(workspace.engine, bundle, workspace.path)
