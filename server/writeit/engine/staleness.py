"""Which steps of a run would get another prompt today, and a run with today's texts.

A step is stale if its prompt with what the run has recorded and its prompt with what is
there now differ. Both are rendered by today's code, and without feedback of their own,
so that neither an update of WriteIt nor a regeneration makes a step stale.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from urllib.parse import unquote
from uuid import UUID

from writeit.domain import events as e
from writeit.domain.document import RunDocument, SourceFile
from writeit.domain.errors import InvalidPipeline, InvalidTransition
from writeit.domain.operations import lifecycle
from writeit.domain.pipeline import PipelineConfiguration
from writeit.domain.primer import NO_PRIMER
from writeit.domain.run import PipelineRun, StepState
from writeit.domain.run_summary import StaleReason, StaleStep, TodaysTexts
from writeit.engine.precedence import input_value, pin_primer, resolve_inputs
from writeit.engine.prepared import EngineServices, StepContext
from writeit.ports.store import Store
from writeit.text.lines import LINE_END

_Recipe = tuple[PipelineConfiguration, PipelineRun]
"""What the prompts of a run are made from."""


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


def _with_todays_source(
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
        document = _ignoring_line_ends(run.document, document)
        if run.output == "review" and not document.notes:  # they may have been found
            document = document.evolve(notes=run.document.notes)
    inputs = _todays_inputs(configuration, run, front_matter, document)
    return run.evolve(document=document, user_inputs=inputs)


def _ignoring_line_ends(recorded: RunDocument, today: RunDocument) -> RunDocument:
    """Return today's document; a text with only other line ends is the recorded one.

    Spaces there count as little: editors remove them, and end the last line, when they
    save. Where the file is now is no change of its text either.
    """

    def keep(old: str, new: str) -> str:
        is_same = old == new or _without_spaces(old) == _without_spaces(new)
        return old if is_same else new

    def keep_file(file: SourceFile) -> SourceFile:
        return file.evolve(text=keep(old.get(file.name, ""), file.text))

    old = {file.name: file.text for file in recorded.files}
    return today.evolve(
        path=recorded.path,
        first_line=recorded.first_line,
        text=keep(recorded.text, today.text),
        notes=tuple(map(keep_file, today.notes)),
        context=tuple(map(keep_file, today.context)),
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
        value = input_value(spec, {}, front_matter, document)
        is_named = spec.name not in run.front_matter_inputs and recorded != input_value(
            spec, {}, {}, run.document
        )
        if recorded is not None and (is_named or spec.value_problem(value)):
            value = recorded
        values[spec.name] = value
    return values


def _with_todays_primer(
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


def _with_todays_texts(
    run: PipelineRun, pinned: PipelineConfiguration, today: TodaysTexts
) -> PipelineRun:
    primed = _with_todays_primer(run, pinned, today)
    return _with_todays_source(primed, today.configuration or pinned, today)


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
    whole = (today.configuration or pinned, _with_todays_texts(run, pinned, today))

    async def render(recipe: _Recipe, step: StepState) -> str:
        configuration, made = recipe
        if step.step_name not in configuration.step_names:
            return ""
        context = StepContext(made, step, configuration, services)
        try:
            return await context.build_prompt(today.own_pipelines)
        except InvalidPipeline:  # it is told when it is generated
            return ""

    async def changes_of(step: StepState) -> list[StaleReason]:
        recorded = await render((pinned, run), step)
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
        sourced = _with_todays_source(run, pinned, only)
        if sourced != run:
            name = reason or unquote(run.uri or "").rpartition("/")[2]
            key = StaleReason("source", name, is_named=bool(reason))
            changes[key] = (pinned, sourced)
    now = today.configuration or pinned
    if now.configuration_id != pinned.configuration_id:
        changes[StaleReason("pipeline", now.name)] = (now, run)
    primed = _with_todays_primer(run, pinned, today)
    if primed.primer != run.primer:
        name = primed.primer.primer_id if primed.primer else NO_PRIMER
        changes[StaleReason("primer", name)] = (pinned, primed)
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
    today = _ignoring_line_ends(recorded, today)
    alone: list[tuple[str, RunDocument]] = []
    for key in ("notes", "context"):
        old, new = ({f.name: f for f in getattr(d, key)} for d in (recorded, today))
        for name in {**old, **new}:
            before, now = old.get(name), new.get(name)
            if before is None or now is None or before.text != now.text:
                only = tuple(filter(None, {**old, name: now}.values()))
                alone.append((name, recorded.evolve(**{key: only})))
    files = {"notes": recorded.notes, "context": recorded.context} if alone else {}
    yield "", today.evolve(**files)
    yield from alone


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
    child = _with_todays_texts(run, pinned, today)
    resolve_inputs(configuration, child.user_inputs, {}, child.document)
    changes = {
        "configuration_id": configuration.configuration_id,
        "steps": steps | {name: run.steps[name] for name in shared},
        "models": {step: run.models[step] for step in run.models if step in names},
        "name": None,
    }
    return lifecycle.branch_event(child, names[len(shared)], child_id, now, changes)


def has_same_texts(one: PipelineRun, other: PipelineRun) -> bool:
    """Return whether a refresh made both runs, from the same texts."""
    fields = ("configuration_id", "document", "user_inputs", "primer", "branch_point")
    return all(getattr(one, name) == getattr(other, name) for name in fields)
