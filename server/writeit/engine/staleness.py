"""Which steps of a run would get another prompt today, and a run with today's texts.

A step is stale if its prompt with what the run has recorded and its prompt with what is
there now differ. Both are rendered by today's code, and without feedback of their own,
so that neither an update of WriteIt nor a regeneration makes a step stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from urllib.parse import unquote
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.document import RunDocument
from writeit.domain.errors import InvalidParams, InvalidPipeline, InvalidTransition
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import NO_PRIMER
from writeit.domain.run import PipelineRun, PipelineStatus, StepState
from writeit.domain.run_summary import StaleReason, StaleStep, TodaysTexts
from writeit.engine.precedence import input_value, pin_primer
from writeit.engine.prepared import EngineServices, StepContext
from writeit.ports.store import Store
from writeit.text.lines import LINE_END


@dataclass(frozen=True, slots=True)
class _Recipe:
    """What the prompts of a run are made from."""

    configuration: PipelineConfiguration
    run: PipelineRun


def without_own_text(store: Store, run: PipelineRun, today: TodaysTexts) -> TodaysTexts:
    """Return today's texts without the document if its text is the run's own.

    That is so if the run, or one it was branched from, was applied to its source.
    """
    member: PipelineRun | None = run
    while member is not None:
        if any(t.uri == run.uri and t.mode != "new_file" for t in member.applied):
            return replace(today, document=None)
        parent = member.parent_pipeline_run_id
        stored = store.get_run(parent) if parent else None
        member = stored.run if stored else None
    return today


def with_todays_source(
    run: PipelineRun, configuration: PipelineConfiguration, today: TodaysTexts
) -> PipelineRun:
    """Return the run with today's document and inputs, as far as they are there."""
    document, front_matter = today.document, today.front_matter_inputs
    if document is None:
        document = run.document
        front_matter = {
            name: run.user_inputs[name]
            for name in run.front_matter_inputs
            if name in run.user_inputs
        }
    else:
        document = _but_for_spaces(run.document, document)
        if run.output == "review" and not document.notes:  # they may have been found
            document = document.evolve(notes=run.document.notes)
    inputs = _todays_inputs(configuration, run, front_matter, document)
    return run.evolve(document=document, user_inputs=inputs)


def _but_for_spaces(recorded: RunDocument, today: RunDocument) -> RunDocument:
    """Return today's document; a text with only other line ends is the recorded one.

    Spaces there count as little: editors remove them, and end the last line, when they
    save. Where the file is now is no change of its text either.
    """

    def keep(old: str, new: str) -> str:
        return old if _without_spaces(old) == _without_spaces(new) else new

    old = {file.name: file.text for file in recorded.files}
    notes, context = (
        tuple(
            file.evolve(text=keep(old.get(file.name, ""), file.text)) for file in files
        )
        for files in (today.notes, today.context)
    )
    return today.evolve(
        path=recorded.path,
        first_line=recorded.first_line,
        text=keep(recorded.text, today.text),
        notes=notes,
        context=context,
    )


def _without_spaces(text: str) -> str:
    return "\n".join(map(str.rstrip, LINE_END.split(text))).rstrip()


def _todays_inputs(
    configuration: PipelineConfiguration,
    run: PipelineRun,
    front_matter: Mapping[str, str],
    document: RunDocument,
) -> dict[str, str]:
    """Return the inputs that a run would have today.

    What the user named stays. The recorded value stays, too, where today's is not
    valid. Of a run that did not record what its front matter gave, that stays.
    """
    values: dict[str, str] = {}
    for spec in configuration.inputs:
        recorded = run.user_inputs.get(spec.name)
        is_named = spec.name not in run.front_matter_inputs and recorded not in {
            None,
            input_value(spec, {}, {}, run.document),
        }
        named = {spec.name: recorded} if is_named and recorded is not None else {}
        value = input_value(spec, named, front_matter, document)
        is_valid = not spec.value_problem(value)
        values[spec.name] = value if is_valid or recorded is None else recorded
    return values


def with_todays_primer(
    run: PipelineRun, pinned: PipelineConfiguration, today: TodaysTexts
) -> PipelineRun:
    """Return the run with the style primer that it would have today.

    That is the same one in its version of today, unless front matter names another one
    now. A primer that the user chose for this run stays.
    """
    recorded = run.primer.primer_id if run.primer else None
    named_before = run.document.primer
    named = today.document.primer if today.document else None
    default = pinned.default("style_primer", str)
    is_named = named and named != named_before
    if is_named and (named_before or recorded in {None, default}):
        if named == NO_PRIMER:
            return run.evolve(primer=None)
        recorded = named
    primer = pin_primer(today.primers.get(recorded or ""))
    return run if primer is None or primer == run.primer else run.evolve(primer=primer)


def _of_today(
    run: PipelineRun, pinned: PipelineConfiguration, today: TodaysTexts
) -> PipelineRun:
    primed = with_todays_primer(run, pinned, today)
    return with_todays_source(primed, today.configuration or pinned, today)


