"""A part of `make drill-markdown`: each file, and each operation in each encoding."""

from __future__ import annotations

from itertools import count

import pytest

from drills.markdown import ENCODINGS, drill

SHARE = 7
"""One in so many is tried; of exports, which start processes, one in four of those."""


@pytest.mark.timeout(300)
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_nothing_outside_the_intended_place_changes(encoding: str) -> None:
    """Byte for byte, in forty files of ten kinds."""
    numbers = count(ENCODINGS.index(encoding))

    def is_wanted(_: str, operation: str) -> bool:
        share = 4 * SHARE if operation.startswith("export") else SHARE
        return next(numbers) % share == 0

    tally = await drill([encoding], is_wanted)
    assert sum(tally.tried.values()) > len("files") * SHARE
    assert not tally.problems, tally.report()
