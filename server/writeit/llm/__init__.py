"""Calls language models through a child process, the model host.

In the server: `client` implements the `Models` port by driving the host, `process` is
the host's process and message format, `keys` reads API keys.

In the model host (`writeit model-host`): `host` reads stdin and writes stdout,
`requests` handles each request, `catalog` and `price_map` know windows and prices,
`concurrency` limits calls per provider, `calls` makes one call: with `parameters`, over
`network`, in `openai_dialect` or `ollama_dialect`, or in `litellm_backend`, the only
module that imports LiteLLM. `answer` is what arrives.

In both: `providers`, `errors` and `provider_messages`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from subprocess import PIPE, Popen
from typing import Final

HOST_COMMAND: Final = (sys.executable, "-P", "-m", "writeit", "model-host")
"""-P: do not import modules from the user's folder."""


def start_early(
    command: tuple[str, ...], environment: Mapping[str, str] | None = None
) -> Popen[bytes] | None:
    """Start a process beside slow imports; None where asyncio cannot adopt it later.

    `environment` is all that it gets; by default it inherits ours.
    """
    if sys.platform == "win32":
        return None
    return Popen(  # noqa: S603 -- our own command
        command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=PIPE,
        env=environment,
        start_new_session=True,
    )
