"""Front matter written for the writer: a block that binds her text to a pipeline.

What stands there stays as it stands, comments and order included: only what is missing
is put in, where it belongs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from yaml.nodes import MappingNode, Node, ScalarNode

from writeit.core.errors import InvalidPipeline, NotFound
from writeit.library.frontmatter import BOM, KEY, split
from writeit.library.source import Source

if TYPE_CHECKING:
    from writeit.core.pipeline import InputSpec, PipelineConfiguration

Inputs = Mapping[str, str | int | float | bool]
"""Values of inputs by name."""

Keys = dict[str, "str | Keys"]
"""YAML to be written: keys with their scalars, as they are written."""

_PLAIN = re.compile(r"[a-zA-Z][\w-]*(?: [\w-]+)*")
_WORDS_OF_YAML = {"true", "false", "yes", "no", "on", "off", "null", "y", "n"}


def bound(
    text: str, configuration: PipelineConfiguration, inputs: Inputs | None = None
) -> str:
    """Return `text` with front matter that names a pipeline and has its inputs.

    `inputs` are written instead of defaults where nothing stands yet.

    Raises:
        InvalidPipeline: what stands there cannot be read, or be completed.
        NotFound: the pipeline has no such input.
    """
    end = "\r\n" if "\r\n" in text else "\n"
    front_matter = split(text)
    keys = _keys(configuration, inputs or {})
    if not front_matter.head.strip(BOM):
        block = f"---{end}{KEY}:{end}{_block(keys, 2, end)}---{end}"
        result = front_matter.head + block + front_matter.body
    else:
        result = _completed(front_matter.head, keys, end) + front_matter.body
    return _checked(text, result, configuration.name)


def _keys(configuration: PipelineConfiguration, given: Inputs) -> Keys:
    names = [spec.name for spec in configuration.inputs]
    for name in given:
        if name not in names:
            raise NotFound.among("input", name, names)
    keys: Keys = {"pipeline": configuration.name}
    inputs: Keys = {
        spec.name: scalar(given[spec.name]) if spec.name in given else _value(spec)
        for spec in configuration.inputs
        if spec.name in given or _is_written(spec)
    }
    return keys | ({"inputs": inputs} if inputs else {})


def _is_written(spec: InputSpec) -> bool:
    return spec.source is None and (spec.required or spec.default is not None)


def _value(spec: InputSpec) -> str:
    if spec.default is not None:
        return scalar(spec.default)
    return scalar(spec.options[0] if spec.options else "")


def scalar(value: str | float | bool) -> str:
    """Write a value so that YAML reads it as it is."""
    if isinstance(value, str) and (
        not _PLAIN.fullmatch(value) or value.lower() in _WORDS_OF_YAML
    ):
        return json.dumps(value, ensure_ascii=False)  # YAML's double quotes
    return json.dumps(value) if not isinstance(value, str) else value


def _block(keys: Keys, indent: int, end: str) -> str:
    written = []
    for key, value in keys.items():
        if isinstance(value, str):
            written.append(f"{' ' * indent}{key}: {value}{end}")
        else:
            inner = _block(value, indent + 2, end)
            written.append(f"{' ' * indent}{key}:{end}{inner}")
    return "".join(written)


def _flow(keys: Keys) -> str:
    return ", ".join(
        f"{key}: {value if isinstance(value, str) else '{' + _flow(value) + '}'}"
        for key, value in keys.items()
    )


def _completed(head: str, keys: Keys, end: str) -> str:
    """Put what is missing into front matter that is there."""
    start = re.search(r"\r\n|\r|\n", head)
    offset = start.end() if start else len(head)
    source = Source(head[offset:].rpartition("---")[0], "")
    root = source.root
    found = _find(root, KEY) if isinstance(root, MappingNode) else None
    if found is None:
        closing = re.search(r"(?:---|\.\.\.)[ \t]*(?:\r\n|\r|\n)?\Z", head)
        at = closing.start() if closing else len(head)
        return head[:at] + f"{KEY}:{end}{_block(keys, 2, end)}" + head[at:]
    for at, new in sorted(_missing(found, keys, end, 0), reverse=True):
        head = head[: offset + at] + new + head[offset + at :]
    return head


def _missing(node: Node, keys: Keys, end: str, indent: int) -> list[tuple[int, str]]:
    """Return what to put where so that `node` has `keys`; what it has stays."""
    if isinstance(node, ScalarNode) and not node.value:
        return [(node.start_mark.index, end + _block(keys, indent + 2, end).rstrip())]
    if not isinstance(node, MappingNode):
        return []  # the check of the whole says so
    absent = {key: value for key, value in keys.items() if _find(node, key) is None}
    column = node.value[0][0].start_mark.column if node.value else 0
    found = []
    for key, value in keys.items():
        inner = _find(node, key)
        if inner is not None and not isinstance(value, str):
            found += _missing(inner, value, end, column)
    if not absent:
        return found
    if node.flow_style:
        more = _flow(absent) + (", " if node.value else "")
        return [*found, (node.start_mark.index + 1, more)]
    written = _block(absent, column, end).lstrip(" ") + " " * column
    return [*found, (node.value[0][0].start_mark.index, written)]


def _find(node: MappingNode, key: str) -> Node | None:
    return next((value for name, value in node.value if name.value == key), None)


def _checked(before: str, after: str, pipeline: str) -> str:
    """Make sure that all is read as it was, and what is new is understood."""
    old, new = split(before), split(after)
    kept = (old.mapping or {}).keys() <= (new.mapping or {}).keys()
    read = old.ok and new.ok and old.body == new.body and kept
    if not read or new.binding.pipeline != pipeline:
        problems = old.problems or new.problems
        raise InvalidPipeline(
            "The front matter is written in a way that cannot be completed.",
            hint="Put right what is marked there, or what names another pipeline, or"
            " write `writeit:` on lines of its own.",
            problems=[problem.as_data() for problem in problems],
        )
    return after
