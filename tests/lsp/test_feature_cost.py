"""What a lens and an action cost does not depend on how long the article is."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from lsprotocol import types

from support.acts import counting_calls
from support.runs import START, answer, call_for, sends
from support.waiting import wait_until_async
from writeit import app
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.run import PipelineRun
from writeit.engine import leases
from writeit.engine.precedence import StartRequest
from writeit.library.front_matter import read_source_document
from writeit.lsp.client import Client
from writeit.lsp.features.code_action import code_actions
from writeit.lsp.features.code_lens import code_lenses
from writeit.lsp.features.diagnostics import document_diagnostics
from writeit.lsp.pages import refresh
from writeit.lsp.pages.refresh import ChangeNotifier
from writeit.lsp.pygls_fixes import WriteItDocument, WriteItWorkspace
from writeit.lsp.session import Session
from writeit.storage.store import LmdbStore

HEAD = "---\nwriteit: {pipeline: tech-article}\n---\n# Notes\n"
HEADING = 3
OFFERED_ON_A_SECTION = 2
LINE = f"{'A line of an article. ' * 4}\n"


@pytest.fixture(autouse=True)
def _nobody_looks_by_himself(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is read now and then without a request is not what is counted."""
    monkeypatch.setattr(leases, "POLL_SECONDS", 3600)
    monkeypatch.setattr(leases, "HEARTBEAT_SECONDS", 3600)
    monkeypatch.setattr(refresh, "BATCH_SECONDS", 3600)


class Counted(WriteItDocument):
    """A document that counts the characters it is asked for."""

    handed_out = 0

    @property
    def source(self) -> str:
        """The whole text."""
        Counted.handed_out += len(super().source)
        return super().source

    def first_characters(self, characters: int) -> str:
        """The first characters."""
        text = super().first_characters(characters)
        Counted.handed_out += len(text)
        return text


class Article:
    """An open article of so many lines, in a workspace of its own."""

    def __init__(self, folder: Path, lines: int) -> None:
        folder.mkdir()
        path = folder / "article.md"
        path.write_text(HEAD + LINE * lines, encoding="utf-8")
        self.uri = path.as_uri()
        self.text = text = path.read_text(encoding="utf-8")
        workspace = WriteItWorkspace(folder.as_uri())
        self.document = Counted(self.uri, text, 1, "markdown")
        workspace.text_documents[self.uri] = self.document
        server: Any = SimpleNamespace(
            workspace=workspace, client_capabilities=types.ClientCapabilities()
        )
        self.store = LmdbStore.open(folder / ".writeit" / "store")
        world = replace(app.create_ports(), open_store=lambda _: (self.store, None))
        self.session = session = Session(Client(server), workspace, world)
        session.listener = ChangeNotifier(
            session.documents, session.find_view, session.folders_with_open_store
        )

    async def start(self) -> PipelineRun:
        """A run on the article, its first step skipped."""
        folder = self.session.folder_containing(self.uri)
        notes = read_source_document(
            "# Notes\n\nShort.\n", uri=self.uri
        ).require_valid()
        library = await folder.load_library()
        run = await folder.engine.start_run(
            StartRequest(
                configuration=library.pipeline("tech-article"),
                document=notes.document,
                uri=self.uri,
            )
        )
        return await folder.engine.execute(
            run.pipeline_run_id,
            lambda run, at: select.skip_step(run, run.steps["angles"], at),
        )

    async def parse(self) -> None:
        """Wait until the document was parsed."""
        document = self.session.documents.find_open(self.uri)
        assert isinstance(document, WriteItDocument)
        document.schedule_parse()
        await wait_until_async(lambda: document.sections_at(HEADING))

    async def look(self, line: int = 6) -> tuple[int, int, int]:
        """What lenses and actions read: keys, characters; and how many there are."""
        Counted.handed_out = 0
        keys = self.store.counters.keys_read
        here = types.TextDocumentIdentifier(uri=self.uri)
        place = types.Position(line=line, character=0)
        lenses = await code_lenses(self.session, types.CodeLensParams(here))
        actions = await code_actions(
            self.session,
            types.CodeActionParams(
                text_document=here,
                range=types.Range(start=place, end=place),
                context=types.CodeActionContext(diagnostics=[]),
            ),
        )
        read = self.store.counters.keys_read - keys
        return read, Counted.handed_out, len(lenses) + len(actions)


