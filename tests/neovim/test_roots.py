"""Which folder is the workspace of a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from support.neovim_session import NeovimSession

ROOT = "return require('writeit.server').root_of(vim.fn.bufadd(...))"


@pytest.mark.parametrize("marker", [".writeit", "pipelines", ".git"])
def test_the_nearest_folder_with_a_marker_is_the_workspace(
    writer: NeovimSession, tmp_path: Path, marker: str
) -> None:
    """Whichever marker it is, and whatever marker stands further up."""
    (tmp_path / ".git").mkdir()
    book = tmp_path / "book"
    (book / marker).mkdir(parents=True)
    (book / "chapters").mkdir()
    file = str(book / "chapters" / "one.md")
    assert writer.nvim.lua(ROOT, file) == str(book)


def test_without_a_marker_it_is_the_files_own_folder(
    writer: NeovimSession, tmp_path: Path
) -> None:
    """A folder of notes is a workspace, too."""
    assert writer.nvim.lua(ROOT, str(tmp_path / "one.md")) == str(tmp_path)
