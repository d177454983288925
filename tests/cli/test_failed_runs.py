"""A run that fails in the terminal: what is kept, and how to resume it."""

import re

from support.terminal import Terminal

NOTES = """\
---
writeit:
  models: {angles: openai/say-one, outline: openai/err-401}
---
# Rivers
"""


async def runs(shell: Terminal) -> list[str]:
    """Return the ids of the stored runs."""
    listed = (await shell.writeit("log", "--json")).json
    return [line["run_id"] for line in listed]


async def test_a_run_that_sent_nothing_is_not_stored(shell: Terminal) -> None:
    """A second try with a key or another model leaves one run."""
    before = await runs(shell)
    for model in ((), ("-m", "anthropic/claude-sonnet-4-5")):
        result = await shell.writeit("run", "tech-article", "notes.md", *model)
        assert result.code == 1
        assert "--resume" not in result.err
    assert await runs(shell) == before


async def test_a_failed_step_says_how_to_resume(shell: Terminal) -> None:
    """The command in the message works."""
    (shell.folder / "cut.md").write_text(NOTES, encoding="utf-8")
    result = await shell.writeit("run", "tech-article", "cut.md")
    assert result.code == 1
    assert "key" in result.err.splitlines()[-2]
    match = re.search(r"--resume (\S+)", result.err.splitlines()[-1])
    assert match, result.err
    resumed = await shell.writeit("run", "--resume", match[1], "-m", "openai/say-two")
    assert resumed.code == 0, resumed.err
    assert resumed.out == "two\n"
