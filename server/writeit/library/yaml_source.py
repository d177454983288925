"""YAML as plain data, with the range of each node and the problems found.

The text is not trusted: it is safe-loaded, and its size, its depth and the nodes that
its aliases repeat are bounded.
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import yaml
from yaml.composer import Composer
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from writeit.text.lines import LINE_END

Severity = Literal["error", "warning", "information"]

ProblemCode = Literal[
    "",
    "yaml",
    "too-long",
    "key-twice",
    "unknown-key",
    "wrong-value",
    "secret",
    "unknown-pipeline",
    "unusable-pipeline",
    "unknown-primer",
    "unusable-primer",
    "wrong-input",
    "outside-workspace",
    "missing-file",
    "missing-input",
    "unknown-input",
    "unknown-step",
    "provider-not-allowed",
    "unread-block",
]
"""The rule of a problem; docs/front-matter.md lists them."""


@dataclass(frozen=True, slots=True, order=True)
class SourcePosition:
    """A position in a text; both numbers count from 0, `character` in code points."""

    line: int
    character: int


@dataclass(frozen=True, slots=True, order=True)
class SourceRange:
    """The text from `start` up to `end`."""

    start: SourcePosition
    end: SourcePosition


START_RANGE = SourceRange(SourcePosition(0, 0), SourcePosition(0, 0))
"""The range of a problem about the whole text."""


@dataclass(frozen=True, slots=True)
class SourceProblem:
    """A problem in a file, as an editor shows it."""

    uri: str
    message: str
    severity: Severity = "error"
    range: SourceRange = START_RANGE
    code: ProblemCode = field(default="", compare=False)
    """The rule, "" for a problem without one."""
    suggestions: tuple[str, ...] = field(default=(), compare=False)
    """Replacements for the text of the range, the nearest first."""

    def to_json(self) -> dict[str, Any]:
        """Return the problem as a JSON object."""
        start, end = self.range.start, self.range.end
        return {
            "uri": self.uri,
            "message": self.message,
            "severity": self.severity,
            "range": {
                "start": {"line": start.line, "character": start.character},
                "end": {"line": end.line, "character": end.character},
            },
        }


def has_errors(problems: tuple[SourceProblem, ...] | list[SourceProblem]) -> bool:
    """Return whether any of the problems is an error."""
    return any(problem.severity == "error" for problem in problems)


MAX_YAML_BYTES = 256 * 1024
MAX_YAML_DEPTH = 20
MAX_YAML_NODES = 20_000
"""The most nodes of a text, including those that aliases repeat."""

MAX_PROBLEMS = 50
"""The most problems of one text that are reported."""

YamlPath = tuple[str | int, ...]

_TAG_PREFIX = "tag:yaml.org,2002:"
_MERGE_TAG = f"{_TAG_PREFIX}merge"
_SCALAR_TAGS = {
    f"{_TAG_PREFIX}{name}"
    for name in ["str", "int", "float", "bool", "null", "timestamp"]
}


_SCALAR_ERRORS = (
    *(ValueError, LookupError, AttributeError, OverflowError),
    yaml.YAMLError,
)
"""What PyYAML raises for a value that its tag does not fit, such as `!!int ''`."""


class _UnsupportedYaml(yaml.MarkedYAMLError):
    """The text is YAML, but beyond the limits."""


class _LimitedComposer(Composer):
    """PyYAML's composer with a limit on the depth."""

    _depth = 0
    _merged = 0
    """How many keys the merge keys stand for."""
    nodes_left = 0
    peek_event: Callable[[], Any]

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:  # noqa: ANN401 -- PyYAML's own signature
        self._depth += 1
        self.nodes_left -= 1
        if self.nodes_left < 0:
            mark = self.peek_event().start_mark
            raise _UnsupportedYaml(problem="it has too many values", problem_mark=mark)
        if self._depth > MAX_YAML_DEPTH:
            mark = self.peek_event().start_mark
            raise _UnsupportedYaml(problem="nested too deeply", problem_mark=mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def compose_mapping_node(self, anchor: Any) -> MappingNode:  # noqa: ANN401 -- PyYAML's own signature
        """Compose a mapping and write out its merge keys; its own keys win."""
        node = super().compose_mapping_node(anchor)
        own = [pair for pair in node.value if pair[0].tag != _MERGE_TAG]
        merged = [value for key, value in node.value if key.tag == _MERGE_TAG]
        if len(merged) > 1:
            raise _UnsupportedYaml(
                problem="the merge key (<<) is duplicated; it takes a list",
                problem_mark=node.start_mark,
            )
        node.value = own
        names = {key.value for key, _ in own if isinstance(key, ScalarNode)}
        for value in merged:
            mappings = value.value if isinstance(value, SequenceNode) else [value]
            for mapping in mappings:
                self._merge(mapping, own, names)
        return node

    def _merge(
        self, mapping: Node, pairs: list[tuple[Node, Node]], names: set[str]
    ) -> None:
        if not isinstance(mapping, MappingNode) or mapping.value is pairs:
            raise _UnsupportedYaml(
                problem="a merge key (<<) takes other mappings",
                problem_mark=mapping.start_mark,
            )
        self._merged += len(mapping.value)
        if self._merged > MAX_YAML_NODES:
            raise _UnsupportedYaml(
                problem="its merge keys repeat too much",
                problem_mark=mapping.start_mark,
            )
        for key, value in mapping.value:
            if isinstance(key, ScalarNode) and key.value not in names:
                names.add(key.value)
                pairs.append((key, value))


class _LimitedLoader(_LimitedComposer, yaml.SafeLoader):
    """PyYAML's safe loader, whose errors are in PyYAML's words."""


_LIBYAML: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _FastLoader(_LimitedComposer, _LIBYAML):  # type: ignore[misc]  # either one
    """The same over libyaml, which reads a text in an eighth of the time."""

    def __init__(self, text: str) -> None:
        _LIBYAML.__init__(self, text)
        Composer.__init__(self)


@lru_cache(maxsize=4)
def _compose(text: str, max_nodes: int) -> Node | yaml.MarkedYAMLError | None:
    """Return the nodes of a text, or its error; the same text is often read again."""
    with suppress(yaml.YAMLError, UnicodeError):  # read again below, for its words
        return _read_node(_FastLoader(text), max_nodes)
    try:
        return _read_node(_LimitedLoader(text), max_nodes)
    except yaml.MarkedYAMLError as error:
        return error.with_traceback(None)


def _read_node(loader: _FastLoader | _LimitedLoader, max_nodes: int) -> Node | None:
    loader.nodes_left = max_nodes
    node: Node | None = loader.get_single_node()
    return node


class YamlLimits(NamedTuple):
    """How much YAML is read."""

    characters: int
    nodes: int


FILE_LIMITS = YamlLimits(MAX_YAML_BYTES, MAX_YAML_NODES)
FRONT_MATTER_LIMITS = YamlLimits(64 * 1024, 2_000)
"""Front matter is read between two messages, while other replies wait."""


class YamlSource:
    """One YAML text; errors are added to `problems`, not raised."""

    def __init__(
        self,
        text: str,
        uri: str,
        *,
        first_line: int = 0,
        limits: YamlLimits = FILE_LIMITS,
    ) -> None:
        self.text = text
        self.uri = uri
        self.problems: list[SourceProblem] = []
        self._first_line = first_line
        self._line_starts = [0, *(match.end() for match in LINE_END.finditer(text))]
        self._limits = limits
        self._nodes_left = limits.nodes
        self._scalar_loader = yaml.SafeLoader("")
        self.root = self._compose()

    def _compose(self) -> Node | None:
        if len(self.text) > self._limits.characters:
            kilobytes = self._limits.characters // 1024
            self.add_problem(
                f"This is too long: the limit is {kilobytes} KB.",
                self.index_range(0),
                code="too-long",
            )
            return None
        try:
            found = _compose(self.text, self._limits.nodes)
        except yaml.reader.ReaderError as error:
            location = self.index_range(error.position, error.position + 1)
            message = f"This cannot be read: {error.reason}."
            self.add_problem(message, location, code="yaml")
            return None
        if isinstance(found, yaml.MarkedYAMLError):
            self._add_yaml_error(found)
            return None
        return found

    def _add_yaml_error(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        index = mark.index if mark else 0
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        message = f"This is not valid YAML: {reason}."
        self.add_problem(message, self.index_range(index), code="yaml")

    def add_problem(
        self,
        message: str,
        location: SourceRange | Node,
        severity: Severity = "error",
        code: ProblemCode = "",
        suggestions: Sequence[str] = (),
    ) -> None:
        """Add a problem; for `code` and `suggestions` see `SourceProblem`."""
        if isinstance(location, Node):
            location = self.node_range(location)
        problem = SourceProblem(
            self.uri, message, severity, location, code, tuple(suggestions)
        )
        self.problems.append(problem)

    def data(self, node: Node | None = None) -> Any:  # noqa: ANN401 -- YAML holds anything
        """Return the data of `node` or of the whole text; None stands for errors."""
        node = node or self.root
        try:
            return None if node is None else self._node_data(node, 0)
        except _UnsupportedYaml as error:
            self._add_yaml_error(error)
        return None

    def _node_data(self, node: Node, depth: int) -> Any:  # noqa: ANN401 -- YAML holds anything
        self._nodes_left -= 1
        if self._nodes_left < 0 or depth > MAX_YAML_DEPTH:
            raise _UnsupportedYaml(
                problem="its aliases repeat too much", problem_mark=node.start_mark
            )
        if isinstance(node, MappingNode) and node.tag == f"{_TAG_PREFIX}map":
            return self._mapping_data(node, depth)
        if isinstance(node, SequenceNode) and node.tag == f"{_TAG_PREFIX}seq":
            return [self._node_data(item, depth + 1) for item in node.value]
        if isinstance(node, ScalarNode) and node.tag in _SCALAR_TAGS:
            return self._scalar_data(node)
        tag = node.tag.replace(_TAG_PREFIX, "!!")
        self.add_problem(f"The tag {tag!r} is not supported.", node, code="yaml")
        return None

    def _mapping_data(self, node: MappingNode, depth: int) -> dict[str, Any]:
        data: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value
            if not isinstance(key_node, ScalarNode):
                self.add_problem("A key must be text.", key_node, code="yaml")
            elif key in data:
                message = f"The key {key!r} is duplicated."
                self.add_problem(message, key_node, code="key-twice")
            else:
                data[key] = self._node_data(value_node, depth + 1)
        return data

    def _scalar_data(self, node: ScalarNode) -> Any:  # noqa: ANN401 -- YAML holds anything
        try:
            return self._scalar_loader.construct_object(node)
        except _SCALAR_ERRORS:
            kind = node.tag.removeprefix(_TAG_PREFIX)
            message = f"This is not a valid {kind}; if it is text, put it in quotes."
            self.add_problem(message, node, code="wrong-value")
            return None

    def position(self, index: int) -> SourcePosition:
        """Return the line and character of the text's character `index`."""
        line = bisect.bisect_right(self._line_starts, index) - 1
        return SourcePosition(line + self._first_line, index - self._line_starts[line])

    def index_range(self, start: int, end: int | None = None) -> SourceRange:
        """Return the range from index `start` to `end`, one character by default."""
        last = min(start + 1 if end is None else end, len(self.text))
        return SourceRange(self.position(min(start, last)), self.position(last))

    def node_range(self, node: Node) -> SourceRange:
        """Return the range of `node`, of a text of several lines its first line."""
        start, end = node.start_mark.index, node.end_mark.index
        first_line = LINE_END.search(self.text, start, end)
        return self.index_range(start, first_line.start() if first_line else end)

    def find_node(self, path: YamlPath) -> tuple[Node | None, Node | None]:
        """Return the key and value of the deepest node on `path`."""
        key, node = None, self.root
        for part in path:
            entry = _find_child(node, part)
            if entry is None:
                break
            key, node = entry
        return key, node

    def has_path(self, path: YamlPath) -> bool:
        """Return whether there is a node at `path`."""
        node = self.root
        for part in path:
            entry = _find_child(node, part)
            if entry is None:
                return False
            node = entry[1]
        return node is not None

    def path_range(self, path: YamlPath) -> SourceRange:
        """Return the range for a problem at `path`, whether the node exists or not."""
        _, node = self.find_node(path)
        if node is None:
            return self.index_range(0)
        return self.node_range(_representative_node(node))

    def iter_pairs(self, node: Node | None = None) -> Iterator[tuple[ScalarNode, Node]]:
        """Yield every key and value below `node` or in the whole text, once each."""
        seen: set[int] = set()
        pending = [node or self.root]
        while pending:
            node = pending.pop()
            if node is None or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node, SequenceNode):
                pending += node.value[::-1]
            elif isinstance(node, MappingNode):
                yield from ((k, v) for k, v in node.value if isinstance(k, ScalarNode))
                pending += [value for _, value in node.value[::-1]]


def _find_child(node: Node | None, part: str | int) -> tuple[Node | None, Node] | None:
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == part:
                return key, value
    items: Sequence[Node] = node.value if isinstance(node, SequenceNode) else ()
    if isinstance(part, int) and part < len(items):
        return None, items[part]
    return None


def _representative_node(node: Node) -> Node:
    """Return the node to mark for `node`: for a mapping its name or first key."""
    if not isinstance(node, MappingNode) or not node.value:
        return node
    name = _find_child(node, "name")
    return name[1] if name else node.value[0][0]


def template_range(
    source: YamlSource, node: ScalarNode, line: int, column: int, length: int = 1
) -> SourceRange:
    """Return the range of `length` characters at `line` and `column` of a scalar.

    Exact in literal blocks (`|`) and in scalars without folding or escapes; otherwise
    the range of the scalar.
    """
    if node.style == "|":
        start = _block_index(source.text, node, line, column)
    else:
        start = _inline_index(source.text, node, line, column)
    if start is None:
        return source.node_range(node)
    return source.index_range(start, start + length)


def _block_index(text: str, node: ScalarNode, line: int, column: int) -> int | None:
    """Return the index in `text`, after the header and the indentation."""
    raw = text[node.start_mark.index : node.end_mark.index].splitlines(keepends=True)
    lines = node.value.split("\n")
    if line + 1 >= len(raw) or line >= len(lines):
        return None
    start = node.start_mark.index + sum(map(len, raw[: line + 1]))
    # The extra characters of the block's line are its indentation.
    indentation = len(raw[line + 1].rstrip("\r\n")) - len(lines[line])
    if indentation < 0 or not raw[line + 1][indentation:].startswith(lines[line]):
        return None
    return start + indentation + min(column, len(lines[line]))


def _inline_index(text: str, node: ScalarNode, line: int, column: int) -> int | None:
    start = node.start_mark.index + (1 if node.style else 0)
    if line == 0 and text.startswith(node.value, start):
        return start + column
    return None
