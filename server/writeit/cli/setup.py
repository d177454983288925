"""`writeit doctor`: what can be used here and now, and why the rest cannot."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import click

from writeit import __version__
from writeit.cli.workspace import find_workspace, run_async
from writeit.domain.errors import NotFound, WriteItError
from writeit.library.catalog import read_library
from writeit.library.pipelines import read_pipeline, read_primer
from writeit.library.yaml_source import SourceProblem
from writeit.ports.models import ModelInfo
from writeit.ports.system import KeySource, Ports

# --- `writeit doctor`: what can be used here and now, and why the rest cannot ---------

EXIT_NOTHING_USABLE = 1
OLLAMA_PROVIDER = "ollama"
EMBEDDED_PROVIDER = "embedded"
ANY_OLLAMA_MODEL = f"{OLLAMA_PROVIDER}/any"
"""Named so that the list says why Ollama has nothing to offer."""
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True, kw_only=True)
class DoctorFinding:
    """One thing that was looked at: whether it can be used, and what to do if not."""

    name: str
    ok: bool
    says: str


@dataclass(kw_only=True)
class DoctorReport:
    """All that was found."""

    writeit: str = __version__
    python: str = field(default_factory=platform.python_version)
    executable: str = sys.executable
    platform: str = field(default_factory=platform.platform)
    workspace: str = ""
    proxies: list[str] = field(default_factory=list)
    """Names of the proxy variables that are set; they may hold passwords."""
    findings: list[DoctorFinding] = field(default_factory=list)
    keys: dict[str, KeySource] = field(default_factory=dict)
    usable_models: dict[str, list[str]] = field(default_factory=dict)
    """By provider."""

    @property
    def usable(self) -> bool:
        """Whether there is a model to ask and a place to keep what it answers."""
        store = all(f.ok for f in self.findings if f.name == "store")
        return store and bool(self.usable_models)


@click.command()
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Say what can be used here and why the rest cannot; exit 1 if nothing can."""
    report = run_async(build_report(context.obj(), find_workspace(Path.cwd())))
    if as_json:
        told = {"usable": report.usable, **asdict(report)}
        click.echo(json.dumps(told, indent=2))
    else:
        _print_report(report)
    if not report.usable:
        sys.exit(EXIT_NOTHING_USABLE)


async def build_report(ports: Ports, workspace: Path) -> DoctorReport:
    """Look at everything; what fails is a finding, not the end."""
    report = DoctorReport(workspace=str(workspace), proxies=_set_proxy_variables())
    try:
        report.keys = ports.keys.sources()
        report.findings.append(await _check_store(ports, workspace))
        await _check_models(ports, report)
    finally:
        await ports.models.close()
    return report


def _set_proxy_variables() -> list[str]:
    return [
        n for n in PROXY_VARIABLES if os.environ.get(n) or os.environ.get(n.lower())
    ]


async def _check_store(ports: Ports, workspace: Path) -> DoctorFinding:
    """Open the store if there is one; none is made."""
    place, message = ports.locate_store(workspace)
    elsewhere = f" {message}" if message else ""
    if not place.is_dir():
        says = f"None yet: {place} is made with the first run.{elsewhere}"
        return DoctorFinding(name="store", ok=True, says=says)
    try:
        store, _ = ports.open_store(workspace)
        try:
            status = await ports.maintenance_for(store).status()
        finally:
            store.close()
    except WriteItError as error:
        return DoctorFinding(
            name="store", ok=False, says=f"{error.message} {error.hint}"
        )
    says = f"{status.path}: {status.runs} runs, {status.used_bytes:,} bytes.{elsewhere}"
    return DoctorFinding(name="store", ok=True, says=says)


async def _check_models(ports: Ports, report: DoctorReport) -> None:
    try:
        infos = await ports.models.list_models(include=[ANY_OLLAMA_MODEL], refresh=True)
    except WriteItError as error:
        says = f"{error.message} {error.hint}"
        report.findings.append(DoctorFinding(name="model host", ok=False, says=says))
        return
    report.findings.append(
        DoctorFinding(name="model host", ok=True, says="It answers.")
    )
    for info in infos:
        if info.available:
            report.usable_models.setdefault(info.provider, []).append(info.id)
    report.findings.append(_embedded_finding(infos))
    report.findings.append(_ollama_finding(infos))


def _embedded_finding(infos: Iterable[ModelInfo]) -> DoctorFinding:
    info = next(info for info in infos if info.provider == EMBEDDED_PROVIDER)
    says = info.reason or f"{info.id} is installed."
    return DoctorFinding(name="embedded model", ok=info.available, says=says)


