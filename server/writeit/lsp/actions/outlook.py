"""What the titles of actions need besides the run: about what a step will cost."""

from __future__ import annotations

from dataclasses import dataclass

from writeit.domain.errors import WriteItError
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.run import PipelineRun, StepStatus
from writeit.engine.precedence import ModelSelection, resolve_step_models
from writeit.lsp.documents import parse_front_matter
from writeit.lsp.folder import WorkspaceFolder
from writeit.views import wording

CHARACTERS_PER_TOKEN = 4
USUAL_ANSWER_TOKENS = 1_000
"""The length of an answer where the pipeline sets no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The costs that titles name, as " · about $0.02", and how a step is chosen."""

    cost: str = ""
    """Of generating the current step; "" if it is unknown."""
    next_cost: str = ""
    """Of the step after it."""
    chooses_items: bool = False
    """Whether the items of the current step's answers are offered first."""


async def find_outlook(folder: WorkspaceFolder, run: PipelineRun) -> Outlook:
    """Return the outlook of a run; it waits for no provider."""
    try:
        configuration = folder.engine.configuration(run)
    except WriteItError:  # `store verify` reports it
        return Outlook()
    step = run.steps[run.current_step]
    later = run.later_steps(run.current_step)
    is_open = step.status is StepStatus.PENDING
    if run.is_finished:
        return Outlook(
            chooses_items=configuration.step(step.step_name).choose == "item"
        )
    selection = ModelSelection(
        models=_front_matter_models(folder, run),
        settings=await folder.load_settings(),
        preferences=folder.engine.preferences,
    )
    following = later[0].step_name if later and not is_open else None
    costs = [
        _estimate(folder, run, configuration, name, selection)
        for name in (run.current_step, following)
    ]
    return Outlook(
        cost=costs[0],
        next_cost=costs[1],
        chooses_items=configuration.step(run.current_step).choose == "item",
    )


def _front_matter_models(
    folder: WorkspaceFolder, run: PipelineRun
) -> dict[str, tuple[str, ...]]:
    """Return the models that the document's front matter names; only it is read."""
    if run.uri is None:
        return {}
    head = folder.documents.front_matter_text(run.uri)
    return parse_front_matter(head, run.uri).config.models


def _estimate(
    folder: WorkspaceFolder,
    run: PipelineRun,
    configuration: PipelineConfiguration,
    step: str | None,
    selection: ModelSelection,
) -> str:
    """Return about what the calls of a step cost, "" if a price is not known."""
    if step is None:
        return ""
    spec = configuration.step(step)
    try:
        models = resolve_step_models(spec, run, selection, None).models
    except WriteItError:  # no model is set: the embedded one costs nothing
        return ""
    if len(set(models)) == len(models):
        models *= run.samples or spec.samples
    known, _ = folder.models.known_models(models)
    prices = [known.get(model) for model in models]
    sent = _prompt_tokens(run)
    received = spec.max_tokens or configuration.default("max_tokens", int)
    total = 0.0
    for price in prices:
        if price is None or None in (
            price.input_cost_per_token,
            price.output_cost_per_token,
        ):
            return ""
        total += sent * (price.input_cost_per_token or 0)
        total += (received or USUAL_ANSWER_TOKENS) * (price.output_cost_per_token or 0)
    return f" · {wording.cost_text(total, estimated=True)}"


def _prompt_tokens(run: PipelineRun) -> int:
    """Return the length of the longest prompt so far, else of the inputs."""
    prompts = [
        len(answer.prompt_used)
        for step in run.steps.values()
        for answer in step.ai_responses
    ]
    inputs = sum(map(len, run.user_inputs.values()))
    return max([*prompts, inputs]) // CHARACTERS_PER_TOKEN
