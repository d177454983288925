"""From a YAML source to an entity, with the exact range of each problem."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import ScalarNode

from writeit.domain.entity import Entity
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.library.yaml_source import (
    MAX_PROBLEMS,
    SourceRange,
    YamlPath,
    YamlSource,
    has_errors,
)

E = TypeVar("E", bound=Entity)

_NESTED_MODELS: dict[type[Entity], dict[str, type[Entity]]] = {
    PipelineConfiguration: {"inputs": InputSpec, "steps": StepSpec}
}
_STORED_FIELDS = {"created_at", "last_used"}
"""Fields of a primer that are in the store, not in its file."""

_SECRET_KEYS = {
    "key",
    "token",
    "secret",
    "password",
    "credentials",
    "authorization",
    "headers",
    "endpoint",
    "api_base",
    "base_url",
    "env",
    "environment",
}
_SECRET_ENDINGS = (
    "api_key",
    "apikey",
    "access_key",
    "access_token",
    "api_token",
    "auth_token",
    "_secret",
    "_password",
    "base_url",
    "_endpoint",
)


def allowed_keys(model: type[Entity]) -> list[str]:
    """Return the keys that a file may have for `model`."""
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if name not in _STORED_FIELDS
    ]


def close_matches(word: str, known: Iterable[str]) -> list[str]:
    """Return the names that are similar to `word`, the nearest first."""
    return get_close_matches(word, list(known))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a sentence with the name that is nearest to `word`, or ""."""
    matches = close_matches(word, known)
    return f" Did you mean {matches[0]!r}?" if matches else ""


def is_secret_key(key: str) -> bool:
    """Return whether `key` looks like the name of an API key or endpoint."""
    word = key.lower().replace("-", "_")
    return word in _SECRET_KEYS or word.endswith(_SECRET_ENDINGS)


def report_secrets(source: YamlSource, keys: Iterable[ScalarNode]) -> None:
    """Report every key that no file of a workspace may set."""
    for key in keys:
        if is_secret_key(key.value):
            source.add_problem(
                f"{key.value!r} is ignored: API keys and endpoints are read only from"
                " your environment, keyring or user settings, never from the files of a"
                " workspace.",
                key,
                code="secret",
            )


def drop_unknown_keys(
    source: YamlSource, model: type[Entity], data: dict[str, Any], path: YamlPath = ()
) -> dict[str, Any]:
    """Return `data` without unknown keys, which are problems except `x-` keys."""
    known = allowed_keys(model)
    kept = {key: value for key, value in data.items() if key in known}
    for key in data.keys() - kept.keys():
        if len(source.problems) > MAX_PROBLEMS:
            break
        if not key.startswith("x-") and not is_secret_key(key):
            node, _ = source.find_node((*path, key))
            if node is not None:
                source.add_problem(
                    f"There is no key {key!r} here.{did_you_mean(key, known)}",
                    node,
                    code="unknown-key",
                    suggestions=close_matches(key, known),
                )
    for name, part in _NESTED_MODELS.get(model, {}).items():
        if isinstance(items := kept.get(name), list):
            kept[name] = [
                drop_unknown_keys(source, part, item, (*path, name, index))
                if isinstance(item, dict)
                else item
                for index, item in enumerate(items)
            ]
    return kept


def validate_entity(
    source: YamlSource, model: type[E], data: dict[str, Any]
) -> E | None:
    """Return the entity of `data`, or None with problems in the source."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False)[:MAX_PROBLEMS]:
            report_validation_error(source, detail)
    return None


def report_validation_error(
    source: YamlSource, detail: ErrorDetails, parent_path: YamlPath = ()
) -> None:
    """Add what pydantic rejected in the data at `parent_path` to the problems."""
    loc, kind = detail["loc"], detail["type"]
    while loc and not source.has_path((*parent_path, *loc)) and kind != "missing":
        loc = loc[:-1]  # a part that pydantic added, such as the type it tried
    location = source.path_range((*parent_path, *loc))
    if (
        _is_reported(source, location, is_whole_text=not detail["loc"])
        and kind != "missing"
    ):
        return
    if kind == "too_short" and detail["input"]:
        return  # pydantic counts only valid items
    path, message = yaml_path(loc or detail["loc"]), _message(detail)
    if path:
        message = f"{path}{':' * (kind == 'value_error')} {message}"
    end = "" if message.endswith("?") else "."
    source.add_problem(f"{message}{end}", location, code="wrong-value")


def _is_reported(
    source: YamlSource, location: SourceRange, *, is_whole_text: bool
) -> bool:
    """Return whether there is a problem at `location`, or any for the whole text.

    Rules about the whole text are checked before with a better range; a value that
    fits none of several types needs one problem only.
    """
    if is_whole_text:
        return has_errors(source.problems)
    return any(p.range == location and p.severity == "error" for p in source.problems)


def yaml_path(path: YamlPath) -> str:
    """Return a path as text: `inputs[0].from`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


_MESSAGES = {
    "missing": "is missing",
    "string_pattern_mismatch": "should be at most 64 lower-case letters, digits, - and"
    " _, and begin with a letter or digit",
    "string_too_short": "should not be empty",
    "too_short": "should not be empty",
    "string_type": "should be a text; put it in quotes",
    "bool_type": "should be true or false",
    "bool_parsing": "should be true or false",
    "datetime_type": "should be a date and time",
    "tuple_type": "should be a list",
    "dict_type": "should be a mapping of keys",
    "model_type": "should be a mapping of keys",
}
"""Pydantic's messages in the words of someone who writes YAML."""


def _message(detail: ErrorDetails) -> str:
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if detail["type"] == "string_type" and not isinstance(detail["input"], int | float):
        return "should be a text"
    if detail["type"] == "literal_error":
        choices = re.findall("'([^']*)'", detail["ctx"]["expected"])
        hint = did_you_mean(str(detail["input"]), choices)
        return f"{message}.{hint}" if hint else message
    return _MESSAGES.get(detail["type"], message)
