"""Hover: the words of front matter, and the origin of an applied passage."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lsprotocol import types

from writeit.domain.model_id import THINKING_ROOM, split_model_id
from writeit.domain.pipeline import (
    InputSource,
    InputSpec,
    PipelineConfiguration,
    StepSpec,
)
from writeit.domain.primer import StylePrimer
from writeit.library.catalog import Library
from writeit.library.front_matter import WRITEIT_KEY, FrontMatterConfig
from writeit.library.yaml_cursor import YamlWord
from writeit.lsp.actions.locations import find_passage_origin
from writeit.lsp.convert import line_range, to_lsp_span
from writeit.lsp.documents import find_word_at
from writeit.lsp.folder import LIBRARY_SECONDS
from writeit.lsp.session import Session
from writeit.ports.models import ModelInfo
from writeit.text.lines import find_paragraph
from writeit.views.escape import escape_inline, join_blocks
from writeit.views.run import render_origin

# --- descriptions in markdown ---

TOKENS_PER_PRICE = 1_000_000
_INPUT_SOURCE_NAMES: dict[InputSource, str] = {
    "document": "the document",
    "selection": "the selection",
    "title": "the document's title",
    "path": "the document's path",
    "text": "the document",
    "notes": "the notes that it was made from",
}
_MARKDOWN_MARKS = re.compile(r"\*\*|`|\\(?=[^\w\s])")


def to_markup(
    text: str, formats: Sequence[types.MarkupKind | str] | None
) -> types.MarkupContent:
    """Return markdown if the client shows it, else plain text."""
    if types.MarkupKind.Markdown in (formats or ()):
        return types.MarkupContent(kind=types.MarkupKind.Markdown, value=text)
    plain = _MARKDOWN_MARKS.sub("", text)
    return types.MarkupContent(kind=types.MarkupKind.PlainText, value=plain)


def describe_key(name: str) -> str | None:
    """Describe a key of the `writeit` block, or the block itself."""
    if name == WRITEIT_KEY:
        return f"**{WRITEIT_KEY}**: {(FrontMatterConfig.__doc__ or '').strip()}"
    field = FrontMatterConfig.model_fields.get(name)
    return None if field is None else f"**{name}**: {field.description}"


def describe_pipeline(pipeline: PipelineConfiguration) -> str:
    """Describe a pipeline, its steps and its inputs."""
    steps = " → ".join(escape_inline(name) for name in pipeline.step_names)
    inputs = "\n".join(
        f"- `{spec.name}`{_colon_suffix(_summarize_input(spec))}"
        for spec in pipeline.inputs
    )
    return join_blocks(
        f"**{pipeline.name}**{_colon_suffix(escape_inline(pipeline.description))}",
        f"Steps: {steps}",
        f"Inputs:\n\n{inputs}",
    )


def _summarize_input(spec: InputSpec) -> str:
    words = [escape_inline(spec.label)] if spec.label else []
    words += ["required"] if spec.required else []
    words += [_default_value_text(spec)] if spec.source or spec.default_text else []
    return ", ".join(words)


def describe_input(spec: InputSpec) -> str:
    """Describe an input, and say what it is if it is left out."""
    named = escape_inline(spec.label) or spec.name
    given = _default_value_text(spec)
    return join_blocks(
        f"**{named}**{_colon_suffix(escape_inline(spec.help))}",
        "Required." if spec.required else "Optional.",
        f"If left out: {given}." if given else "",
        f"One of: {', '.join(map(escape_inline, spec.options))}."
        if spec.options
        else "",
        f"At most {spec.max_length:,} characters." if spec.max_length else "",
    )


def _default_value_text(spec: InputSpec) -> str:
    """Say what an input is if it is left out."""
    if spec.source:
        return f"taken from {_INPUT_SOURCE_NAMES[spec.source]}"
    return escape_inline(spec.default_text)


def describe_step(spec: StepSpec) -> str:
    """Describe a step and its default models."""
    models = ", ".join(f"`{escape_inline(model)}`" for model in spec.models)
    return join_blocks(
        f"**{spec.name}**{_colon_suffix(escape_inline(spec.description))}",
        f"Uses {models} if no model is set here." if models else "",
    )


def _describe_reasoning(level: str) -> str | None:
    room = THINKING_ROOM.get(level)
    return None if room is None else f"**{level}**: {room:,} tokens for thinking."


def describe_primer(primer: StylePrimer) -> str:
    """Describe a primer, its voice and its version."""
    voice = "; ".join(
        f"{escape_inline(key)}: {escape_inline(value)}"
        for key, value in primer.voice_attributes.items()
    )
    return join_blocks(
        f"**{escape_inline(primer.name)}** (`{primer.primer_id}`)"
        f"{_colon_suffix(escape_inline(primer.description))}",
        f"Voice: {voice}",
        f"Version `{primer.version}`.",
    )


def describe_model(model: str, info: ModelInfo | None) -> str:
    """Describe a model; `info` is None while it is not known."""
    if info is None:
        provider, name = split_model_id(model)
        place = f"of {escape_inline(provider)}" if name else ""
        return join_blocks(
            f"**{escape_inline(model)}**{_colon_suffix(place)}",
            "Not known yet; look again in a moment.",
        )
    return join_blocks(
        f"**{escape_inline(model)}**",
        _context_window_text(info),
        _price_text(info),
        "" if info.available else f"Cannot be used: {escape_inline(info.reason or '')}",
    )


def summarize_model(info: ModelInfo) -> str:
    """Return a model's context window and price, or that it cannot be used."""
    if not info.available:
        return "cannot be used yet"
    return f"{_context_window_text(info)} {_price_text(info)}"


