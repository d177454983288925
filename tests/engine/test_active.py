"""Which run is a session's active one: one of a whole document, never of a passage."""

from __future__ import annotations

import pytest

from support.bench import PIPELINE, Bench
from writeit.domain.errors import InvalidParams

PASSAGE = PIPELINE.evolve(name="polish", applies_to="selection")


async def test_a_branch_of_a_documents_run_is_active(bench: Bench) -> None:
    """The run it left is as it was, and can be made active again."""
    run = await bench.run()
    child = await bench.engine.branch_run(run.pipeline_run_id, "angles")
    assert bench.engine.session.active_pipeline_run_id == child.pipeline_run_id
    session = await bench.engine.activate_run(run.pipeline_run_id)
    assert session.active_pipeline_run_id == run.pipeline_run_id


async def test_neither_a_passages_run_nor_its_branches_are_active(bench: Bench) -> None:
    """What commands about the document mean stays what it was."""
    run = await bench.run()
    polish = await bench.run(PASSAGE)
    child = await bench.engine.branch_run(polish.pipeline_run_id, "angles")
    grandchild = await bench.engine.branch_run(child.pipeline_run_id, "angles")
    assert grandchild.parent_pipeline_run_id == child.pipeline_run_id
    assert bench.engine.session.active_pipeline_run_id == run.pipeline_run_id


async def test_a_passages_run_is_refused_as_the_active_one(bench: Bench) -> None:
    """With the parameter that is wrong, and what to do; nothing changes."""
    run = await bench.run()
    polish = await bench.run(PASSAGE)
    child = await bench.engine.branch_run(polish.pipeline_run_id, "angles")
    for passages in (polish, child):
        with pytest.raises(InvalidParams) as refused:
            await bench.engine.activate_run(passages.pipeline_run_id)
        assert refused.value.data["problems"][0]["path"] == "runId"
        assert refused.value.hint
    assert bench.engine.session.active_pipeline_run_id == run.pipeline_run_id
