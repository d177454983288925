"""Waiting for what a test looks at, in another process."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

TIMEOUT = 90.0
"""Seconds to wait for an expected event; only a failing test waits that long."""


def wait_until(condition: Callable[[], Any], within: float = TIMEOUT) -> Any:
    """Wait until `condition` is true, at most so many seconds; return its value."""
    end = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > end:
            msg = f"not within {within} s"
            raise TimeoutError(msg)
        time.sleep(0.02)
    return value


async def wait_until_async(condition: Callable[[], Any]) -> Any:
    """Wait until `condition` is true, while others go on; return its value."""
    async with asyncio.timeout(TIMEOUT):
        while not (value := condition()):  # noqa: ASYNC110 -- no event tells of it
            await asyncio.sleep(0.02)
    return value
