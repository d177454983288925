"""A code-server (a real VS Code) with folders of its own."""

import asyncio
import contextlib
import json
import os
import re
import signal
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vscode import tools

BASE_SETTINGS: dict[str, Any] = {
    "chat.disableAIFeatures": True,
    "editor.minimap.enabled": False,
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "git.enabled": False,
    "json.schemaDownload.enable": False,
    "npm.fetchOnlineInfo": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "workbench.enableExperiments": False,
    "workbench.startupEditor": "none",
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.tips.enabled": False,
    "workbench.welcomePage.walkthroughs.openOnInstall": False,
}
"""Settings that turn off everything a test does not do itself."""

OPTIONS = (
    *("--auth", "none", "--disable-telemetry", "--disable-update-check"),
    *("--disable-getting-started-override", "--disable-proxy"),
)
TRUST_ALL = "--disable-workspace-trust"
"""Trust every folder without a question."""
NO_GALLERY = json.dumps({"serviceUrl": "http://127.0.0.1:9"})
"""An extension gallery that does not exist."""
ADDRESS_LINE = re.compile(r"HTTP server listening on (http://\S+?)/?$")


@dataclass
class Profile:
    """The folders of one VS Code."""

    root: Path

    @property
    def data(self) -> Path:
        """Settings and state."""
        return self.root / "data"

    @property
    def extensions(self) -> Path:
        """Installed extensions."""
        return self.root / "extensions"

    def command(self, *more: str) -> list[str]:
        """Return a command line of code-server that uses these folders."""
        config = self.root / "config.yaml"
        config.write_text("auth: none\n", encoding="utf-8")
        return [
            *(str(tools.node()), str(tools.CODE_SERVER), "--config", str(config)),
            *("--user-data-dir", str(self.data)),
            *("--extensions-dir", str(self.extensions), *more),
        ]

    def write_user_settings(self, settings: Mapping[str, Any]) -> None:
        """Write the settings of the user."""
        self._write("User", BASE_SETTINGS | dict(settings))

    def write_machine_settings(self, settings: Mapping[str, Any]) -> None:
        """Write the settings of the machine, the only ones that may name programs."""
        self._write("Machine", settings)

    def _write(self, scope: str, settings: Mapping[str, Any]) -> None:
        folder = self.data / scope
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(settings, indent=2)
        (folder / "settings.json").write_text(text, encoding="utf-8")


async def install_extension(
    profile: Profile, vsix: Path, environment: Mapping[str, str]
) -> None:
    """Install an extension from a file."""
    process = await asyncio.create_subprocess_exec(
        *profile.command("--install-extension", str(vsix), "--force"),
        env=process_environment(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


@contextlib.asynccontextmanager
async def running_code_server(
    profile: Profile,
    environment: Mapping[str, str],
    log: Path,
    *options: str,
    is_trusted: bool = True,
) -> AsyncIterator[str]:
    """Run a code-server and yield its address; then stop it and its processes."""
    trust = (TRUST_ALL,) if is_trusted else ()
    process = await asyncio.create_subprocess_exec(
        *profile.command("--bind-addr", "127.0.0.1:0", *OPTIONS, *trust, *options),
        env=process_environment(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    output: list[str] = []
    address = asyncio.get_running_loop().create_future()
    collecting = asyncio.create_task(collect_output(process, output, address))
    try:
        yield await asyncio.wait_for(asyncio.shield(address), 180)
    finally:
        await stop(process)
        await collecting
        await asyncio.to_thread(log.write_text, "".join(output), encoding="utf-8")


async def collect_output(
    process: Process, output: list[str], address: asyncio.Future[str]
) -> None:
    """Collect the output and resolve `address` with the address in it."""
    assert process.stdout is not None
    async for line in process.stdout:
        output.append(line.decode(errors="replace"))
        if not address.done() and (found := ADDRESS_LINE.search(output[-1].strip())):
            address.set_result(found[1])
    if not address.done():
        address.set_exception(AssertionError("code-server ended: " + "".join(output)))


async def stop(process: Process) -> None:
    """Stop the server and all its processes."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 10)


def process_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, with only the path of this process."""
    base = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return base | {"EXTENSIONS_GALLERY": NO_GALLERY} | dict(environment)
