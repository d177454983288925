"""`writeit doctor`, `keys` and `neovim-runtime`."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TypeVar

import click

from writeit import __version__
from writeit.cli.models import run_with_models
from writeit.cli.output import echo, echo_styled, json_option, print_json, style
from writeit.cli.workspace import find_workspace
from writeit.domain.errors import NotFound, WriteItError
from writeit.ports.models import ModelInfo
from writeit.ports.system import KeySource, Ports
from writeit.text.lines import make_visible

T = TypeVar("T")

EXIT_NOTHING_USABLE = 1
OLLAMA_PROVIDER = "ollama"
EMBEDDED_PROVIDER = "embedded"
ANY_OLLAMA_MODEL = f"{OLLAMA_PROVIDER}/any"
"""Requested so that the list gives the reason if Ollama has no models."""
PROXY_VARIABLES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True, kw_only=True)
class DoctorFinding:
    """One check: whether it passed, and what to do if not."""

    name: str
    ok: bool
    says: str


@dataclass(kw_only=True)
class DoctorReport:
    """The result of all checks."""

    writeit: str = __version__
    python: str = field(default_factory=platform.python_version)
    executable: str = sys.executable
    platform: str = field(default_factory=platform.platform)
    workspace: str = ""
    proxies: list[str] = field(default_factory=list)
    """Names of the proxy variables that are set; values may hold passwords."""
    findings: list[DoctorFinding] = field(default_factory=list)
    keys: dict[str, KeySource] = field(default_factory=dict)
    usable_models: dict[str, list[str]] = field(default_factory=dict)
    """By provider."""

    @property
    def usable(self) -> bool:
        """Whether there is a usable model and a usable store."""
        store = all(f.ok for f in self.findings if f.name == "store")
        return store and bool(self.usable_models)


@click.command()
@json_option
@click.pass_context
def doctor(context: click.Context, *, as_json: bool) -> None:
    """Show which models are available, and why others are not; exit 1 if none is."""
    ports, workspace = context.obj(), find_workspace(Path.cwd())
    report = run_with_models(ports, lambda _: build_report(ports, workspace))
    if as_json:
        print_json({"usable": report.usable, **asdict(report)})
    else:
        _print_report(report)
    if not report.usable:
        sys.exit(EXIT_NOTHING_USABLE)


async def build_report(ports: Ports, workspace: Path) -> DoctorReport:
    """Run all checks; a failed check is a finding."""
    report = DoctorReport(workspace=str(workspace), proxies=_set_proxy_variables())
    report.keys = ports.keys.sources()
    report.findings.append(await _check_store(ports, workspace))
    await _check_models(ports, report)
    return report


def _set_proxy_variables() -> list[str]:
    return [
        n for n in PROXY_VARIABLES if os.environ.get(n) or os.environ.get(n.lower())
    ]


async def _check_store(ports: Ports, workspace: Path) -> DoctorFinding:
    """Open the store if there is one."""
    folder, message = ports.locate_store(workspace)
    elsewhere = f" {message}" if message else ""
    if not folder.is_dir():
        says = f"None yet. The first run creates {folder}.{elsewhere}"
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
    report.findings.append(DoctorFinding(name="model host", ok=True, says="Running."))
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
    models = [info for info in infos if info.provider == OLLAMA_PROVIDER]
    ready = [info.id for info in models if info.available]
    if ready:
        return DoctorFinding(name="Ollama", ok=True, says=f"{len(ready)} models.")
    reason = next((info.reason for info in models if info.id == ANY_OLLAMA_MODEL), None)
    if reason is None or "pull" in reason:
        reason = "Running, but without models. Download one: ollama pull NAME"
    return DoctorFinding(name="Ollama", ok=False, says=reason)


def _print_report(report: DoctorReport) -> None:
    echo(f"WriteIt {report.writeit}, Python {report.python}, {report.platform}")
    echo(f"Workspace: {report.workspace}")
    if report.proxies:
        echo(f"Proxy variables set: {', '.join(report.proxies)}")
    for finding in report.findings:
        label = finding.name.replace("model host", "model calls")
        _print_line(label, finding.says, ok=finding.ok)
    keyed = {p: s for p, s in report.keys.items() if s != "none"}
    listed = ", ".join(f"{p} ({s})" for p, s in keyed.items())
    _print_line(
        "keys", listed or "None. Set one: writeit keys set PROVIDER", ok=bool(keyed)
    )
    for provider, models in report.usable_models.items():
        some = ", ".join(models[:3]) + (", …" if len(models) > 3 else "")  # noqa: PLR2004 -- a sample
        _print_line(provider, f"{len(models)} usable: {some}", ok=True)
    if not report.usable:
        echo(
            "No model is available yet. To work offline and without an account:"
            " pip install 'writeit[local]', then writeit model install",
            fg="red",
        )


def _print_line(name: str, says: str, *, ok: bool) -> None:
    mark = style("ok", fg="green") if ok else style("--", fg="yellow")
    echo_styled(f"{mark}  {make_visible(f'{name}: {says}')}")


@click.group()
def keys() -> None:
    """Set API keys, and show where they come from."""


@keys.command("set")
@click.argument("provider")
@json_option
@click.pass_context
def set_key(context: click.Context, *, provider: str, as_json: bool) -> None:
    """Store the API key of PROVIDER in the system keyring.

    The key is read from a prompt or stdin: an argument would show in process lists.
    """
    ports = context.obj()
    if provider not in ports.keys.sources():  # then this refuses it
        run_with_models(
            ports, lambda models: models.resolve_model_id(f"{provider}/any")
        )
    ports.keys.set(provider, _read_key(provider))
    if as_json:
        print_json({"provider": provider, "stored": True})
    else:
        echo(f"Stored the key of {provider} in the system keyring.")
    if ports.keys.source(provider) == "environment":
        echo("The environment also sets this key, and takes precedence.", err=True)


def _read_key(provider: str) -> str:
    if sys.stdin.isatty():
        return str(click.prompt(f"Key of {provider}", hide_input=True, err=True))
    return sys.stdin.readline()


@keys.command("list")
@click.argument("provider", required=False)
@json_option
@click.pass_context
def list_keys(context: click.Context, *, provider: str | None, as_json: bool) -> None:
    """Show where the key of each common provider, or of PROVIDER, comes from."""
    keys = context.obj().keys
    sources = {provider: keys.source(provider)} if provider else keys.sources()
    if as_json:
        entries = [{"provider": p, "source": s} for p, s in sources.items()]
        print_json({"providers": entries})
        return
    for name, source in sources.items():
        echo(f"{name:16} {source}")


@click.command("neovim-runtime")
@json_option
def neovim_runtime(*, as_json: bool) -> None:
    """Print the folder of the Neovim plug-in, for the runtimepath."""
    path = str(runtime_folder())
    echo(json.dumps({"path": path}) if as_json else path)


def runtime_folder() -> Path:
    """Return the plug-in's folder: the package's, or the checkout's.

    Raises:
        NotFound: this installation does not include it.
    """
    package = Path(__file__).parents[1]
    for path in (package / "_bundled" / "neovim", package.parents[1] / "neovim"):
        if (path / "lua" / "writeit").is_dir():
            return path
    raise NotFound(
        "This installation does not include the Neovim plug-in.",
        hint="Install WriteIt from its wheel, or use `neovim` of a checkout.",
    )
