"""`writeit doctor`: what can be used here and now, and why the rest cannot."""

from __future__ import annotations

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from writeit import __version__
from writeit.cli.workspace import complete, workspace_of
from writeit.core.errors import WriteItError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from writeit.ports import KeySource, ModelInfo, World

FAILED = 1
OLLAMA = "ollama"
EMBEDDED = "embedded"
ANY_OLLAMA = f"{OLLAMA}/any"
"""Named so that the list says why Ollama has nothing to offer."""
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at: whether it can be used, and what to do if not."""

    name: str
    ok: bool
    says: str


@dataclass(kw_only=True)
class Report:
    """All that was found."""

    writeit: str = __version__
    python: str = field(default_factory=platform.python_version)
    executable: str = sys.executable
    platform: str = field(default_factory=platform.platform)
    workspace: str = ""
    proxies: list[str] = field(default_factory=list)
    """Names of the proxy variables that are set; they may hold passwords."""
    findings: list[Finding] = field(default_factory=list)
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
    report = complete(examine(context.obj(), workspace_of(Path.cwd())))
    if as_json:
        told = {"usable": report.usable, **asdict(report)}
        click.echo(json.dumps(told, indent=2))
    else:
        _show(report)
    if not report.usable:
        sys.exit(FAILED)


async def examine(world: World, workspace: Path) -> Report:
    """Look at everything; what fails is a finding, not the end."""
    report = Report(workspace=str(workspace), proxies=_proxies())
    try:
        report.keys = world.keys.sources()
        report.findings.append(await _store(world, workspace))
        await _models(world, report)
    finally:
        await world.models.close()
    return report


def _proxies() -> list[str]:
    return [n for n in PROXIES if os.environ.get(n) or os.environ.get(n.lower())]


async def _store(world: World, workspace: Path) -> Finding:
    """Open the store if there is one; none is made."""
    place, message = world.find_store(workspace)
    elsewhere = f" {message}" if message else ""
    if not place.is_dir():
        says = f"None yet: {place} is made with the first run.{elsewhere}"
        return Finding(name="store", ok=True, says=says)
    try:
        store, _ = world.open_store(workspace)
        try:
            status = await world.maintain(store).status()
        finally:
            store.close()
    except WriteItError as error:
        return Finding(name="store", ok=False, says=f"{error.message} {error.hint}")
    says = f"{status.path}: {status.runs} runs, {status.used_bytes:,} bytes.{elsewhere}"
    return Finding(name="store", ok=True, says=says)


async def _models(world: World, report: Report) -> None:
    try:
        infos = await world.models.list(named=[ANY_OLLAMA], refresh=True)
    except WriteItError as error:
        says = f"{error.message} {error.hint}"
        report.findings.append(Finding(name="model host", ok=False, says=says))
        return
    report.findings.append(Finding(name="model host", ok=True, says="It answers."))
    for info in infos:
        if info.available:
            report.usable_models.setdefault(info.provider, []).append(info.id)
    report.findings.append(_embedded(infos))
    report.findings.append(_ollama(infos))


def _embedded(infos: Iterable[ModelInfo]) -> Finding:
    info = next(info for info in infos if info.provider == EMBEDDED)
    says = info.reason or f"{info.id} is installed."
    return Finding(name="embedded model", ok=info.available, says=says)


def _ollama(infos: Iterable[ModelInfo]) -> Finding:
    mine = [info for info in infos if info.provider == OLLAMA]
    ready = [info.id for info in mine if info.available]
    if ready:
        return Finding(name="Ollama", ok=True, says=f"It has {len(ready)} models.")
    reason = next((info.reason for info in mine if info.id == ANY_OLLAMA), None)
    if reason is None or "pull" in reason:
        reason = "It answers and has no models. Fetch one: ollama pull NAME"
    return Finding(name="Ollama", ok=False, says=reason)


def _show(report: Report) -> None:
    click.echo(f"WriteIt {report.writeit}, Python {report.python}, {report.platform}")
    click.echo(f"Workspace: {report.workspace}")
    if report.proxies:
        click.echo(f"Proxy variables that are set: {', '.join(report.proxies)}")
    for finding in report.findings:
        _line(finding.name, finding.says, ok=finding.ok)
    keyed = {p: s for p, s in report.keys.items() if s != "none"}
    listed = ", ".join(f"{p} ({s})" for p, s in keyed.items())
    _line("keys", listed or "None. Set one: writeit keys set PROVIDER", ok=bool(keyed))
    for provider, models in report.usable_models.items():
        some = ", ".join(models[:3]) + (", …" if len(models) > 3 else "")  # noqa: PLR2004 -- a taste
        _line(provider, f"{len(models)} usable: {some}", ok=True)
    if not report.usable:
        click.secho(
            "Nothing can be asked yet. Offline and without an account:"
            " pip install 'writeit[local]', then writeit model install.",
            fg="red",
        )


def _line(name: str, says: str, *, ok: bool) -> None:
    mark = click.style("ok", fg="green") if ok else click.style("--", fg="yellow")
    click.echo(f"{mark}  {name}: {says}")
