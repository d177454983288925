"""The editor's configuration (section `writeit`) and the user's own.

A workspace can set the first, so it decides nothing about the machine. Where stores
are and which addresses are called comes from the user's own configuration only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
)
from pydantic.alias_generators import to_camel

from writeit.core.entity import Entity, Name
from writeit.core.pipeline import Output
from writeit.core.session import ExportFormat

if TYPE_CHECKING:
    from collections.abc import Mapping

CLIENT_SETTINGS = ("autoSave", "trace")
"""Settings of the section that editors read themselves."""
PLACES = ("workspace", "user")
"""Where stores can be, besides an absolute folder."""
USER_ONLY_SETTINGS = ("storeLocation", "models.ollamaUrl")
"""Names in the section that count in the user's own configuration only."""


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


ModelIds = Annotated[tuple[str, ...], BeforeValidator(_as_list)]
"""One model id or a list of them."""


class _Section(Entity):
    model_config = ConfigDict(alias_generator=to_camel)


class ModelSettings(_Section):
    """Which models to ask where nothing nearer to the text says so."""

    default: ModelIds = ()
    steps: dict[str, ModelIds] = Field(default_factory=dict)


class CostLimits(_Section):
    """US dollars that may be spent; None is no limit."""

    run: float | None = Field(default=None, ge=0)
    day: float | None = Field(default=None, ge=0)


class Toggle(_Section):
    """Something that can be switched off."""

    enabled: bool = True


class Settings(_Section):
    """The whole section. A setting that is set wins over the preference."""

    models: ModelSettings = ModelSettings()
    max_cost_usd: CostLimits = CostLimits()
    max_concurrent_pipelines: int | None = Field(default=None, ge=1, le=10)
    streaming_buffer_size: int | None = Field(default=None, gt=0)
    style_primer: Name | None = None
    export_format: ExportFormat | None = None
    code_lens: Toggle = Toggle()
    output: Output | None = None


def _location(value: str) -> str:
    place = os.path.expanduser(value)  # noqa: PTH111 -- Path raises where there is no such user
    if "\0" not in place and (place in PLACES or Path(place).is_absolute()):
        return place
    msg = "should be workspace, user, or an absolute folder"
    raise ValueError(msg)


def _address(value: str) -> str:
    parts = urlsplit(value if "//" in value else f"http://{value}")
    if parts.scheme not in {"http", "https"} or not parts.netloc:
        msg = "should be an address like http://localhost:11434"
        raise ValueError(msg)
    _ = parts.port  # raises ValueError if it is no number
    return value


class UserConfig(_Section):
    """The user's own configuration; no workspace and no document can set it."""

    store_location: Annotated[str, AfterValidator(_location)] = "workspace"
    """`workspace`, `user`, or an absolute folder with a subfolder per workspace."""
    ollama_url: Annotated[str, AfterValidator(_address)] | None = None
    """Where Ollama answers."""


def problem_with(
    section: type[_Section], key: str, value: object
) -> tuple[str, str] | None:
    """Return the full name of a value that is wrong and what is wrong, or None."""
    try:
        section.model_validate({key: value})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        return where, first["msg"].removeprefix("Value error, ")
    return None


def without(raw: Mapping[str, Any], name: str) -> tuple[dict[str, Any], bool]:
    """Return a section without a setting (`a` or `a.b`), and whether it was there."""
    first, _, rest = name.partition(".")
    if first not in raw:
        return dict(raw), False
    if not rest:
        return {key: value for key, value in raw.items() if key != first}, True
    if not isinstance(raw[first], dict):
        return dict(raw), False
    inner, found = without(raw[first], rest)
    return {**raw, first: inner}, found
