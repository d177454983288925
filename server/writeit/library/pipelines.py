"""One pipeline file: read, validated, its rules and templates checked in place."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yaml.nodes import ScalarNode

from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.library.validation import (
    drop_unknown_keys,
    iter_keys,
    report_secrets,
    validate_entity,
)
from writeit.library.yaml_source import (
    SourceProblem,
    SourceRange,
    YamlSource,
    has_errors,
    template_range,
)

# --- One pipeline file: read, validated, its rules and templates checked in place -----


def read_pipeline(
    text: str, uri: str, *, created: datetime
) -> tuple[PipelineConfiguration | None, tuple[SourceProblem, ...]]:
    """Return the pipeline a YAML text describes, and all that is wrong with it.

    Args:
        text: the file's text, saved or not.
        uri: where problems say they are.
        created: the file's own date, for a text that names none.
    """
    source = YamlSource(text, uri)
    data = source.data()
    if not isinstance(data, dict):
        if not source.problems:
            source.add_problem(
                "A pipeline is a mapping of keys: name, steps, …", source.index_range(0)
            )
        return None, tuple(source.problems)
    report_secrets(source, iter_keys(source))
    known = drop_unknown_keys(source, PipelineConfiguration, data)
    _check_rules(source, known)
    configuration = validate_entity(
        source, PipelineConfiguration, {"created": created, **known}
    )
    if configuration is not None:
        _check_templates(source, configuration)
    problems = tuple(sorted(source.problems, key=lambda problem: problem.range))
    return None if has_errors(problems) else configuration, problems


def read_name(text: str) -> str | None:
    """Return the name a text gives itself, however broken the rest of it is."""
    data = YamlSource(text, "").data()
    name = data.get("name") if isinstance(data, dict) else None
    return name if isinstance(name, str) else None


def primer_reference_range(text: str, uri: str) -> SourceRange:
    """Return where a pipeline's text names its style primer."""
    return YamlSource(text, uri).path_range(("defaults", "style_primer"))


# --- rules about several places at once, which the entity cannot place ------------


def _check_rules(source: YamlSource, data: dict[str, Any]) -> None:
    for part in ("inputs", "steps"):
        _check_unique_names(source, part, data.get(part))
    inputs = data.get("inputs")
    if isinstance(inputs, list) and inputs and not _has_required_input(inputs):
        key, _ = source.find_node(("inputs",))
        if key is not None:
            source.add_problem("At least one input must be marked as required.", key)
    if isinstance(defaults := data.get("defaults"), dict):
        _check_defaults(source, defaults)


def _check_unique_names(source: YamlSource, part: str, items: object) -> None:
    """Steps must form valid sequential workflow: no name is there twice."""
    names: list[object] = []
    for index, item in enumerate(items if isinstance(items, list) else []):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name in names:
            place = source.path_range((part, index, "name"))
            source.add_problem(f"The {part[:-1]} {name!r} is there twice.", place)
        names.append(name)


def _has_required_input(inputs: list[Any]) -> bool:
    return any(isinstance(item, dict) and item.get("required") for item in inputs)


_DEFAULT_BOUNDS = {"temperature": (0, 2), "max_tokens": (1, None)}


def _check_defaults(source: YamlSource, defaults: dict[str, Any]) -> None:
    """Say what would otherwise be passed over: a default of the wrong kind."""
    for name, (least, most) in _DEFAULT_BOUNDS.items():
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
            place = source.path_range(("defaults", name))
            source.add_problem(
                f"defaults.{name} should be a number, {least}{upto}.", place
            )
    primer = defaults.get("style_primer")
    if primer is not None and not isinstance(primer, str):
        place = source.path_range(("defaults", "style_primer"))
        source.add_problem("defaults.style_primer should be the id of a primer.", place)


# --- templates --------------------------------------------------------------------


def _check_templates(source: YamlSource, configuration: PipelineConfiguration) -> None:
    """All template variables must be defined in inputs or previous steps."""
    from writeit.prompts.validate import find_template_problems  # noqa: PLC0415 -- Jinja2 costs its import

    names = configuration.step_names
    for problem in find_template_problems(configuration):
        _, node = source.find_node(("steps", names.index(problem.step), "prompt"))
        if isinstance(node, ScalarNode):
            place = template_range(
                source, node, problem.line, problem.column, problem.length
            )
            source.add_problem(problem.message, place)


# --- One primer file: read and validated ----------------------------------------------


def read_primer(
    text: str, uri: str, *, default_id: str
) -> tuple[StylePrimer | None, tuple[SourceProblem, ...]]:
    """Return the primer a YAML text describes, and all that is wrong with it.

    Args:
        text: the file's text, saved or not.
        uri: where problems say they are.
        default_id: the file's name without its suffix, for a primer without an id.
    """
    source = YamlSource(text, uri)
    data = source.data()
    primer = None
    if isinstance(data, dict):
        known = drop_unknown_keys(source, StylePrimer, data)
        primer = validate_entity(
            source, StylePrimer, {"primer_id": default_id, **known}
        )
    elif not source.problems:
        message = "A primer is a mapping of keys: name, content, …"
        source.add_problem(message, source.index_range(0))
    problems = tuple(sorted(source.problems, key=lambda problem: problem.range))
    return None if has_errors(problems) else primer, problems
