"""A `writeit` block inserted into a document, or completed.

Existing front matter is kept with its comments and order; only missing keys are added.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache

from yaml.nodes import MappingNode, Node

from writeit.domain.errors import InvalidParams, InvalidPipeline, NotFound
from writeit.domain.pipeline import InputSpec, PipelineConfiguration
from writeit.library.front_matter import WRITEIT_KEY, split_front_matter
from writeit.library.yaml_source import YamlSource
from writeit.text.front_matter import find_front_matter
from writeit.text.lines import LINE_END, first_line_end

InputValues = Mapping[str, str | int | float | bool]
"""Values of inputs by name."""

YamlKeys = dict[str, "str | YamlKeys"]
"""Keys to write, with their scalars as YAML text."""

_NULL_TAG = "tag:yaml.org,2002:null"
_PLAIN_SCALAR = re.compile(r"[a-zA-Z][\w-]*(?: [\w-]+)*")
_RESERVED_SCALARS = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def with_front_matter(
    text: str,
    configuration: PipelineConfiguration,
    inputs: InputValues | None = None,
    primer: str | None = None,
) -> str:
    """Return `text` with front matter that has a pipeline, its inputs and a primer.

    `inputs` replace the defaults; existing values are kept.

    Raises:
        InvalidParams: the front matter is not YAML.
        InvalidPipeline: the existing front matter cannot be read or completed.
        NotFound: the pipeline has no such input.
    """
    front_matter = split_front_matter(text)
    if front_matter.dialect not in {None, "YAML"}:
        raise _wrong_dialect(front_matter.dialect)
    keys = _config_keys(configuration, inputs or {})
    keys |= {"primer": primer} if primer else {}
    found = find_front_matter(front_matter.head)
    line_end = first_line_end(found.open if found else text)
    if found is None:
        block = _format_block(keys, 2, line_end)
        fence = f"---{line_end}"
        new = f"{fence}{WRITEIT_KEY}:{line_end}{block}{fence}"
        result = front_matter.head + new + front_matter.body
    else:
        content = _complete_yaml(found.content, keys, line_end)
        completed = replace(found, content=content)
        result = completed.head + front_matter.body
    return _check_preserved(text, result, configuration.name)


@lru_cache(maxsize=16)
def can_insert_block(head: str) -> bool:
    """Return whether front matter has no `writeit` block and can take one."""
    found = find_front_matter(head)
    existing = split_front_matter(head)
    if found is None or not existing.is_valid:
        return existing.is_valid
    if found.dialect != "YAML" or existing.source is not None:
        return False
    content = f"{found.content}{WRITEIT_KEY}:\n"
    return split_front_matter(replace(found, content=content).head).source is not None


def _wrong_dialect(dialect: str | None) -> InvalidParams:
    where = (
        "in a `writeit` table there" if dialect != "Pandoc" else "when you start a run"
    )
    return InvalidParams(
        f"The document begins with {dialect} front matter. A `writeit:` block is YAML,"
        " so it was not inserted.",
        hint=f"Set the pipeline and its inputs {where}.",
        problems=[{"path": "uri", "message": f"has {dialect} front matter"}],
    )


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


def _complete_yaml(yaml: str, keys: YamlKeys, line_end: str) -> str:
    """Return existing YAML with the missing keys; `line_end` is that of its fence.

    New lines have the line end of the line above them.
    """
    root = YamlSource(yaml, "").root
    node = _find_value(root, WRITEIT_KEY) if isinstance(root, MappingNode) else None
    end = len(yaml) if node is None else node.start_mark.index
    if node is not None and node.tag == _NULL_TAG and (below := yaml[end:]):
        end += len(below.splitlines(keepends=True)[0])
    line_end = (LINE_END.findall(yaml, 0, end) or [line_end])[-1]
    if node is None:
        return f"{yaml}{WRITEIT_KEY}:{line_end}{_format_block(keys, 2, line_end)}"
    edits = _missing_edits(yaml, node, keys, line_end, 0)
    for start, end, new in sorted(edits, reverse=True):
        yaml = yaml[:start] + new + yaml[end:]
    return yaml


YamlEdit = tuple[int, int, str]
"""The start and end of what is replaced, and the new text."""


def _missing_edits(
    yaml: str, node: Node, keys: YamlKeys, line_end: str, indent: int
) -> list[YamlEdit]:
    """Return the edits after which `node` has `keys`."""
    if node.tag == _NULL_TAG:
        return _fill_empty(yaml, node, _format_block(keys, indent + 2, line_end))
    if not isinstance(node, MappingNode):
        return []  # `_check_preserved` reports it
    absent = {
        key: value for key, value in keys.items() if _find_value(node, key) is None
    }
    column = node.value[0][0].start_mark.column if node.value else 0
    edits = []
    for key, value in keys.items():
        inner = _find_value(node, key)
        if inner is not None and not isinstance(value, str):
            edits += _missing_edits(yaml, inner, value, line_end, column)
    if not absent:
        return edits
    if node.flow_style:
        flow = _format_flow(absent) + (", " if node.value else "")
        start = node.start_mark.index + 1
        return [*edits, (start, start, flow)]
    block = _format_block(absent, column, line_end).lstrip(" ") + " " * column
    start = node.value[0][0].start_mark.index
    return [*edits, (start, start, block)]


def _fill_empty(yaml: str, node: Node, block: str) -> list[YamlEdit]:
    """Return the edits that put a block below a key without a value, or with `~`.

    A comment stays on the key's line.
    """
    start, end = node.start_mark.index, node.end_mark.index
    line_end = LINE_END.search(yaml, end)
    below = line_end.end() if line_end else len(yaml)
    edits = [(below, below, block)]
    if end > start:
        edits.append((len(yaml[:start].rstrip(" ")), end, ""))
    return edits


def _find_value(node: MappingNode, key: str) -> Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _check_preserved(original: str, completed: str, pipeline: str) -> str:
    """Return `completed` if it keeps the text and the keys of `original`."""
    old, new = split_front_matter(original), split_front_matter(completed)
    kept = (old.raw_config or {}).keys() <= (new.raw_config or {}).keys()
    was_read = old.is_valid or old.raw_config == {}  # `writeit:` without a value
    is_same = was_read and new.is_valid and old.body == new.body and kept
    if is_same and new.config.pipeline == pipeline:
        return completed
    problems = old.problems or new.problems
    where = (
        f" because of line {problems[0].range.start.line + 1}" if old.problems else ""
    )
    raise InvalidPipeline(
        f"The front matter cannot be completed automatically{where}.",
        hint="Correct its errors, or the name of another pipeline in it, or write"
        " `writeit:` on its own line.",
        problems=[problem.to_json() for problem in problems],
    )
