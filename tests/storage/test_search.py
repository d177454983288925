"""The search index: what it finds, and what becomes of it."""

import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage import samples
from storage.histories import histories
from storage.samples import a_run, an_id, answer, ask, put, receive, select
from support import text_strategies
from support.waiting import wait_until
from writeit.domain import events as e
from writeit.domain.errors import StoreError, WriteItError
from writeit.domain.operations import lifecycle
from writeit.ports.store import RunCommit, RunQuery, SearchHit, SearchQuery
from writeit.storage import changes, provenance, search_index, search_query
from writeit.storage.maintenance import LmdbMaintenance
from writeit.storage.search_query import _texts_with
from writeit.storage.store import LmdbStore
from writeit.text.search import find_match, indexed_word, joined_words, parse_query

CHILD = Path(__file__).parent / "child.py"
WORDS = ["long", "answer", "lang genug", "y*", "notes", "aou", "88b*", "fenced", "bees"]


async def search(store: LmdbStore, text: str, **filters: object) -> list[SearchHit]:
    """Return the hits of all pages, once the index is complete."""
    hits: list[SearchHit] = []
    cursor: str | None = None
    while True:
        query = SearchQuery(text=text, cursor=cursor, **filters)  # type: ignore[arg-type]
        page = await store.search(query)
        if page.partial:
            continue
        hits += page.hits
        cursor = page.next_cursor
        if cursor is None:
            return hits


def places(hits: Sequence[SearchHit]) -> list[tuple[str, str | None, UUID]]:
    """Return where the hits are."""
    return [(hit.text.place, hit.text.step, hit.run_id) for hit in hits]


def index_file(store: LmdbStore) -> Path:
    """Return the file of the index."""
    (path,) = store.folder.glob("search-*.db")
    return path


async def written(store: LmdbStore, number: int, text: str) -> UUID:
    """Store a run with one chosen answer."""
    run = await put(store, a_run(number, uri=f"file:///{number}.md"))
    await ask(store, run.pipeline_run_id, number + 1)
    await receive(store, run.pipeline_run_id, answer(number + 1, text))
    await select(store, run.pipeline_run_id)
    return run.pipeline_run_id


@given(st.text() | text_strategies.texts(), st.text() | text_strategies.sentences)
def test_the_index_has_every_text_that_a_scan_finds(text: str, query: str) -> None:
    """Any text is a query, never an error; phrases are checked in the text."""
    if not (terms := parse_query(query)):
        return
    words = {indexed_word(word) for word in joined_words(text).split()}
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(search_index.SCHEMA[-1])
        rows = [(0, word, "\x80") for word in words]
        connection.executemany("INSERT INTO word VALUES (?, ?, ?)", rows)
        found = _texts_with(connection, 0, terms)
    if find_match(text, terms):
        assert found
    elif all(len(term.words) == 1 for term in terms) and text.isascii():
        assert not found


@given(st.sets(st.integers(0, search_index.BLOCK_SIZE - 1)).map(sorted), st.integers(1))
def test_the_texts_of_a_word_are_those_added(numbers: list[int], step: int) -> None:
    """In any number of steps; each has one byte, or two."""
    texts = ""
    for start in range(0, len(numbers), step):
        more = search_index.encode_texts(numbers[start : start + step])
        texts = search_index.append_texts(texts, more) if texts else more
    assert search_index.decode_texts(texts) == numbers
    assert len(texts.encode()) <= 2 * len(numbers)


def scan(store: LmdbStore, text: str) -> set[tuple[UUID, str, str | None, str]]:
    """Return what a search must find, from the entities: root, place, step, text."""
    texts: set[tuple[UUID, str, str | None, str | None]] = set()
    for summary in store.list_runs(RunQuery(limit=1000)).runs:
        stored = store.get_run(summary.run_id)
        assert stored is not None
        run, root = stored.run, summary.run_id
        while (above := store.summary(root)) and above.parent_run_id:
            root = above.parent_run_id
        texts |= {(root, "title", None, run.title), (root, "title", None, run.name)}
        for name, step in run.steps.items():
            found = {("answer", step.edited_content), ("answer", step.merged_content)}
            found |= {("feedback", step.user_feedback), ("feedback", step.instruction)}
            found |= {("answer", each.processed_content) for each in step.ai_responses}
            found |= {("prompt", each.prompt_used) for each in step.ai_responses}
            texts |= {(root, place, name, text) for place, text in found}
        for event in store.events(summary.run_id):
            match event:
                case e.TextApplied(step=name, text=words):
                    texts.add((root, "applied", name, words))
                case (
                    e.FeedbackGiven(step=name, text=words)
                    | e.StepRegenerated(step=name, feedback=words)
                ):
                    texts.add((root, "feedback", name, words))
                case e.ResponseSelected(step=name, content=edited) if edited:
                    texts.add((root, "answer", name, edited))
                case e.Merged(step=name, content=words):
                    texts.add((root, "answer", name, words))
    terms = parse_query(text)
    return {
        (root, place, name, found)
        for root, place, name, found in texts
        if found and find_match(found, terms)
    }


