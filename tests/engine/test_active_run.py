"""The active run of a session: a run of a whole document, never of a passage."""

import pytest

from support.engine_setup import PIPELINE, EngineSetup
from writeit.domain.errors import InvalidParams

PASSAGE = PIPELINE.evolve(name="polish", applies_to="selection")


async def test_a_branch_of_a_documents_run_is_active(setup: EngineSetup) -> None:
    """Its parent is unchanged, and can be made active again."""
    run = await setup.run()
    child = await setup.engine.branch_run(run.pipeline_run_id, "angles")
    assert setup.engine.session.active_pipeline_run_id == child.pipeline_run_id
    session = await setup.engine.activate_run(run.pipeline_run_id)
    assert session.active_pipeline_run_id == run.pipeline_run_id


async def test_runs_of_a_passage_and_their_branches_are_not_active(
    setup: EngineSetup,
) -> None:
    """Commands on the document still mean the run of the document."""
    run = await setup.run()
    polish = await setup.run(PASSAGE)
    child = await setup.engine.branch_run(polish.pipeline_run_id, "angles")
    grandchild = await setup.engine.branch_run(child.pipeline_run_id, "angles")
    assert grandchild.parent_pipeline_run_id == child.pipeline_run_id
    assert setup.engine.session.active_pipeline_run_id == run.pipeline_run_id


async def test_activating_the_run_of_a_passage_is_an_error(setup: EngineSetup) -> None:
    """The error names the parameter and has a hint; nothing changes."""
    run = await setup.run()
    polish = await setup.run(PASSAGE)
    child = await setup.engine.branch_run(polish.pipeline_run_id, "angles")
    for passages in (polish, child):
        with pytest.raises(InvalidParams) as refused:
            await setup.engine.activate_run(passages.pipeline_run_id)
        assert refused.value.data["problems"][0]["path"] == "runId"
        assert refused.value.hint
    assert setup.engine.session.active_pipeline_run_id == run.pipeline_run_id
