"""Front matter that names more files: what is sent, what is refused, what is shown."""

from pathlib import Path
from typing import Any
from unicodedata import normalize

import pytest

from support.document import Document
from support.editor import Editor, Refused
from support.front_matter_document import FrontMatterDocument, writeit_block
from support.open_documents import OpenDocuments

A, B, C = "The mill is old.", "Its wheel is oak.", "The weir broke in 1911."


@pytest.fixture
def place(docs: OpenDocuments, request: pytest.FixtureRequest) -> Path:
    """A folder of the workspace with three files of notes."""
    folder: Path = docs.editor.folder / f"place {abs(hash(request.node.name))}"
    (folder / "research").mkdir(parents=True)
    for name, text in (("a.md", A), ("research/b2.md", B), ("research/b10.md", C)):
        (folder / name).write_text(f"{text}\n", "utf-8")
    return folder


def opened(docs: OpenDocuments, place: Path, words: str, body: str = "") -> Document:
    """Open a document whose front matter has these lines."""
    head = "".join(f"  {line}\n" for line in words.splitlines())
    uri = (place / "main.md").as_uri()
    return Document(docs.editor, uri, f"---\nwriteit:\n{head}---\n{body}")


async def prompt(editor: Editor, run_id: str, step: str = "angles") -> str:
    """Return what a step would send."""
    shown = await editor.command("writeit.step.preview", runId=run_id, step=step)
    text: str = shown["prompt"]
    return text


async def test_notes_are_sent_in_order_each_fenced_by_its_name(
    docs: OpenDocuments, place: Path
) -> None:
    """The document's own text comes first; a pattern sorts chapter 2 before 10."""
    page = opened(docs, place, "notes: [research/*.md, a.md]", "# Mills\n\nMine.\n")
    run_id = await docs.editor.start_run(uri=page.uri)
    sent = await prompt(docs.editor, run_id)
    assert (
        f'<notes>\n<file name="main.md">\n# Mills\n\nMine.\n</file>\n\n'
        f'<file name="research/b2.md">\n{B}\n</file>\n\n'
        f'<file name="research/b10.md">\n{C}\n</file>\n\n'
        f'<file name="a.md">\n{A}\n</file>\n</notes>'
    ) in sent


@pytest.mark.parametrize("name", ["caf\u00e9/cr\u00e8me.md", "caf\u00e9/cr\u00e8*.md"])
async def test_a_name_means_a_file_with_other_characters_for_its_accents(
    docs: OpenDocuments, place: Path, name: str
) -> None:
    """As macOS writes them, or Linux; the file's own name is sent."""
    forms = normalize("NFC", name), normalize("NFD", name)
    for number, (there, named) in enumerate((forms, forms[::-1])):
        file = place / f"{number}" / there.replace("*", "me")
        file.parent.mkdir(parents=True)
        file.write_text("Cold.", "utf-8")
        page = opened(docs, place, f"notes: {number}/{named}")
        run_id = await docs.editor.start_run(uri=page.uri)
        own = f'<file name="{file.relative_to(place)}">\nCold.\n</file>'
        assert own in await prompt(docs.editor, run_id)


async def test_context_is_sent_apart_and_what_is_typed_counts(
    docs: OpenDocuments, place: Path
) -> None:
    """A file that is open counts as the editor has it."""
    Document(docs.editor, (place / "a.md").as_uri(), "Typed, not saved.")
    page = opened(docs, place, "notes: research/b2.md\ncontext: [a.md]")
    run_id = await docs.editor.start_run(uri=page.uri)
    notes, _, known = (await prompt(docs.editor, run_id)).partition("</notes>")
    assert B in notes
    assert '<file name="a.md">\nTyped, not saved.\n</file>' in known
    assert "do not tell again" in known


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("none.md", "not_found", "There is no such file"),
        ("research/*.txt", "not_found", "There is no such file"),
        ("../../../etc/hosts.md", "not_found", "There is no such file"),
        ("/etc/notes.md", "not_trusted", "not a file of the workspace"),
        (".hidden/a.md", "not_trusted", "not a file of the workspace"),
        ("out.md", "not_trusted", "not a file of the workspace"),
        ("inside.md", "not_trusted", "not a file of the workspace"),
        ("secrets.env", "invalid_params", "is not the name of a text"),
        ("*/a.md", "invalid_params", "Name each folder"),
        ("limits.md", "invalid_pipeline", "limits.md: The front matter has an error"),
        ("long.md", "invalid_params", "1,000,000 characters"),
        ("many/*.md", "invalid_params", "at most 50 files"),
    ],
)
async def test_what_cannot_be_read_is_refused_and_marked(
    docs: OpenDocuments, place: Path, tmp_path: Path, name: str, kind: str, said: str
) -> None:
    """Nothing is started; the error says what to do."""
    (tmp_path / "secret.md").write_text("secret", "utf-8")
    (place / ".hidden").mkdir()
    (place / ".hidden" / "a.md").write_text("secret", "utf-8")
    (place / "out.md").symlink_to(tmp_path / "secret.md")
    (place / "inside.md").symlink_to(place / ".hidden" / "a.md")
    (place / "limits.md").write_text("---\nwriteit: {providers: 1}\n---\nx", "utf-8")
    (place / "long.md").write_text("x" * 1_000_001, "utf-8")
    (place / "many").mkdir()
    for number in range(51):
        (place / "many" / f"{number}.md").touch()
    page = opened(docs, place, f'notes: ["{name}"]')
    with pytest.raises(Refused) as refused:
        await docs.editor.start_run(uri=page.uri)
    data = refused.value.data
    assert data["kind"] == kind
    assert said in f"{data['message']} {data['hint']}"


