"""What is known of models without asking anybody: looked up behind the writer's back.

Completion and hover take what is here at once; the model host is asked beside them.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from writeit.core.errors import WriteItError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.ports import ModelInfo

FRESH_SECONDS = 60.0

logger = logging.getLogger(__name__)


class _Shelf:
    """What is known for one folder."""

    def __init__(self) -> None:
        self.models: dict[str, ModelInfo] = {}
        self.asked: set[str] = set()
        """Ids that somebody wanted to know about, whether or not they exist."""
        self.since = float("-inf")
        self.looking: asyncio.Task[None] | None = None

    @property
    def is_looking(self) -> bool:
        return self.looking is not None and not self.looking.done()


class ModelsAtHand:
    """The models of each folder as they were listed last, at most a minute ago."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._shelves: dict[Path | None, _Shelf] = {}

    def now(
        self, folder: Folder, wanted: Iterable[str] = ()
    ) -> tuple[dict[str, ModelInfo], bool]:
        """Return what is known now, and whether more is being looked up."""
        shelf = self._shelf(folder, wanted)
        return shelf.models, shelf.is_looking

    async def soon(
        self, folder: Folder, wanted: Iterable[str], seconds: float
    ) -> dict[str, ModelInfo]:
        """Return what is known, or will be in so many seconds."""
        shelf = self._shelf(folder, wanted)
        missing = any(model not in shelf.models for model in wanted)
        if missing and shelf.looking is not None:
            await asyncio.wait([shelf.looking], timeout=seconds)
        return shelf.models

    def _shelf(self, folder: Folder, wanted: Iterable[str]) -> _Shelf:
        shelf = self._shelves.setdefault(folder.path, _Shelf())
        now = self._connection.world.clock.monotonic()
        stale = now - shelf.since > FRESH_SECONDS or not shelf.asked.issuperset(wanted)
        if stale and not shelf.is_looking:
            shelf.asked.update(wanted)
            shelf.since = now
            shelf.looking = self._connection.spawn(self._look(folder, shelf))
        return shelf

    async def _look(self, folder: Folder, shelf: _Shelf) -> None:
        from writeit.lsp.commands.model import named_models  # noqa: PLC0415 -- commands need a connection

        connection = self._connection
        try:
            named = await named_models(connection, folder)
            models = await connection.world.models.list(
                named=[*named, *sorted(shelf.asked)]
            )
        except WriteItError as error:  # the first call will say it to the writer
            logger.info("models could not be listed: %s", error.message)
            return
        shelf.models = {model.id: model for model in models}
