"""`writeit run`: run a pipeline from the first step to the article."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from dataclasses import asdict
from pathlib import Path
from uuid import UUID

import click
from pydantic import TypeAdapter, ValidationError

from writeit.cli.completion import (
    complete_model,
    complete_pipeline,
    complete_primer,
    complete_run,
)
from writeit.cli.console import Console
from writeit.cli.interactive.answers import parse_choice
from writeit.cli.interactive.loop import Shell, run_interactively
from writeit.cli.interactive.verbs import execute_verb_line
from writeit.cli.output import StreamPrinter, echo, echo_text
from writeit.cli.start import OpenedRun, RunRequest, open_run, parse_inputs
from writeit.cli.trust import generate_with_consent
from writeit.cli.workspace import (
    OpenWorkspace,
    open_workspace,
    require_output_path,
    run_async,
    write_text_file,
)
from writeit.domain.errors import InvalidTransition, WriteItError
from writeit.domain.operations import lifecycle, select
from writeit.domain.operations.review import review_of
from writeit.domain.pipeline import Reasoning
from writeit.domain.placement import with_line_ends_of
from writeit.domain.run import PipelineRun, PipelineStatus, StepStatus
from writeit.domain.session import CostLimits
from writeit.engine.data_policy import resolve_allowed_providers
from writeit.engine.requests import GenerateStep
from writeit.export.article import final_text
from writeit.text.front_matter import with_providers
from writeit.views.wording import incomplete_choices


def _parse_reasoning(
    _context: click.Context, _option: click.Parameter, word: str | None
) -> Reasoning | None:
    """Return the value of `--reasoning`."""
    if word is None:
        return None
    try:
        number = int(word) if word.isascii() and word.isdigit() else word
        return TypeAdapter[Reasoning](Reasoning).validate_python(number)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise click.BadParameter(f"{word!r} {message}.") from error


INCOMPLETE = 3
"""The exit code of a run that is done, but with an incomplete answer."""
_CHOICE = re.compile(r"first|ask|(?:[1-9]\d*|[A-Z]+)(?::[1-9]\d*)?")


def _parse_choices(
    _context: click.Context, _option: click.Parameter, words: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the values of `--choose`."""
    wrong = [word for word in words if not _CHOICE.fullmatch(word)]
    if wrong:
        raise click.BadParameter(f"{wrong[0]!r} is not first, ask, N or N:ITEM.")
    if "ask" in words and len(words) > 1:
        raise click.BadParameter("ask stands alone: you choose at each step.")
    return words or ("first",)


