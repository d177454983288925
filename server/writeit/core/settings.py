"""What the writer set in her editor's configuration, section `writeit`."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, ConfigDict, Field
from pydantic.alias_generators import to_camel

from writeit.core.entity import Entity, Name
from writeit.core.pipeline import Output
from writeit.core.session import ExportFormat


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
    ollama_url: str | None = None


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
    auto_save: bool | None = None
    code_lens: Toggle = Toggle()
    primer_lint: Toggle = Toggle()
    output: Output | None = None
    store_location: str | None = None
    trace: str | None = None
