"""One answer with where it came from; and what a step hands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core.decide import step_of
from writeit.core.errors import NotFound
from writeit.views import words
from writeit.views.answers import ending, facts_of
from writeit.views.markdown import blocks, fenced, inline, line
from writeit.views.markers import Block
from writeit.views.states import step_state

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.run import AIResponse, PipelineRun, StepState
    from writeit.views.markers import Parts


def response_parts(run: PipelineRun, step: str, response_id: UUID) -> Parts:
    """Return the view of one answer, as the model wrote it.

    Raises:
        NotFound: the run has no such step, or the step no such answer.
    """
    state = step_of(run, step)
    answer = answer_of(state, response_id)
    index = state.ai_responses.index(answer)
    answer = state.rated_responses[index]
    text = Block("answer", answer.processed_content, response_id, words.number(index))
    head = blocks(
        f"# Answer {words.number(index)} of {state.step_name} · {inline(answer.model)}",
        line(words.origin_of(run)),
        facts_of(answer, answer.processed_content),
        ending(answer),
        _chosen(state, index),
    )
    return [f"{head}\n\n", text, f"\n{_provenance(run, answer)}\n"]


def render_content(run: PipelineRun, step: str) -> str:
    """Return what the next step gets, and nothing else.

    Raises:
        NotFound: the run has no such step, or nothing is chosen there yet.
    """
    return content_of(step_of(run, step)).rstrip("\n") + "\n"


def content_of(step: StepState) -> str:
    """Return what the next step gets.

    Raises:
        NotFound: nothing is chosen yet.
    """
    if step.content is None:
        raise NotFound(
            f"Step {step.step_name!r} has no text yet: {step_state(step)}.",
            hint="Choose an answer of it, or merge several.",
        )
    return step.content


def answer_of(step: StepState, response_id: UUID) -> AIResponse:
    """Return an answer of a step.

    Raises:
        NotFound: there is none of this id.
    """
    answer = step.response(response_id)
    if answer is None:
        known = [str(answer.response_id) for answer in step.ai_responses]
        raise NotFound.among("ended answer", str(response_id), known)
    return answer


def _chosen(step: StepState, index: int) -> str:
    if step.user_selection != index:
        return ""
    if step.edited_content is None:
        return "Your choice."
    return "Your choice, in your own wording. Here it stands as the model wrote it."


def _provenance(run: PipelineRun, answer: AIResponse) -> str:
    usage = answer.usage_stats
    sent = words.count(usage.prompt_tokens, "token")
    back = words.count(usage.completion_tokens, "token")
    counted = ", both counted here" if usage.estimated else ""
    facts = [
        f"- Received {words.moment(answer.created_at)}",
        f"- {sent} sent, {back} came back{counted}",
    ]
    if answer.first_token_seconds is not None:
        facts.append(f"- First words after {words.seconds(answer.first_token_seconds)}")
    if run.primer is not None:
        version = inline(run.primer.version)
        facts.append(f"- Style primer {run.primer.primer_id}, version {version}")
    if answer.raw_output.strip() != answer.processed_content.strip():
        facts.append("- The model had put a fence around all of it; it is left out")
    return blocks(
        "## Where it came from",
        "\n".join(facts),
        "## The prompt, as it was sent",
        fenced(answer.prompt_used),
    )