def _ollama_finding(infos: Iterable[ModelInfo]) -> DoctorFinding:
    mine = [info for info in infos if info.provider == OLLAMA_PROVIDER]
    ready = [info.id for info in mine if info.available]
    if ready:
        return DoctorFinding(
            name="Ollama", ok=True, says=f"It has {len(ready)} models."
        )
    reason = next((info.reason for info in mine if info.id == ANY_OLLAMA_MODEL), None)
    if reason is None or "pull" in reason:
        reason = "It answers and has no models. Fetch one: ollama pull NAME"
    return DoctorFinding(name="Ollama", ok=False, says=reason)


def _print_report(report: DoctorReport) -> None:
    click.echo(f"WriteIt {report.writeit}, Python {report.python}, {report.platform}")
    click.echo(f"Workspace: {report.workspace}")
    if report.proxies:
        click.echo(f"Proxy variables that are set: {', '.join(report.proxies)}")
    for finding in report.findings:
        _print_line(finding.name, finding.says, ok=finding.ok)
    keyed = {p: s for p, s in report.keys.items() if s != "none"}
    listed = ", ".join(f"{p} ({s})" for p, s in keyed.items())
    _print_line(
        "keys", listed or "None. Set one: writeit keys set PROVIDER", ok=bool(keyed)
    )
    for provider, models in report.usable_models.items():
        some = ", ".join(models[:3]) + (", …" if len(models) > 3 else "")  # noqa: PLR2004 -- a taste
        _print_line(provider, f"{len(models)} usable: {some}", ok=True)
    if not report.usable:
        click.secho(
            "Nothing can be asked yet. Offline and without an account:"
            " pip install 'writeit[local]', then writeit model install.",
            fg="red",
        )


def _print_line(name: str, says: str, *, ok: bool) -> None:
    mark = click.style("ok", fg="green") if ok else click.style("--", fg="yellow")
    click.echo(f"{mark}  {name}: {says}")


# --- `writeit keys`: giving a provider its key, and where keys come from --------------


@click.group()
def keys() -> None:
    """Set keys of providers, see where they come from."""


@keys.command("set")
@click.argument("provider")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def set_key(context: click.Context, *, provider: str, as_json: bool) -> None:
    """Keep the key of PROVIDER in the system keyring.

    It is asked for, or read from stdin; an argument would show in lists of processes.
    """
    world = context.obj()
    run_async(_check_provider(world, provider))
    world.keys.set(provider, _read_key(provider))
    if as_json:
        told = {"provider": provider, "stored": True}
        click.echo(json.dumps(told, indent=2))
    else:
        click.echo(f"The key of {provider} is in the system keyring.")
    if world.keys.source(provider) == "environment":
        click.echo("The environment has one too, and that one is used.", err=True)


async def _check_provider(ports: Ports, provider: str) -> bool:
    """Check that somebody knows `provider`, before its key is asked for."""
    try:
        if provider not in ports.keys.sources():
            await ports.models.resolve_model_id(f"{provider}/any")
    finally:
        await ports.models.close()
    return True


def _read_key(provider: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Key of {provider}", hide_input=True, err=True))
    return sys.stdin.readline()


@keys.command("list")
@click.argument("provider", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def list_keys(context: click.Context, *, provider: str | None, as_json: bool) -> None:
    """Say where the key of each usual provider comes from, or PROVIDER's."""
    sources = _key_sources(context.obj(), provider)
    if as_json:
        entries = [{"provider": p, "source": s} for p, s in sources.items()]
        click.echo(json.dumps({"providers": entries}, indent=2))
        return
    for name, source in sources.items():
        click.echo(f"{name:16} {source}")


def _key_sources(ports: Ports, provider: str | None) -> dict[str, KeySource]:
    if provider is not None:
        return {provider: ports.keys.source(provider)}
    return ports.keys.sources()


# --- `writeit model`: which models can be asked, and getting the embedded one ---------

DEFAULT_EMBEDDED_MODEL = "embedded/smollm2-135m"


@click.group()
def model() -> None:
    """List models, install the embedded one."""


@model.command("list")
@click.argument("provider", required=False)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def list_models(context: click.Context, *, provider: str | None, as_json: bool) -> None:
    """List the models that can be asked here; all of PROVIDER's if it is named."""
    models = run_async(_load_models(context.obj(), provider))
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(info) for info in models], indent=2))
        return
    for info in models:
        state = "ready" if info.available else info.reason or "not available"
        click.echo(f"{info.id:40} {state}")


async def _load_models(ports: Ports, provider: str | None) -> list[ModelInfo]:
    try:
        return await ports.models.list_models(provider=provider)
    finally:
        await ports.models.close()


