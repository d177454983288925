"""Where an imported run may reach, and what happens where it is known already."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from export.dossiers import PINNED, finished
from export.keeping import engine_on, new_store
from storage.samples import an_id
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.errors import InvalidExport
from writeit.domain.operations import select
from writeit.domain.run import PipelineStatus
from writeit.domain.run_bundle import RunBundle, with_uris
from writeit.engine.engine import Engine
from writeit.engine.transfer import build_bundle, import_run
from writeit.export.bundle_reader import read_export
from writeit.export.bundle_writer import compute_checksum
from writeit.export.render import export_run
from writeit.ports.store import RunQuery
from writeit.storage.maintenance import LmdbMaintenance


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[Engine]:
    """An engine on a new store in a folder."""
    store = new_store(tmp_path)
    yield engine_on(store, tmp_path)
    store.close()


def at(uri: str) -> RunBundle:
    """A finished run of a document, which its text was applied to."""
    dossier = finished()
    event = e.TextApplied(
        at=dossier.run.updated_at,
        step="polish",
        uri=uri,
        mode="replace",
        replaced="old",
        text="new",
    )
    began, *rest = dossier.events or ()
    assert began.type == "run_started"
    begun = began.evolve(run=began.run.evolve(uri=uri))
    place = {"uri": uri, "step": "polish", "at": event.at, "mode": "replace"}
    return replace(
        dossier,
        run=dossier.run.evolve(uri=uri, applied=(place,)),
        events=(begun, *rest, event),
    )


async def test_a_document_of_the_workspace_is_found_again_elsewhere(
    engine: Engine, tmp_path: Path
) -> None:
    """On another machine the workspace is another folder."""
    run = await import_run(engine, at("workspace:/a%20b/notes.md"), tmp_path)
    assert run.uri == f"{tmp_path.as_uri()}/a%20b/notes.md"
    assert [place.uri for place in run.applied] == [run.uri]
    out = await build_bundle(engine, run.pipeline_run_id, tmp_path)
    assert out == at("workspace:/a%20b/notes.md")


@pytest.mark.parametrize(
    "uri",
    [
        "file:///etc/passwd",
        "file:///home/other/notes.md",
        "FILE:///etc/passwd",
        "file://server/share/notes.md",
        "workspace:/../../etc/passwd",
        "workspace:/a/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "workspace://etc/passwd/../../../x",
        "file:/etc/passwd",
        " file:///etc/passwd",
        "fi\nle:///etc/passwd",
        "\x01file:///etc/passwd",
        "file://[/etc/passwd",
        " workspace:/notes.md",
    ],
)
async def test_no_document_outside_can_be_reached(
    engine: Engine, tmp_path: Path, uri: str
) -> None:
    """It stays in the history, under a name that nothing opens."""
    run = await import_run(engine, at(uri), tmp_path)
    inside = f"{tmp_path.as_uri()}/"
    for found in (run.uri, *(place.uri for place in run.applied)):
        assert found is not None
        assert found.startswith(("elsewhere:", inside))
        assert ".." not in found or found.startswith("elsewhere:")
    events = engine.store.events(run.pipeline_run_id)
    assert isinstance(events[-1], e.TextApplied)
    assert events[-1].uri == run.uri


async def test_a_link_leads_nobody_outside(engine: Engine, tmp_path: Path) -> None:
    """Wherever in the workspace it is."""
    (tmp_path / "way").symlink_to("/etc")
    run = await import_run(engine, at("workspace:/way/passwd"), tmp_path)
    assert run.uri == "elsewhere:/way/passwd"


async def test_a_document_that_is_no_file_is_left_as_it_is(
    engine: Engine, tmp_path: Path
) -> None:
    """Only an editor that has it open knows it."""
    run = await import_run(engine, at("untitled:Untitled-1"), tmp_path)
    assert run.uri == "untitled:Untitled-1"


async def test_ids_of_another_form_are_taken_as_they_stand(tmp_path: Path) -> None:
    """Whatever they are hashes of; the checksum says that nobody changed them."""
    old = finished()
    text = export_run(old, "json", "0")
    text = text.replace(old.configuration.configuration_id, "tech-article@form-2")
    text = text.replace(PINNED.version, "form-2")
    data = json.loads(text)
    data["checksum"] = compute_checksum(data)
    store = new_store(tmp_path)
    engine = engine_on(store, tmp_path)
    run = await import_run(engine, read_export(json.dumps(data)), tmp_path)
    assert store.configuration("tech-article@form-2") == old.configuration
    assert store.primer(PINNED.primer_id, "form-2") is not None
    assert (await LmdbMaintenance(store).verify()).problems == []
    again = await build_bundle(engine, run.pipeline_run_id, tmp_path)
    assert json.loads(export_run(again, "json", "0")) == data
    store.close()


async def test_a_run_that_is_here_is_not_imported_again(
    engine: Engine, tmp_path: Path
) -> None:
    """Nor is one whose file knows less; nothing changes."""
    dossier = finished()
    await import_run(engine, dossier, tmp_path)
    before = engine.store.get_run(dossier.run.pipeline_run_id)
    events = dossier.events or ()
    for known in (
        dossier,
        replace(dossier, events=None),
        replace(dossier, events=events[:3]),
    ):
        with pytest.raises(InvalidExport) as refused:
            await import_run(engine, known, tmp_path)
        assert refused.value.reason == "conflict"
        assert "already" in refused.value.message
        assert str(dossier.run.pipeline_run_id) in refused.value.hint
    assert engine.store.get_run(dossier.run.pipeline_run_id) == before


async def test_a_run_that_went_on_elsewhere_goes_on_here(
    engine: Engine, tmp_path: Path
) -> None:
    """Its history begins with all that is known here: what is new is added."""
    dossier = finished()
    events = dossier.events or ()
    assert events[0].type == "run_started"
    young = replace(dossier, run=events[0].run, events=events[:1])
    await import_run(engine, young, tmp_path)
    run = await import_run(engine, dossier, tmp_path)
    assert run == dossier.run
    assert tuple(engine.store.events(run.pipeline_run_id)) == events


async def test_a_run_that_went_another_way_is_refused(
    engine: Engine, tmp_path: Path
) -> None:
    """Neither history is lost, and nothing is mixed."""
    dossier = finished()
    events = dossier.events or ()
    assert events[0].type == "run_started"
    await import_run(
        engine, replace(dossier, run=events[0].run, events=events[:1]), tmp_path
    )
    run = await engine.execute(
        dossier.run.pipeline_run_id,
        lambda run, at: select.skip_step(run, run.steps["angles"], at),
    )
    with pytest.raises(InvalidExport, match="has changed since"):
        await import_run(engine, dossier, tmp_path)
    assert await engine.load_run(run.pipeline_run_id) == run


async def test_without_its_history_a_run_begins_as_it_is(
    engine: Engine, tmp_path: Path
) -> None:
    """It can go on, be shown, branched and exported like any other."""
    dossier = replace(finished(), events=None)
    run = await import_run(engine, dossier, tmp_path)
    assert run == dossier.run
    out = await build_bundle(engine, run.pipeline_run_id, tmp_path, history=False)
    assert out == dossier
    child = await engine.branch_run(run.pipeline_run_id, "outline")
    assert child.steps["outline"].ai_responses == run.steps["outline"].ai_responses


async def test_answers_on_their_way_are_kept_as_far_as_they_came(
    engine: Engine, tmp_path: Path
) -> None:
    """Nobody will finish them, so the run is paused."""
    dossier = finished()
    events = (dossier.events or ())[:3]
    assert events[0].type == "run_started"
    run = state_machine.replay(events)
    step = run.steps["angles"]
    half = tuple(s.evolve(text="Half of it") for s in step.streaming)
    streaming = run.with_step(step.evolve(streaming=half))
    brought = await import_run(
        engine, replace(dossier, run=streaming, events=events), tmp_path
    )
    assert brought.status is PipelineStatus.PAUSED
    (answer,) = brought.steps["angles"].ai_responses
    assert answer.partial
    assert answer.raw_output == "Half of it"


async def test_answers_of_another_run_are_not_taken(
    engine: Engine, tmp_path: Path
) -> None:
    """They are shared within a family only; deleting one run would take the other's."""
    dossier = replace(finished(), events=None)
    await import_run(engine, dossier, tmp_path)
    thief = replace(dossier, run=dossier.run.evolve(pipeline_run_id=an_id(4242)))
    with pytest.raises(InvalidExport) as refused:
        await import_run(engine, thief, tmp_path)
    assert refused.value.reason == "conflict"
    assert len(engine.store.list_runs(RunQuery()).runs) == 1


