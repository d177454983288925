"""What a word means where the pointer is; each source of meaning is asked in turn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from lsprotocol import types

from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.primer import StylePrimer
from writeit.domain.run import split_model_id
from writeit.library.catalog import Library
from writeit.library.front_matter import WRITEIT_KEY, FrontMatterConfig
from writeit.library.yaml_cursor import YamlWord
from writeit.lsp.actions.locations import find_passage_origin
from writeit.lsp.convert import to_lsp_span
from writeit.lsp.documents import find_word_at
from writeit.lsp.session import Session
from writeit.ports.models import ModelInfo
from writeit.text.lines import find_paragraph
from writeit.views.escape import escape_inline
from writeit.views.run import render_origin

# --- What keys, pipelines, primers, inputs and models mean, in markdown ---------------

TOKENS_PER_PRICE = 1_000_000
_INPUT_SOURCE_NAMES = {
    "document": "the document",
    "selection": "the selection",
    "title": "the document's title",
    "path": "the document's place",
}
_MARKDOWN_MARKS = re.compile(r"\*\*|`|\\(?=[^\w\s])")


def to_markup(
    text: str, formats: Sequence[types.MarkupKind | str] | None
) -> types.MarkupContent:
    """Return markdown for a client that shows it, else the same without its marks."""
    if types.MarkupKind.Markdown in (formats or ()):
        return types.MarkupContent(kind=types.MarkupKind.Markdown, value=text)
    plain = _MARKDOWN_MARKS.sub("", text)
    return types.MarkupContent(kind=types.MarkupKind.PlainText, value=plain)


def describe_key(name: str) -> str | None:
    """Say what a key of the block means, or the block itself."""
    if name == WRITEIT_KEY:
        return f"**{WRITEIT_KEY}**: {(FrontMatterConfig.__doc__ or '').strip()}"
    field = FrontMatterConfig.model_fields.get(name)
    return None if field is None else f"**{name}**: {field.description}"


def describe_pipeline(pipeline: PipelineConfiguration) -> str:
    """Say what a pipeline does, in which steps, and what it is given."""
    steps = " → ".join(escape_inline(name) for name in pipeline.step_names)
    inputs = "\n".join(
        f"- `{spec.name}`{_colon_suffix(_summarize_input(spec))}"
        for spec in pipeline.inputs
    )
    return _join_paragraphs(
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
    """Say what an input is, whether it is needed, and what it is if not given."""
    named = escape_inline(spec.label) or spec.name
    given = _default_value_text(spec)
    return _join_paragraphs(
        f"**{named}**{_colon_suffix(escape_inline(spec.help))}",
        "Required." if spec.required else "Optional.",
        f"If left out: {given}." if given else "",
        f"One of: {', '.join(map(escape_inline, spec.options))}."
        if spec.options
        else "",
        f"At most {spec.max_length:,} characters." if spec.max_length else "",
    )


def _default_value_text(spec: InputSpec) -> str:
    """Say what an input is when nobody gives it."""
    if spec.source:
        return f"taken from {_INPUT_SOURCE_NAMES[spec.source]}"
    return escape_inline(spec.default_text)


def describe_step(spec: StepSpec) -> str:
    """Say what a step is for, and which models it asks by itself."""
    models = ", ".join(f"`{escape_inline(model)}`" for model in spec.models)
    return _join_paragraphs(
        f"**{spec.name}**{_colon_suffix(escape_inline(spec.description))}",
        f"Asks {models} if nothing is named here." if models else "",
    )


def describe_primer(primer: StylePrimer) -> str:
    """Say how a primer sounds, and which version of it this is."""
    voice = "; ".join(
        f"{escape_inline(key)}: {escape_inline(value)}"
        for key, value in primer.voice_attributes.items()
    )
    return _join_paragraphs(
        f"**{escape_inline(primer.name)}** (`{primer.primer_id}`)"
        f"{_colon_suffix(escape_inline(primer.description))}",
        f"Voice: {voice}",
        f"Version `{primer.version}`.",
    )


def describe_model(model: str, info: ModelInfo | None) -> str:
    """Say what is known of a model; `info` is None while nothing is."""
    provider, name = split_model_id(model)
    place = "" if info is not None or not name else f"of {escape_inline(provider)}"
    if info is None:
        said = "Nothing more is known of it yet; look again in a moment."
        return _join_paragraphs(
            f"**{escape_inline(model)}**{_colon_suffix(place)}", said
        )
    return _join_paragraphs(
        f"**{escape_inline(model)}**",
        _context_window_text(info),
        _price_text(info),
        "" if info.available else f"Cannot be used: {escape_inline(info.reason or '')}",
    )


def summarize_model(info: ModelInfo) -> str:
    """Say in a few words what a model reads and costs."""
    if not info.available:
        return "cannot be used yet"
    return f"{_context_window_text(info)} {_price_text(info)}"


def _context_window_text(info: ModelInfo) -> str:
    if info.context_window is None:
        return "How much it reads is not known."
    return f"Reads up to {info.context_window:,} tokens."


def _price_text(info: ModelInfo) -> str:
    asked, answered = info.input_cost_per_token, info.output_cost_per_token
    if asked is None or answered is None:
        return "Its price is not known."
    if asked == answered == 0:
        return "Costs nothing."
    return (
        f"Costs ${_format_price(asked)} for a million tokens read,"
        f" ${_format_price(answered)} for a million written."
    )


def _format_price(per_token: float) -> str:
    return f"{per_token * TOKENS_PER_PRICE:,.4f}".rstrip("0").rstrip(".")


def _colon_suffix(description: str) -> str:
    return f": {description}" if description else ""


def _join_paragraphs(*parts: str) -> str:
    return "\n\n".join(_without_empty(parts))


def _without_empty(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part]


# --- Hover in front matter: keys, pipelines, primers, inputs, steps, models -----------

MODEL_LOOKUP_TIMEOUT = 0.3
"""Seconds a hover waits for what the model host knows without asking anybody."""


async def front_matter_hover(
    session: Session, params: types.HoverParams
) -> types.Hover | None:
    """Return what a word of a document's front matter means, or None."""
    uri = params.text_document.uri
    found = find_word_at(session.documents, uri, params.position)
    if found is None:
        return None
    text, word, words = found
    if (word.path[0] if word.path else word.text) != WRITEIT_KEY:
        return None
    library = session.folder_containing(uri).load_library()
    said = _describe_word(word, library, _named_pipeline(words, library))
    if said is None and word.kind == "value" and word.path[1:2] == ("models",):
        said = await _describe_named_model(session, uri, word.text)
    if said is None:
        return None
    return types.Hover(
        contents=to_markup(said, session.client.capabilities.hover_formats),
        range=to_lsp_span(text, word.start, word.end, session.client.position_encoding),
    )


