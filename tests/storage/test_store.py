"""The port `Store`, on a store that exists and on one that is created later."""

import asyncio
from dataclasses import replace

import pytest

from storage import samples
from storage.samples import a_run, an_id, answer, ask, at, go_on, put, receive, select
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import InvalidExport
from writeit.domain.operations import generate
from writeit.domain.run import PipelineRun, PipelineStatus, StepState, StepStatus
from writeit.domain.session import UserPreferences
from writeit.ports.store import (
    Lease,
    RunCommit,
    RunQuery,
    StaleCommit,
    Store,
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
