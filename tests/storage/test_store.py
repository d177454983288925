"""The port `Store`, on a store that exists and on one that is created later."""

import asyncio
from dataclasses import replace

import pytest

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, go_on, put, receive, select
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import Busy, InvalidExport, NotFound
from writeit.domain.operations import generate
from writeit.domain.operations import select as deciding
from writeit.domain.run import PipelineRun, PipelineStatus, StepState, StepStatus
from writeit.domain.session import UserPreferences
from writeit.ports.store import (
    DeletionCounts,
    Lease,
    RunCommit,
    RunQuery,
    StaleCommit,
    Store,
    UsageRecord,
)


def read(store: Store, run: PipelineRun) -> PipelineRun:
    """Return a run as stored."""
    stored = store.get_run(run.pipeline_run_id)
    assert stored is not None
    return stored.run


@pytest.mark.rule("ser-1")
async def test_a_run_is_read_as_it_was_committed(store: Store) -> None:
    """With every field and the seq of its newest event."""
    run = a_run(uri="file:///notes/bees.md", name="Bees", models={"draft": ("a/b",)})
    assert await store.commit(samples.started(run)) == 1
    stored = store.get_run(run.pipeline_run_id)
    assert stored is not None
    assert (stored.run, stored.seq) == (run, 1)


async def test_a_missing_entity_is_none(store: Store) -> None:
    """Its lists are empty."""
    assert store.get_run(an_id(1)) is None
    assert store.events(an_id(1)) == []
    assert store.session(an_id(1)) is None
    assert store.configuration("x@y") is None
    assert store.primer("x") is None
    assert store.list_runs(RunQuery()).runs == []
    assert store.streaming_runs() == []


async def test_answers_are_in_the_order_they_ended(store: Store) -> None:
    """This is the index of a response."""
    run = await put(store, a_run())
    await ask(store, run.pipeline_run_id, 11, 12, 13)
    for number in (13, 11, 12):
        after = await receive(store, run.pipeline_run_id, answer(number, f" {number} "))
    assert read(store, run) == after
    ids = [r.response_id for r in after.steps["angles"].ai_responses]
    assert ids == [an_id(13), an_id(11), an_id(12)]


async def test_events_replay_to_the_stored_run(store: Store) -> None:
    """The entities can be rebuilt from the events."""
    run = await put(store, a_run())
    await ask(store, run.pipeline_run_id, 11)
    await receive(store, run.pipeline_run_id, answer(11, "x" * 500))
    after = await select(store, run.pipeline_run_id)
    assert state_machine.replay(store.events(run.pipeline_run_id)) == after
    assert read(store, run) == after


async def test_a_stale_decision_is_refused_and_changes_nothing(store: Store) -> None:
    """The caller reads the run and decides again."""
    run = await put(store, a_run())
    before = store.get_run(run.pipeline_run_id)
    event = e.RunFailed(at=at(9), message="late")
    late = RunCommit(
        run=state_machine.apply_event(run, event), events=(event,), expected_seq=0
    )
    with pytest.raises(StaleCommit):
        await store.commit(late)
    assert store.get_run(run.pipeline_run_id) == before
    assert len(store.events(run.pipeline_run_id)) == 1


async def test_a_decision_without_events_is_refused(store: Store) -> None:
    """The seq of a run counts all its events."""
    with pytest.raises(ValueError, match="without events"):
        await store.commit(RunCommit(run=a_run(), events=(), expected_seq=0))
    assert store.get_run(an_id(1)) is None


@pytest.mark.rule("run-1")
async def test_a_run_id_is_given_once(store: Store) -> None:
    """Pipeline run ID must be unique across all users."""
    await put(store, a_run())
    with pytest.raises(StaleCommit):
        await put(store, a_run(name="another"))


