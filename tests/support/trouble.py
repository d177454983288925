"""What the tests of a store in trouble look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.store.location import BESIDE

if TYPE_CHECKING:
    from pathlib import Path

    from support.editor import Refused

STORE_ERROR = -32017


def others(folder: Path) -> dict[str, bytes]:
    """Every file of a workspace that is not the store's."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and folder / BESIDE not in path.parents
    }


def is_told(refused: Refused, reason: str) -> None:
    """The error is the contract's, with a reason and what to do next."""
    assert (refused.code, refused.kind) == (STORE_ERROR, "store_error")
    assert refused.data["reason"] == reason
    assert refused.data["hint"]
