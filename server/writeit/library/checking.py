"""What the library within reach has against a document's front matter.

The block by itself is checked where it is read, in `frontmatter`; here it is held
against the pipelines and primers that it names. Errors are what no run can begin
with; warnings are what a run passes over, or must be told when it begins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from writeit.core.run import split_model_id
from writeit.library.frontmatter import KEY
from writeit.library.problem import Problem
from writeit.library.validate import near, nearest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from writeit.core.pipeline import InputSpec, PipelineConfiguration
    from writeit.library.frontmatter import Binding, FrontMatter
    from writeit.library.problem import Code, Range
    from writeit.library.shelves import Entry, Library
    from writeit.library.source import Source

_UNKNOWN: dict[str, Code] = {
    "pipeline": "unknown-pipeline",
    "primer": "unknown-primer",
    "input": "unknown-input",
    "step": "unknown-step",
}
_UNUSABLE: dict[str, Code] = {
    "pipeline": "unusable-pipeline",
    "primer": "unusable-primer",
}


def problems_within(front_matter: FrontMatter, library: Library) -> list[Problem]:
    """Return all that is wrong with a document's front matter, in its order."""
    found = [*front_matter.problems]
    source, binding = front_matter.source, front_matter.binding
    if source is not None:
        found += _named(source, "pipeline", binding.pipeline, library.pipelines)
        found += _named(source, "primer", binding.primer, library.primers)
        entry = library.pipelines.get(binding.pipeline or "")
        if entry is not None and entry.value is not None:
            found += _steps(source, binding, entry.value)
            found += _unknown_inputs(source, binding, entry.value)
            if binding.inputs or not (front_matter.mapping or {}).get("inputs"):
                found += _values(source, binding, entry.value)
        if front_matter.ok:
            found += _destinations(source, binding)
    return sorted(found, key=lambda problem: problem.range)


def _named(
    source: Source, what: str, name: str | None, entries: dict[str, Entry[Any]]
) -> Iterator[Problem]:
    if name is None:
        return
    place = source.place_of((KEY, what))
    entry = entries.get(name)
    if entry is None:
        yield Problem(
            source.uri,
            f"No {what} is called {name!r}.{nearest(name, entries)}",
            range=place,
            code=_UNKNOWN[what],
            instead=tuple(near(name, entries)),
        )
    elif entry.value is None:
        first = next(p for p in entry.problems if p.severity == "error")
        message = f"The {what} {name!r} cannot be used: {first.message}"
        yield Problem(source.uri, message, range=place, code=_UNUSABLE[what])


def _steps(
    source: Source, binding: Binding, pipeline: PipelineConfiguration
) -> Iterator[Problem]:
    names = pipeline.step_names
    for step in binding.models:
        if step not in names:
            yield _unknown(source, ("models", step), pipeline, names)


def _unknown_inputs(
    source: Source, binding: Binding, pipeline: PipelineConfiguration
) -> Iterator[Problem]:
    names = [spec.name for spec in pipeline.inputs]
    for name in binding.inputs:
        if name not in names:
            yield _unknown(source, ("inputs", name), pipeline, names)


def _unknown(
    source: Source,
    loc: tuple[str, str],
    pipeline: PipelineConfiguration,
    known: Iterable[str],
) -> Problem:
    """Name a key that the pipeline has not; it is passed over, not refused."""
    what = {"models": "step", "inputs": "input"}[loc[0]]
    key, value = source.find((KEY, *loc))
    place = key or value
    return Problem(
        source.uri,
        f"{pipeline.name!r} has no {what} {loc[1]!r}; this is passed over."
        f"{nearest(loc[1], known)}",
        "warning",
        source.range(0) if place is None else source.range_of(place),
        _UNKNOWN[what],
        tuple(near(loc[1], known)),
    )


def _values(
    source: Source, binding: Binding, pipeline: PipelineConfiguration
) -> Iterator[Problem]:
    for spec in pipeline.inputs:
        value = binding.inputs.get(spec.name)
        if value is None or (spec.required and not value.strip()):
            yield from _missing(source, spec, pipeline, given=value is not None)
        elif wrong := spec.problem_with(value):
            yield Problem(
                source.uri,
                f"The input {spec.name!r} {wrong}.",
                range=source.place_of((KEY, "inputs", spec.name)),
                code="wrong-input",
                instead=tuple(near(value, spec.options)),
            )


def _missing(
    source: Source, spec: InputSpec, pipeline: PipelineConfiguration, *, given: bool
) -> Iterator[Problem]:
    """Name a required input that nothing gives; a run may still be given it."""
    if not spec.required or (not given and (spec.source or spec.default_text)):
        return
    yield Problem(
        source.uri,
        f"{pipeline.name!r} needs the input {spec.name!r}, and nothing gives it."
        " Write it here, or give it when the run starts.",
        "warning",
        _place_of_missing(source, spec.name, given=given),
        "missing-input",
    )


def _place_of_missing(source: Source, name: str, *, given: bool) -> Range:
    """Return its empty value, else the key `inputs`, else the pipeline's name."""
    if given:
        return source.place_of((KEY, "inputs", name))
    key, _ = source.find((KEY, "inputs"))
    if key is None or not source.has((KEY, "inputs")):
        return source.place_of((KEY, "pipeline"))
    return source.range_of(key)


def _destinations(source: Source, binding: Binding) -> Iterator[Problem]:
    """Name models at providers that the text may not be sent to: they are refused."""
    if binding.providers is None:
        return
    allowed = ", ".join(binding.providers) or "nowhere"
    for step, models in binding.models.items():
        for index, model in enumerate(models):
            provider, name = split_model_id(model)
            if not name or provider in binding.providers:
                continue
            loc = (KEY, "models", step, index)
            yield Problem(
                source.uri,
                f"This text may be sent to {allowed}, not to {provider}: the model"
                " would be refused.",
                "warning",
                source.place_of(loc if source.has(loc) else loc[:-1]),
                "provider-not-allowed",
            )