async def test_a_missing_file_is_marked_and_names_are_completed(
    one_editor: Editor,
) -> None:
    """The mark is at the name; a folder can be typed on."""
    (one_editor.folder / "sub dir").mkdir()
    (one_editor.folder / "sub dir" / "deep.md").write_text("x", "utf-8")
    (one_editor.folder / "sub dir" / "deep.png").touch()
    words = "  notes: [none.md]\n  context: ../x.md\n"
    head = FrontMatterDocument(one_editor, writeit_block(words))
    found = {p["code"]: p["range"] for p in await head.problems()}
    assert found == {"missing-file": head.span("none.md")} | {
        "outside-workspace": head.span("../x.md")
    } or set(found) == {"missing-file"}
    typed = FrontMatterDocument(one_editor, writeit_block("  notes: [sub|]\n"))
    assert "sub dir/" in await typed.labels()
    typed = FrontMatterDocument(one_editor, writeit_block('  notes: ["sub dir/d|"]\n'))
    assert await typed.labels() == ["sub dir/deep.md"]


async def test_the_strictest_rule_of_all_files_holds(
    docs: OpenDocuments, place: Path
) -> None:
    """Also one that is set after the run has started."""

    def rule(providers: str) -> None:
        text = f"---\nwriteit: {{providers: {providers}}}\n---\n{A}\n"
        (place / "a.md").write_text(text, "utf-8")

    rule("[ollama, openai]")
    words = "providers: [openai, embedded]\nnotes: [a.md]"
    page = opened(docs, place, words)
    run_id = await docs.editor.start_run(uri=page.uri)

    async def allowed(model: str) -> bool:
        shown = await docs.editor.command(
            "writeit.step.preview", runId=run_id, models=[model]
        )
        is_allowed: bool = shown["models"][0]["allowed"]
        return is_allowed

    assert await allowed("openai/say-x")
    assert not await allowed("ollama/say-x")
    assert not await allowed("embedded/smollm2-135m")
    rule("[ollama]")
    with pytest.raises(Refused, match=r"Its source a\.md sets this limit"):
        await docs.editor.command(
            "writeit.step.run", runId=run_id, models=["openai/say-x"]
        )


async def test_the_file_that_changed_is_named(docs: OpenDocuments, place: Path) -> None:
    """One file's text, one that is gone, one that is new; line ends are no change."""
    page = opened(docs, place, "notes: [a.md, research/*.md]", "Mine.\n")
    run_id = await docs.editor.answered("say-a", uri=page.uri)

    async def reasons() -> Any:
        found = await docs.editor.command("writeit.run.stale", runId=run_id)
        return [r["name"] for step in found["stale"] for r in step["reasons"]]

    (place / "a.md").write_bytes(f"{A}\r\n".encode())
    assert await reasons() == []
    (place / "research/b2.md").write_text("Its wheel is elm.", "utf-8")
    (place / "research/b3.md").write_text("New.", "utf-8")
    (place / "research/b10.md").unlink()
    changed = ["research/b2.md", "research/b10.md", "research/b3.md"]
    assert await reasons() == changed
    child = await docs.editor.command("writeit.run.refresh", runId=run_id)
    sent = await prompt(docs.editor, child["pipelineRunId"])
    assert "elm" in sent
    assert C not in sent


async def chosen(docs: OpenDocuments, run_id: str, *texts: str) -> None:
    """Generate and choose the next steps with these texts."""
    for text in texts:
        run = await docs.editor.show(run_id)
        if not run["steps"][run["currentStep"]]["aiResponses"]:
            await docs.editor.command(
                "writeit.step.run", runId=run_id, models=["openai/say-a"]
            )
        await docs.editor.command(
            "writeit.step.select", runId=run_id, response=0, content=text
        )


async def test_a_passage_leads_to_its_file(docs: OpenDocuments, place: Path) -> None:
    """The one that has the words that the others have not."""
    page = opened(docs, place, "notes: [a.md, research/*.md]", "Mine.\n")
    run_id = await docs.editor.answered("say-a", uri=page.uri)
    text = "The weir, says the record, broke in 1911."
    await chosen(docs, run_id, *[text] * 4)
    applied = await docs.editor.command("writeit.step.apply", runId=run_id)
    article = Document(docs.editor, applied["uri"], f"{text}\n")
    found = await docs.editor.request(
        "textDocument/hover",
        {"textDocument": {"uri": article.uri}, "position": {"line": 0, "character": 1}},
    )
    uri = (place / "research/b10.md").as_uri()
    assert f"From [research/b10.md](<{uri}>)." in found["contents"]["value"]


async def test_words_are_asked_for_and_shown_against_the_target(
    docs: OpenDocuments, place: Path
) -> None:
    """Only for the steps that write the text; the answers of these have the room."""
    page = opened(docs, place, "inputs: {words: 2500}", f"{A}\n")
    run_id = await docs.editor.answered("say-a", uri=page.uri)
    await chosen(docs, run_id, "An angle.", "An outline.")
    await docs.editor.command("writeit.step.run", runId=run_id, models=["openai/say-a"])
    view = "writeit:/step/{}/{}.md"
    shown = [
        (await docs.editor.command("writeit.view.read", uri=view.format(run_id, step)))
        for step in ("angles", "draft")
    ]
    assert [" of 2,500 · " in page["text"] for page in shown] == [False, True]
    assert " of 2,500 · " in shown[1]["answers"][0]["facts"]
    assert "about 2500 words" in await prompt(docs.editor, run_id, "draft")
