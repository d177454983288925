"""The editors' own key bindings, and the spelling of chords.

The user can spell a chord as in VS Code (`Ctrl+Shift+P`, `ctrl+k ctrl+s`) or as in
Neovim (`<C-w>`, `gd`). Two chords conflict if one begins with the other, because an
editor cannot tell them apart.
"""

from __future__ import annotations

import re

_MODIFIER_ORDER = ("ctrl", "alt", "shift", "cmd")
_VSCODE_MODIFIERS = {
    "ctrl": "ctrl",
    "control": "ctrl",
    "alt": "alt",
    "option": "alt",
    "opt": "alt",
    "shift": "shift",
    "cmd": "cmd",
    "command": "cmd",
    "meta": "cmd",
    "super": "cmd",
    "win": "cmd",
}
"""Modifiers in front of a plus, as VS Code names them."""
_NEOVIM_MODIFIERS = {
    "c": "ctrl",
    "s": "shift",
    "m": "alt",
    "a": "alt",
    "t": "alt",
    "d": "cmd",
}
"""Modifiers in front of a hyphen, as Neovim names them."""
_NAMED_KEYS = {
    "cr": "enter",
    "return": "enter",
    "esc": "escape",
    "bs": "backspace",
    "del": "delete",
    "ins": "insert",
    "lt": "<",
    "bar": "|",
    "bslash": "\\",
    "plus": "+",
    **{
        name: name
        for name in (
            *("enter", "escape", "backspace", "delete", "insert", "tab", "space"),
            *("home", "end", "pageup", "pagedown", "up", "down", "left", "right"),
            *("leader", "localleader", *(f"f{n}" for n in range(1, 25))),
        )
    },
}
"""Keys with a name, under every name they have."""
_NEOVIM_KEY = re.compile(r"<(?P<named>[^<>\s]{2,})>|(?P<one>\S)")


def parse_chord(chord: str) -> tuple[str, ...]:
    """Return the keystrokes of a chord in normal form.

    Raises:
        ValueError: it is no chord; the message is a verb phrase that says why.
    """
    strokes = tuple(
        stroke for part in chord.split() for stroke in _parse_keystrokes(part)
    )
    if not strokes:
        raise ValueError("names no key")
    return strokes


