"""The arrows between the rooms, as ARCHITECTURE.md draws them."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "server" / "writeit"

MAY_IMPORT = {
    "core": set[str](),
    "ports": {"core"},
    "engine": {"core", "ports"},
    "library": {"core"},
    "store": {"core", "ports"},
    "models": {"core", "ports"},
    "views": {"core"},
    "export": {"core"},
    "lsp": {"core", "ports", "engine", "library", "views", "export", "writeit"},
    "cli": {"core", "ports", "engine", "library", "views", "export", "writeit"},
    "bootstrap": {"core", "ports", "library", "store", "models", "lsp", "cli"},
    "__main__": {"bootstrap"},
    "__init__": set[str](),
}
"""Room to the rooms it may import; "writeit" is the package itself (its version)."""

ONLY_IN = {
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
    "lmdb": {"store"},
    "yaml": {"library", "export"},
    "litellm": {"models/litellm_adapter.py"},
    "jinja2": {"core/prompt"},
    "keyring": {"models"},
    "click": {"cli"},
}


def sources() -> list[Path]:
    """Every module of the package."""
    return sorted(ROOT.rglob("*.py"))


def room_of(path: Path) -> str:
    """The room a module is in: a folder or a file directly in the package."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """Dotted names a module imports anywhere, type-checking blocks included."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_room_imports_only_what_its_arrows_allow(path: Path) -> None:
    """No module reaches against the arrows."""
    room = room_of(path)
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "writeit":
            continue
        is_room = (ROOT / parts[1]).is_dir() or (ROOT / f"{parts[1]}.py").is_file()
        target = parts[1] if is_room else "writeit"
        assert target == room or target in MAY_IMPORT[room], f"{room} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_library_is_known_in_its_own_place_only(path: Path) -> None:
    """Foreign libraries stay behind the walls that translate them."""
    here = path.relative_to(ROOT).as_posix()
    for name in imports_of(path):
        places = ONLY_IN.get(name.split(".")[0])
        if places is not None:
            assert any(
                here == place or here.startswith(f"{place}/") or here == f"{place}.py"
                for place in places
            ), f"{here} imports {name}"


def test_every_room_has_its_arrows_drawn() -> None:
    """A new room cannot come in unnoticed."""
    assert {room_of(path) for path in sources()} <= set(MAY_IMPORT)


def test_nothing_imports_the_composition_root() -> None:
    """Only `python -m writeit` starts from bootstrap."""
    for path in sources():
        if room_of(path) != "__main__":
            assert not any(n.startswith("writeit.bootstrap") for n in imports_of(path))
