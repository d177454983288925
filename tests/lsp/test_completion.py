"""Completion in front matter: what could stand there, however half the text is."""

from pathlib import Path

import pytest

from support.editor import Editor, serving
from support.front_matter_document import (
    PIPELINE,
    FrontMatterDocument,
    add_pipeline,
    writeit_block,
)

POST = "  pipeline: post\n"
REST = [
    "models",
    "reasoning",
    "blind",
    "inputs",
    "notes",
    "context",
    "output_path",
    "providers",
]
KEYS = ["pipeline", "primer", *REST]
LEVELS = ["none", "low", "medium", "high"]


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        ("  |\n", KEYS),
        ("  pi|\n", KEYS),
        ("  pi|: x\n", KEYS),
        (POST + "  primer: [\n  |\n", REST),
        (POST + "  inputs:\n    |\n", ["readers", "notes", "tone", "short"]),
        (POST + "  inputs: {readers: you, |\n", ["notes", "tone", "short"]),
        ("  inputs:\n    to|\n" + POST, ["readers", "notes", "tone", "short"]),
        (POST + "  inputs:\n    tone: |\n", ["dry", "very dry"]),
        (POST + "  inputs: {tone: ve|}\n", ["dry", "very dry"]),
        (POST + "  inputs:\n    short: t|\n", ["true", "false"]),
        (POST + "  models:\n    |\n", ["draft", "polish"]),
        (POST + "  models:\n    draft: a/b\n    |\n", ["polish"]),
        (POST + "  blind: |\n", ["true", "false"]),
        (POST + "  reasoning: |\n", LEVELS),
        (POST + "  reasoning:\n    |\n", ["draft", "polish"]),
        (POST + "  reasoning:\n    draft: h|\n", LEVELS),
        ("  models:\n    |\n", []),
        ("  inputs:\n    |\n", []),
        (POST + "  inputs: |\n", []),
        (POST + "  nonsense: |\n", []),
        (POST + "  # |\n", []),
    ],
)
async def test_what_could_stand_there_is_offered(
    pipelined: Editor, words: str, labels: list[str]
) -> None:
    """Keys that are not there yet, names and choices; required inputs first."""
    assert await FrontMatterDocument(pipelined, writeit_block(words)).labels() == labels


async def test_pipelines_and_primers_are_offered_by_name(pipelined: Editor) -> None:
    """Those for documents; those for selections begin elsewhere."""
    offered = await FrontMatterDocument(
        pipelined, writeit_block("  pipeline: te|\n")
    ).labels()
    assert {"post", "tech-article", "blog-post"} <= set(offered)
    assert "polish-passage" not in offered
    offered = await FrontMatterDocument(
        pipelined, writeit_block("  primer: |\n")
    ).labels()
    assert "academic" in offered


@pytest.mark.parametrize(
    ("words", "label", "after"),
    [
        ("  pipeline: te|\n", "tech-article", "  pipeline: tech-article\n"),
        ("  pipeline:|\n", "post", "  pipeline: post\n"),
        ("  pipeline: 'po|'\n", "post", "  pipeline: 'post'\n"),
        ("  pi|\n", "pipeline", "  pipeline: \n"),
        ("  pi|: x\n", "pipeline", "  pipeline: x\n"),
        ("  mo|\n", "models", "  models:\n"),
        (POST + "  inputs: {re|}\n", "readers", POST + "  inputs: {readers: }\n"),
        (
            POST + '  inputs: {readers: "\N{FISH}é", tone: ve|}\n',
            "very dry",
            POST + '  inputs: {readers: "\N{FISH}é", tone: very dry}\n',
        ),
        (
            POST + "  models:\n    draft:\n      - emb|\n",
            "a/b",
            POST + "  models:\n    draft:\n      - a/b\n",
        ),
    ],
)
async def test_what_is_taken_is_written_in_its_place(
    pipelined: Editor, words: str, label: str, after: str
) -> None:
    """Over the word at the cursor, in every editor's encoding."""
    head = FrontMatterDocument(pipelined, writeit_block(words))
    item = next(item for item in await head.completed() if item["label"] == label)
    edit = item["textEdit"]
    head.page.take({"textDocument": {"version": head.page.version}, "edits": [edit]})
    assert head.page.text == writeit_block(after)


