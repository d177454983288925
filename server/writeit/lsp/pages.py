"""Views as pages: what stands at a `writeit:` URI right now."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never
from urllib.parse import unquote

from writeit.core import decide
from writeit.core.errors import NotFound
from writeit.core.merge3 import merge
from writeit.core.placing import placed
from writeit.engine.family import family_of, root_of
from writeit.engine.requests import Ask
from writeit.engine.resolve import Wishes
from writeit.engine.sums import summed
from writeit.library.frontmatter import split
from writeit.lsp.documents import binding_of, text_of
from writeit.views import uris
from writeit.views.compare import Compared, compared, comparison_parts
from writeit.views.markers import assembled
from writeit.views.prompt import PromptModel, render_prompt
from writeit.views.reading import for_reading
from writeit.views.response import content_of, render_content, response_parts
from writeit.views.run import render_run
from writeit.views.step import step_parts
from writeit.views.tree import TreeNode
from writeit.views.usage import render_usage
from writeit.views.words import origin_of

if TYPE_CHECKING:
    from uuid import UUID

    from writeit.core.run import PipelineRun
    from writeit.engine.family import Kin
    from writeit.engine.sums import By, Sum
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder
    from writeit.ports import Store
    from writeit.views.markers import Parts
    from writeit.views.reading import Reading
    from writeit.views.uris import Side, View


def run_of_view(view: View) -> UUID | None:
    """Return the run that decides which folder a view is of; None for usage."""
    match view:
        case uris.CompareView():
            return view.right.run_id
        case uris.UsageView():
            return None
        case _:
            return view.run_id


def concerns(store: Store, view: View, changed: set[UUID]) -> bool:
    """Say whether a view shows one of the runs that changed, or of its family."""
    match view:
        case uris.UsageView():
            return True
        case uris.RunView():
            if view.run_id in changed:
                return True
            root = root_of(store, view.run_id)
            return any(root_of(store, run_id) == root for run_id in changed)
        case uris.CompareView():
            return not changed.isdisjoint({view.left.run_id, view.right.run_id})
        case _:
            return view.run_id in changed


async def page(connection: Connection, folder: Folder, view: View) -> str:
    """Return a view as a text the writer can type into.

    Raises:
        NotFound: what it shows is not there.
    """
    return assembled(await _parts(connection, folder, view, editable=True))


async def reading(connection: Connection, folder: Folder, view: View) -> Reading:
    """Return a view as a text to read, and where its sections stand.

    Raises:
        NotFound: what it shows is not there.
    """
    return for_reading(await _parts(connection, folder, view, editable=False))


async def _parts(  # noqa: PLR0911 -- one return a view
    connection: Connection, folder: Folder, view: View, *, editable: bool
) -> Parts:
    engine = folder.engine
    match view:
        case uris.RunView():
            run = await engine.show(view.run_id)
            link = uris.link_from_run if editable else uris.uri_of
            return [render_run(run, family(folder.store, run), link=link)]
        case uris.StepView():
            run = await engine.show(view.run_id)
            return step_parts(
                run,
                view.step,
                description=_about(folder, run, view.step),
                editable=editable,
            )
        case uris.ResponseView():
            run = await engine.show(view.run_id)
            return response_parts(run, view.step, view.response_id)
        case uris.ContentView():
            return [render_content(await engine.show(view.run_id), view.step)]
        case uris.CompareView():
            left = await _side(connection, folder, view.left)
            right = await _side(connection, folder, view.right)
            return comparison_parts(left, right)
        case uris.PromptView():
            return [await _prompt(connection, folder, view)]
        case uris.UsageView():
            return [_usage(folder.store)]
        case _:
            assert_never(view)


def _about(folder: Folder, run: PipelineRun, step: str) -> str:
    configuration = folder.engine.configuration(run)
    if step not in configuration.step_names:
        return ""
    return configuration.step(step).description


async def _prompt(connection: Connection, folder: Folder, view: uris.PromptView) -> str:
    run = await folder.engine.show(view.run_id)
    binding = binding_of(connection, run)
    wishes = Wishes(
        models=binding.models,
        providers=binding.providers,
        settings=await connection.settings(folder),
        preferences=folder.engine.session.preferences,
    )
    shown = await folder.engine.preview(
        Ask(run_id=view.run_id, step=view.step, wishes=wishes)
    )
    models = [
        PromptModel(
            id=model.id,
            prompt_tokens=model.prompt_tokens,
            context_window=model.context_window,
            fits=model.fits,
            min_cost_usd=model.min_cost_usd,
            max_cost_usd=model.max_cost_usd,
            destination=model.destination,
            allowed=model.allowed,
        )
        for model in shown.models
    ]
    return render_prompt(run, view.step, shown.prompt, models)


async def _side(connection: Connection, folder: Folder, side: Side) -> Compared:
    run = await folder.engine.show(side.run_id)
    if side.response not in {"document", "proposed"}:
        return compared(run, side)
    state = decide.step_of(run, side.step)
    uri = next((a.uri for a in reversed(run.applied)), run.uri)
    if uri is None:
        raise NotFound(
            "The run was not started on a document; there is none to compare with.",
            hint="Compare two answers, or what two steps hand on.",
        )
    title = f"your text, {unquote(uri).rpartition('/')[2]}"
    text = split(text_of(connection, uri)).body
    if side.response == "proposed":
        goal = placed(run.document, content_of(state), run.output)
        text = merge(goal.base, goal.theirs, text).text
        title = f"the text of {side.step} in it"
    return Compared(title=title, origin=origin_of(run), text=text)


def _usage(store: Store) -> str:
    records = list(store.usage())
    kinds: tuple[By, ...] = ("model", "day", "pipeline")
    sums: dict[str, list[Sum]] = {by: summed(records, by)[0] for by in kinds}
    return render_usage(sums, summed(records, "model")[1])


def family(store: Store, run: PipelineRun) -> TreeNode:
    """Return a run's whole family, from its root."""
    return _node(family_of(store, root_of(store, run.pipeline_run_id)))


def _node(kin: Kin) -> TreeNode:
    summary = kin.summary
    title = "" if summary.parent_run_id else summary.title
    return TreeNode(
        run_id=summary.run_id,
        name=summary.name or title,
        status=summary.status,
        current_step=summary.current_step,
        branch_point=summary.branch_point,
        cost_usd=summary.cost_usd,
        deleted=summary.deleted,
        children=tuple(map(_node, kin.children)),
        more=kin.more,
    )