def is_chord_conflict(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    """Whether one of two chords begins with the other."""
    shared = min(len(first), len(second))
    return first[:shared] == second[:shared]


def _parse_keystrokes(part: str) -> list[str]:
    """Return the keystrokes of a part of a chord without spaces."""
    if part.lower() in _NAMED_KEYS:
        return [_NAMED_KEYS[part.lower()]]
    if "+" in part[1:] and len(part) > len("g+") and not part.startswith("<"):
        head, _, key = part.rpartition("+")
        if not key:  # ctrl++ is Ctrl and plus
            head, key = head.removesuffix("+"), "+" * head.endswith("+")
        return [_normalize_keystroke(head.split("+"), key, _VSCODE_MODIFIERS)]
    strokes = []
    for typed in _NEOVIM_KEY.finditer(part):
        if typed["one"]:
            strokes.append(_normalize_keystroke([], typed["one"], _NEOVIM_MODIFIERS))
        else:
            head, _, key = typed["named"].rpartition("-")
            modifiers = head.removesuffix("-").split("-") if head else []
            strokes.append(
                _normalize_keystroke(modifiers, key or "-", _NEOVIM_MODIFIERS)
            )
    return strokes


def _normalize_keystroke(
    modifiers: list[str], key: str, modifier_names: dict[str, str]
) -> str:
    pressed = set()
    for name in modifiers:
        if name.lower() not in modifier_names:
            raise ValueError(f"has {name!r}, which is not a modifier")
        pressed.add(modifier_names[name.lower()])
    if len(key) != 1 and key.lower() not in _NAMED_KEYS:
        raise ValueError(f"has {key!r}, which is not a key")
    if (
        modifier_names is _NEOVIM_MODIFIERS
        and key.isupper()
        and len(key) == 1
        and "ctrl" not in pressed
    ):
        pressed.add("shift")  # Neovim: G is Shift and g, but <C-W> is <C-w>
    key = _NAMED_KEYS.get(key.lower(), key.lower())
    return "+".join([*(name for name in _MODIFIER_ORDER if name in pressed), key])


SYSTEM_BINDINGS: dict[str, frozenset[str]] = {
    "vscode": frozenset(
        {
            *("ctrl+shift+p", "f1", "ctrl+p", "ctrl+,", "ctrl+k ctrl+s"),
            *("ctrl+n", "ctrl+shift+n", "ctrl+o", "ctrl+s", "ctrl+shift+s"),
            *("ctrl+w", "ctrl+shift+w", "ctrl+shift+t", "ctrl+tab", "alt+f4"),
            *("ctrl+z", "ctrl+y", "ctrl+shift+z", "ctrl+x", "ctrl+c", "ctrl+v"),
            *("ctrl+a", "ctrl+l", "ctrl+d", "ctrl+u", "ctrl+shift+l", "ctrl+shift+k"),
            *("ctrl+f", "ctrl+h", "ctrl+shift+f", "ctrl+shift+h", "f3", "ctrl+g"),
            *("ctrl+/", "shift+alt+a", "ctrl+]", "ctrl+[", "ctrl+enter"),
            *("alt+up", "alt+down", "shift+alt+up", "shift+alt+down", "shift+alt+f"),
            *("ctrl+b", "ctrl+j", "ctrl+`", "ctrl+\\", "ctrl+=", "ctrl+-", "f11"),
            *("ctrl+shift+e", "ctrl+shift+g", "ctrl+shift+d", "ctrl+shift+x"),
            *("ctrl+shift+m", "ctrl+shift+v", "ctrl+k v", "ctrl+k z"),
            *("ctrl+space", "ctrl+shift+space", "ctrl+.", "ctrl+shift+o", "ctrl+t"),
            *("f2", "f12", "alt+f12", "shift+f12", "f8", "f5", "f9", "f10"),
            *("tab", "shift+tab", "enter", "escape", "backspace", "delete"),
            *("cmd+shift+p", "cmd+p", "cmd+s", "cmd+w", "cmd+q", "cmd+z", "cmd+x"),
            *("cmd+c", "cmd+v", "cmd+a", "cmd+f", "cmd+n", "cmd+o", "cmd+b", "cmd+j"),
        }
    ),
    "neovim": frozenset(
        {
            *("<C-w>", "<C-o>", "<C-i>", "<C-d>", "<C-u>", "<C-f>", "<C-b>", "<C-e>"),
            *("<C-y>", "<C-r>", "<C-v>", "<C-a>", "<C-x>", "<C-g>", "<C-l>", "<C-c>"),
            *("<C-n>", "<C-p>", "<C-t>", "<C-]>", "<C-^>", "<C-\\><C-n>", "<C-s>"),
            *("<Esc>", "<CR>", "<Tab>", "<S-Tab>", "<BS>", "<Del>", "<F1>"),
            *("gg", "gd", "gD", "gf", "gx", "gi", "gv", "gu", "gU", "gq", "gw", "gJ"),
            *("gj", "gk", "gc", "gO", "grn", "gra", "grr", "gri", "g?", "g;", "g,"),
            *("zz", "zt", "zb", "zo", "zc", "za", "zf", "zg", "z=", "ZZ", "ZQ"),
            *("[d", "]d", "[[", "]]", "[s", "]s", "[q", "]q", "[b", "]b"),
            *(":", "/", "?", "*", "#", "%", "^", "$", "0", "{", "}", "(", ")", "."),
            *(";", ",", "@", "&", "~", ">", "<lt>", "=", '"', "'", "`", "|", "!"),
            *("a", "b", "c", "d", "e", "f", "h", "i", "j", "k", "l", "m", "n", "o"),
            *("p", "q", "r", "s", "t", "u", "v", "w", "x", "y"),
            *("A", "B", "C", "D", "E", "F", "G", "H", "I", "J", "K", "L", "M", "N"),
            *("O", "P", "Q", "R", "S", "T", "U", "V", "W", "X", "Y"),
        }
    ),
}
"""The well-known default bindings of each editor."""
