"""Which providers the text of a document may be sent to."""

import pytest

from storage.conftest import lmdb_store  # noqa: F401 -- a fixture
from storage.samples import a_run, answer, ask, at, go_on, put, receive, select
from support.runs import new_run
from writeit.domain.document import RunDocument
from writeit.domain.events import TextApplied
from writeit.engine import data_policy
from writeit.storage.store import LmdbStore

ARTICLE = "file:///notes/bees.article.md"


async def test_an_old_run_still_limits_the_document_it_wrote(
    lmdb_store: LmdbStore,  # noqa: F811 -- the fixture
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However many newer runs of other documents there are."""
    monkeypatch.setattr(data_policy, "MAX_SOURCE_RUNS", 1)
    notes = RunDocument(text="Bees.", providers=("ollama",))
    run = await put(lmdb_store, a_run(uri="file:///notes/bees.md", document=notes))
    await ask(lmdb_store, run.pipeline_run_id, 11)
    await receive(lmdb_store, run.pipeline_run_id, answer(11, "x"))
    await select(lmdb_store, run.pipeline_run_id)
    applied = TextApplied(
        at=at(9), step="angles", uri=ARTICLE, mode="new_file", replaced="", text="x"
    )
    await go_on(lmdb_store, run.pipeline_run_id, applied)
    await put(lmdb_store, a_run(2, uri="file:///notes/other.md"))
    on_the_article = new_run(uri=ARTICLE)
    policy = data_policy.resolve_allowed_providers(lmdb_store, on_the_article, None)
    assert policy.providers == ("ollama",)
