"""In a terminal a folder of somebody else is asked about; a script is refused."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.attacks import add_pipeline
from support.clone import HOSTILE_HEAD, trust_file
from support.provider import Provider
from support.terminal import Terminal, terminal_in
from writeit.library.catalog import read_library
from writeit.trust import FolderTrust
from writeit.trust_record import read_decisions

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest_asyncio.fixture(loop_scope="session")
async def terminal(
    tmp_path: Path, provider: Provider, environment: dict[str, str]
) -> AsyncIterator[Terminal]:
    """A terminal in a folder that has been decided on nowhere."""
    folder = tmp_path / "clone"
    folder.mkdir()
    terminal = terminal_in(folder, provider)
    terminal.environment |= environment | {
        "WRITEIT_TRUST": "",
        "WRITEIT_DATA_DIR": str(tmp_path / "data"),
    }
    (folder / "notes.md").write_text("# Secret notes\n", encoding="utf-8")
    add_pipeline(folder, "theirs", "models: [openai/say-theirs]")
    yield terminal


def calls(provider: Provider) -> int:
    """Return how many calls were made."""
    return len(provider.calls)


def decisions(terminal: Terminal) -> list[str]:
    """Return all decisions that are remembered."""
    file = trust_file(terminal.environment)
    return [each.decision for each in read_decisions(file).values()]


def trust(terminal: Terminal) -> None:
    """Trust the folder as it is, without another process."""
    file = trust_file(terminal.environment)
    record = FolderTrust(file, terminal.folder, override=None)
    record.trust_shown(read_library(terminal.folder)[0])


async def test_a_script_is_refused_and_told_what_to_say(
    terminal: Terminal, provider: Provider
) -> None:
    """Without a terminal nobody can agree; nothing is left of the run."""
    before = calls(provider)
    done = await terminal.writeit("run", "theirs", "notes.md")
    assert done.code == 1
    assert "pipelines/theirs.yaml is in a folder that you have not trusted" in done.err
    assert "writeit trust" in done.err
    assert calls(provider) == before
    assert (await terminal.writeit("log", "--json")).json == []


@pytest.mark.parametrize("how", ["option", "variable"])
async def test_a_script_can_say_that_it_trusts(terminal: Terminal, how: str) -> None:
    """For this once."""
    if how == "variable":
        terminal.environment["WRITEIT_TRUST"] = "1"
    more = ["--trust"] if how == "option" else []
    done = await terminal.writeit("run", "theirs", "notes.md", *more)
    assert done.out == "theirs\n"
    assert decisions(terminal) == []


async def test_a_terminal_asks_and_says_what_the_folder_would_do(
    terminal: Terminal,
) -> None:
    """Once: the answer is remembered."""
    async with terminal.screen("run", "theirs", "notes.md") as screen:
        shown = await screen.shows("Trust This Folder? [y/N]")
        assert "names the model openai/say-theirs" in shown
        assert "sends text to this machine" in shown
        screen.type("y\r")
        await screen.shows("theirs")
        await screen.shows("Export every prompt")
    assert decisions(terminal) == ["trusted"]


async def test_no_in_a_terminal_sends_nothing(
    terminal: Terminal, provider: Provider
) -> None:
    """Nor does Enter alone."""
    before = calls(provider)
    async with terminal.screen("run", "theirs", "notes.md") as screen:
        await screen.shows("Trust This Folder? [y/N]")
        screen.type("\r")
        await screen.shows("Nothing was sent")
        await screen.process.wait()
    assert calls(provider) == before


async def test_many_calls_are_asked_about_in_a_terminal(
    terminal: Terminal, provider: Provider
) -> None:
    """As with trust; the button's words are the question."""
    add_pipeline(terminal.folder, "theirs", "models: [openai/say-a], samples: 6")
    trust(terminal)
    before = calls(provider)
    async with terminal.screen("run", "theirs", "notes.md") as screen:
        await screen.shows("Generate All 6 Answers? [y/N]")
        screen.type("yes\r")
        await screen.shows("Export every prompt")
    assert calls(provider) - before == 6