async def find_stale_steps(
    services: EngineServices,
    run: PipelineRun,
    pinned: PipelineConfiguration,
    today: TodaysTexts,
) -> tuple[StaleStep, ...]:
    """Return the stale steps in order; nothing is rendered if nothing has changed."""
    changes = _find_changes(run, pinned, today)
    if not changes:
        return ()
    whole = _Recipe(today.configuration or pinned, _of_today(run, pinned, today))

    async def render(recipe: _Recipe, step: StepState) -> str:
        if step.step_name not in recipe.configuration.step_names:
            return ""
        context = StepContext(recipe.run, step, recipe.configuration, services)
        try:
            return await context.build_prompt(today.own_pipelines)
        except InvalidPipeline:  # it is told when it is generated
            return ""

    async def changes_of(step: StepState) -> list[StaleReason]:
        recorded = await render(_Recipe(pinned, run), step)
        if await render(whole, step) == recorded:
            return []
        alone = [r for r, one in changes.items() if await render(one, step) != recorded]
        return alone or list(changes)

    stale: list[StaleStep] = []
    for step in (step for step in run.steps.values() if step.ai_responses):
        reasons = await changes_of(step)
        if stale:
            reasons.append(StaleReason("step", stale[0].step))
        if reasons:
            stale.append(StaleStep(step.step_name, tuple(reasons)))
    return tuple(stale)


def _find_changes(
    run: PipelineRun, pinned: PipelineConfiguration, today: TodaysTexts
) -> dict[StaleReason, _Recipe]:
    """Return what has changed, each with the prompts' ingredients if only it had."""
    changes: dict[StaleReason, _Recipe] = {}
    for reason, document in _changed_sources(run.document, today.document):
        only = replace(today, document=document)
        sourced = with_todays_source(run, pinned, only)
        if sourced != run:
            name = reason or unquote(run.uri or "").rpartition("/")[2]
            key = StaleReason("source", name, is_named=bool(reason))
            changes[key] = _Recipe(pinned, sourced)
    now = today.configuration or pinned
    if now.configuration_id != pinned.configuration_id:
        changes[StaleReason("pipeline", now.name)] = _Recipe(now, run)
    primed = with_todays_primer(run, pinned, today)
    if primed.primer != run.primer:
        name = primed.primer.primer_id if primed.primer else NO_PRIMER
        changes[StaleReason("primer", name)] = _Recipe(pinned, primed)
    return changes


def _changed_sources(
    recorded: RunDocument, today: RunDocument | None
) -> Iterator[tuple[str, RunDocument | None]]:
    """Yield the name of each changed file, "" for the document, and what it makes.

    That is the document if only this file had changed. The order of files is of the
    document, which names them.
    """
    if today is None:
        yield "", None
        return
    today = _but_for_spaces(recorded, today)
    unchanged = {"notes": recorded.notes, "context": recorded.context}
    names: list[tuple[str, str]] = []
    for key, before in unchanged.items():
        old = {file.name: file.text for file in before}
        new = {file.name: file.text for file in getattr(today, key)}
        names += [(key, n) for n in {**old, **new} if old.get(n) != new.get(n)]
    yield "", today.evolve(**unchanged) if names else today
    for key, name in names:
        now = [file for file in getattr(today, key) if file.name == name]
        files = [now if file.name == name else [file] for file in unchanged[key]]
        files += [] if now in files else [now]
        yield name, recorded.evolve(**{key: tuple(chain(*files))})


def refresh(
    run: PipelineRun,
    stale: tuple[StaleStep, ...],
    pinned: PipelineConfiguration,
    today: TodaysTexts,
    child_id: UUID,
    now: datetime,
) -> e.RunBranched:
    """Return the first event of a branch with today's texts.

    It shares the steps before the first stale one; none if the names of the steps up to
    there are others today.

    Raises:
        InvalidTransition: nothing is stale.
        InvalidParams: an input that the pipeline has now has no value.
    """
    if not stale:
        raise InvalidTransition(
            "Nothing has changed since this run was generated.",
            state=run.status.value,
            attempted="run_branched",
            hint="To get other answers, regenerate a step.",
        )
    configuration = today.configuration or pinned
    names = configuration.step_names
    shared = run.step_names[: run.step_names.index(stale[0].step)]
    if names[: len(shared)] != shared or len(names) == len(shared):
        shared = []
    steps = {name: StepState(step_name=name) for name in names}
    steps |= {name: run.steps[name] for name in shared}
    child = _of_today(run, pinned, today)
    _check_inputs(configuration, child)
    return e.RunBranched(
        at=now,
        run=child.evolve(
            pipeline_run_id=child_id,
            parent_pipeline_run_id=run.pipeline_run_id,
            configuration_id=configuration.configuration_id,
            branch_point=names[len(shared)],
            created_at=now,
            updated_at=now,
            current_step=names[len(shared)],
            status=PipelineStatus.RUNNING if shared else PipelineStatus.INITIALIZING,
            steps=steps,
            models={
                step: chosen for step, chosen in run.models.items() if step in names
            },
            name=None,
            applied=(),
        ),
    )


def has_same_texts(one: PipelineRun, other: PipelineRun) -> bool:
    """Return whether a refresh made both runs, from the same texts."""
    fields = ("configuration_id", "document", "user_inputs", "primer", "branch_point")
    return all(getattr(one, name) == getattr(other, name) for name in fields)


def _check_inputs(configuration: PipelineConfiguration, child: PipelineRun) -> None:
    """Refuse a branch that `run.start` would refuse: an input has no value."""
    problems = [
        {"path": f"inputs.{spec.name}", "message": problem}
        for spec in configuration.inputs
        if (problem := spec.value_problem(child.user_inputs.get(spec.name, "")))
    ]
    if problems:
        names = ", ".join(p["path"].removeprefix("inputs.") for p in problems)
        raise InvalidParams(
            f"The pipeline {configuration.name} needs values that this run does not"
            f" have: {names}. Nothing was changed.",
            hint="Give them in the front matter of the document, or start a new run.",
            problems=problems,
        )
