"""What a writer typed, or had, when something goes wrong in the terminal."""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.terminal import CommandResult, Terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")
ASK = ("run", "tech-article", "notes.md", "--choose", "ask", "-m", "openai/say-one")
HERS = "Words of hers."
WRITES = f'echo "{HERS}" >> "$1"'


@pytest.fixture
def drafts(shell: Terminal, tmp_path: Path) -> Iterator[Path]:
    """Where texts are edited."""
    shell.environment["TMPDIR"] = str(tmp_path)
    yield tmp_path
    shell.environment.pop("EDITOR", None)
    del shell.environment["TMPDIR"]


def editor(shell: Terminal, does: str) -> None:
    """Set an editor that does something with the file it is given."""
    script = shell.folder / "editor.sh"
    script.write_text(f"#!/bin/sh\n{does}\n", encoding="utf-8")
    script.chmod(0o755)
    shell.environment["EDITOR"] = str(script)


def kept(said: str) -> Path:
    """The file that is said to have what she wrote."""
    told = re.search(r"Your text was kept in (\S+)\.\s", said)
    assert told, said
    return Path(told[1])


def left_in(drafts: Path) -> list[Path]:
    """The files that were not taken away."""
    return list(drafts.glob("writeit-*"))


async def sat(shell: Terminal, lines: str) -> CommandResult:
    """Sit at a new run, and leave."""
    said = await shell.writeit(*ASK, lines=f"{lines}quit\n")
    assert said.code == 0, said.err
    return said


async def test_what_she_wrote_stays_when_her_editor_fails(
    shell: Terminal, drafts: Path
) -> None:
    """It had saved before."""
    editor(shell, f"{WRITES}; exit 1")
    said = await sat(shell, "edit 1\n")
    assert kept(said.err).parent == drafts
    assert kept(said.err).read_text(encoding="utf-8") == f"one\n{HERS}\n"


async def test_what_she_wrote_stays_when_the_step_was_gone_on_with(
    shell: Terminal, drafts: Path
) -> None:
    """Elsewhere, while she wrote: her choice is refused, not her words."""
    on = f"{sys.executable} -m writeit"
    editor(
        shell,
        f"{WRITES}\nrun=$({on} log | grep -oE '[0-9a-f-]{{36}}' | head -n 1)\n"
        f"EDITOR= {on} run -q --resume $run -m openai/say-two > /dev/null < /dev/null",
    )
    said = await sat(shell, "edit 1\n")
    assert kept(said.err).parent == drafts
    assert HERS in kept(said.err).read_text(encoding="utf-8")


async def test_what_she_wrote_stays_when_it_is_no_utf_8(
    shell: Terminal, drafts: Path
) -> None:
    """She can save it once more, as it should be."""
    editor(shell, "printf 'caf\\351' > \"$1\"")
    said = await sat(shell, "merge 1\n")
    assert kept(said.err).parent == drafts
    assert kept(said.err).read_bytes() == b"caf\xe9"


async def test_ctrl_c_in_the_terminal_leaves_what_she_edits(
    shell: Terminal, drafts: Path
) -> None:
    """Her editor may be a window of its own, and save it later."""
    editor(shell, f"{WRITES}; echo EDITING; exec sleep 600")
    async with shell.screen(*ASK) as screen:
        await screen.shows("? for more: ")
        screen.type("edit 1\n")
        await screen.shows("EDITING")
        shown = await screen.interrupted("? for more: ")
        screen.type("quit\n")
        assert await screen.ends() == 0
    (file,) = left_in(drafts)
    assert str(file) in shown
    assert HERS in file.read_text(encoding="utf-8")


async def test_a_text_that_was_taken_over_leaves_no_file(
    shell: Terminal, drafts: Path
) -> None:
    """Nor does one that she left as it was."""
    editor(shell, "true")
    await sat(shell, "edit 1\n")
    editor(shell, WRITES)
    said = await sat(shell, "edit 1\n\nmerge 1\n")
    assert "was kept in" not in said.err
    assert not left_in(drafts)


async def test_a_file_that_came_while_models_were_asked_is_not_replaced(
    shell: Terminal,
) -> None:
    """What is there is looked for at the end, too; the article is in the history."""
    async with shell.screen(
        *("run", "tech-article", "notes.md", "-m", "openai/slow-60"),
        *("-o", "meanwhile.md"),
    ) as screen:
        await screen.shows("word3 ")
        file = shell.folder / "meanwhile.md"
        file.write_text("Hers.\n", encoding="utf-8")
        await screen.shows("was not replaced")
        assert await screen.ends() == 1
    assert file.read_text(encoding="utf-8") == "Hers.\n"


async def test_a_full_disk_leaves_the_file_that_was_to_be_replaced(
    shell: Terminal,
) -> None:
    """Even with --force: whole, or not at all."""
    run = await shell.writeit(
        "run", "tech-article", "notes.md", "-m", "openai/fast-900"
    )
    told = re.search(r"writeit export (\S+)", run.err)
    assert told, run.err
    file = shell.folder / "old.md"
    file.write_text("Hers.\n", encoding="utf-8")
    limit = f"ulimit -f 1; {sys.executable} -m writeit"
    force = f"export {told[1]} -f markdown -o old.md --force"
    code, err = await ran(shell, f"{limit} {force}")
    assert code == 1, err
    assert "could not be written" in err
    assert file.read_text(encoding="utf-8") == "Hers.\n"
    code, err = await ran(shell, f"{sys.executable} -m writeit {force}")
    assert code == 0, err
    assert "word899" in file.read_text(encoding="utf-8")


async def test_words_that_are_no_utf_8_are_misuse(shell: Terminal) -> None:
    """No run is begun that could not be written down; a file may be called anything."""
    run = f"{sys.executable} -m writeit run tech-article"
    code, err = await ran(
        shell, f"{run} notes.md -i target_audience=$(printf 'caf\\351')"
    )
    assert code == 2, err
    assert "UTF-8" in err
    named = "$(printf 'caf\\351.md')"
    line = f"cp notes.md {named} && {run} {named} -m openai/say-one"
    code, err = await ran(shell, line)
    assert code == 0, err


async def ran(shell: Terminal, line: str) -> tuple[int, str]:
    """Run a line of the shell; return its exit code and what it said."""
    process = await asyncio.create_subprocess_shell(
        line, cwd=shell.folder, env=shell.environment, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    return process.returncode or 0, err.decode()
