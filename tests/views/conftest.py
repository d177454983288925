"""What the tests of the views share."""

import os

import pytest

# Read here: the suite's own conftest takes WRITEIT_ variables away before the tests.
_NEW_GOLDEN = bool(os.environ.get("WRITEIT_NEW_GOLDEN"))


@pytest.fixture
def new_golden() -> bool:
    """Whether the kept pages are to be written anew."""
    return _NEW_GOLDEN
