"""`writeit.session.*`, `preferences.*`, `usage.*` and `store.*` of a folder."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from writeit.domain.errors import InvalidParams
from writeit.engine.limits import TRUST_BUTTON, find_hosts
from writeit.engine.sessions import change_preferences
from writeit.engine.usage import sum_usage
from writeit.files import resolve_in_workspace
from writeit.lsp import library_shapes
from writeit.lsp import protocol as p
from writeit.lsp import store_protocol as sp
from writeit.lsp.command import Request, command
from writeit.lsp.convert import path_to_uri, to_invalid_params
from writeit.lsp.library_shapes import WireUserPreferences, WireUserSession
from writeit.lsp.pages.search_hits import locate_hit
from writeit.ports.store import Maintenance, SearchQuery


@command("writeit.session.show")
async def show_session(request: Request[p.Params]) -> WireUserSession:
    """Return the session of this connection in a folder."""
    return WireUserSession.model_validate(request.folder().engine.session)


@command("writeit.session.activate")
async def activate_run(request: Request[p.RunParams]) -> WireUserSession:
    """Make a run the session's active run; a run about a passage is refused."""
    engine = request.folder().engine
    session = await engine.activate_run(request.params.run_id)
    return WireUserSession.model_validate(session)


@command("writeit.preferences.get")
async def get_preferences(
    request: Request[p.Params],
) -> WireUserPreferences:
    """Return the user's preferences."""
    session = request.folder().engine.session
    return WireUserPreferences.model_validate(session.preferences)


@command("writeit.preferences.set")
async def set_preferences(
    request: Request[p.PreferencesSetParams],
) -> WireUserPreferences:
    """Set the given preferences, for later sessions, too."""
    params = request.params
    folder = request.folder()
    given = params.model_dump(
        include=params.model_fields_set - set(p.Params.model_fields)
    )
    try:
        preferences = folder.engine.preferences.evolve(**given)
    except ValidationError as error:
        raise to_invalid_params(error, p.PreferencesSetParams) from None
    await change_preferences(
        request.session.ports,
        folder.engine,
        preferences,
        given,
        primers=(await folder.load_library()).usable_primers,
    )
    return WireUserPreferences.model_validate(preferences)


# --- trust ---


@command("writeit.trust.show")
async def show_trust(request: Request[p.Params]) -> p.TrustResult:
    """Return whether a folder is trusted, and what its files name that is not."""
    folder = request.folder()
    library = await folder.load_library()
    unseen = folder.trust.unseen_files(library)
    wants = folder.trust.wants(unseen)
    hosts = await find_hosts(request.session.ports.models, wants)
    folder.trust.shown[None] = folder.trust.digests_of(unseen)
    return p.TrustResult(
        state=folder.trust.state(library),
        wants=[
            library_shapes.WireWant.model_validate(w.to_json())
            for w in (*hosts, *wants)
        ],
    )


@command("writeit.trust.set")
async def set_trust(request: Request[p.TrustSetParams]) -> p.TrustResult:
    """Trust a folder as it was shown, else as it is now; or restrict it."""
    folder = request.folder()
    if request.params.trusted:
        library = await folder.load_library()
        folder.trust.trust_shown(library)
    else:
        folder.trust.revoke()
    request.session.confirmations.forget(TRUST_BUTTON)
    params = p.Params(folder=request.params.folder)
    return await show_trust(Request(request.session, params))


# --- search, usage and the store ---


@command("writeit.search")
async def search(request: Request[sp.SearchParams]) -> sp.SearchResult:
    """Find words in prompts, answers, feedback, applied texts and titles."""
    params = request.params
    folder = request.folder()
    query = SearchQuery(
        text=params.text,
        places=tuple(params.in_),
        uri=params.uri,
        model=params.model,
        since=params.since,
        limit=params.limit,
        cursor=params.cursor,
    )
    page = await folder.store.search(query)
    hits = [
        sp.WireSearchHit(
            run_id=hit.run_id,
            step=hit.text.step,
            response_id=hit.text.response_id,
            in_=hit.text.place,
            title=found.title,
            at=hit.text.at,
            line=found.line,
            excerpt=hit.match.excerpt,
            uri=found.uri,
        )
        for hit in page.hits
        if (found := await locate_hit(folder, hit))
    ]
    return sp.SearchResult(hits=hits, next=page.next_cursor, partial=page.partial)


def _maintenance_of(request: Request[Any]) -> Maintenance:
    folder = request.folder()
    return request.session.ports.maintenance_for(folder.store)


@command("writeit.usage.show")
async def show_usage(request: Request[sp.UsageShowParams]) -> sp.UsageShowResult:
    """Return tokens, cost and time by model, pipeline, day, run or document."""
    params = request.params
    store = request.folder().store
    records = store.usage_records(params.since)
    rows, total = sum_usage(store, records, params.by)
    return sp.UsageShowResult.model_validate({"rows": rows, "total": total})


@command("writeit.store.status")
async def show_status(request: Request[p.Params]) -> sp.StoreStatusResult:
    """Return the size and contents of the store."""
    return sp.StoreStatusResult.model_validate(await _maintenance_of(request).status())


@command("writeit.store.verify")
async def verify_store(request: Request[p.Params]) -> sp.StoreVerifyResult:
    """Verify every key, text and run of the store."""
    verified = await _maintenance_of(request).verify()
    return sp.StoreVerifyResult.model_validate(
        {
            "ok": not verified.problems,
            "checked": verified.checked,
            "problems": verified.problems,
        }
    )


@command("writeit.store.compact")
async def compact_store(request: Request[p.Params]) -> sp.StoreStatusResult:
    """Remove unused texts and free their disk space."""
    status = await _maintenance_of(request).compact()
    request.folder().remove_pages_of_deleted_runs()
    return sp.StoreStatusResult.model_validate(status)


@command("writeit.store.backup")
async def back_up_store(request: Request[sp.StoreBackupParams]) -> sp.StoreBackupResult:
    """Copy the store to a new folder inside the workspace; it may be in use."""
    folder = request.folder()
    path = resolve_in_workspace(folder.path, request.params.path)
    return sp.StoreBackupResult(
        uri=path_to_uri(await _maintenance_of(request).backup(path))
    )


@command("writeit.store.prune")
async def prune_runs(request: Request[sp.StorePruneParams]) -> sp.StorePruneResult:
    """Delete finished runs last changed before a time; with `dryRun` count them."""
    params = request.params
    if params.before is None and not params.dry_run:
        raise InvalidParams(
            "Without `before`, every finished run would be deleted.",
            hint="Give `before`, or leave `dryRun` true to count the runs.",
            problems=[{"path": "before", "message": "is needed unless dryRun"}],
        )
    before = params.before or datetime.now(UTC)
    deleted = await _maintenance_of(request).prune(before, dry_run=params.dry_run)
    request.folder().remove_pages_of_deleted_runs()
    return sp.StorePruneResult(
        deleted_runs=deleted.runs,
        deleted_responses=deleted.responses,
        dry_run=params.dry_run,
    )