async def check_equals_scan(store: LmdbStore) -> None:
    """Check that searches find what a scan finds, once a tree of runs."""
    for text in WORDS:
        expected = scan(store, text)
        hits = await search(store, text, limit=7)
        assert len(hits) == len(expected)
        assert {(h.text.place, h.text.step, h.text.text) for h in hits} == {
            found[1:] for found in expected
        }


async def import_again(store: LmdbStore) -> None:
    """Delete the newest run and import it without its history."""
    runs = store.list_runs(RunQuery(limit=1)).runs
    stored = store.get_run(runs[0].run_id) if runs else None
    if stored is None or store.streaming_runs():
        return
    run = stored.run
    parent = run.parent_pipeline_run_id
    if parent is not None and store.get_run(parent) is None:
        return  # a branch of a deleted run is refused
    created = e.RunBranched if parent else e.RunStarted
    await store.delete_run(run.pipeline_run_id)
    event = created(at=run.updated_at, run=run)
    await store.commit(RunCommit(run=run, events=(event,), expected_seq=0))


async def play(folder: Path, decisions: Sequence[RunCommit], moves: list[int]) -> None:
    """Commit decisions; in between delete, compact, open again, and search."""
    store = LmdbStore.open(folder)
    try:
        for number, decision in enumerate(decisions):
            try:
                await store.commit(decision)
            except (WriteItError, Exception) as error:  # noqa: BLE001 -- of a deleted run
                assert moves, error  # noqa: PT017 -- nothing was deleted
            move = moves[number % len(moves)] if moves else 9
            if move == 0:
                runs = store.list_runs(RunQuery()).runs
                if runs and not store.streaming_runs():
                    await store.delete_run(runs[-1].run_id, descendants=number % 2 == 0)
            elif move == 1:
                await LmdbMaintenance(store).compact()
            elif move == 2:
                store.close()
                store = LmdbStore.open(folder)
            elif move == 3:
                await search(store, "answer")
            elif move == 4:
                await import_again(store)
        await check_equals_scan(store)
    finally:
        store.close()


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(histories(), st.lists(st.integers(0, 9), max_size=20))
def test_the_index_equals_a_scan_of_the_store(
    decisions: list[RunCommit], moves: list[int]
) -> None:
    """Whatever was chosen, branched, deleted and compacted in between."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(Path(folder) / "store", decisions, moves))


async def test_nothing_is_made_before_the_first_search(lmdb_store: LmdbStore) -> None:
    """Who never searches pays nothing."""
    await written(lmdb_store, 1, "a zebra")
    assert not list(lmdb_store.folder.glob("search*"))
    assert len(await search(lmdb_store, "zebra")) == 1
    assert index_file(lmdb_store).stat().st_mode & 0o077 == 0


async def test_commits_are_indexed_without_a_search(lmdb_store: LmdbStore) -> None:
    """The next search has nothing to wait for."""
    await search(lmdb_store, "zebra")
    run_id = await written(lmdb_store, 1, "a zebra")
    with closing(sqlite3.connect(index_file(lmdb_store))) as connection:
        select = "SELECT 1 FROM run WHERE run = ?"
        found = connection.execute
        wait_until(lambda: found(select, (run_id.bytes,)).fetchone())


async def test_a_change_costs_the_same_beside_many_runs(lmdb_store: LmdbStore) -> None:
    """Neither the runs of the store nor those of the index are scanned."""
    steps, costs = [0], list[tuple[int, int]]()

    def count() -> int:
        steps[0] += 1
        return 0

    await put(lmdb_store, a_run(1000))
    index = lmdb_store.search_index
    assert index is not None
    for numbers in (range(1, 11), range(11, 211)):
        for number in numbers:
            words = " ".join(
                "quagga" if bit == "1" else "okapi" for bit in f"{number:b}"
            )
            await put(lmdb_store, a_run(number).evolve(name=words))
        assert index.update()
        with index.connection() as connection:
            connection.set_progress_handler(count, 1)
        before = lmdb_store.counters.keys_read
        steps[0] = 0
        await lmdb_store.delete_run(an_id(numbers[0]))
        await put(lmdb_store, a_run(1000 + numbers[0]).evolve(name="okapi"))
        assert index.update()
        costs.append((lmdb_store.counters.keys_read - before, steps[0]))
    (few_keys, few_steps), (keys, many_steps) = costs
    assert keys < few_keys + 50
    assert many_steps < 2 * few_steps


async def test_shared_answers_are_found_once_and_stay_with_a_branch(
    lmdb_store: LmdbStore,
) -> None:
    """The hit leads to the run that has them."""
    parent = await written(lmdb_store, 1, "a zebra")
    stored = lmdb_store.get_run(parent)
    assert stored is not None
    step = stored.run.steps["angles"]
    event = lifecycle.branch(stored.run, step, an_id(50), samples.at(50), None)
    await lmdb_store.commit(RunCommit(run=event.run, events=(event,), expected_seq=0))
    assert places(await search(lmdb_store, "zebra")) == [("answer", "angles", parent)]
    await lmdb_store.delete_run(parent)
    found = places(await search(lmdb_store, "zebra"))
    assert found == [("answer", "angles", an_id(50))]


async def test_filters_and_pages(lmdb_store: LmdbStore) -> None:
    """Newest first; each hit is on one page."""
    ids = [await written(lmdb_store, number, "a zebra") for number in (1, 11, 21)]
    run = a_run(31).evolve(name="zebra two")
    await put(lmdb_store, run)

    async def found(**filters: object) -> list[UUID]:
        return [hit.run_id for hit in await search(lmdb_store, "zebra", **filters)]

    assert await found() == [run.pipeline_run_id, *reversed(ids)]
    assert await found(limit=1) == await found()
    assert await found(places=("title", "prompt")) == [run.pipeline_run_id]
    assert await found(uri="file:///11.md") == [ids[1]]
    assert await found(model="gpt-4o", limit=2) == [*reversed(ids)]
    assert await found(model="openai/gpt-4o") == [*reversed(ids)]
    assert await found(model="openai/gpt-4") == []
    assert await found(since=samples.at(22), places=("answer",)) == [ids[2]]
    assert await search(lmdb_store, "bees", places=("prompt",), limit=1)


async def test_a_page_checks_a_limited_number_of_texts(
    lmdb_store: LmdbStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next page goes on where it ended; a phrase is found however late."""
    monkeypatch.setattr(search_query, "_MAX_MISSES", 20)
    await put(lmdb_store, a_run(1).evolve(name="the okapi"))
    for number in range(2, 30):
        await put(lmdb_store, a_run(number).evolve(name=f"okapi {number} the"))
    assert len(await search(lmdb_store, "okapi", limit=1000)) == 29
    page = await lmdb_store.search(SearchQuery(text='"the okapi"'))
    assert not page.hits
    query = SearchQuery(text='"the okapi"', cursor=page.next_cursor)
    (hit,) = (await lmdb_store.search(query)).hits
    assert hit.run_id == an_id(1)


