"""Where a text may be sent, in the terminal: also when the document is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.terminal import CommandResult, Terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTES = """\
---
writeit:
  providers: [embedded, openai]
---
# Rivers

A river is moving water.
"""
ALLOWED = ("-m", "openai/say-hello")
FORBIDDEN = ("-m", "mistral/say-hello")


async def begun(shell: Terminal) -> str:
    """A run of notes that may go to one provider alone; its first step is answered."""
    (shell.folder / "kept.md").write_text(NOTES, encoding="utf-8")
    said = await shell.writeit(
        *("run", "tech-article", "kept.md", "--choose", "ask", "--json", *ALLOWED),
        lines="1\n",
    )
    assert said.code == 0, said.err
    run_id: str = said.json["run_id"]
    return run_id


def refused(said: CommandResult) -> None:
    """It was told where the text may go, and what to do."""
    assert said.code == 1
    assert "may not be sent to mistral" in said.err
    assert "Allowed providers: embedded, openai" in said.err


async def test_a_run_whose_document_is_gone_keeps_to_what_it_said(
    shell: Terminal,
) -> None:
    """Taken up again after the notes were thrown away."""
    run_id = await begun(shell)
    (shell.folder / "kept.md").unlink()
    refused(await shell.writeit("run", "--resume", run_id, *FORBIDDEN))


async def test_a_run_that_was_brought_elsewhere_keeps_to_it_too(
    shell: Terminal,
) -> None:
    """In a folder where its document never was."""
    run_id = await begun(shell)
    other = shell.folder.parent / "other"
    (other / ".git").mkdir(parents=True)
    await shell.writeit("export", run_id, "-o", str(other / "run.yaml"))
    brought = await shell.writeit("import", "run.yaml", "--json", at=other)
    run_id = brought.json["run_id"]
    refused(await shell.writeit("run", "--resume", run_id, *FORBIDDEN, at=other))
