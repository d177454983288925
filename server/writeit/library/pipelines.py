"""One pipeline file: read, validated, its rules and templates checked in place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from yaml.nodes import ScalarNode

from writeit.core.pipeline import PipelineConfiguration
from writeit.library.problem import Problem, Range, has_errors
from writeit.library.source import Source
from writeit.library.templates import place_in
from writeit.library.validate import (
    iter_keys,
    known_only,
    refuse_secrets,
    validated,
)

if TYPE_CHECKING:
    from datetime import datetime


def read_pipeline(
    text: str, uri: str, *, created: datetime
) -> tuple[PipelineConfiguration | None, tuple[Problem, ...]]:
    """Return the pipeline a YAML text describes, and all that is wrong with it.

    Args:
        text: the file's text, saved or not.
        uri: where problems say they are.
        created: the file's own date, for a text that names none.
    """
    source = Source(text, uri)
    data = source.data()
    if not isinstance(data, dict):
        if not source.problems:
            source.add(
                "A pipeline is a mapping of keys: name, steps, …", source.range(0)
            )
        return None, tuple(source.problems)
    refuse_secrets(source, iter_keys(source))
    known = known_only(source, PipelineConfiguration, data)
    _check_rules(source, known)
    configuration = validated(
        source, PipelineConfiguration, {"created": created, **known}
    )
    if configuration is not None:
        _check_templates(source, configuration)
    problems = tuple(sorted(source.problems, key=lambda problem: problem.range))
    return None if has_errors(problems) else configuration, problems


def named_in(text: str) -> str | None:
    """Return the name a text gives itself, however broken the rest of it is."""
    data = Source(text, "").data()
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None


def primer_named_at(text: str, uri: str) -> Range:
    """Return where a pipeline's text names its style primer."""
    return Source(text, uri).place_of(("defaults", "style_primer"))


# --- rules about several places at once, which the entity cannot place ------------


def _check_rules(source: Source, data: dict[str, Any]) -> None:
    for part in ("inputs", "steps"):
        _check_names(source, part, data.get(part))
    inputs = data.get("inputs")
    if isinstance(inputs, list) and inputs and not _any_required(inputs):
        key, _ = source.find(("inputs",))
        if key is not None:
            source.add("At least one input must be marked as required.", key)
    if isinstance(defaults := data.get("defaults"), dict):
        _check_defaults(source, defaults)


def _check_names(source: Source, part: str, items: object) -> None:
    """Steps must form valid sequential workflow: no name is there twice."""
    names: list[object] = []
    for index, item in enumerate(items if isinstance(items, list) else []):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name in names:
            place = source.place_of((part, index, "name"))
            source.add(f"The {part[:-1]} {name!r} is there twice.", place)
        names.append(name)


def _any_required(inputs: list[Any]) -> bool:
    return any(isinstance(item, dict) and item.get("required") for item in inputs)


_NUMBERS = {"temperature": (0, 2), "max_tokens": (1, None)}


def _check_defaults(source: Source, defaults: dict[str, Any]) -> None:
    """Say what would otherwise be passed over: a default of the wrong kind."""
    for name, (least, most) in _NUMBERS.items():
        value = defaults.get(name)
        if value is None:
            continue
        is_number = isinstance(value, int if name == "max_tokens" else int | float)
        if (
            not is_number
            or isinstance(value, bool)
            or value < least
            or (most is not None and value > most)
        ):
            upto = f" to {most}" if most is not None else " or more"
            place = source.place_of(("defaults", name))
            source.add(f"defaults.{name} should be a number, {least}{upto}.", place)
    primer = defaults.get("style_primer")
    if primer is not None and not isinstance(primer, str):
        place = source.place_of(("defaults", "style_primer"))
        source.add("defaults.style_primer should be the id of a primer.", place)


# --- templates --------------------------------------------------------------------


def _check_templates(source: Source, configuration: PipelineConfiguration) -> None:
    """All template variables must be defined in inputs or previous steps."""
    from writeit.core.prompt import problems  # noqa: PLC0415 -- Jinja2 costs its import

    names = configuration.step_names
    for problem in problems(configuration):
        _, node = source.find(("steps", names.index(problem.step), "prompt"))
        if isinstance(node, ScalarNode):
            place = place_in(source, node, problem.line, problem.column, problem.length)
            source.add(problem.message, place)
