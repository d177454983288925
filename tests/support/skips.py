"""Skips that are allowed on a developer's machine and failures in CI."""

import os
from typing import NoReturn

import pytest


def skip_or_fail(reason: str) -> NoReturn:
    """Skip the test for `reason`; where CI is set to true, fail it."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"not skipped in CI: {reason}", pytrace=False)
    pytest.skip(reason)
