"""A writer's run on bees, at the moments that matter: what the views are looked at."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from views.manuscripts import ANGLES, DRAFT, OTHER_DRAFT, OUTLINE
from writeit.domain.answer import AIResponse, Call, ResponseFailure, StreamingResponse
from writeit.domain.document import RunDocument
from writeit.domain.entity import TokenUsage
from writeit.domain.errors import FailureReason
from writeit.domain.primer import RunPrimer
from writeit.domain.run import (
    MergePart,
    Passage,
    PipelineRun,
    PipelineStatus,
    StepState,
    StepStatus,
)
from writeit.domain.run_summary import RunNode, RunSummary

BEGUN = datetime(2026, 11, 22, 21, 3, tzinfo=UTC)
STEPS = ("angles", "outline", "draft", "polish")
CLAUDE = "anthropic/claude-sonnet-4-5"
GPT = "openai/gpt-5"
MISTRAL = "mistral/mistral-large-latest"
LOCAL = "ollama/llama3.1:8b"


def an_id(number: int) -> UUID:
    """The id of a run or an answer."""
    return UUID(f"0198c3d2-7a10-7000-8000-{number:012d}")


RUN = an_id(1)


def an_answer(
    number: int, model: str = CLAUDE, text: str = DRAFT, **more: Any
) -> AIResponse:
    """An answer; what it took is made from its length."""
    provider, _, name = model.partition("/")
    tokens = len(text) // 4
    cost = more.pop("cost", tokens * 0.000015)
    estimated = more.pop("estimated", False)
    usage = TokenUsage(
        prompt_tokens=1204,
        completion_tokens=tokens,
        total_tokens=1204 + tokens,
        cost_usd=cost,
        estimated=estimated,
    )
    fields = {
        "response_id": an_id(number),
        "model_name": name,
        "provider": provider,
        "prompt_used": "Write the post.\n\n```notes\nBees sleep.\n```\n\n"
        "Write as you talk.",
        "raw_output": text,
        "processed_content": text,
        "created_at": BEGUN + timedelta(minutes=number),
        "usage_stats": usage,
        "processing_time": round(tokens / 31, 2),
        "first_token_seconds": 0.8,
    }
    return AIResponse(**{**fields, **more})


def a_call(number: int, model: str = CLAUDE, **more: Any) -> Call:
    """The call of the answer of that number."""
    return Call(
        **{"response_id": an_id(number), "model": model, "generation": 0, **more}
    )


def a_failure(
    number: int, model: str, reason: FailureReason, message: str
) -> ResponseFailure:
    """A call that ended without any text."""
    return ResponseFailure(
        response_id=an_id(number), model=model, reason=reason, message=message
    )


def a_step(name: str, *answers: AIResponse, **more: Any) -> StepState:
    """A step whose answers ended; chosen if a selection is given."""
    fields: dict[str, Any] = {
        "step_name": name,
        "status": StepStatus.RUNNING if answers else StepStatus.PENDING,
        "started_at": BEGUN if answers else None,
        "ai_responses": answers,
        "calls": tuple(
            Call(response_id=a.response_id, model=a.model, generation=0)
            for a in answers
        ),
    }
    if "user_selection" in more or "merged_content" in more:
        fields["status"] = StepStatus.COMPLETED
        fields["completed_at"] = BEGUN + timedelta(hours=1)
    return StepState(**{**fields, **more})


def angles_chosen() -> StepState:
    """The first step, done."""
    answers = (
        an_answer(10, CLAUDE, ANGLES),
        an_answer(11, GPT, "1. **Bees rest.** They rest."),
    )
    return a_step("angles", *answers, user_selection=0)


def outline_chosen() -> StepState:
    """The second step, chosen in the writer's own wording."""
    mine = OUTLINE.replace("## Why it matters", "## What a lost night costs")
    return a_step(
        "outline",
        an_answer(12, GPT, OUTLINE),
        user_selection=0,
        edited_content=mine,
        user_feedback="No headings that ask. Keep the fridge.",
    )


def a_run(*steps: StepState, **more: Any) -> PipelineRun:
    """The run, with these steps and the others still to come."""
    known = {step.step_name: step for step in steps}
    states = {name: known.get(name, StepState(step_name=name)) for name in STEPS}
    done = (StepStatus.COMPLETED, StepStatus.SKIPPED)
    open_steps = [name for name, state in states.items() if state.status not in done]
    begun = any(state.status is not StepStatus.PENDING for state in states.values())
    status = PipelineStatus.RUNNING if begun else PipelineStatus.INITIALIZING
    fields = {
        "pipeline_run_id": RUN,
        "configuration_id": "blog-post@3f2a91c0b7de",
        "created_at": BEGUN,
        "updated_at": BEGUN + timedelta(hours=1),
        "current_step": open_steps[0] if open_steps else STEPS[-1],
        "status": status if open_steps else PipelineStatus.COMPLETED,
        "steps": states,
        "uri": "file:///home/ada/notes/bees.md",
        "document": RunDocument(title="How bees sleep"),
        "primer": RunPrimer(
            primer_id="conversational",
            version="8d1f0c2ab944",
            text="Write as you talk.",
        ),
        "user_inputs": {
            "source_material": "Bees sleep. I saw it on the bench last night. " * 9,
            "target_audience": "people who keep bees, or would like to",
        },
    }
    return PipelineRun(**{**fields, **more})


