"""A `writeit` block inserted into a document, or completed.

Existing front matter is kept with its comments and order; only missing keys are added.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from yaml.nodes import MappingNode, Node, ScalarNode

from writeit.domain.errors import InvalidPipeline, NotFound
from writeit.domain.pipeline import InputSpec, PipelineConfiguration
from writeit.library.front_matter import WRITEIT_KEY, split_front_matter
from writeit.library.yaml_source import YamlSource
from writeit.text.markdown import BOM

InputValues = Mapping[str, str | int | float | bool]
"""Values of inputs by name."""

YamlKeys = dict[str, "str | YamlKeys"]
"""Keys to write, with their scalars as YAML text."""

_PLAIN_SCALAR = re.compile(r"[a-zA-Z][\w-]*(?: [\w-]+)*")
_RESERVED_SCALARS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def with_front_matter(
    text: str, configuration: PipelineConfiguration, inputs: InputValues | None = None
) -> str:
    """Return `text` with front matter that has a pipeline and its inputs.

    `inputs` replace the defaults; existing values are kept.

    Raises:
        InvalidPipeline: the existing front matter cannot be read or completed.
        NotFound: the pipeline has no such input.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    front_matter = split_front_matter(text)
    keys = _config_keys(configuration, inputs or {})
    if not front_matter.head.strip(BOM):
        block = f"---{end}{WRITEIT_KEY}:{end}{_format_block(keys, 2, end)}---{end}"
        result = front_matter.head + block + front_matter.body
    else:
        result = (
            _complete_front_matter(front_matter.head, keys, end) + front_matter.body
        )
    return _check_preserved(text, result, configuration.name)


def _config_keys(configuration: PipelineConfiguration, values: InputValues) -> YamlKeys:
    names = [spec.name for spec in configuration.inputs]
    for name in values:
        if name not in names:
            raise NotFound.with_suggestions("input", name, names)
    keys: YamlKeys = {"pipeline": configuration.name}
    inputs: YamlKeys = {
        spec.name: format_scalar(values[spec.name])
        if spec.name in values
        else _default_scalar(spec)
        for spec in configuration.inputs
        if spec.name in values
        or (spec.source is None and (spec.required or spec.default is not None))
    }
    return keys | ({"inputs": inputs} if inputs else {})


def _default_scalar(spec: InputSpec) -> str:
    if spec.default is not None:
        return format_scalar(spec.default)
    return format_scalar(spec.options[0] if spec.options else "")


def format_scalar(value: str | float | bool) -> str:
    """Return a value as a YAML scalar."""
    if isinstance(value, str) and (
        not _PLAIN_SCALAR.fullmatch(value) or value.lower() in _RESERVED_SCALARS
    ):
        return json.dumps(value, ensure_ascii=False)  # YAML's double quotes
    return json.dumps(value) if not isinstance(value, str) else value


def _format_block(keys: YamlKeys, indent: int, line_end: str) -> str:
    lines = []
    for key, value in keys.items():
        if isinstance(value, str):
            lines.append(f"{' ' * indent}{key}: {value}{line_end}")
        else:
            inner = _format_block(value, indent + 2, line_end)
            lines.append(f"{' ' * indent}{key}:{line_end}{inner}")
    return "".join(lines)


def _format_flow(keys: YamlKeys) -> str:
    return ", ".join(
        f"{key}: {value if isinstance(value, str) else '{' + _format_flow(value) + '}'}"
        for key, value in keys.items()
    )


def _complete_front_matter(head: str, keys: YamlKeys, line_end: str) -> str:
    """Return existing front matter with the missing keys."""
    start = re.search(r"\r\n|\r|\n", head)
    offset = start.end() if start else len(head)
    root = YamlSource(head[offset:].rpartition("---")[0], "").root
    node = _find_value(root, WRITEIT_KEY) if isinstance(root, MappingNode) else None
    if node is None:
        closing = re.search(r"(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n)?\Z", head)
        end = closing.start() if closing else len(head)
        block = f"{WRITEIT_KEY}:{line_end}{_format_block(keys, 2, line_end)}"
        return head[:end] + block + head[end:]
    insertions = _missing_insertions(node, keys, line_end, 0)
    for index, new in sorted(insertions, reverse=True):
        head = head[: offset + index] + new + head[offset + index :]
    return head


def _missing_insertions(
    node: Node, keys: YamlKeys, line_end: str, indent: int
) -> list[tuple[int, str]]:
    """Return the offsets and texts to insert so that `node` has `keys`."""
    if isinstance(node, ScalarNode) and not node.value:
        block = line_end + _format_block(keys, indent + 2, line_end).rstrip()
        return [(node.start_mark.index, block)]
    if not isinstance(node, MappingNode):
        return []  # `_check_preserved` reports it
    absent = {
        key: value for key, value in keys.items() if _find_value(node, key) is None
    }
    column = node.value[0][0].start_mark.column if node.value else 0
    insertions = []
    for key, value in keys.items():
        inner = _find_value(node, key)
        if inner is not None and not isinstance(value, str):
            insertions += _missing_insertions(inner, value, line_end, column)
    if not absent:
        return insertions
    if node.flow_style:
        flow = _format_flow(absent) + (", " if node.value else "")
        return [*insertions, (node.start_mark.index + 1, flow)]
    block = _format_block(absent, column, line_end).lstrip(" ") + " " * column
    return [*insertions, (node.value[0][0].start_mark.index, block)]


def _find_value(node: MappingNode, key: str) -> Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _check_preserved(original: str, completed: str, pipeline: str) -> str:
    """Return `completed` if it keeps the text and the keys of `original`."""
    old, new = split_front_matter(original), split_front_matter(completed)
    kept = (old.raw_config or {}).keys() <= (new.raw_config or {}).keys()
    is_same = old.is_valid and new.is_valid and old.body == new.body and kept
    if not is_same or new.config.pipeline != pipeline:
        raise InvalidPipeline(
            "The front matter cannot be completed automatically.",
            hint="Correct its errors, or the name of another pipeline in it, or write"
            " `writeit:` on its own line.",
            problems=[problem.to_json() for problem in (old.problems or new.problems)],
        )
    return completed
