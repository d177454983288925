"""Which commands a run and its steps accept, as booleans for clients.

Each is found by the same check that the command makes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from writeit.domain.errors import WriteItError
from writeit.domain.operations.generate import (
    check_can_generate,
    check_can_regenerate,
    continuable_answers,
)
from writeit.domain.operations.lifecycle import (
    check_can_branch,
    check_can_pause,
    check_can_resume,
    find_applicable_step,
)
from writeit.domain.operations.select import check_can_select, check_can_skip
from writeit.domain.run import PipelineRun, StepState


@dataclass(frozen=True, slots=True, kw_only=True)
class StepPermissions:
    """The commands that a step accepts now."""

    run: bool
    regenerate: bool
    select: bool
    merge: bool
    continue_: bool
    skip: bool
    apply: bool
    branch: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPermissions:
    """The commands that a run as a whole accepts now."""

    pause: bool
    resume: bool
    delete: bool


def step_permissions(run: PipelineRun, step: StepState) -> StepPermissions:
    """Return the commands that `step` of `run` accepts now."""
    return StepPermissions(
        run=_is_permitted(lambda: check_can_generate(run, step)),
        regenerate=_is_permitted(lambda: check_can_regenerate(run, step)),
        select=_is_permitted(lambda: check_can_select(run, step, "response_selected")),
        merge=_is_permitted(lambda: check_can_select(run, step, "merged")),
        continue_=bool(continuable_answers(run, step)),
        skip=_is_permitted(lambda: check_can_skip(run, step)),
        apply=_is_permitted(lambda: find_applicable_step(run, step.step_name)),
        branch=_is_permitted(lambda: check_can_branch(run, step)),
    )


def run_permissions(run: PipelineRun) -> RunPermissions:
    """Return the commands that `run` accepts now."""
    return RunPermissions(
        pause=_is_permitted(lambda: check_can_pause(run)),
        resume=_is_permitted(lambda: check_can_resume(run)),
        delete=not run.is_streaming,
    )


def _is_permitted(check: Callable[[], object]) -> bool:
    """Whether `check` raises no error."""
    try:
        check()
    except WriteItError:
        return False
    return True
