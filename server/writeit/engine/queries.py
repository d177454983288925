"""Queries that change nothing: the preview of a step, usage sums and run trees."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from uuid import UUID

from writeit.domain.document import SourceFile
from writeit.domain.entity import ModelPreview
from writeit.domain.errors import InvalidTransition, NotFound
from writeit.domain.model_id import check_model_id
from writeit.domain.operations import generate
from writeit.domain.pipeline import PipelineConfiguration, StepSpec
from writeit.domain.run import PipelineRun, StepState
from writeit.domain.run_summary import RunNode, RunSummary
from writeit.engine import data_policy
from writeit.engine.limits import max_cost, min_cost
from writeit.engine.precedence import ModelSelection, resolve_step_models
from writeit.engine.prepared import StepContext, context_window_error, estimate_call
from writeit.engine.requests import GenerateStep, resolve_models
from writeit.ports.models import CallEstimate, ModelCall, ModelInfo
from writeit.ports.store import RunQuery, Store
from writeit.text.front_matter import with_providers


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPreview:
    """A prompt as it would be sent, and the models that would get it."""

    prompt: str
    models: list[ModelPreview]
    new_file_head: str = ""
    """What a new file made of the run begins with: the allowed providers."""


async def build_preview(request: GenerateStep, context: StepContext) -> StepPreview:
    """Return what a step would send, even if it already has answers.

    Raises:
        InvalidParams: a model id has characters that none has.
        InvalidTransition: an earlier step is not done.
        InvalidPipeline: the template cannot be rendered.
        NotFound: a provider is not known.
    """
    _check_reachable(context.run, context.state)
    prompt = await context.build_prompt(request.model_selection.own_pipelines)
    named = await _models_to_preview(request, context)
    for model in named:
        check_model_id(model)
    estimated = await asyncio.gather(
        *(
            estimate_call(context, model, prompt, request.model_selection)
            for model in named
        )
    )
    selection = request.model_selection
    policy = data_policy.resolve_allowed_providers(
        context.services.store,
        context.run,
        selection.providers,
        selection.file_providers,
    )
    unknown = await data_policy.find_unknown_provider(context.services.models, policy)
    models = [
        _model_preview(
            call, estimate, allowed=unknown is None and policy.allows(call.model)
        )
        for call, estimate in estimated
    ]
    is_new_file = context.run.output == "new_file"
    head = with_providers("", policy.providers) if is_new_file else ""
    return StepPreview(prompt=prompt, models=models, new_file_head=head)


def _check_reachable(run: PipelineRun, state: StepState) -> None:
    names = run.step_names
    if names.index(state.step_name) <= names.index(run.current_step):
        return
    raise InvalidTransition(
        f"The prompt of {state.step_name} needs the earlier step {run.current_step},"
        " which is not done.",
        state=state.status.value,
        attempted="step_previewed",
        hint=f"Choose an answer of {run.current_step} first, or skip it.",
    )


async def _models_to_preview(
    request: GenerateStep, context: StepContext
) -> Sequence[str]:
    """Return the models named, else those of the latest calls, else the step's."""
    models: Iterable[str] = request.models or ()
    if not models:
        state = context.state
        calls = generate.incomplete_calls(state) or generate.latest_calls(state)
        models = [call.model for call in calls]
    if not models:
        with suppress(NotFound):  # the prompt is shown without any model
            models = (await resolve_models(context, request.model_selection)).models
    return tuple(dict.fromkeys(models))


def _model_preview(
    call: ModelCall, estimate: CallEstimate, *, allowed: bool
) -> ModelPreview:
    known = estimate.context_window is not None
    return ModelPreview(
        id=call.model,
        prompt_tokens=estimate.prompt_tokens,
        context_window=estimate.context_window,
        fits=context_window_error(call, estimate) is None if known else None,
        min_cost_usd=min_cost(estimate),
        max_cost_usd=max_cost(call, estimate),
        destination=estimate.destination,
        allowed=allowed,
    )


CHARACTERS_PER_TOKEN = 4
USUAL_ANSWER_TOKENS = 1_000
"""The length of an answer where the pipeline sets no limit."""


def models_of_step(
    spec: StepSpec, run: PipelineRun, selection: ModelSelection
) -> tuple[str, ...]:
    """Return the model of each call of a step, () for the embedded one alone."""
    try:
        models = resolve_step_models(spec, run, selection, None).models
    except NotFound:
        return ()
    is_set = len(set(models)) < len(models)
    return models if is_set else models * (run.samples or spec.samples)


def estimate_cost(
    run: PipelineRun,
    configuration: PipelineConfiguration,
    step: str,
    models: Sequence[str],
    known: Mapping[str, ModelInfo],
) -> float | None:
    """Return about what calls of a step cost in US dollars, None if unknown.

    A prompt counts as long as the longest so far, else as the inputs.
    """
    prices = [
        (info.input_cost_per_token, info.output_cost_per_token)
        for model in models
        if (info := known.get(model))
    ]
    if not models or len(prices) < len(models):
        return None
    answers = [r for state in run.steps.values() for r in state.ai_responses]
    prompts = [len(answer.prompt_used) for answer in answers]
    sent = max([*prompts, sum(map(len, run.user_inputs.values()))])
    limit = configuration.default("max_tokens", int)
    received = configuration.step(step).max_tokens or limit or USUAL_ANSWER_TOKENS
    costs = [
        sent // CHARACTERS_PER_TOKEN * into + received * out
        for into, out in prices
        if into is not None and out is not None
    ]
    return sum(costs) if len(costs) == len(models) else None


