"""Making room for a run that comes from elsewhere, in the transaction that writes it.

Its ancestors leave tombstones where nobody knows them, so that the family is whole;
its own tombstone, if it was deleted here, goes. Answers are shared within a family
only: one that is here already must be the same, and a relative's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core.errors import BadExport
from writeit.store import keys, kinship, reading
from writeit.store.cache import Caches
from writeit.store.codec import Texts, encode
from writeit.store.reading import Reading
from writeit.store.records import Listing
from writeit.store.seal import sealed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from writeit.core.dossier import Ancestor
    from writeit.core.run import AIResponse, PipelineRun
    from writeit.store.snapshot import Batch


def make_room(batch: Batch, run: PipelineRun, ancestors: Sequence[Ancestor]) -> None:
    """Get the store ready for `run`, whose ancestors are these, the nearest first.

    Raises:
        BadExport: what is here contradicts it.
    """
    _lift(batch, run)
    for ancestor in ancestors:
        if _is_known(batch, ancestor.run_id):
            break  # and so are those above
        _mark(batch, ancestor)
    _check_answers(batch, run)


def answers_of(run: PipelineRun) -> dict[UUID, AIResponse]:
    """The answers that a run holds, by id."""
    return {
        answer.response_id: answer
        for step in run.steps.values()
        for answer in step.ai_responses
    }


def check_answers(
    run: PipelineRun, known: Mapping[UUID, AIResponse], family: set[UUID]
) -> None:
    """Refuse a run whose answers are others' here; `family` is what relatives hold.

    Raises:
        BadExport: they are.
    """
    for response_id, answer in answers_of(run).items():
        here = known.get(response_id)
        if here is None or (here == answer and response_id in family):
            continue
        raise BadExport(
            f"Answer {response_id} of run {run.pipeline_run_id} is here already, "
            + ("as another run's" if here == answer else "and says something else")
            + "; nothing was imported.",
            reason="conflict",
            hint="Such a file was put together by hand, or damaged. Export the run"
            " again where it was made.",
        )


def check_same(what: str, here: str, there: str) -> None:
    """Refuse a pipeline or primer if another one is stored under its id.

    Only an import that somebody put together can have brought it: ids are taken as
    they stand. `here` and `there` are content hashes of both.

    Raises:
        BadExport: there is.
    """
    if here != there:
        raise BadExport(
            f"{what} is stored already and says something else; nothing was written.",
            reason="conflict",
            hint="The one that is stored came with an imported run. Change the"
            " description of yours, and it is stored as another one.",
        )


def check_parent(run: PipelineRun, parent: UUID | None) -> None:
    """Refuse a run that was deleted here and branched off another parent then.

    Raises:
        BadExport: it did.
    """
    if parent != run.parent_pipeline_run_id:
        raise BadExport(
            f"Run {run.pipeline_run_id} was here and branched off"
            f" {parent or 'no run'}; in the file it branches off"
            f" {run.parent_pipeline_run_id or 'no run'}. Nothing was imported.",
            reason="conflict",
            hint="Export the run again where it was made.",
        )


def left_by(ancestor: Ancestor) -> Listing:
    """What stands for an ancestor that is not here: its line in the family."""
    fields = ancestor.model_dump(exclude={"run_id", "parent_run_id", "pipeline"})
    return Listing(
        seq=0,
        pipeline_run_id=ancestor.run_id,
        configuration_id=ancestor.pipeline,
        parent_pipeline_run_id=ancestor.parent_run_id,
        **fields,
    )


def _lift(batch: Batch, run: PipelineRun) -> None:
    """Take away the tombstone of a run that comes back."""
    grave = keys.tombstone(run.pipeline_run_id)
    left = reading.record(batch, Listing, grave, reading.no_text)
    if left is not None:
        check_parent(run, left.parent_pipeline_run_id)
        batch.delete(grave)


def _is_known(batch: Batch, run_id: UUID) -> bool:
    places = (keys.run(run_id), keys.tombstone(run_id))
    return any(batch.get(place) is not None for place in places)


def _mark(batch: Batch, ancestor: Ancestor) -> None:
    grave, above = keys.tombstone(ancestor.run_id), ancestor.parent_run_id
    batch.put(grave, sealed(grave, encode(left_by(ancestor), Texts())))
    if above is not None:
        for key, value in kinship.entries(ancestor.run_id, above).items():
            batch.put(key, value)


def _check_answers(batch: Batch, run: PipelineRun) -> None:
    here = Reading(batch, Caches())
    known = {
        response_id: here.response(response_id)
        for response_id in answers_of(run)
        if batch.get(keys.response(response_id)) is not None
    }
    if not known:
        return
    above = run.parent_pipeline_run_id
    relatives = kinship.family(batch, above or run.pipeline_run_id)
    held = {answer for each in relatives for answer in kinship.answers(batch, each)}
    check_answers(run, known, held)
