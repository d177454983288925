"""The workspace of a command, its store and engine, and the files the user names."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import click

from writeit.cli.output import echo
from writeit.domain.errors import InvalidParams, NotFound, StoreError
from writeit.engine.queries import find_run_id
from writeit.engine.sessions import start_session
from writeit.files import create_file, write_error, write_whole_file
from writeit.library.catalog import Library, read_library
from writeit.ports.store import Store
from writeit.ports.system import Ports
from writeit.trust import FolderTrust, is_trusted_by_environment

T = TypeVar("T")

ROOT_MARKERS = (".writeit", "pipelines", ".git")
"""A folder with one of these is a workspace."""


def find_workspace(start: Path) -> Path:
    """Return the nearest folder at or above `start` with a marker, else its own."""
    start = start.resolve()
    folder = start if start.is_dir() else start.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in ROOT_MARKERS):
            return candidate
    return folder


class OpenWorkspace:
    """The store and the engine of a workspace; close it when done."""

    def __init__(self, path: Path, ports: Ports) -> None:
        self.path = path
        self.ports = ports
        override = is_trusted_by_environment() or None
        self.trust = FolderTrust(ports.trust_file, path, override=override)
        self.store: Store
        self.store, message = ports.open_store(path)
        if message:
            echo(message, err=True)
        try:
            self.engine = start_session(ports, path, self.store)
        except StoreError:
            self.store.close()
            raise

    def load_library(self) -> Library:
        """Read the pipelines and primers of this workspace."""
        return read_library(self.path)[0]

    def find_run(self, named: str) -> UUID:
        """Return the id of the run that RUN names; see `find_run_id`."""
        return find_run_id(self.store, named)

    async def close(self) -> None:
        """Store what is pending and close everything."""
        await self.engine.close()
        for notice in self.store.take_notices():
            echo(notice, err=True)
        self.store.close()
        await self.ports.models.close()
        await self.ports.worker.close()


@asynccontextmanager
async def open_workspace(
    start: Path, context: click.Context
) -> AsyncIterator[OpenWorkspace]:
    """Open the workspace of `start`; its store is created at the first write."""
    workspace = OpenWorkspace(find_workspace(start), context.obj())
    try:
        yield workspace
    finally:
        await workspace.close()


def has_store(start: Path, context: click.Context) -> bool:
    """Return whether the workspace of `start` has a store."""
    folder, _ = context.obj().locate_store(find_workspace(start))
    return bool(folder.is_dir())


@asynccontextmanager
async def open_existing_workspace(
    start: Path, context: click.Context
) -> AsyncIterator[OpenWorkspace]:
    """Open the workspace of `start`.

    Raises:
        NotFound: it has no store; none is created.
    """
    if not has_store(start, context):
        raise NotFound(
            f"There are no runs in {find_workspace(start)} yet.",
            hint="Start one with `writeit run`, or change to the folder of your run.",
        )
    async with open_workspace(start, context) as workspace:
        yield workspace


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine to its end.

    Raises:
        click.Abort: the user pressed Ctrl-C; what was received is stored.
    """
    result: list[T] = []

    async def main() -> None:
        result.append(await coroutine)

    with suppress(asyncio.CancelledError):
        asyncio.run(main())
    if not result:
        raise click.Abort
    return result[0]


_EXPORT_HINT = "The run is kept. Export it to another path; `writeit log` lists it."


def read_text_file(path: Path) -> str:
    """Return a file's text, line breaks as they are.

    A named pipe would be waited for without end. Those that a shell makes for `<(…)`
    are open already; they have no name outside of `/dev` and `/proc`.

    Raises:
        InvalidParams: it cannot be read, or is not text.
    """
    if path.is_fifo() and path.parts[:2] not in {("/", "dev"), ("/", "proc")}:
        raise InvalidParams(f"{path} is a pipe.", hint="Name a text file in UTF-8.")
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidParams(
            f"{path} cannot be read: {error}.", hint="Name a text file in UTF-8."
        ) from error


def require_output_path(path: Path | None, *, force: bool) -> None:
    """Check an output path before any work is done for it.

    Raises:
        click.UsageError: the file exists already, its folder does not, or it is no
            path of a file.
    """
    if path is None:
        return
    try:
        if path.is_dir():
            raise click.UsageError(f"{path} is a folder.")
        if path.exists() and not force:
            raise click.UsageError(f"{path} exists already. Replace it with --force.")
        if not path.parent.is_dir():
            raise click.UsageError(
                f"There is no folder {path.parent}. Create it first."
            )
    except OSError as error:  # a name that is too long
        raise click.UsageError(f"{path} is not a path: {error.strerror}.") from error


def write_text_file(path: Path, text: str, *, replace: bool = False) -> None:
    """Write a run's text, line breaks as they are; replace a file only if allowed.

    Raises:
        StoreError: it could not be written; what was there is unchanged.
    """
    try:
        if path.exists() and not path.is_file():  # such as /dev/stdout
            path.write_text(text, encoding="utf-8", newline="")
        elif replace and path.is_file():
            with path.open("r+b"):  # a read-only file must not be replaced
                pass
            write_whole_file(path.resolve(), text.encode())
        else:
            create_file(path, text)
    except FileExistsError as error:
        raise StoreError(
            f"{path} was created meanwhile, so it was not replaced.",
            reason="read_only",
            hint=_EXPORT_HINT,
        ) from error
    except OSError as error:
        raise write_error(path, error, _EXPORT_HINT) from error