async def test_models_of_a_new_pipeline_are_offered_with_those_that_are_known(
    pipelined: Editor,
) -> None:
    """The list of models is older than the pipeline."""
    words = POST + "  models:\n    draft:\n      - |\n"
    document = FrontMatterDocument(pipelined, writeit_block(words))
    while (await document.completion_list())["isIncomplete"]:
        pass
    add_pipeline(pipelined.folder, PIPELINE.replace("a/b", "c/d"))
    assert "c/d" in await document.labels()


async def test_an_offer_says_what_it_means(pipelined: Editor) -> None:
    """In markdown where the client shows it, else in plain words."""
    head = FrontMatterDocument(pipelined, writeit_block(POST + "  inputs:\n    to|\n"))
    tone = next(item for item in await head.completed() if item["label"] == "tone")
    assert tone["detail"] == "optional"
    meaning = tone["documentation"]
    assert "Manner" in meaning["value"]
    assert "If left out: dry." in meaning["value"]
    bare = pipelined.profile == "bare"
    assert meaning["kind"] == ("plaintext" if bare else "markdown")
    assert ("**" in meaning["value"]) is not bare


@pytest.mark.parametrize(
    "text",
    [
        "# Rivers: |\n",
        "|",
        writeit_block("  pipeline: a\n", "# Rivers:|\n"),
        writeit_block("  pipeline: a\n", "|"),
        "|---\nwriteit:\n---\n",
        "---\nwriteit:\n---|\n",
        "---\ntitle: |\nwriteit:\n---\n",
        "---\n\nOne two\n|\n\n---\nThree\n",
        "---\n\nA text that begins with a break.\n\n  - and a list|\n",
    ],
)
async def test_outside_the_block_nothing_is_offered(
    pipelined: Editor, text: str
) -> None:
    """There is no completion in prose."""
    assert await FrontMatterDocument(pipelined, text).labels() == []


@pytest.mark.parametrize(
    "text", ["---\n|", "---\n|\n---\n", "---\ntitle: x\nwr|\n---\n"]
)
async def test_the_block_itself_is_offered(pipelined: Editor, text: str) -> None:
    """Where front matter begins, or where it has no block yet."""
    assert await FrontMatterDocument(pipelined, text).labels() == ["writeit"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
async def test_front_matter_that_is_not_closed_is_completed(
    pipelined: Editor, end: str
) -> None:
    """It is typed from above; the text below is not part of it."""
    text = "---\nwriteit:\n  pipeline: po|\n\n# Rivers\n\n- one:\n"
    head = FrontMatterDocument(pipelined, text.replace("\n", end))
    assert "post" in await head.labels()


async def test_models_are_offered_as_they_become_known(
    workspace: Path, environment: dict[str, str]
) -> None:
    """What pipelines name at once; what the model host knows when it has said so."""
    add_pipeline(workspace)
    async with serving([workspace], "neovim", environment) as editor:
        head = FrontMatterDocument(
            editor, writeit_block(POST + "  models: {draft: |}\n")
        )
        params = head.here()
        first = await editor.request("textDocument/completion", params)
        assert first["isIncomplete"]
        assert "a/b" in [item["label"] for item in first["items"]]
        found = first
        while found["isIncomplete"]:
            found = await editor.request("textDocument/completion", params)
        items = {item["label"]: item for item in found["items"]}
        assert "tokens" in items["openai/gpt-4o"]["detail"]
        head = FrontMatterDocument(
            editor, writeit_block(POST + "  providers: [openai, |]\n")
        )
        offered = await head.labels()
        assert "embedded" in offered
        assert "openai" not in offered