async def test_of_several_decisions_at_once_one_is_written(store: Store) -> None:
    """The others are stale, in any order."""
    run = await put(store, a_run())
    event = e.RunFailed(at=at(9), message="once")
    decisions = [samples.decision(run, 1, event) for _ in range(5)]
    outcomes = await asyncio.gather(
        *(store.commit(decision) for decision in decisions), return_exceptions=True
    )
    assert outcomes[0] == 2
    assert all(isinstance(outcome, StaleCommit) for outcome in outcomes[1:])
    assert len(store.events(run.pipeline_run_id)) == 2


@pytest.mark.rule("settled-20")
async def test_a_score_belongs_to_the_run(store: Store) -> None:
    """The answer is unchanged, and a branch that shares it has its own score."""
    parent = await put(store, a_run(1))
    await ask(store, parent.pipeline_run_id, 11)
    after = await receive(store, parent.pipeline_run_id, answer(11, quality_score=0.25))
    step = after.steps["angles"].evolve(ratings={an_id(11): 0.75})
    child = after.evolve(
        pipeline_run_id=an_id(2),
        parent_pipeline_run_id=parent.pipeline_run_id,
        branch_point="angles",
        steps={**after.steps, "angles": step},
    )
    event = e.RunBranched(at=at(2), run=child)
    await store.commit(RunCommit(run=child, events=(event,), expected_seq=0))
    assert read(store, child) == child
    assert read(store, parent) == after
    assert store.events(child.pipeline_run_id) == [event]


async def test_a_new_run_may_have_answers_of_unknown_calls(store: Store) -> None:
    """As an imported run does."""
    step = StepState(
        step_name="angles",
        status=StepStatus.RUNNING,
        started_at=at(1),
        ai_responses=(answer(11), answer(12)),
        calls=(samples.call(12),),
    )
    run = a_run()
    run = run.evolve(status=PipelineStatus.RUNNING, steps={**run.steps, "angles": step})
    await put(store, run)
    assert read(store, run) == run
    assert state_machine.replay(store.events(run.pipeline_run_id)) == run


# Streaming


async def test_journaled_text_is_read_while_it_streams(store: Store) -> None:
    """Each answer has its text, before and after it is on disk."""
    run = await put(store, a_run())
    run_id = run.pipeline_run_id
    await ask(store, run_id, 11, 12)
    store.append_journal(run_id, an_id(11), "Bees ")
    store.append_journal(run_id, an_id(11), "dance 🐝.")
    store.append_journal(run_id, an_id(12), "So")
    for _ in range(2):
        texts = [s.text for s in read(store, run).steps["angles"].streaming]
        assert texts == ["Bees dance 🐝.", "So"]
        await asyncio.sleep(0.1)
    store.append_journal(run_id, an_id(12), " what")
    assert read(store, run).steps["angles"].streaming[1].text == "So what"


async def test_the_journal_is_dropped_when_an_answer_ends(store: Store) -> None:
    """Complete, incomplete or failed."""
    run = await put(store, a_run())
    run_id = run.pipeline_run_id
    asked = await ask(store, run_id, 11, 12, 13)
    for number in (11, 12, 13):
        store.append_journal(run_id, an_id(number), "text")
    await receive(store, run_id, answer(11))
    cut = e.ResponseInterrupted(
        at=asked.updated_at, step="angles", response=answer(12), reason="timeout"
    )
    failed = e.ResponseFailed(
        at=asked.updated_at,
        step="angles",
        response_id=an_id(13),
        model="openai/gpt-4o",
        reason="timeout",
        message="too late",
    )
    after = await go_on(store, run_id, cut, failed)
    assert read(store, run) == after
    assert store.streaming_runs() == []


async def test_streamed_text_is_not_part_of_a_decision(store: Store) -> None:
    """The text stays in the journal after a decision on the run."""
    run = await put(store, a_run())
    run_id = run.pipeline_run_id
    await ask(store, run_id, 11, 12)
    store.append_journal(run_id, an_id(12), "So")
    await receive(store, run_id, answer(11))
    store.append_journal(run_id, an_id(12), " what")
    assert read(store, run).steps["angles"].streaming[0].text == "So what"


