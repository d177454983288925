"""Keys and values on the disk, groups of writes, limits."""

import asyncio
import hashlib
from dataclasses import replace
from pathlib import Path
from time import monotonic
from uuid import UUID

import pytest
from lmdb import verify as offline

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, put, receive, select
from support.waiting import wait_until_async
from writeit.domain import events as e
from writeit.domain.errors import Busy, InvalidParams, StoreError
from writeit.domain.run import PipelineRun, PipelineStatus, StepState, StepStatus
from writeit.ports.store import RunCommit, RunQuery
from writeit.storage.integrity import strip_text_checksum
from writeit.storage.store import LmdbStore
from writeit.storage.writer import JOURNAL_DELAY


def dump(store: LmdbStore) -> dict[str, bytes]:
    """Return all keys and values on disk."""
    with store.snapshot() as snapshot:
        return {key.decode(): value for key, value in snapshot.scan(b"")}


def keys_of(store: LmdbStore, prefix: str) -> list[str]:
    """The keys that begin with `prefix`."""
    return [key for key in dump(store) if key.startswith(prefix)]


async def is_journaled(store: LmdbStore) -> None:
    """Wait until streamed text is on disk."""
    await wait_until_async(lambda: keys_of(store, "journal:"))


def child_of(parent: PipelineRun, number: int, step: str) -> PipelineRun:
    """A branch of `parent` at `step`, with the number."""
    names = parent.step_names
    index = names.index(step)
    shared = parent.steps[step]
    steps = {name: parent.steps[name] for name in names[:index]}
    steps[step] = StepState(
        step_name=step,
        status=StepStatus.RUNNING,
        started_at=at(number),
        ai_responses=shared.ai_responses,
        calls=shared.calls,
    )
    steps |= {name: StepState(step_name=name) for name in names[index + 1 :]}
    return parent.evolve(
        pipeline_run_id=an_id(number),
        parent_pipeline_run_id=parent.pipeline_run_id,
        branch_point=step,
        created_at=at(number),
        updated_at=at(number),
        status=PipelineStatus.RUNNING,
        current_step=step,
        steps=steps,
    )


def branched(child: PipelineRun) -> RunCommit:
    """Return the decision that creates a branch."""
    event = e.RunBranched(at=child.created_at, run=child)
    return RunCommit(run=child, events=(event,), expected_seq=0)


