"""`writeit mv`: a document and its runs get another name."""

from pathlib import Path

import pytest

from support.terminal import Terminal

OLD, NEW = "notes.md", "rivers.md"


async def started(shell: Terminal) -> None:
    """Start a run on the notes."""
    result = await shell.writeit(
        *("run", "tech-article", OLD, "-m", "openai/say-a", "--choose", "first")
    )
    assert result.code == 0, result.err


async def documents(shell: Terminal) -> set[str]:
    """Return the names of the documents that runs were started on."""
    runs = (await shell.writeit("log", "--json")).json
    return {run["uri"].rpartition("/")[2] for run in runs}


async def test_a_document_is_renamed_with_its_runs(shell: Terminal) -> None:
    """The file too; nothing is lost on the way back."""
    await started(shell)
    text = (shell.folder / OLD).read_bytes()
    moved = await shell.writeit("mv", OLD, NEW)
    assert moved.out == "Moved notes.md to rivers.md, with 1 run.\n"
    assert (shell.folder / NEW).read_bytes() == text
    assert await documents(shell) == {NEW}
    (shell.folder / NEW).rename(shell.folder / OLD)
    back = await shell.writeit("mv", NEW, OLD, "--json")
    assert len(back.json["runs"]) == 1
    assert await documents(shell) == {OLD}


async def test_a_document_goes_into_a_folder_and_the_folder_to_another_name(
    shell: Terminal, tmp_path: Path
) -> None:
    """Where there are no runs, too; what is said names the folder."""
    (tmp_path / "part").mkdir()
    (tmp_path / OLD).touch()
    moved = await shell.writeit("mv", str(tmp_path / OLD), str(tmp_path / "part"))
    assert moved.out == "Moved notes.md to part/notes.md, with 0 runs.\n"
    moved = await shell.writeit("mv", str(tmp_path / "part"), str(tmp_path / "book"))
    assert moved.out == "Moved part to book, with 0 runs.\n"
    assert (tmp_path / "book" / OLD).is_file()


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (OLD, "other.md", "exists already. Nothing was moved."),
        ("none.md", NEW, "Nothing was moved."),
        (OLD, "../outside.md", "is outside of"),
        (OLD, "no-folder/a.md", "could not be written"),
        (".writeit", "elsewhere", "WriteIt's own folder"),
        (OLD, ".writeit/a.md", "WriteIt's own folder"),
    ],
)
async def test_what_cannot_be_moved_stays(
    shell: Terminal, old: str, new: str, said: str
) -> None:
    """A refusal says so, and no file is overwritten."""
    (shell.folder / "other.md").write_text("other", "utf-8")
    before = sorted(shell.folder.rglob("*.md"))
    refused = await shell.writeit("mv", old, new)
    assert refused.code in {1, 2}
    assert said in refused.err
    assert sorted(shell.folder.rglob("*.md")) == before
    assert (shell.folder / "other.md").read_text("utf-8") == "other"
