"""Carries runs along when their documents were renamed or moved.

Editors tell of a rename; git and file managers do not. Then a document without runs is
compared with what runs have stored of documents that are gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from uuid import UUID

from writeit.domain.events import TextApplied
from writeit.domain.operations import lifecycle
from writeit.domain.run_summary import RunSummary
from writeit.engine.engine import Engine
from writeit.engine.queries import list_all_runs
from writeit.ports.store import RunQuery, Store
from writeit.text.diff import count_words, most_similar
from writeit.text.lines import LINE_END

PAGE_RUNS = 200
"""Runs read before other work has its turn, and those looked at for a lost document."""


def find_moved(uri: str, moves: Mapping[str, str]) -> str | None:
    """Return the URI of a document after the moves, None if it was not moved.

    `moves` are the new URIs of files and folders by their old ones.
    """
    for old, new in moves.items():
        if uri == old or uri.startswith(f"{old}/"):
            return new + uri[len(old) :]
    return None


async def move_documents(
    engine: Engine, moves: Mapping[str, str], *, has_folder: bool
) -> list[UUID]:
    """Record in each run that documents have new URIs; return the runs.

    `moves` are the new URIs of files and folders by their old ones, all at once: two
    names may have been swapped. Without folders only the files' own runs are read.

    Raises:
        StoreError: the runs before this one are moved, the others are not.
    """

    def find_uri(uri: str) -> str | None:
        return find_moved(uri, moves)

    active: dict[str, UUID] = {}
    moved: list[UUID] = []
    async for summary in _runs_on(engine.store, moves, find_uri, has_folder=has_folder):
        moved.append(summary.run_id)
        for uri in summary.documents:
            if engine.store.active_run_of(uri) == summary.run_id:
                active[find_uri(uri) or uri] = summary.run_id
    for run_id in moved:
        await engine.execute(
            run_id, lambda run, now: lifecycle.move_documents(run, now, find_uri)
        )
    for uri, run_id in active.items():
        # Of two swapped names the first has overwritten what the second was about.
        if engine.store.active_run_of(uri) != run_id:
            run = await engine.load_run(run_id)
            await engine.transactions.save_session(activated=run)
    return moved


async def _runs_on(
    store: Store,
    moves: Mapping[str, str],
    find_uri: Callable[[str], str | None],
    *,
    has_folder: bool,
) -> AsyncIterator[RunSummary]:
    """Yield the runs with a document that was moved, each once."""
    seen: set[UUID] = set()
    for uri in [None] if has_folder else list(moves):
        for number, summary in enumerate(list_all_runs(store, uri), 1):
            if summary.run_id not in seen and any(map(find_uri, summary.documents)):
                seen.add(summary.run_id)
                yield summary
            if number % PAGE_RUNS == 0:
                await asyncio.sleep(0)


def lost_documents(
    store: Store, is_gone: Callable[[str], bool]
) -> list[tuple[str, str]]:
    """Return the URI and the stored text of documents that are gone, by run.

    A line that several documents have, such as one of their template, is left out. Only
    the newest runs are read: reading takes time, so call it in a thread.
    """
    page = store.list_runs(RunQuery(limit=PAGE_RUNS))
    gone = {uri: is_gone(uri) for run in page.runs for uri in run.documents}
    if not any(gone.values()):
        return []
    texts = [
        (uri, _stored_text(store, run.run_id, uri))
        for run in page.runs
        for uri in run.documents
    ]
    having: dict[str, set[str]] = {}
    for uri, text in texts:
        for line in _prose(text):
            having.setdefault(line, set()).add(uri)
    return [
        (uri, "\n".join(line for line in _prose(text) if len(having[line]) == 1))
        for uri, text in texts
        if gone[uri]
    ]


def find_lost_document(lost: list[tuple[str, str]], text: str) -> str | None:
    """Return the URI of the lost document that had most of `text`, or None.

    Headings and labels do not count: notes of one template have the same.
    """
    words = count_words("\n".join(_prose(text)))
    found = most_similar(words, (count_words(old) for _, old in lost))
    return None if found is None else lost[found][0]


def _prose(text: str) -> list[str]:
    """Return the lines of a text that are no heading, label or rule."""
    lines = map(str.strip, LINE_END.split(text))
    return [
        line
        for line in lines
        if not line.startswith("#") and not line.rstrip("*_").endswith(":") and line
    ]


def _stored_text(store: Store, run_id: UUID, uri: str) -> str:
    """Return a document's text as a run was applied to it, else as it was read."""
    for event in reversed(store.events(run_id)):
        if isinstance(event, TextApplied) and event.uri == uri:
            return event.text
    run = store.get_run(run_id)
    return run.run.document.text if run and run.run.uri == uri else ""
