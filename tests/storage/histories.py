"""Random histories of a run and its branches, built with the engine's operations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from uuid import UUID

from hypothesis import strategies as st

from storage import samples
from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.answer import Call
from writeit.domain.errors import WriteItError
from writeit.domain.operations import generate, lifecycle
from writeit.domain.operations.select import select_response, skip_step
from writeit.domain.run import (
    MergePart,
    Passage,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.ports.store import RunCommit

MODELS = ("openai/gpt-4o", "anthropic/claude", "embedded/smol")
LONG_TEXTS = (
    "A long answer. " * 40,
    "\n\nLang genug: äöü 🐝\0 " * 30 + "\n",
    "y" * 256,
)
TEXTS = st.one_of(
    st.sampled_from(LONG_TEXTS),
    st.text(min_size=1, max_size=30).filter(str.strip),
    st.just('{"text": "88b260bd9ff4810d"}'),
    st.just("```markdown\nfenced " + "f" * 300 + "\n```"),
)


@dataclass
class RunTreeMachine:
    """The runs after the decisions made so far."""

    draw: st.DrawFn
    runs: dict[UUID, PipelineRun] = field(default_factory=dict)
    seqs: dict[UUID, int] = field(default_factory=dict)
    decisions: list[RunCommit] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def add(self, run: PipelineRun, *events: e.Event) -> None:
        """Decide `events` on `run`, which may be new."""
        run_id = run.pipeline_run_id
        known = self.runs.get(run_id)
        after = state_machine.replay(events, known)
        seq = self.seqs.get(run_id, 0)
        self.decisions.append(RunCommit(run=after, events=events, expected_seq=seq))
        self.runs[run_id], self.seqs[run_id] = after, seq + len(events)

    def an_id(self) -> UUID:
        """A new id."""
        return samples.an_id(next(self.numbers))

    def calls(self, generation: int) -> list[Call]:
        """Calls of one generation."""
        models = self.draw(st.lists(st.sampled_from(MODELS), min_size=1, max_size=3))
        return [
            Call(response_id=self.an_id(), model=model, generation=generation)
            for model in models
        ]

    def text(self) -> str:
        """A text that is not empty."""
        return self.draw(TEXTS)

    def start(self) -> None:
        """Start a run."""
        number = next(self.numbers)
        uri = self.draw(st.sampled_from([None, "file:///a.md", "file:///b.md"]))
        run = samples.a_run(
            number, uri=uri, user_inputs={"source_material": self.text()}
        )
        self.add(run, e.RunStarted(at=run.created_at, run=run))


def ask(family: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Generate the current step, or its failed and incomplete answers again."""
    step = run.steps[run.current_step]
    if step.status is StepStatus.PENDING:
        calls = family.calls(step.generation + 1)
    else:
        calls = [
            call.evolve(response_id=family.an_id(), replaces=call.response_id)
            for call in generate.incomplete_calls(step)
        ]
    events = generate.start_generation(run, step, calls, run.updated_at)
    return (*events, *_sent(family, step, calls, run))


