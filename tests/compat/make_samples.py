"""Makes the samples of one format: a store, exports, library files and their ids.

The samples in each `schemaN` were made once; every later WriteIt must read
them. When the store's schema or the format of exports gets a new number, run this with
the code that has it, into a folder of its own, and commit what it writes:

    PYTHONPATH=tests python tests/compat/make_samples.py tests/compat/schema5
"""

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import lmdb

from support.engine_setup import FakeProcesses, TickingClock
from support.scripted_models import ScriptedModels
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.answer import Call
from writeit.domain.document import RunDocument
from writeit.domain.errors import ModelError
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.operations.lifecycle import Events
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import StylePrimer
from writeit.domain.run import Passage, PipelineRun, StepState
from writeit.domain.session import UserPreferences, UserSession
from writeit.engine.engine import Engine
from writeit.engine.precedence import StartRequest
from writeit.engine.requests import GenerateStep, RegenerateStep
from writeit.engine.streaming import RetryPolicy
from writeit.engine.transfer import build_bundle
from writeit.export.render import export_run
from writeit.library.pipelines import read_pipeline, read_primer
from writeit.ports.store import Lease, RunCommit, RunQuery, Store
from writeit.storage.store import LmdbStore

ROOT = Path(__file__).parents[2]
WORKSPACE = Path("/notes")
"""The folder of the sample documents, which need not exist."""
URI = f"{WORKSPACE.as_uri()}/bees.md"
START = datetime(2026, 1, 1, tzinfo=UTC)
VERSION = "0.1.0"
FIRST, SECOND = "openai/first", "anthropic/second"
NOTES = "# Why bees dance\n\nBees tell each other where flowers are. Grüße 🐝\n" * 4
LONG = "An answer long enough to be stored apart from its record.\n\n" * 8


def engine_on(
    store: Store, clock: TickingClock, models: ScriptedModels | None = None
) -> Engine:
    """Return an engine on a store, for which every process is alive."""
    return Engine(
        models=models or ScriptedModels(),
        store=store,
        clock=clock,
        processes=FakeProcesses(),
        session=UserSession(
            session_id=clock.new_id(),
            workspace_path=WORKSPACE,
            created_at=START,
            last_activity=START,
        ),
        retry_policy=RetryPolicy(max_attempts=1, max_wait=0),
    )


