"""Which workspace a command is about, and the engine that works on it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

import click

from writeit.core.errors import NotFound, StoreError
from writeit.engine.sessions import begin
from writeit.library import read_library

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine
    from pathlib import Path
    from typing import Any

    from writeit.library import Library
    from writeit.ports import Store, World

T = TypeVar("T")

ROOT_MARKERS = (".writeit", "pipelines", ".git")
"""What makes a folder a workspace; the nearest one around a file counts."""


def workspace_of(place: Path) -> Path:
    """Return the nearest folder around `place` that has a marker, else its own."""
    place = place.resolve()
    folder = place if place.is_dir() else place.parent
    for candidate in (folder, *folder.parents):
        if any((candidate / marker).exists() for marker in ROOT_MARKERS):
            return candidate
    return folder


class Desk:
    """What a command of the terminal works with; closed when it is done."""

    def __init__(self, path: Path, world: World) -> None:
        self.path = path
        self.world = world
        self.store: Store
        self.store, message = world.open_store(path)
        if message:
            click.echo(message, err=True)
        try:
            self.engine = begin(world, path, self.store)
        except StoreError:
            self.store.close()
            raise

    def library(self) -> Library:
        """Read the pipelines and primers within reach."""
        return read_library(self.path)[0]

    async def close(self) -> None:
        """Write everything down and let go."""
        await self.engine.close()
        self.store.close()
        await self.world.models.close()


@asynccontextmanager
async def desk_at(place: Path, context: click.Context) -> AsyncIterator[Desk]:
    """Open the workspace around `place`; its store is made if there is none."""
    desk = Desk(workspace_of(place), context.obj())
    try:
        yield desk
    finally:
        await desk.close()


def has_store(place: Path, context: click.Context) -> bool:
    """Say whether the workspace around `place` has a store; none is made."""
    folder, _ = context.obj().find_store(workspace_of(place))
    return bool(folder.is_dir())


@asynccontextmanager
async def existing_desk_at(place: Path, context: click.Context) -> AsyncIterator[Desk]:
    """Open the workspace around `place`, which must have a store.

    Raises:
        NotFound: nothing was kept here yet; nothing is made.
    """
    if not has_store(place, context):
        raise NotFound(
            f"No run was made in {workspace_of(place)} yet.",
            hint="`writeit run` makes the first. Runs are kept by folder: go to where"
            " yours was made.",
        )
    async with desk_at(place, context) as desk:
        yield desk


def complete(work: Coroutine[Any, Any, T]) -> T:
    """Run `work` to its end; Ctrl-C stops it and what came is kept."""
    result: list[T] = []

    async def main() -> None:
        result.append(await work)

    with suppress(asyncio.CancelledError):
        asyncio.run(main())
    if not result:
        raise click.Abort
    return result[0]
