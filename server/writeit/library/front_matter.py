"""The `writeit` block in the front matter of a document: read, and checked.

Other keys belong to other tools and are not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from itertools import islice
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode

from writeit.domain.entity import Entity, Name, StringList
from writeit.domain.errors import InvalidPipeline
from writeit.domain.model_id import split_model_id
from writeit.domain.pipeline import (
    EVERY_STEP,
    InputSpec,
    PipelineConfiguration,
    Reasoning,
)
from writeit.domain.primer import NO_PRIMER
from writeit.domain.run import RunDocument
from writeit.library.catalog import Library, LibraryEntry
from writeit.library.front_matter_guard import (
    find_key,
    find_unread_key,
    has_misplaced_providers,
)
from writeit.library.table_source import TableSource
from writeit.library.validation import (
    close_matches,
    did_you_mean,
    drop_unknown_keys,
    report_secrets,
    report_validation_error,
)
from writeit.library.yaml_source import (
    FRONT_MATTER_LIMITS,
    MAX_PROBLEMS,
    ProblemCode,
    Severity,
    SourcePosition,
    SourceProblem,
    SourceRange,
    YamlSource,
    has_errors,
)
from writeit.text.block_reader import find_title
from writeit.text.front_matter import (
    BOM,
    Dialect,
    find_front_matter,
    opening_dialect,
    unread_opening,
)
from writeit.text.lines import LINE_END, first_line_end

WRITEIT_KEY = "writeit"


def _to_input_text(value: object) -> object:
    """Return an input's value as text: "true", "3", "2026-11-22"."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float | date) else value


InputText = Annotated[str, BeforeValidator(_to_input_text)]


def _by_step(value: object) -> object:
    """Return a value for all steps as a mapping."""
    if isinstance(value, dict):
        return value
    return {} if value is None else {EVERY_STEP: value}


class FrontMatterConfig(Entity):
    """What a document sets for its runs; all of it is optional."""

    pipeline: Name | None = None
    """The name of the pipeline."""
    primer: Name | None = None
    """The id of the style primer."""
    models: dict[str, StringList] = Field(default_factory=dict)
    """Model ids for each step."""
    reasoning: Annotated[dict[str, Reasoning], BeforeValidator(_by_step)] = Field(
        default_factory=dict
    )
    """How long models may think: none, low, medium, high or a number of tokens, for all
    steps or for each step."""
    inputs: dict[str, InputText] = Field(default_factory=dict)
    """Values for the pipeline's inputs."""
    output_path: str | None = None
    """The path for a new file, relative to the workspace folder."""
    providers: StringList | None = None
    """The allowed providers: None allows all configured ones, empty allows none."""


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """A markdown text, split; `head + body` is the text, byte for byte."""

    head: str
    """The front matter with its fences, or ""."""
    body: str
    raw_config: Mapping[str, Any] | None = None
    """The data of the key `writeit`, None without that key."""
    config: FrontMatterConfig = field(default_factory=FrontMatterConfig)
    """The valid part of it. While there are errors, `providers` is never None:
    the invalid line may be the one that restricts the providers."""
    problems: tuple[SourceProblem, ...] = ()
    source: YamlSource | None = field(default=None, compare=False, repr=False)
    """The YAML with its ranges, None without the key `writeit`."""
    dialect: Dialect | None = None
    """None without front matter."""

    @property
    def is_valid(self) -> bool:
        """Whether it has no errors; if it has, nothing should be sent."""
        return not has_errors(self.problems)

    def with_body(self, body: str) -> str:
        """Return the front matter with another text below it."""
        head = self.head
        if body and self.dialect is not None and not self.body:
            needed = 2 if self.dialect == "JSON" else 1
            ends = LINE_END.findall(head[len(head.rstrip()) :])
            head += first_line_end(head) * (needed - len(ends))
        return head + body

    def require_valid(self) -> FrontMatter:
        """Return this front matter.

        Raises:
            InvalidPipeline: it has errors; the invalid part may be the one that
                restricts the providers.
        """
        if self.is_valid:
            return self
        first = next(p for p in self.problems if p.severity == "error")
        raise InvalidPipeline(
            f"The front matter has an error: {first.message}",
            hint="Correct the errors marked in the first lines of the document.",
            problems=[problem.to_json() for problem in self.problems],
        )


def split_front_matter(text: str, uri: str = "") -> FrontMatter:
    """Split a markdown text; invalid front matter is a problem.

    A text that begins with a thematic break has no front matter. A place that names
    the key `writeit` without a block that was read is an error in any text.
    """
    found = find_front_matter(text)
    if found is None:
        return _unread_front_matter(text, uri)
    parts = FrontMatter(found.head, text[len(found.head) :], dialect=found.dialect)
    if found.dialect == "Pandoc":
        index = find_key(found.head)
        parts = _block_sending(parts, text, index, uri)
        return _check_below(parts, text, uri)
    first_line = len(LINE_END.findall(found.lead + found.open))
    if found.dialect != "YAML":
        source: YamlSource = TableSource(found, uri, first_line)
    else:
        source = YamlSource(
            found.content, uri, first_line=first_line, limits=FRONT_MATTER_LIMITS
        )
        if source.root is not None and not isinstance(source.root, MappingNode):
            return _unread_front_matter(text, uri)  # prose between two thematic breaks
    if source.root is None:
        parts = _invalid_front_matter(parts, found.content, source)
        return _check_below(parts, text, uri)
    nodes = [v for k, v in source.root.value if k.value == WRITEIT_KEY]
    if nodes:
        raw_config, config = _read_config(source, nodes[0])
        parts = replace(parts, raw_config=raw_config, config=config, source=source)
        if len(nodes) > 1:
            source.add_problem(
                f"The key {WRITEIT_KEY!r} is duplicated. Nothing is sent. Keep one.",
                nodes[1],
                code="key-twice",
            )
            parts = replace(parts, config=config.evolve(providers=()))
        parts = replace(parts, problems=tuple(source.problems))
    data = source.data_of_all if isinstance(source, TableSource) else {}
    index = find_unread_key(source, found.content, data, found.dialect)
    if index is not None:
        return _block_sending(parts, text, len(found.lead + found.open) + index, uri)
    return parts if nodes else _check_below(parts, text, uri)


