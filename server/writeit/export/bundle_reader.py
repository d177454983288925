"""From the text of a yaml or json export to a run bundle."""

from __future__ import annotations

import json
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.resolver import Resolver

from writeit.domain import state_machine
from writeit.domain.errors import InvalidExport, WriteItError
from writeit.domain.run import DONE_STATUSES, PipelineRun, PipelineStatus, StepStatus
from writeit.domain.run_bundle import RunBundle
from writeit.export.bundle_writer import (
    CHECKSUM_KEY,
    FORMAT_KEY,
    FORMAT_VERSION,
    OLDEST_FORMAT_VERSION,
    InvalidBundlePart,
    JsonObject,
    bundle_from_json,
    compute_checksum,
)

MAX_EXPORT_CHARACTERS = 64 * 1024 * 1024
MAX_EXPORT_DEPTH = 40
MAX_EXPORT_VALUES = 2_000_000

_TAG_PREFIX = "tag:yaml.org,2002:"
_TYPED_SCALAR_TAGS = {
    f"{_TAG_PREFIX}{name}" for name in ("int", "float", "bool", "null")
}
_YamlParser = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""The one in C if PyYAML has it: a long history is a long file."""


class MalformedExport(ValueError):
    """The text is not plain data, or exceeds a limit."""


def load(text: str) -> object:
    """Return the data of a text.

    Raises:
        MalformedExport: it is neither YAML nor JSON, or exceeds a limit.
    """
    if len(text) > MAX_EXPORT_CHARACTERS:
        raise MalformedExport(
            f"it is longer than the {MAX_EXPORT_CHARACTERS:,} characters allowed"
        )
    if text.lstrip("\ufeff \t\r\n").startswith("{"):
        return _load_json(text)
    return _load_yaml(text)


def _load_json(text: str) -> object:
    try:
        return json.loads(text.lstrip("\ufeff"), object_pairs_hook=_unique_mapping)
    except MalformedExport:
        raise
    except ValueError as error:
        raise MalformedExport(f"it is not valid JSON: {error}") from error
    except RecursionError as error:
        raise MalformedExport(_TOO_DEEP) from error


_TOO_DEEP = "it is nested too deeply"


def _unique_mapping(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        raise MalformedExport("a key is duplicated")
    return mapping


def _load_yaml(text: str) -> object:
    try:
        return _YamlTreeBuilder().build(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f", line {mark.line + 1}" if mark else ""
        raise MalformedExport(
            f"it is not valid YAML{where}: {error.problem}"
        ) from error
    except yaml.YAMLError as error:
        msg = f"it is not valid YAML: {error}"
        raise MalformedExport(" ".join(msg.split())) from error


class _YamlTreeBuilder:
    """Builds plain data event by event.

    Unlike `library.yaml_source` it keeps no nodes and does not recurse: an export may
    have 64 MB, and its text is not trusted.
    """

    def __init__(self) -> None:
        self._resolver = Resolver()
        self._constructor = SafeConstructor()
        self._open_collections: list[list[Any] | dict[str, Any]] = []
        self._keys: list[str | None] = []
        """The key of the next value, for each open collection."""
        self._root: list[Any] = []
        self._value_count = 0

    def build(self, text: str) -> object:
        """Return the data of a YAML text."""
        for event in yaml.parse(text, Loader=_YamlParser):
            self._handle_event(event)
        return self._root[0] if self._root else None

    def _handle_event(self, event: yaml.Event) -> None:
        match event:
            case yaml.AliasEvent():
                raise _malformed_error(event, "aliases are not supported")
            case yaml.ScalarEvent():
                self._add_value(event, self._scalar_value(event))
            case yaml.MappingStartEvent():
                self._open_collection(event, {})
            case yaml.SequenceStartEvent():
                self._open_collection(event, [])
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._open_collections.pop()
                self._keys.pop()

    def _open_collection(
        self, event: yaml.CollectionStartEvent, collection: list[Any] | dict[str, Any]
    ) -> None:
        if event.tag is not None and not event.implicit:
            raise _malformed_error(event, f"the tag {event.tag!r} is not supported")
        self._add_value(event, collection)
        self._open_collections.append(collection)
        self._keys.append(None)
        if len(self._open_collections) > MAX_EXPORT_DEPTH:
            raise _malformed_error(event, _TOO_DEEP)

    def _add_value(self, event: yaml.Event, value: object) -> None:
        self._value_count += 1
        if self._value_count > MAX_EXPORT_VALUES:
            raise _malformed_error(
                event, f"it has more than the {MAX_EXPORT_VALUES:,} values allowed"
            )
        if not self._open_collections:
            if self._root:
                raise _malformed_error(event, "there is a second document")
            self._root.append(value)
            return
        collection, key = self._open_collections[-1], self._keys[-1]
        if isinstance(collection, list):
            collection.append(value)
        elif key is None:
            self._keys[-1] = _mapping_key(event, collection)
        else:
            collection[key] = value
            self._keys[-1] = None

    def _resolve_tag(self, event: yaml.ScalarEvent) -> str:
        """Return the tag of a scalar: a plain word may be a number."""
        if event.tag is None and event.implicit[0]:
            kinds = self._resolver.resolve(yaml.ScalarNode, event.value, (True, False))  # type: ignore[no-untyped-call]  # PyYAML's stubs leave it out
            return str(kinds)
        if event.tag in {None, "!", f"{_TAG_PREFIX}str"}:
            return f"{_TAG_PREFIX}str"
        if event.tag in _TYPED_SCALAR_TAGS:
            return str(event.tag)
        raise _malformed_error(event, f"the tag {event.tag!r} is not supported")

    def _scalar_value(self, event: yaml.ScalarEvent) -> object:
        tag = self._resolve_tag(event)
        if tag not in _TYPED_SCALAR_TAGS:
            return event.value
        node = yaml.ScalarNode(tag, event.value)
        try:
            return self._constructor.construct_object(node)
        except (ValueError, LookupError, AttributeError, OverflowError) as error:
            name = tag.removeprefix(_TAG_PREFIX)
            raise _malformed_error(event, f"this is not a valid {name}") from error


def _malformed_error(event: yaml.Event, reason: str) -> MalformedExport:
    mark = event.start_mark
    return MalformedExport(f"line {mark.line + 1}: {reason}" if mark else reason)


def _mapping_key(event: yaml.Event, mapping: dict[str, Any]) -> str:
    if not isinstance(event, yaml.ScalarEvent):
        raise _malformed_error(event, "a key must be text")
    key: str = event.value
    if key in mapping:
        raise _malformed_error(event, f"the key {key[:60]!r} is duplicated")
    return key


_EXPORT_AGAIN_HINT = (
    "Export the run again where it was made, as yaml or json, and import that."
)


def read_export(text: str) -> RunBundle:
    """Return the run bundle of a yaml or json export.

    It is complete and consistent: replaying the history, if there is one, gives the
    run.

    Raises:
        InvalidExport: it is not an export, or damaged, or from a newer version.
    """
    try:
        data = _require_format(load(text))
        _check_checksum(data)
        _check_format_version(data[FORMAT_KEY])
        bundle = bundle_from_json(data)
        _check_consistency(bundle)
    except MalformedExport as error:
        raise InvalidExport(
            f"This cannot be read as an export: {error}.",
            reason="malformed",
            hint=f"The file may be incomplete or of another kind. {_EXPORT_AGAIN_HINT}",
        ) from error
    except InvalidBundlePart as error:
        if error.unknown and CHECKSUM_KEY in data:  # unchanged, so not a typing error
            raise _too_new_error(f"{error.path} is unknown to this version") from error
        raise InvalidExport(
            f"This export has an error at {error.path}: {error}.",
            reason="malformed",
            hint=_EXPORT_AGAIN_HINT,
        ) from error
    except RecursionError as error:
        raise InvalidExport(
            "This cannot be read as an export: it is nested too deeply.",
            reason="malformed",
            hint=_EXPORT_AGAIN_HINT,
        ) from error
    return bundle


def _too_new_error(reason: str) -> InvalidExport:
    return InvalidExport(
        f"A newer WriteIt made this export ({reason}).",
        reason="too_new",
        hint="Update WriteIt, then import it again.",
    )


def _require_format(data: object) -> JsonObject:
    """Return data that names its format version, or refuse it."""
    version = data.get(FORMAT_KEY) if isinstance(data, dict) else None
    if isinstance(data, dict) and type(version) is int:
        return data
    raise InvalidExport(
        "This is not an export of a run: it does not begin with `writeit_export` and"
        " a format version.",
        reason="malformed",
        hint="Import a yaml or json export. A markdown export has only the finished"
        " text.",
    )


def _check_format_version(version: int) -> None:
    if version > FORMAT_VERSION:
        raise _too_new_error(
            f"format {version}; this version reads formats up to {FORMAT_VERSION}"
        )
    if version < OLDEST_FORMAT_VERSION:
        raise InvalidExport(
            f"This export has format {version}, which lacks failed calls and cannot"
            " be imported.",
            reason="too_old",
            hint=_EXPORT_AGAIN_HINT,
        )


def _check_checksum(data: JsonObject) -> None:
    """Refuse a file whose checksum does not match; a file may have none."""
    if CHECKSUM_KEY in data and data[CHECKSUM_KEY] != compute_checksum(data):
        raise InvalidExport(
            "This export is damaged: its content was changed, or its end is missing.",
            reason="damaged",
            hint=f"If you changed it on purpose, delete its line `{CHECKSUM_KEY}` and"
            " import it again.",
        )


def _check_consistency(bundle: RunBundle) -> None:
    """Refuse parts that do not belong together."""
    run, configuration, primer = bundle.run, bundle.configuration, bundle.primer
    if run.pipeline != configuration.name:
        raise InvalidBundlePart("configuration", f"the run uses {run.configuration_id}")
    if run.step_names != configuration.step_names:
        raise InvalidBundlePart("run.steps", "the configuration has other steps")
    if run.primer and (primer is None or primer.primer_id != run.primer.primer_id):
        message = f"it is not {run.primer.primer_id}, which the run uses"
        raise InvalidBundlePart("primer", message)
    _check_ancestors(bundle)
    _check_run_state(run)
    if bundle.events is not None:
        _check_history(bundle)


def _check_ancestors(bundle: RunBundle) -> None:
    expected, seen = bundle.run.parent_pipeline_run_id, {bundle.run.pipeline_run_id}
    for index, ancestor in enumerate(bundle.ancestors):
        if ancestor.run_id != expected or ancestor.run_id in seen:
            raise InvalidBundlePart(f"ancestors.{index}", "it is not the next parent")
        seen.add(ancestor.run_id)
        expected = ancestor.parent_run_id
    if expected is not None:
        raise InvalidBundlePart("ancestors", f"run {expected} is missing")


def _check_run_state(run: PipelineRun) -> None:
    """Refuse an impossible state, which a run without history may have."""
    later = run.later_steps(run.current_step)
    if any(state.status is not StepStatus.PENDING for state in later):
        raise InvalidBundlePart(
            "run.steps", f"{run.current_step} is open, but later steps are not"
        )
    if run.status is PipelineStatus.COMPLETED and not run.is_finished:
        raise InvalidBundlePart("run.status", "it is COMPLETED, but a step is open")
    for state in run.steps.values():
        is_chosen = state.content is not None or state == run.review_step
        if state.status in DONE_STATUSES and (not is_chosen or state.streaming):
            raise InvalidBundlePart(
                f"run.steps.{state.step_name}", "it is done, but nothing is chosen"
            )


def _check_history(bundle: RunBundle) -> None:
    events = bundle.events or ()
    try:
        replayed = state_machine.replay(events)
    except (WriteItError, ValueError) as error:
        raise InvalidBundlePart("history", f"it is not possible ({error})") from error
    if _without_streamed_text(replayed) != _without_streamed_text(bundle.run):
        raise InvalidBundlePart("history", "replaying it does not give the run")


def _without_streamed_text(run: PipelineRun) -> PipelineRun:
    """Return the run without the text of streaming answers, which no event has."""
    steps = {
        name: step.evolve(
            streaming=tuple(s.evolve(text="", thoughts="") for s in step.streaming)
        )
        for name, step in run.steps.items()
    }
    return run.evolve(steps=steps)
