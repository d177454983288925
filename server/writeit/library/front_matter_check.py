"""The problems of a document's front matter, judged against the library."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from writeit.domain.model_id import split_model_id
from writeit.domain.pipeline import (
    EVERY_STEP,
    InputSpec,
    PipelineConfiguration,
)
from writeit.domain.primer import NO_PRIMER
from writeit.library.catalog import Library, LibraryEntry
from writeit.library.front_matter import WRITEIT_KEY, FrontMatter, FrontMatterConfig
from writeit.library.validation import (
    close_matches,
    did_you_mean,
)
from writeit.library.yaml_source import (
    MAX_PROBLEMS,
    ProblemCode,
    SourceProblem,
    SourceRange,
    YamlSource,
)

_UNKNOWN_CODES: dict[str, ProblemCode] = {
    "pipeline": "unknown-pipeline",
    "primer": "unknown-primer",
    "input": "unknown-input",
    "step": "unknown-step",
}

_UNUSABLE_CODES: dict[str, ProblemCode] = {
    "pipeline": "unusable-pipeline",
    "primer": "unusable-primer",
}


def check_front_matter(
    front_matter: FrontMatter, library: Library
) -> list[SourceProblem]:
    """Return all problems of a document's front matter, in the order of its lines."""
    problems = [*front_matter.problems]
    source, config = front_matter.source, front_matter.config
    if source is not None:
        pipelines, primers = library.pipelines, library.primers
        problems += _check_reference(source, "pipeline", config.pipeline, pipelines)
        if config.primer != NO_PRIMER:
            problems += _check_reference(source, "primer", config.primer, primers)
        entry = pipelines.get(config.pipeline or "")
        if entry is not None and entry.value is not None:
            names = _check_names(source, config, entry.value)
            problems += islice(names, MAX_PROBLEMS)
            if config.inputs or not (front_matter.raw_config or {}).get("inputs"):
                problems += _check_input_values(source, config, entry.value)
        if front_matter.is_valid:
            problems += islice(_check_providers(source, config), MAX_PROBLEMS)
    if front_matter.dialect != "YAML":  # their ranges are no words to replace
        problems = [replace(problem, suggestions=()) for problem in problems]
    return sorted(problems, key=lambda problem: problem.range)[:MAX_PROBLEMS]


def _check_reference(
    source: YamlSource,
    kind: str,
    name: str | None,
    entries: dict[str, LibraryEntry[Any]],
) -> Iterator[SourceProblem]:
    if name is None:
        return
    location = source.path_range((WRITEIT_KEY, kind))
    entry = entries.get(name)
    if entry is None:
        yield SourceProblem(
            source.uri,
            f"There is no {kind} {name!r}.{did_you_mean(name, entries)}",
            range=location,
            code=_UNKNOWN_CODES[kind],
            suggestions=tuple(close_matches(name, entries)),
        )
    elif entry.value is None:
        first = next(p for p in entry.problems if p.severity == "error")
        message = f"The {kind} {name!r} cannot be used: {first.message}"
        yield SourceProblem(
            source.uri, message, range=location, code=_UNUSABLE_CODES[kind]
        )


def _check_names(
    source: YamlSource, config: FrontMatterConfig, pipeline: PipelineConfiguration
) -> Iterator[SourceProblem]:
    """Warn of steps and inputs that the pipeline does not have; they are ignored."""
    for key, kind, names, known in (
        ("models", "step", config.models, pipeline.step_names),
        ("reasoning", "step", config.reasoning, [*pipeline.step_names, EVERY_STEP]),
        ("inputs", "input", config.inputs, [spec.name for spec in pipeline.inputs]),
    ):
        for name in names:
            if name in known:
                continue
            key_node, value_node = source.find_node((WRITEIT_KEY, key, name))
            node = key_node or value_node
            yield SourceProblem(
                source.uri,
                f"{pipeline.name!r} has no {kind} {name!r}, so this is ignored."
                f"{did_you_mean(name, known)}",
                "warning",
                source.index_range(0) if node is None else source.node_range(node),
                _UNKNOWN_CODES[kind],
                tuple(close_matches(name, known)),
            )


def _check_input_values(
    source: YamlSource, config: FrontMatterConfig, pipeline: PipelineConfiguration
) -> Iterator[SourceProblem]:
    for spec in pipeline.inputs:
        value = config.inputs.get(spec.name)
        if value is None or (spec.required and not value.strip()):
            yield from _check_missing_input(
                source, spec, pipeline, has_value=value is not None
            )
        elif problem := spec.value_problem(value):
            yield SourceProblem(
                source.uri,
                f"The input {spec.name!r} {problem}.",
                range=source.path_range((WRITEIT_KEY, "inputs", spec.name)),
                code="wrong-input",
                suggestions=tuple(close_matches(value, spec.options)),
            )


def _check_missing_input(
    source: YamlSource,
    spec: InputSpec,
    pipeline: PipelineConfiguration,
    *,
    has_value: bool,
) -> Iterator[SourceProblem]:
    """Warn of a required input without a value; the start of a run may set it."""
    if not spec.required or (not has_value and (spec.source or spec.default_text)):
        return
    yield SourceProblem(
        source.uri,
        f"{pipeline.name!r} requires the input {spec.name!r}. Set it here, or when you"
        " start the run.",
        "warning",
        _missing_input_range(source, spec.name, has_value=has_value),
        "missing-input",
    )


def _missing_input_range(
    source: YamlSource, name: str, *, has_value: bool
) -> SourceRange:
    """Return the range of the empty value, the key `inputs` or the pipeline's name."""
    if has_value:
        return source.path_range((WRITEIT_KEY, "inputs", name))
    key, _ = source.find_node((WRITEIT_KEY, "inputs"))
    if key is None or not source.has_path((WRITEIT_KEY, "inputs")):
        return source.path_range((WRITEIT_KEY, "pipeline"))
    return source.node_range(key)


def _check_providers(
    source: YamlSource, config: FrontMatterConfig
) -> Iterator[SourceProblem]:
    """Warn of models whose providers are not allowed."""
    if config.providers is None:
        yield from _check_top_providers(source)
        return
    allowed = ", ".join(config.providers) or "none"
    for step, models in config.models.items():
        for index, model in enumerate(models):
            provider, name = split_model_id(model)
            if not name or provider in config.providers:
                continue
            path = (WRITEIT_KEY, "models", step, index)
            yield SourceProblem(
                source.uri,
                f"{provider} is not allowed for this text, so the model cannot be used."
                f" Allowed providers: {allowed}.",
                "warning",
                source.path_range(path if source.has_path(path) else path[:-1]),
                "provider-not-allowed",
            )


def _check_top_providers(source: YamlSource) -> Iterator[SourceProblem]:
    """Tell that `providers` of another tool is no limit; it may have been meant so."""
    key, _ = source.find_node(("providers",))
    if key is not None:
        yield SourceProblem(
            source.uri,
            "These providers belong to another tool. To limit where this text may be"
            " sent, write `providers` below `writeit`.",
            "information",
            source.node_range(key),
        )