@pytest.mark.parametrize("how", ["delete", "prune"])
async def test_deleted_words_leave_the_file(lmdb_store: LmdbStore, how: str) -> None:
    """The rows at once, and what is left in free space when it is compacted."""
    kept = await written(lmdb_store, 400, "an okapi")
    words = [f"quagga{number}" for number in range(9000)]
    run_ids = [
        await written(lmdb_store, number, " ".join(words[number * 30 :][:300]))
        for number in range(1, 300, 10)
    ]
    assert len(await search(lmdb_store, "quagga30")) == 1
    if how == "prune":
        for run_id in run_ids:
            for step in samples.STEPS[1:]:
                skipped = e.StepSkipped(at=samples.at(400), step=step)
                await samples.go_on(lmdb_store, run_id, skipped)
            completed = e.RunCompleted(at=samples.at(400))
            await samples.go_on(lmdb_store, run_id, completed)
        await LmdbMaintenance(lmdb_store).prune(samples.at(9999), dry_run=False)
    for run_id in run_ids if how == "delete" else ():
        await lmdb_store.delete_run(run_id)
    lmdb_store.close()
    with closing(sqlite3.connect(index_file(lmdb_store))) as connection:
        select = "SELECT SUM(word GLOB 'quagga*'), SUM(word = 'okapi') FROM word"
        assert connection.execute(select).fetchone() == (0, 1)
    with closing(LmdbStore.open(lmdb_store.folder)) as store:
        await LmdbMaintenance(store).compact()
        content = b"".join(f.read_bytes() for f in store.folder.glob("search*"))
        assert b"quagga" not in content
        assert [hit.run_id for hit in await search(store, "okapi")] == [kept]


def start_child(store: LmdbStore, name: str) -> subprocess.Popen[str]:
    """Start another process that searches."""
    command = [sys.executable, str(CHILD), "search", str(store.folder), name]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def reports(child: subprocess.Popen[str]) -> Iterator[dict[str, object]]:
    """Yield what a child reports."""
    assert child.stdout is not None
    for line in child.stdout:
        yield json.loads(line)


