"""What holds for every test: nobody outside is spoken to, nobody's keys are used.

`make test` runs two tests at a time (pytest-xdist). The tests of one file stay together
and in their order, for they share servers; so do all that share a real VS Code. The
groups are ours to say, by xdist's hook: its own `--dist loadgroup` writes the group
into the test's id, which pytest 9.2 no longer reads, and so groups nothing.
"""

import os
from typing import Literal

import pytest
from pytest_asyncio import is_async_test
from xdist.remote import Producer  # type: ignore[import-untyped]  # it has none

from support.groups import TOGETHER, Groups, group

LOOPS: dict[str, Literal["session", "module"]] = {
    "cli": "module",
    "llm": "module",
    "lsp": "session",
}
"""Folders whose fixtures start servers or hosts, and how long their loop lives."""
FOREIGN = ("_API_KEY", "_BASE_URL", "_API_BASE")


@pytest.fixture(scope="session", autouse=True)
def _alone() -> None:
    """A real model call inside the suite is an error; loopback is all there is."""
    for name in list(os.environ):
        if name.endswith(FOREIGN) or name.startswith("WRITEIT_"):
            del os.environ[name]
    # Most tests build folders with pipelines; those of trust take this away again.
    os.environ["WRITEIT_TRUST"] = "1"
    os.environ["WRITEIT_ALLOW_MODEL_REQUESTS"] = "loopback"
    os.environ["WRITEIT_OLLAMA_URL"] = "http://127.0.0.1:9"  # nobody answers there


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Groups:
    """What belongs together goes to one worker."""
    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest begins first; tests that share a server share its loop."""
    items.sort(key=lambda item: group(item.nodeid) not in TOGETHER)
    for item in items:
        scope = LOOPS.get(item.path.parent.name)
        own = item.get_closest_marker("asyncio")
        if scope and is_async_test(item) and not (own and own.kwargs):
            item.add_marker(pytest.mark.asyncio(loop_scope=scope), append=False)
