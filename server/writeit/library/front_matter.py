"""The front matter of a markdown text: what it says to WriteIt, and where it ends.

Front matter belongs to the writer and to all her tools; only the key `writeit` in it
is ours, and only what is wrong there is a problem.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from yaml.nodes import MappingNode, Node

from writeit.domain.entity import Entity, Name
from writeit.domain.errors import InvalidPipeline
from writeit.domain.pipeline import InputSpec, PipelineConfiguration
from writeit.domain.run import RunDocument, split_model_id
from writeit.library.catalog import Library, LibraryEntry
from writeit.library.validation import (
    close_matches,
    did_you_mean,
    drop_unknown_keys,
    report_secrets,
    report_validation_error,
)
from writeit.library.yaml_source import (
    ProblemCode,
    SourceProblem,
    SourceRange,
    YamlSource,
    has_errors,
)
from writeit.text.markdown import first_title

# --- The front matter of a markdown text: what it says to WriteIt, and where it ends --

BOM = "\ufeff"
WRITEIT_KEY = "writeit"

_LINE_END = r"(?:\r\n|\r|\n)"
_FRONT_MATTER = re.compile(
    rf"\A(?P<open>{BOM}?---[ \t]*{_LINE_END})"
    rf"(?P<yaml>(?:.*?{_LINE_END})??)"
    rf"(?:---|\.\.\.)[ \t]*(?:{_LINE_END}|\Z)",
    re.DOTALL,
)
_WRITEIT_LINE = re.compile(rf"^[\"']?{WRITEIT_KEY}[\"']?[ \t]*:", re.MULTILINE)


def _to_tuple(value: object) -> object:
    return (value,) if isinstance(value, str) else value


def _to_input_text(value: object) -> object:
    """Return an input's value as the text a run keeps: numbers and dates spelled."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | date) else value


StringList = Annotated[tuple[str, ...], BeforeValidator(_to_tuple)]
InputText = Annotated[str, BeforeValidator(_to_input_text)]


class FrontMatterConfig(Entity):
    """What a document says about its runs; all of it is optional."""

    pipeline: Name | None = None
    """The pipeline its runs are made from."""
    primer: Name | None = None
    """The style primer of its runs."""
    models: dict[str, StringList] = Field(default_factory=dict)
    """Model ids for each step: one, or a list."""
    inputs: dict[str, InputText] = Field(default_factory=dict)
    """Values for the pipeline's inputs."""
    output_path: str | None = None
    """Where a new file goes, relative to the workspace folder."""
    providers: StringList | None = None
    """Where this text may be sent: left out anywhere configured, empty nowhere."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A markdown text, split: `head` and `body` joined are the text, byte for byte."""

    head: str
    """The front matter with its fences, "" if there is none."""
    body: str
    raw_config: Mapping[str, Any] | None = None
    """What stands under `writeit`, as it stands there; None if nothing does."""
    config: FrontMatterConfig = field(default_factory=FrontMatterConfig)
    """What could be understood of it. While there are errors `providers` is never
    None: what cannot be read may be the line that keeps the text at home."""
    problems: tuple[SourceProblem, ...] = ()
    source: YamlSource | None = field(default=None, compare=False, repr=False)
    """What it was read from, with its places; None if nothing speaks to WriteIt."""

    @property
    def is_valid(self) -> bool:
        """Whether all of it was understood; if not, nothing should be sent."""
        return not has_errors(self.problems)


def split_front_matter(text: str, uri: str = "") -> FrontMatter:
    """Split a markdown text; front matter that cannot be read is a problem.

    A text that merely begins with a thematic break has no front matter.
    """
    match = _FRONT_MATTER.match(text)
    if match is None:
        return FrontMatter(*_split_bom(text))
    source = YamlSource(match["yaml"], uri, first_line=1)
    if source.root is None and not source.problems:
        return FrontMatter(match[0], text[match.end() :])
    if source.root is not None and not isinstance(source.root, MappingNode):
        return FrontMatter(*_split_bom(text))
    head, body = match[0], text[match.end() :]
    if source.root is None:
        return _invalid_front_matter(
            head,
            body,
            source,
            has_writeit_key=bool(_WRITEIT_LINE.search(match["yaml"])),
        )
    node = _find_writeit_node(source.root)
    if node is None:
        return FrontMatter(head, body)
    mapping, binding = _read_config(source, node)
    problems = tuple(source.problems)
    return FrontMatter(head, body, mapping, binding, problems, source)


