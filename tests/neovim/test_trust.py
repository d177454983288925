"""A folder of somebody else in Neovim, and the user's own."""

from collections.abc import Callable
from pathlib import Path

from support.neovim_session import NeovimSession
from support.nvim import Nvim

PIPELINE = """\
name: mine
inputs: [{name: notes, required: true, from: document}]
steps: [{name: draft, prompt: '{{ inputs.notes }}', models: [openai/say-mine]}]
"""


def test_what_is_written_in_neovim_is_used_and_what_came_is_not(
    start: Callable[..., Nvim], tmp_path: Path
) -> None:
    """The buffer of a pipeline has a client, too, though it is no markdown."""
    workspace = tmp_path / "workspace"
    (workspace / "pipelines").mkdir(parents=True)
    session = NeovimSession(start(WRITEIT_TRUST=""), workspace)
    session.open_notes("# Notes\n\nA river.\n")
    nvim, notes = session.nvim, session.buffer()
    session.execute("trust.show")  # Neovim waits for a server that starts 1 s at most
    nvim.command(f"edit {workspace}/pipelines/mine.yaml")
    nvim.lua("vim.api.nvim_buf_set_lines(0, 0, -1, true, ...)", PIPELINE.splitlines())
    nvim.command("write")
    nvim.command(f"buffer {notes}")
    assert session.execute("trust.show") == {"state": "home", "wants": []}
    theirs = PIPELINE.replace("mine", "theirs")
    (workspace / "pipelines" / "theirs.yaml").write_text(theirs)
    shown = session.execute("trust.show")
    assert shown["state"] == "restricted"
    assert {want["from"] for want in shown["wants"]} == {"pipelines/theirs.yaml"}