def six_answers() -> StepState:
    """A step in full flight: one streams, one failed, one is cut, three are whole."""
    cut = DRAFT[: DRAFT.index("some of them") + 12]
    whole = (
        an_answer(21, GPT, OTHER_DRAFT),
        an_answer(20, CLAUDE, DRAFT),
        an_answer(23, LOCAL, cut, cost=0.0, partial=True, finish_reason="cancelled"),
        an_answer(
            25,
            "openrouter/someone/new-model",
            OTHER_DRAFT.replace("Night shift", "After dark"),
            cost=None,
        ),
    )
    models = (CLAUDE, GPT, MISTRAL, LOCAL, CLAUDE, "openrouter/someone/new-model")
    said = "Mistral asks for a pause: 429 Too Many Requests"
    return a_step(
        "draft",
        *whole,
        calls=tuple(a_call(20 + n, model) for n, model in enumerate(models)),
        failures=(a_failure(22, MISTRAL, "rate_limit", said),),
        streaming=(
            StreamingResponse(
                response_id=an_id(24), model=CLAUDE, prompt="p", text=DRAFT[:150]
            ),
        ),
    )


def waiting() -> StepState:
    """A step with two answers, two passages taken and words for the models."""
    one, other = an_answer(20, CLAUDE, DRAFT), an_answer(21, GPT, OTHER_DRAFT)
    taken = (
        (20, DRAFT.split("\n\n")[2].partition(" Inside,")[0]),
        (21, OTHER_DRAFT.split("\n\n")[2]),
    )
    return a_step(
        "draft",
        one,
        other,
        passages=tuple(
            Passage(passage_id=an_id(30 + n), response_id=an_id(n), text=text)
            for n, text in taken
        ),
        user_feedback="Shorter, and end on the guards.",
    )


def merged() -> StepState:
    """The same step, merged by hand."""
    step = waiting()
    parts = tuple(
        MergePart(response_id=p.response_id, text=p.text) for p in step.passages
    )
    own = MergePart(response_id=None, text="Then somebody closes the door.")
    return step.evolve(
        status=StepStatus.COMPLETED,
        completed_at=BEGUN + timedelta(hours=1),
        merged_content="\n\n".join(part.text for part in (*parts, own)),
        merged_from=(*parts, own),
    )


def up_to_draft(draft: StepState, **more: Any) -> PipelineRun:
    """The run at its third step."""
    return a_run(angles_chosen(), outline_chosen(), draft, **more)


def a_node(
    run_id: UUID,
    name: str,
    *,
    children: tuple[RunNode, ...] = (),
    passages: tuple[RunNode, ...] = (),
    more: bool = False,
    branch_point: str | None = None,
    **fields: Any,
) -> RunNode:
    """A run in a tree; the root has no branch point."""
    summary = RunSummary(
        **{
            "run_id": run_id,
            "name": name,
            "title": "How bees sleep",
            "pipeline": "tech-article",
            "configuration_id": "tech-article@1",
            "uri": None,
            "parent_run_id": branch_point and an_id(1),
            "branch_point": branch_point,
            "created_at": BEGUN,
            "updated_at": BEGUN,
            "cost_usd": None,
            **fields,
        }
    )
    return RunNode(summary, children, passages, more)


def family() -> RunNode:
    """Five runs and one about a passage.

    The root, this run, its child, a deleted one and what it left.
    """
    passage = a_node(
        run_id=an_id(6),
        name="",
        pipeline="polish-passage",
        passage="A bee that sleeps holds on to the flower with its jaws, and its legs",
        status=PipelineStatus.COMPLETED,
        current_step="polish",
        cost_usd=0.0008,
    )
    lonely = a_node(
        run_id=an_id(5),
        name="for the club's paper",
        branch_point="draft",
        cost_usd=0.0214,
        status=PipelineStatus.COMPLETED,
        current_step="polish",
    )
    gone = a_node(
        run_id=an_id(4),
        name="",
        branch_point="angles",
        deleted=True,
        status=PipelineStatus.COMPLETED,
        current_step="polish",
        children=(lonely,),
    )
    child = a_node(
        run_id=an_id(3),
        name="colder opening",
        branch_point="draft",
        status=PipelineStatus.PAUSED,
        current_step="draft",
        cost_usd=0.0081,
    )
    this = a_node(
        run_id=RUN,
        name="",
        branch_point="outline",
        cost_usd=0.0312,
        children=(child,),
        status=PipelineStatus.RUNNING,
        current_step="draft",
    )
    return a_node(
        run_id=an_id(2),
        name="How bees sleep",
        status=PipelineStatus.COMPLETED,
        current_step="polish",
        cost_usd=0.0467,
        children=(this, gone),
        passages=(passage,),
    )
