"""A code-server of a test's own: real VS Code, private in every folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vscode import tools

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import AsyncIterator, Mapping
    from pathlib import Path

QUIET: dict[str, Any] = {
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
"""Settings under which nothing happens but what the test does."""

OPTIONS = (
    *("--auth", "none", "--disable-telemetry", "--disable-update-check"),
    *("--disable-getting-started-override", "--disable-proxy"),
)
TRUSTING = "--disable-workspace-trust"
"""Every folder is trusted, and nobody is asked."""
NOWHERE = json.dumps({"serviceUrl": "http://127.0.0.1:9"})
"""Where extensions are looked for: the market is not asked."""
LISTENING = re.compile(r"HTTP server listening on (http://\S+?)/?$")


@dataclass
class Place:
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
        """A command line of code-server that keeps to these folders."""
        config = self.root / "config.yaml"
        config.write_text("auth: none\n", encoding="utf-8")
        return [
            *(str(tools.node()), str(tools.CODE_SERVER), "--config", str(config)),
            *("--user-data-dir", str(self.data)),
            *("--extensions-dir", str(self.extensions), *more),
        ]

    def prefer(self, settings: Mapping[str, Any]) -> None:
        """Write the user's settings."""
        self._write("User", QUIET | dict(settings))

    def prefer_here(self, settings: Mapping[str, Any]) -> None:
        """Write the settings of the machine that the extension host is on.

        Those of its programs' paths are read only here.
        """
        self._write("Machine", settings)

    def _write(self, whose: str, settings: Mapping[str, Any]) -> None:
        folder = self.data / whose
        folder.mkdir(parents=True, exist_ok=True)
        text = json.dumps(settings, indent=2)
        (folder / "settings.json").write_text(text, encoding="utf-8")


async def install(place: Place, vsix: Path, environment: Mapping[str, str]) -> None:
    """Install an extension, as a person does from a file."""
    process = await asyncio.create_subprocess_exec(
        *place.command("--install-extension", str(vsix), "--force"),
        env=with_path(environment),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()


@contextlib.asynccontextmanager
async def serving(
    place: Place,
    environment: Mapping[str, str],
    log: Path,
    *options: str,
    trusting: bool = True,
) -> AsyncIterator[str]:
    """Run a code-server; its address. It ends with all that it started."""
    trust = (TRUSTING,) if trusting else ()
    process = await asyncio.create_subprocess_exec(
        *place.command("--bind-addr", "127.0.0.1:0", *OPTIONS, *trust, *options),
        env=with_path(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        start_new_session=True,
    )
    said: list[str] = []
    address = asyncio.get_running_loop().create_future()
    reading = asyncio.create_task(read(process, said, address))
    try:
        yield await asyncio.wait_for(asyncio.shield(address), 180)
    finally:
        await end(process)
        await reading
        await asyncio.to_thread(log.write_text, "".join(said), encoding="utf-8")


async def read(process: Process, said: list[str], address: asyncio.Future[str]) -> None:
    """Keep what the server says; the address is in it."""
    assert process.stdout is not None
    async for line in process.stdout:
        said.append(line.decode(errors="replace"))
        if not address.done() and (found := LISTENING.search(said[-1].strip())):
            address.set_result(found[1])
    if not address.done():
        address.set_exception(AssertionError("code-server ended: " + "".join(said)))


async def end(process: Process) -> None:
    """Stop the server and all its processes."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(process.wait(), 10)


def with_path(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment with nothing of this process's but its path."""
    ours = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
    return ours | {"EXTENSIONS_GALLERY": NOWHERE} | dict(environment)
