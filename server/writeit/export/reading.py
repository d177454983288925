"""From the text of an export to a dossier, or a refusal that says why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import machine
from writeit.core.errors import BadExport, WriteItError
from writeit.core.run import DONE, PipelineStatus, StepStatus
from writeit.export.checksum import KEY, checksum_of
from writeit.export.data import FORMAT, OLDEST, VERSION, Data, Misplaced, as_dossier
from writeit.export.parsing import Unreadable, parsed

if TYPE_CHECKING:
    from writeit.core.dossier import Dossier
    from writeit.core.run import PipelineRun

_ANEW = "Export the run again where it was made, as yaml or json, and import that."


def read_export(text: str) -> Dossier:
    """Return the dossier that the text of a yaml or json export holds.

    What it returns is whole and agrees with itself: the history, if it is there, makes
    the run.

    Raises:
        BadExport: it is no export, or damaged, or from a newer WriteIt.
    """
    try:
        data = _with_format(parsed(text))
        _check_whole(data)
        _check_version(data[FORMAT])
        dossier = as_dossier(data)
        _check_together(dossier)
    except Unreadable as error:
        raise BadExport(
            f"This cannot be read as an export: {error}.",
            reason="malformed",
            hint=f"It may be cut short, or be something else. {_ANEW}",
        ) from error
    except Misplaced as error:
        if error.unknown and KEY in data:  # as it was written: it is no slip
            raise _too_new(f"{error.path}: this one does not know it") from error
        raise BadExport(
            f"This export is not right at {error.path}: {error}.",
            reason="malformed",
            hint=_ANEW,
        ) from error
    except RecursionError as error:
        raise BadExport(
            "This cannot be read as an export: it is nested too deeply.",
            reason="malformed",
            hint=_ANEW,
        ) from error
    return dossier


def _too_new(what: str) -> BadExport:
    return BadExport(
        f"A newer WriteIt made this export ({what}).",
        reason="too_new",
        hint="Update WriteIt, then import it again.",
    )


def _with_format(data: object) -> Data:
    """Return data that says which format it has, or refuse it."""
    version = data.get(FORMAT) if isinstance(data, dict) else None
    if isinstance(data, dict) and type(version) is int:
        return data
    raise BadExport(
        "This is no export of a run: it does not begin with `writeit_export` and"
        " the number of its format.",
        reason="malformed",
        hint="Runs are imported from their yaml and json exports; a markdown"
        " export holds the finished text only.",
    )


def _check_version(version: int) -> None:
    if version > VERSION:
        raise _too_new(f"format {version}; this one reads formats up to {VERSION}")
    if version < OLDEST:
        raise BadExport(
            f"This export is of format {version}, which left out what was sent in"
            " vain and cannot be read back.",
            reason="too_old",
            hint=_ANEW,
        )


def _check_whole(data: Data) -> None:
    """Refuse a file that is not as it was written, unless it makes no such claim."""
    if KEY in data and data[KEY] != checksum_of(data):
        raise BadExport(
            "This export is not as it was written: something in it was changed, or"
            " its end is missing.",
            reason="damaged",
            hint=f"If you changed it on purpose, delete its line `{KEY}`: then what it"
            " says is taken as it stands.",
        )


def _check_together(dossier: Dossier) -> None:
    """Refuse parts that do not belong together."""
    run, configuration, primer = dossier.run, dossier.configuration, dossier.primer
    if run.pipeline != configuration.name:
        raise Misplaced("configuration", f"the run was made of {run.configuration_id}")
    if run.step_names != configuration.step_names:
        raise Misplaced("run.steps", "they are not those of the configuration")
    if run.primer and (primer is None or primer.primer_id != run.primer.primer_id):
        message = f"it is not {run.primer.primer_id}, which the run was written with"
        raise Misplaced("primer", message)
    _check_ancestors(dossier)
    _check_state(run)
    if dossier.events is not None:
        _check_history(dossier)


def _check_ancestors(dossier: Dossier) -> None:
    expected, seen = dossier.run.parent_pipeline_run_id, {dossier.run.pipeline_run_id}
    for place, ancestor in enumerate(dossier.ancestors):
        if ancestor.run_id != expected or ancestor.run_id in seen:
            raise Misplaced(f"ancestors.{place}", "it is not the next one above")
        seen.add(ancestor.run_id)
        expected = ancestor.parent_run_id
    if expected is not None:
        raise Misplaced("ancestors", f"run {expected} is missing")


def _check_state(run: PipelineRun) -> None:
    """Refuse what no history makes; of a run without one nothing else would."""
    later = run.later_steps(run.current_step)
    if any(state.status is not StepStatus.PENDING for state in later):
        raise Misplaced("run.steps", f"{run.current_step} is open, later ones are not")
    if run.status is PipelineStatus.COMPLETED and not run.is_finished:
        raise Misplaced("run.status", "it is COMPLETED, and a step is open")
    for state in run.steps.values():
        if state.status in DONE and (state.content is None or state.streaming):
            raise Misplaced(f"run.steps.{state.step_name}", "nothing is chosen in it")


def _check_history(dossier: Dossier) -> None:
    events = dossier.events or ()
    try:
        made = machine.replay(events)
    except (WriteItError, ValueError) as error:
        raise Misplaced("history", f"it cannot have happened ({error})") from error
    if _quiet(made) != _quiet(dossier.run):
        raise Misplaced("history", "it does not make the run")


def _quiet(run: PipelineRun) -> PipelineRun:
    """The run without the text of answers on their way, which no event tells."""
    steps = {
        name: step.evolve(streaming=tuple(s.evolve(text="") for s in step.streaming))
        for name, step in run.steps.items()
    }
    return run.evolve(steps=steps)
