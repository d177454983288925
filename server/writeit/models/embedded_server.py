"""The process that runs the embedded model (`writeit embedded-server`).

It serves the OpenAI protocol on 127.0.0.1. Its first line of input is a JSON object
(`weights`, `key`, `threads`, `window`: a key in argv could be read by everybody), its
first line of output says where it listens, and it ends when its input does.
"""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """Serve until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    out = os.dup(1)
    os.dup2(2, 1)  # llama.cpp prints where it likes; the first line is ours
    settings = json.loads(sys.stdin.readline())
    server = serve(settings)
    os.write(out, json.dumps({"url": server.listening_address}).encode() + b"\n")
    os.close(out)
    sys.stdin.read()
    os._exit(0)  # threads of the engine would keep the process up


def serve(settings: dict[str, str | int]):  # type: ignore[no-untyped-def]  # noqa: ANN201 -- xllamacpp has no types
    """Load the weights and listen; both are done when this returns."""
    import xllamacpp  # type: ignore[import-untyped]  # noqa: PLC0415 -- optional; no types

    params = xllamacpp.CommonParams()
    params.model.path = settings["weights"]
    params.n_ctx = settings["window"]
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    params.api_keys = [settings["key"]]  # the listener answers any origin otherwise
    params.warmup = False
    params.verbosity = -1
    params.ui = False
    params.endpoint_slots = False  # it would show prompts
    # So small a model goes round in circles to the end of its tokens otherwise.
    params.sampling.penalty_repeat = 1.1
    params.sampling.penalty_last_n = 256
    params.sampling.min_p = 0.1
    params.offline = True
    return xllamacpp.Server(params)


if __name__ == "__main__":
    main()
