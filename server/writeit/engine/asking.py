"""One asking: several calls at once, each kept as it ends, all stopped as one."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from writeit.core import decide, machine
from writeit.core import events as e
from writeit.core.errors import InvalidTransition, ModelError, NotFound, StoreError
from writeit.core.run import PipelineStatus
from writeit.engine.converse import converse
from writeit.engine.draft import Draft
from writeit.engine.planning import no_answer, reason_of
from writeit.engine.stream import Finished, Joiner, Notice, Started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from uuid import UUID

    from writeit.core.decide import Events
    from writeit.core.errors import FailureReason, WriteItError
    from writeit.core.run import AIResponse, Call, PipelineRun
    from writeit.core.usage import TokenUsage
    from writeit.engine.converse import RetryPolicy
    from writeit.engine.gate import Gate
    from writeit.engine.ledger import Ledger
    from writeit.engine.planning import Planned
    from writeit.engine.stream import EndStatus, Observer
    from writeit.ports import Clock, ModelDone, ModelNotice, Models, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What every asking works with."""

    models: Models
    store: Store
    clock: Clock
    ledger: Ledger
    policy: RetryPolicy


STOPPED = "stopped by the writer"

TAKEN_OVER = ModelError(
    "This run was taken over by another editor while this one stood still; what had"
    " come until then is kept there.",
    reason="cancelled",
    hint="Open the run again.",
)


