"""Random changes of JSON, of texts and of bytes."""

from __future__ import annotations

import random
from typing import Any

VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 7, 0.5, 2**31, 2**63, 10**30, 1e308, [], {}, [[]]),
    *(
        "",
        " ",
        "x" * 10_000,
        "\x00",
        "\ud83d",
        "\u202e",
        "../../etc",
        "%00",
        "file://[",
    ),
    *("file:///a%00b", "untitled:a", "writeit:/run/x", "../x.md", "openai/gpt-4o"),
    *("http://[::1", "0001-01-01T00:00:00+14:00", "tech-article", "angles", "full"),
    *({"line": -1, "character": 2**40}, {"start": {}, "end": {}}, ["a", None, 1]),
)


def mutate_value(value: Any, chance: random.Random) -> Any:
    """Return JSON with one to three places changed."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        value = _mutate_place(value, chance)
    return value


def _mutate_place(value: Any, chance: random.Random) -> Any:  # noqa: PLR0911 -- one a way
    if isinstance(value, dict) and value and chance.random() < 0.85:
        key = chance.choice([*value])
        match chance.randrange(10):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                added = chance.choice(("x", "", "uri", key.upper()))
                return {**value, added: value[key]}
            case _:
                return {**value, key: _mutate_place(value[key], chance)}
    if isinstance(value, list) and value and chance.random() < 0.85:
        index = chance.randrange(len(value))
        if chance.random() < 0.1:
            return value * 3
        return [
            *value[:index],
            _mutate_place(value[index], chance),
            *value[index + 1 :],
        ]
    if isinstance(value, str) and chance.random() < 0.4:
        return mutate_text(value, chance)
    picked = chance.choice(VALUES)
    for _ in range(chance.choice((0, 0, 0, 0, 500))):
        picked = [picked]
    return picked


TOKENS = (
    *("&a ", "*a", "<<: *a", "<<: [*a, *a]", "!!python/object:os.system x", "!!int ''"),
    *("{", "}", "[", "]", "[" * 50, "? ", "- ", ": ", "|", ">-\n", "'", '"', "#", "%"),
    *("\t", "\x00", "\x85", "\u2028", "\ufeff", "\u202e", "\r", "\n", "\r\n", "\ud800"),
    *("---\n", "...\n", "+++\n", "{{", "}}", "{% for i in range(9) %}", "{% endif %}"),
    *("9" * 400, ".inf", "-.nan", "0x_", "0o8", "1:2:3", "2026-99-99", "1e999", "~"),
    *("2026-01-01T25:61:61Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    *("!!timestamp x", "!!bool x", "!!float ''", "!!null x", "!!binary x", "!!set {a}"),
    *("writeit:", "providers:", "\\ud800", "\\x00", "null", "[writeit]", "a.b = 1\n"),
)


def mutate_text(text: str, chance: random.Random, other: str = "") -> str:
    """Return a text with a part removed, repeated, replaced or moved."""
    start = chance.randrange(len(text) + 1)
    end = min(len(text), start + chance.choice((0, 1, 1, 5, 40, 400)))
    match chance.randrange(7):
        case 0:
            return text[:start] + text[end:]
        case 1:
            return text[:end] + text[start:end] * chance.choice((1, 3, 50)) + text[end:]
        case 2 if other:
            place = chance.randrange(len(other))
            return text[:start] + other[place : place + 200] + text[end:]
        case 3:
            return text[:start] + chr(chance.randrange(1, 0x2100)) + text[end:]
        case 4:
            lines = text.splitlines(keepends=True) or [""]
            moved = lines.pop(chance.randrange(len(lines)))
            lines.insert(
                chance.randrange(len(lines) + 1), " " * chance.randrange(4) + moved
            )
            return "".join(lines)
        case _:
            return text[:start] + chance.choice(TOKENS) + text[end:]


def mutate_bytes(body: bytes, chance: random.Random) -> bytes:
    """Return bytes with some replaced, removed or repeated."""
    changed = bytearray(body)
    for _ in range(chance.choice((1, 2, 8))):
        index = chance.randrange(len(changed))
        match chance.randrange(3):
            case 0:
                changed[index] = chance.randrange(256)
            case 1:
                del changed[index : index + chance.choice((1, 10, 100))]
            case _:
                changed[index:index] = bytes(
                    [chance.randrange(256)]
                ) * chance.randrange(9)
        changed = changed or bytearray(b" ")
    return bytes(changed)
