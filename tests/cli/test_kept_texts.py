"""The user's texts are kept when something goes wrong in the terminal."""

import asyncio
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.terminal import CommandResult, Terminal

ASK = ("run", "tech-article", "notes.md", "--choose", "ask", "-m", "openai/say-one")
EDIT = "Text of the user."
WRITES = f'echo "{EDIT}" >> "$1"'


@pytest.fixture
def drafts(shell: Terminal, tmp_path: Path) -> Iterator[Path]:
    """The folder in which texts are edited."""
    shell.environment["TMPDIR"] = str(tmp_path)
    yield tmp_path
    shell.environment.pop("EDITOR", None)
    del shell.environment["TMPDIR"]


def set_editor(shell: Terminal, script_text: str) -> None:
    """Set an editor that runs a shell script on the file."""
    script = shell.folder / "editor.sh"
    script.write_text(f"#!/bin/sh\n{script_text}\n", encoding="utf-8")
    script.chmod(0o755)
    shell.environment["EDITOR"] = str(script)


def kept_file(stderr: str) -> Path:
    """Return the file in which the text was kept, by the message."""
    match = re.search(r"Your text was kept in (\S+)\.\s", stderr)
    assert match, stderr
    return Path(match[1])


def remaining_files(drafts: Path) -> list[Path]:
    """Return the files that were not deleted."""
    return list(drafts.glob("writeit-*"))


async def run_and_quit(shell: Terminal, lines: str) -> CommandResult:
    """Start a run, type these lines, and quit."""
    result = await shell.writeit(*ASK, lines=f"{lines}quit\n")
    assert result.code == 0, result.err
    return result


async def test_text_is_kept_when_the_editor_fails(
    shell: Terminal, drafts: Path
) -> None:
    """The editor saved before it failed."""
    set_editor(shell, f"{WRITES}; exit 1")
    result = await run_and_quit(shell, "edit 1\n")
    assert kept_file(result.err).parent == drafts
    assert kept_file(result.err).read_text(encoding="utf-8") == f"one\n{EDIT}\n"


async def test_text_is_kept_when_the_step_was_completed_elsewhere(
    shell: Terminal, drafts: Path
) -> None:
    """The choice is refused, and the text stays in its file."""
    writeit = f"{sys.executable} -m writeit"
    set_editor(
        shell,
        f"{WRITES}\nrun=$({writeit} log | grep -oE '[0-9a-f-]{{36}}' | head -n 1)\n"
        f"EDITOR= {writeit} run -q --resume $run -m openai/say-two"
        " > /dev/null < /dev/null",
    )
    result = await run_and_quit(shell, "edit 1\n")
    assert kept_file(result.err).parent == drafts
    assert EDIT in kept_file(result.err).read_text(encoding="utf-8")


async def test_text_is_kept_when_it_is_not_utf_8(shell: Terminal, drafts: Path) -> None:
    """The user can save it again in UTF-8."""
    set_editor(shell, "printf 'caf\\351' > \"$1\"")
    result = await run_and_quit(shell, "merge 1\n")
    assert kept_file(result.err).parent == drafts
    assert kept_file(result.err).read_bytes() == b"caf\xe9"


async def test_ctrl_c_keeps_the_file_that_is_open_in_the_editor(
    shell: Terminal, drafts: Path
) -> None:
    """An editor with its own window may save it later."""
    set_editor(shell, f"{WRITES}; echo EDITING; exec sleep 600")
    async with shell.screen(*ASK) as screen:
        await screen.shows("? for more: ")
        screen.type("edit 1\n")
        await screen.shows("EDITING")
        shown = await screen.interrupted("? for more: ")
        screen.type("quit\n")
        assert await screen.ends() == 0
    (file,) = remaining_files(drafts)
    assert str(file) in shown
    assert EDIT in file.read_text(encoding="utf-8")


async def test_a_chosen_text_leaves_no_file(shell: Terminal, drafts: Path) -> None:
    """An unchanged text leaves no file either."""
    set_editor(shell, "true")
    await run_and_quit(shell, "edit 1\n")
    set_editor(shell, WRITES)
    result = await run_and_quit(shell, "edit 1\n\nmerge 1\n")
    assert "was kept in" not in result.err
    assert not remaining_files(drafts)


async def test_a_file_created_during_the_run_is_not_replaced(shell: Terminal) -> None:
    """WriteIt checks again at the end; the article is in the run history."""
    async with shell.screen(
        *("run", "tech-article", "notes.md", "-m", "openai/slow-60"),
        *("-o", "meanwhile.md"),
    ) as screen:
        await screen.shows("word3 ")
        file = shell.folder / "meanwhile.md"
        file.write_text("Mine.\n", encoding="utf-8")
        await screen.shows("was not replaced")
        assert await screen.ends() == 1
    assert file.read_text(encoding="utf-8") == "Mine.\n"


async def test_a_full_disk_leaves_the_old_file(shell: Terminal) -> None:
    """With --force a file is replaced completely or not at all."""
    run = await shell.writeit(
        "run", "tech-article", "notes.md", "-m", "openai/fast-900"
    )
    match = re.search(r"writeit export (\S+)", run.err)
    assert match, run.err
    file = shell.folder / "old.md"
    file.write_text("Mine.\n", encoding="utf-8")
    limit = f"ulimit -f 1; {sys.executable} -m writeit"
    force = f"export {match[1]} -f markdown -o old.md --force"
    code, err = await run_line(shell, f"{limit} {force}")
    assert code == 1, err
    assert "could not be written" in err
    assert file.read_text(encoding="utf-8") == "Mine.\n"
    code, err = await run_line(shell, f"{sys.executable} -m writeit {force}")
    assert code == 0, err
    assert "word899" in file.read_text(encoding="utf-8")


async def test_an_input_that_is_not_utf_8_is_wrong_usage(shell: Terminal) -> None:
    """No run is started for it. A file name need not be UTF-8."""
    run = f"{sys.executable} -m writeit run tech-article"
    code, err = await run_line(
        shell, f"{run} notes.md -i target_audience=$(printf 'caf\\351')"
    )
    assert code == 2, err
    assert "UTF-8" in err
    named = "$(printf 'caf\\351.md')"
    line = f"cp notes.md {named} && {run} {named} -m openai/say-one"
    code, err = await run_line(shell, line)
    assert code == 0, err


async def run_line(shell: Terminal, line: str) -> tuple[int, str]:
    """Run a shell command; return its exit code and stderr."""
    process = await asyncio.create_subprocess_shell(
        line, cwd=shell.folder, env=shell.environment, stderr=asyncio.subprocess.PIPE
    )
    _, err = await process.communicate()
    return process.returncode or 0, err.decode()
