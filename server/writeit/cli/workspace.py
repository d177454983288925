"""The workspace of a command, with its store and engine."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import click

from writeit.domain.errors import NotFound, StoreError
from writeit.engine.sessions import start_session
from writeit.library.catalog import Library, read_library
from writeit.ports.store import Store
from writeit.ports.system import Ports

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
        self.store: Store
        self.store, message = ports.open_store(path)
        if message:
            click.echo(message, err=True)
        try:
            self.engine = start_session(ports, path, self.store)
        except StoreError:
            self.store.close()
            raise

    def load_library(self) -> Library:
        """Read the pipelines and primers of this workspace."""
        return read_library(self.path)[0]

    async def close(self) -> None:
        """Store what is pending and close everything."""
        await self.engine.close()
        self.store.close()
        await self.ports.models.close()


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
