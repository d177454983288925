"""What a check knows so far, and what it found wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from writeit.core.errors import StoreError
from writeit.ports import StoreProblem
from writeit.store import keys
from writeit.store.cache import Caches
from writeit.store.codec import decode, newer
from writeit.store.reading import Reading
from writeit.store.seal import intact

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.store.records import Record
    from writeit.store.snapshot import Snapshot

R = TypeVar("R", bound="Record")

_SHOWN = 300
"""Characters of another's complaint that are passed on."""


class Findings:
    """One check of one snapshot."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._caches = Caches()
        self.problems: list[StoreProblem] = []
        self.checked = 0
        """Keys that were looked at."""
        self.steps: dict[UUID, tuple[str, ...]] = {}
        """The steps of each run."""
        self.unreadable: set[UUID] = set()
        """Runs that are there but cannot be read: what is theirs is no orphan."""
        self.entries: dict[bytes, bytes] = {}
        """The index entries that the runs should have, with their values."""
        self.streaming: set[tuple[UUID, UUID]] = set()
        """Answers on their way, by run and response."""
        self.held: set[UUID] = set()
        """Answers that some run holds."""
        self.uses: set[bytes] = set()
        """The entries that runs may have among the uses of their primers."""

    def add(self, key: bytes, message: str) -> None:
        """Take note of a problem."""
        self.problems.append(StoreProblem(key.decode(errors="replace"), message))

    def reading(self) -> Reading:
        """Read one run; its texts are forgotten with it."""
        return Reading(self.snapshot, self._caches)

    def record(self, kind: type[R], key: bytes, raw: bytes) -> R | None:
        """Decode a record; if it cannot be, that is a problem."""
        try:
            return decode(kind, raw, self._text)
        except (ValueError, LookupError) as error:
            said = why(error, whole=intact(key, raw))
            self.add(key, f"It cannot be read: {said}.")
            return None

    def expect(self, holder: bytes, key: bytes, what: str) -> None:
        """Take note if `key` is not there, although `holder` refers to it."""
        if self.snapshot.get(key) is None:
            self.add(holder, f"It refers to {what} {shown(key)}, which is not there.")

    def _text(self, digest: str) -> str:
        raw = self.snapshot.get(keys.text(digest))
        if raw is None:
            msg = f"text {digest} is missing"
            raise ValueError(msg)
        return raw.decode()


def shown(key: bytes) -> str:
    """A key as a person reads it."""
    return key.decode(errors="replace")


def why(error: BaseException, *, whole: bool = False) -> str:
    """What an error says, on one line; of a record that is `whole`, if it is newer."""
    if isinstance(error, StoreError) and error.__cause__ is not None:
        whole = error.reason == "too_new"
        error = error.__cause__
    if whole and (what := newer(error)):
        return f"a newer WriteIt wrote it ({what}); update WriteIt"
    return " ".join(str(error).split())[:_SHOWN].rstrip(".") or type(error).__name__
