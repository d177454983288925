"""Runs `writeit` so that it can be counted: SIGUSR1 makes it write its counts.

    python benchmarks/observed.py serve

writes tasks, threads, progress tokens and futures of the server, and of its model
host, as JSON to the file `<pid>` in the folder that OBSERVED_FOLDER names.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import threading
from pathlib import Path


def tell(*_: object) -> None:
    """Write the counts of this process down."""
    try:
        tasks = len(asyncio.all_tasks())
    except RuntimeError:  # no loop runs yet
        tasks = 0
    counts = {"tasks": tasks, "threads": threading.active_count(), **kept()}
    path = Path(os.environ["OBSERVED_FOLDER"]) / str(os.getpid())
    scratch = path.with_suffix(".new")
    scratch.write_text(json.dumps(counts), encoding="ascii")
    scratch.replace(path)


def kept() -> dict[str, int]:
    """Count what a server remembers: progress tokens, and futures of requests."""
    servers = [o for o in gc.get_objects() if type(o).__name__ == "WriteItServer"]
    return {
        "tokens": sum(len(s.work_done_progress.tokens) for s in servers),
        "futures": sum(len(s.protocol._request_futures) for s in servers),  # noqa: SLF001 -- nobody else counts them
    }


def main() -> None:
    """Run the command with its model host observed, too."""
    signal.signal(signal.SIGUSR1, tell)
    from writeit import app  # noqa: PLC0415 -- the signal may come at any moment
    from writeit.llm.client import ModelHostClient  # noqa: PLC0415 -- as above

    defaults = ModelHostClient.__init__.__kwdefaults__
    assert defaults is not None
    defaults["command"] = (sys.executable, "-P", __file__, "model-host")
    app.main(sys.argv[1:])


if __name__ == "__main__":
    main()