class Samples:
    """A store that is filled through the engine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = TickingClock()
        self.models = ScriptedModels()
        self.store = LmdbStore.open(folder / "made")
        self.engine = engine_on(self.store, self.clock, self.models)

    async def start(self, pipeline: str, primer: str, name: str) -> UUID:
        """Start a run of a shipped pipeline, in the style of a shipped primer."""
        configuration = pipelines(self.folder)[f"{pipeline}.yaml"]
        first = configuration.inputs[0].name
        run = await self.engine.start_run(
            StartRequest(
                configuration=configuration,
                inputs={first: NOTES},
                document=RunDocument(
                    text=NOTES,
                    selection="Bees tell each other",
                    before="# Why bees dance\n\n",
                    after=" where flowers are.",
                    title="Why bees dance",
                    path="bees.md",
                    providers=("openai", "anthropic"),
                ),
                primer=primers(self.folder)[f"{primer}.yaml"],
                models={configuration.step_names[0]: (FIRST, SECOND)},
                name=name,
                uri=URI,
            )
        )
        return run.pipeline_run_id

    async def ask(self, run_id: UUID, *models: str) -> None:
        """Generate the current step and wait for the answers."""
        asked = GenerateStep(run_id=run_id, models=models or (FIRST,))
        await self.engine.wait_for_generation(await self.engine.generate(asked))

    async def decide(
        self,
        run_id: UUID,
        verb: Callable[[PipelineRun, StepState, datetime], Events],
        step: str | None = None,
    ) -> PipelineRun:
        """Do an operation on the current step, or on the named one."""
        return await self.engine.execute(
            run_id, lambda run, at: verb(run, run.steps[step or run.current_step], at)
        )

    async def choose(self, run_id: UUID, **words: str) -> None:
        """Generate the current step and choose the first answer."""
        await self.ask(run_id)
        await self.decide(
            run_id, lambda r, s, at: select.select_response(r, s, 0, at, **words)
        )

    async def branch(self, run_id: UUID, step: str, name: str) -> UUID:
        """Branch a run."""
        child = await self.engine.branch_run(run_id, step, name=name)
        return child.pipeline_run_id


async def finished(made: Samples) -> UUID:
    """Make a run with every kind of event, also of applying and restoring its text."""
    run_id = await made.start("tech-article", "tech-journalist", "finished")
    for model in (FIRST, SECOND):
        made.models.script(model, f"\n\n{LONG}", f"By {model}.\n")
    await made.ask(run_id, FIRST, SECOND)
    await made.decide(run_id, lambda r, s, at: select.rate_response(r, s, 1, 0.75, at))
    await made.decide(
        run_id, lambda r, s, at: select.give_feedback(r, s, "Be brief.", at)
    )
    await made.engine.wait_for_generation(
        await made.engine.generate(RegenerateStep(run_id=run_id, feedback="Shorter."))
    )
    await made.decide(
        run_id,
        lambda r, s, at: select.select_response(
            r, s, 2, at, content="My own words.", feedback=LONG
        ),
    )
    await merged(made, run_id)
    await made.choose(run_id)
    await made.choose(run_id, feedback="Nearly there.")
    await put_in_document(made, run_id)
    return run_id


async def merged(made: Samples, run_id: UUID) -> None:
    """Complete the current step with parts of two answers."""
    await made.ask(run_id, FIRST, SECOND)

    def take(run: PipelineRun, step: StepState, at: datetime) -> Events:
        passage = Passage(
            passage_id=made.clock.new_id(),
            response_id=step.ai_responses[0].response_id,
            text=LONG,
        )
        return select.add_passage(run, step, passage, at)

    await made.decide(run_id, take)
    parts = select.MergeSelection(responses=(1,))
    await made.decide(run_id, lambda r, s, at: select.merge_responses(r, s, parts, at))


async def put_in_document(made: Samples, run_id: UUID) -> None:
    """Apply the finished text, restore the document, and apply it to a new file."""

    def put(uri: str, mode: Any) -> Callable[..., Events]:
        return lambda _, step, at: lifecycle.record_applied(
            step.step_name, at, uri=uri, mode=mode, replaced=NOTES, text=LONG
        )

    await made.decide(run_id, put(URI, "replace"))
    await made.decide(
        run_id,
        lambda r, _, at: lifecycle.record_restored(
            lifecycle.find_restorable(r, None), at
        ),
    )
    await made.decide(run_id, put(f"{WORKSPACE.as_uri()}/bees.draft.md", "new_file"))


async def broken(made: Samples) -> None:
    """Make a paused run with an incomplete, a failed and a complete answer."""
    run_id = await made.start("blog-post", "conversational", "partial")
    made.models.script(FIRST, "Half an ans", ModelError("cut", reason="unavailable"))
    made.models.script(SECOND, ModelError("no such key", reason="auth"))
    await made.ask(run_id, FIRST, SECOND, "openai/third")
    await made.engine.pause_run(run_id)


async def streaming(made: Samples) -> None:
    """Make a run with a streaming answer and the lease of its process."""
    run_id = await made.start("research-summary", "academic", "streaming")
    stored = made.store.get_run(run_id)
    assert stored is not None
    run, now = stored.run, made.clock.now()
    call = Call(response_id=made.clock.new_id(), model=FIRST, generation=1)
    step = run.steps[run.current_step]
    asked = generate.start_generation(run, step, [call], now)
    events = (*asked, generate.start_response(step.step_name, call, LONG, now))
    lease = Lease(
        owner=made.engine.session.session_id, pid=1, process_started=0.0, heartbeat=now
    )
    await made.store.commit(
        RunCommit(
            run=state_machine.replay(events, run),
            events=events,
            expected_seq=stored.seq,
            lease=lease,
        )
    )
    made.store.append_journal(run_id, call.response_id, "What has come so far, ")
    made.store.append_journal(run_id, call.response_id, "Grüße 🐝")


async def failed(made: Samples) -> None:
    """Make a run that skipped its first step and then failed."""
    run_id = await made.start("blog-post", "executive", "failed")
    await made.decide(run_id, select.skip_step)
    await made.engine.execute(
        run_id, lambda _, at: (e.RunFailed(at=at, message="The host is gone."),)
    )


async def fill(made: Samples) -> None:
    """Write runs in every state, a deleted parent, preferences and a session."""
    await made.start("continue-passage", "executive", "new")
    await made.engine.save_preferences(
        UserPreferences(
            default_models={"draft": FIRST},
            style_primer="academic",
            keyboard_shortcuts={"writeit.run.start": "Ctrl+Alt+W"},
            max_concurrent_pipelines=5,
            export_format="json",
        )
    )
    parent = await finished(made)
    await made.branch(parent, "draft", "branch")
    grave = await made.branch(parent, "outline", "deleted")
    child = await made.branch(grave, "outline", "branch of a deleted run")
    await made.decide(child, lambda r, s, at: select.select_response(r, s, 0, at))
    await made.engine.delete_run(grave)
    polish = await made.start("polish-passage", "conversational", "polish")
    await made.choose(polish)
    await broken(made)
    await failed(made)
    await streaming(made)


def pipelines(folder: Path) -> dict[str, PipelineConfiguration]:
    """Return the pipelines of the samples, by file name."""
    found = {}
    for path in sorted((folder / "pipelines").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        pipeline, problems = read_pipeline(text, path.as_uri(), created=START)
        assert pipeline is not None, problems
        found[path.name] = pipeline
    return found


def primers(folder: Path) -> dict[str, StylePrimer]:
    """Return the primers of the samples, by file name."""
    found = {}
    for path in sorted((folder / "primers").glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        primer, problems = read_primer(text, path.as_uri(), default_id=path.stem)
        assert primer is not None, problems
        found[path.name] = primer
    return found


async def exports(store: Store, engine: Engine) -> dict[str, str]:
    """Return each run in both formats, and one without its history, by file name."""
    found = {}
    for line in store.list_runs(RunQuery(limit=1000)).runs:
        name = (line.name or "").replace(" ", "-")
        dossier = await build_bundle(engine, line.run_id, WORKSPACE)
        found[f"{name}.yaml"] = export_run(dossier, "yaml", VERSION)
        found[f"{name}.json"] = export_run(dossier, "json", VERSION)
        if name == "finished":
            bare = replace(dossier, events=None)
            found["without-history.yaml"] = export_run(bare, "yaml", VERSION)
    return found


def known(made: Samples) -> dict[str, Any]:
    """Return the ids, session and preferences of the samples."""
    lines = made.store.list_runs(RunQuery(limit=1000)).runs
    session = made.store.session(made.engine.session.session_id)
    preferences = made.store.preferences()
    assert session is not None
    assert preferences is not None
    return {
        "pipelines": {
            name: pipeline.configuration_id
            for name, pipeline in pipelines(made.folder).items()
        },
        "primers": {
            name: {"id": primer.primer_id, "version": primer.version}
            for name, primer in primers(made.folder).items()
        },
        "runs": {line.name: str(line.run_id) for line in lines},
        "session": session.model_dump(mode="json"),
        "preferences": preferences.model_dump(mode="json"),
    }


def keep_store(made: Samples) -> None:
    """Keep the store without free pages, and without the lock."""
    (made.folder / "store").mkdir()
    with lmdb.Environment(str(made.folder / "made")) as environment:
        environment.copy(str(made.folder / "store"), compact=True)
    shutil.rmtree(made.folder / "made")


async def make(folder: Path) -> None:
    """Write the samples into a folder."""
    for kind in ("pipelines", "primers"):
        shutil.copytree(ROOT / kind, folder / kind)
    made = Samples(folder)
    await fill(made)
    for name, export in (await exports(made.store, made.engine)).items():
        (folder / "exports" / name).write_text(export, encoding="utf-8")
    text = json.dumps(known(made), indent=2, ensure_ascii=False) + "\n"
    (folder / "known.json").write_text(text, encoding="utf-8")
    made.store.close()  # the session stays active, as if its process had been killed
    keep_store(made)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as data:
        os.environ["WRITEIT_DATA_DIR"] = data
        target = Path(sys.argv[1]).resolve()
        (target / "exports").mkdir(parents=True)
        asyncio.run(make(target))
