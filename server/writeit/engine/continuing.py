"""The request that lets a model write the rest of a cut answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from writeit.domain.answer import Call
from writeit.domain.operations import generate, lifecycle
from writeit.engine.precedence import ModelSelection
from writeit.engine.prepared import StepContext
from writeit.engine.requests import PlannedCalls, draw_places
from writeit.prompts.build import build_continuation_prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class ContinueResponse:
    """Let the model of a cut answer write its rest; the newest of a chain is meant."""

    run_id: UUID
    step: str | None = None
    response: int | UUID
    """The index or the id of the answer."""
    model_selection: ModelSelection = field(default_factory=ModelSelection)

    async def plan_calls(self, context: StepContext) -> PlannedCalls:
        """Plan the one call, with the number of the answer that it continues."""
        state, step = context.state, context.state.step_name
        index = lifecycle.find_response_index(state, self.response)
        answer = state.ai_responses[index]
        while later := state.replaced_by(answer.response_id):
            answer = later
        generate.check_can_continue(context.run, state, answer)
        before = next(
            (c for c in state.calls if c.response_id == answer.response_id), None
        )
        call = Call(
            response_id=context.services.clock.new_id(),
            model=answer.model,
            generation=before.generation if before else state.generation,
            replaces=answer.response_id,
            merge=before is not None and before.merge,
            number=state.numbers[answer.response_id],
            continues=True,
        )
        (call,) = draw_places(state, [call], blind=False)
        prompt = build_continuation_prompt(
            state.chain_of(answer)[0].prompt_used, answer.processed_content
        )
        return PlannedCalls(
            [(call, prompt)],
            lambda run, now: generate.continue_response(
                run, run.steps[step], call, now
            ),
        )
