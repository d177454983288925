"""`<Plug>` mappings: what she binds to her own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from neovim import wording

if TYPE_CHECKING:
    from support.neovim_session import NeovimSession

FRONT = "---\nwriteit: {models: {polish: openai/say-In%20better%20words.}}\n---\n"


def test_a_key_of_hers_does_what_the_verb_does(writer: NeovimSession) -> None:
    """In normal mode."""
    writer.nvim.command("nmap gZ <Plug>(writeit-start)")
    writer.nvim.keys("gZ")
    writer.said(wording.STARTED.format("tech-article"))
    writer.nvim.command("nunmap gZ")


def test_a_key_on_a_selection_is_about_the_selection(writer: NeovimSession) -> None:
    """In visual mode; the words beside it stay."""
    writer.open_notes(f"{FRONT}# Notes\n\nStay. Go away.\n")
    writer.nvim.command("xmap gZ <Plug>(writeit-polish)")
    writer.nvim.command("call cursor(6, 7)")
    writer.nvim.keys("v$hgZ")
    writer.said(wording.REWRITTEN)
    assert writer.text() == f"{FRONT}# Notes\n\nStay. In better words.\n"
    writer.nvim.command("xunmap gZ")


def test_every_verb_has_a_mapping(writer: NeovimSession) -> None:
    """In normal and in visual mode."""
    for verb in writer.nvim.lua("return require('writeit.verb_names').names"):
        for mode in "nx":
            plug = f"<Plug>(writeit-{verb})"
            found = writer.nvim.lua("return vim.fn.maparg(...)", plug, mode)
            assert found == f":WriteIt {verb}<CR>"
