"""Which rendering of a step's view a page was made from, whatever she typed in it."""

from __future__ import annotations

from writeit.views.edits import HERS, markers_of_hers
from writeit.views.markers import Block, assembled, markers, series_of, taken_apart


def is_whole(page: str) -> bool:
    """Say whether a rendering has all its markers: it may have been cut on a disk."""
    found = [marker for marker in markers(page) if marker.series == series_of(page)]
    openings, closings = found[::2], found[1::2]
    keys = [marker.key for marker in openings]
    return (
        bool(page)
        and keys == [marker.key for marker in closings]
        and len(keys) == len(set(keys))
        and not any(marker.closes for marker in openings)
        and all(marker.closes for marker in closings)
    )


def is_edited_from(before: str, now: str) -> bool:
    """Say whether `now` has the sections of `before`, whatever stands in them."""
    there, here = (
        [(marker.series, marker.says) for marker in markers_of_hers(page)]
        for page in (before, now)
    )
    return there == here


def without_later(fresh: str, now: str) -> str:
    """Return a freshly rendered view without the answers that came after `now`."""
    here = {marker.key for marker in markers_of_hers(now)}
    return assembled(
        part
        for part in taken_apart(fresh)
        if not isinstance(part, Block) or part.kind != "answer" or part.key in here
    )


def with_later(before: str, fresh: str, now: str) -> str:
    """Return a rendering with the sections that only `now` has, freshly rendered."""
    there, here = (
        {marker.key for marker in markers_of_hers(page)} for page in (before, now)
    )
    parts = (part for part in taken_apart(fresh) if isinstance(part, Block))
    later = [p for p in parts if p.kind in HERS and p.key in here - there]
    return assembled([*taken_apart(before), *later]) if later else before