async def test_streaming_runs_are_listed(store: Store) -> None:
    """From the start of the first answer to the end of the last."""
    first = await put(store, a_run(1))
    await put(store, a_run(2))
    assert store.streaming_runs() == []
    await ask(store, first.pipeline_run_id, 11, 12)
    assert store.streaming_runs() == [first.pipeline_run_id]
    await receive(store, first.pipeline_run_id, answer(11))
    assert store.streaming_runs() == [first.pipeline_run_id]
    await receive(store, first.pipeline_run_id, answer(12))
    assert store.streaming_runs() == []


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


# What a decision writes in addition


async def test_a_configuration_is_stored_with_all_fields(store: Store) -> None:
    """By its id, so an edited file is another configuration."""
    one, two = samples.configuration(), samples.configuration(hint="edited")
    run = a_run()
    started = samples.started(run)
    await store.commit(replace(started, configuration=one))
    assert store.configuration(one.configuration_id) == one
    assert store.configuration(two.configuration_id) is None


async def test_another_configuration_under_the_same_id_is_refused(store: Store) -> None:
    """An import cannot replace a configuration."""
    one, other = samples.configuration(), samples.configuration(hint="edited")
    await store.commit(replace(samples.started(a_run(1)), configuration=other))
    with pytest.raises(InvalidExport) as refused:
        await store.commit(replace(samples.started(a_run(2)), configuration=one))
    assert refused.value.reason == "conflict"
    assert store.get_run(an_id(2)) is None
    assert store.configuration(one.configuration_id) == other


async def test_another_primer_under_the_same_version_is_refused(store: Store) -> None:
    """An import cannot replace a primer."""
    one, other = samples.primer("One."), samples.primer("Other.")
    runs = [a_run(number, primer=samples.pinned(one)) for number in (1, 2)]
    await store.commit(replace(samples.started(runs[0]), primer=other))
    with pytest.raises(InvalidExport):
        await store.commit(replace(samples.started(runs[1]), primer=one))
    kept = store.primer(one.primer_id, one.version)
    assert kept is not None
    assert kept.content == "Other."
    assert store.get_run(an_id(2)) is None


@pytest.mark.rule("primer-t1", "primer-t2", "settled-13", "more-key-1")
async def test_a_primer_has_versions(store: Store) -> None:
    """The one used last is the default; the store has the times of use."""
    old, new = samples.primer("Old."), samples.primer("New.")
    assert store.primer("tech-journalist") is None
    for number, primer in enumerate((old, new, old), 1):
        started = samples.started(a_run(number, primer=samples.pinned(primer)))
        await store.commit(replace(started, primer=primer))
    kept = store.primer("tech-journalist")
    assert kept == old.evolve(created_at=at(1))
    assert store.primer("tech-journalist", new.version) == new.evolve(created_at=at(2))
    assert store.primer("tech-journalist", "unknown") is None
    assert [v.version for v in store.primer_versions("tech-journalist")] == [
        old.version,
        new.version,
    ]
    assert store.primer_versions("unknown") == []


@pytest.mark.rule("primer-t1", "primer-f9")
async def test_a_primer_was_used_last_when_a_prompt_with_it_was_sent(
    store: Store,
) -> None:
    """Also by a branch; a start and a prompt without it do not count."""
    primer = samples.primer("Be dry.")
    run = a_run(1, primer=samples.pinned(primer))
    await store.commit(replace(samples.started(run), primer=primer))

    async def send(run: PipelineRun, seq: int, prompt: str, number: int) -> None:
        call, moment = samples.call(number), at(number)
        await store.commit(
            samples.decision(
                run,
                seq,
                *generate.start_generation(run, run.steps["angles"], [call], moment),
                generate.start_response("angles", call, prompt, moment),
            )
        )

    def last_used() -> object:
        kept = store.primer(primer.primer_id)
        assert kept is not None
        return kept.last_used

    assert last_used() is None
    child = run.evolve(
        pipeline_run_id=an_id(2), parent_pipeline_run_id=an_id(1), branch_point="angles"
    )
    branched = e.RunBranched(at=at(2), run=child)
    await store.commit(RunCommit(run=child, events=(branched,), expected_seq=0))
    await send(run, 1, "Write.", 20)
    assert last_used() is None
    assert run.primer is not None
    await send(child, 1, f"Write.\n\n{run.primer.text}", 30)
    assert last_used() == at(30)


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


