"""The file with the user's decisions about folders, as it is on the disk."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Literal
from uuid import UUID

from pydantic import Field, TypeAdapter, ValidationError

from writeit.domain.entity import Entity
from writeit.domain.errors import StoreError

Decision = Literal["trusted", "restricted", "home"]
"""`home`: the folder named nothing at its first run, so all in it is the user's."""

HISTORY = ".writeit/store"
"""The key in `seen` of a run history that came with the folder: `foreign`, and `own`
once the user has trusted it."""
MAX_FILE_BYTES = 16 * 1024**2


class TrustEntry(Entity):
    """What the user has decided about a folder."""

    decision: Decision
    digest: str = ""
    """Of all pipelines and primers of the folder at the last decision."""
    seen: dict[str, str] = Field(default_factory=dict)
    """The SHA-256 of each file as the user has seen it, by path in the folder.

    Of a document it is about what its front matter names; of a pipeline that was run,
    whose key is its id, about that id. Of a run: `own`, or of an imported one `foreign`
    and, once the user has trusted it, `seen`.
    """

    def is_foreign_run(self, run_id: UUID) -> bool:
        """Return whether somebody else may have made a run, and it is not trusted."""
        return self.seen.get(run_key(run_id), self.seen.get(HISTORY)) == "foreign"

    def is_own_run(self, run_id: UUID) -> bool:
        """Return whether the user made a run here, so far as is known."""
        origin = self.seen.get(run_key(run_id))
        return origin == "own" or (origin is None and HISTORY not in self.seen)

    def untrusted_origins(self) -> dict[str, str]:
        """Return untrusted history and runs of others, as they are after a yes."""
        return {
            key: "own" if key == HISTORY else "seen"
            for key, origin in self.seen.items()
            if origin == "foreign"
        }

    def origins(self) -> dict[str, str]:
        """Return where history and runs are from, with no trust in those of others."""
        return {
            key: origin if origin == "own" and key != HISTORY else "foreign"
            for key, origin in self.seen.items()
            if key == HISTORY or origin in {"own", "seen", "foreign"}
        }


def run_key(run_id: UUID) -> str:
    """Return the key of a run in `seen`."""
    return f"run {run_id}"


ENTRIES = TypeAdapter(dict[str, TrustEntry])


def read_decisions(file: Path) -> dict[str, TrustEntry]:
    """Return all decisions by folder.

    Raises:
        StoreError: they cannot be used.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        with open(file, "rb", opener=lambda path, _: os.open(path, flags)) as stream:
            status = os.fstat(stream.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
                raise _unreadable(file, "it is not a file of yours")
            if status.st_mode & 0o022:
                raise _unreadable(file, "others can write to it")
            if status.st_size > MAX_FILE_BYTES:
                raise _unreadable(file, "it is too long")
            return ENTRIES.validate_json(stream.read())
    except FileNotFoundError:
        return {}
    except ValidationError as error:
        raise _unreadable(file, "it is damaged") from error
    except OSError as error:
        raise _unreadable(file, error.strerror or str(error)) from error


def _unreadable(file: Path, reason: str) -> StoreError:
    return StoreError(
        f"{file} cannot be used: {reason}. No folder is trusted.",
        reason="corrupt",
        hint="Move it away, and decide again.",
    )
