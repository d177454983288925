"""What keys, pipelines, primers, inputs and models mean, in markdown.

A field's meaning is its docstring in the entity, a pipeline's what its file says.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from writeit.core.run import split_model_id
from writeit.library.frontmatter import KEY, Binding
from writeit.views.markdown import inline

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from writeit.core.pipeline import InputSpec, PipelineConfiguration, StepSpec
    from writeit.core.primer import StylePrimer
    from writeit.ports import ModelInfo

MILLION = 1_000_000
_SOURCES = {
    "document": "the document",
    "selection": "the selection",
    "title": "the document's title",
    "path": "the document's place",
}
_MARKS = re.compile(r"\*\*|`|\\(?=[^\w\s])")


def as_markup(
    text: str, formats: Sequence[types.MarkupKind | str] | None
) -> types.MarkupContent:
    """Return markdown for a client that shows it, else the same without its marks."""
    if types.MarkupKind.Markdown in (formats or ()):
        return types.MarkupContent(kind=types.MarkupKind.Markdown, value=text)
    plain = _MARKS.sub("", text)
    return types.MarkupContent(kind=types.MarkupKind.PlainText, value=plain)


def of_key(name: str) -> str | None:
    """Say what a key of the block means, or the block itself."""
    if name == KEY:
        return f"**{KEY}**: {(Binding.__doc__ or '').strip()}"
    field = Binding.model_fields.get(name)
    return None if field is None else f"**{name}**: {field.description}"


def of_pipeline(pipeline: PipelineConfiguration) -> str:
    """Say what a pipeline does, in which steps, and what it is given."""
    steps = " → ".join(inline(name) for name in pipeline.step_names)
    inputs = "\n".join(
        f"- `{spec.name}`{_described(_input_in_a_line(spec))}"
        for spec in pipeline.inputs
    )
    return _paragraphs(
        f"**{pipeline.name}**{_described(inline(pipeline.description))}",
        f"Steps: {steps}",
        f"Inputs:\n\n{inputs}",
    )


def _input_in_a_line(spec: InputSpec) -> str:
    words = [inline(spec.label)] if spec.label else []
    words += ["required"] if spec.required else []
    words += [_given(spec)] if spec.source or spec.default_text else []
    return ", ".join(words)


def of_input(spec: InputSpec) -> str:
    """Say what an input is, whether it is needed, and what it is if not given."""
    named = inline(spec.label) or spec.name
    given = _given(spec)
    return _paragraphs(
        f"**{named}**{_described(inline(spec.help))}",
        "Required." if spec.required else "Optional.",
        f"If left out: {given}." if given else "",
        f"One of: {', '.join(map(inline, spec.options))}." if spec.options else "",
        f"At most {spec.max_length:,} characters." if spec.max_length else "",
    )


def _given(spec: InputSpec) -> str:
    """Say what an input is when nobody gives it."""
    if spec.source:
        return f"taken from {_SOURCES[spec.source]}"
    return inline(spec.default_text)


def of_step(spec: StepSpec) -> str:
    """Say what a step is for, and which models it asks by itself."""
    models = ", ".join(f"`{inline(model)}`" for model in spec.models)
    return _paragraphs(
        f"**{spec.name}**{_described(inline(spec.description))}",
        f"Asks {models} if nothing is named here." if models else "",
    )


def of_primer(primer: StylePrimer) -> str:
    """Say how a primer sounds, and which version of it this is."""
    voice = "; ".join(
        f"{inline(key)}: {inline(value)}"
        for key, value in primer.voice_attributes.items()
    )
    return _paragraphs(
        f"**{inline(primer.name)}** (`{primer.primer_id}`)"
        f"{_described(inline(primer.description))}",
        f"Voice: {voice}",
        f"Version `{primer.version}`.",
    )


def of_model(model: str, info: ModelInfo | None) -> str:
    """Say what is known of a model; `info` is None while nothing is."""
    provider, name = split_model_id(model)
    place = "" if info is not None or not name else f"of {inline(provider)}"
    if info is None:
        said = "Nothing more is known of it yet; look again in a moment."
        return _paragraphs(f"**{inline(model)}**{_described(place)}", said)
    return _paragraphs(
        f"**{inline(model)}**",
        _window(info),
        _price(info),
        "" if info.available else f"Cannot be used: {inline(info.reason or '')}",
    )


def model_in_a_line(info: ModelInfo) -> str:
    """Say in a few words what a model reads and costs."""
    if not info.available:
        return "cannot be used yet"
    return f"{_window(info)} {_price(info)}"


def _window(info: ModelInfo) -> str:
    if info.context_window is None:
        return "How much it reads is not known."
    return f"Reads up to {info.context_window:,} tokens."


def _price(info: ModelInfo) -> str:
    asked, answered = info.input_cost_per_token, info.output_cost_per_token
    if asked is None or answered is None:
        return "Its price is not known."
    if asked == answered == 0:
        return "Costs nothing."
    return (
        f"Costs ${_money(asked)} for a million tokens read, ${_money(answered)} for a"
        " million written."
    )


def _money(per_token: float) -> str:
    return f"{per_token * MILLION:,.4f}".rstrip("0").rstrip(".")


def _described(words: str) -> str:
    return f": {words}" if words else ""


def _paragraphs(*parts: str) -> str:
    return "\n\n".join(_filled(parts))


def _filled(parts: Iterable[str]) -> list[str]:
    return [part for part in parts if part]