async def finished(
    store: LmdbStore, number: int, answers: int, size: int
) -> PipelineRun:
    """A completed run with that many answers per step, of that many bytes each."""
    run = await put(store, a_run(number, uri="file:///notes/bees.md"))
    for index in range(len(samples.STEPS)):
        ids = [number * 1000 + index * 100 + n for n in range(answers)]
        await ask(store, run.pipeline_run_id, *ids)
        for i in ids:
            text = f"{i:08d}" * (size // 8)
            await receive(store, run.pipeline_run_id, answer(i, text))
        run = await select(store, run.pipeline_run_id)
    return run


# What is written


@pytest.mark.rule("key-1..13", "more-key-2")
async def test_the_keys_are_the_data_models(lmdb_store: LmdbStore) -> None:
    """Literally, with the element of a list as the key's tail."""
    configuration, primer = samples.configuration(), samples.primer()
    run = a_run(1, primer=samples.pinned(primer))
    await lmdb_store.commit(
        RunCommit(
            run=run,
            events=samples.started(run).events,
            expected_seq=0,
            configuration=configuration,
            primer=primer,
            session=samples.session(900),
        )
    )
    run_id = run.pipeline_run_id
    await ask(lmdb_store, run_id, 11)
    lmdb_store.append_journal(run_id, an_id(11), "So")
    await is_journaled(lmdb_store)
    streaming = set(dump(lmdb_store))
    await receive(lmdb_store, run_id, answer(11, "Short."))
    after = await select(lmdb_store, run_id)
    await lmdb_store.commit(branched(child_of(after, 2, "angles")))
    time, time2 = "2026-03-01T09:30:01.000000Z", "2026-03-01T09:30:02.000000Z"
    config = configuration.configuration_id
    texts = {run.user_inputs["source_material"], answer(11).prompt_used}
    texts |= {run.primer.text if run.primer else ""}
    assert {key for key in dump(lmdb_store) if not key.startswith("change:")} == {
        "meta:schema",
        f"config:{config}",
        *(f"text:{hashlib.sha256(text.encode()).hexdigest()}" for text in texts),
        "primer:tech-journalist",
        f"primer:tech-journalist:{primer.version}",
        f"primer_usage:tech-journalist:{time}:{run_id}",
        f"session:{an_id(900)}",
        f"active_sessions:local:{an_id(900)}",
        f"response:{an_id(11)}",
        f"usage:{time}:{an_id(11)}",
        f"branch_parent:{an_id(2)}",
        f"branch_children:{run_id}:{an_id(2)}",
        *(
            key
            for i, t, seqs in ((run_id, time, 6), (an_id(2), time2, 1))
            for key in (
                f"run:{i}",
                f"run_by_config:{config}:{t}:{i}",
                f"recent_runs:local:{t}:{i}",
                *(f"step:{i}:{step}" for step in samples.STEPS),
                f"step_responses:{i}:angles:0000:{an_id(11)}",
                *(f"event:{i}:{seq:010d}" for seq in range(1, seqs + 1)),
            )
        ),
    }
    assert f"streaming:{run_id}" in streaming
    assert f"journal:{run_id}:{an_id(11)}:0000000000" in streaming


@pytest.mark.rule("ser-2")
async def test_a_long_text_is_stored_once(lmdb_store: LmdbStore) -> None:
    """With any number of answers and events that have it."""
    run = await put(lmdb_store, a_run())
    prompt = answer(1).prompt_used.encode()
    await ask(lmdb_store, run.pipeline_run_id, *range(11, 21))
    for number in range(11, 21):
        text = "The same answer. " * 40
        await receive(lmdb_store, run.pipeline_run_id, answer(number, text))
    values = b"".join(dump(lmdb_store).values())
    assert values.count(prompt) == 1
    assert values.count(b"The same answer. " * 40) == 1
    assert b"The same answer. " not in values.replace(b"The same answer. " * 40, b"")


async def test_stored_bytes_are_close_to_the_unique_texts(
    lmdb_store: LmdbStore,
) -> None:
    """At most 1.5 times, for a run of the size of an article."""
    run = await finished(lmdb_store, 1, answers=2, size=6000)
    responses = [r for step in run.steps.values() for r in step.ai_responses]
    texts = {text for r in responses for text in (r.prompt_used, r.raw_output)}
    texts |= {run.document.text, run.primer.text if run.primer else ""}
    unique = sum(len(text.encode()) for text in texts)
    stored = sum(len(key) + len(value) for key, value in dump(lmdb_store).items())
    assert stored <= 1.5 * unique


async def test_only_what_changed_is_written(lmdb_store: LmdbStore) -> None:
    """A choice writes its events, its step and the run."""
    run = await put(lmdb_store, a_run())
    await ask(lmdb_store, run.pipeline_run_id, 11)
    await receive(lmdb_store, run.pipeline_run_id, answer(11, "x" * 100_000))
    before = dump(lmdb_store)
    written, size = lmdb_store.counters.keys_written, lmdb_store.counters.bytes_written
    await select(lmdb_store, run.pipeline_run_id)
    after = dump(lmdb_store)
    changed = {key.split(":")[0] for key in after if before.get(key) != after[key]}
    assert changed == {"event", "step", "run", "change"}
    assert lmdb_store.counters.keys_written - written == 5
    assert lmdb_store.counters.bytes_written - size < 2500


# Branches


@pytest.mark.rule("verb-25")
@pytest.mark.parametrize(("answers", "size"), [(3, 900_000), (8, 320_000)])
async def test_a_branch_of_ten_megabytes_writes_under_8_kb(
    lmdb_store: LmdbStore, answers: int, size: int
) -> None:
    """It refers to the earlier steps; no text is copied."""
    run = await finished(lmdb_store, 1, answers, size)
    responses = [r for step in run.steps.values() for r in step.ai_responses]
    assert sum(len(r.raw_output) for r in responses) > 10_000_000
    before, counted = dump(lmdb_store), lmdb_store.counters.bytes_written
    child = child_of(run, 2, "polish")
    await lmdb_store.commit(branched(child))
    after = dump(lmdb_store)
    new = {key: value for key, value in after.items() if before.get(key) != value}
    written = sum(len(key) + len(value) for key, value in new.items())
    assert written == lmdb_store.counters.bytes_written - counted
    assert written < 8192
    stored = lmdb_store.get_run(child.pipeline_run_id)
    assert stored is not None
    assert stored.run == child


@pytest.mark.rule("verb-25")
async def test_the_last_of_a_thousand_branches_opens_like_the_first(
    lmdb_store: LmdbStore, tmp_path: Path
) -> None:
    """The same number of keys is read at any depth."""
    run = first = await finished(lmdb_store, 1, answers=2, size=400)
    decisions = []
    for number in range(2, 1002):
        run = child_of(run, number, "polish")
        decisions.append(branched(run))
    await asyncio.gather(*(lmdb_store.commit(decision) for decision in decisions))
    reads = [
        _reads_to_open(tmp_path, opened.pipeline_run_id) for opened in (first, run)
    ]
    assert reads[1] <= reads[0]


def _reads_to_open(tmp_path: Path, run_id: UUID) -> int:
    """Return the number of keys that a new store reads."""
    store = LmdbStore.open(tmp_path / ".writeit" / "store")
    before = store.counters.keys_read
    assert store.get_run(run_id) is not None
    store.close()
    return store.counters.keys_read - before


# Deleting


async def test_deleted_runs_leave_only_usage_and_texts(
    lmdb_store: LmdbStore, tmp_path: Path
) -> None:
    """The texts are kept until the store is compacted."""
    configuration, primer = samples.configuration(), samples.primer()
    started = samples.started(a_run(5, uri="file:///b.md"))
    await lmdb_store.commit(
        replace(started, configuration=configuration, primer=primer)
    )
    run = await finished(lmdb_store, 1, answers=2, size=4000)
    for number in range(2, 4):
        await lmdb_store.commit(branched(child_of(run, number, "draft")))
    for number in (1, 3, 2, 5):
        await lmdb_store.delete_run(an_id(number))
    assert lmdb_store.list_runs(RunQuery()).runs == []
    kinds = {key.partition(":")[0] for key in dump(lmdb_store)}
    assert kinds == {"meta", "config", "primer", "text", "usage", "change"}
    assert offline.verify(str(tmp_path / ".writeit" / "store")) == []  # type: ignore[no-untyped-call]


async def test_a_refused_deletion_changes_no_byte(lmdb_store: LmdbStore) -> None:
    """It is refused because answers of a branch stream."""
    run = await finished(lmdb_store, 1, answers=1, size=400)
    await lmdb_store.commit(branched(child_of(run, 2, "draft")))
    again = e.StepRegenerated(at=at(9), step="draft", calls=(samples.call(2000),))
    sent = e.ResponseStarted(
        at=at(9), step="draft", response_id=an_id(2000), model="a/b", prompt="p"
    )
    await samples.go_on(lmdb_store, an_id(2), again, sent)
    before = dump(lmdb_store)
    with pytest.raises(Busy):
        await lmdb_store.delete_run(an_id(1), descendants=True)
    assert dump(lmdb_store) == before


async def test_a_chain_of_tombstones_is_deleted_at_once(lmdb_store: LmdbStore) -> None:
    """When the last run of the chain is deleted."""
    run = await put(lmdb_store, a_run(1))
    decisions = []
    for number in range(2, 1202):
        run = child_of(run, number, "angles")
        decisions.append(branched(run))
    await asyncio.gather(*(lmdb_store.commit(decision) for decision in decisions))
    await asyncio.gather(*(lmdb_store.delete_run(an_id(n)) for n in range(1, 1201)))
    assert len(keys_of(lmdb_store, "tombstone:")) == 1200
    await lmdb_store.delete_run(an_id(1201))
    assert keys_of(lmdb_store, "tombstone:") == keys_of(lmdb_store, "branch_") == []


# Reading


async def test_only_one_page_is_read(lmdb_store: LmdbStore) -> None:
    """Counted in keys, for the first page and a late one."""
    runs = [a_run(number, uri="file:///a.md") for number in range(1, 301)]
    await asyncio.gather(*(lmdb_store.commit(samples.started(run)) for run in runs))
    for query in (
        RunQuery(limit=10),
        RunQuery(limit=10, older_than=an_id(50)),
        RunQuery(limit=10, uri="file:///a.md"),
        RunQuery(limit=10, pipeline="tech-article"),
    ):
        before = lmdb_store.counters.keys_read
        assert len(lmdb_store.list_runs(query).runs) == 10
        assert lmdb_store.counters.keys_read - before <= 26


async def test_streaming_runs_are_read_from_an_index(lmdb_store: LmdbStore) -> None:
    """Other runs are not read."""
    runs = [a_run(number) for number in range(1, 101)]
    await asyncio.gather(*(lmdb_store.commit(samples.started(run)) for run in runs))
    await ask(lmdb_store, an_id(7), 1007)
    before = lmdb_store.counters.keys_read
    assert lmdb_store.streaming_runs() == [an_id(7)]
    assert lmdb_store.counters.keys_read - before == 1


# The writer thread


async def test_decisions_at_once_share_a_transaction(lmdb_store: LmdbStore) -> None:
    """One fsync for many; a stale decision does not affect the others."""
    runs = [a_run(number) for number in range(1, 101)]
    before = lmdb_store.counters.transactions
    commits = [lmdb_store.commit(samples.started(run)) for run in runs]
    commits.append(lmdb_store.commit(samples.started(runs[50])))
    outcomes = await asyncio.gather(*commits, return_exceptions=True)
    assert outcomes[:100] == [1] * 100
    assert isinstance(outcomes[100], Exception)
    assert lmdb_store.counters.nested_transactions >= 100
    assert lmdb_store.counters.transactions - before < 25


async def test_a_cancelled_caller_does_not_undo_a_decision(
    lmdb_store: LmdbStore,
) -> None:
    """A decision that was submitted is written."""
    task = asyncio.create_task(lmdb_store.commit(samples.started(a_run())))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await wait_until_async(lambda: lmdb_store.get_run(an_id(1)))


async def test_streamed_text_is_on_disk_in_50_ms(lmdb_store: LmdbStore) -> None:
    """In few transactions, with any number of deltas.

    In one of twenty tries: the machine may be busy, the way may not be longer.
    """
    run = await put(lmdb_store, a_run())
    await ask(lmdb_store, run.pipeline_run_id, 11)
    for words in range(20, 420, 20):
        before, began = lmdb_store.counters.transactions, monotonic()
        for _ in range(20):
            lmdb_store.append_journal(run.pipeline_run_id, an_id(11), "word ")
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        pieces = [v for k, v in dump(lmdb_store).items() if k.startswith("journal:")]
        made = lmdb_store.counters.transactions - before
        assert made <= (monotonic() - began) / JOURNAL_DELAY + 2
        if b"".join(map(strip_text_checksum, pieces)) == b"word " * words:
            return
    pytest.fail("it always took longer")


async def test_closing_writes_what_is_pending(tmp_path: Path) -> None:
    """Also the text of the last milliseconds."""
    store = LmdbStore.open(tmp_path / "store")
    run = await put(store, a_run())
    await ask(store, run.pipeline_run_id, 11)
    store.append_journal(run.pipeline_run_id, an_id(11), "last words")
    store.close()
    store.close()
    again = LmdbStore.open(tmp_path / "store")
    stored = again.get_run(run.pipeline_run_id)
    assert stored is not None
    assert stored.run.steps["angles"].streaming[0].text == "last words"
    again.close()
    with pytest.raises(StoreError):
        await store.commit(samples.started(a_run(2)))


async def test_a_journal_leaves_nothing_behind(lmdb_store: LmdbStore) -> None:
    """Neither text nor index after the answers ended."""
    run = await put(lmdb_store, a_run())
    await ask(lmdb_store, run.pipeline_run_id, 11, 12)
    for number in (11, 12):
        lmdb_store.append_journal(run.pipeline_run_id, an_id(number), "text")
    await is_journaled(lmdb_store)
    lmdb_store.append_journal(run.pipeline_run_id, an_id(11), "more")
    for number in (11, 12):
        await receive(lmdb_store, run.pipeline_run_id, answer(number))
    await asyncio.sleep(0.1)
    assert keys_of(lmdb_store, "journal:") == []
    assert keys_of(lmdb_store, "streaming:") == []


# Sharing and limits


async def test_a_folder_is_opened_once_in_a_process(tmp_path: Path) -> None:
    """Opening it again shares it, also by another path."""
    (tmp_path / "link").symlink_to(tmp_path / "real")
    one = LmdbStore.open(tmp_path / "real")
    two = LmdbStore.open(tmp_path / "link")
    await put(one, a_run())
    one.close()
    assert two.get_run(an_id(1)) is not None
    await put(two, a_run(2))
    two.close()
    three = LmdbStore.open(tmp_path / "real")
    assert len(three.list_runs(RunQuery()).runs) == 2
    three.close()


async def test_a_full_map_grows(tmp_path: Path) -> None:
    """As often as needed, without an error."""
    store = LmdbStore.open(tmp_path / "store", map_size=1 << 16)
    run = await put(store, a_run())
    await ask(store, run.pipeline_run_id, *range(11, 16))
    for number in range(11, 16):
        text = f"{number}" * 100_000
        after = await receive(store, run.pipeline_run_id, answer(number, text))
    stored = store.get_run(run.pipeline_run_id)
    assert stored is not None
    assert stored.run == after
    assert store.counters.map_growths >= 4
    store.close()


async def test_a_name_too_long_for_a_key_is_refused(lmdb_store: LmdbStore) -> None:
    """With a typed error, and nothing is written."""
    before = dump(lmdb_store)
    with pytest.raises(InvalidParams, match="too long"):
        await lmdb_store.save_session(samples.session(user_id="u" * 600))
    with pytest.raises(InvalidParams, match="too long"):
        await put(lmdb_store, a_run(configuration_id="c" * 600))
    assert dump(lmdb_store) == before


async def test_colons_in_names_are_quoted(lmdb_store: LmdbStore) -> None:
    """So keys stay unambiguous."""
    run = await put(lmdb_store, a_run(configuration_id="a:b%:c@1", uri="x:" * 400))
    assert [
        r.run_id for r in lmdb_store.list_runs(RunQuery(pipeline="a:b%:c")).runs
    ] == [run.pipeline_run_id]
    assert lmdb_store.list_runs(RunQuery(pipeline="a")).runs == []


def test_git_ignores_the_store(lmdb_store: LmdbStore, tmp_path: Path) -> None:
    """The folder has its own .gitignore."""
    assert lmdb_store.streaming_runs() == []
    assert (tmp_path / ".writeit" / ".gitignore").read_text() == "*\n"
