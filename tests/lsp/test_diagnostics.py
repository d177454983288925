"""Diagnostics of front matter: asked for or sent, exact, and gone when put right."""

import asyncio
from pathlib import Path

import pytest

from support.editor import Editor, serving
from support.front_matter_document import (
    PIPELINE,
    FrontMatterDocument,
    add_pipeline,
    writeit_block,
)

WRONG = writeit_block("  pipeline: pots\n")
BARE = pytest.mark.parametrize("editor", ["bare"], indirect=True)
OTHERS = (
    "# Rivers\n",
    "---\ntitle: [\n---\n# Rivers\n",
    "---\ntitle: x\napi_key: theirs\n---\n",
    "---\n\npipeline: pots\n",
    "text\n---\nwriteit:\n  pipeline: pots\n---\n",
)


async def test_a_wrong_name_is_marked_and_named(pipelined: Editor) -> None:
    """In every editor: the range, the severity, the rule and the nearest name."""
    head = FrontMatterDocument(pipelined, WRONG)
    (problem,) = await head.problems()
    assert problem["range"] == head.span("pots")
    assert problem["severity"] == 1
    assert problem["code"] == "unknown-pipeline"
    assert problem["source"] == "writeit"
    assert "Did you mean 'post'?" in problem["message"]


async def test_put_right_it_is_gone(pipelined: Editor) -> None:
    """And what is still missing is said next."""
    head = FrontMatterDocument(pipelined, WRONG)
    assert await head.problems()
    head.replace("pots", "post")
    (problem,) = await head.problems()
    assert (problem["code"], problem["severity"]) == ("missing-input", 2)
    assert problem["range"] == head.span("post")
    head.replace("post\n", "post\n  inputs: {readers: you}\n")
    assert await head.problems() == []


async def test_each_client_is_told_in_one_way(pipelined: Editor) -> None:
    """One that cannot be told to ask again is not offered to ask."""
    head = FrontMatterDocument(pipelined, WRONG)
    await head.settled()
    assert not head.pulls
    assert len(head.sent()) == 1


async def test_one_that_asks_again_is_never_sent_anything(
    environment: dict[str, str], workspace: Path
) -> None:
    """Neovim 0.12 pulls when it is told that there is something new."""
    async with serving([workspace], "neovim 0.12", environment) as editor:
        add_pipeline(editor.folder)
        head = FrontMatterDocument(editor, WRONG)
        await head.settled()
        assert head.pulls
        assert await head.problems()
        assert head.sent() == []


async def test_all_rules_speak_at_once(pipelined: Editor) -> None:
    """Those of the block, of the library, and of the workspace."""
    words = "  pipeline: post\n  primer: nobody\n  output_path: ../out.md\n  tokn: 1\n"
    head = FrontMatterDocument(pipelined, writeit_block(words + "  api_key: no\n"))
    found = {p["code"]: p["range"] for p in await head.problems()}
    assert found == {
        "missing-input": head.span("post"),
        "unknown-primer": head.span("nobody"),
        "outside-workspace": head.span("../out.md"),
        "unknown-key": head.span("tokn"),
        "secret": head.span("api_key"),
    }


async def test_front_matter_of_others_is_theirs(editor: Editor) -> None:
    """Not even what cannot be read is marked."""
    heads = [FrontMatterDocument(editor, text) for text in OTHERS]
    found = await asyncio.gather(*(head.problems() for head in heads))
    assert dict(zip(OTHERS, found, strict=True)) == {text: [] for text in OTHERS}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
async def test_ranges_are_in_the_clients_encoding(
    workspace: Path, environment: dict[str, str], encoding: str
) -> None:
    """Of a problem and of a hover, with an emoji in front of the word."""
    words = '  {"x-a": "\N{FISH}é", pipline: a, primer: acade|mic}\n'
    async with serving([workspace], f"bare {encoding}", environment) as editor:
        head = FrontMatterDocument(editor, writeit_block(words))
        assert head.encoding == encoding
        (problem,) = await head.problems()
        assert problem["range"] == head.span("pipline")
        assert head.words(problem["range"]) == "pipline"
        hover = await editor.request("textDocument/hover", head.here())
        assert hover["range"] == head.span("academic")