def _named_pipeline(
    words: Sequence[YamlWord], library: Library
) -> PipelineConfiguration | None:
    """Return the pipeline that the block names."""
    names = (w.text for w in words if w.path == (WRITEIT_KEY, "pipeline"))
    entry = library.pipelines.get(next(names, ""))
    return entry.value if entry else None


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
            entry = library.pipelines.get(word.text)
            return describe_pipeline(entry.value) if entry and entry.value else None
        case ("primer",), _:
            primer = library.primers.get(word.text)
            return describe_primer(primer.value) if primer and primer.value else None
        case ("inputs", name), _:
            return _describe_named_input(pipeline, name)
        case ("models", name), "key":
            return _describe_named_step(pipeline, name)
    return None


def _describe_named_input(
    pipeline: PipelineConfiguration | None, name: str
) -> str | None:
    specs = pipeline.inputs if pipeline else ()
    return next((describe_input(s) for s in specs if s.name == name), None)


def _describe_named_step(
    pipeline: PipelineConfiguration | None, name: str
) -> str | None:
    specs = pipeline.steps if pipeline else ()
    return next((describe_step(s) for s in specs if s.name == name), None)


async def _describe_named_model(session: Session, uri: str, model: str) -> str:
    folder = session.folder_containing(uri)
    known = await folder.models.wait_for_models([model], MODEL_LOOKUP_TIMEOUT)
    return describe_model(model, known.get(model))


# --- Hover on a passage that a run put there: where it comes from ---------------------


async def passage_hover(
    session: Session, params: types.HoverParams
) -> types.Hover | None:
    """Return the run, step, model, primer and cost of an applied passage, or None."""
    uri, line = params.text_document.uri, params.position.line
    if session.find_view(uri) is not None:
        return None
    folder = session.folder_containing(uri)
    origin = await find_passage_origin(session.documents, folder, uri, line)
    if origin is None:
        return None
    first, last, paragraph = find_paragraph(
        session.documents.read_text(uri), line, (origin.first_line, origin.last_line)
    )
    said = render_origin(origin.run, origin.applied, paragraph)
    return types.Hover(
        contents=types.MarkupContent(kind=types.MarkupKind.Markdown, value=said),
        range=types.Range(
            start=types.Position(line=first, character=0),
            end=types.Position(line=last + 1, character=0),
        ),
    )


# --- What a word means where the pointer is; each source of meaning is asked in turn --

HOVER_PROVIDERS = (front_matter_hover, passage_hover)
"""Who may know what a place means, the first that does answers."""


async def find_hover(session: Session, params: types.HoverParams) -> types.Hover | None:
    """Return what stands at a position means, or None."""
    for source in HOVER_PROVIDERS:
        if (found := await source(session, params)) is not None:
            return found
    return None
