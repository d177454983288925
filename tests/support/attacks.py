"""What attackers send, and what a server is started with to receive it."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from support.waiting import TIMEOUT


def initialize(token: object, method: str = "initialize", **extra: object) -> bytes:
    """Return a first message."""
    options = {"writeit": {"token": token}}
    params = {"processId": None, "capabilities": {}, "initializationOptions": options}
    message = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params, **extra}
    return json.dumps(message).encode()


def command(name: str, **params: object) -> bytes:
    """Return a message that runs a command."""
    return json.dumps(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "workspace/executeCommand",
            "params": {"command": name, "arguments": [params]},
        }
    ).encode()


def framed(body: bytes, head: str = "Content-Length: {}\r\n\r\n") -> bytes:
    """Return a message with its header."""
    return head.format(len(body)).encode() + body


def run_server(
    arguments: Sequence[str], environment: dict[str, str], sent: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    """Run `writeit serve` until it has read what is sent."""
    return subprocess.run(
        [sys.executable, "-m", "writeit", "serve", *arguments],
        input=sent,
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
        timeout=TIMEOUT,
    )


def add_pipeline(folder: Path, name: str, step: str, head: str = "") -> None:
    """Put a pipeline of one step into a folder."""
    (folder / "pipelines").mkdir(exist_ok=True)
    (folder / "pipelines" / f"{name}.yaml").write_text(
        f"name: {name}\n{head}"
        "inputs: [{name: notes, required: true, from: document}]\n"
        f"steps: [{{name: draft, prompt: '{{{{ inputs.notes }}}}', {step}}}]\n"
    )