async def test_drafts_are_deleted_with_their_run(store: Store) -> None:
    """A draft of a deleted run is refused, so that its words are not lost."""
    await store.commit(samples.started(a_run(1)))
    await store.save_draft(an_id(1), "angles", "merge", "Mine.")
    await store.save_draft(an_id(1), "angles", "feedback", "Shorter.")
    drafts = {"merge": "Mine.", "feedback": "Shorter."}
    assert store.drafts(an_id(1), "angles") == drafts
    await store.delete_run(an_id(1))
    assert store.drafts(an_id(1), "angles") == {}
    with pytest.raises(NotFound):
        await store.save_draft(an_id(1), "angles", "merge", "Mine.")


async def test_a_document_keeps_the_run_that_was_activated_last(store: Store) -> None:
    """Whichever session did it, until the run is deleted."""
    uri = "file:///notes.md"
    assert store.active_run_of(uri) is None
    one, two = a_run(1, uri=uri), a_run(2, uri=uri)
    for run in (one, two):
        await store.commit(replace(samples.started(run), activates=True))
    assert store.active_run_of(uri) == an_id(2)
    await store.save_session(samples.session(), one)
    assert store.active_run_of(uri) == an_id(1)
    await store.delete_run(an_id(1))
    assert store.active_run_of(uri) is None


@pytest.mark.rule("rel-17")
async def test_a_session_is_written_with_a_decision(store: Store) -> None:
    """It is listed as active."""
    session = samples.session()
    started = samples.started(a_run())
    await store.commit(replace(started, session=session))
    assert store.session(session.session_id) == session
    assert store.active_sessions() == [session]


async def test_a_stale_decision_writes_nothing(store: Store) -> None:
    """Neither a configuration, a primer nor a session."""
    run = await put(store, a_run())
    late = RunCommit(
        run=run,
        events=samples.started(run).events,
        expected_seq=0,
        configuration=samples.configuration(),
        primer=samples.primer(),
        session=samples.session(),
    )
    with pytest.raises(StaleCommit):
        await store.commit(late)
    assert store.configuration(samples.configuration().configuration_id) is None
    assert store.primer("tech-journalist") is None
    assert store.active_sessions() == []


@pytest.mark.rule("settled-17")
async def test_an_ended_session_is_kept(store: Store) -> None:
    """It is removed from `active_sessions` only."""
    one, two = samples.session(901), samples.session(902)
    await store.save_session(one)
    await store.save_session(two)
    moved = one.evolve(active_pipeline_run_id=an_id(1), last_activity=at(5))
    await store.save_session(moved)
    assert store.active_sessions() == [moved, two]
    await store.end_session(one.session_id)
    assert store.active_sessions() == [two]
    assert store.session(one.session_id) == moved
    await store.end_session(an_id(404))


async def test_preferences_are_kept(store: Store) -> None:
    """The ones saved last."""
    assert store.preferences() is None
    for theme in ("dark", "light"):
        await store.save_preferences(UserPreferences(theme=theme))
    assert store.preferences() == UserPreferences(theme="light")


# Leases


def a_lease(owner: int, seconds: float = 0) -> Lease:
    """Return a lease of the session with that number."""
    return Lease(
        owner=an_id(owner), pid=owner, process_started=0.5, heartbeat=at(seconds)
    )