async def test_a_deleted_run_comes_back(engine: Engine, tmp_path: Path) -> None:
    """With its children, whose past it is; and what it used counts once."""
    dossier = finished()
    run = await import_run(engine, dossier, tmp_path)
    child = await engine.branch_run(run.pipeline_run_id, "draft")
    used = list(engine.store.usage_records())
    await engine.delete_run(run.pipeline_run_id)
    assert await import_run(engine, dossier, tmp_path) == run
    assert engine.store.children(run.pipeline_run_id) == [child.pipeline_run_id]
    summary = engine.store.summary(run.pipeline_run_id)
    assert summary is not None
    assert not summary.deleted
    assert list(engine.store.usage_records()) == used
    verified = await LmdbMaintenance(engine.store).verify()  # type: ignore[arg-type]  # the real one
    assert verified.problems == []


async def test_a_tombstones_parent_is_not_to_be_changed(
    engine: Engine, tmp_path: Path
) -> None:
    """A family has no second root."""
    run = await import_run(engine, finished(), tmp_path)
    child = await engine.branch_run(run.pipeline_run_id, "draft")
    await engine.branch_run(child.pipeline_run_id, "draft")
    orphan = await build_bundle(engine, child.pipeline_run_id, tmp_path, history=False)
    await engine.delete_run(child.pipeline_run_id)
    alone = orphan.run.evolve(parent_pipeline_run_id=None, branch_point=None)
    with pytest.raises(InvalidExport, match="branched off"):
        await import_run(engine, replace(orphan, run=alone, ancestors=()), tmp_path)


def test_addresses_are_all_that_is_changed() -> None:
    """There and back is nothing."""
    dossier = at("file:///a.md")
    there = with_uris(dossier, lambda uri: uri.replace("file:", "x:"))
    assert there != dossier
    assert with_uris(there, lambda uri: uri.replace("x:", "file:")) == dossier