@click.command()
@click.argument("pipeline", required=False, shell_complete=complete_pipeline)
@click.argument(
    "file", type=click.Path(path_type=Path, exists=True, dir_okay=False), required=False
)
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE")
@click.option(
    "-m",
    "--model",
    "models",
    multiple=True,
    shell_complete=complete_model,
    help="Use this model; can be repeated.",
)
@click.option(
    "--samples", type=click.IntRange(1, 10), help="Answers of each model in a step."
)
@click.option(
    "--reasoning",
    metavar="none|low|medium|high|TOKENS",
    callback=_parse_reasoning,
    help="How long models may think; default: as their provider says.",
)
@click.option(
    "-p", "--primer", shell_complete=complete_primer, help="The style to write in."
)
@click.option(
    "--choose",
    "choices",
    multiple=True,
    metavar="first|ask|N[:ITEM]",
    callback=_parse_choices,
    help="Choose the first answer (default), ask you, or choose answer N, or an item of"
    " its list; repeated: one for each step, the last answer for all others.",
)
@click.option(
    "--blind/--open",
    default=None,
    help="Show answers as A, B, C, without their models, until you choose.",
)
@click.option(
    "--resume", metavar="RUN", shell_complete=complete_run, help="Resume this run."
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the article to this file instead of stdout.",
)
@click.option("--force", is_flag=True, help="Let -o replace an existing file.")
@click.option(
    "--max-cost",
    type=click.FloatRange(min=0),
    metavar="USD",
    help="Stop before the run costs more than this many dollars.",
)
@click.option("-y", "--yes", is_flag=True, help="Allow any number of calls.")
@click.option("--trust", is_flag=True, help="Use all that the folder's files name.")
@click.option("-q", "--quiet", is_flag=True, help="Do not show progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
@click.pass_context
def run(  # noqa: PLR0913 -- one parameter an option
    context: click.Context,
    *,
    pipeline: str | None,
    file: Path | None,
    inputs: tuple[str, ...],
    models: tuple[str, ...],
    samples: int | None,
    reasoning: Reasoning | None,
    primer: str | None,
    choices: tuple[str, ...],
    blind: bool | None,
    resume: str | None,
    output: Path | None,
    force: bool,
    max_cost: float | None,
    yes: bool,
    trust: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Run PIPELINE on your notes, from the first step to the article.

    FILE is a markdown file with your notes. The run is stored with all its prompts and
    answers. With --choose ask you choose, edit, merge or regenerate the answers of each
    step. You can leave at any time and resume with --resume RUN (or: last).
    """
    _check_arguments(pipeline, resume, inputs, primer)
    require_output_path(output, force=force)
    request = RunRequest(
        pipeline=pipeline,
        file=file,
        resume=resume,
        inputs=parse_inputs(inputs),
        models=models,
        primer=primer,
        reasoning=reasoning,
        limits=CostLimits(run=max_cost),
        confirmed=yes,
        trusted=trust,
        samples=samples,
        blind=blind,
    )
    printer = StreamPrinter(quiet=quiet)
    final_run, providers = run_async(_execute(context, request, choices, printer))
    _print_result(final_run, providers, output, force=force, as_json=as_json)
    if final_run.status is PipelineStatus.COMPLETED and incomplete_choices(final_run):
        sys.exit(INCOMPLETE)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--pipeline",
    default="review-clarity",
    show_default=True,
    shell_complete=complete_pipeline,
    help="What to look for: a pipeline with `output: review`.",
)
@click.option("-i", "--input", "inputs", multiple=True, metavar="NAME=VALUE")
@click.option("-m", "--model", "models", multiple=True, shell_complete=complete_model)
@click.option("-y", "--yes", is_flag=True, help="Allow any number of calls.")
@click.option("--trust", is_flag=True, help="Use all that the folder's files name.")
@click.option("-q", "--quiet", is_flag=True, help="Do not show progress.")
@click.option("--json", "as_json", is_flag=True, help="Print the remarks as JSON.")
@click.pass_context
def review(context: click.Context, /, **options: object) -> None:
    """Review FILE, and print the remarks with their lines. FILE is not changed.

    `writeit run` does the same with a pipeline with `output: review`.
    """
    context.invoke(run, choices=("first",), **options)


def _remarks_to_json(run: PipelineRun) -> list[dict[str, object]]:
    """Return the remarks of a review with their lines, from 1; [] of other runs."""
    found, line_of = review_of(run), run.document.line_of
    return [
        {**asdict(each), "line": each.place and 1 + line_of(each.place[0])}
        for each in (found.remarks if found else ())
    ]


def _check_arguments(
    pipeline: str | None,
    resume: str | None,
    inputs: tuple[str, ...],
    primer: str | None,
) -> None:
    if resume is None and pipeline is None:
        raise click.UsageError("Name a PIPELINE, or resume a run with --resume RUN.")
    if resume is not None and (pipeline or inputs or primer):
        raise click.UsageError(
            "--resume continues a run with its own inputs. Leave out PIPELINE, FILE, -i"
            " and -p."
        )


def _print_result(
    final_run: PipelineRun,
    providers: tuple[str, ...] | None,
    output: Path | None,
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Write the article, if there is one, and the next command to use.

    It begins with the allowed providers if its notes name them.
    """
    finished = final_run.status is PipelineStatus.COMPLETED
    run_id = final_run.pipeline_run_id
    text = _article_or_none(final_run) if finished else None
    if text is not None:
        text = with_providers(text, providers)
    if text is not None and output is not None:
        source = final_run.document.text
        write_text_file(output, with_line_ends_of(source, text), replace=force)
        echo(f"Article written to {output}.", err=True)
    if as_json:
        result = {
            "run_id": str(run_id),
            "status": final_run.status.value,
            "current_step": final_run.current_step,
            "article": text,
            "remarks": _remarks_to_json(final_run),
            "incomplete": incomplete_choices(final_run),
            "output": str(output) if output and text is not None else None,
        }
        echo(json.dumps(result, indent=2, ensure_ascii=False, default=str))
    elif text is not None and output is None:
        echo_text(text)
    for sentence in (cut := incomplete_choices(final_run)):
        echo(sentence, err=True)
    if not finished:
        echo(_resume_hint(run_id), err=True)
        return
    echo(f"Export every prompt and answer with: writeit export {run_id}", err=True)
    if cut:
        echo(
            f"To complete it: writeit run --choose ask --resume {run_id}, then type"
            " continue. The exit code is 3.",
            err=True,
        )


def _resume_hint(run_id: UUID) -> str:
    return (
        f"The run was kept. Resume it with: writeit run --choose ask --resume {run_id}"
    )


def _article_or_none(final_run: PipelineRun) -> str | None:
    try:
        return final_text(final_run)
    except InvalidTransition:
        echo("There is no article: every step was skipped.", err=True)
        return None


async def _execute(
    context: click.Context,
    request: RunRequest,
    choices: tuple[str, ...],
    stream_printer: StreamPrinter,
) -> tuple[PipelineRun, tuple[str, ...] | None]:
    async with open_workspace(request.file or Path.cwd(), context) as workspace:
        workspace.engine.start_monitoring()
        opened = await open_run(workspace, request)
        run_id = opened.run.pipeline_run_id
        try:
            run = await _run_steps(workspace, opened, choices, stream_printer)
            selection = opened.model_selection
            limit = resolve_allowed_providers(
                workspace.store, run, selection.providers, selection.file_providers
            )
        except WriteItError as error:
            if kept := await _keep_or_delete(workspace, request, run_id):
                error.add_note(kept)
            raise
        except asyncio.CancelledError:
            if kept := await _keep_or_delete(workspace, request, run_id):
                echo(kept, err=True)
            raise
        return run, limit.providers


async def _run_steps(
    workspace: OpenWorkspace,
    opened: OpenedRun,
    choices: tuple[str, ...],
    stream_printer: StreamPrinter,
) -> PipelineRun:
    """Run the steps to the end, or as far as the user wants."""
    run = opened.run
    if choices == ("ask",):
        shell = Shell(
            workspace=workspace,
            console=Console(),
            stream_printer=stream_printer,
            run_id=run.pipeline_run_id,
            model_selection=opened.model_selection,
            models=opened.models,
            samples=opened.samples,
        )
        return await run_interactively(
            shell, execute_verb_line, generate_first=_is_new(run)
        )
    while run.status is not PipelineStatus.COMPLETED:
        choice, *rest = choices
        run = await _run_one_step(workspace, opened, stream_printer, choice)
        choices = tuple(rest) or (choice.partition(":")[0],)
    return run


async def _keep_or_delete(
    workspace: OpenWorkspace, request: RunRequest, run_id: UUID
) -> str:
    """Return how to resume a run; delete a new run of which nothing was sent."""
    run = await workspace.engine.load_run(run_id)
    if request.resume is None and _is_new(run):
        await workspace.engine.delete_run(run_id)
        return ""
    return _resume_hint(run_id)


def _is_new(run: PipelineRun) -> bool:
    return run.status is PipelineStatus.INITIALIZING


def _say_what_was_not_used(opened: OpenedRun, step: str) -> None:
    selection = opened.model_selection
    file = selection.untrusted.front_matter
    if file and selection.front_matter_reasoning:
        echo(
            f"The reasoning that {file} names was not used: you have not trusted its"
            f" folder. To use it: writeit trust {file}",
            err=True,
        )
    if file and selection.models.get(step) and not opened.models:
        echo(
            f"The models that {file} names were not used: you have not trusted its"
            f" folder. To use them: writeit trust {file}",
            err=True,
        )


async def _run_one_step(
    workspace: OpenWorkspace,
    opened: OpenedRun,
    stream_printer: StreamPrinter,
    choice: str,
) -> PipelineRun:
    """Generate the current step if it has no answers, and choose one."""
    run_id = opened.run.pipeline_run_id
    state = lifecycle.find_step(await workspace.engine.load_run(run_id), None)
    if state.status is StepStatus.PENDING:
        generation, opened.model_selection = await generate_with_consent(
            workspace,
            GenerateStep(
                run_id=run_id,
                models=opened.models,
                samples=opened.samples,
                model_selection=opened.model_selection,
            ),
            stream_printer.show_event,
            Console(),
        )
        _say_what_was_not_used(opened, state.step_name)
        state = await workspace.engine.wait_for_generation(generation)
        stream_printer.end_step()
        if state.status is StepStatus.COMPLETED:  # a review has nothing to choose
            return await workspace.engine.load_run(run_id)
    index, item = (0, None) if choice == "first" else parse_choice(state, choice)
    return await workspace.engine.execute(
        run_id,
        lambda run, at: select.select_response(
            run, run.steps[state.step_name], index, at, content=item
        ),
    )
