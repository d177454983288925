"""Waiting for an editor for some seconds in which the server could have heard it.

A machine that was suspended, or busy with something else, stands still for seconds.
Whatever the editor said meanwhile is in the pipe, unread, while by the clock its time
is over. So the time is cut into parts, and a part that took twice as long as it should
does not count.
"""

from __future__ import annotations

import asyncio
from typing import Any

PARTS = 10
MOST = 3 * PARTS
"""Parts, counted or not: nobody is waited for for ever."""


async def comes(what: asyncio.Future[Any], seconds: float) -> bool:
    """Wait for a future, at most so many seconds; say whether it is done.

    It is not cancelled when it does not come.
    """
    clock, part, left = asyncio.get_running_loop().time, seconds / PARTS, PARTS
    for _ in range(MOST):
        began = clock()
        done, _ = await asyncio.wait({what}, timeout=part)
        if done:
            return True
        left -= clock() - began < 2 * part
        if left == 0:
            return False
    return False
