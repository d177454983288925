"""Completion in the `writeit` block of front matter."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from lsprotocol import types

from writeit.domain.model_id import THINKING_ROOM, split_model_id
from writeit.domain.pipeline import InputSpec, PipelineConfiguration
from writeit.domain.primer import NO_PRIMER
from writeit.library.catalog import Library
from writeit.library.front_matter import WRITEIT_KEY, FrontMatterConfig
from writeit.library.front_matter_writer import format_scalar
from writeit.library.named_files import suggest_files
from writeit.library.yaml_cursor import CursorContext, cursor_context
from writeit.lsp.convert import to_lsp_span, to_offset, uri_to_path
from writeit.lsp.documents import cursor_context_at
from writeit.lsp.features import hover
from writeit.lsp.folder import LIBRARY_SECONDS
from writeit.lsp.session import Session
from writeit.ports.models import ModelInfo

# --- suggestions ---

KEY_PATHS = frozenset(
    {(), (WRITEIT_KEY,), (WRITEIT_KEY, "models"), (WRITEIT_KEY, "inputs")}
)
"""The paths below which words are keys; below other paths they are values."""

_REASONING = (WRITEIT_KEY, "reasoning")
"""The path of one word for all steps, or of a word for each step."""
_CHOICES = {
    "reasoning": {level: f"{room:,} tokens" for level, room in THINKING_ROOM.items()},
    "blind": {"true": "", "false": ""},
}
"""The values of a key, and what each means."""
_MAPPING_KEYS = frozenset({WRITEIT_KEY, "models", "inputs"})
_PLAIN_WORD = re.compile(r"\w[\w./:@+-]*(?<!:)")
"""Ids and paths that need no quotes in YAML."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One word to complete."""

    label: str
    new_text: str
    """The text to insert: the label in YAML, a key with its colon."""
    kind: Literal["key", "name", "model", "choice", "file"]
    detail: str = ""
    meaning: str = ""
    """Its description in markdown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestionSources:
    """The library and the models that suggestions come from."""

    library: Library
    models: dict[str, ModelInfo]
    files: Sequence[str] = ()
    """Names of files and folders that begin as the word does."""

    def named_pipeline(self, context: CursorContext) -> PipelineConfiguration | None:
        """Return the pipeline that the block names."""
        name = context.value_at((WRITEIT_KEY, "pipeline"))
        return self.library.usable_pipeline(name or "")


def suggest(context: CursorContext, sources: SuggestionSources) -> list[Suggestion]:
    """Return the suggestions at the cursor, the likeliest first."""
    word = context.word
    is_step = word.path == _REASONING and not word.is_beside_key
    if word.path in KEY_PATHS or is_step:
        if word.kind == "value" and word.is_beside_key:
            return []  # a key would need a line of its own, or braces
        if " " in word.text:
            return []  # the cursor is before a key, or within words
        return [*_suggest_keys(context, sources)]
    return [] if word.kind == "key" else [*_suggest_values(context, sources)]


# --- keys ---


def _suggest_keys(
    context: CursorContext, sources: SuggestionSources
) -> Iterator[Suggestion]:
    present = context.keys_under(context.word.path)
    for name, detail, meaning in _known_keys(context, sources):
        if name not in present:
            key = name if context.word.is_quoted else format_scalar(name)
            colon = "" if context.word.has_colon else _colon_after(context, name)
            yield Suggestion(name, key + colon, "key", detail, meaning)


def _colon_after(context: CursorContext, name: str) -> str:
    alone = len(context.word.path) < 2 and name in _MAPPING_KEYS  # noqa: PLR2004 -- below models and inputs, names are the user's
    return ":" if alone and not context.word.in_braces else ": "


def _known_keys(
    context: CursorContext, sources: SuggestionSources
) -> Iterator[tuple[str, str, str]]:
    pipeline = sources.named_pipeline(context)
    match context.word.path:
        case ():
            yield WRITEIT_KEY, "", hover.describe_key(WRITEIT_KEY) or ""
        case (_,):
            for name in FrontMatterConfig.model_fields:
                yield name, "", hover.describe_key(name) or ""
        case (_, "inputs") if pipeline:
            for spec in sorted(pipeline.inputs, key=_input_rank):
                required = "required" if spec.required else "optional"
                yield spec.name, required, hover.describe_input(spec)
        case (_, "models" | "reasoning") if pipeline:
            for step in pipeline.steps:
                yield step.name, step.description, hover.describe_step(step)


def _input_rank(spec: InputSpec) -> int:
    """Order inputs: those without a default first, optional ones last."""
    if not spec.required:
        return 2
    return 1 if spec.source or spec.default_text else 0


# --- values ---


def _suggest_values(
    context: CursorContext, sources: SuggestionSources
) -> Iterator[Suggestion]:
    path = context.word.path
    present = context.values_at(path)
    pipeline = sources.named_pipeline(context)
    match path[1:]:
        case ("pipeline",) if not present:
            yield from _suggest_pipelines(sources.library)
        case ("primer",) if not present:
            yield from _suggest_primers(sources.library)
        case ("inputs", name) if pipeline and not present:
            spec = next((spec for spec in pipeline.inputs if spec.name == name), None)
            if spec is not None:
                yield from _suggest_options(spec, quoted=context.word.is_quoted)
        case ("reasoning" | "blind" as key, *_) if not present:
            for value, detail in _CHOICES[key].items():
                yield Suggestion(value, value, "choice", detail)
        case ("models", _):
            yield from _suggest_models(sources.models.values(), present, context)
        case ("notes" | "context",):
            yield from _suggest_files(sources.files, present, context)
        case ("providers",):
            yield from _suggest_providers(sources.models, present)


def _suggest_pipelines(library: Library) -> Iterator[Suggestion]:
    for pipeline in library.usable_pipelines:
        if pipeline.applies_to == "document":
            meaning = hover.describe_pipeline(pipeline)
            name = pipeline.name
            yield Suggestion(name, name, "name", pipeline.description, meaning)


def _suggest_primers(library: Library) -> Iterator[Suggestion]:
    yield Suggestion(NO_PRIMER, NO_PRIMER, "name", "no style", "")
    for name, entry in sorted(library.primers.items()):
        if entry.value is not None:
            meaning = hover.describe_primer(entry.value)
            yield Suggestion(name, name, "name", entry.value.description, meaning)


def _suggest_options(spec: InputSpec, *, quoted: bool) -> Iterator[Suggestion]:
    options: Sequence[str] = spec.options
    if spec.type == "boolean":
        options = ("true", "false")
    for option in options or filter(None, [spec.default_text]):
        plain = quoted or spec.type in {"boolean", "number"}
        detail = "default" if option == spec.default_text else ""
        new = option if plain else format_scalar(option)
        yield Suggestion(option, new, "choice", detail, hover.describe_input(spec))


def _suggest_models(
    models: Iterable[ModelInfo], present: set[str], context: CursorContext
) -> Iterator[Suggestion]:
    for info in sorted(models, key=lambda model: not model.available):
        if info.id not in present:
            plain = context.word.is_quoted or _PLAIN_WORD.fullmatch(info.id)
            yield Suggestion(
                info.id,
                info.id if plain else format_scalar(info.id),
                "model",
                hover.summarize_model(info),
                hover.describe_model(info.id, info),
            )


def _suggest_files(
    files: Sequence[str], present: set[str], context: CursorContext
) -> Iterator[Suggestion]:
    for name in files:
        if name not in present:
            plain = context.word.is_quoted or _PLAIN_WORD.fullmatch(name)
            yield Suggestion(name, name if plain else format_scalar(name), "file")


def _suggest_providers(
    models: Iterable[str], present: set[str]
) -> Iterator[Suggestion]:
    named = dict.fromkeys(split_model_id(model)[0] for model in models)
    for provider in named:
        if provider not in present:
            yield Suggestion(provider, provider, "name")


# --- the request ---

ITEM_KINDS = {
    "key": types.CompletionItemKind.Property,
    "name": types.CompletionItemKind.Module,
    "model": types.CompletionItemKind.Value,
    "choice": types.CompletionItemKind.EnumMember,
    "file": types.CompletionItemKind.File,
}


async def complete_front_matter(
    session: Session, params: types.CompletionParams
) -> types.CompletionList | None:
    """Return the suggestions at the cursor; None outside the front matter."""
    uri = params.text_document.uri
    found = cursor_context_at(session.documents, uri, params.position)
    if found is None:
        return None
    text, context = found
    after_colon = _context_after_colon(session, text, context, params)
    context = after_colon or context
    library = await session.folder_containing(uri).load_library(LIBRARY_SECONDS)
    models, more = await _suggestible_models(session, uri, context, library)
    files: Sequence[str] = ()
    if context.word.path[1:] in {("notes",), ("context",)}:
        folder, path = session.folder_containing(uri).path, uri_to_path(uri)
        files = await asyncio.to_thread(
            suggest_files, context.word.text, str(path or ""), folder
        )
    formats = session.client.capabilities.completion_formats
    if after_colon is None:
        encoding = session.client.position_encoding
        word = context.word
        edit_range = to_lsp_span(text, word.start, word.end, encoding)
    else:
        edit_range = types.Range(start=params.position, end=params.position)
    prefix = " " if after_colon else ""
    sources = SuggestionSources(library=library, models=models, files=files)
    suggestions = suggest(context, sources)
    return types.CompletionList(
        is_incomplete=more,
        items=[
            _to_completion_item(suggestion, index, edit_range, prefix, formats)
            for index, suggestion in enumerate(suggestions)
        ],
    )


def _context_after_colon(
    session: Session, text: str, context: CursorContext, params: types.CompletionParams
) -> CursorContext | None:
    """Return the context of a value if the space after the colon is missing."""
    if not context.word.text.endswith(":"):
        return None
    encoding = session.client.position_encoding
    offset = to_offset(text, params.position, encoding)
    if offset != context.word.end:
        return None
    return cursor_context(f"{text[:offset]} {text[offset:]}", offset + 1)


async def _suggestible_models(
    session: Session, uri: str, context: CursorContext, library: Library
) -> tuple[dict[str, ModelInfo], bool]:
    """Return the models known now, and whether a refresh is under way."""
    if context.word.path[:1] != (WRITEIT_KEY,) or context.word.path[1:2] not in {
        ("models",),
        ("providers",),
    }:
        return {}, False
    known, more = session.folder_containing(uri).models.known_models()
    embedded = None if known else await session.ports.models.embedded_model()
    named = [
        m for p in library.usable_pipelines for step in p.steps for m in step.models
    ]
    unlisted = {
        model: ModelInfo(id=model, provider=split_model_id(model)[0], available=True)
        for model in ([embedded, *named] if embedded else named)
    }
    return unlisted | known, more


def _to_completion_item(
    suggestion: Suggestion,
    index: int,
    edit_range: types.Range,
    prefix: str,
    formats: Sequence[types.MarkupKind | str] | None,
) -> types.CompletionItem:
    return types.CompletionItem(
        label=suggestion.label,
        kind=ITEM_KINDS[suggestion.kind],
        detail=suggestion.detail or None,
        documentation=hover.to_markup(suggestion.meaning, formats)
        if suggestion.meaning
        else None,
        sort_text=f"{index:05}",
        filter_text=f"{prefix}{suggestion.label}",
        text_edit=types.TextEdit(
            range=edit_range, new_text=f"{prefix}{suggestion.new_text}"
        ),
    )
