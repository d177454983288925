"""The variables of a run's step, and the exact prompt made from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core.prompt.bounds import fenced
from writeit.core.prompt.check import DOCUMENT, invalid, problem_at, variables
from writeit.core.prompt.fill import fill
from writeit.core.prompt.language import Unusable
from writeit.core.run import StepStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from writeit.core.pipeline import InputSpec, PipelineConfiguration, StepSpec
    from writeit.core.run import PipelineRun, StepState

Context = dict[str, object]


@dataclass(frozen=True, slots=True)
class Revision:
    """What a regeneration knows: the answer so far and what to change about it."""

    previous: str = ""
    feedback: str = ""


def prompt_for(
    configuration: PipelineConfiguration,
    run: PipelineRun,
    step: str,
    revision: Revision | None = None,
) -> str:
    """Return exactly what a model is sent in `step` of `run`.

    The writer's words are never dropped: what her feedback and a revision say and
    the template does not place is appended.

    Raises:
        InvalidPipeline: the template cannot be filled in, or comes to nothing.
    """
    spec = configuration.step(step)
    prompt = render(spec, build_context(configuration, run, step, revision))
    placed = {variable.path for variable in variables(spec.prompt)}
    paragraphs = [
        *_words_for_later(configuration, run, step, placed),
        *_words_for_revision(revision or Revision(), placed),
    ]
    if not paragraphs:
        return prompt
    return "\n\n".join([prompt.removesuffix("\n"), *paragraphs])


def render(step: StepSpec, context: Mapping[str, object]) -> str:
    """Return the template of `step` with `context` filled in.

    Raises:
        InvalidPipeline: it cannot be filled in within bounds, or comes to nothing.
    """
    try:
        prompt = fill(step.prompt, context)
    except Unusable as error:
        raise invalid(problem_at(error, step.name, step.prompt)) from error
    if not prompt.strip():
        empty = Unusable("The prompt comes out empty.", 0)
        raise invalid(problem_at(empty, step.name, step.prompt))
    return prompt


def build_context(
    configuration: PipelineConfiguration,
    run: PipelineRun,
    step: str,
    revision: Revision | None = None,
) -> Context:
    """Return the variables of the template of `step`; what is not there yet is ""."""
    known = revision or Revision()
    earlier = _earlier(configuration, run, step)
    return {
        "inputs": {
            spec.name: _input(spec, run.user_inputs.get(spec.name, ""))
            for spec in configuration.inputs
        },
        "defaults": configuration.defaults,
        "primer": run.primer.text if run.primer else "",
        "document": run.document.model_dump(include=set(DOCUMENT)),
        "revision": {"previous": known.previous, "feedback": known.feedback},
        "steps": {state.step_name: _step(state) for state in earlier},
    }


class _Flag(str):
    """A boolean input: reads as "true" or "false", and counts as what it says."""

    __slots__ = ()

    def __bool__(self) -> bool:
        return self == "true"


def _input(spec: InputSpec, value: str) -> str:
    return _Flag(value) if spec.type == "boolean" else value


def _step(state: StepState) -> Context:
    return {
        "content": state.content or "",
        "feedback": state.user_feedback or "",
        "responses": [answer.processed_content for answer in state.ai_responses],
    }


def _earlier(
    configuration: PipelineConfiguration, run: PipelineRun, step: str
) -> list[StepState]:
    names = configuration.step_names
    return [run.steps[name] for name in names[: names.index(step)] if name in run.steps]


def _words_for_later(
    configuration: PipelineConfiguration, run: PipelineRun, step: str, placed: set[str]
) -> list[str]:
    """Return what the writer said in the nearest earlier step, if it is not placed.

    Behind a skipped step no prompt was made that could have carried older words, so
    those come along too.
    """
    paragraphs = []
    for state in reversed(_earlier(configuration, run, step)):
        words = (state.user_feedback or "").strip()
        if words and f"steps.{state.step_name}.feedback" not in placed:
            title = f"The author's words about the step {state.step_name!r}:"
            paragraphs.append(f"{title}\n{state.user_feedback}")
        if words and state.status is not StepStatus.SKIPPED:
            break
    return paragraphs[::-1]


def _words_for_revision(revision: Revision, placed: set[str]) -> list[str]:
    """Return the previous answer and what to change about it, where not placed."""
    paragraphs = []
    if revision.previous.strip() and "revision.previous" not in placed:
        title = "Your previous answer, to be improved on, was:"
        paragraphs.append(f"{title}\n{fenced(revision.previous, 'previous-answer')}")
    if revision.feedback.strip() and "revision.feedback" not in placed:
        title = "The author asks for these changes:"
        paragraphs.append(f"{title}\n{revision.feedback}")
    return paragraphs
