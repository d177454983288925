"""Which workspace a command is about, and the engine that works on it."""

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
"""What makes a folder a workspace; the nearest one around a file counts."""


def find_workspace(start: Path) -> Path:
    """Return the nearest folder around `place` that has a marker, else its own."""
    start = start.resolve()
    folder = start if start.is_dir() else start.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in ROOT_MARKERS):
            return candidate
    return folder


class OpenWorkspace:
    """What a command of the terminal works with; closed when it is done."""

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
        """Read the pipelines and primers within reach."""
        return read_library(self.path)[0]

    async def close(self) -> None:
        """Write everything down and let go."""
        await self.engine.close()
        self.store.close()
        await self.ports.models.close()


@asynccontextmanager
async def open_workspace(
    start: Path, context: click.Context
) -> AsyncIterator[OpenWorkspace]:
    """Open the workspace around `place`; its store is made if there is none."""
    desk = OpenWorkspace(find_workspace(start), context.obj())
    try:
        yield desk
    finally:
        await desk.close()


def has_store(start: Path, context: click.Context) -> bool:
    """Say whether the workspace around `place` has a store; none is made."""
    folder, _ = context.obj().locate_store(find_workspace(start))
    return bool(folder.is_dir())


@asynccontextmanager
async def open_existing_workspace(
    start: Path, context: click.Context
) -> AsyncIterator[OpenWorkspace]:
    """Open the workspace around `place`, which must have a store.

    Raises:
        NotFound: nothing was kept here yet; nothing is made.
    """
    if not has_store(start, context):
        raise NotFound(
            f"No run was made in {find_workspace(start)} yet.",
            hint="`writeit run` makes the first. Runs are kept by folder: go to where"
            " yours was made.",
        )
    async with open_workspace(start, context) as desk:
        yield desk


def run_async(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end; Ctrl-C stops it and what came is kept."""
    result: list[T] = []

    async def main() -> None:
        result.append(await coroutine)

    with suppress(asyncio.CancelledError):
        asyncio.run(main())
    if not result:
        raise click.Abort
    return result[0]
