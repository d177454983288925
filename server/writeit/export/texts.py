"""Plain data as a text: yaml that a person can read, or json."""

from __future__ import annotations

import json
import re
from typing import Any

import yaml

_WIDTH = 88
_UNSAFE = re.compile("[\x85\u2028\u2029\ufeff]")
"""YAML takes these for line breaks or drops them, unless they are escaped."""


def as_json(data: dict[str, Any]) -> str:
    """Return the data as JSON."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def as_yaml(data: dict[str, Any]) -> str:
    """Return the data as YAML; texts of several lines stand as they are."""
    return yaml.dump(
        data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH
    )


_Base: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The one in C, where PyYAML was built with it: a long history is a long file."""


class _Dumper(_Base):  # type: ignore[misc,valid-type]  # either has the same methods
    """Writes text of several lines as a block, and everything out: no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 -- PyYAML's own signature
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _UNSAFE.search(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)
