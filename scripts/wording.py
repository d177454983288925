"""Collect every text of the server that a user can read.

`python scripts/wording.py` rewrites tests/golden/wording.txt, where each line has a
module and a text; `{}` stands for a value that is filled in.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
SERVER = ROOT / "server" / "writeit"
GOLDEN = ROOT / "tests" / "golden" / "wording.txt"

_NOT_SHOWN = {"Literal", "TypeVar", "compile", "getattr", "getLogger", "cast", "open"}
"""Calls and subscripts whose strings no user reads."""
_VOCABULARIES = {"text/amounts.py", "text/moments.py", "text/language.py"}
"""Modules with words that texts are searched for; they show nothing."""
_SQL = ("CREATE ", "DELETE FROM ", "FROM ", "INSERT ", "SELECT ", "UPDATE ")


def collect_wording() -> str:
    """Return the texts of all modules, sorted by module and text."""
    lines: set[str] = set()
    for path in SERVER.rglob("*.py"):
        module = path.relative_to(SERVER).as_posix()
        if module in _VOCABULARIES:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        lines |= {f"{module}: {text}" for text in _texts(tree) if _is_wording(text)}
    return "".join(f"{line}\n" for line in sorted(lines))


def _texts(node: ast.AST) -> Iterator[str]:
    """Yield the strings below a node, apart from docstrings that are not shown."""
    match node:
        case ast.Constant(value=str(text)):
            yield " ".join(text.split())
        case ast.JoinedStr():
            yield " ".join(_joined_text(node).split())
            for part in node.values:
                if isinstance(part, ast.FormattedValue):
                    yield from _texts(part.value)
        case ast.BinOp(op=ast.Add()) if (joined := _sum_text(node)) is not None:
            yield " ".join(joined.split())
        case ast.Expr(value=ast.Constant()):
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            is_async = isinstance(node, ast.AsyncFunctionDef)
            if any(
                _name(decorator) in ({"verb"} if is_async else {"command", "group"})
                for decorator in node.decorator_list
            ):
                yield " ".join((ast.get_docstring(node) or "").split())
            yield from _child_texts(node)
        case ast.Call() | ast.Subscript() if _name(node) in _NOT_SHOWN:
            return
        case _:
            yield from _child_texts(node)


def _child_texts(node: ast.AST) -> Iterator[str]:
    for child in ast.iter_child_nodes(node):
        yield from _texts(child)


def _joined_text(node: ast.JoinedStr) -> str:
    return "".join(
        str(part.value) if isinstance(part, ast.Constant) else "{}"
        for part in node.values
    )


def _sum_text(node: ast.expr) -> str | None:
    """Return the text of strings joined by `+`, None for other sums."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr():
            return _joined_text(node)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            first, second = _sum_text(left), _sum_text(right)
            return None if first is None or second is None else first + second
    return None


def _name(node: ast.expr) -> str:
    """Return the last name of a call, a subscript or a decorator."""
    match node:
        case ast.Call(func=inner) | ast.Subscript(value=inner):
            return _name(inner)
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return ""


def _is_wording(text: str) -> bool:
    """Return whether a string is a sentence or a phrase, not an id or a pattern."""
    words = text.replace("{}", " ").split()
    letters = sum(character.isalpha() or character == " " for character in text)
    is_phrase = len(words) > 1 and any(
        word.isalpha() and word.islower() for word in words
    )
    is_title = len(words) == 1 and text[:1].isupper() and text[1:].islower()
    is_readable = letters > len(text) / 2 and not text.startswith(_SQL)
    return (is_phrase or is_title) and is_readable


if __name__ == "__main__":
    GOLDEN.parent.mkdir(exist_ok=True)
    GOLDEN.write_text(collect_wording(), encoding="utf-8")
