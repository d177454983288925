"""The manifest of the VS Code extension: what the marketplace and the editor show."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

EXTENSION = Path(__file__).parents[2] / "vscode-extension"
MANIFEST = json.loads((EXTENSION / "package.json").read_text("utf-8"))
TEXTS: dict[str, str] = json.loads((EXTENSION / "package.nls.json").read_text("utf-8"))
SHOWN = re.compile(r"title|label|contents|description|altText|markdown\w*Descriptions?")
PRODUCT = "WriteIt"


def strings(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string with the key that it, or its list, is the value of."""
    if isinstance(value, str):
        yield key, value
    elif isinstance(value, list):
        for each in value:
            yield from strings(each, key)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from strings(each, name)


def test_every_text_that_users_read_can_be_translated() -> None:
    """It is a key of package.nls.json, and each key there is used."""
    values = list(strings(MANIFEST))
    plain = {text for key, text in values if SHOWN.fullmatch(key) and text[:1] != "%"}
    assert plain == {PRODUCT}
    used = {text[1:-1] for _, text in values if re.fullmatch(r"%[^%]+%", text)}
    assert used == set(TEXTS)


def test_no_two_commands_have_the_same_keys() -> None:
    """All are one chord: the same first stroke, then one more key."""
    keys = [entry["key"] for entry in MANIFEST["contributes"]["keybindings"]]
    assert len(set(keys)) == len(keys)
    assert all(
        re.fullmatch(r"ctrl\+alt\+w (\w|up|down|ctrl\+alt\+w)", key) for key in keys
    )
    commands = {entry["command"] for entry in MANIFEST["contributes"]["commands"]}
    assert {
        each["command"] for each in MANIFEST["contributes"]["keybindings"]
    } <= commands
