"""One asking: several calls at once, each kept as it ends, all stopped as one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from writeit.domain import events as e
from writeit.domain import state_machine
from writeit.domain.entity import TokenUsage
from writeit.domain.errors import (
    FailureReason,
    InvalidTransition,
    ModelError,
    NotFound,
    StoreError,
    WriteItError,
)
from writeit.domain.operations import generate, lifecycle
from writeit.domain.operations.lifecycle import Events
from writeit.domain.run import (
    AIResponse,
    Call,
    PipelineRun,
    PipelineStatus,
    split_model_id,
)
from writeit.engine.limits import RunLimiter
from writeit.engine.requests import (
    EngineServices,
    PreparedCall,
    failure_reason,
    no_answer_error,
)
from writeit.engine.streaming import (
    DeltaBatcher,
    GenerationNotice,
    GenerationStarted,
    Observer,
    ResponseEndStatus,
    ResponseFinished,
    call_with_retries,
)
from writeit.ports.models import ModelDone, ModelNotice, Models
from writeit.ports.system import Clock
from writeit.text.markdown import clean_output

# --- An answer while it grows, and the AIResponse it becomes --------------------------

CHARACTERS_PER_TOKEN = 4
"""Only for answers that were cut when nobody can count their tokens any more."""

TOKEN_COUNT_TIMEOUT = 0.5
MIN_PROCESSING_SECONDS = 1e-6
"""Seconds; a clock may stand still between two readings, a call takes time."""


class PendingResponse:
    """Collects one answer's text and times."""

    def __init__(self, prepared: PreparedCall, clock: Clock) -> None:
        self._prepared = prepared
        self._clock = clock
        self._started_at = clock.monotonic()
        self._first_text_at: float | None = None
        self._parts: list[str] = []

    @property
    def call(self) -> Call:
        """The call this is the answer to."""
        return self._prepared.call

    @property
    def text(self) -> str:
        """What arrived so far."""
        return "".join(self._parts)

    @property
    def has_text(self) -> bool:
        """Whether what arrived is worth keeping."""
        return bool(self.text.strip())

    def start_clock(self) -> None:
        """Start the clock: the call is made now."""
        self._started_at = self._clock.monotonic()

    def append(self, text: str) -> None:
        """Take the next piece."""
        if self._first_text_at is None:
            self._first_text_at = self._clock.monotonic()
        self._parts.append(text)

    def to_response(
        self, usage: TokenUsage, finish_reason: str | None, *, partial: bool = False
    ) -> AIResponse:
        """Return the answer as it will stand for ever."""
        provider, model_name = split_model_id(self.call.model)
        first = (
            None
            if self._first_text_at is None
            else self._first_text_at - self._started_at
        )
        return AIResponse(
            response_id=self.call.response_id,
            model_name=model_name,
            provider=provider,
            prompt_used=self._prepared.model_call.prompt,
            raw_output=self.text,
            processed_content=clean_output(self.text),
            created_at=self._clock.now(),
            usage_stats=usage,
            processing_time=max(
                self._clock.monotonic() - self._started_at, MIN_PROCESSING_SECONDS
            ),
            partial=partial,
            finish_reason=finish_reason,
            first_token_seconds=first,
        )

    async def estimate_usage(self, models: Models) -> TokenUsage:
        """Count what a cut answer used; its provider did not get to say."""
        fit = self._prepared.estimate
        completion = await self._count_tokens(models)
        cost = None
        if None not in (fit.input_cost_per_token, fit.output_cost_per_token):
            cost = fit.prompt_tokens * (fit.input_cost_per_token or 0.0)
            cost += completion * (fit.output_cost_per_token or 0.0)
        return TokenUsage(
            prompt_tokens=fit.prompt_tokens,
            completion_tokens=completion,
            total_tokens=fit.prompt_tokens + completion,
            cost_usd=cost,
            estimated=True,
        )

    async def _count_tokens(self, models: Models) -> int:
        call = replace(self._prepared.model_call, prompt=self.text)
        try:
            async with asyncio.timeout(TOKEN_COUNT_TIMEOUT):
                return (await models.estimate(call)).prompt_tokens
        except (TimeoutError, WriteItError):
            return len(self.text) // CHARACTERS_PER_TOKEN + 1


# --- How each call of an asking ended: written down, counted and told -----------------


STOPPED_BY_USER = "stopped by the writer"

TAKEN_OVER_ERROR = ModelError(
    "This run was taken over by another editor while this one stood still; what had"
    " come until then is kept there.",
    reason="cancelled",
    hint="Open the run again.",
)


