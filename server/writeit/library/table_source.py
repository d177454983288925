"""TOML and JSON front matter, read as YAML."""

from __future__ import annotations

import json
import tomllib
from typing import Any

from writeit.library.front_matter_guard import find_key
from writeit.library.yaml_source import (
    FRONT_MATTER_LIMITS,
    SourcePosition,
    SourceRange,
    YamlSource,
)
from writeit.text.front_matter import FrontMatterText
from writeit.text.lines import LINE_END


class TableSource(YamlSource):
    """The `writeit` table of TOML or JSON, as YAML.

    Its problems are shown on the table's first line, without suggestions: no range
    of the table's text is known.
    """

    def __init__(self, found: FrontMatterText, uri: str, first_line: int) -> None:
        above = LINE_END.split(found.content[: find_key(found.content) or 0])
        line = LINE_END.split(found.content)[len(above) - 1]
        number = first_line + len(above) - 1
        self._start = SourcePosition(number, 0)
        self._end = SourcePosition(number, len(line))
        self.data_of_all, error = _read_table(found)
        """The data of the whole front matter."""
        ours = self.data_of_all.keys() & {"writeit"}
        table = {key: self.data_of_all[key] for key in ours}
        super().__init__(json.dumps(table, ensure_ascii=False, default=str), uri)
        if error:
            message = f"This is not valid {found.dialect}: {error}."
            self.add_problem(message, self.index_range(0), code="yaml")
            self.root = None

    def index_range(self, start: int, end: int | None = None) -> SourceRange:
        """Return the first line of the table, whatever the range in it."""
        del start, end
        return SourceRange(self._start, self._end)


def _read_table(found: FrontMatterText) -> tuple[dict[str, Any], str]:
    """Return the data of TOML or JSON, and why the text is invalid."""
    most = FRONT_MATTER_LIMITS.characters
    if len(found.content) > most:
        return {}, f"it is longer than {most // 1024} KB"
    try:
        if found.dialect == "TOML":
            return tomllib.loads(LINE_END.sub("\n", found.content)), ""
        data = json.loads(found.content, object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        return {}, str(error)
    return data, ""


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, value in pairs:
        if name in data:
            raise ValueError(f"the key {name!r} is duplicated")
        data[name] = value
    return data