def find_front_matter(text: str) -> str:
    """Return the front matter with its fences, "" if `text` begins with none.

    Its end is looked for, nothing else: it may yet turn out to be none.
    """
    match = _FRONT_MATTER.match(text)
    return match[0] if match else ""


def _split_bom(text: str) -> tuple[str, str]:
    """Return a text without front matter as head and body; a BOM is no body."""
    return (BOM, text[1:]) if text.startswith(BOM) else ("", text)


def _invalid_front_matter(
    head: str, body: str, source: YamlSource, *, has_writeit_key: bool
) -> FrontMatter:
    """Return front matter that is no YAML: an error only if it speaks to us."""
    problems = tuple(
        SourceProblem(
            p.uri,
            p.message,
            "error" if has_writeit_key else "information",
            p.range,
            p.code,
        )
        for p in source.problems
    )
    binding = (
        FrontMatterConfig(providers=()) if has_writeit_key else FrontMatterConfig()
    )
    return FrontMatter(head, body, None, binding, problems)


def _find_writeit_node(root: MappingNode) -> Node | None:
    return next((value for key, value in root.value if key.value == WRITEIT_KEY), None)


def _read_config(
    source: YamlSource, node: Node
) -> tuple[dict[str, Any], FrontMatterConfig]:
    data = source.data(node)
    if data is None and not source.problems:
        return {}, FrontMatterConfig()  # `writeit:` with nothing behind it
    if not isinstance(data, dict):
        message = f"{WRITEIT_KEY!r} is a mapping of keys: pipeline, primer, inputs, …"
        source.add_problem(message, node, code="wrong-value")
        return {}, FrontMatterConfig(providers=())
    if isinstance(node, MappingNode):
        report_secrets(source, [key for key, _ in node.value])
    known = drop_unknown_keys(source, FrontMatterConfig, data, (WRITEIT_KEY,))
    binding = _validate_config(source, known)
    if has_errors(source.problems) and binding.providers is None:
        return data, binding.evolve(providers=())
    return data, binding


def _validate_config(source: YamlSource, data: dict[str, Any]) -> FrontMatterConfig:
    """Return the binding of those keys that are right, and note the others."""
    try:
        return FrontMatterConfig.model_validate(data)
    except ValidationError as error:
        wrong = set()
        for detail in error.errors(include_url=False):
            report_validation_error(source, detail, parent_path=(WRITEIT_KEY,))
            wrong.add(detail["loc"][0])
    return FrontMatterConfig.model_validate(
        {k: v for k, v in data.items() if k not in wrong}
    )


# --- A markdown file as a run sees it: body, selection, title, and what binds it ------


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """The writer's document with its front matter understood."""

    document: RunDocument
    front_matter: FrontMatter

    def require_valid(self) -> SourceDocument:
        """Return this manuscript if its front matter was understood.

        Raises:
            InvalidPipeline: it was not; what cannot be read may be what forbids
                sending the text anywhere.
        """
        if self.front_matter.is_valid:
            return self
        problems = self.front_matter.problems
        first = next(p for p in problems if p.severity == "error")
        raise InvalidPipeline(
            f"The front matter cannot be understood: {first.message}",
            hint="Put right what is marked in the first lines of the document.",
            problems=[problem.to_json() for problem in problems],
        )


def read_source_document(
    text: str,
    *,
    path: str = "",
    uri: str = "",
    selection: tuple[int, int] | None = None,
) -> SourceDocument:
    """Read a markdown text; `selection` counts code points from its beginning.

    The document's text leaves its front matter out, so what of a selection lies in
    the front matter is not selected.
    """
    front_matter = split_front_matter(text, uri)
    body = front_matter.body
    document = RunDocument(
        text=body,
        title=first_title(body),
        path=path,
        providers=front_matter.config.providers,
    )
    if selection is not None:
        start, end = (
            min(max(offset - len(front_matter.head), 0), len(body))
            for offset in selection
        )
        document = document.evolve(
            selection=body[start:end], before=body[:start], after=body[end:]
        )
    return SourceDocument(document, front_matter)


# --- What the library within reach has against a document's front matter --------------

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
    """Return all that is wrong with a document's front matter, in its order."""
    found = [*front_matter.problems]
    source, binding = front_matter.source, front_matter.config
    if source is not None:
        found += _check_reference(
            source, "pipeline", binding.pipeline, library.pipelines
        )
        found += _check_reference(source, "primer", binding.primer, library.primers)
        entry = library.pipelines.get(binding.pipeline or "")
        if entry is not None and entry.value is not None:
            found += _check_step_names(source, binding, entry.value)
            found += _check_input_names(source, binding, entry.value)
            if binding.inputs or not (front_matter.raw_config or {}).get("inputs"):
                found += _check_input_values(source, binding, entry.value)
        if front_matter.is_valid:
            found += _check_providers(source, binding)
    return sorted(found, key=lambda problem: problem.range)


