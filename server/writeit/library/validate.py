"""From a YAML source to an entity, every refusal at its place.

Keys nobody knows are named here, with the nearest known one; all else the entity's
own model says, and is put where it belongs.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from writeit.core.entity import Entity
from writeit.core.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.library.problem import has_errors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import ErrorDetails
    from yaml.nodes import ScalarNode

    from writeit.library.problem import Range
    from writeit.library.source import Loc, Source

E = TypeVar("E", bound=Entity)

_PARTS: dict[type[Entity], dict[str, type[Entity]]] = {
    PipelineConfiguration: {"inputs": InputSpec, "steps": StepSpec},
}
_STORED = {"created_at", "last_used"}
"""Fields of a primer that live in the store, not in its file."""

_SECRETS = {
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


def keys_of(model: type[Entity]) -> list[str]:
    """Return the keys a file may use for the fields of `model`."""
    return [
        field.alias or name
        for name, field in model.model_fields.items()
        if name not in _STORED
    ]


def near(word: str, known: Iterable[str]) -> list[str]:
    """Return what `word` may have been meant to be, the nearest first."""
    return get_close_matches(word, list(known))


def nearest(word: str, known: Iterable[str]) -> str:
    """Return a sentence that names what `word` may have been meant to be, or ""."""
    found = near(word, known)
    return f" Did you mean {found[0]!r}?" if found else ""


def is_secret(key: str) -> bool:
    """Say whether `key` looks like it holds a key, or where to send one."""
    word = key.lower().replace("-", "_")
    return word in _SECRETS or word.endswith(_SECRET_ENDINGS)


def refuse_secrets(source: Source, keys: Iterable[ScalarNode]) -> None:
    """Note every key among `keys` that no file of a workspace may set."""
    for key in keys:
        if is_secret(key.value):
            source.add(
                f"{key.value!r} is not read from here: keys and endpoints are never"
                " taken from a workspace's files, only from your environment, your"
                " keyring or your user settings.",
                key,
                code="secret",
            )


def known_only(
    source: Source, model: type[Entity], data: dict[str, Any], loc: Loc = ()
) -> dict[str, Any]:
    """Return `data` without the keys `model` has not; each is a problem.

    Keys that begin with `x-` are the author's own.
    """
    known = keys_of(model)
    kept = {key: value for key, value in data.items() if key in known}
    for key in data.keys() - kept.keys():
        if not key.startswith("x-") and not is_secret(key):
            place, _ = source.find((*loc, key))
            if place is not None:
                message = f"{key!r} is no key here.{nearest(key, known)}"
                source.add(message, place, code="unknown-key", instead=near(key, known))
    for name, part in _PARTS.get(model, {}).items():
        if isinstance(items := kept.get(name), list):
            kept[name] = [
                known_only(source, part, item, (*loc, name, index))
                if isinstance(item, dict)
                else item
                for index, item in enumerate(items)
            ]
    return kept


def validated(source: Source, model: type[E], data: dict[str, Any]) -> E | None:
    """Return the entity made of `data`; what it refuses is noted in the source."""
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            note_error(source, detail)
    return None


def note_error(source: Source, detail: ErrorDetails, within: Loc = ()) -> None:
    """Note what pydantic refused in the data at `within`, where it stands."""
    loc, kind = detail["loc"], detail["type"]
    while loc and not source.has((*within, *loc)) and kind != "missing":
        loc = loc[:-1]  # a part that pydantic added, such as the type it tried
    place = source.place_of((*within, *loc))
    if _said_before(source, place, whole=not detail["loc"]) and kind != "missing":
        return
    if kind == "too_short" and detail["input"]:
        return  # pydantic counts only the items it liked
    path, said = spelled(loc or detail["loc"]), _said(detail)
    if path:
        said = f"{path}: {said}" if kind == "value_error" else f"{path} {said}"
    source.add(said if said.endswith("?") else f"{said}.", place, code="wrong-value")


def _said_before(source: Source, place: Range, *, whole: bool) -> bool:
    """Say whether a problem there, or any if it is about the whole, stands already.

    A rule about the whole was said with its place; a value that YAML could not read,
    or that is none of several types, needs one problem only.
    """
    if whole:
        return has_errors(source.problems)
    return any(p.range == place and p.severity == "error" for p in source.problems)


def spelled(loc: Loc) -> str:
    """Return a place in a file as people write it: `inputs[0].from`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc)
    return "".join(parts).removeprefix(".")


_SAID = {
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


def _said(detail: ErrorDetails) -> str:
    said = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    if detail["type"] == "string_type" and not isinstance(detail["input"], int | float):
        return "should be a text"
    if detail["type"] == "literal_error":
        choices = re.findall("'([^']*)'", detail["ctx"]["expected"])
        hint = nearest(str(detail["input"]), choices)
        return f"{said}.{hint}" if hint else said
    return _SAID.get(detail["type"], said)


def iter_keys(source: Source) -> Iterator[ScalarNode]:
    """Yield every key of a source, however deep."""
    return (key for key, _ in source.pairs())
