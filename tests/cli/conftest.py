"""A terminal in a workspace, and a provider on loopback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest_asyncio

from support.provider import running
from support.terminal import Terminal, terminal_in

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shell(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Terminal]:
    """A workspace with notes, an API key and a test provider."""
    async with running() as provider:
        yield terminal_in(tmp_path_factory.mktemp("shell"), provider)