@BARE
async def test_a_closed_document_has_no_problems(editor: Editor) -> None:
    """What was sent is taken back; what was never sent is not."""
    head = FrontMatterDocument(editor, WRONG)
    clean = FrontMatterDocument(editor, writeit_block("  primer: academic\n"))
    await editor.until(head.sent)
    head.page.close()
    clean.page.close()
    await editor.until(lambda: len(head.sent()) == 2)
    await head.settled()
    assert head.sent()[1:] == [[]]
    assert clean.sent() == []


@BARE
async def test_typing_behind_the_front_matter_sends_nothing(editor: Editor) -> None:
    """Diagnostics are sent once, when the typing pauses."""
    head = FrontMatterDocument(editor, WRONG)
    await editor.until(head.sent)
    head.page.type(len(head.page.text), len(head.page.text), "More.\n")
    await head.settled()
    assert len(head.sent()) == 1
    for letter in "abc":
        at = head.page.text.index("pots")
        head.page.type(at, at, letter)
    await head.settled()
    (_, (problem,)) = head.sent()
    assert "'abcpots'" in problem["message"]


@BARE
async def test_other_files_have_no_front_matter(editor: Editor) -> None:
    """A YAML file that looks like a block is none, also beside one that is."""
    head = FrontMatterDocument(editor, WRONG)
    uri = (editor.folder / "other.yaml").as_uri()
    document = {"uri": uri, "languageId": "yaml", "version": 1, "text": WRONG}
    editor.notify("textDocument/didOpen", {"textDocument": document})
    await head.settled()
    told = {p["uri"] for p in editor.sent("textDocument/publishDiagnostics")}
    assert head.page.uri in told
    assert uri not in told


@BARE
async def test_a_block_that_is_being_typed_is_looked_at(editor: Editor) -> None:
    """A document need not speak to WriteIt when it is opened."""
    head = FrontMatterDocument(editor, "# Rivers\n")
    head.page.type(0, 0, "---\nwriteit: {pipeline: nothing-like-it}\n---\n")
    await editor.until(head.sent)
    assert head.sent()[0][0]["code"] == "unknown-pipeline"
    head.page.type(0, 4, "")
    await editor.until(lambda: head.sent()[-1] == [])


@pytest.mark.parametrize("editor", ["bare", "visual_studio_code"], indirect=True)
async def test_a_pipeline_that_appears_puts_it_right(editor: Editor) -> None:
    """Seen at the next save, or at once where the client watches files."""
    head = FrontMatterDocument(
        editor, writeit_block("  pipeline: post\n  inputs: {readers: you}\n")
    )
    await editor.until(head.sent)
    path = add_pipeline(editor.folder)
    here = {"textDocument": {"uri": head.page.uri}}
    if editor.profile == "bare":
        editor.notify("textDocument/didSave", here)
    else:
        (watching,) = editor.sent("client/registerCapability")
        (registration,) = watching["registrations"]
        assert registration["method"] == "workspace/didChangeWatchedFiles"
        watched = registration["registerOptions"]["watchers"][-1]
        assert watched["globPattern"].startswith("**/*{.md,")  # notes, too
        changed = {"uri": path.parent.as_uri(), "type": 1}
        editor.notify("workspace/didChangeWatchedFiles", {"changes": [changed]})
    await editor.until(lambda: head.sent()[-1] == [])
    path.unlink()


@pytest.mark.parametrize("editor", ["neovim"], indirect=True)
async def test_who_asks_again_is_told_that_nothing_changed(pipelined: Editor) -> None:
    """And is told all when something did, also in a pipeline's file."""
    head = FrontMatterDocument(pipelined, writeit_block("  pipeline: post\n"))
    first = await head.pull()
    assert first["kind"] == "full"
    head.page.type(len(head.page.text), len(head.page.text), "More.\n")
    again = await head.pull(first["resultId"])
    assert again == {"kind": "unchanged", "resultId": first["resultId"]}
    given = PIPELINE.replace("readers, required", "readers, default: a, required")
    add_pipeline(pipelined.folder, given)
    assert (await head.pull(first["resultId"]))["items"] == []
