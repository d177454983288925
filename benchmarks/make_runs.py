"""Make a store of many realistic runs, through the store itself.

    python benchmarks/make_runs.py FOLDER COUNT

Each run has four steps with a few answers each; one in eight branches off an earlier
one and is left unfinished. The same count always makes the same runs.
"""

from __future__ import annotations

import asyncio
import random
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from writeit.domain import state_machine
from writeit.domain.answer import AIResponse, Call
from writeit.domain.document import RunDocument
from writeit.domain.entity import TokenUsage
from writeit.domain.events import Event, RunStarted
from writeit.domain.model_id import split_model_id
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.domain.primer import RunPrimer, StylePrimer
from writeit.domain.run import PipelineRun, StepState
from writeit.ports.store import RunCommit
from writeit.storage.store import LmdbStore

START = datetime(2026, 1, 1, tzinfo=UTC)
STEPS = {"angles": 900, "outline": 1200, "draft": 6000, "polish": 6000}
"""The steps, and the characters of an answer to each, roughly."""
MODELS = ("openai/gpt-4o", "anthropic/claude-sonnet-4-5", "embedded/smollm2-135m")
AT_ONCE = 100
"""Runs that are committed together."""
BRANCHES = 8
"""One run in so many is a branch."""
WORDS = str.split(
    "the river bends where old maps end and a quiet town keeps its own clock of rain"
    " bread salt letters and the long road that nobody measures twice"
)

PIPELINE = PipelineConfiguration(
    name="tech-article",
    created=START,
    inputs=(InputSpec(name="source_material", required=True),),
    steps=tuple(StepSpec(name=name, prompt="Write.") for name in STEPS),
)
PRIMER = StylePrimer(
    primer_id="tech-journalist",
    name="Tech journalist",
    content="Short sentences, plain verbs, no fuss. " * 20,
    voice_attributes={"tone": "dry", "structure": "short", "language": "plain"},
    guidelines={"avoid": ("very",), "prefer": ()},
)


class Author:
    """Writes runs, one after the other."""

    def __init__(self, seed: int = 7) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- the same runs each time
        self._made = 0
        self._ids = 0
        self._finished: list[PipelineRun] = []

    def next_run(self) -> RunCommit:
        """The decision that a whole run is; branches follow what they branch off."""
        self._made += 1
        if self._finished and self._made % BRANCHES == 0:
            return self._branch(self._random.choice(self._finished))
        return self._run()

    def _run(self) -> RunCommit:
        at = START + timedelta(minutes=7 * self._made)
        notes = self._text(3000)
        run = PipelineRun(
            pipeline_run_id=self._id(),
            configuration_id=PIPELINE.configuration_id,
            created_at=at,
            updated_at=at,
            current_step=next(iter(STEPS)),
            user_inputs={"source_material": notes},
            steps={name: StepState(step_name=name) for name in STEPS},
            uri=f"file:///notes/{self._made % 500}.md",
            primer=RunPrimer(
                primer_id=PRIMER.primer_id,
                version=PRIMER.version,
                text=PRIMER.content,
            ),
            document=RunDocument(text=notes, title=self._text(40)),
        )
        story = _Story(RunStarted(at=at, run=run))
        for step in STEPS:
            self._one_step(story, step)
        self._finished = [*self._finished[-199:], story.run]
        return story.decision()

    def _branch(self, parent: PipelineRun) -> RunCommit:
        at = START + timedelta(minutes=7 * self._made)
        step = self._random.choice(list(STEPS))
        event = lifecycle.branch(parent, parent.steps[step], self._id(), at, None)
        story = _Story(event)
        story.tell(lambda run, at: select.select_response(run, run.steps[step], 0, at))
        return story.decision()

    def _one_step(self, story: _Story, step: str) -> None:
        models = self._random.sample(MODELS, self._random.randint(1, len(MODELS)))
        calls = [Call(response_id=self._id(), model=m, generation=1) for m in models]
        prompt = f"{PRIMER.content}\n\n{self._text(2500)}"
        story.tell(
            lambda run, at: generate.start_generation(run, run.steps[step], calls, at)
        )
        for call in calls:
            sent = generate.start_response(step, call, prompt, story.at)
            story.tell(lambda _, __, sent=sent: (sent,))  # type: ignore[misc]
        for call in calls:
            answer = self._answer(call, step, prompt, story.at)
            story.tell(
                lambda _, at, got=answer: generate.complete_response(step, got, at)  # type: ignore[misc]
            )
        choice = self._random.randrange(len(calls))
        story.tell(
            lambda run, at: select.select_response(run, run.steps[step], choice, at)
        )

    def _answer(self, call: Call, step: str, prompt: str, at: datetime) -> AIResponse:
        text = self._text(int(STEPS[step] * self._random.uniform(0.6, 1.4)))
        provider, model = split_model_id(call.model)
        return AIResponse(
            response_id=call.response_id,
            model_name=model,
            provider=provider,
            prompt_used=prompt,
            raw_output=text,
            processed_content=text,
            created_at=at,
            usage_stats=TokenUsage(
                prompt_tokens=len(prompt) // 4,
                completion_tokens=len(text) // 4,
                total_tokens=len(prompt) // 4 + len(text) // 4,
                cost_usd=0.004,
            ),
            processing_time=3.25,
            finish_reason="stop",
            first_token_seconds=0.4,
        )

    def _id(self) -> UUID:
        """An id that sorts behind all made before, as a UUIDv7 does."""
        self._ids += 1
        return UUID(int=(7 << 76) | (2 << 62) | self._ids)

    def _text(self, length: int) -> str:
        words = self._random.choices(WORDS, k=length // 5)
        return f"{self._made}: {' '.join(words)}."[:length].strip()


class _Story:
    """A run and what happened to it so far."""

    def __init__(self, beginning: Event) -> None:
        self.run = state_machine.apply_event(None, beginning)
        self.events = [beginning]
        self.at = beginning.at

    def tell(self, verb: Callable[[PipelineRun, datetime], tuple[Event, ...]]) -> None:
        """Let the next thing happen."""
        self.at += timedelta(seconds=2)
        events = verb(self.run, self.at)
        self.run = state_machine.replay(events, self.run)
        self.events += events

    def decision(self) -> RunCommit:
        """All of it in one decision."""
        return RunCommit(
            run=self.run,
            events=tuple(self.events),
            expected_seq=0,
            configuration=PIPELINE,
            primer=PRIMER,
        )


async def make_runs(folder: Path, count: int) -> None:
    """Make `count` runs in the store in `folder`."""
    author = Author()
    store = LmdbStore.open(folder)
    try:
        for begun in range(0, count, AT_ONCE):
            number = min(AT_ONCE, count - begun)
            decisions = [author.next_run() for _ in range(number)]
            await asyncio.gather(*(store.commit(decision) for decision in decisions))
    finally:
        store.close()


def main(folder: str, count: str) -> None:
    """Make runs and say how long it took."""
    began = time.perf_counter()
    asyncio.run(make_runs(Path(folder), int(count)))
    print(f"{count} runs in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main(*sys.argv[1:])
