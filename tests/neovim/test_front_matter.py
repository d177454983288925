"""What front matter says to `:WriteIt start`: the server reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neovim import wording

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession


def test_front_matter_is_read_as_the_server_reads_it(writer: NeovimSession) -> None:
    """On one line, in quotes: nothing is asked that it answers."""
    inputs = '{"target_audience": you}'
    for front in (
        f"writeit: {{pipeline: tech-article, inputs: {inputs}}}",
        f"writeit:\n  inputs: {inputs}\n  pipeline: 'tech-article'",
    ):
        writer.open_notes(f"---\n{front}\n---\n# Notes\n\n- One note.\n")
        writer.do("start")
        writer.said(wording.STARTED.format("tech-article"))
        assert writer.run()["userInputs"]["target_audience"] == "you"


def test_keys_of_other_tools_answer_no_question(writer: NeovimSession) -> None:
    """An input is under `writeit: inputs:`, or it is asked for."""
    writer.open_notes(
        "---\ntitle: x\ntarget_audience: nobody\n---\n# Notes\n\n- One note.\n"
    )
    writer.nvim.keys(":WriteIt start tech-article<CR>")
    writer.nvim.shows(wording.AUDIENCE_DEFAULT)
    writer.nvim.keys("<C-u>gardeners<CR>")
    writer.said(wording.STARTED.format("tech-article"))
    assert writer.run()["userInputs"]["target_audience"] == "gardeners"
