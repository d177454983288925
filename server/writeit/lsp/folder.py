"""One workspace folder: its store, its engine, its session, its library."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from writeit.core.errors import StoreError
from writeit.library import Cache, Library, read_library

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from writeit.engine.engine import Engine
    from writeit.ports import Store
    from writeit.views.edits import StepEdits
    from writeit.views.uris import StepView, View


logger = logging.getLogger(__name__)


class Folder:
    """What belongs to one workspace folder (or to none: `path` is None).

    Its store is opened when it is first needed: what needs no history works without.
    """

    def __init__(self, path: Path | None, open_engine: Callable[[], Engine]) -> None:
        self.path = path
        self._files: Cache = {}
        self.shown: set[View] = set()
        """The views that were given out as files."""
        self.rendered: dict[View, str] = {}
        """The pages open here as we rendered them last; another server has its own."""
        self.taken: dict[StepView, list[tuple[StepEdits, str]]] = {}
        """What commands took over from pages that were not in hand since."""
        self.damaged: set[View] = set()
        """Those of them that cannot be brought up to date; the writer was told."""
        self._of_selection: dict[str, bool] = {}
        self._open_engine = open_engine
        self._engine: Engine | None = None

    @property
    def engine(self) -> Engine:
        """The engine on the folder's store.

        Raises:
            StoreError: the store cannot be opened; it is tried again the next time.
        """
        if self._engine is None:
            self._engine = self._open_engine()
        return self._engine

    @property
    def is_open(self) -> bool:
        """Whether the store was needed yet."""
        return self._engine is not None

    @property
    def store(self) -> Store:
        """The folder's store.

        Raises:
            StoreError: as of `engine`.
        """
        return self.engine.store

    def library(self) -> Library:
        """Read the pipelines and primers within reach; unchanged files are kept."""
        library, _ = read_library(self.path, self._files)
        return library

    def is_of_selection(self, configuration_id: str) -> bool:
        """Say whether a stored pipeline is for passages, not for whole documents.

        It is read once: what an id stands for never changes.
        """
        known = self._of_selection.get(configuration_id)
        if known is None:
            configuration = self.store.configuration(configuration_id)
            if configuration is None:
                return False
            known = configuration.applies_to == "selection"
            self._of_selection[configuration_id] = known
        return known

    async def close(self) -> None:
        """Stop what streams, end the session, close the store."""
        if self._engine is None:
            return
        await self._engine.close()
        try:
            self._engine.store.close()
        except StoreError as error:
            logger.error("at the end: %s", error.message)  # noqa: TRY400 -- it says all
