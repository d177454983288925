"""The story in a bare client, by code actions alone.

The user types into the notes and into page files, takes code actions and reads
messages. No command and no id is named.
"""

import asyncio
import re
from pathlib import Path

from support.acts import check_acts
from support.document import Document, place
from support.drafts import ONE_STEP, Draft
from support.editor import Editor, Json, serving
from support.model_words import escape
from support.notes import CORRECTED, ERRORS, NINE_FACTS, NOTES
from support.open_documents import OpenDocuments
from support.waiting import TIMEOUT


class Writer:
    """A person in front of a bare client."""

    def __init__(self, editor: Editor, workspace: Path) -> None:
        self.docs = OpenDocuments(editor)
        self.acts: list[str] = []
        """Every offer that was taken, in order; each is one act."""
        self._editor = editor
        self._workspace = workspace

    async def offered(self, page: Document, words: str = "") -> dict[str, Json]:
        """The actions on a page, with the cursor (or the selection) at some words."""
        start = page.text.index(words)
        ends = (start, start + len(words))
        first, last = (place(page.text, at, self.docs.encoding) for at in ends)
        found = await self._editor.request(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": page.uri},
                "range": {"start": first, "end": last},
                "context": {"diagnostics": []},
            },
        )
        return {a["title"].removeprefix("WriteIt: "): a["command"] for a in found}

    async def take(self, page: Document, title: str, words: str = "") -> None:
        """Take the action whose title matches, once it is offered."""
        self.acts.append(title)
        async with asyncio.timeout(TIMEOUT):
            while True:
                for offered, command in (await self.offered(page, words)).items():
                    if re.match(title, offered):
                        given = {k: command[k] for k in ("command", "arguments")}
                        await self._editor.request("workspace/executeCommand", given)
                        return
                await asyncio.sleep(0.05)

    async def open(self, page: Document, title: str, words: str = "") -> Document:
        """Take an action that shows a page, and open the file the message names."""
        before = len(self._editor.shown_messages())
        await self.take(page, title, words)
        await self._editor.until(lambda: _named(self._editor.shown_messages()[before:]))
        uri = _named(self._editor.shown_messages()[before:])
        assert uri is not None
        if uri in self.docs.pages:
            return self.docs.pages[uri]
        path = self._workspace / uri.partition(self._workspace.as_uri() + "/")[2]
        return self.docs.open(path.read_text(encoding="utf-8"), uri=uri)

    async def sees(self, page: Document, words: str) -> None:
        """Wait until a page shows something; the server changes it by edits."""
        await self._editor.until(lambda: words in page.text)

    def say(self, page: Document, words: str) -> None:
        """Type into the Feedback section."""
        at = page.text.index("-->", page.text.index("<!-- writeit:feedback")) + 4
        page.type(at, at, words)


def _named(messages: list[str]) -> str | None:
    found = [m for m in messages if m.startswith("WriteIt: file:")]
    return found[-1].removeprefix("WriteIt: ") if found else None


async def to_the_draft(writer: Writer, notes: Document) -> None:
    """Angles chosen with words typed into the page; an outline asked anew."""
    await writer.take(notes, "Start tech-article")
    await writer.take(notes, "Generate angles")
    await writer.take(notes, r"Choose answer 2 for angles", "")
    await writer.take(notes, "Start over from angles")
    angles = await writer.open(notes, "Open the step angles")
    await writer.sees(angles, "## Answer 2")
    writer.say(angles, "for beginners")
    await writer.take(angles, r"Choose this answer", "The flood")
    await writer.take(notes, "Generate outline")
    outline = await writer.open(notes, "Open the step outline")
    await writer.sees(outline, "1 answer to choose from")
    assert "for beginners" in outline.text
    writer.say(outline, "fewer parts")
    await writer.take(outline, "Regenerate with feedback", "fewer parts")
    await writer.sees(outline, "2 answers to choose from")
    assert "fewer parts" in outline.text[outline.text.index("## Answer 2") :]
    await writer.take(outline, r"Choose this answer \(answer 2\)", "## Answer 2")


