"""What could stand where somebody is typing in the `writeit:` block."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from writeit.core.run import split_model_id
from writeit.library.binding import scalar
from writeit.library.frontmatter import KEY, Binding
from writeit.lsp.features import meanings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from writeit.core.pipeline import InputSpec, PipelineConfiguration
    from writeit.library import Library
    from writeit.library.outline import Spot
    from writeit.ports import ModelInfo

MAPPINGS = frozenset({(), (KEY,), (KEY, "models"), (KEY, "inputs")})
"""The places whose words are keys; below all others stand values."""

_HOLDS_KEYS = frozenset({KEY, "models", "inputs"})
_MODEL = re.compile(r"\w[\w./:@+-]*(?<!:)")
"""Ids that need no quotes in YAML."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One word that could stand there."""

    label: str
    new: str
    """What to write: the label as YAML wants it, a key with its colon."""
    kind: Literal["key", "name", "model", "choice"]
    detail: str = ""
    meaning: str = ""
    """In markdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """What names are taken from."""

    library: Library
    models: dict[str, ModelInfo]

    def pipeline(self, spot: Spot) -> PipelineConfiguration | None:
        """Return the pipeline that the block names."""
        entry = self.library.pipelines.get(spot.value((KEY, "pipeline")) or "")
        return entry.value if entry else None


def suggestions(spot: Spot, within: Within) -> list[Suggestion]:
    """Return what could stand at `spot`, the likeliest first."""
    word = spot.word
    if word.path in MAPPINGS:
        if word.kind == "value" and word.beside:
            return []  # a key would need a line of its own, or braces
        if " " in word.text:
            return []  # the cursor is in front of a key, or among words
        return [*_keys(spot, within)]
    return [] if word.kind == "key" else [*_values(spot, within)]


# --- keys -----------------------------------------------------------------------


def _keys(spot: Spot, within: Within) -> Iterator[Suggestion]:
    there = spot.keys(spot.word.path)
    for name, detail, meaning in _known_keys(spot, within):
        if name not in there:
            written = name if spot.word.quoted else scalar(name)
            new = written if spot.word.colon else written + _colon(spot, name)
            yield Suggestion(name, new, "key", detail, meaning)


def _colon(spot: Spot, name: str) -> str:
    alone = len(spot.word.path) < 2 and name in _HOLDS_KEYS  # noqa: PLR2004 -- below models and inputs names are the writer's
    return ":" if alone and not spot.word.braced else ": "


def _known_keys(spot: Spot, within: Within) -> Iterator[tuple[str, str, str]]:
    pipeline = within.pipeline(spot)
    match spot.word.path:
        case ():
            yield KEY, "", meanings.of_key(KEY) or ""
        case (_,):
            for name in Binding.model_fields:
                yield name, "", meanings.of_key(name) or ""
        case (_, "inputs") if pipeline:
            for spec in sorted(pipeline.inputs, key=_need):
                yield spec.name, _needed(spec), meanings.of_input(spec)
        case (_, "models") if pipeline:
            for step in pipeline.steps:
                yield step.name, step.description, meanings.of_step(step)


def _need(spec: InputSpec) -> int:
    """Order inputs: what must be given comes first, then what is given by itself."""
    if not spec.required:
        return 2
    return 1 if spec.source or spec.default_text else 0


def _needed(spec: InputSpec) -> str:
    return "required" if spec.required else "optional"


# --- values -----------------------------------------------------------------------


def _values(spot: Spot, within: Within) -> Iterator[Suggestion]:
    path = spot.word.path
    there = spot.values(path)
    pipeline = within.pipeline(spot)
    match path[1:]:
        case ("pipeline",) if not there:
            yield from _pipelines(within.library)
        case ("primer",) if not there:
            yield from _primers(within.library)
        case ("inputs", name) if pipeline and not there:
            for spec in pipeline.inputs:
                if spec.name == name:
                    yield from _choices(spec, quoted=spot.word.quoted)
        case ("models", _):
            yield from _models(within.models.values(), there, spot)
        case ("providers",):
            yield from _providers(within.models, there)


def _pipelines(library: Library) -> Iterator[Suggestion]:
    for pipeline in library.usable:
        if pipeline.applies_to == "document":
            meaning = meanings.of_pipeline(pipeline)
            name = pipeline.name
            yield Suggestion(name, name, "name", pipeline.description, meaning)


def _primers(library: Library) -> Iterator[Suggestion]:
    for name, entry in sorted(library.primers.items()):
        if entry.value is not None:
            meaning = meanings.of_primer(entry.value)
            yield Suggestion(name, name, "name", entry.value.description, meaning)


def _choices(spec: InputSpec, *, quoted: bool) -> Iterator[Suggestion]:
    options: Sequence[str] = spec.options
    if spec.type == "boolean":
        options = ("true", "false")
    for option in options or filter(None, [spec.default_text]):
        plain = quoted or spec.type in {"boolean", "number"}
        detail = "default" if option == spec.default_text else ""
        new = option if plain else scalar(option)
        yield Suggestion(option, new, "choice", detail, meanings.of_input(spec))


def _models(
    models: Iterable[ModelInfo], there: set[str], spot: Spot
) -> Iterator[Suggestion]:
    for info in sorted(models, key=lambda model: not model.available):
        if info.id not in there:
            plain = spot.word.quoted or _MODEL.fullmatch(info.id)
            yield Suggestion(
                info.id,
                info.id if plain else scalar(info.id),
                "model",
                meanings.model_in_a_line(info),
                meanings.of_model(info.id, info),
            )


def _providers(models: Iterable[str], there: set[str]) -> Iterator[Suggestion]:
    named = dict.fromkeys(split_model_id(model)[0] for model in models)
    for provider in named:
        if provider not in there:
            yield Suggestion(provider, provider, "name")
