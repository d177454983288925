"""`writeit search`: find words in the texts of all runs of a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import get_args
from uuid import UUID

import click

from writeit.cli.output import (
    DATE,
    Theme,
    echo,
    echo_styled,
    json_option,
    print_json,
)
from writeit.cli.workspace import has_store, open_existing_workspace, run_async
from writeit.domain.blind import hidden_in
from writeit.ports.store import SearchHit, SearchPlace, SearchQuery, Store
from writeit.text.lines import make_visible
from writeit.views import wording


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--document",
    type=click.Path(path_type=Path),
    help="Only runs that this document is the source of, or has a text of.",
)
@click.option("--model", help="Only answers of this model, and their prompts.")
@click.option("--since", type=DATE, metavar="DATE", help="Only texts since then.")
@click.option("--in", "places", type=click.Choice(get_args(SearchPlace)), multiple=True)
@click.option("-n", "--limit", type=click.IntRange(1, 10_000), default=20)
@json_option
@click.pass_context
def search(  # noqa: PLR0913 -- one parameter an option
    context: click.Context,
    *,
    words: tuple[str, ...],
    document: Path | None,
    model: str | None,
    since: datetime | None,
    places: tuple[SearchPlace, ...],
    limit: int,
    as_json: bool,
) -> None:
    """Find the texts of runs that have all WORDS, the newest first.

    Case and accents do not count. 'wor*' is the beginning of a word, "two words" are
    a phrase.
    """
    query = SearchQuery(
        text=" ".join(f'"{word}"' if " " in word else word for word in words),
        places=places,
        uri=document.resolve().as_uri() if document else None,
        model=model,
        since=since.astimezone(UTC) if since else None,
        limit=limit,
    )
    if has_store(Path.cwd(), context):
        run_async(_print_hits(context, query, as_json=as_json))
    elif as_json:
        echo("[]")
    else:
        echo("No runs here yet. `writeit` shows how to start one.", err=True)


async def _find(store: Store, query: SearchQuery) -> tuple[list[SearchHit], str | None]:
    """Return the hits, and a cursor if there are more than the limit."""
    page = await store.search(query)
    if page.partial:
        echo("Indexing the run history…", err=True)
    while page.partial:
        page = await store.search(query)
    hits = page.hits
    while len(hits) < query.limit and page.next_cursor:
        limit = query.limit - len(hits)
        page = await store.search(replace(query, limit=limit, cursor=page.next_cursor))
        hits += page.hits
    return hits, page.next_cursor


async def _print_hits(
    context: click.Context, query: SearchQuery, *, as_json: bool
) -> bool:
    async with open_existing_workspace(Path.cwd(), context) as workspace:
        hits, cursor = await _find(workspace.store, query)
        if as_json:
            print_json([_hit_to_json(hit) for hit in hits])
            return True
        theme = Theme(workspace.engine.preferences.theme)
        for run_id, of_run in groupby(hits, key=lambda hit: hit.run_id):
            stored = workspace.store.get_run(run_id)
            if stored is None:
                continue  # it was deleted meanwhile
            run, hidden = stored.run, hidden_in(stored.run)
            when = theme.style_dim(f"{run.created_at:%Y-%m-%d %H:%M}")
            label = theme.style_bold(wording.run_label(run))
            echo_styled(f"{run_id}  {when}  {label}")
            for place, those in groupby(of_run, partial(_place_label, hidden)):
                echo_styled(f"  {theme.style_dim(place)}")
                for hit in those:
                    echo_styled(f"    {make_visible(hit.match.excerpt)}")
        if not hits:
            echo("Nothing was found.", err=True)
        if cursor is not None:
            echo(f"More: --limit {2 * query.limit}", err=True)
    return True


def _place_label(hidden: Mapping[UUID, str], hit: SearchHit) -> str:
    text = hit.text
    what = text.model or "your words" if text.place == "answer" else text.place
    if text.place == "answer" and (key := text.response_id) and key in hidden:
        what = f"answer {hidden[key]}"
    return " · ".join(filter(None, (text.step, what)))


def _hit_to_json(hit: SearchHit) -> dict[str, object]:
    text = hit.text
    return {
        "run_id": str(hit.run_id),
        "step": text.step,
        "response_id": text.response_id and str(text.response_id),
        "in": text.place,
        "model": text.model,
        "at": text.at.isoformat(),
        "line": hit.match.line,
        "excerpt": hit.match.excerpt,
    }
