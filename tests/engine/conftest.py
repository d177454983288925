"""An engine over the shipped fakes."""

from __future__ import annotations

import pytest

from support.bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A new bench."""
    return Bench()
