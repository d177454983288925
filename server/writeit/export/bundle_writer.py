"""A run bundle as plain data and as text, and from plain data back."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self, TypeVar
from uuid import UUID

import yaml
from pydantic import TypeAdapter, ValidationError

from writeit.domain import events as e
from writeit.domain.answer import AIResponse
from writeit.domain.entity import Entity, find_unknown_value
from writeit.domain.events import Event
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import PipelineRun, StepState
from writeit.domain.run_bundle import Ancestor, RunBundle

EventJson = dict[str, Any]

_EVENT_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)
_FIRST_EVENTS = frozenset({"run_started", "run_branched"})
_RESPONSE_EVENTS = frozenset({"response_received", "response_interrupted"})


class MissingReference(ValueError):
    """An event refers to something that the run does not have."""


@dataclass(frozen=True, slots=True)
class RunIndex:
    """What a run has that its events need not repeat."""

    run: PipelineRun
    responses: dict[UUID, AIResponse]
    """By id."""
    prompts: dict[UUID, str]
    """The prompts of its ended and streaming answers, by response id."""

    @classmethod
    def from_run(cls, run: PipelineRun) -> Self:
        """Return the index of a run."""
        steps = run.steps.values()
        answers = {a.response_id: a for step in steps for a in step.ai_responses}
        streaming = {s.response_id: s.prompt for step in steps for s in step.streaming}
        ended = {key: answer.prompt_used for key, answer in answers.items()}
        return cls(run, answers, streaming | ended)


def event_to_json(event: Event, index: RunIndex) -> EventJson:
    """Return the data of an event that the run does not have."""
    data = event.model_dump(mode="json", exclude={"run", "response"})
    match event:
        case e.RunStarted() | e.RunBranched():
            data["run"] = _initial_run_to_json(event.run, index.run)
        case e.ResponseReceived() | e.ResponseInterrupted():
            data["response_id"] = str(event.response.response_id)
        case e.ResponseStarted():
            if index.prompts.get(event.response_id) == event.prompt:
                del data["prompt"]
    return {"type": data.pop("type"), **data}


def event_from_json(event_json: EventJson, index: RunIndex) -> Event:
    """Return the event of `event_to_json`'s data.

    Raises:
        ValueError: it is not an event, or refers to something the run does not have.
    """
    fields = dict(event_json)
    kind = fields.get("type")
    if kind in _FIRST_EVENTS:
        fields["run"] = _initial_run_from_json(fields.get("run"), index)
    elif kind in _RESPONSE_EVENTS:
        fields["response"] = _find_response(fields.pop("response_id", None), index)
    elif kind == "response_started" and "prompt" not in fields:
        fields["prompt"] = _find_prompt(fields.get("response_id"), index)
    return _EVENT_ADAPTER.validate_python(fields)


def _initial_run_to_json(initial_run: PipelineRun, run: PipelineRun) -> EventJson:
    """Return what a run started with that has changed since."""
    current = dict(run)
    different = {
        key for key, value in initial_run if key != "steps" and value != current[key]
    }
    fields = initial_run.model_dump(mode="json", include=different)
    # A field that was added later is left out of a dump while it is not set.
    for key in different - fields.keys():
        value = getattr(initial_run, key)
        fields[key] = [] if value == () else value
    steps = {
        name: _initial_step_to_json(step)
        for name, step in initial_run.steps.items()
        if step != run.steps.get(name)
    }
    return {**fields, "steps": steps}


def _initial_step_to_json(step: StepState) -> EventJson:
    fields = step.model_dump(
        mode="json", exclude={"ai_responses"}, exclude_defaults=True
    )
    if step.ai_responses:
        fields["ai_responses"] = [str(a.response_id) for a in step.ai_responses]
    return fields


def _initial_run_from_json(run_json: object, index: RunIndex) -> PipelineRun:
    run = index.run
    fields = dict(_require_mapping(run_json, "run"))
    steps = _require_mapping(fields.pop("steps", {}), "run.steps")
    initial = {
        name: _initial_step_from_json(steps[name], index) if name in steps else step
        for name, step in run.steps.items()
    }
    if unknown := [name for name in steps if name not in initial]:
        raise MissingReference(f"the run has no step {unknown[0]!r}")
    return type(run).model_validate({**dict(run), **fields, "steps": initial})


def _initial_step_from_json(step_json: object, index: RunIndex) -> StepState:
    fields = dict(_require_mapping(step_json, "a step of the run"))
    ids = fields.pop("ai_responses", [])
    if not isinstance(ids, list):
        raise MissingReference("ai_responses is not a list")
    responses = tuple(_find_response(response_id, index) for response_id in ids)
    return StepState.model_validate({**fields, "ai_responses": responses})


def _require_mapping(value: object, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise MissingReference(f"{name} is not a mapping")
    return value


def _find_response(response_id: object, index: RunIndex) -> AIResponse:
    answer = index.responses.get(_parse_id(response_id))
    if answer is None:
        raise MissingReference(f"the run has no answer {response_id}")
    return answer


def _find_prompt(response_id: object, index: RunIndex) -> str:
    prompt = index.prompts.get(_parse_id(response_id))
    if prompt is None:
        raise MissingReference(f"the prompt of {response_id} is missing")
    return prompt


def _parse_id(value: object) -> UUID:
    try:
        return UUID(str(value))
    except ValueError as error:
        raise MissingReference(f"{str(value)[:60]!r} is not an id") from error


CHECKSUM_KEY = "checksum"


def compute_checksum(data: dict[str, Any]) -> str:
    """Return the checksum of all keys except the checksum."""
    plain = _canonical_value(
        {key: value for key, value in data.items() if key != CHECKSUM_KEY}
    )
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _canonical_value(value: object) -> object:
    """Return the value with 1.0 as 1, since other programs may write either."""
    if isinstance(value, dict):
        return {key: _canonical_value(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_canonical_value(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


FORMAT_KEY = "writeit_export"
OLDEST_FORMAT_VERSION = 2
"""Format 1 left out failed calls, so it cannot be read back."""

JsonObject = dict[str, Any]
FORMAT_UPCASTS: tuple[Callable[[JsonObject], JsonObject], ...] = ()
"""The first one turns format 2 into format 3, and so on."""
FORMAT_VERSION = OLDEST_FORMAT_VERSION + len(FORMAT_UPCASTS)
E = TypeVar("E", bound=Entity)


def bundle_to_json(bundle: RunBundle) -> JsonObject:
    """Return a run bundle as plain data."""
    data = _bundle_fields(bundle)
    return {
        FORMAT_KEY: FORMAT_VERSION,
        CHECKSUM_KEY: compute_checksum({FORMAT_KEY: FORMAT_VERSION, **data}),
        **data,
    }


def _bundle_fields(bundle: RunBundle) -> JsonObject:
    run, configuration = bundle.run, bundle.configuration
    data: JsonObject = {
        "run": run.model_dump(mode="json"),
        "configuration": {
            "configuration_id": run.configuration_id,
            **configuration.model_dump(mode="json", by_alias=True),
        },
    }
    if bundle.primer is not None:
        dates = {"created_at", "last_used"}
        data["primer"] = bundle.primer.model_dump(mode="json", exclude=dates)
    if bundle.ancestors:
        data["ancestors"] = [a.model_dump(mode="json") for a in bundle.ancestors]
    if bundle.events is not None:
        index = RunIndex.from_run(run)
        data["history"] = [event_to_json(event, index) for event in bundle.events]
    return data


class InvalidBundlePart(ValueError):
    """The part of a file at `path` is invalid."""

    def __init__(self, path: str, message: str, *, unknown: bool = False) -> None:
        super().__init__(message)
        self.path = path
        self.unknown = unknown
        """Whether it may come from a newer version."""


def bundle_from_json(data: JsonObject) -> RunBundle:
    """Return the run bundle of plain data, in this or an older readable format.

    Raises:
        InvalidBundlePart: a part is invalid.
    """
    for upcast in FORMAT_UPCASTS[data[FORMAT_KEY] - OLDEST_FORMAT_VERSION :]:
        data = upcast(data)
    parts = {"run", "configuration", "primer", "ancestors", "history"}
    known = {FORMAT_KEY, CHECKSUM_KEY, *parts}
    for key in data:
        if key not in known:
            message = "an export does not have this key"
            raise InvalidBundlePart(str(key)[:60], message, unknown=True)
    configuration, configuration_id = _read_configuration(data.get("configuration"))
    run = _read_entity(PipelineRun, _order_steps(data.get("run"), configuration), "run")
    if run.configuration_id != configuration_id:
        raise InvalidBundlePart("configuration", f"the run uses {run.configuration_id}")
    primer = data.get("primer")
    history = data.get("history")
    bundle = RunBundle(
        run=run,
        configuration=configuration,
        primer=None if primer is None else _read_entity(StylePrimer, primer, "primer"),
        events=None if history is None else tuple(_read_events(history, run)),
        ancestors=tuple(
            _read_entity(Ancestor, ancestor, f"ancestors.{index}")
            for index, ancestor in enumerate(
                _require_list(data.get("ancestors", []), "ancestors")
            )
        ),
    )
    if CHECKSUM_KEY not in data:
        _check_content_ids(bundle)
    return bundle


def _check_content_ids(bundle: RunBundle) -> None:
    """Refuse ids that do not match the content, as after an edit by hand.

    Only for files without a checksum. With a checksum the ids are opaque: they may be
    hashes of another form.
    """
    run, configuration, primer = bundle.run, bundle.configuration, bundle.primer
    if run.configuration_id != configuration.configuration_id:
        message = f"its id should be {configuration.configuration_id}"
        raise InvalidBundlePart("configuration.configuration_id", message)
    if run.primer and primer and run.primer.version != primer.version:
        message = f"it is not version {run.primer.version}, which the run uses"
        raise InvalidBundlePart("primer", message)


def _order_steps(run: object, configuration: PipelineConfiguration) -> object:
    """Return the run with its steps in order: another program may sort the keys."""
    steps = run.get("steps") if isinstance(run, dict) else None
    names = configuration.step_names
    if (
        not isinstance(run, dict)
        or not isinstance(steps, dict)
        or set(steps) != set(names)
    ):
        return run
    return {**run, "steps": {name: steps[name] for name in names}}


def _read_configuration(data: object) -> tuple[PipelineConfiguration, object]:
    """Return a configuration and the id in the file."""
    fields = dict(data) if isinstance(data, dict) else {}
    configuration_id = fields.pop("configuration_id", None)
    configuration = _read_entity(PipelineConfiguration, fields, "configuration")
    return configuration, configuration_id


def _read_events(history: object, run: PipelineRun) -> Iterator[Event]:
    run_index = RunIndex.from_run(run)
    for index, event_json in enumerate(_require_list(history, "history")):
        path = f"history.{index}"
        if not isinstance(event_json, dict):
            raise InvalidBundlePart(path, "it is not a mapping")
        try:
            yield event_from_json(event_json, run_index)
        except ValueError as error:
            raise _invalid_part(path, error) from error


def _require_list(value: object, path: str) -> list[Any]:
    if not isinstance(value, list):
        raise InvalidBundlePart(path, "it is not a list")
    return value


def _read_entity(entity_type: type[E], data: object, path: str) -> E:
    if data is None:
        raise InvalidBundlePart(path, "it is missing")
    try:
        return entity_type.model_validate(data)
    except ValidationError as error:
        raise _invalid_part(path, error) from error


def _invalid_part(path: str, error: ValueError) -> InvalidBundlePart:
    if not isinstance(error, ValidationError):
        return InvalidBundlePart(path, str(error))
    first = error.errors(include_url=False)[0]
    where = ".".join([path, *map(str, first["loc"])])
    unknown = find_unknown_value(error) is not None
    return InvalidBundlePart(where, first["msg"], unknown=unknown)


_WIDTH = 88
_UNSAFE_IN_YAML = re.compile("[\x85\u2028\u2029\ufeff]")
"""YAML treats these as line breaks or drops them, unless they are escaped."""


def dump_json(data: dict[str, Any]) -> str:
    """Return the data as JSON."""
    return json.dumps(data, ensure_ascii=False, indent=2) + "\n"


def dump_yaml(data: dict[str, Any]) -> str:
    """Return the data as YAML, with texts of several lines as blocks."""
    return yaml.dump(
        data, Dumper=_YamlDumper, allow_unicode=True, sort_keys=False, width=_WIDTH
    )


_BaseDumper: type[yaml.SafeDumper] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
"""The one in C if PyYAML has it: a long history is a long file."""


class _YamlDumper(_BaseDumper):  # type: ignore[misc,valid-type]  # either has the same methods
    """Writes text of several lines as a block, and no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 -- PyYAML's own signature
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = None
    if _UNSAFE_IN_YAML.search(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_YamlDumper.add_representer(str, _represent_text)
