"""One generation: several model calls at once, each recorded when it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.answer import AIResponse, Call
from writeit.domain.blind import hide_models, letter_of
from writeit.domain.entity import TokenUsage
from writeit.domain.errors import (
    BudgetExceeded,
    InvalidTransition,
    ModelError,
    NotFound,
    StoreError,
    WriteItError,
)
from writeit.domain.operations import generate, lifecycle, review
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import PipelineRun, PipelineStatus
from writeit.engine.limits import RunLimiter
from writeit.engine.more_room import (
    done_or_raise,
    is_out_of_room,
    more_room,
    more_room_notice,
    out_of_room_error,
    spent_by,
    unaffordable_error,
    with_usage,
)
from writeit.engine.prepared import (
    EngineServices,
    PreparedCall,
    failure_reason,
    no_answer_error,
)
from writeit.engine.responses import AnswerSender, PendingResponse
from writeit.engine.streaming import (
    CallReceiver,
    GenerationNotice,
    GenerationStarted,
    Observer,
    ResponseEndStatus,
    ResponseFinished,
    call_with_retries,
    set_usage,
    to_generation_notice,
    usage_of,
)
from writeit.engine.transactions import Operation
from writeit.ports.models import ModelDone

STOPPED_BY_USER = "stopped by the user"

TAKEN_OVER_ERROR = ModelError(
    "Another editor has taken over this run while this one was suspended. The text"
    " received before that was kept.",
    reason="cancelled",
    hint="Open the run again.",
)


class OutcomeRecorder:
    """Stores and reports how each call of a generation ended."""

    def __init__(
        self,
        services: EngineServices,
        run: PipelineRun,
        step: str,
        observer: Observer,
    ) -> None:
        self.is_stopped = False
        """Whether the user stopped the generation; its last outcome pauses the run."""
        self._run_id = run.pipeline_run_id
        self._step = step
        self._models = services.models
        self._transactions = services.transactions
        self._observer = observer
        self._numbers = run.steps[step].numbers
        self._state = run.steps[step]
        self._failures: list[tuple[UUID, str, ModelError | NotFound | None]] = []
        self._kept_count = 0
        self._unreadable: ModelError | None = None

    def failure(self) -> WriteItError | None:
        """Return the error if no answer is of use and the user did not stop it."""
        if self._kept_count or self.is_stopped or not self._failures:
            return self._unreadable
        error, models = no_answer_error(self._failures), {f[1] for f in self._failures}
        hide_models(error, self._state, models, "No text was received.")
        return error

    def record_failure(self, call: Call, error: ModelError | NotFound) -> None:
        """Count a call without text, or one whose model host failed."""
        self._failures.append((call.response_id, call.model, error))

    async def record_outcome(
        self, pending: PendingResponse, result: ModelDone | ModelError | NotFound
    ) -> None:
        """Store the outcome of a call and notify the observer."""
        if isinstance(result, ModelDone):
            if pending.has_text:
                response = pending.to_response(
                    result.usage, result.finish_reason, notes=result.notes
                )
                await self._record_response(pending.call, response, None)
                return
            result = _no_text_error(pending, result)
        usage = usage_of(result)
        if usage is None and (pending.text or pending.thoughts):
            usage = await pending.estimate_usage(self._models)
        if usage is not None and pending.has_text:
            response = pending.to_response(usage, failure_reason(result), partial=True)
            await self._record_response(pending.call, response, result)
            return
        await self._record_failed_call(pending.call, result, usage)

    async def finish_run(self) -> None:
        """Leave the run PAUSED if it was stopped, ERROR if the model host failed.

        It is PAUSED, too, if the store has not taken the answers.

        Raises:
            StoreError: it still does not.
        """
        try:
            await self._transactions.flush(self._run_id)
        except StoreError:
            self._transactions.queue_write(
                self._run_id, _pause_operation("the run history could not be written")
            )
            raise
        host_error = next(
            (err for *_, err in self._failures if err and err.data.get("host")), None
        )
        if self.is_stopped:
            operation = _pause_operation(STOPPED_BY_USER)
        elif host_error is not None:
            operation = _fail_operation(host_error.message)
        else:
            return
        await self._transactions.execute(self._run_id, operation)

    async def _record_failed_call(
        self, call: Call, error: ModelError | NotFound, usage: TokenUsage | None
    ) -> None:
        def fail(_: PipelineRun, now: datetime) -> Events:
            return generate.fail_response(
                self._step, call, failure_reason(error), error.message, now, usage
            )

        if await self._commit_outcome(call, fail) is not None:
            self.record_failure(call, error)
            self._notify_finished(call.response_id, None, "failed", error, usage)

    async def _record_response(
        self,
        call: Call,
        response: AIResponse,
        interruption: ModelError | NotFound | None,
    ) -> None:
        def add(_: PipelineRun, now: datetime) -> Events:
            if interruption is None:
                return generate.complete_response(self._step, response, now)
            return generate.interrupt_response(
                self._step, response, failure_reason(interruption), now
            )

        run = await self._commit_outcome(call, add)
        if run is None:
            return
        self._kept_count += 1
        if interruption is not None and interruption.data.get("host"):
            self.record_failure(call, interruption)
        ids = [answer.response_id for answer in run.steps[self._step].ai_responses]
        self._notify_finished(
            call.response_id,
            ids.index(call.response_id),
            "partial" if interruption else "complete",
            interruption,
            response.usage_stats,
            response.finish_reason,
        )

    async def _commit_outcome(
        self, call: Call, operation: Operation
    ) -> PipelineRun | None:
        """Store how a call ended; None if that is not possible any more, or yet.

        A write that the store cannot take stays pending in the transactions.
        """

        def end(run: PipelineRun, now: datetime) -> Events:
            return self._with_ending(run, operation(run, now), now)

        try:
            run = await self._transactions.execute(self._run_id, end)
        except (InvalidTransition, NotFound):
            self.record_failure(call, TAKEN_OVER_ERROR)
            self._notify_finished(call.response_id, None, "failed", TAKEN_OVER_ERROR)
        except StoreError as error:
            self._transactions.queue_write(self._run_id, end)
            reported = ModelError(error.message, reason="unavailable", hint=error.hint)
            self._notify_finished(call.response_id, None, "failed", reported)
        else:
            if run.status is PipelineStatus.ERROR:
                self._unreadable = review.unreadable_error(run)
            return run
        return None

    def _with_ending(self, run: PipelineRun, events: Events, now: datetime) -> Events:
        """Pause a stopped run, or end a review, with the end of its last answer.

        A kill between two transactions would leave it RUNNING for no visible reason.
        """
        after = state_machine.replay(events, run)
        ending = review.ending_events(after, now, is_stopped=self.is_stopped)
        if ending or not self.is_stopped or after.is_streaming:
            return events + ending
        return events + _pause_operation(STOPPED_BY_USER)(after, now)

    def _notify_finished(
        self,
        response_id: UUID,
        index: int | None,
        status: ResponseEndStatus,
        error: ModelError | NotFound | None,
        usage: TokenUsage | None = None,
        finish_reason: str | None = None,
    ) -> None:
        self._observer(
            ResponseFinished(
                response_id=response_id,
                number=self._numbers[response_id],
                index=index,
                status=status,
                usage=usage,
                finish_reason=finish_reason,
                reason=failure_reason(error) if error else None,
                message=error.message if error else None,
            )
        )


def _no_text_error(pending: PendingResponse, done: ModelDone) -> ModelError:
    """Return the error of an answer that ended without text."""
    message = "The answer is empty."
    if pending.thoughts:
        message = f"{pending.call.model} only thought and wrote no text."
    error = ModelError(message, reason="empty", finishReason=done.finish_reason)
    set_usage(error, done.usage)
    return error


def _pause_operation(reason: str) -> Operation:
    """Pause a run that is still RUNNING."""

    def pause(run: PipelineRun, now: datetime) -> Events:
        if run.status is not PipelineStatus.RUNNING:
            return ()
        return lifecycle.pause(run, now, reason)

    return pause


def _fail_operation(message: str) -> Operation:
    """Set a run that is still RUNNING to ERROR."""

    def fail(run: PipelineRun, now: datetime) -> Events:
        if run.status is not PipelineStatus.RUNNING:
            return ()
        return (e.RunFailed(at=now, message=message),)

    return fail


class Generation:
    """The calls of one `step.run`, `regenerate` or merge, until the last one ends."""

    def __init__(
        self,
        services: EngineServices,
        run: PipelineRun,
        step: str,
        prepared: list[PreparedCall],
        observer: Observer,
        buffer_size: int,
    ) -> None:
        """`run` is the run once its calls are recorded."""
        self.run_id = run.pipeline_run_id
        self.step = step
        self._services = services
        self._prepared = prepared
        self._observer = observer
        self._buffer_size = buffer_size
        self._numbers = run.steps[step].numbers
        self._outcomes = OutcomeRecorder(services, run, step, observer)
        self._cancellable_calls: dict[UUID, asyncio.Task[Any]] = {}
        """Calls that stream. Recording the outcome of an ended call is not stopped."""
        self._task: asyncio.Task[None] | None = None

    def start(
        self,
        run_limiter: RunLimiter,
        reserve: Callable[[PreparedCall], None],
        on_end: Callable[[], object],
    ) -> None:
        """Start a task for the calls; it goes on when nobody waits for it.

        `reserve` reserves the cost of a call that is made with more room.
        """
        self._reserve = reserve
        calls = [prepared.call for prepared in self._prepared]
        responses = tuple(
            (call.response_id, call.model, self._numbers[call.response_id])
            for call in sorted(calls, key=lambda call: call.place or 0)
        )
        letters = {c.response_id: letter_of(c.place) for c in calls if c.place}
        self._observer(
            GenerationStarted(
                run_id=self.run_id,
                step=self.step,
                responses=responses,
                letters=letters,
            )
        )
        for prepared in self._prepared:
            if prepared.refusal:
                self._outcomes.record_failure(prepared.call, prepared.refusal)
        self._task = asyncio.create_task(self._run_calls(run_limiter))
        self._task.add_done_callback(lambda _: on_end())

    def stop(self) -> None:
        """Cancel the streaming calls and keep their text; may be called twice."""
        if self._outcomes.is_stopped:
            return
        self._outcomes.is_stopped = True
        for task in self._cancellable_calls.values():
            task.cancel()

    async def stop_response(self, response_id: UUID) -> bool:
        """Cancel one streaming call and wait until its text is stored.

        Return False if it does not stream.
        """
        task = self._cancellable_calls.get(response_id)
        if task is None:
            return False
        task.cancel()
        await asyncio.wait([task])
        return True

    async def wait(self) -> None:
        """Wait until every call has ended and is stored; a cancel stops no call.

        Raises:
            StoreError: an outcome could not be stored.
        """
        if self._task is not None:
            await asyncio.shield(self._task)

    async def wait_or_stop(self) -> None:
        """Wait for the end; a cancel stops the calls and keeps their text.

        Raises:
            ModelError, NotFound: no answer has text.
            StoreError: an outcome could not be stored.
        """
        try:
            await self.wait()
        except asyncio.CancelledError:
            self.stop()
            await self.wait()
            raise
        if error := self.failure():
            raise error

    def failure(self) -> WriteItError | None:
        """Return the error if no answer has text and the user did not stop it."""
        return self._outcomes.failure()

    async def _run_calls(self, run_limiter: RunLimiter) -> None:
        slot = asyncio.create_task(
            run_limiter.acquire(self.run_id, self._notify_queued)
        )
        calls = [self._run_call(p, slot) for p in self._prepared if p.refusal is None]
        try:
            results = await asyncio.gather(*calls, return_exceptions=True)
        finally:
            run_limiter.release(self.run_id, slot)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        await self._outcomes.finish_run()

    def _notify_queued(self, limit: int) -> None:
        self._observer(
            GenerationNotice(
                response_id=None,
                code="queued",
                title="Waiting for another run",
                message=f"Generating at once: {limit}, which is the limit."
                " This run starts automatically.",
            )
        )

    async def _run_call(self, prepared: PreparedCall, slot: asyncio.Task[None]) -> None:
        """Make one call and record its outcome, even if it is cancelled."""
        call = prepared.call
        pending = PendingResponse(prepared, self._services.clock)
        sender = AnswerSender(pending, self._observer, self._buffer_size)
        journal = partial(
            self._services.store.append_journal, self.run_id, call.response_id
        )

        def receive(text: str) -> None:
            journal(text)
            sender.add_text(text)

        def receive_thought(text: str) -> None:
            if text:
                journal(text, is_thought=True)
            sender.add_thought(text)

        receiver = CallReceiver(
            on_text=receive,
            on_thought=receive_thought,
            on_notice=lambda n: self._observer(to_generation_notice(call, n)),
        )
        try:
            with self._cancellable(call.response_id):
                await asyncio.shield(slot)
                pending.start_clock()
                sender.start(thinks=prepared.estimate.thinks)
                result: ModelDone | ModelError | NotFound = await self._call_model(
                    prepared, pending, receiver
                )
        except asyncio.CancelledError:
            result = ModelError("Stopped before the answer ended.", reason="cancelled")
        except (ModelError, NotFound) as error:
            result = error
        sender.finish()
        await self._outcomes.record_outcome(pending, result)

    async def _call_model(
        self, prepared: PreparedCall, pending: PendingResponse, receiver: CallReceiver
    ) -> ModelDone:
        """Make a call, and once more with more room if thinking used all of it.

        Raises:
            ModelError, NotFound: see `call_with_retries`.
        """
        models, policy = self._services.models, self._services.retry_policy
        call = prepared.model_call
        outcome: ModelDone | ModelError
        try:
            outcome = await call_with_retries(models, call, policy, receiver)
        except ModelError as error:
            outcome = error
        if not is_out_of_room(outcome) or pending.has_text:
            return done_or_raise(outcome)
        larger, first = more_room(prepared, outcome), spent_by(outcome)
        try:
            self._reserve(larger)
        except BudgetExceeded as refusal:
            raise unaffordable_error(larger, refusal, first) from refusal
        receiver.on_notice(more_room_notice(larger))
        try:
            outcome = await call_with_retries(
                models, larger.model_call, policy, receiver
            )
        except ModelError as error:
            outcome = error
        outcome = with_usage(outcome, first)
        if is_out_of_room(outcome) and not pending.has_text:
            raise out_of_room_error(larger, spent_by(outcome))
        return done_or_raise(outcome)

    @contextmanager
    def _cancellable(self, response_id: UUID) -> Iterator[None]:
        """Let the current call be cancelled while the context is open."""
        if self._outcomes.is_stopped:  # between start() and the first await
            raise asyncio.CancelledError
        call = asyncio.current_task()
        assert call is not None  # noqa: S101 -- a coroutine has a task
        self._cancellable_calls[response_id] = call
        try:
            yield
        finally:
            del self._cancellable_calls[response_id]
