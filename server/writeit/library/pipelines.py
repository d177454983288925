"""One pipeline or primer file: read and validated, with its rules and templates."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from yaml.nodes import ScalarNode

from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import NO_PRIMER, StylePrimer
from writeit.library.validation import (
    drop_unknown_keys,
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

MAX_ITEMS = 100
"""How many steps, and how many inputs, a pipeline may have."""
MAX_NUMBER = 2**53
"""The largest number in `defaults`."""


def read_pipeline(
    text: str, uri: str, *, created: datetime
) -> tuple[PipelineConfiguration | None, tuple[SourceProblem, ...]]:
    """Return the pipeline of a YAML text, None if it has errors, and its problems.

    Args:
        text: the file's text, saved or not.
        uri: the URI in the problems.
        created: the file's date, for a text without one.
    """
    source = YamlSource(text, uri)
    data = source.data()
    if not isinstance(data, dict):
        if not source.problems:
            source.add_problem(
                "A pipeline should be a mapping of keys: name, steps, …",
                source.index_range(0),
            )
        return None, tuple(source.problems)
    report_secrets(source, (key for key, _ in source.iter_pairs()))
    known = drop_unknown_keys(source, PipelineConfiguration, data)
    _check_rules(source, known)
    configuration = validate_entity(
        source, PipelineConfiguration, {"created": created, **known}
    )
    if configuration is not None:
        _check_templates(source, configuration)
    problems = tuple(sorted(source.problems, key=lambda problem: problem.range))
    return None if has_errors(problems) else configuration, problems


def read_name(text: str, key: str = "name") -> str | None:
    """Return the name in a file's text, whatever other errors it has."""
    data = YamlSource(text, "").data()
    name = data.get(key) if isinstance(data, dict) else None
    return name if isinstance(name, str) else None


def primer_reference_range(text: str, uri: str) -> SourceRange:
    """Return the range of the style primer in a pipeline's text."""
    return YamlSource(text, uri).path_range(("defaults", "style_primer"))


def _check_rules(source: YamlSource, data: dict[str, Any]) -> None:
    """Check the rules about several keys, whose range the entity cannot tell."""
    for part in ("inputs", "steps"):
        items = data.get(part)
        if isinstance(items, list) and len(items) > MAX_ITEMS:
            message = f"A pipeline has at most {MAX_ITEMS} {part}."
            source.add_problem(message, source.path_range((part,)))
        else:
            _check_unique_names(source, part, items)
    inputs = data.get("inputs")
    if (
        isinstance(inputs, list)
        and inputs
        and not any(isinstance(i, dict) and i.get("required") for i in inputs)
    ):
        key, _ = source.find_node(("inputs",))
        if key is not None:
            source.add_problem("At least one input must be marked as required.", key)
    if isinstance(defaults := data.get("defaults"), dict):
        _check_defaults(source, defaults)


def _check_unique_names(source: YamlSource, part: str, items: object) -> None:
    """Steps must form valid sequential workflow: their names are unique."""
    names: list[object] = []
    for index, item in enumerate(items if isinstance(items, list) else []):
        name = item.get("name") if isinstance(item, dict) else None
        if isinstance(name, str) and name in names:
            message = f"There is another {part[:-1]} with the name {name!r}."
            source.add_problem(message, source.path_range((part, index, "name")))
        names.append(name)


def _has_huge_number(value: object) -> bool:
    """Return whether a value has a number that JSON cannot carry to a client."""
    if isinstance(value, dict):
        return any(map(_has_huge_number, value.values()))
    if isinstance(value, list):
        return any(map(_has_huge_number, value))
    return isinstance(value, int) and abs(value) > MAX_NUMBER


_DEFAULT_BOUNDS = {"temperature": (0, 2), "max_tokens": (1, None)}


def _check_defaults(source: YamlSource, defaults: dict[str, Any]) -> None:
    """Report defaults of the wrong type, which would otherwise be ignored."""
    for name, value in defaults.items():
        if _has_huge_number(value):
            message = f"defaults.{name} has a number that is too large."
            source.add_problem(message, source.path_range(("defaults", name)))
    for name, (least, most) in _DEFAULT_BOUNDS.items():
        value = defaults.get(name)
        if value is None:
            continue
        if (
            not isinstance(value, int if name == "max_tokens" else int | float)
            or isinstance(value, bool)
            or value < least
            or (most is not None and value > most)
        ):
            upto = f" to {most}" if most is not None else " or more"
            message = f"defaults.{name} should be a number, {least}{upto}."
            source.add_problem(message, source.path_range(("defaults", name)))
    primer = defaults.get("style_primer")
    if primer is not None and not isinstance(primer, str):
        location = source.path_range(("defaults", "style_primer"))
        message = "defaults.style_primer should be the id of a style primer."
        source.add_problem(message, location)


def _check_templates(source: YamlSource, configuration: PipelineConfiguration) -> None:
    """All template variables must be defined in inputs or previous steps."""
    from writeit.prompts.validate import find_template_problems  # noqa: PLC0415 -- Jinja2 costs its import

    names = configuration.step_names
    for problem in find_template_problems(configuration):
        _, node = source.find_node(("steps", names.index(problem.step), "prompt"))
        if isinstance(node, ScalarNode):
            location = template_range(
                source, node, problem.line, problem.column, problem.length
            )
            source.add_problem(problem.message, location)


def read_primer(
    text: str, uri: str, *, default_id: str
) -> tuple[StylePrimer | None, tuple[SourceProblem, ...]]:
    """Return the primer of a YAML text, None if it has errors, and its problems.

    Args:
        text: the file's text, saved or not.
        uri: the URI in the problems.
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
        message = "A style primer should be a mapping of keys: name, content, …"
        source.add_problem(message, source.index_range(0))
    if primer is not None and primer.primer_id == NO_PRIMER:
        message = f"The id {NO_PRIMER!r} is reserved: it means no style."
        source.add_problem(message, source.index_range(0))
    problems = tuple(sorted(source.problems, key=lambda problem: problem.range))
    return None if has_errors(problems) else primer, problems