async def to_the_article(writer: Writer, notes: Document) -> None:
    """A draft joined of two models' answers, polished and chosen."""
    await writer.take(notes, "Generate draft")
    draft = await writer.open(notes, "Open the step draft")
    await writer.sees(draft, "2 answers to choose from")
    for passage in ("Water moves.", "Rivers run."):
        await writer.take(draft, "Add to merge", passage)
    await writer.sees(draft, "Water moves.\n\nRivers run.")
    await writer.take(draft, "Use the merge$", "## Merge")
    await writer.take(notes, "Generate polish")
    await writer.take(notes, "Choose answer 1 for polish")


async def test_a_bare_client_goes_all_the_way_by_what_it_is_offered(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Notes to article, back to the outline, another draft, compared, exported."""
    async with serving([workspace], "bare", environment) as editor:
        writer = Writer(editor, workspace)
        path = workspace / "rivers.md"
        path.write_text(NOTES, encoding="utf-8")
        notes = writer.docs.open(NOTES, uri=path.as_uri())
        await to_the_draft(writer, notes)
        await to_the_article(writer, notes)
        await writer.take(notes, "Apply the text")
        article = workspace / "rivers.tech-article.md"
        async with asyncio.timeout(TIMEOUT):
            while not article.exists():  # noqa: ASYNC110 -- a file, not an event
                await asyncio.sleep(0.05)
        assert article.read_text("utf-8") == "Rivers run and water moves.\n"
        assert notes.text == NOTES

        await writer.take(notes, "Start over from outline")
        await writer.take(notes, "Choose answer 1 for outline")
        await writer.take(notes, "Generate draft")
        await writer.take(notes, "Choose answer 1 for draft")
        compared = await writer.open(notes, "Compare outline with the original run")
        compared = await writer.open(compared, "Compare draft of the two runs")
        assert "Water moves." in compared.text
        await writer.take(notes, "Branch at draft")
        page = await writer.open(notes, "Open the run")
        assert "from outline" in page.text
        assert "from draft" in page.text
        await writer.take(notes, "Export run history")
        assert "writeit_export" in (workspace / "run.yaml").read_text("utf-8")


# --- how many acts it takes --------------------------------------------------------

PLAIN = "# Notes on rivers\n\n- Rivers run.\n- Floods come.\n"
ANGLES = "1. Mills turn.\n2. Floods come.\n"
SAYS = [f"openai/say-{escape(text)}" for text in (ANGLES, "Rivers run.")]


async def written(path: Path) -> str:
    """The text of a file, once it is there."""
    async with asyncio.timeout(TIMEOUT):
        while not await asyncio.to_thread(path.exists):  # noqa: ASYNC110 -- a file
            await asyncio.sleep(0.05)
    return await asyncio.to_thread(path.read_text, "utf-8")


def own_configuration(workspace: Path, environment: dict[str, str]) -> dict[str, str]:
    """The environment of a user whose configuration no other test reads."""
    return {**environment, "WRITEIT_CONFIG_DIR": str(workspace.parent / "config")}


async def begin(editor: Editor, workspace: Path, *samples: int) -> Writer:
    """A writer whose default models give so many answers each."""
    models = [
        {"model": model, "samples": count}
        for model, count in zip(SAYS, samples, strict=False)
    ]
    await editor.command("writeit.preferences.set", models=models)
    return Writer(editor, workspace)


async def test_the_shortest_way_takes_at_most_ten_acts(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Start, choose an angle, choose twice, choose and apply."""
    own = own_configuration(workspace, environment)
    async with serving([workspace], "bare", own) as editor:
        writer = await begin(editor, workspace, 1)
        notes = writer.docs.open(PLAIN, uri=editor.notes)
        await writer.take(notes, "Start and generate tech-article")
        await writer.take(notes, "Choose angle 2 and continue")
        await writer.take(notes, "Choose answer 1 and continue")
        await writer.take(notes, "Choose answer 1 and continue")
        await writer.take(notes, "Choose answer 1 and apply")
        assert await written(workspace / "notes.tech-article.md") == ANGLES
        check_acts("bare client, shortest way", writer.acts, 10)


async def test_the_whole_way_takes_at_most_fifteen_acts(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Two models, two answers each; feedback, a new round, a merge, a polish."""
    own = own_configuration(workspace, environment)
    async with serving([workspace], "bare", own) as editor:
        writer = await begin(editor, workspace, 2, 2)
        notes = writer.docs.open(PLAIN, uri=editor.notes)
        await writer.take(notes, "Start and generate tech-article")
        angles = await writer.open(notes, "Open angles to choose")
        await writer.sees(angles, "4 answers to choose from")
        writer.say(angles, "for beginners")
        await writer.take(angles, r"Choose angle 1 and continue", "Mills")
        outline = await writer.open(notes, "Open outline to choose")
        await writer.sees(outline, "4 answers to choose from")
        writer.say(outline, "fewer parts")
        await writer.take(outline, "Regenerate with feedback", "fewer parts")
        await writer.sees(outline, "8 answers to choose from")
        await writer.take(outline, r"Choose and continue \(answer 8\)", "## Answer 8")
        draft = await writer.open(notes, "Open draft to choose")
        await writer.sees(draft, "4 answers to choose from")
        for passage in ("Rivers run.", "Floods come."):
            await writer.take(draft, "Add to merge", passage)
        await writer.sees(draft, "Rivers run.\n\nFloods come.")
        await writer.take(draft, "Use the merge and continue", "## Merge")
        await writer.take(notes, "Choose answer 3 and apply")
        article = workspace / "notes.tech-article.md"
        text = await written(article)
        assert text == "Rivers run.\n"
        page = writer.docs.open(text, uri=article.as_uri())
        await writer.take(page, "Polish this passage", "Rivers run.")
        check_acts("bare client, whole way", writer.acts, 15)


async def test_three_errors_of_an_article_are_found_and_corrected(
    workspace: Path, environment: dict[str, str]
) -> None:
    """The hints name them, their list becomes feedback, and the new text has none."""
    own = own_configuration(workspace, environment)
    (workspace / "pipelines").mkdir()
    (workspace / "pipelines" / "article.yaml").write_text(ONE_STEP, "utf-8")
    async with serving([workspace], "bare", own) as editor:
        writer = Writer(editor, workspace)
        (workspace / "cache.md").write_text(NINE_FACTS, "utf-8")
        notes = writer.docs.open(NINE_FACTS, uri=(workspace / "cache.md").as_uri())
        models = [{"model": "openai/planted"}]
        await editor.command("writeit.preferences.set", models=models)
        await writer.take(notes, "Start and generate article")
        await writer.take(notes, "Choose answer 1 and apply")
        path = workspace / "cache.article.md"
        draft = Draft(writer.docs, notes, "")
        draft.page = page = writer.docs.open(await written(path), uri=path.as_uri())
        await editor.until(lambda: len(draft.published()) == len(ERRORS))
        assert tuple(draft.words(draft.published())) == ERRORS

        step = await writer.open(page, "Regenerate with corrections", "45 ms")
        assert "3 not in the notes" in step.text
        assert all(f"- {error}" in step.text for error in ERRORS)
        await writer.take(step, "Regenerate with feedback", "- 45 ms")
        await writer.sees(step, "2 answers to choose from")
        assert step.text.count("not in the notes") == step.text.count("3 not in the")
        await writer.take(step, r"Choose and apply \(answer 2\)", "## Answer 2")
        await editor.until(lambda: page.text == CORRECTED)
        await editor.until(lambda: not draft.published())
        facts = await editor.command("writeit.facts.check", uri=page.uri)
        assert [fact["found"] for fact in facts["facts"]] == [True] * 9
        check_acts("bare client, errors corrected", writer.acts, 5)
