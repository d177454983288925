"""Hover in front matter: what keys, names, inputs and models mean."""

from pathlib import Path

import pytest

from support.editor import Editor, serving
from support.front_matter_document import FrontMatterDocument, writeit_block
from writeit.library.front_matter import FrontMatterConfig

POST = "  pipeline: post\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("  pipe|line: post\n", "The name of the pipeline."),
        ("  |primer: x\n", "The id of the style primer."),
        ("  pipeline: po|st\n", "A post in two steps"),
        ("  pipeline: po|st\n", "draft → polish"),
        ("  pipeline: po|st\n", "Who reads it, required"),
        ("  primer: academ|ic\n", "Version"),
        (POST + "  inputs: {to|ne: dry}\n", "Manner"),
        (POST + "  inputs: {tone: d|ry}\n", "If left out: dry."),
        (POST + "  inputs:\n    notes|: x\n", "taken from the document"),
        (POST + "  inputs:\n    readers: y|ou\n", "Required."),
        (POST + "  models:\n    dr|aft: c/d\n", "All of it"),
        (POST + "  reasoning: {dr|aft: low}\n", "All of it"),
        ("  reasoning: hi|gh\n", "24,576 tokens for thinking"),
    ],
)
async def test_a_word_says_what_it_means(
    pipelined: Editor, words: str, said: str
) -> None:
    """In every editor; bare ones get plain words."""
    found = await FrontMatterDocument(pipelined, writeit_block(words)).hovered()
    assert found is not None
    assert said in found
    assert ("**" in found) is (pipelined.profile != "bare")


async def test_every_key_has_a_meaning(one_editor: Editor) -> None:
    """It is the docstring of the model, said nowhere else."""
    for name, field in FrontMatterConfig.model_fields.items():
        found = await FrontMatterDocument(
            one_editor, writeit_block(f"  {name}|: x\n")
        ).hovered()
        assert field.description
        assert found == f"**{name}**: {field.description}"


@pytest.mark.parametrize(
    "text",
    [
        writeit_block("  pipeline: nobody|\n"),
        writeit_block("  nonsense|: x\n"),
        writeit_block(" | pipeline: post\n"),
        writeit_block("  pipeline: post\n", "writeit: |pipeline\n"),
        "---\nti|tle: x\nwriteit:\n---\n",
        "# writ|eit\n",
        "|",
    ],
)
async def test_nothing_is_said_of_other_words(pipelined: Editor, text: str) -> None:
    """Neither of names nobody knows nor of the writer's prose."""
    assert await FrontMatterDocument(pipelined, text).hovered() is None


async def test_a_model_says_what_it_reads_and_costs(one_editor: Editor) -> None:
    """From the price map on this machine, a moment after it was first wanted."""
    head = FrontMatterDocument(
        one_editor, writeit_block("  models: {draft: openai/gpt-|4o}\n")
    )
    found = None
    while found is None or "Not known yet" in found:
        found = await head.hovered()
    assert "Context window: 128,000 tokens." in found
    assert "$2.5 per million tokens sent" in found


async def test_a_name_in_a_file_cannot_put_a_picture_into_a_hover(
    workspace: Path, environment: dict[str, str]
) -> None:
    """A workspace is somebody else's: its words stay words."""
    (workspace / "pipelines").mkdir()
    text = (
        "name: odd\ndescription: '![x](https://example.org/x.png)<b>'\n"
        "inputs: [{name: a, required: true}]\nsteps: [{name: b, prompt: c}]\n"
    )
    (workspace / "pipelines" / "odd.yaml").write_text(text, encoding="utf-8")
    async with serving([workspace], "neovim", environment) as editor:
        found = await FrontMatterDocument(
            editor, writeit_block("  pipeline: od|d\n")
        ).hovered()
        assert found is not None
        assert r"!\[x\](https://example.org/x.png)\<b\>" in found