async def test_a_lease_is_written_and_removed_with_decisions(store: Store) -> None:
    """Between them every process can read it."""
    run_id = an_id(1)
    taken = replace(samples.started(a_run(1)), lease=a_lease(900))
    await store.commit(taken)
    assert store.lease(run_id) == a_lease(900)
    failed = samples.decision(a_run(1), 1, e.RunFailed(at=at(2), message="host died"))
    await store.commit(replace(failed, release_lease=True))
    assert store.lease(run_id) is None
    assert store.lease(an_id(404)) is None


async def test_only_the_owner_renews_a_lease(store: Store) -> None:
    """A process that lost it cannot renew it."""
    for number in (1, 2):
        await store.commit(
            replace(samples.started(a_run(number)), lease=a_lease(900 + number))
        )
    await store.renew_leases(
        dict.fromkeys([an_id(1), an_id(2), an_id(3)], a_lease(901, 5))
    )
    assert store.lease(an_id(1)) == a_lease(901, 5)
    assert store.lease(an_id(2)) == a_lease(902)
    assert store.lease(an_id(3)) is None


# Branches and deletion


async def branch(store: Store, parent: int, number: int) -> PipelineRun:
    """Return a branch of a stored run at its first step."""
    stored = store.get_run(an_id(parent))
    assert stored is not None
    child = stored.run.evolve(
        pipeline_run_id=an_id(number),
        parent_pipeline_run_id=an_id(parent),
        branch_point="angles",
        created_at=at(number),
        updated_at=at(number),
    )
    event = e.RunBranched(at=child.created_at, run=child)
    await store.commit(RunCommit(run=child, events=(event,), expected_seq=0))
    return child


async def family(store: Store) -> None:
    """Run 1 with an answer, its children 2 and 3, and 4, the child of 2."""
    await put(store, a_run(1, uri="file:///a.md"))
    await ask(store, an_id(1), 1001)
    await receive(store, an_id(1), answer(1001))
    for parent, number in ((1, 2), (1, 3), (2, 4)):
        await branch(store, parent, number)


def living(store: Store) -> list[int]:
    """Return the numbers of the runs that exist."""
    return [run.run_id.int & 0xFFFF for run in store.list_runs(RunQuery()).runs]


async def test_children_are_listed(store: Store) -> None:
    """Oldest first; none for a run without branches."""
    await family(store)
    assert store.children(an_id(1)) == [an_id(2), an_id(3)]
    assert store.children(an_id(2)) == [an_id(4)]
    assert store.children(an_id(4)) == []
    assert store.children(an_id(404)) == []


async def test_a_summary_can_be_read_alone(store: Store) -> None:
    """It is the same as in the list."""
    await family(store)
    lines = store.list_runs(RunQuery()).runs
    assert [store.summary(line.run_id) for line in lines] == lines
    assert store.summary(an_id(404)) is None


async def test_a_deleted_run_without_branches_is_removed(store: Store) -> None:
    """Its answers are kept, because other runs have them."""
    await family(store)
    assert await store.delete_run(an_id(4)) == DeletionCounts(runs=1, responses=0)
    assert living(store) == [3, 2, 1]
    assert store.get_run(an_id(4)) is None
    assert store.events(an_id(4)) == []
    assert store.summary(an_id(4)) is None
    assert store.children(an_id(2)) == []
    for number in (1, 2, 3):
        assert store.get_run(an_id(number)) is not None