MAX_REVIEWS = 50
"""How many reviews of a document are read, the newest first."""


def read_reviews(store: Store, uri: str) -> list[PipelineRun]:
    """Return the reviews of a document, newest first."""
    page = store.list_runs(RunQuery(uri=uri, passages=True, limit=200))
    found = islice((run for run in page.runs if run.is_review), MAX_REVIEWS)
    stored = (store.get_run(summary.run_id) for summary in found)
    return [each.run for each in stored if each is not None]


def find_notes(store: Store, uri: str) -> tuple[SourceFile, ...]:
    """Return what the newest run that made a document's text was about; maybe ()."""
    for summary in list_all_runs(store, uri):
        stored = store.get_run(summary.run_id) if uri in summary.applied_to else None
        if stored is not None and not summary.passage:
            run, document = stored.run, stored.run.document
            own = SourceFile(
                name=run.title,
                uri=run.uri or "",
                text=document.text,
                providers=document.providers,
            )
            return (own, *document.notes)
    return ()


LAST_RUN = "last"
"""Names the newest run."""


def list_all_runs(store: Store, uri: str | None = None) -> Iterator[RunSummary]:
    """Return all runs of a store, or of a document in it, newest first."""
    older_than: UUID | None = None
    while True:
        page = store.list_runs(RunQuery(uri=uri, limit=200, older_than=older_than))
        yield from page.runs
        older_than = page.next_older_than
        if older_than is None:
            return


def find_run_id(store: Store, named: str) -> UUID:
    """Return the id of the run that the user names.

    By its id, the beginning of it, `last` for the newest, or its name or title.

    Raises:
        NotFound: no run is named so, or several are.
    """
    with suppress(ValueError):
        return UUID(named)
    name = named.casefold()
    runs = list_all_runs(store)
    if name == LAST_RUN:
        found = list(islice(runs, 1))
    else:
        every = list(runs)
        found = [run for run in every if name and str(run.run_id).startswith(name)]
        found = found or [
            run
            for run in every
            if (run.name or run.passage or run.title).casefold() == name
        ]
    if len(found) == 1:
        return found[0].run_id
    if not found:
        raise NotFound(
            f"No run is called {named!r} or starts with it.",
            hint="List runs with: writeit log",
        )
    listed = ", ".join(str(run.run_id) for run in found[:5])
    raise NotFound(
        f"{named!r} names {len(found)} runs.",
        hint=f"Use more of the id of one of them: {listed}",
    )


MAX_TREE_DEPTH = 100
"""How many levels of branches are read."""
MAX_PASSAGES = 20
"""How many runs about passages a tree shows."""


def find_root_run(store: Store, run_id: UUID) -> UUID:
    """Return the first ancestor of a run, or the run itself."""
    while (summary := store.summary(run_id)) and summary.parent_run_id:
        run_id = summary.parent_run_id
    return run_id


def find_document_run(store: Store, run: RunSummary) -> UUID | None:
    """Return the run that a run about a passage, or a review, is listed under.

    It is the newest run on the whole document.
    """
    if not (run.passage or run.is_review) or run.uri is None:
        return None
    page = store.list_runs(RunQuery(uri=run.uri, passages=False, limit=1))
    return page.runs[0].run_id if page.runs else None


def find_shown_root(store: Store, run_id: UUID) -> UUID:
    """Return the root of the tree that shows a run; for a passage its document's."""
    root = find_root_run(store, run_id)
    summary = store.summary(root)
    listed_under = summary and find_document_run(store, summary)
    return find_root_run(store, listed_under) if listed_under else root


def read_full_tree(store: Store, run_id: UUID) -> RunNode:
    """Return the tree that a run belongs to from its root, with its passages."""
    tree = read_run_tree(store, find_root_run(store, run_id))
    root = tree.summary.run_id
    pages = [
        store.list_runs(RunQuery(uri=uri, passages=True, limit=MAX_PASSAGES))
        for uri in _document_uris(tree)
    ]
    found = {
        run.run_id: run
        for page in pages
        for run in page.runs
        if run.parent_run_id is None and find_shown_root(store, run.run_id) == root
    }
    found.pop(root, None)
    newest = sorted(found.values(), key=lambda run: run.created_at, reverse=True)
    is_cut = any(page.next_older_than for page in pages) or newest[MAX_PASSAGES:]
    passages = (read_run_tree(store, run.run_id) for run in newest[:MAX_PASSAGES])
    return replace(tree, passages=tuple(passages), more=tree.more or bool(is_cut))


def _document_uris(node: RunNode) -> set[str]:
    below = (_document_uris(child) for child in node.children)
    return set(node.summary.documents).union(*below)


def read_run_tree(store: Store, run_id: UUID, depth: int = MAX_TREE_DEPTH) -> RunNode:
    """Return a run with all its branches.

    Raises:
        LookupError: the store is inconsistent; `store verify` says where.
    """
    summary = store.summary(run_id)
    if summary is None:
        raise LookupError(f"run {run_id} is listed as a child and has no summary")
    children = store.children(run_id)
    below = (
        (read_run_tree(store, child, depth - 1) for child in children) if depth else ()
    )
    return RunNode(summary, tuple(below), more=bool(children) and not depth)