async def test_a_section_is_offered_without_reading_the_text(tmp_path: Path) -> None:
    """The text was parsed when it was opened; an action reads what was found."""
    figures = []
    for lines in (10, 1_000, 10_000):
        article = Article(tmp_path / str(lines), lines)
        await article.look(HEADING)  # opens what is opened once
        unparsed = await article.look(HEADING)
        await article.parse()
        parsed = await article.look(HEADING)
        assert parsed[:2] == unparsed[:2]
        figures.append(parsed[:2])
        fits = lines == 10
        assert parsed[2] - unparsed[2] == (OFFERED_ON_A_SECTION if fits else 0)
        await article.session.close()
    assert figures[1] == figures[2]


@pytest.mark.parametrize("started", [False, True], ids=["notes", "with a run"])
async def test_an_article_of_ten_thousand_lines_costs_what_one_of_a_hundred_does(
    tmp_path: Path, started: bool
) -> None:
    """The same keys, characters and offers; it is parsed once a version."""
    figures = []
    for lines in (100, 10_000):
        article = Article(tmp_path / str(lines), lines)
        if started:
            await article.start()
        _, characters, _ = await article.look()
        assert characters < 3 * len(article.text)
        figures.append(await article.look())
        await article.session.close()
    assert figures[0] == figures[1]
    assert figures[0][2] > 2


async def test_of_many_runs_of_an_article_one_is_read(tmp_path: Path) -> None:
    """Of each other one only its line in the list."""
    article = Article(tmp_path / "article", 100)
    figures = []
    for _ in range(3):
        await article.start()
        await article.look()
        figures.append((await article.look())[0])
    await article.session.close()
    first, second, third = figures
    looks, keys_of_a_line = 2, 2
    assert second - first == third - second == looks * keys_of_a_line


async def applied(article: Article) -> None:
    """A run whose text is in the article."""
    started = await article.start()
    run_id, step = started.pipeline_run_id, started.current_step
    call = call_for(started.steps[step])
    opened = generate.start_generation(started, started.steps[step], [call], START)
    engine = article.session.folder_containing(article.uri).engine
    where: Any = {"uri": article.uri, "mode": "replace", "replaced": "", "text": "x"}
    for operation in (
        lambda *_: (*opened, *sends(step, [call])),
        lambda *_: generate.complete_response(step, answer(call), START),
        lambda run, at: select.select_response(run, run.steps[step], 0, at),
        lambda _, at: lifecycle.record_applied(step, at, **where),
    ):
        await engine.execute(run_id, operation)


async def test_a_changed_word_costs_the_event_loop_the_same_in_any_article(
    tmp_path: Path,
) -> None:
    """Of 7,000 or 20,000 words, with 40 missing facts; one paragraph is examined."""
    figures = []
    for paragraphs in (60, 180):
        article = Article(tmp_path / str(paragraphs), 1)
        await applied(article)
        text = "".join(f"It took {n} ms, so {n + 50} km.\n\n" for n in range(2, 22))
        text += f"{'and words of it ' * 28}\n\n" * paragraphs
        document, documents = article.document, article.session.documents
        examined = before = 0
        for _ in range(3):
            document.apply_change(types.TextDocumentContentChangeWholeDocument(text))
            documents.notify_change(article.uri)
            with counting_calls() as calls:
                found = await document_diagnostics(article.session, article.uri)
            assert found is not None
            assert len(found) == 40
            text = text.replace("words", "letters", 1)
            examined, before = documents.findings[article.uri].examined, examined
        assert examined - before == 1
        figures.append(len(calls))
        await article.session.close()
    assert figures[1] == pytest.approx(figures[0], rel=0.1)