async def test_a_deleted_parent_leaves_a_tombstone(store: Store) -> None:
    """Until its last branch is deleted."""
    await family(store)
    before = store.summary(an_id(2))
    assert before is not None
    assert await store.delete_run(an_id(2)) == DeletionCounts(runs=1, responses=0)
    assert living(store) == [4, 3, 1]
    assert store.get_run(an_id(2)) is None
    assert store.summary(an_id(2)) == replace(before, deleted=True)
    assert store.children(an_id(1)) == [an_id(2), an_id(3)]
    assert [r.run_id for r in store.list_runs(RunQuery(older_than=an_id(2))).runs] == [
        an_id(1)
    ]
    with pytest.raises(NotFound):
        await store.delete_run(an_id(2))
    assert await store.delete_run(an_id(4)) == DeletionCounts(runs=1, responses=0)
    assert store.summary(an_id(2)) is None
    assert store.children(an_id(1)) == [an_id(3)]


async def test_answers_are_deleted_with_the_last_run_that_has_them(
    store: Store,
) -> None:
    """Parent or branch."""
    await family(store)
    for number in (1, 2, 3):
        assert await store.delete_run(an_id(number)) == DeletionCounts(
            runs=1, responses=0
        )
    last = store.get_run(an_id(4))
    assert last is not None
    assert last.run.steps["angles"].ai_responses == (answer(1001),)
    assert await store.delete_run(an_id(4)) == DeletionCounts(runs=1, responses=1)
    assert [store.summary(an_id(number)) for number in (1, 2, 3, 4)] == [None] * 4


async def test_a_run_is_deleted_with_its_descendants(store: Store) -> None:
    """Also from a tombstone."""
    await family(store)
    await store.delete_run(an_id(2))
    deleted = await store.delete_run(an_id(2), descendants=True)
    assert deleted == DeletionCounts(runs=1, responses=0)
    assert living(store) == [3, 1]
    deleted = await store.delete_run(an_id(1), descendants=True)
    assert deleted == DeletionCounts(runs=2, responses=1)
    assert living(store) == []


async def test_a_streaming_run_is_not_deleted(store: Store) -> None:
    """Nor are the runs it would be deleted with."""
    await family(store)
    again = e.StepRegenerated(at=at(9), step="angles", calls=(samples.call(2000),))
    sent = e.ResponseStarted(
        at=at(9), step="angles", response_id=an_id(2000), model="a/b", prompt="p"
    )
    await go_on(store, an_id(4), again, sent)
    with pytest.raises(Busy):
        await store.delete_run(an_id(1), descendants=True)
    assert living(store) == [4, 3, 2, 1]
    assert await store.delete_run(an_id(3)) == DeletionCounts(runs=1, responses=0)
    with pytest.raises(NotFound):
        await store.delete_run(an_id(404))


async def test_a_deleted_run_is_removed_from_sessions(store: Store) -> None:
    """Deleting the active run clears active_pipeline_run_id."""
    await family(store)
    one = samples.session(901).evolve(active_pipeline_run_id=an_id(4))
    two = samples.session(902).evolve(active_pipeline_run_id=an_id(1))
    for session in (one, two):
        await store.save_session(session)
    await store.delete_run(an_id(4))
    assert store.session(an_id(901)) == one.evolve(active_pipeline_run_id=None)
    assert store.session(an_id(902)) == two


async def test_a_decision_on_a_deleted_run_is_stale(store: Store) -> None:
    """It is not written again."""
    await family(store)
    stored = store.get_run(an_id(4))
    assert stored is not None
    await store.delete_run(an_id(4))
    failed = e.RunFailed(at=at(9), message="late")
    with pytest.raises(StaleCommit):
        await store.commit(samples.decision(stored.run, stored.seq, failed))
    assert living(store) == [3, 2, 1]


# Usage


async def test_usage_counts_each_answer_once(store: Store) -> None:
    """With any number of runs that share it, also if all are deleted."""
    await family(store)
    (used,) = store.usage_records()
    assert used == UsageRecord(
        at=at(1),
        run_id=an_id(1),
        pipeline="tech-article",
        model="openai/gpt-4o",
        usage=answer(1001).usage_stats,
        seconds=1.5,
    )
    await store.delete_run(an_id(1), descendants=True)
    assert list(store.usage_records()) == [used]


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