async def test_front_matter_of_a_clone_names_no_model(
    terminal: Terminal, provider: Provider
) -> None:
    """With models on the command line the bundled pipelines work."""
    (terminal.folder / "notes.md").write_text(f"{HOSTILE_HEAD}Notes.\n")
    before = calls(provider)
    refused = await terminal.writeit("run", "tech-article", "notes.md")
    assert "notes.md is in a folder that you have not trusted" in refused.err
    assert calls(provider) == before
    done = await terminal.writeit(
        "run", "tech-article", "notes.md", "-m", "openai/say-ours"
    )
    assert done.out == "ours\n"


async def test_trust_shows_and_asks_before_it_decides(terminal: Terminal) -> None:
    """A script needs --yes; --list and --revoke show and undo it."""
    refused = await terminal.writeit("trust")
    assert refused.code == 1
    assert "names the model openai/say-theirs" in refused.err
    agreed = await terminal.writeit("trust", "--yes", "--json")
    folder = str(terminal.folder)
    assert agreed.json == {"folder": folder, "state": "trusted"}
    revoked = await terminal.writeit("trust", "--revoke")
    assert "restricted" in revoked.out
    listed = await terminal.writeit("trust", "--list", "--json")
    assert listed.json == {"folders": {folder: "restricted"}}


async def test_trust_of_a_document_includes_its_front_matter(
    terminal: Terminal,
) -> None:
    """Without one, no document of the folder is read."""
    (terminal.folder / "notes.md").write_text(f"{HOSTILE_HEAD}Notes.\n")
    add_pipeline(terminal.folder, "plain", "max_tokens: 50")
    trust(terminal)
    command = ("run", "plain", "notes.md")
    assert (await terminal.writeit(*command)).code == 1
    shown = await terminal.writeit("trust", "notes.md", "--yes")
    assert "notes.md names the model openai/say-theirs" in shown.err
    assert (await terminal.writeit(*command)).out == "theirs\n"


async def test_trust_in_a_terminal_includes_runs_that_somebody_else_made(
    terminal: Terminal, provider: Provider
) -> None:
    """An imported run calls its models once the folder is trusted, as it is told."""
    (terminal.folder / "pipelines" / "theirs.yaml").unlink()
    await terminal.writeit("run", "tech-article", "notes.md", "-m", "openai/empty")
    (run,) = (await terminal.writeit("log", "--json")).json
    run_id = run["run_id"]
    await terminal.writeit("export", run_id, "-f", "json", "-o", "run.json")
    await terminal.writeit("delete", run_id, "--yes")
    await terminal.writeit("import", "run.json")
    resume = ("run", "--resume", run_id, "--choose", "first")
    before = calls(provider)
    refused = await terminal.writeit(*resume)
    assert ".writeit/store" in refused.err
    assert calls(provider) == before
    shown = await terminal.writeit("trust", "--yes")
    assert "somebody else made" in shown.err
    await terminal.writeit(*resume)
    assert calls(provider) > before


async def test_a_change_after_trust_is_asked_about_in_the_terminal(
    terminal: Terminal, provider: Provider
) -> None:
    """A pull brought it."""
    trust(terminal)
    add_pipeline(terminal.folder, "theirs", "models: [openai/say-worse]")
    before = calls(provider)
    done = await terminal.writeit("run", "theirs", "notes.md")
    assert "is new or has changed since you trusted this folder" in done.err
    assert calls(provider) == before


async def test_the_first_run_makes_an_own_folder(terminal: Terminal) -> None:
    """It names nothing."""
    (terminal.folder / "pipelines" / "theirs.yaml").unlink()
    await terminal.writeit("run", "tech-article", "notes.md", "-m", "openai/say-ours")
    assert decisions(terminal) == ["home"]
