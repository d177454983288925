"""Completion in the shell: `writeit completion`, and the values of arguments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from writeit.cli.output import echo
from writeit.cli.workspace import find_workspace
from writeit.domain.session import UserPreferences
from writeit.engine.queries import LAST_RUN, list_all_runs
from writeit.library.catalog import read_library
from writeit.ports.store import Store
from writeit.views.wording import run_label, run_status_label

MAX_RUNS = 100
"""Runs that are completed, the newest first."""
Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completer(of_store: Callable[[Store], Iterable[CompletionItem]]) -> Completer:
    """Return a completer of values that are in the store of the current folder."""

    def complete(
        context: click.Context, _parameter: click.Parameter, begun: str
    ) -> list[CompletionItem]:
        store, _ = context.obj().open_store(find_workspace(Path.cwd()))
        try:
            return [item for item in of_store(store) if item.value.startswith(begun)]
        finally:
            store.close()

    return complete


@_completer
def complete_run(store: Store) -> Iterator[CompletionItem]:
    """Complete RUN: ids and names, with what the run is about."""
    for run in islice(list_all_runs(store), MAX_RUNS):
        status = run_status_label(run)
        about = f"{run_label(run)} · {status}"
        yield CompletionItem(str(run.run_id), help=about)
        if run.name:
            yield CompletionItem(run.name, help=about)
    yield CompletionItem(LAST_RUN, help="the newest run")


def complete_model(
    context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Complete MODEL: called here last, your defaults, the pipelines', then known ones.

    No provider is called, and the model host is not started.
    """
    ports, workspace = context.obj(), find_workspace(Path.cwd())
    store, _ = ports.open_store(workspace)
    try:
        models = [record.model for record in store.usage_records(None)][::-1]
        preferences = store.preferences() or UserPreferences()
    finally:
        store.close()
    models += [chosen.model for chosen in preferences.models or ports.default_models()]
    models += preferences.default_models.values()
    library, _ = read_library(workspace)
    models += [m for p in library.usable_pipelines for s in p.steps for m in s.models]
    return [CompletionItem(m) for m in dict.fromkeys(models) if m.startswith(begun)]


def complete_pipeline(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Complete the name of a pipeline that can run."""
    library, _ = read_library(find_workspace(Path.cwd()))
    return [
        CompletionItem(pipeline.name, help=pipeline.description)
        for pipeline in library.usable_pipelines
        if pipeline.name.startswith(begun)
    ]


def complete_primer(
    _context: click.Context, _parameter: click.Parameter, begun: str
) -> list[CompletionItem]:
    """Complete the id of a style primer."""
    library, _ = read_library(find_workspace(Path.cwd()))
    names = sorted({*library.usable_primers, "none"})
    return [CompletionItem(name) for name in names if name.startswith(begun)]


run_argument = click.argument("named", metavar="RUN", shell_complete=complete_run)


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> None:
    """Print the completion script of SHELL, for commands, runs, pipelines and models.

    In ~/.bashrc: eval "$(writeit completion bash)". In ~/.zshrc: the same with zsh. For
    fish: writeit completion fish > ~/.config/fish/completions/writeit.fish
    """
    found = get_completion_class(shell)
    if found is None:
        raise click.UsageError(f"There is no completion for {shell}.")
    echo(
        found(context.find_root().command, {}, "writeit", "_WRITEIT_COMPLETE").source()
    )
