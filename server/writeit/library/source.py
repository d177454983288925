"""YAML with its places: plain data out of a text, and where each piece of it stands.

The text may be somebody else's: it is safe-loaded, and its size, its depth and what
its aliases repeat are bounded.
"""

from __future__ import annotations

import bisect
import re
from typing import TYPE_CHECKING, Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from writeit.library.problem import Position, Problem, Range

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from writeit.library.problem import Code, Severity

MAX_BYTES = 256 * 1024
MAX_DEPTH = 20
MAX_NODES = 20_000
"""Values a text may have once its aliases are followed."""

Loc = tuple[str | int, ...]

_LINE_END = re.compile(r"\r\n|\r|\n")
_PREFIX = "tag:yaml.org,2002:"
_SCALARS = {
    f"{_PREFIX}{name}" for name in ["str", "int", "float", "bool", "null", "timestamp"]
}


class _Refused(yaml.MarkedYAMLError):
    """The text is YAML, but not any that is read here."""


class _Loader(yaml.SafeLoader):
    """PyYAML's safe loader, refusing what is nested too deeply."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:  # noqa: ANN401 -- PyYAML's own signature
        self._depth += 1
        if self._depth > MAX_DEPTH:
            mark = self.get_mark()
            raise _Refused(problem="nested too deeply", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


class Source:
    """One YAML text. What cannot be read of it is in `problems`, never raised."""

    def __init__(self, text: str, uri: str, *, first_line: int = 0) -> None:
        self.text = text
        self.uri = uri
        self.problems: list[Problem] = []
        self._first_line = first_line
        self._line_starts = [0, *(match.end() for match in _LINE_END.finditer(text))]
        self._nodes_left = MAX_NODES
        self._scalars = yaml.SafeLoader("")
        self.root = self._composed()

    def _composed(self) -> Node | None:
        if len(self.text) > MAX_BYTES:
            kilobytes = MAX_BYTES // 1024
            self.add(
                f"This is longer than the {kilobytes} KB allowed.",
                self.range(0),
                code="too-long",
            )
            return None
        try:
            return yaml.compose(self.text, Loader=_Loader)
        except yaml.MarkedYAMLError as error:
            self._refuse(error)
        except yaml.reader.ReaderError as error:
            place = self.range(error.position, error.position + 1)
            self.add(f"This cannot be read: {error.reason}.", place, code="yaml")
        return None

    def _refuse(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        index = mark.index if mark else 0
        words = ", ".join(part for part in (error.context, error.problem) if part)
        message = f"This is not the YAML it should be: {words}."
        self.add(message, self.range(index), code="yaml")

    def add(
        self,
        message: str,
        place: Range | Node,
        severity: Severity = "error",
        code: Code = "",
        instead: Sequence[str] = (),
    ) -> None:
        """Note a problem at `place`; for `code` and `instead` see `Problem`."""
        where = place if isinstance(place, Range) else self.range_of(place)
        problem = Problem(self.uri, message, severity, where, code, tuple(instead))
        self.problems.append(problem)

    # --- data -------------------------------------------------------------------

    def data(self, node: Node | None = None) -> Any:  # noqa: ANN401 -- YAML holds anything
        """Return plain data of `node` (of the whole text), None where unreadable."""
        start = node or self.root
        if start is None:
            return None
        try:
            return self._plain(start, 0)
        except _Refused as error:
            self._refuse(error)
        return None

    def _plain(self, node: Node, depth: int) -> Any:  # noqa: ANN401 -- YAML holds anything
        self._nodes_left -= 1
        if self._nodes_left < 0 or depth > MAX_DEPTH:
            raise _Refused(
                problem="its aliases repeat too much", problem_mark=node.start_mark
            )
        if isinstance(node, MappingNode) and node.tag == f"{_PREFIX}map":
            return self._mapping(node, depth)
        if isinstance(node, SequenceNode) and node.tag == f"{_PREFIX}seq":
            return [self._plain(item, depth + 1) for item in node.value]
        if isinstance(node, ScalarNode) and node.tag in _SCALARS:
            return self._scalar(node)
        tag = node.tag.replace(_PREFIX, "!!")
        self.add(f"The tag {tag!r} has no meaning here.", node, code="yaml")
        return None

    def _mapping(self, node: MappingNode, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, ScalarNode):
                self.add("A key must be a plain word.", key_node, code="yaml")
            elif key in found:
                message = f"The key {key!r} is there twice."
                self.add(message, key_node, code="key-twice")
            else:
                found[key] = self._plain(value_node, depth + 1)
        return found

    def _scalar(self, node: ScalarNode) -> Any:  # noqa: ANN401 -- YAML holds anything
        try:
            return self._scalars.construct_object(node)
        except (ValueError, OverflowError, yaml.YAMLError):
            kind = node.tag.removeprefix(_PREFIX)
            message = f"This looks like a {kind} and is none; put it in quotes."
            self.add(message, node, code="wrong-value")
            return None

    # --- places -----------------------------------------------------------------

    def position(self, index: int) -> Position:
        """Return the line and character of the text's character `index`."""
        line = bisect.bisect_right(self._line_starts, index) - 1
        return Position(line + self._first_line, index - self._line_starts[line])

    def range(self, start: int, end: int | None = None) -> Range:
        """Return the range from index `start` to `end`, one character by default."""
        last = min(start + 1 if end is None else end, len(self.text))
        first = min(start, last)
        return Range(self.position(first), self.position(last))

    def range_of(self, node: Node) -> Range:
        """Return where `node` stands, a text of several lines by its first."""
        start, end = node.start_mark.index, node.end_mark.index
        first_line = _LINE_END.search(self.text, start, end)
        return self.range(start, first_line.start() if first_line else end)

    def find(self, loc: Loc) -> tuple[Node | None, Node | None]:
        """Return the key (if it has one) and the value at `loc`, as far as it goes."""
        key, node = None, self.root
        for part in loc:
            entry = _entry(node, part)
            if entry is None:
                break
            key, node = entry
        return key, node

    def has(self, loc: Loc) -> bool:
        """Say whether there is anything at `loc`."""
        node = self.root
        for part in loc:
            entry = _entry(node, part)
            if entry is None:
                return False
            node = entry[1]
        return node is not None

    def place_of(self, loc: Loc) -> Range:
        """Return where to show a problem with what is, or should be, at `loc`."""
        _, node = self.find(loc)
        if node is None:
            return self.range(0)
        return self.range_of(_handle(node))

    def pairs(self, node: Node | None = None) -> Iterator[tuple[ScalarNode, Node]]:
        """Yield every key and value below `node` (below all), each node once."""
        seen: set[int] = set()
        waiting = [node or self.root]
        while waiting:
            each = waiting.pop()
            if each is None or id(each) in seen:
                continue
            seen.add(id(each))
            if isinstance(each, SequenceNode):
                waiting += each.value[::-1]
            elif isinstance(each, MappingNode):
                yield from ((k, v) for k, v in each.value if isinstance(k, ScalarNode))
                waiting += [value for _, value in each.value[::-1]]


def _entry(node: Node | None, part: str | int) -> tuple[Node | None, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key, value
    items: Sequence[Node] = node.value if isinstance(node, SequenceNode) else ()
    if isinstance(part, int) and part < len(items):
        return None, items[part]
    return None


def _handle(node: Node) -> Node:
    """Return what stands for `node` on one line: a mapping is known by its name."""
    if not isinstance(node, MappingNode) or not node.value:
        return node
    name = _entry(node, "name")
    return name[1] if name else node.value[0][0]
