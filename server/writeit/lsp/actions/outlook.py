"""What the titles of actions need besides the run: about what a step will cost."""

from __future__ import annotations

from dataclasses import dataclass

from writeit.domain.blind import hidden_letters
from writeit.domain.errors import WriteItError
from writeit.domain.operations import generate
from writeit.domain.run import PipelineRun, StepStatus
from writeit.engine.precedence import ModelSelection
from writeit.engine.queries import estimate_cost, models_of_step
from writeit.lsp.documents import parse_front_matter
from writeit.lsp.folder import WorkspaceFolder
from writeit.views import wording


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """The costs that titles name, as " · about $0.02", and how a step is chosen."""

    cost: str = ""
    """Of generating the current step, or what is missing of it; "" if unknown."""
    next_cost: str = ""
    """Of the step after it."""
    stale: str = ""
    """What has changed since steps were generated; "" if nothing has."""
    chooses_items: bool = False
    """Whether the items of the current step's answers are offered first."""

    @property
    def old_texts(self) -> str:
        """The end of a title that goes on with the texts as they were."""
        return " with the earlier texts" if self.stale else ""


async def find_outlook(folder: WorkspaceFolder, run: PipelineRun) -> Outlook:
    """Return the outlook of a run; it waits for no provider."""
    try:
        configuration = folder.engine.configuration(run)
    except WriteItError:  # `store verify` reports it
        return Outlook()
    step = run.steps[run.current_step]
    spec = configuration.step(step.step_name)
    chooses_items = spec.choose == "item"
    stale = wording.stale_text(
        folder.documents.stale_steps.get(run.pipeline_run_id, ())
    )
    if run.is_finished:
        return Outlook(chooses_items=chooses_items, stale=stale)
    selection = ModelSelection(
        models=_front_matter_models(folder, run),
        settings=await folder.load_settings(),
        preferences=folder.engine.preferences,
    )

    def cost_of(step: str, models: tuple[str, ...] = ()) -> str:
        named = models or models_of_step(configuration.step(step), run, selection)
        known, _ = folder.models.known_models(named)
        cost = estimate_cost(run, configuration, step, named, known)
        return wording.about_cost(cost)

    lost = tuple(call.model for call in generate.incomplete_calls(step))
    later = run.later_steps(run.current_step)
    is_open = step.status is StepStatus.PENDING
    cost = cost_of(step.step_name, lost)
    return Outlook(
        cost="" if lost and hidden_letters(step) else cost,
        next_cost=cost_of(later[0].step_name) if later and not is_open else "",
        stale=stale,
        chooses_items=chooses_items,
    )


def _front_matter_models(
    folder: WorkspaceFolder, run: PipelineRun
) -> dict[str, tuple[str, ...]]:
    """Return the models that the document's front matter names; only it is read."""
    if run.uri is None:
        return {}
    head = folder.documents.front_matter_text(run.uri)
    return parse_front_matter(head, run.uri).config.models
