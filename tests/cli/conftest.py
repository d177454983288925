"""A terminal in a workspace, and a provider on loopback."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from support.provider import running
from support.terminal import Terminal, terminal_in


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shell(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Terminal]:
    """A workspace with notes, an API key and a test provider."""
    async with running() as provider:
        yield terminal_in(tmp_path_factory.mktemp("shell"), provider)