def _context_window_text(info: ModelInfo) -> str:
    if info.context_window is None:
        return "Context window unknown."
    return f"Context window: {info.context_window:,} tokens."


def _price_text(info: ModelInfo) -> str:
    sent, received = info.input_cost_per_token, info.output_cost_per_token
    if sent is None or received is None:
        return "Price unknown."
    if sent == received == 0:
        return "Free."
    return (
        f"${_format_price(sent)} per million tokens sent,"
        f" ${_format_price(received)} per million received."
    )


def _format_price(per_token: float) -> str:
    return f"{per_token * TOKENS_PER_PRICE:,.4f}".rstrip("0").rstrip(".")


def _colon_suffix(description: str) -> str:
    return f": {description}" if description else ""


# --- front matter ---

MODEL_LOOKUP_TIMEOUT = 0.3
"""Seconds that a hover waits for the model host's list of models."""


async def front_matter_hover(
    session: Session, params: types.HoverParams
) -> types.Hover | None:
    """Return the description of a word in front matter, or None."""
    uri = params.text_document.uri
    found = find_word_at(session.documents, uri, params.position)
    if found is None:
        return None
    text, word, words = found
    if (word.path[0] if word.path else word.text) != WRITEIT_KEY:
        return None
    library = await session.folder_containing(uri).load_library(LIBRARY_SECONDS)
    names = (w.text for w in words if w.path == (WRITEIT_KEY, "pipeline"))
    pipeline = library.usable_pipeline(next(names, ""))
    description = _describe_word(word, library, pipeline)
    if description is None and word.kind == "value" and word.path[1:2] == ("models",):
        models = session.folder_containing(uri).models
        known = await models.wait_for_models([word.text], MODEL_LOOKUP_TIMEOUT)
        description = describe_model(word.text, known.get(word.text))
    if description is None:
        return None
    return types.Hover(
        contents=to_markup(description, session.client.capabilities.hover_formats),
        range=to_lsp_span(text, word.start, word.end, session.client.position_encoding),
    )


def _describe_word(  # noqa: PLR0911 -- one return a kind of word
    word: YamlWord, library: Library, pipeline: PipelineConfiguration | None
) -> str | None:
    place = (*word.path, word.text) if word.kind == "key" else word.path
    match place[1:], word.kind:
        case (), "key":
            return describe_key(WRITEIT_KEY)
        case (str(key),), "key":
            return describe_key(key)
        case ("pipeline",), _:
            named = library.usable_pipeline(word.text)
            return describe_pipeline(named) if named else None
        case ("primer",), _:
            primer = library.primers.get(word.text)
            return describe_primer(primer.value) if primer and primer.value else None
        case ("inputs", name), _ if pipeline:
            return next(
                (describe_input(s) for s in pipeline.inputs if s.name == name), None
            )
        case ("reasoning", *_), "value":
            return _describe_reasoning(word.text)
        case ("models" | "reasoning", name), "key" if pipeline:
            return next(
                (describe_step(s) for s in pipeline.steps if s.name == name), None
            )
    return None


# --- applied passages ---


async def passage_hover(
    session: Session, params: types.HoverParams
) -> types.Hover | None:
    """Return the run, step, model, primer and cost of an applied passage, or None."""
    uri, line = params.text_document.uri, params.position.line
    if session.find_view(uri) is not None:
        return None
    folder = session.folder_containing(uri)
    origin = await find_passage_origin(folder, uri, line)
    if origin is None:
        return None
    first, last, paragraph = find_paragraph(
        origin.document_text, line, (origin.first_line, origin.last_line)
    )
    text = render_origin(origin.run, origin.applied, paragraph)
    return types.Hover(
        contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=text),
        range=line_range(first, last + 1),
    )


async def find_hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """Return the hover at a position, or None."""
    found = await front_matter_hover(session, params)
    return found or await passage_hover(session, params)
