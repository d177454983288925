"""Yaml or json as plain data. The text may be somebody else's: all of it is bounded.

An export is a tree of plain values. Aliases, tags and several documents in one file
have no place in it and are refused, which leaves nothing for a small file to grow by.
"""

from __future__ import annotations

import json
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

MAX_CHARACTERS = 64 * 1024 * 1024
MAX_DEPTH = 40
MAX_VALUES = 2_000_000

_PREFIX = "tag:yaml.org,2002:"
_PLAIN = {f"{_PREFIX}{name}" for name in ("int", "float", "bool", "null")}
_Parser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C, where PyYAML was built with it: a long history is a long file."""


class Unreadable(ValueError):
    """The text is not plain data, or more of it than is read."""


def parsed(text: str) -> object:
    """Return what a text holds.

    Raises:
        Unreadable: it is neither YAML nor JSON, or there is too much of it.
    """
    if len(text) > MAX_CHARACTERS:
        msg = f"it is longer than the {MAX_CHARACTERS:,} characters allowed"
        raise Unreadable(msg)
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _from_json(text)
    return _from_yaml(text)


def _from_json(text: str) -> object:
    try:
        return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_mapping)
    except Unreadable:
        raise
    except ValueError as error:
        msg = f"it is not the JSON it should be: {error}"
        raise Unreadable(msg) from error
    except RecursionError as error:
        raise Unreadable(_TOO_DEEP) from error


_TOO_DEEP = "it is nested too deeply"


def _mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        msg = "a key is there twice"
        raise Unreadable(msg)
    return found


def _from_yaml(text: str) -> object:
    try:
        return _Tree().grown(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        msg = f"it is not the YAML it should be{where}: {error.problem}"
        raise Unreadable(msg) from error
    except yaml.YAMLError as error:
        msg = f"it is not the YAML it should be: {error}"
        raise Unreadable(" ".join(msg.split())) from error


class _Tree:
    """Plain data as it grows, event by event; nothing in it calls itself."""

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._constructor = SafeConstructor()
        self._open: list[list[Any] | dict[str, Any]] = []
        self._keys: list[str | None] = []
        """For each that is open: the key whose value comes next."""
        self._root: list[Any] = []
        self._values = 0

    def grown(self, text: str) -> object:
        """Return what a text of YAML holds."""
        for event in yaml.parse(text, Loader=_Parser):
            self._take(event)
        return self._root[0] if self._root else None

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.AliasEvent():
                raise _refused(event, "an export has no aliases")
            case yaml.ScalarEvent():
                self._add(event, self._scalar(event))
            case yaml.MappingStartEvent():
                self._begin(event, {})
            case yaml.SequenceStartEvent():
                self._begin(event, [])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open.pop()
                self._keys.pop()

    def _begin(
        self, event: yaml.CollectionStartEvent, made: list[Any] | dict[str, Any]
    ) -> None:
        if event.tag is not None and not event.implicit:
            raise _refused(event, f"the tag {event.tag!r} has no meaning here")
        self._add(event, made)
        self._open.append(made)
        self._keys.append(None)
        if len(self._open) > MAX_DEPTH:
            raise _refused(event, _TOO_DEEP)

    def _add(self, event: yaml.Event, value: object) -> None:
        self._values += 1
        if self._values > MAX_VALUES:
            raise _refused(event, f"it has more than the {MAX_VALUES:,} values allowed")
        if not self._open:
            if self._root:
                raise _refused(event, "there is a second document in it")
            self._root.append(value)
            return
        inside, key = self._open[-1], self._keys[-1]
        if isinstance(inside, list):
            inside.append(value)
        elif key is None:
            self._keys[-1] = _key(event, inside)
        else:
            inside[key] = value
            self._keys[-1] = None

    def _tag(self, event: yaml.ScalarEvent) -> str:
        """Say what kind of value a scalar is: a plain word may be a number."""
        if event.tag is None and event.implicit[0]:
            kinds = self._resolver.resolve(yaml.ScalarNode, event.value, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
            return str(kinds)
        if event.tag in {None, "!", f"{_PREFIX}str"}:
            return f"{_PREFIX}str"
        if event.tag in _PLAIN:
            return str(event.tag)
        raise _refused(event, f"the tag {event.tag!r} has no meaning here")

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        tag = self._tag(event)
        if tag not in _PLAIN:
            return event.value
        node = yaml.ScalarNode(tag, event.value)
        try:
            return self._constructor.construct_object(node)
        except (ValueError, KeyError, OverflowError) as error:
            name = tag.removeprefix(_PREFIX)
            raise _refused(event, f"this looks like a {name} and is none") from error


def _refused(event: yaml.Event, why: str) -> Unreadable:
    mark = event.start_mark
    return Unreadable(f"line {mark.line + 1}: {why}" if mark else why)


def _key(event: yaml.Event, inside: dict[str, Any]) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise _refused(event, "a key is a plain word")
    key: str = event.value
    if key in inside:
        raise _refused(event, f"the key {key[:60]!r} is there twice")
    return key
