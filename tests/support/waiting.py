"""Waiting for what a test looks at, in another process."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def waited(condition: Callable[[], Any], within: float) -> Any:
    """Wait until `condition` is true, at most so many seconds; return its value."""
    end = time.monotonic() + within
    while not (value := condition()):
        if time.monotonic() > end:
            msg = f"not within {within} s"
            raise TimeoutError(msg)
        time.sleep(0.02)
    return value
