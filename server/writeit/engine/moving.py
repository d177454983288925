"""Carries runs along when their documents were renamed or moved.

Editors tell of a rename; git and file managers do not. Then a document without runs is
compared with what runs have stored of documents that are gone.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from uuid import UUID

from writeit.domain.events import TextApplied
from writeit.domain.operations import lifecycle
from writeit.engine.engine import Engine
from writeit.engine.queries import list_all_runs
from writeit.ports.store import RunQuery, Store
from writeit.text.diff import count_words, most_similar
from writeit.text.lines import LINE_END

PAGE_RUNS = 200
"""Runs read before other work has its turn, and those looked at for a lost document."""


def find_moved(uri: str, moves: Mapping[str, str]) -> str | None:
    """Return the URI of a document after the moves, None if it was not moved.

    `moves` are the new URIs of files and folders by their old ones. A file may have
    another place than its folder.
    """
    found = [old for old in moves if uri == old or uri.startswith(f"{old}/")]
    old = max(found, key=len, default=None)
    return None if old is None else moves[old] + uri[len(old) :]


async def move_documents(engine: Engine, moves: Mapping[str, str]) -> list[UUID]:
    """Record in each run that documents have new URIs; return the runs.

    `moves` are the new URIs of files and folders by their old ones, all at once: two
    names may have been swapped. All runs are looked at, for a file may be one that the
    front matter of documents names.

    Raises:
        StoreError: the runs before this one are moved, the others are not.
    """

    def find_uri(uri: str) -> str | None:
        return find_moved(uri, moves)

    active: dict[str, UUID] = {}
    moved: list[UUID] = []
    for number, summary in enumerate(list_all_runs(engine.store), 1):
        if number % PAGE_RUNS == 0:
            await asyncio.sleep(0)
        if not any(map(find_uri, summary.documents + summary.files)):
            continue
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


def gone_documents(store: Store, is_gone: Callable[[str], bool]) -> frozenset[str]:
    """Return the URIs of the documents of the newest 200 runs that are gone."""
    runs = store.list_runs(RunQuery(limit=PAGE_RUNS)).runs
    return frozenset(filter(is_gone, {uri for run in runs for uri in run.documents}))


def find_earlier_document(store: Store, gone: frozenset[str], text: str) -> str | None:
    """Return the URI of the document of `gone` that had most of `text`, or None.

    Lines that several documents have, and headings and labels, do not count: notes of
    one template have the same. Reading takes time, so call it in a thread.
    """
    stored = [
        (uri, _prose(_stored_text(store, run.run_id, uri)))
        for run in store.list_runs(RunQuery(limit=PAGE_RUNS)).runs
        for uri in run.documents
    ]
    having = Counter(line for _, line in {(u, line) for u, ls in stored for line in ls})
    lost = [
        (uri, "\n".join(line for line in lines if having[line] == 1))
        for uri, lines in stored
        if uri in gone
    ]
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
