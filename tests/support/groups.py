"""Which tests go to one worker, together and in their order."""

from pathlib import PurePosixPath

from xdist.scheduler import (  # type: ignore[import-untyped]  # it has no types
    LoadScopeScheduling,
)

TOGETHER = ("vscode", "neovim", "emacs")
"""Folders whose tests are one group: their editors are shared, and slow to start."""


def group(test: str) -> str:
    """The group of a test, by its id: its editor's folder, else its file."""
    file = test.split("::", 1)[0]
    folder = PurePosixPath(file).parent.name
    return folder if folder in TOGETHER else file


class Groups(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Hands out whole groups."""

    def _split_scope(self, nodeid: str) -> str:
        """The way xdist's documentation gives to say which tests stay together."""
        return group(nodeid)
