"""What the rules allow on a run and its steps, as booleans for clients.

Each answer comes from the check that the decision itself makes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from writeit.core.decide.applying import applicable_step_of
from writeit.core.decide.asking import check_askable, check_regenerable
from writeit.core.decide.choosing import check_choosable, check_skippable
from writeit.core.decide.living import (
    check_branchable,
    check_pausable,
    check_resumable,
)
from writeit.core.errors import WriteItError

if TYPE_CHECKING:
    from collections.abc import Callable

    from writeit.core.run import PipelineRun, StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPermissions:
    """The commands that a step takes now."""

    run: bool
    regenerate: bool
    select: bool
    merge: bool
    skip: bool
    apply: bool
    branch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPermissions:
    """The commands that a run as a whole takes now."""

    pause: bool
    resume: bool
    delete: bool


def permitted_on_step(run: PipelineRun, step: StepState) -> StepPermissions:
    """Return the commands that `step` of `run` takes now."""
    return StepPermissions(
        run=_permits(lambda: check_askable(run, step)),
        regenerate=_permits(lambda: check_regenerable(run, step)),
        select=_permits(lambda: check_choosable(run, step, "response_selected")),
        merge=_permits(lambda: check_choosable(run, step, "merged")),
        skip=_permits(lambda: check_skippable(run, step)),
        apply=_permits(lambda: applicable_step_of(run, step.step_name)),
        branch=_permits(lambda: check_branchable(run, step)),
    )


def permitted_on_run(run: PipelineRun) -> RunPermissions:
    """Return the commands that `run` takes now."""
    return RunPermissions(
        pause=_permits(lambda: check_pausable(run)),
        resume=_permits(lambda: check_resumable(run)),
        delete=not run.is_streaming,
    )


def _permits(check: Callable[[], object]) -> bool:
    """Return whether `check` refuses nothing."""
    try:
        check()
    except WriteItError:
        return False
    return True