def regenerate(family: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Regenerate a step."""
    step = run.steps[family.draw(st.sampled_from([run.current_step, "angles"]))]
    calls = family.calls(step.generation + 1)
    events = generate.regenerate(run, step, calls, family.text(), run.updated_at)
    return (*events, *_sent(family, step, calls, run))


def _sent(
    family: RunTreeMachine, step: StepState, calls: list[Call], run: PipelineRun
) -> list[e.Event]:
    prompt = family.text()
    return [
        generate.start_response(step.step_name, call, prompt, run.updated_at)
        for call in calls
    ]


def end(family: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """End an answer: complete, incomplete or failed."""
    step = next((step for step in run.steps.values() if step.streaming), None)
    if step is None:
        return ()
    stream = family.draw(st.sampled_from(step.streaming))
    call = next(c for c in step.calls if c.response_id == stream.response_id)
    how = family.draw(st.sampled_from(["receive", "interrupt", "fail"]))
    if how == "fail":
        message = family.text()
        return generate.fail_response(
            step.step_name, call, "timeout", message, run.updated_at
        )
    raw = family.text()
    response = samples.answer(1).evolve(
        response_id=stream.response_id,
        prompt_used=stream.prompt,
        raw_output=raw,
        processed_content=raw.strip(),
        partial=how == "interrupt",
    )
    if how == "interrupt":
        return generate.interrupt_response(
            step.step_name, response, "timeout", run.updated_at
        )
    return generate.complete_response(step.step_name, response, run.updated_at)


def select(family: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Choose an answer, perhaps edited, perhaps with feedback."""
    names = [*run.step_names, run.current_step, run.current_step]
    step = run.steps[family.draw(st.sampled_from(names[::-1]))]
    words = st.none() | TEXTS
    return select_response(
        run,
        step,
        family.draw(st.integers(0, max(0, len(step.ai_responses) - 1))),
        run.updated_at,
        content=family.draw(words),
        feedback=family.draw(words),
    )


def skip(_: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Skip the step."""
    return skip_step(run, run.steps[run.current_step], run.updated_at)


def stop(_: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Pause or resume a run."""
    if run.status is PipelineStatus.RUNNING:
        return lifecycle.pause(run, run.updated_at, "the writer")
    return lifecycle.resume(run, run.updated_at)


def break_down(family: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Set a run to ERROR."""
    return (e.RunFailed(at=run.updated_at, message=family.text()),)


def take(family: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Add a passage of an answer to the merge."""
    step = run.steps[run.current_step]
    if not step.ai_responses:
        return ()
    passage = Passage(
        passage_id=family.an_id(),
        response_id=step.ai_responses[0].response_id,
        text=family.text(),
    )
    return (e.PassageTaken(at=run.updated_at, step=step.step_name, passage=passage),)


def merge(family: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Merge parts and complete the step."""
    step = run.steps[run.current_step]
    parts = (
        *(MergePart(response_id=p.response_id, text=p.text) for p in step.passages),
        MergePart(response_id=None, text=family.text()),
    )
    content = "\n\n".join(part.text for part in parts)
    moment, name = run.updated_at, step.step_name
    return (
        e.Merged(at=moment, step=name, content=content, merged_from=parts),
        e.StepCompleted(at=moment, step=name),
    )


def put(family: RunTreeMachine, run: PipelineRun) -> tuple[e.Event, ...]:
    """Apply the text of a completed step to a document, or restore the document."""
    done = [s for s in run.steps.values() if s.status is StepStatus.COMPLETED]
    if family.draw(st.booleans()) and run.applied:
        return lifecycle.record_restored(run.applied[-1], run.updated_at)
    if not done:
        return ()
    return lifecycle.record_applied(
        family.draw(st.sampled_from(done)).step_name,
        run.updated_at,
        uri=family.draw(st.sampled_from(["file:///a.md", "untitled:b"])),
        mode=family.draw(st.sampled_from(["new_file", "replace", "insert"])),
        replaced=family.text(),
        text=family.text(),
    )


def branch(family: RunTreeMachine, run: PipelineRun) -> PipelineRun:
    """The child of `run` at one of its steps, as a branch is made."""
    names = run.step_names
    last = names.index(run.current_step)
    at = names[family.draw(st.integers(0, last))]
    shared = run.steps[at].ai_responses
    steps = {name: run.steps[name] for name in names[: names.index(at)]}
    steps[at] = StepState(
        step_name=at,
        status=StepStatus.RUNNING if shared else StepStatus.PENDING,
        started_at=run.updated_at if shared else None,
        ai_responses=shared,
        calls=run.steps[at].calls,
    )
    later = names[names.index(at) + 1 :]
    steps |= {name: StepState(step_name=name) for name in later}
    begun = PipelineStatus.RUNNING if shared or steps[names[0]].ai_responses else None
    moment = samples.at(next(family.numbers))
    return PipelineRun.model_validate(
        {
            **dict(run),
            "pipeline_run_id": family.an_id(),
            "parent_pipeline_run_id": run.pipeline_run_id,
            "branch_point": at,
            "created_at": moment,
            "updated_at": moment,
            "current_step": at,
            "status": begun or PipelineStatus.INITIALIZING,
            "steps": steps,
            "applied": (),
        }
    )


Action = Callable[[RunTreeMachine, PipelineRun], tuple[e.Event, ...]]


def _likely(run: PipelineRun) -> tuple[Action, ...]:
    """Return the operations on such a run, frequent ones first."""
    step = run.steps[run.current_step]
    if run.is_streaming:
        return (end, end, end, end, take, put, break_down)
    if run.status in {PipelineStatus.PAUSED, PipelineStatus.ERROR}:
        return (stop, stop, ask, select, put)
    if step.status is StepStatus.PENDING:
        return (ask, ask, ask, ask, skip, put, regenerate, stop, break_down)
    return (select, select, select, put, regenerate, merge, take, ask, stop)


@st.composite
def histories(draw: st.DrawFn, max_size: int = 40) -> list[RunCommit]:
    """Decisions, in an order in which each can be committed."""
    family = RunTreeMachine(draw)
    family.start()
    for _ in range(draw(st.integers(5, max_size))):
        run = draw(st.sampled_from(list(family.runs.values())))
        kind = draw(st.integers(0, 19))
        if kind == 0:
            family.start()
        elif kind <= 2:
            child = branch(family, run)
            family.add(child, e.RunBranched(at=child.created_at, run=child))
        else:
            _act(family, run, draw(st.sampled_from(_likely(run))))
    return family.decisions


def _act(family: RunTreeMachine, run: PipelineRun, action: Action) -> None:
    """Do what the state allows; a refusal is ignored, these tests are not about it."""
    try:
        if events := action(family, run):
            family.add(run, *events)
    except WriteItError:
        return