def _check_reference(
    source: YamlSource,
    kind: str,
    name: str | None,
    entries: dict[str, LibraryEntry[Any]],
) -> Iterator[SourceProblem]:
    if name is None:
        return
    place = source.path_range((WRITEIT_KEY, kind))
    entry = entries.get(name)
    if entry is None:
        yield SourceProblem(
            source.uri,
            f"No {kind} is called {name!r}.{did_you_mean(name, entries)}",
            range=place,
            code=_UNKNOWN_CODES[kind],
            suggestions=tuple(close_matches(name, entries)),
        )
    elif entry.value is None:
        first = next(p for p in entry.problems if p.severity == "error")
        message = f"The {kind} {name!r} cannot be used: {first.message}"
        yield SourceProblem(
            source.uri, message, range=place, code=_UNUSABLE_CODES[kind]
        )


def _check_step_names(
    source: YamlSource, config: FrontMatterConfig, pipeline: PipelineConfiguration
) -> Iterator[SourceProblem]:
    names = pipeline.step_names
    for step in config.models:
        if step not in names:
            yield _unknown_key_problem(source, ("models", step), pipeline, names)


def _check_input_names(
    source: YamlSource, config: FrontMatterConfig, pipeline: PipelineConfiguration
) -> Iterator[SourceProblem]:
    names = [spec.name for spec in pipeline.inputs]
    for name in config.inputs:
        if name not in names:
            yield _unknown_key_problem(source, ("inputs", name), pipeline, names)


def _unknown_key_problem(
    source: YamlSource,
    path: tuple[str, str],
    pipeline: PipelineConfiguration,
    known: Iterable[str],
) -> SourceProblem:
    """Name a key that the pipeline has not; it is passed over, not refused."""
    what = {"models": "step", "inputs": "input"}[path[0]]
    key, value = source.find_node((WRITEIT_KEY, *path))
    place = key or value
    return SourceProblem(
        source.uri,
        f"{pipeline.name!r} has no {what} {path[1]!r}; this is passed over."
        f"{did_you_mean(path[1], known)}",
        "warning",
        source.index_range(0) if place is None else source.node_range(place),
        _UNKNOWN_CODES[what],
        tuple(close_matches(path[1], known)),
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
        elif wrong := spec.value_problem(value):
            yield SourceProblem(
                source.uri,
                f"The input {spec.name!r} {wrong}.",
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
    """Name a required input that nothing gives; a run may still be given it."""
    if not spec.required or (not has_value and (spec.source or spec.default_text)):
        return
    yield SourceProblem(
        source.uri,
        f"{pipeline.name!r} needs the input {spec.name!r}, and nothing gives it."
        " Write it here, or give it when the run starts.",
        "warning",
        _missing_input_range(source, spec.name, has_value=has_value),
        "missing-input",
    )


def _missing_input_range(
    source: YamlSource, name: str, *, has_value: bool
) -> SourceRange:
    """Return its empty value, else the key `inputs`, else the pipeline's name."""
    if has_value:
        return source.path_range((WRITEIT_KEY, "inputs", name))
    key, _ = source.find_node((WRITEIT_KEY, "inputs"))
    if key is None or not source.has_path((WRITEIT_KEY, "inputs")):
        return source.path_range((WRITEIT_KEY, "pipeline"))
    return source.node_range(key)


def _check_providers(
    source: YamlSource, config: FrontMatterConfig
) -> Iterator[SourceProblem]:
    """Name models at providers that the text may not be sent to: they are refused."""
    if config.providers is None:
        return
    allowed = ", ".join(config.providers) or "nowhere"
    for step, models in config.models.items():
        for index, model in enumerate(models):
            provider, name = split_model_id(model)
            if not name or provider in config.providers:
                continue
            loc = (WRITEIT_KEY, "models", step, index)
            yield SourceProblem(
                source.uri,
                f"This text may be sent to {allowed}, not to {provider}: the model"
                " would be refused.",
                "warning",
                source.path_range(loc if source.has_path(loc) else loc[:-1]),
                "provider-not-allowed",
            )
