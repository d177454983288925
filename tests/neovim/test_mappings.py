"""`<Plug>` mappings and preferred shortcuts."""

from typing import Any

from neovim import wording
from support.neovim_session import CLIENT, NeovimSession

FRONT = "---\nwriteit: {models: {polish: openai/say-In+20better+20words.}}\n---\n"


def test_plug_mapping_uses_the_selection(session: NeovimSession) -> None:
    """In visual mode; the text around the selection stays."""
    session.open_notes(f"{FRONT}# Notes\n\nStay. Go away.\n")
    session.nvim.command("xmap gZ <Plug>(writeit-polish)")
    session.nvim.command("call cursor(6, 7)")
    session.nvim.keys("v$hgZ")
    session.wait_for_message(wording.REWRITTEN)
    assert session.text() == f"{FRONT}# Notes\n\nStay. In better words.\n"
    session.nvim.command("xunmap gZ")


def test_every_verb_has_a_plug_mapping(session: NeovimSession) -> None:
    """In normal and in visual mode."""
    for verb in session.nvim.lua("return require('writeit.verb_names').names"):
        for mode in "nx":
            plug = f"<Plug>(writeit-{verb})"
            found = session.nvim.lua("return vim.fn.maparg(...)", plug, mode)
            assert found == f":WriteIt {verb}<CR>"


def test_only_preferred_shortcuts_are_mapped(session: NeovimSession) -> None:
    """A chord of the preference works in the client's buffers."""
    mine = "return vim.tbl_filter(function(map) return (map.desc or ''):find('WriteIt')"
    mine += " and not map.lhs:find('Plug') end, vim.api.nvim_get_keymap('n'))"
    assert session.nvim.lua(mine) == []
    session.execute("preferences.set", keyboardShortcuts={"start": "ctrl+alt+w s"})
    session.nvim.lua(f"require('writeit.user_preferences').load({CLIENT})")
    session.nvim.wait_until("vim.fn.maparg('<C-M-w>s', 'n') ~= ''")
    session.nvim.keys("<C-M-w>s")
    session.wait_for_message(wording.STARTED.format("tech-article"))
    session.execute("preferences.set", keyboardShortcuts={})
    session.nvim.lua(f"require('writeit.user_preferences').load({CLIENT})")


def test_chords_in_the_notation_of_either_editor(session: NeovimSession) -> None:
    """VS Code's notation is converted; Neovim's is kept."""
    spelled: Any = session.nvim.lua(
        "return vim.tbl_map(require('writeit.user_preferences').to_neovim_keys, ...)",
        ["ctrl+alt+n", "<leader>wn", "ctrl+k ctrl+w", "cmd+shift+enter", "gZ"],
    )
    assert spelled == ["<C-M-n>", "<leader>wn", "<C-k><C-w>", "<D-S-CR>", "gZ"]
