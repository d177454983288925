"""A run in the terminal that is cut short: what is kept, and how to go on."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.terminal import Terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTES = """\
---
writeit:
  models: {angles: openai/say-one, outline: openai/err-401}
---
# Rivers
"""


async def runs(shell: Terminal) -> list[str]:
    """The runs that are kept."""
    listed = (await shell.writeit("log", "--json")).json
    return [line["run_id"] for line in listed]


async def test_a_run_of_which_nothing_was_sent_is_not_kept(shell: Terminal) -> None:
    """To try again with a key, or another model, leaves no litter."""
    before = await runs(shell)
    for model in ((), ("-m", "anthropic/claude-sonnet-4-5")):
        said = await shell.writeit("run", "tech-article", "notes.md", *model)
        assert said.code == 1
        assert "--resume" not in said.err
    assert await runs(shell) == before


async def test_a_step_that_fails_says_how_to_go_on(shell: Terminal) -> None:
    """And so it goes on."""
    (shell.folder / "cut.md").write_text(NOTES, encoding="utf-8")
    said = await shell.writeit("run", "tech-article", "cut.md")
    assert said.code == 1
    assert "key" in said.err.splitlines()[-2]
    told = re.search(r"--resume (\S+)", said.err.splitlines()[-1])
    assert told, said.err
    on = await shell.writeit("run", "--resume", told[1], "-m", "openai/say-two")
    assert on.code == 0, on.err
    assert on.out == "two\n"