@model.command()
@click.argument("name", metavar="MODEL", default=DEFAULT_EMBEDDED_MODEL)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def install(context: click.Context, *, name: str, as_json: bool) -> None:
    """Fetch the weights of the embedded MODEL into the user's cache."""
    info = run_async(_install_model(context.obj(), name))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(info), indent=2))
        return
    click.echo(f"{info.id} is {'ready' if info.available else info.reason}.")


async def _install_model(ports: Ports, name: str) -> ModelInfo:
    def report(message: str, fraction: float | None) -> None:
        share = "" if fraction is None else f" {fraction:.0%}"
        click.echo(f"{message}{share}", err=True)

    try:
        return await ports.models.install_model(name, report)
    finally:
        await ports.models.close()


# --- `writeit neovim-runtime`: where the Neovim plug-in is that came with this server -


@click.command("neovim-runtime")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def neovim_runtime(*, as_json: bool) -> None:
    """Print the folder to put on Neovim's runtimepath."""
    path = str(runtime_folder())
    click.echo(json.dumps({"path": path}) if as_json else path)


def runtime_folder() -> Path:
    """Return the plug-in's folder: the package's, or the checkout's.

    Raises:
        NotFound: this copy of WriteIt came without it.
    """
    package = Path(__file__).parents[1]
    for path in (package / "_bundled" / "neovim", package.parents[1] / "neovim"):
        if (path / "lua" / "writeit").is_dir():
            return path
    raise NotFound(
        "The Neovim plug-in did not come with this copy of WriteIt.",
        hint="Install WriteIt from its wheel, or use `neovim` of a checkout.",
    )


# --- `writeit pipeline`: the pipelines within reach, and whether their files are right

EXIT_INVALID_FILES = 1
MAX_LIBRARY_FILE_BYTES = 1024 * 1024
"""More than any file of ours may have; `library` says how many that are."""
json_option = click.option("--json", "as_json", is_flag=True, help="As JSON.")


@click.group()
def pipeline() -> None:
    """List and check pipelines."""


@pipeline.command("list")
@json_option
def list_pipelines(*, as_json: bool) -> None:
    """List the pipelines that can be run from here."""
    library, _ = read_library(find_workspace(Path.cwd()))
    if not as_json:
        for configuration in library.usable_pipelines:
            click.echo(f"{configuration.name:24} {configuration.description}")
        return
    told = [
        {
            "id": configuration.configuration_id,
            "name": configuration.name,
            "description": configuration.description,
            "applies_to": configuration.applies_to,
            "steps": configuration.step_names,
            "inputs": [
                spec.model_dump(mode="json", by_alias=True)
                for spec in configuration.inputs
            ],
            "uri": library.pipelines[configuration.name].uri,
        }
        for configuration in library.usable_pipelines
    ]
    click.echo(json.dumps(told, indent=2, ensure_ascii=False))


@pipeline.command()
@click.argument(
    "place",
    metavar="[FILE|FOLDER]",
    type=click.Path(path_type=Path, exists=True),
    default=".",
)
@json_option
def check(*, place: Path, as_json: bool) -> None:
    """Check a pipeline's or primer's FILE, or all that a run in FOLDER could use.

    Exit 1 if there are errors.
    """
    problems = _find_problems(place.resolve())
    if as_json:
        told = {"problems": [problem.to_json() for problem in problems]}
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    for problem in () if as_json else problems:
        start = problem.range.start
        where = f"{problem.uri}:{start.line + 1}:{start.character + 1}"
        click.echo(f"{where}: {problem.severity}: {problem.message}")
    if any(problem.severity == "error" for problem in problems):
        sys.exit(EXIT_INVALID_FILES)


def _find_problems(place: Path) -> Sequence[SourceProblem]:
    library, problems = read_library(find_workspace(place))
    if place.is_dir():
        return problems
    uri = place.as_uri()
    within_reach = {
        *(entry.uri for entry in library.pipelines.values()),
        *(entry.uri for entry in library.primers.values()),
        *(problem.uri for problem in problems),
    }
    if uri in within_reach:
        return [problem for problem in problems if problem.uri == uri]
    return _find_problems_in_file(place)


def _find_problems_in_file(file: Path) -> Sequence[SourceProblem]:
    """Check a file that lies where no run would look for it."""
    try:
        with file.open(encoding="utf-8-sig") as opened:
            text = opened.read(MAX_LIBRARY_FILE_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} cannot be read: {error}.") from error
    if file.parent.name == "primers":
        return read_primer(text, file.as_uri(), default_id=file.stem)[1]
    return read_pipeline(text, file.as_uri(), created=datetime.now(UTC))[1]