class OutcomeRecorder:
    """The ends of the calls of one asking."""

    def __init__(
        self, services: EngineServices, run_id: UUID, step: str, observer: Observer
    ) -> None:
        self.is_stopped = False
        """Whether somebody stopped the asking: its last end pauses the run with it."""
        self._run_id = run_id
        self._step = step
        self._services = services
        self._observer = observer
        self._failures: list[tuple[UUID, str, ModelError | NotFound | None]] = []
        self._kept_count = 0

    def failure(self) -> WriteItError | None:
        """Return the error if not one answer has text and nobody stopped them."""
        if self._kept_count or self.is_stopped or not self._failures:
            return None
        return no_answer_error(self._failures)

    def record_failure(self, call: Call, error: ModelError | NotFound) -> None:
        """Count a call that failed: it brought no text, or its model host broke."""
        self._failures.append((call.response_id, call.model, error))

    async def record_outcome(
        self, pending: PendingResponse, result: ModelDone | ModelError | NotFound
    ) -> None:
        """Write down what came of a call, and tell it."""
        if not isinstance(result, ModelError | NotFound):
            if pending.has_text:
                response = pending.to_response(result.usage, result.finish_reason)
                await self._record_response(pending.call, response, None)
                return
            result = ModelError("The answer is empty.", reason="empty")
        if pending.has_text:
            usage = await pending.estimate_usage(self._services.models)
            response = pending.to_response(usage, failure_reason(result), partial=True)
            await self._record_response(pending.call, response, result)
            return
        await self._record_failed_call(pending.call, result)

    async def finish_run(self) -> None:
        """Leave the run PAUSED if it was stopped, ERROR if the model host failed.

        PAUSED it is, too, if the store has not taken the answers.

        Raises:
            StoreError: it still does not.
        """
        ledger = self._services.transactions
        try:
            await ledger.flush(self._run_id)
        except StoreError:
            ledger.queue_write(
                self._run_id, _pause_operation("the store could not be written")
            )
            raise
        broken = next(
            (err for *_, err in self._failures if err and err.data.get("host")), None
        )

        def fail(run: PipelineRun, at: datetime) -> Events:
            if run.status is not PipelineStatus.RUNNING or broken is None:
                return ()
            return (e.RunFailed(at=at, message=broken.message),)

        if self.is_stopped:
            await ledger.execute(self._run_id, _pause_operation(STOPPED_BY_USER))
        elif broken is not None:
            await ledger.execute(self._run_id, fail)

    async def _record_failed_call(
        self, call: Call, error: ModelError | NotFound
    ) -> None:
        reason: FailureReason = failure_reason(error)

        def decision(_: PipelineRun, at: datetime) -> Events:
            return generate.fail_response(self._step, call, reason, error.message, at)

        if await self._commit_outcome(call, decision) is None:
            return
        self.record_failure(call, error)
        self._notify_finished(call.response_id, None, "failed", error)

    async def _record_response(
        self,
        call: Call,
        response: AIResponse,
        interruption: ModelError | NotFound | None,
    ) -> None:
        def decision(_: PipelineRun, at: datetime) -> Events:
            if interruption is None:
                return generate.complete_response(self._step, response, at)
            return generate.interrupt_response(
                self._step, response, failure_reason(interruption), at
            )

        run = await self._commit_outcome(call, decision)
        if run is None:
            return
        self._kept_count += 1
        if interruption is not None and interruption.data.get("host"):
            self.record_failure(call, interruption)
        answers = run.steps[self._step].ai_responses
        index = next(
            i for i, r in enumerate(answers) if r.response_id == response.response_id
        )
        status: ResponseEndStatus = "partial" if interruption else "complete"
        self._notify_finished(
            response.response_id,
            index,
            status,
            interruption,
            usage=response.usage_stats,
        )

    async def _commit_outcome(
        self, call: Call, outcome: Callable[[PipelineRun, datetime], Events]
    ) -> PipelineRun | None:
        """Write down how a call ended; None if that was not possible any more, or yet.

        What the store does not take now the ledger keeps, shows and writes later.
        """
        try:
            return await self._services.transactions.execute(
                self._run_id,
                lambda run, at: self._with_pause(run, outcome(run, at), at),
            )
        except (InvalidTransition, NotFound):
            self.record_failure(call, TAKEN_OVER_ERROR)
            self._notify_finished(call.response_id, None, "failed", TAKEN_OVER_ERROR)
        except StoreError as error:
            self._services.transactions.queue_write(self._run_id, outcome)
            told = ModelError(error.message, reason="unavailable", hint=error.hint)
            self._notify_finished(call.response_id, None, "failed", told)
        return None

    def _with_pause(self, run: PipelineRun, events: Events, now: datetime) -> Events:
        """Pause a run that is being stopped together with its last answer's end.

        A kill between the two would leave it RUNNING, with nobody who knows why.
        """
        after = state_machine.replay(events, run)
        if not self.is_stopped or after.is_streaming:
            return events
        return events + _pause_operation(STOPPED_BY_USER)(after, now)

    def _notify_finished(
        self,
        response_id: UUID,
        index: int | None,
        status: ResponseEndStatus,
        error: ModelError | NotFound | None,
        usage: TokenUsage | None = None,
    ) -> None:
        self._observer(
            ResponseFinished(
                response_id=response_id,
                index=index,
                status=status,
                usage=usage,
                reason=failure_reason(error) if error else None,
                message=error.message if error else None,
            )
        )


