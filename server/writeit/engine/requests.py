"""The three requests that call models: generate, regenerate and merge.

Each plans its calls with their exact prompts and the operation that starts them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Protocol
from uuid import UUID

from writeit.domain.answer import Call
from writeit.domain.blind import hidden_letters, next_place, with_known_models
from writeit.domain.operations import generate, lifecycle, select
from writeit.domain.run import StepState, StepStatus
from writeit.engine.precedence import (
    THE_RUN,
    ModelSelection,
    NamedModels,
    identify_models,
    is_named_by_workspace,
    resolve_step_models,
)
from writeit.engine.prepared import StepContext
from writeit.engine.transactions import Operation
from writeit.ports.system import Clock
from writeit.prompts.build import (
    Revision,
    build_merge_prompt,
    primer_text,
)


def new_calls(
    models: Sequence[str], samples: int, clock: Clock, generation: int
) -> list[Call]:
    """Plan N models x S samples, model by model."""
    return [
        Call(response_id=clock.new_id(), model=model, generation=generation)
        for model in models
        for _ in range(samples)
    ]


def replacement_calls(
    state: StepState, models: Sequence[str] | None, samples: int, clock: Clock
) -> list[Call]:
    """Plan new calls for the failed and partial ones, of `models` if given."""
    incomplete = generate.incomplete_calls(state)
    if models is None:
        names = [call.model for call in incomplete]
    else:
        names = [m for m in models for _ in range(samples)] if incomplete else []
    # More new calls than incomplete ones replace nothing; fewer leave some incomplete.
    replaced: list[UUID | None] = [call.response_id for call in incomplete]
    replaced += [None] * (len(names) - len(incomplete))
    return [
        Call(
            response_id=clock.new_id(),
            model=model,
            generation=state.generation,
            replaces=replaced_id,
        )
        for model, replaced_id in zip(names, replaced, strict=False)
    ]


def draw_places(state: StepState, calls: Sequence[Call], *, blind: bool) -> list[Call]:
    """Return the calls with places in an order drawn now, if the choice is blind.

    A call that replaces another keeps the place of that one.
    """
    state = with_known_models(state)
    places = {call.response_id: call.place for call in state.calls}
    new = [call.response_id for call in calls if call.replaces is None]
    if blind:
        # Ids are in names of pages; in the order of the models they would tell them.
        ids = iter(SystemRandom().sample(new, len(new)))
        calls = [c if c.replaces else c.evolve(response_id=next(ids)) for c in calls]
        first = next_place(state)
        drawn = SystemRandom().sample(range(first, first + len(new)), len(new))
        places |= dict(zip(new, drawn, strict=True))
    return [c.evolve(place=places.get(c.replaces or c.response_id)) for c in calls]


@dataclass(frozen=True, slots=True)
class PlannedCalls:
    """Calls with their prompts, and the operation that starts them."""

    prompts: list[tuple[Call, str]]
    operation: Operation
    named_by_workspace: bool = False
    """Whether a file of the workspace named the models or how many samples."""
    named: NamedModels | None = None
    """What names the models; None if they were called before."""


class GenerationRequest(Protocol):
    """One way to call models."""

    @property
    def run_id(self) -> UUID:
        """The run."""
        ...

    @property
    def step(self) -> str | None:
        """The step; None is the run's current one."""
        ...

    @property
    def model_selection(self) -> ModelSelection:
        """The models that front matter, settings and preferences name."""
        ...

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Plan the calls.

        Raises:
            WriteItError: the request is not allowed now.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GenerateStep:
    """Generate a PENDING step, or complete the answers of a running one."""

    run_id: UUID
    step: str | None = None
    models: tuple[str, ...] | None = None
    samples: int | None = None
    instruction: str | None = None
    """The user's words for the models; they are appended to the prompt."""
    model_selection: ModelSelection = field(default_factory=ModelSelection)

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Plan N models x S samples, or calls that replace the incomplete ones."""
        state, step = context.state, context.state.step_name
        clock = context.services.clock
        generate.check_can_generate(context.run, state)
        if self.instruction is not None:
            lifecycle.check_words("instruction", self.instruction)
        named = None
        fields: dict[str, object] = {"instruction": self.instruction}
        if state.status is StepStatus.RUNNING:
            samples = context.samples(self.samples)
            calls = replacement_calls(state, self.models, samples, clock)
        else:
            named = await self.models_of_calls(context)
            generation = state.generation + 1 if state.calls else 0
            calls = new_calls(named.models, 1, clock, generation)
            by_user = self.models or context.run.models.get(step, ())
            fields |= {"models": by_user, "samples": self.samples}
        calls = draw_places(state, calls, blind=self.model_selection.is_blind)
        words = self.instruction or state.instruction or ""
        prompt = await context.build_prompt(
            self.model_selection.own_pipelines, Revision(instruction=words)
        )
        return PlannedCalls(
            [(call, prompt) for call in calls],
            lambda run, now: generate.start_generation(
                run, run.steps[step], calls, now, **fields
            ),
            _is_named_by_workspace(self, context),
            named,
        )

    async def models_of_calls(self, context: StepContext) -> NamedModels:
        """Return the model of each call of a PENDING step.

        Raises:
            NotFound: no model is set and the embedded one is not installed.
        """
        named = await resolve_models(context, self.model_selection, self.models)
        distinct = tuple(dict.fromkeys(named.models))
        count = self.samples or context.run.samples
        if count is None and distinct != named.models:
            return named
        repeated = (n for n in distinct for _ in range(count or context.spec.samples))
        return NamedModels(tuple(repeated), named.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class RegenerateStep:
    """Generate a step again with the previous answer and the user's feedback."""

    run_id: UUID
    step: str | None = None
    feedback: str | None = None
    """None means the feedback stored with the step."""
    models: tuple[str, ...] | None = None
    samples: int | None = None
    model_selection: ModelSelection = field(default_factory=ModelSelection)

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Plan the same models and samples as before, unless others are named."""
        state, step = context.state, context.state.step_name
        stored = state.user_feedback or ""
        feedback = stored if self.feedback is None else self.feedback
        generate.check_can_regenerate(context.run, state)
        lifecycle.check_feedback(self.feedback)
        named = await self._select_models(context)
        calls = [
            Call(
                response_id=context.services.clock.new_id(),
                model=model,
                generation=state.generation + 1,
            )
            for model in named.models
        ]
        calls = draw_places(state, calls, blind=self.model_selection.is_blind)
        prompts = [
            (
                call,
                await context.build_prompt(
                    self.model_selection.own_pipelines,
                    Revision(
                        _previous_text(state, call.model),
                        feedback,
                        state.instruction or "",
                    ),
                ),
            )
            for call in calls
        ]
        return PlannedCalls(
            prompts,
            lambda run, now: generate.regenerate(
                run, run.steps[step], calls, feedback, now
            ),
            _is_named_by_workspace(self, context),
            named,
        )

    async def _select_models(self, context: StepContext) -> NamedModels:
        previous = [call.model for call in generate.latest_calls(context.state)]
        if self.models is None and self.samples is None and previous:
            return NamedModels(tuple(previous), THE_RUN)
        models = self.models or tuple(dict.fromkeys(previous))
        named = await resolve_models(context, self.model_selection, models)
        samples = context.samples(self.samples)
        distinct = dict.fromkeys(named.models)
        repeated = [model for model in distinct for _ in range(samples)]
        return NamedModels(tuple(repeated), named.source)


def _previous_text(state: StepState, model: str) -> str:
    """Return the chosen text, else the model's latest answer, else the latest one."""
    if state.content:
        return state.content
    same_model = [answer for answer in state.ai_responses if answer.model == model]
    answers = same_model or list(state.ai_responses)
    return answers[-1].processed_content if answers else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeWithModel:
    """Merge parts with a model; its text becomes another answer of the step."""

    run_id: UUID
    step: str | None = None
    parts: select.MergeSelection = field(default_factory=select.MergeSelection)
    instruction: str
    model: str | None = None
    feedback: str | None = None
    model_selection: ModelSelection = field(default_factory=ModelSelection)

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Plan the one call."""
        state, step = context.state, context.state.step_name
        generate.check_can_merge(context.run, state)
        lifecycle.check_feedback(self.feedback)
        lifecycle.check_words("instruction", self.instruction)
        texts = [part.text for part in select.require_parts(state, self.parts)]
        if self.parts.content:
            texts = [self.parts.content]
        models = (self.model,) if self.model else ()
        named = await resolve_models(context, self.model_selection, models)
        call = Call(
            response_id=context.services.clock.new_id(),
            model=named.models[0],
            generation=state.generation,
            merge=True,
        )
        (call,) = draw_places(state, [call], blind=bool(hidden_letters(state)))
        primer = primer_text(context.spec, context.run)
        prompt = build_merge_prompt(texts, self.instruction, primer)
        return PlannedCalls(
            [(call, prompt)],
            lambda run, now: generate.start_model_merge(
                run, run.steps[step], call, now, self.feedback
            ),
            named=named,
        )


def _is_named_by_workspace(
    request: GenerateStep | RegenerateStep, context: StepContext
) -> bool:
    return is_named_by_workspace(
        context.configuration,
        context.spec,
        context.run,
        request.model_selection,
        models_named=request.models is not None,
        samples_named=request.samples is not None,
    )


async def resolve_models(
    context: StepContext,
    model_selection: ModelSelection,
    models: tuple[str, ...] | None = None,
) -> NamedModels:
    """Return a step's models: `models`, which the command names, if there are any.

    Raises:
        NotFound: no model is set and the embedded one is not installed.
    """
    if models:
        return NamedModels(models, "The command")
    embedded = await context.services.models.embedded_model()
    named = resolve_step_models(context.spec, context.run, model_selection, embedded)
    return await identify_models(context.services.models.resolve_model_id, named)
