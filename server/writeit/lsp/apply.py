"""A step's text into the writer's document, and out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core import decide
from writeit.core import events as e
from writeit.core.errors import DocumentChanged, InvalidParams
from writeit.core.merge3 import Merged, merge
from writeit.core.placing import is_gone, placed
from writeit.library.frontmatter import split
from writeit.lsp import newfile
from writeit.lsp.applied import earlier_of, event_of, without
from writeit.lsp.changing import change, check_there
from writeit.lsp.convert import path_of, uri_of
from writeit.lsp.desk import Pending
from writeit.lsp.landing import Outcome

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

    from writeit.core.pipeline import Output
    from writeit.core.placing import Placed
    from writeit.core.run import Applied, PipelineRun
    from writeit.lsp.connection import Connection
    from writeit.lsp.folder import Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A step's text and where it is to go; all that can be refused was."""

    connection: Connection
    folder: Folder
    run: PipelineRun
    step: str
    content: str
    mode: Output
    uri: str
    """The document's, or that of the new file before a number makes it free."""

    @property
    def run_id(self) -> UUID:
        """The run's id."""
        return self.run.pipeline_run_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a job."""

    uri: str
    outcome: Outcome
    merged: bool = False
    """Whether what she changed since the run began stands beside the text."""


def prepare(
    connection: Connection,
    folder: Folder,
    run: PipelineRun,
    step: str | None,
    mode: Output | None,
    uri: str | None,
) -> Job:
    """Find out what is to go where.

    Raises:
        NotFound, InvalidTransition: the step has no text.
        InvalidParams, NotTrusted: there is no such place.
        DocumentChanged: the document is gone; the text is kept.
    """
    state = decide.applicable_step_of(run, step)
    mode = mode or run.output
    if mode == "new_file":
        uri = uri_of(newfile.place_for(folder, run, uri))
    else:
        uri = uri or run.uri
        if uri is None:
            raise InvalidParams(
                "The run was not started on a document; nothing says where to.",
                hint="Put the text into a new file (mode `new_file`), or name the"
                " document it is for (`uri`).",
                problems=[{"path": "uri", "message": "is needed here"}],
            )
        check_there(connection, uri, kept_at(run, state.step_name))
    return Job(
        connection=connection,
        folder=folder,
        run=run,
        step=state.step_name,
        content=state.content or "",
        mode=mode,
        uri=uri,
    )


def kept_at(run: PipelineRun, step: str) -> str:
    """Return the URI of the view that shows a step's text, wherever else it is not."""
    return f"writeit:/content/{run.pipeline_run_id}/{step}.md"


async def apply(job: Job, *, patient: bool = False) -> Result:
    """Bring the text into the document; note it in the run once it stands there.

    `patient`: nobody waits for it, so that she may take her time if she is asked.

    Raises:
        DocumentChanged: the document or the passage is gone; the text is kept.
        StoreError: the document has the text, but that could not be noted.
    """
    if job.mode == "new_file":
        return await _into_new_file(job)
    goal = placed(job.run.document, job.content, job.mode)
    waiting = job.connection.desk.pending.get((job.run_id, job.step))
    earlier = earlier_of(job.folder, job.run, job.step, job.uri)
    outcome = await change(
        job.connection,
        job.folder,
        job.uri,
        lambda text: _merged(goal, text, earlier),
        waiting.sent if waiting and waiting.uri == job.uri else None,
        patient=patient,
    )
    body = split(outcome.text).body
    _offer_again(job, outcome)
    if outcome.conflicts and not outcome.landed and is_gone(job.run.document, body):
        raise DocumentChanged(
            "The passage this was written for is no longer in the document.",
            hint=f"The text is kept: {kept_at(job.run, job.step)}. Apply it with mode"
            " new_file, or copy it.",
            uri=job.uri,
            keptAt=kept_at(job.run, job.step),
        )
    before, after = outcome.text, outcome.text
    if outcome.sent is not None:
        before, after = outcome.sent.before, outcome.sent.text
    before = without(earlier, before)
    if outcome.landed:
        await _note(job, job.uri, before, after)
    apart = split(before).body != goal.base and outcome.landed
    return Result(uri=job.uri, outcome=outcome, merged=apart)


