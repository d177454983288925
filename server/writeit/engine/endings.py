"""How each call of an asking ended: written down, counted and told.

An answer that came whole is received, one that was cut is kept as far as it came, a
call without any text is a failure of its step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from writeit.core import decide, machine
from writeit.core import events as e
from writeit.core.errors import InvalidTransition, ModelError, NotFound, StoreError
from writeit.core.run import PipelineStatus
from writeit.engine.planning import no_answer, reason_of
from writeit.engine.stream import Finished

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide import Events
    from writeit.core.errors import FailureReason, WriteItError
    from writeit.core.run import AIResponse, Call, PipelineRun
    from writeit.core.usage import TokenUsage
    from writeit.engine.draft import Draft
    from writeit.engine.stream import EndStatus, Observer
    from writeit.engine.tools import Tools
    from writeit.ports import ModelDone


STOPPED = "stopped by the writer"

TAKEN_OVER = ModelError(
    "This run was taken over by another editor while this one stood still; what had"
    " come until then is kept there.",
    reason="cancelled",
    hint="Open the run again.",
)


class Endings:
    """The ends of the calls of one asking."""

    def __init__(
        self, tools: Tools, run_id: UUID, step: str, observer: Observer
    ) -> None:
        self.stopped = False
        """Whether somebody stopped the asking: its last end pauses the run with it."""
        self._run_id = run_id
        self._step = step
        self._tools = tools
        self._observer = observer
        self._failed: list[tuple[UUID, str, ModelError | NotFound | None]] = []
        self._kept = 0

    def verdict(self) -> WriteItError | None:
        """Return the error if not one answer has text and nobody stopped them."""
        if self._kept or self.stopped or not self._failed:
            return None
        return no_answer(self._failed)

    def fail(self, call: Call, error: ModelError | NotFound) -> None:
        """Count a call that failed: it brought no text, or its model host broke."""
        self._failed.append((call.response_id, call.model, error))

    async def conclude(
        self, draft: Draft, done: ModelDone | ModelError | NotFound
    ) -> None:
        """Write down what came of a call, and tell it."""
        if not isinstance(done, ModelError | NotFound):
            if draft.has_text:
                response = draft.response(done.usage, done.finish_reason)
                await self._keep(draft.call, response, None)
                return
            done = ModelError("The answer is empty.", reason="empty")
        if draft.has_text:
            usage = await draft.estimated_usage(self._tools.models)
            response = draft.response(usage, reason_of(done), partial=True)
            await self._keep(draft.call, response, done)
            return
        await self._drop(draft.call, done)

    async def close(self) -> None:
        """Leave the run PAUSED if it was stopped, ERROR if the model host failed.

        PAUSED it is, too, if the store has not taken the answers.

        Raises:
            StoreError: it still does not.
        """
        ledger = self._tools.ledger
        try:
            await ledger.settle(self._run_id)
        except StoreError:
            ledger.owe(self._run_id, _pause("the store could not be written"))
            raise
        broken = next(
            (err for *_, err in self._failed if err and err.data.get("host")), None
        )

        def fail(run: PipelineRun, at: datetime) -> Events:
            if run.status is not PipelineStatus.RUNNING or broken is None:
                return ()
            return (e.RunFailed(at=at, message=broken.message),)

        if self.stopped:
            await ledger.decide(self._run_id, _pause(STOPPED))
        elif broken is not None:
            await ledger.decide(self._run_id, fail)

    async def _drop(self, call: Call, error: ModelError | NotFound) -> None:
        reason: FailureReason = reason_of(error)

        def decision(_: PipelineRun, at: datetime) -> Events:
            return decide.fail(self._step, call, reason, error.message, at)

        if await self._write_down(call, decision) is None:
            return
        self.fail(call, error)
        self._finish(call.response_id, None, "failed", error)

    async def _keep(
        self, call: Call, response: AIResponse, cut: ModelError | NotFound | None
    ) -> None:
        def decision(_: PipelineRun, at: datetime) -> Events:
            if cut is None:
                return decide.receive(self._step, response, at)
            return decide.interrupt(self._step, response, reason_of(cut), at)

        run = await self._write_down(call, decision)
        if run is None:
            return
        self._kept += 1
        if cut is not None and cut.data.get("host"):
            self.fail(call, cut)
        answers = run.steps[self._step].ai_responses
        index = next(
            i for i, r in enumerate(answers) if r.response_id == response.response_id
        )
        status: EndStatus = "partial" if cut else "complete"
        self._finish(
            response.response_id, index, status, cut, usage=response.usage_stats
        )

    async def _write_down(
        self, call: Call, ending: Callable[[PipelineRun, datetime], Events]
    ) -> PipelineRun | None:
        """Write down how a call ended; None if that was not possible any more, or yet.

        What the store does not take now the ledger keeps, shows and writes later.
        """
        try:
            return await self._tools.ledger.decide(
                self._run_id, lambda run, at: self._and_paused(run, ending(run, at), at)
            )
        except (InvalidTransition, NotFound):
            self.fail(call, TAKEN_OVER)
            self._finish(call.response_id, None, "failed", TAKEN_OVER)
        except StoreError as error:
            self._tools.ledger.owe(self._run_id, ending)
            told = ModelError(error.message, reason="unavailable", hint=error.hint)
            self._finish(call.response_id, None, "failed", told)
        return None

    def _and_paused(self, run: PipelineRun, events: Events, at: datetime) -> Events:
        """Pause a run that is being stopped together with its last answer's end.

        A kill between the two would leave it RUNNING, with nobody who knows why.
        """
        after = machine.replay(events, run)
        if not self.stopped or after.is_streaming:
            return events
        return events + _pause(STOPPED)(after, at)

    def _finish(
        self,
        response_id: UUID,
        index: int | None,
        status: EndStatus,
        error: ModelError | NotFound | None,
        usage: TokenUsage | None = None,
    ) -> None:
        self._observer(
            Finished(
                response_id=response_id,
                index=index,
                status=status,
                usage=usage,
                reason=reason_of(error) if error else None,
                message=error.message if error else None,
            )
        )


def _pause(reason: str) -> Callable[[PipelineRun, datetime], Events]:
    """Pause a run that still runs."""

    def decision(run: PipelineRun, at: datetime) -> Events:
        if run.status is not PipelineStatus.RUNNING:
            return ()
        return decide.pause(run, at, reason)

    return decision
