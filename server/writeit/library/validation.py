"""From a YAML source to an entity, every refusal at its place.

Keys nobody knows are named here, with the nearest known one; all else the entity's
own model says, and is put where it belongs.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from yaml.nodes import ScalarNode

from writeit.domain.entity import Entity
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.library.yaml_source import SourceRange, YamlPath, YamlSource, has_errors

E = TypeVar("E", bound=Entity)

_NESTED_MODELS: dict[type[Entity], dict[str, type[Entity]]] = {
    PipelineConfiguration: {"inputs": InputSpec, "steps": StepSpec},
}
_STORED_FIELDS = {"created_at", "last_used"}
"""Fields of a primer that live in the store, not in its file."""

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
    """Return the keys a file may use for the fields of `model`."""
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if name not in _STORED_FIELDS
    ]


def close_matches(word: str, known: Iterable[str]) -> list[str]:
    """Return what `word` may have been meant to be, the nearest first."""
    return get_close_matches(word, list(known))


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return a sentence that names what `word` may have been meant to be, or ""."""
    found = close_matches(word, known)
    return f" Did you mean {found[0]!r}?" if found else ""


def is_secret_key(key: str) -> bool:
    """Say whether `key` looks like it holds a key, or where to send one."""
    word = key.lower().replace("-", "_")
    return word in _SECRET_KEYS or word.endswith(_SECRET_ENDINGS)


def report_secrets(source: YamlSource, keys: Iterable[ScalarNode]) -> None:
    """Note every key among `keys` that no file of a workspace may set."""
    for key in keys:
        if is_secret_key(key.value):
            source.add_problem(
                f"{key.value!r} is not read from here: keys and endpoints are never"
                " taken from a workspace's files, only from your environment, your"
                " keyring or your user settings.",
                key,
                code="secret",
            )


def drop_unknown_keys(
    source: YamlSource, model: type[Entity], data: dict[str, Any], path: YamlPath = ()
) -> dict[str, Any]:
    """Return `data` without the keys `model` has not; each is a problem.

    Keys that begin with `x-` are the author's own.
    """
    known = allowed_keys(model)
    kept = {key: value for key, value in data.items() if key in known}
    for key in data.keys() - kept.keys():
        if not key.startswith("x-") and not is_secret_key(key):
            place, _ = source.find_node((*path, key))
            if place is not None:
                message = f"{key!r} is no key here.{did_you_mean(key, known)}"
                source.add_problem(
                    message,
                    place,
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
    """Return the entity made of `data`; what it refuses is noted in the source."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            report_validation_error(source, detail)
    return None


def report_validation_error(
    source: YamlSource, detail: ErrorDetails, parent_path: YamlPath = ()
) -> None:
    """Note what pydantic refused in the data at `within`, where it stands."""
    loc, kind = detail["loc"], detail["type"]
    while loc and not source.has_path((*parent_path, *loc)) and kind != "missing":
        loc = loc[:-1]  # a part that pydantic added, such as the type it tried
    place = source.path_range((*parent_path, *loc))
    if (
        _is_reported(source, place, is_whole_text=not detail["loc"])
        and kind != "missing"
    ):
        return
    if kind == "too_short" and detail["input"]:
        return  # pydantic counts only the items it liked
    path, said = yaml_path(loc or detail["loc"]), _message(detail)
    if path:
        said = f"{path}: {said}" if kind == "value_error" else f"{path} {said}"
    source.add_problem(
        said if said.endswith("?") else f"{said}.", place, code="wrong-value"
    )


def _is_reported(
    source: YamlSource, location: SourceRange, *, is_whole_text: bool
) -> bool:
    """Say whether a problem there, or any if it is about the whole, stands already.

    A rule about the whole was said with its place; a value that YAML could not read,
    or that is none of several types, needs one problem only.
    """
    if is_whole_text:
        return has_errors(source.problems)
    return any(p.range == location and p.severity == "error" for p in source.problems)


def yaml_path(path: YamlPath) -> str:
    """Return a place in a file as people write it: `inputs[0].from`."""
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
"""What pydantic says to programmers, said to authors."""


def _message(detail: ErrorDetails) -> str:
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if detail["type"] == "string_type" and not isinstance(detail["input"], int | float):
        return "should be a text"
    if detail["type"] == "literal_error":
        choices = re.findall("'([^']*)'", detail["ctx"]["expected"])
        hint = did_you_mean(str(detail["input"]), choices)
        return f"{said}.{hint}" if hint else said
    return _MESSAGES.get(detail["type"], said)


def iter_keys(source: YamlSource) -> Iterator[ScalarNode]:
    """Yield every key of a source, however deep."""
    return (key for key, _ in source.iter_pairs())
