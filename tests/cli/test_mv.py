"""`writeit mv`: a document and its runs get another name."""

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
