"""The three ways to ask models: a step, a step anew, or parts to be joined.

Each lays out its calls with their exact prompts and says which decision opens them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from writeit.core import decide
from writeit.core.prompt import Revision, prompt_for, prompt_for_joining
from writeit.core.run import Call, StepStatus
from writeit.engine import planning
from writeit.engine.resolve import Wishes, models_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide import Events
    from writeit.core.pipeline import PipelineConfiguration, StepSpec
    from writeit.core.run import PipelineRun, StepState
    from writeit.engine.tools import Tools


@dataclass(frozen=True, slots=True)
class Standing:
    """Where something is asked: a run, its step, its pipeline; and with what."""

    run: PipelineRun
    state: StepState
    configuration: PipelineConfiguration
    tools: Tools

    @property
    def spec(self) -> StepSpec:
        """What the pipeline says of the step."""
        return self.configuration.step(self.state.step_name)


@dataclass(frozen=True, slots=True)
class LaidOut:
    """Calls with their prompts, and the decision that opens them."""

    prompts: list[tuple[Call, str]]
    opening: Callable[[PipelineRun, datetime], Events]


class Request(Protocol):
    """One way to ask."""

    @property
    def run_id(self) -> UUID:
        """The run it is about."""
        ...

    @property
    def step(self) -> str | None:
        """The step; None is the run's current one."""
        ...

    @property
    def wishes(self) -> Wishes:
        """What front matter, settings and preferences say."""
        ...

    async def lay_out(self, at: Standing) -> LaidOut:
        """Lay out the calls, or refuse."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Ask a PENDING step's models, or again what failed or was cut in a running one."""

    run_id: UUID
    step: str | None = None
    models: tuple[str, ...] | None = None
    samples: int | None = None
    wishes: Wishes = field(default_factory=Wishes)

    async def lay_out(self, at: Standing) -> LaidOut:
        """Lay out N models x S samples, or the repairs of what was lost."""
        state, step, clock = at.state, at.state.step_name, at.tools.clock
        decide.check_askable(at.run, state)
        samples = self.samples or at.spec.samples
        if state.status is StepStatus.RUNNING:
            calls = planning.repairs_for(state, self.models, samples, clock)
        else:
            names = self.models or await resolved(at, self.wishes)
            generation = state.generation + 1 if state.calls else 0
            calls = planning.calls_for(names, samples, clock, generation)
        prompt = prompt_for(at.configuration, at.run, step)
        return LaidOut(
            [(call, prompt) for call in calls],
            lambda run, now: decide.ask(run, run.steps[step], calls, now),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class AskAnew:
    """Ask a step again with the previous answer and what to change about it."""

    run_id: UUID
    step: str | None = None
    feedback: str | None = None
    """None means the words the writer left with the step."""
    models: tuple[str, ...] | None = None
    samples: int | None = None
    wishes: Wishes = field(default_factory=Wishes)

    async def lay_out(self, at: Standing) -> LaidOut:
        """Lay out the same models and samples as before, unless others are named."""
        state, step = at.state, at.state.step_name
        words = self.feedback if self.feedback is not None else state.user_feedback
        feedback = words or ""
        decide.check_regenerable(at.run, state)
        calls = [
            Call(
                response_id=at.tools.clock.new_id(),
                model=model,
                generation=state.generation + 1,
            )
            for model in await self._models(at)
        ]
        prompts = [
            (
                call,
                prompt_for(
                    at.configuration,
                    at.run,
                    step,
                    Revision(_previous(state, call.model), feedback),
                ),
            )
            for call in calls
        ]
        return LaidOut(
            prompts,
            lambda run, now: decide.regenerate(
                run, run.steps[step], calls, feedback, now
            ),
        )

    async def _models(self, at: Standing) -> list[str]:
        asked = [call.model for call in decide.newest_asked(at.state)]
        if self.models is None and self.samples is None and asked:
            return asked
        models: Sequence[str] = self.models or tuple(dict.fromkeys(asked))
        if not models:
            models = await resolved(at, self.wishes)
        samples = self.samples or at.spec.samples
        return [model for model in models for _ in range(samples)]


def _previous(state: StepState, model: str) -> str:
    """The chosen text, else the same model's latest answer, else the latest one."""
    if state.content:
        return state.content
    mine = [answer for answer in state.ai_responses if answer.model == model]
    answers = mine or list(state.ai_responses)
    return answers[-1].processed_content if answers else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskToJoin:
    """Ask a model to join parts; its text is one more answer of the step."""

    run_id: UUID
    step: str | None = None
    parts: decide.Parts = field(default_factory=decide.Parts)
    instruction: str
    model: str | None = None
    feedback: str | None = None
    wishes: Wishes = field(default_factory=Wishes)

    async def lay_out(self, at: Standing) -> LaidOut:
        """Lay out the one call."""
        state, step = at.state, at.state.step_name
        decide.check_joinable(at.run, state)
        texts = [part.text for part in decide.joinable(state, self.parts)]
        if self.parts.content:
            texts = [self.parts.content]
        model = self.model
        if model is None:
            model = (await resolved(at, self.wishes))[0]
        call = Call(
            response_id=at.tools.clock.new_id(),
            model=model,
            generation=state.generation,
            merge=True,
        )
        primer = at.run.primer.text if at.run.primer else ""
        prompt = prompt_for_joining(texts, self.instruction, primer)
        return LaidOut(
            [(call, prompt)],
            lambda run, now: decide.ask_to_merge(
                run, run.steps[step], call, now, self.feedback
            ),
        )


async def resolved(at: Standing, wishes: Wishes) -> tuple[str, ...]:
    """Return the models a step asks when the command names none.

    Raises:
        NotFound: nothing names a model and the embedded one is not installed.
    """
    embedded = await at.tools.models.embedded_installed()
    return models_for(at.spec, at.run, wishes, embedded)