async def test_two_processes_share_the_index(lmdb_store: LmdbStore) -> None:
    """Each finds at once what it has stored itself, and what the other has."""
    with start_child(lmdb_store, "zebra") as child:
        for number, report in enumerate(reports(child)):
            if not report["partial"]:
                assert report["found"] == report["written"]
            name = f"quagga {number}"
            await put(lmdb_store, a_run(number + 100).evolve(name=name))
            page = await lmdb_store.search(SearchQuery(text="quagga", limit=100))
            assert page.partial or len(page.hits) == number + 1
            if number == 12:
                break
        child.kill()
    assert len(await search(lmdb_store, "zebra")) >= number
    assert len(await search(lmdb_store, "quagga")) == number + 1


async def test_a_kill_while_the_index_is_made_loses_nothing(
    lmdb_store: LmdbStore,
) -> None:
    """The next search goes on."""
    for number in range(1, 500):
        await put(lmdb_store, a_run(number, document={"title": f"zebra {number}"}))
    with start_child(lmdb_store, "") as child:
        assert next(reports(child))["partial"]
        child.kill()
    assert len(await search(lmdb_store, "zebra", limit=100)) == 499


@pytest.mark.parametrize("damage", ["text", "empty", "pages", "trigger", "old"])
async def test_a_damaged_index_is_made_again(
    lmdb_store: LmdbStore, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    """So is one that has more than ours, or another format. The log says it."""
    for number in range(1, 100, 10):
        await written(lmdb_store, number, f"zebra {number} " * 99)
    assert len(await search(lmdb_store, "zebra")) == 10
    lmdb_store.close()
    path = index_file(lmdb_store)
    if damage == "pages":
        with path.open("r+b") as file:
            file.seek(4096)
            file.write(os.urandom(path.stat().st_size - 4096))
    elif damage in {"text", "empty"}:
        path.write_bytes(b"not a database " * 500 if damage == "text" else b"")
    else:
        with closing(sqlite3.connect(path)) as connection:
            if damage == "old":
                connection.execute("ALTER TABLE state_3 RENAME COLUMN made TO s")
            else:
                connection.execute(
                    "CREATE TRIGGER theirs AFTER INSERT ON run BEGIN"
                    " DELETE FROM text; END"
                )
    with closing(LmdbStore.open(lmdb_store.folder)) as store:
        assert len(await search(store, "zebra")) == 10
    assert (
        path.name in caplog.text or "made again" in caplog.text
    ) or damage == "empty"


@pytest.mark.parametrize("kept", [2, 100])
async def test_an_index_that_was_away_lacks_nothing(
    lmdb_store: LmdbStore, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kept: int
) -> None:
    """It is made again if the log of changes is too short by then."""
    monkeypatch.setattr(changes, "MAX_CHANGES", kept)
    for number in (1, 2):
        await put(lmdb_store, a_run(number).evolve(name="zebra"))
    assert len(await search(lmdb_store, "zebra")) == 2
    path = index_file(lmdb_store)
    path.rename(tmp_path / "away")
    await lmdb_store.delete_run(an_id(1))
    for number in (3, 4):
        await put(lmdb_store, a_run(number).evolve(name="zebra"))
    (tmp_path / "away").rename(path)
    found = places(await search(lmdb_store, "zebra"))
    assert found == [("title", None, an_id(number)) for number in (4, 3, 2)]
    assert (index_file(lmdb_store) == path) == (kept == 100)


async def test_a_foreign_index_and_a_link_are_never_opened(
    lmdb_store: LmdbStore, tmp_path: Path
) -> None:
    """They are deleted; what a link leads to is left alone."""
    await written(lmdb_store, 1, "a zebra")
    target = tmp_path / "target.db"
    target.write_bytes(b"the user's")
    (lmdb_store.folder / "search.db").symlink_to(target)
    foreign = lmdb_store.folder / f"search-{'a' * 32}.db"
    foreign.write_bytes(b"SQLite format 3\0" + bytes(5000))
    assert len(await search(lmdb_store, "zebra")) == 1
    assert index_file(lmdb_store) != foreign
    assert target.read_bytes() == b"the user's"
    own = index_file(lmdb_store)
    note = provenance.record_path(lmdb_store.folder.resolve()).with_suffix(".search")
    assert note.read_text() == own.name
    own.unlink()
    own.symlink_to(target)
    assert len(await search(lmdb_store, "zebra")) == 1
    assert target.read_bytes() == b"the user's"


async def test_a_read_only_index_is_one_sentence_and_the_rest_works(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The folder of the user's data is what cannot be written here."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "file"))
    with closing(LmdbStore.open(tmp_path / "other")) as store:
        with pytest.raises(StoreError, match="Everything else works"):
            await store.search(SearchQuery(text="zebra"))
        await written(store, 1, "a zebra")
        assert store.get_run(an_id(1)) is not None
