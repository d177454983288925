"""Every setting and every preference is read by something that acts on it.

The server's reads are found by following types through its source: an attribute counts
for a class only if what it is read from is known to be of that class. Checking a value
or passing it on does not count. What editors act on is looked for in their sources.
"""

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from writeit.domain.session import (
    CLIENT_SETTINGS,
    USER_ONLY_SETTINGS,
    CostLimits,
    ModelSettings,
    Settings,
    Toggle,
    UserConfig,
    UserPreferences,
)

ROOT = Path(__file__).parents[1]
EXTENSION = ROOT / "vscode-extension"
CLASSES: dict[str, type[BaseModel]] = {
    each.__name__: each
    for each in (
        *(Settings, ModelSettings, CostLimits, Toggle),
        *(UserConfig, UserPreferences),
    )
}
ATTRIBUTES = {
    "settings": "Settings",
    "load_settings": "Settings",
    "preferences": "UserPreferences",
}
"""Attributes, and methods, whose value is of one of the classes wherever they occur."""
CALLS = {"read_user_config": "UserConfig"}
"""Functions that return one of the classes, alone or first in a tuple."""
DEFINED = {
    "domain/session.py",
    "lsp/library_shapes.py",
    "lsp/protocol.py",
    "lsp/shapes.py",
}
"""Modules that define and check the values; what they read decides nothing."""
FOR_EDITORS = {"auto_save_enabled", "keyboard_shortcuts"}
"""Preferences that the editors act on."""
SHOWN_ONLY = {"protocol.ts", "preferences.ts"}
"""Sources of the extension that declare preferences, or let the user change them."""


class Reads(ast.NodeVisitor):
    """Collects which fields of the classes are read, by following types."""

    def __init__(self) -> None:
        self.found: set[tuple[str, str]] = set()
        self._known: dict[str, str] = {}

    def visit(self, node: ast.AST) -> None:
        """Learn the types of names, and note what is read."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                before = dict(self._known)
                self._learn(node.args)
                self.generic_visit(node)
                self._known = before
            case (
                ast.Assign(targets=[ast.Name(id=name)], value=value)
                | ast.Assign(
                    targets=[ast.Tuple(elts=[ast.Name(id=name), *_])], value=value
                )
            ):
                self.generic_visit(node)
                self._know(name, self._type(value))
            case ast.Attribute(attr=name, value=value, ctx=ast.Load()):
                self.generic_visit(node)
                if (owner := self._type(value)) is not None:
                    self.found.add((owner, name))
            case _:
                self.generic_visit(node)

    def _learn(self, given: ast.arguments) -> None:
        for argument in (*given.posonlyargs, *given.args, *given.kwonlyargs):
            named = ast.unparse(argument.annotation) if argument.annotation else ""
            self._know(argument.arg, named if named in CLASSES else None)

    def _know(self, name: str, kind: str | None) -> None:
        self._known.pop(name, None)
        if kind is not None:
            self._known[name] = kind

    def _type(self, node: ast.expr) -> str | None:
        kind: str | None = None
        match node:
            case ast.Await(value=value):
                kind = self._type(value)
            case ast.BoolOp(values=[value, *_]):
                kind = self._type(value)
            case ast.Name(id=name):
                kind = self._known.get(name)
            case ast.Call(func=ast.Name(id=name)):
                kind = CALLS.get(name)
            case ast.Call(func=ast.Attribute(attr=name)):
                kind = ATTRIBUTES.get(name)
            case ast.Attribute(attr=name, value=value):
                owner = self._type(value)
                kind = section(owner, name) if owner else ATTRIBUTES.get(name)
        return kind


def section(owner: str, field: str) -> str | None:
    """The class of a field that is a section of its own."""
    info = CLASSES[owner].model_fields.get(field)
    name = getattr(info and info.annotation, "__name__", "")
    return name if name in CLASSES else None


def reads_of(source: str) -> set[tuple[str, str]]:
    """What a module reads of the classes."""
    reads = Reads()
    reads.visit(ast.parse(source))
    return reads.found


@pytest.fixture(scope="module")
def read() -> set[tuple[str, str]]:
    """What the server reads."""
    server = ROOT / "server" / "writeit"
    return {
        each
        for path in server.rglob("*.py")
        if path.relative_to(server).as_posix() not in DEFINED
        for each in reads_of(path.read_text("utf-8"))
    }


@pytest.mark.parametrize(
    ("owner", "field"),
    [
        (owner, field)
        for owner, kind in CLASSES.items()
        for field in kind.model_fields
        if field not in FOR_EDITORS
    ],
)
def test_every_setting_and_preference_is_read(
    read: set[tuple[str, str]], owner: str, field: str
) -> None:
    """By the server, from a value of that very class."""
    assert (owner, field) in read


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(run): return run.output", set()),
        ("def f(s: Settings): s.output = 1", set()),
        ("def f(s: Settings): return s.output", {("Settings", "output")}),
        ("def f(s: Settings): s = other(); return s.output", set()),
        (
            "async def f(c): return (await c.settings(x)).code_lens.enabled",
            {("Settings", "code_lens"), ("Toggle", "enabled")},
        ),
        (
            "def f(w):\n m = w.settings.models\n return m.default",
            {("Settings", "models"), ("ModelSettings", "default")},
        ),
    ],
)
def test_only_reads_from_the_class_itself_count(
    source: str, expected: set[tuple[str, str]]
) -> None:
    """An attribute of the same name elsewhere says nothing."""
    assert reads_of(source) == expected


@pytest.mark.parametrize("field", sorted(FOR_EDITORS))
def test_what_editors_act_on_is_read_by_one(field: str) -> None:
    """Where they act on it, not where they show or declare it."""
    read = re.compile(
        rf"\.{UserPreferences.model_fields[field].alias or camel(field)}\b"
    )
    sources = [
        path.read_text("utf-8")
        for root, kind in ((EXTENSION / "src", "*.ts"), (ROOT / "neovim", "*.lua"))
        for path in root.rglob(kind)
        if path.name not in SHOWN_ONLY
    ]
    assert any(read.search(text) for text in sources)


def camel(field: str) -> str:
    """The name on the wire."""
    first, *rest = field.split("_")
    return first + "".join(map(str.capitalize, rest))


def test_the_extension_declares_what_is_read() -> None:
    """The server's settings are sent to it; the extension reads each other one."""
    declared = declared_settings()
    sent = {f"writeit.{key}" for key in sent_to_the_server()}
    assert sent == {f"writeit.{key}" for key in settings_of(Settings)}
    source = "".join(p.read_text("utf-8") for p in (EXTENSION / "src").rglob("*.ts"))
    own = set(declared) - sent
    unread = {
        key
        for key in own
        if not re.search(
            rf"\.(get|inspect)(<[^(]*>)?\(\s*'{re.escape(key.removeprefix('writeit.'))}'",
            source,
        )
    }
    assert sent <= set(declared)
    assert not unread
    assert own >= {f"writeit.{key}" for key in (*CLIENT_SETTINGS, *USER_ONLY_SETTINGS)}
    for key in USER_ONLY_SETTINGS:
        assert declared[f"writeit.{key}"]["scope"] == "machine"