def _check_below(parts: FrontMatter, text: str, uri: str) -> FrontMatter:
    """Look for a block right below front matter that has none; it is not read."""
    index = find_key(unread_opening(parts.body, is_below=True))
    found = None if index is None else len(parts.head) + index
    return _block_sending(parts, text, found, uri)


_HOW_TO_WRITE: dict[Dialect | None, str] = {
    "TOML": "Write `[writeit]` once, between two lines `+++`.",
    "JSON": 'Write "writeit" once, as a key of a valid object above a blank line.',
}


def _block_sending(
    parts: FrontMatter, text: str, index: int | None, uri: str
) -> FrontMatter:
    """Add the error of a place that names the key but could not be read."""
    if index is None or not parts.is_valid:
        return parts
    lines = LINE_END.split(text[:index])
    start = SourcePosition(len(lines) - 1, len(lines[-1]))
    end = replace(start, character=start.character + len(WRITEIT_KEY))
    how = _HOW_TO_WRITE.get(
        parts.dialect or opening_dialect(text),
        "Write `writeit:` once, at the start of a line between two lines `---`.",
    )
    where = "here" if parts.dialect else "here: the front matter has no valid end"
    problem = SourceProblem(
        uri,
        f"No `writeit` block could be read {where}. Nothing is sent. {how}",
        range=SourceRange(start, end),
        code="unread-block",
    )
    config = parts.config.evolve(providers=parts.config.providers or ())
    return replace(parts, config=config, problems=(*parts.problems, problem))


def _unread_front_matter(text: str, uri: str) -> FrontMatter:
    """Return a text without front matter, and an error if one may have been meant."""
    parts = _without_front_matter(text)
    return _block_sending(parts, text, find_key(unread_opening(text)), uri)


def _without_front_matter(text: str) -> FrontMatter:
    """Return a text without front matter; a byte order mark is its head."""
    head = BOM if text.startswith(BOM) else ""
    return FrontMatter(head, text[len(head) :])


def _invalid_front_matter(
    parts: FrontMatter, content: str, source: YamlSource
) -> FrontMatter:
    """Return front matter that cannot be read; an error only with the key `writeit`."""
    has_key = find_key(content) is not None
    severity: Severity = "error" if has_key else "information"
    problems = tuple(replace(p, severity=severity) for p in source.problems)
    config = FrontMatterConfig(providers=() if has_key else None)
    return replace(parts, config=config, problems=problems)


def _read_config(
    source: YamlSource, node: Node
) -> tuple[dict[str, Any], FrontMatterConfig]:
    data = source.data(node)
    if not isinstance(data, dict):
        message = (
            f"{WRITEIT_KEY!r} should be a mapping of keys: pipeline, primer, inputs, …"
            " Nothing is sent until it is."
        )
        source.add_problem(message, node, code="wrong-value")
        return {}, FrontMatterConfig(providers=())
    if isinstance(node, MappingNode):
        keys = [key for key, _ in node.value if isinstance(key, ScalarNode)]
        report_secrets(source, keys)
    known = drop_unknown_keys(source, FrontMatterConfig, data, (WRITEIT_KEY,))
    if has_misplaced_providers(data):
        source.add_problem(
            "`providers` is read only directly below `writeit`. Nothing is sent."
            " Move it there.",
            node,
            code="wrong-value",
        )
    if "providers" in known and known["providers"] is None:
        known["providers"] = []  # nobody, not everybody
    config = _validate_config(source, known)
    if has_errors(source.problems) and config.providers is None:
        return data, config.evolve(providers=())
    return data, config


def _validate_config(source: YamlSource, data: dict[str, Any]) -> FrontMatterConfig:
    """Return the configuration of the valid keys; the others are problems."""
    try:
        return FrontMatterConfig.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
        invalid = {detail["loc"][0] for detail in details}
        for detail in details[:MAX_PROBLEMS]:
            report_validation_error(source, detail, parent_path=(WRITEIT_KEY,))
    return FrontMatterConfig.model_validate(
        {k: v for k, v in data.items() if k not in invalid}
    )


@dataclass(frozen=True, slots=True)
class SourceDocument:
    """The user's document with its front matter."""

    document: RunDocument
    front_matter: FrontMatter

    def require_valid(self) -> SourceDocument:
        """Return this document; see `FrontMatter.require_valid`."""
        self.front_matter.require_valid()
        return self


def read_source_document(
    text: str,
    *,
    path: str = "",
    uri: str = "",
    selection: tuple[int, int] | None = None,
) -> SourceDocument:
    """Read a markdown text; `selection` has offsets in code points.

    The text of the document leaves out the front matter, and so does the selection.
    """
    front_matter = split_front_matter(text, uri)
    body = front_matter.body
    document = RunDocument(
        text=body,
        title=find_title(body),
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
