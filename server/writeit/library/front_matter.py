"""The `writeit` block in the front matter of a document: read, and checked.

Other keys belong to other tools and are not checked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from yaml.nodes import MappingNode, Node, ScalarNode

from writeit.domain.document import RunDocument
from writeit.domain.entity import Entity, Name, StringList, text_digest
from writeit.domain.errors import InvalidPipeline
from writeit.domain.pipeline import (
    EVERY_STEP,
    Reasoning,
)
from writeit.library.front_matter_guard import (
    find_key,
    find_unread_key,
    has_misplaced_providers,
)
from writeit.library.table_source import TableSource
from writeit.library.validation import (
    drop_unknown_keys,
    report_secrets,
    report_validation_error,
)
from writeit.library.yaml_source import (
    FRONT_MATTER_LIMITS,
    MAX_PROBLEMS,
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


MAX_NAMES = 50
"""Names and patterns of one list of files."""
NamedFiles = Annotated[StringList, Field(max_length=MAX_NAMES)]


class FrontMatterConfig(Entity, use_attribute_docstrings=True):
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
    blind: bool | None = None
    """Whether answers are shown as A, B, C, without their models, until you choose."""
    inputs: dict[str, InputText] = Field(default_factory=dict)
    """Values for the pipeline's inputs."""
    notes: NamedFiles = ()
    """More files to be written about, in this order: names, and patterns such as
    research/*.md, beside the document or in the workspace folder."""
    context: NamedFiles = ()
    """Files that a model has to know and must not tell again, such as the chapters
    before this one; named like `notes`."""
    output_path: str | None = None
    """The path for a new file, relative to the workspace folder."""
    providers: StringList | None = None
    """The allowed providers: None allows all configured ones, empty allows none."""

    @property
    def digest_of_names(self) -> str:
        """The digest of what needs the user's trust; "" if nothing here does."""
        files = {"notes": self.notes, "context": self.context}
        named: dict[str, object] = {key: value for key, value in files.items() if value}
        if self.reasoning:  # not always: decisions of before have digests without it
            named["reasoning"] = self.reasoning
        if not named and not self.models and self.output_path is None:
            return ""
        named |= {"models": self.models, "output_path": self.output_path}
        return text_digest(json.dumps(named, sort_keys=True))


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
        first_line=len(LINE_END.findall(front_matter.head)),
        title=find_title(body),
        path=path,
        providers=front_matter.config.providers,
        primer=front_matter.config.primer,
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
