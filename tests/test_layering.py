"""The layers of the package, as ARCHITECTURE.md lists them, and its class names."""

import ast
from collections import defaultdict
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "server" / "writeit"

MAY_IMPORT = {
    "text": set[str](),
    "domain": {"text"},
    "prompts": {"domain", "text"},
    "files": {"domain"},
    "trust": {"engine", "library", "ports", "files", "trust_record", "domain"},
    "trust_record": {"domain"},
    "ports": {"domain", "text"},
    "engine": {"ports", "prompts", "domain", "text"},
    "library": {"prompts", "domain", "text"},
    "export": {"prompts", "domain", "text"},
    "views": {"prompts", "domain", "text"},
    "storage": {"ports", "domain", "text"},
    "llm": {"ports", "domain", "text"},
    "lsp": {
        *("engine", "library", "views", "export"),
        *("ports", "prompts", "files", "trust", "domain", "text", "writeit"),
        "trust_record",
    },
    "cli": {
        *("engine", "library", "views", "export"),
        *("ports", "prompts", "files", "trust", "domain", "text", "writeit"),
        "trust_record",
    },
    "worker": {"llm", "ports", "domain"},
    "app": {
        "files",
        "worker",
        "storage",
        "llm",
        "lsp",
        "cli",
        "library",
        "trust",
        "export",
        "ports",
        "domain",
    },
    "__main__": {"app"},
    "__init__": set[str](),
}
"""Each package and the packages it may import; "writeit" is the version."""

LSP_LAYERS = (
    {"transports", "schema"},
    {"server"},
    {"commands", "features"},
    {"command"},
    {"session"},
    {"actions"},
    {"pages"},
    {"edits"},
    {"progress", "fallback_messages", "confirmations", "stale_runs", "findings"},
    {"folder"},
    {"typed_text"},
    {"documents"},
    {"editor_models"},
    {"client"},
    {"pygls_fixes", "framing"},
    {"messages"},
    {"store_protocol"},
    {"protocol"},
    {"library_shapes", "list_shapes"},
    {"shapes"},
    {"convert", "command_ids", "action"},
)
"""The layers inside `lsp`: a module imports only from layers below its own."""

ONLY_IN = {
    "pygls": {"lsp"},
    "lsprotocol": {"lsp"},
    "lmdb": {"storage"},
    "yaml": {"library", "export"},
    "litellm": {"llm/litellm_backend.py"},
    "httpx": {"llm"},
    "jinja2": {"prompts"},
    "keyring": {"llm"},
    "click": {"cli"},
    "markdown_it": {"text/block_reader.py"},
    "json_repair": {"text/remark_reader.py"},
    "mdit_py_plugins": {"text/block_reader.py"},
    "snowballstemmer": {"text/style_rules.py"},
}
"""Each library and the only places that may import it."""


def sources() -> list[Path]:
    """Return every module of the package."""
    return sorted(ROOT.rglob("*.py"))


def package_of(path: Path) -> str:
    """Return the package of a module: a folder or a file directly in `writeit`."""
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def module_of(path: Path) -> str:
    """Return the dotted name of a module."""
    parts = ["writeit", *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, *, local: bool = True) -> set[str]:
    """Return the dotted names a module imports, in type-checking blocks too.

    `local` includes imports inside functions.
    """
    names: set[str] = set()
    pending: list[ast.AST] = [ast.parse(path.read_text(encoding="utf-8"))]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        if local or not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            pending.extend(ast.iter_child_nodes(node))
    return names


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_package_imports_only_the_layers_below_it(path: Path) -> None:
    """No module imports against the arrows."""
    package = package_of(path)
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] != "writeit":
            continue
        is_package = (ROOT / parts[1]).is_dir() or (ROOT / f"{parts[1]}.py").is_file()
        target = parts[1] if is_package else "writeit"
        allowed = target == package or target in MAY_IMPORT[package]
        assert allowed, f"{package} imports {name}"


def test_inside_lsp_every_import_points_down() -> None:
    """Below commands and features nothing can get the session.

    `session` is above `actions`, `pages` and `edits` for that reason: they take
    `Documents` (which has the `Client`) and a `WorkspaceFolder`.
    """
    layers = {name: index for index, layer in enumerate(LSP_LAYERS) for name in layer}
    modules = [path for path in sources() if package_of(path) == "lsp"]
    names = {path.relative_to(ROOT / "lsp").parts[0] for path in modules}
    assert {name.removesuffix(".py") for name in names} == {*layers, "__init__"}
    for path in modules:
        name = path.relative_to(ROOT / "lsp").parts[0].removesuffix(".py")
        for imported in imports_of(path):
            target = imported.removeprefix("writeit.lsp.").split(".")[0]
            if imported.startswith("writeit.lsp.") and target != name:
                assert layers[name] < layers[target], f"{path.name}: {imported}"


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_library_is_imported_in_its_own_place_only(path: Path) -> None:
    """Each third-party library is behind the package that translates it."""
    module = path.relative_to(ROOT).as_posix()
    for name in imports_of(path):
        places = ONLY_IN.get(name.split(".")[0])
        if places is not None:
            assert any(
                module == place or module.startswith(f"{place}/") for place in places
            ), f"{module} imports {name}"


def test_every_package_is_listed() -> None:
    """A new package needs its own line in `MAY_IMPORT`."""
    assert {package_of(path) for path in sources()} == set(MAY_IMPORT)


def test_nothing_imports_the_composition_root() -> None:
    """Only `python -m writeit` starts from `app`."""
    for path in sources():
        if package_of(path) != "__main__":
            assert not any(n.startswith("writeit.app") for n in imports_of(path))


def test_no_modules_import_each_other_in_a_circle() -> None:
    """Imports for annotations count, too; those inside functions do not."""
    modules = {module_of(path): path for path in sources()}
    graph: dict[str, set[str]] = {}
    for module, path in modules.items():
        imported = imports_of(path, local=False)
        targets = {n if n in modules else n.rpartition(".")[0] for n in imported}
        graph[module] = {t for t in targets if t in modules and t != module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_no_class_name_is_used_twice() -> None:
    """One name, one thing."""
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in sources():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(path.relative_to(ROOT).as_posix())
    assert {name: where for name, where in places.items() if len(where) > 1} == {}


@pytest.mark.parametrize("path", sources(), ids=lambda p: str(p.relative_to(ROOT)))
def test_a_module_has_at_most_500_lines(path: Path) -> None:
    """A longer one has more than one purpose, and is divided by it."""
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500