def _pause_operation(reason: str) -> Callable[[PipelineRun, datetime], Events]:
    """Pause a run that still runs."""

    def decision(run: PipelineRun, at: datetime) -> Events:
        if run.status is not PipelineStatus.RUNNING:
            return ()
        return lifecycle.pause(run, at, reason)

    return decision


# --- One asking: several calls at once, each kept as it ends, all stopped as one ------


class Generation:
    """The calls of one `step.run`, `regenerate` or merge, from sending to the end."""

    def __init__(
        self,
        services: EngineServices,
        run_id: UUID,
        step: str,
        prepared: list[PreparedCall],
        observer: Observer,
        buffer_size: int,
    ) -> None:
        self.run_id = run_id
        self.step = step
        self._services = services
        self._prepared = prepared
        self._observer = observer
        self._buffer_size = buffer_size
        self._outcomes = OutcomeRecorder(services, run_id, step, observer)
        self._cancellable_calls: set[asyncio.Task[Any]] = set()
        """Calls whose answers are on their way; once one ended, nothing stops it from
        being written down."""
        self._task: asyncio.Task[None] | None = None

    def start(self, run_limiter: RunLimiter, on_end: Callable[[], object]) -> None:
        """Begin; the asking goes on by itself, whoever stops watching it."""
        pairs = tuple((p.call.response_id, p.call.model) for p in self._prepared)
        self._observer(
            GenerationStarted(run_id=self.run_id, step=self.step, responses=pairs)
        )
        for planned in self._prepared:
            if planned.refusal:
                self._outcomes.record_failure(planned.call, planned.refusal)
        self._task = asyncio.create_task(self._run_calls(run_limiter))
        self._task.add_done_callback(lambda _: on_end())

    def stop(self) -> None:
        """Cut what streams; what arrived is kept. May be called more than once."""
        if self._outcomes.is_stopped:
            return
        self._outcomes.is_stopped = True
        for call in self._cancellable_calls:
            call.cancel()

    async def wait(self) -> None:
        """Wait until every call has ended and is written down.

        Being cancelled while waiting stops nothing by itself.

        Raises:
            StoreError: something could not be written.
        """
        if self._task is not None:
            await asyncio.shield(self._task)

    async def wait_or_stop(self) -> None:
        """Wait for the end; whoever is cancelled here stops it, and keeps what came.

        Raises:
            ModelError, NotFound: not one answer has text.
            StoreError: an answer could not be written down.
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
        """Return the error if not one answer has text and nobody stopped them."""
        return self._outcomes.failure()

    async def _run_calls(self, run_limiter: RunLimiter) -> None:
        sent = [planned for planned in self._prepared if planned.refusal is None]
        turn = asyncio.create_task(run_limiter.acquire(self._notify_queued))
        calls = [self._run_call(planned, turn) for planned in sent]
        try:
            results = await asyncio.gather(*calls, return_exceptions=True)
        finally:
            run_limiter.release(turn)
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
                message=f"{limit} runs are streaming, as many as allowed; this one"
                " starts by itself.",
            )
        )

    async def _run_call(self, prepared: PreparedCall, slot: asyncio.Task[None]) -> None:
        """Make one call and write down how it ended, whatever happens."""
        call = prepared.call
        draft = PendingResponse(prepared, self._services.clock)
        joiner = DeltaBatcher(
            call.response_id,
            self._observer,
            asyncio.get_running_loop(),
            self._buffer_size,
        )

        def hear(text: str) -> None:
            draft.append(text)
            self._services.store.append_journal(self.run_id, call.response_id, text)
            joiner.add(text)

        try:
            with self._cancellable():
                await asyncio.shield(slot)
                draft.start_clock()
                done: ModelDone | ModelError | NotFound = await call_with_retries(
                    self._services.models,
                    prepared.model_call,
                    self._services.retry_policy,
                    hear,
                    lambda notice: self._observer(_to_generation_notice(call, notice)),
                )
        except asyncio.CancelledError:
            done = ModelError("Stopped before the answer ended.", reason="cancelled")
        except (ModelError, NotFound) as error:
            done = error
        joiner.flush()
        await self._outcomes.record_outcome(draft, done)

    @contextmanager
    def _cancellable(self) -> Iterator[None]:
        """Let `stop` cancel this call while the context is open, and not after."""
        if self._outcomes.is_stopped:  # between start() and here
            raise asyncio.CancelledError
        call = asyncio.current_task()
        assert call is not None  # noqa: S101 -- we are in a coroutine
        self._cancellable_calls.add(call)
        try:
            yield
        finally:
            self._cancellable_calls.discard(call)


def _to_generation_notice(call: Call, notice: ModelNotice) -> GenerationNotice:
    return GenerationNotice(
        response_id=call.response_id,
        code=notice.code,
        title=notice.title,
        message=notice.message,
        retry_after=notice.retry_after,
    )
