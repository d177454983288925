"""The list of runs: its order, pages, filters and summaries; usage by time."""

from dataclasses import replace

import pytest

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, go_on, put, receive, select
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import NotFound
from writeit.domain.operations import select as deciding
from writeit.domain.run import PipelineStatus
from writeit.ports.store import (
    RunQuery,
    Store,
)

# The list of runs


async def listed(store: Store, query: RunQuery) -> list[int]:
    """Return the numbers of all matching runs, from all pages."""
    numbers: list[int] = []
    while True:
        page = store.list_runs(query)
        assert len(page.runs) <= query.limit
        numbers += [run.run_id.int & 0xFFFF for run in page.runs]
        if page.next_older_than is None:
            return numbers
        query = replace(query, older_than=page.next_older_than)


@pytest.mark.parametrize("limit", [1, 2, 3, 50])
async def test_runs_are_listed_newest_first(store: Store, limit: int) -> None:
    """In any order of writing, and with any page size."""
    for number in (3, 1, 5, 2, 4):
        await put(store, a_run(number))
    assert await listed(store, RunQuery(limit=limit)) == [5, 4, 3, 2, 1]


async def test_runs_of_the_same_time_are_listed_once_each(store: Store) -> None:
    """They are sorted by id."""
    for number in (2, 3, 1):
        await put(store, a_run(number, created_at=at(0), updated_at=at(0)))
    assert await listed(store, RunQuery(limit=1)) == [3, 2, 1]


async def test_the_list_is_filtered(store: Store) -> None:
    """By status, pipeline, document and text, alone and combined."""
    other = samples.configuration("blog-post")
    again = samples.configuration(hint="another edition")
    await put(store, a_run(1, uri="file:///a.md"))
    await put(store, a_run(2, configuration_id=other.configuration_id, name="Honey"))
    await put(store, a_run(3, configuration_id=again.configuration_id))
    await put(store, a_run(4, uri="file:///a.md", name="honey too"))
    await go_on(store, an_id(3), e.RunFailed(at=at(9), message="host died"))
    initializing, error = PipelineStatus.INITIALIZING, PipelineStatus.ERROR
    wanted = [
        (RunQuery(), [4, 3, 2, 1]),
        (RunQuery(status=error), [3]),
        (RunQuery(status=PipelineStatus.COMPLETED), []),
        (RunQuery(pipeline="tech-article"), [4, 3, 1]),
        (RunQuery(pipeline="tech"), []),
        (RunQuery(pipeline="tech-article", status=initializing), [4, 1]),
        (RunQuery(uri="file:///a.md"), [4, 1]),
        (RunQuery(text="HONEY"), [4, 2]),
        (RunQuery(text="bees DANCE"), [4, 3, 2, 1]),
        (RunQuery(text="honey", uri="file:///a.md"), [4]),
    ]
    for query, numbers in wanted:
        for limit in (1, 2, 50):
            assert await listed(store, replace(query, limit=limit)) == numbers, query


@pytest.mark.rule("key-14")
async def test_runs_are_listed_as_completed_until_regenerated(store: Store) -> None:
    """Regenerating the last step removes the run from the list."""
    run = await put(store, a_run())
    run_id = run.pipeline_run_id
    for number, step in enumerate(samples.STEPS, 11):
        assert await listed(store, RunQuery(status=PipelineStatus.COMPLETED)) == []
        await ask(store, run_id, number)
        await receive(store, run_id, answer(number))
        after = await select(store, run_id)
        assert after.steps[step].user_selection == 0
    assert after.status is PipelineStatus.COMPLETED
    assert await listed(store, RunQuery(status=PipelineStatus.COMPLETED)) == [1]
    again = e.StepRegenerated(
        at=after.updated_at, step="polish", calls=(samples.call(20),)
    )
    await go_on(store, run_id, again)
    assert await listed(store, RunQuery(status=PipelineStatus.COMPLETED)) == []
    assert await listed(store, RunQuery(status=PipelineStatus.RUNNING)) == [1]


async def test_the_list_has_the_summary_of_each_run(store: Store) -> None:
    """Without reading the run."""
    run = await put(store, a_run(name="Bees", uri="file:///a.md"))
    await ask(store, run.pipeline_run_id, 11)
    after = await receive(store, run.pipeline_run_id, answer(11))
    (line,) = store.list_runs(RunQuery()).runs
    assert line.run_id == run.pipeline_run_id
    assert (line.name, line.title) == ("Bees", "Why bees dance")
    assert (line.pipeline, line.uri) == ("tech-article", "file:///a.md")
    assert (line.status, line.current_step) == (PipelineStatus.RUNNING, "angles")
    assert (line.parent_run_id, line.branch_point) == (None, None)
    assert (line.created_at, line.updated_at) == (run.created_at, after.updated_at)
    assert line.cost_usd == 0.25


async def test_an_unknown_cursor_is_refused(store: Store) -> None:
    """A cursor is the id of a run."""
    with pytest.raises(NotFound):
        store.list_runs(RunQuery(older_than=an_id(404)))


@pytest.mark.rule("key-14")
async def test_completed_runs_are_listed_by_completion(store: Store) -> None:
    """The one that was completed last comes first, page by page."""
    runs = [await put(store, a_run(number)) for number in (1, 2, 3)]
    for moment, run in enumerate((runs[1], runs[2], runs[0]), 50):
        skipped: tuple[e.Event, ...] = ()
        for name in run.steps:
            now = state_machine.replay(skipped, run)
            skipped += deciding.skip_step(now, now.steps[name], at(moment))
        await store.commit(samples.decision(run, 1, *skipped))
    query = RunQuery(status=PipelineStatus.COMPLETED, limit=2)
    page = store.list_runs(query)
    assert [summary.run_id for summary in page.runs] == [an_id(1), an_id(3)]
    page = store.list_runs(replace(query, older_than=page.next_older_than))
    assert [summary.run_id for summary in page.runs] == [an_id(2)]


async def test_usage_is_read_since_a_time(store: Store) -> None:
    """Oldest first."""
    for number in (3, 1, 2):
        await put(store, a_run(number))
        await ask(store, an_id(number), number + 1000)
        await receive(store, an_id(number), answer(number + 1000))
    assert [used.at for used in store.usage_records()] == [at(1), at(2), at(3)]
    assert [used.at for used in store.usage_records(at(2))] == [at(2), at(3)]
    assert list(store.usage_records(at(4))) == []


async def test_a_run_is_found_by_a_document_it_was_applied_to(store: Store) -> None:
    """So a new article leads to its run."""
    run = await put(store, a_run(uri="file:///notes/bees.md"))
    await ask(store, run.pipeline_run_id, 11)
    await receive(store, run.pipeline_run_id, answer(11, "x"))
    await select(store, run.pipeline_run_id)
    article = "file:///notes/bees.article.md"
    assert store.list_runs(RunQuery(uri=article)).runs == []
    applied = e.TextApplied(
        at=at(9), step="angles", uri=article, mode="new_file", replaced="", text="x"
    )
    await go_on(store, run.pipeline_run_id, applied)
    for uri in (article, "file:///notes/bees.md"):
        (found,) = store.list_runs(RunQuery(uri=uri)).runs
        assert found.run_id == run.pipeline_run_id
        assert found.documents == ("file:///notes/bees.md", article)
    await go_on(
        store,
        run.pipeline_run_id,
        e.TextRestored(at=at(10), step="angles", uri=article),
    )
    assert store.list_runs(RunQuery(uri=article)).runs == []