PLAIN = {"string", "boolean", "number", "integer"}


def declared_settings() -> dict[str, dict[str, Any]]:
    """The settings of all groups, by name."""
    package = json.loads((EXTENSION / "package.json").read_text("utf-8"))
    groups = package["contributes"]["configuration"]
    return {
        key: value for group in groups for key, value in group["properties"].items()
    }


@pytest.mark.parametrize("name", declared_settings())
def test_every_setting_can_be_changed_in_the_settings_editor(name: str) -> None:
    """It shows plain types, lists of strings, and numbers that may be empty."""
    setting = declared_settings()[name]
    kind = setting["type"]
    if isinstance(kind, list):
        assert kind[1:] == ["null"]
        assert kind[0] in {"number", "integer"}
    elif kind == "array":
        assert setting["items"] == {"type": "string"}
    else:
        # Models of single steps are lists in an object: no plain type.
        assert kind in PLAIN or name == "writeit.models.steps"
    assert setting["order"] > 0
    assert "enum" not in setting or setting["default"] in setting["enum"]


def sent_to_the_server() -> list[str]:
    """What the extension answers `workspace/configuration` with."""
    source = (EXTENSION / "src" / "settings.ts").read_text("utf-8")
    (listed,) = re.findall(r"SERVER_KEYS = \[(.*?)\]", source, re.DOTALL)
    return re.findall(r"'([\w.]+)'", listed)


def settings_of(kind: type[BaseModel], prefix: str = "") -> set[str]:
    """The settings of a section by their names on the wire."""
    found: set[str] = set()
    for field in kind.model_fields.values():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            found |= settings_of(inner, f"{prefix}{field.alias}.")
        else:
            found.add(f"{prefix}{field.alias}")
    return found
