"""A text, a file or a provider never steers a terminal or an editor's display."""

import asyncio
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.editor import Editor
from support.provider import Provider
from writeit.text.lines import escape_controls, make_visible

EMOJI = "\U0001f469\u200d\U0001f467"
PERSIAN = "\u0646\u0645\u06cc\u200c\u062e"
WRITEIT = (sys.executable, "-m", "writeit")
RUN = ("run", "evil", "notes.md", "-m", "openai/echo")
CLI = Path(__file__).parents[2] / "server" / "writeit" / "cli"
HIDDEN = {
    "escape": "\x1b[2J",
    "the title": "\x1b]0;owned\x07",
    "an eight-bit escape": "\x9b2J",
    "a backspace": "a\x08b",
    "a carriage return": "a\rb",
    "delete": "\x7f",
    "null": "\x00",
    "right to left": "\u202e",
    "isolate": "\u2067",
    "a mark": "\u200f",
    "arabic mark": "\u061c",
    "zero width space": "x\u200by",
    "byte order mark": "x\ufeffy",
    "word joiner": "x\u2060y",
    "a soft hyphen": "x\xady",
    "a joiner between letters": "pay\u200dpal",
    "a tag": "x\U000e0041",
    "a variation selector": "x\ufe0fy",
    "a variation selector of Mongolian": "x\u180by",
    "a variation selector of plane 14": "x\U000e0100",
    "an invisible letter": "x\u3164y",
    "a line separator": "x\u2028y",
    "a byte of a file name": "x\udc9by",
    "half of a character": "x\ud800y",
    "a musical sign": "x\U0001d173y",
}


@pytest.mark.parametrize("text", HIDDEN.values(), ids=HIDDEN.keys())
def test_what_shows_nothing_is_made_visible(text: str) -> None:
    """No control, bidirectional or zero-width character is left."""
    visible = make_visible(text)
    assert visible != text
    assert (
        re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]", visible)
        is None
    )


@pytest.mark.parametrize("text", ["plain\n\ttext", "Gr\u00fc\u00dfe", EMOJI, PERSIAN])
def test_writing_systems_stay_as_they_are(text: str) -> None:
    """Joiners belong to emoji and to Persian."""
    assert make_visible(text) == text
    assert escape_controls(text) == text


def on_terminal(
    arguments: list[str], folder: Path, environment: dict[str, str]
) -> bytes:
    """Return what a command prints on a terminal."""
    main, other = pty.openpty()
    process = subprocess.Popen(
        [*WRITEIT, *arguments],
        cwd=folder,
        env={**os.environ, **environment, "TERM": "xterm", "NO_COLOR": "1"},
        stdin=other,
        stdout=other,
        stderr=other,
    )
    os.close(other)
    said = b""
    while True:
        try:
            piece = os.read(main, 65_536)
        except OSError:  # Linux: the other side is closed
            break
        if not piece:
            break
        said += piece
    process.wait()
    os.close(main)
    return said


EVIL = "\x1b]0;owned\x07\x1b[31mred\u202etxt\u200b"


def evil_workspace(folder: Path) -> Path:
    """Make a workspace whose files have escapes wherever text may be."""
    (folder / "pipelines").mkdir(parents=True)
    escaped = EVIL.encode("unicode_escape").decode().replace("\\x", "\\x")
    (folder / "pipelines" / "evil.yaml").write_text(
        f'name: evil\ndescription: "{escaped}"\n'
        "inputs: [{name: notes, required: true, from: document}]\n"
        "steps: [{name: draft, prompt: '{{ inputs.notes }}'}]\n"
    )
    (folder / "notes.md").write_text(f"# Title {EVIL}\n\nText {EVIL}.\n")
    return folder


def is_driven(said: bytes) -> bool:
    """Return whether a terminal would do more than print."""
    text = said.decode(errors="replace")
    return any(control in text for control in "\x1b\x07\x9b")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "arguments",
    [
        ["run", "evil", "notes.md", "-m", "openai/echo"],
        ["run", "evil", "notes.md", "-m", "openai/echo", "-q"],
        ["run", "evil", "notes.md", "-m", "openai/echo", "--json"],
        ["pipeline", "list"],
        ["pipeline", "check", "pipelines/evil.yaml"],
        ["run", "nothing\x1b[2J", "notes.md"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]).replace("\x1b", "ESC"),
)
async def test_a_command_prints_and_does_not_steer(
    tmp_path: Path, environment: dict[str, str], arguments: list[str]
) -> None:
    """The title of the window, its colours and its cursor stay the user's."""
    said = await asyncio.to_thread(
        on_terminal, arguments, evil_workspace(tmp_path / "w"), environment
    )
    assert not is_driven(said), said


async def piped(folder: Path, environment: dict[str, str]) -> bytes:
    """Return what a run prints into a pipe."""
    process = await asyncio.create_subprocess_exec(
        *WRITEIT,
        *RUN,
        cwd=folder,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    said, _ = await process.communicate()
    return said


@pytest.mark.asyncio(loop_scope="session")
async def test_the_history_prints_and_does_not_steer(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """A run, its answers, its list and its export; a pipe gets the bytes."""
    folder = evil_workspace(tmp_path / "w")
    assert EVIL.encode() in await piped(folder, environment)
    log = await asyncio.to_thread(on_terminal, ["log"], folder, environment)
    assert not is_driven(log), log
    run_id = re.findall(rb"[0-9a-f]{8}-[0-9a-f-]{27}", log)[0].decode()
    for arguments in (
        ["log", "--tree"],
        ["show", run_id, "--step", "draft"],
        ["export", run_id],
    ):
        said = await asyncio.to_thread(on_terminal, arguments, folder, environment)
        assert not is_driven(said), (arguments, said)


def test_the_command_line_has_one_exit() -> None:
    """Only `cli/output.py` prints."""
    for path in CLI.rglob("*.py"):
        if path.name != "output.py":
            source = path.read_text(encoding="utf-8")
            assert not re.search(r"click\.(echo|secho|style)|\bprint\(", source), path


@pytest.mark.asyncio(loop_scope="session")
async def test_titles_hovers_and_messages_of_an_editor_show_what_is_hidden(
    cloned: Editor, provider: Provider
) -> None:
    """The description of a pipeline stands in a list of actions."""
    del provider
    (cloned.folder / "pipelines").mkdir(exist_ok=True)
    (cloned.folder / "pipelines" / "turned.yaml").write_text(
        'name: turned\ndescription: "safe\\u202Etxt\\e[2J"\n'
        "inputs: [{name: notes, required: true, from: document}]\n"
        "steps: [{name: draft, prompt: '{{ inputs.notes }}'}]\n"
    )
    here = {"line": 0, "character": 0}
    actions = await cloned.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": cloned.notes},
            "range": {"start": here, "end": here},
            "context": {"diagnostics": []},
        },
    )
    titles = [a["title"] for a in actions if "turned" in a["title"]]
    assert titles
    assert not any("\u202e" in title or "\x1b" in title for title in titles)
    assert any("<U+202E>" in title for title in titles)