def _offer_again(job: Job, outcome: Outcome) -> None:
    """Keep what has to wait among the offers; take away what need not."""
    pending = job.connection.desk.pending
    had = pending.pop((job.run_id, job.step), None)
    if outcome.pending:
        pending[job.run_id, job.step] = Pending(
            run_id=job.run_id,
            step=job.step,
            uri=job.uri,
            mode=job.mode,
            sent=outcome.sent,
        )
    if had or outcome.pending:
        job.connection.news.tell(job.run_id)


def _merged(goal: Placed, text: str, earlier: e.TextApplied | None) -> Merged:
    """Merge the goal into the newest text, whose front matter stays as it is.

    What the step put there earlier is not the writer's: it makes room for the goal.
    """
    there = _into(text, goal)
    if earlier is None or (there.text == text and not there.conflicts):
        return there
    anew = _into(without(earlier, text), goal)
    return anew if len(anew.conflicts) <= len(there.conflicts) else there


def _into(text: str, goal: Placed) -> Merged:
    front_matter = split(text)
    merged = merge(goal.base, front_matter.body, goal.theirs)
    return Merged(front_matter.head + merged.text, merged.conflicts)


async def _into_new_file(job: Job) -> Result:
    content = job.content.rstrip() + "\n"
    there = _made_before(job, content)
    place = there or await newfile.make(
        job.connection, job.folder, _path(job.uri), content
    )
    uri = uri_of(place)
    if there is None:
        await _note(job, uri, "", content)
    return Result(uri=uri, outcome=Outcome(landed=True, text=content))


def _made_before(job: Job, content: str) -> Path | None:
    """The file that this text made already, if it still is what it was."""
    for applied in job.run.applied:
        if applied.step == job.step and applied.mode == "new_file":
            path = _path(applied.uri)
            try:
                if path.read_bytes() == content.encode():
                    return path
            except OSError:
                continue
    return None


def _path(uri: str) -> Path:
    path = path_of(uri)
    if path is None:
        raise InvalidParams(
            f"{uri} is no file.",
            hint="A new file is given as a file: URI inside the workspace.",
            problems=[{"path": "uri", "message": "is not a file: URI"}],
        )
    return path


async def _note(job: Job, uri: str, replaced: str, text: str) -> None:
    await job.folder.engine.decide(
        job.run_id,
        lambda _, at: decide.applied(
            job.step, at, uri=uri, mode=job.mode, replaced=replaced, text=text
        ),
    )


# --- and out again --------------------------------------------------------------------


async def restore(
    connection: Connection,
    folder: Folder,
    run: PipelineRun,
    applied: Applied,
    *,
    patient: bool = False,
) -> Result:
    """Bring the writer's text back; what she typed since stays.

    Raises:
        DocumentChanged: the document is gone, or a new file has been edited since.
    """
    event = event_of(folder, run, applied)
    if applied.mode == "new_file":
        result = _unmade(connection, applied, event.text)
    else:
        outcome = await change(
            connection,
            folder,
            applied.uri,
            lambda text: merge(event.text, text, event.replaced),
            patient=patient,
        )
        result = Result(uri=applied.uri, outcome=outcome)
    if result.outcome.landed:
        await folder.engine.decide(
            run.pipeline_run_id, lambda _, at: decide.restored(applied, at)
        )
    return result


def _unmade(connection: Connection, applied: Applied, text: str) -> Result:
    if not newfile.remove(connection, _path(applied.uri), text):
        raise DocumentChanged(
            f"{applied.uri} has been edited since it was made; it stays.",
            hint="Remove it yourself if nothing in it is wanted.",
            uri=applied.uri,
        )
    return Result(uri=applied.uri, outcome=Outcome(landed=True))