class Asking:
    """The calls of one `step.run`, `regenerate` or merge, from sending to the end."""

    def __init__(
        self,
        tools: Tools,
        run_id: UUID,
        step: str,
        planned: list[Planned],
        observer: Observer,
        buffer_size: int,
    ) -> None:
        self.run_id = run_id
        self.step = step
        self._tools = tools
        self._planned = planned
        self._observer = observer
        self._buffer_size = buffer_size
        self._failed: list[tuple[UUID, str, ModelError | NotFound | None]] = []
        self._kept = 0
        self._stopped = False
        self._talking: set[asyncio.Task[Any]] = set()
        """Calls whose answers are on their way; once one ended, nothing stops it from
        being written down."""
        self._task: asyncio.Task[None] | None = None

    def start(self, gate: Gate, on_end: Callable[[], object]) -> None:
        """Begin; the asking goes on by itself, whoever stops watching it."""
        pairs = tuple((p.call.response_id, p.call.model) for p in self._planned)
        self._observer(Started(run_id=self.run_id, step=self.step, responses=pairs))
        for planned in self._planned:
            if planned.refusal:
                self._note_failure(planned.call, planned.refusal)
        self._task = asyncio.create_task(self._run(gate))
        self._task.add_done_callback(lambda _: on_end())

    def stop(self) -> None:
        """Cut what streams; what arrived is kept. May be called more than once."""
        if self._stopped:
            return
        self._stopped = True
        for call in self._talking:
            call.cancel()

    async def ended(self) -> None:
        """Wait until every call has ended and is written down.

        Being cancelled while waiting stops nothing by itself.

        Raises:
            StoreError: something could not be written.
        """
        if self._task is not None:
            await asyncio.shield(self._task)

    def verdict(self) -> WriteItError | None:
        """Return the error if not one answer has text and nobody stopped them."""
        if self._kept or self._stopped or not self._failed:
            return None
        return no_answer(self._failed)

    async def _run(self, gate: Gate) -> None:
        sent = [planned for planned in self._planned if planned.refusal is None]
        turn = asyncio.create_task(gate.enter(self._say_queued))
        calls = [self._answer(planned, turn) for planned in sent]
        try:
            results = await asyncio.gather(*calls, return_exceptions=True)
        finally:
            gate.leave(turn)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        await self._close_asking()

    def _say_queued(self, limit: int) -> None:
        self._observer(
            Notice(
                response_id=None,
                code="queued",
                title="Waiting for another run",
                message=f"{limit} runs are streaming, as many as allowed; this one"
                " starts by itself.",
            )
        )

    async def _answer(self, planned: Planned, turn: asyncio.Task[None]) -> None:
        """Make one call and write down how it ended, whatever happens."""
        call = planned.call
        draft = Draft(planned, self._tools.clock)
        joiner = Joiner(
            call.response_id,
            self._observer,
            asyncio.get_running_loop(),
            self._buffer_size,
        )

        def hear(text: str) -> None:
            draft.hear(text)
            self._tools.store.journal(self.run_id, call.response_id, text)
            joiner.feed(text)

        try:
            with self._stoppable():
                await asyncio.shield(turn)
                draft.begin()
                done: ModelDone | ModelError | NotFound = await converse(
                    self._tools.models,
                    planned.request,
                    self._tools.policy,
                    hear,
                    lambda notice: self._observer(_as_notice(call, notice)),
                )
        except asyncio.CancelledError:
            done = ModelError("Stopped before the answer ended.", reason="cancelled")
        except (ModelError, NotFound) as error:
            done = error
        joiner.flush()
        await self._conclude(draft, done)

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Let `stop` cancel this call while the context is open, and not after."""
        if self._stopped:  # between start() and here
            raise asyncio.CancelledError
        call = asyncio.current_task()
        assert call is not None  # noqa: S101 -- we are in a coroutine
        self._talking.add(call)
        try:
            yield
        finally:
            self._talking.discard(call)

    async def _conclude(
        self, draft: Draft, done: ModelDone | ModelError | NotFound
    ) -> None:
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

    async def _drop(self, call: Call, error: ModelError | NotFound) -> None:
        reason: FailureReason = reason_of(error)

        def decision(_: PipelineRun, at: datetime) -> Events:
            return decide.fail(self.step, call, reason, error.message, at)

        if await self._write_down(call, decision) is None:
            return
        self._note_failure(call, error)
        self._finish(call.response_id, None, "failed", error)

    async def _keep(
        self, call: Call, response: AIResponse, cut: ModelError | NotFound | None
    ) -> None:
        def decision(_: PipelineRun, at: datetime) -> Events:
            if cut is None:
                return decide.receive(self.step, response, at)
            return decide.interrupt(self.step, response, reason_of(cut), at)

        run = await self._write_down(call, decision)
        if run is None:
            return
        self._kept += 1
        if cut is not None and cut.data.get("host"):
            self._note_failure(call, cut)
        answers = run.steps[self.step].ai_responses
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
                self.run_id, lambda run, at: self._and_paused(run, ending(run, at), at)
            )
        except (InvalidTransition, NotFound):
            self._note_failure(call, TAKEN_OVER)
            self._finish(call.response_id, None, "failed", TAKEN_OVER)
        except StoreError as error:
            self._tools.ledger.owe(self.run_id, ending)
            told = ModelError(error.message, reason="unavailable", hint=error.hint)
            self._finish(call.response_id, None, "failed", told)
        return None

    def _and_paused(self, run: PipelineRun, events: Events, at: datetime) -> Events:
        """Pause a run that is being stopped together with its last answer's end.

        A kill between the two would leave it RUNNING, with nobody who knows why.
        """
        after = machine.replay(events, run)
        if not self._stopped or after.is_streaming:
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

    def _note_failure(self, call: Call, error: ModelError | NotFound) -> None:
        self._failed.append((call.response_id, call.model, error))

    async def _close_asking(self) -> None:
        """Leave the run PAUSED if it was stopped, ERROR if the model host failed.

        PAUSED it is, too, if the store has not taken the answers.

        Raises:
            StoreError: it still does not.
        """
        ledger = self._tools.ledger
        try:
            await ledger.settle(self.run_id)
        except StoreError:
            ledger.owe(self.run_id, _pause("the store could not be written"))
            raise
        broken = next(
            (err for *_, err in self._failed if err and err.data.get("host")), None
        )

        def fail(run: PipelineRun, at: datetime) -> Events:
            if run.status is not PipelineStatus.RUNNING or broken is None:
                return ()
            return (e.RunFailed(at=at, message=broken.message),)

        if self._stopped:
            await ledger.decide(self.run_id, _pause(STOPPED))
        elif broken is not None:
            await ledger.decide(self.run_id, fail)


def _pause(reason: str) -> Callable[[PipelineRun, datetime], Events]:
    """Pause a run that still runs."""

    def decision(run: PipelineRun, at: datetime) -> Events:
        if run.status is not PipelineStatus.RUNNING:
            return ()
        return decide.pause(run, at, reason)

    return decision


def _as_notice(call: Call, notice: ModelNotice) -> Notice:
    return Notice(
        response_id=call.response_id,
        code=notice.code,
        title=notice.title,
        message=notice.message,
        retry_after=notice.retry_after,
    )
