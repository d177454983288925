"""One asking: several calls at once, each kept as it ends, all stopped as one."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from writeit.core.errors import ModelError, NotFound
from writeit.engine.converse import converse
from writeit.engine.draft import Draft
from writeit.engine.endings import Endings
from writeit.engine.stream import Joiner, Notice, Started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from uuid import UUID

    from writeit.core.errors import WriteItError
    from writeit.core.run import Call
    from writeit.engine.gate import Gate
    from writeit.engine.planning import Planned
    from writeit.engine.stream import Observer
    from writeit.engine.tools import Tools
    from writeit.ports import ModelDone, ModelNotice


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
        self._endings = Endings(tools, run_id, step, observer)
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
                self._endings.fail(planned.call, planned.refusal)
        self._task = asyncio.create_task(self._run(gate))
        self._task.add_done_callback(lambda _: on_end())

    def stop(self) -> None:
        """Cut what streams; what arrived is kept. May be called more than once."""
        if self._endings.stopped:
            return
        self._endings.stopped = True
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

    async def watched(self) -> None:
        """Wait for the end; whoever is cancelled here stops it, and keeps what came.

        Raises:
            ModelError, NotFound: not one answer has text.
            StoreError: an answer could not be written down.
        """
        try:
            await self.ended()
        except asyncio.CancelledError:
            self.stop()
            await self.ended()
            raise
        if error := self.verdict():
            raise error

    def verdict(self) -> WriteItError | None:
        """Return the error if not one answer has text and nobody stopped them."""
        return self._endings.verdict()

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
        await self._endings.close()

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
        await self._endings.conclude(draft, done)

    @contextmanager
    def _stoppable(self) -> Iterator[None]:
        """Let `stop` cancel this call while the context is open, and not after."""
        if self._endings.stopped:  # between start() and here
            raise asyncio.CancelledError
        call = asyncio.current_task()
        assert call is not None  # noqa: S101 -- we are in a coroutine
        self._talking.add(call)
        try:
            yield
        finally:
            self._talking.discard(call)


def _as_notice(call: Call, notice: ModelNotice) -> Notice:
    return Notice(
        response_id=call.response_id,
        code=notice.code,
        title=notice.title,
        message=notice.message,
        retry_after=notice.retry_after,
    )
