"""One streamed answer, between the process that reads it and whoever asked."""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from writeit.core.usage import TokenUsage
from writeit.models.wire import error_of
from writeit.ports import ModelDone, ModelNotice, TextDelta

if TYPE_CHECKING:
    from writeit.core.errors import WriteItError
    from writeit.models.wire import Message
    from writeit.ports import ModelItem


class Answer:
    """An iterator of the answer's items; text that nobody took yet is joined."""

    def __init__(self) -> None:
        self._items: deque[list[str] | ModelNotice | ModelDone | WriteItError] = deque()
        self._came = asyncio.Event()
        self._over = False
        self.length = 0
        """Characters that arrived."""

    @property
    def ended(self) -> bool:
        """Whether the last item has arrived, taken or not."""
        return self._over

    def text(self, text: str) -> None:
        """Take a piece of text."""
        if not text:
            return
        self.length += len(text)
        if self._items and isinstance(self._items[-1], list):
            self._items[-1].append(text)
        else:
            self._put([text])

    def notice(self, notice: ModelNotice) -> None:
        """Take a notice."""
        self._put(notice)

    def end(self, last: ModelDone | WriteItError) -> None:
        """Take the last item; what comes later is not of this answer."""
        if not self._over:
            self._over = True
            self._put(last)

    def _put(self, item: list[str] | ModelNotice | ModelDone | WriteItError) -> None:
        self._items.append(item)
        self._came.set()

    def __aiter__(self) -> Answer:
        """Iterate over the items."""
        return self

    async def __anext__(self) -> ModelItem:
        """Return the next item, waiting for it; raise where the call failed."""
        while not self._items:
            if self._over:
                raise StopAsyncIteration
            self._came.clear()
            await self._came.wait()
        item = self._items.popleft()
        if isinstance(item, list):
            return TextDelta("".join(item))
        if isinstance(item, Exception):
            raise item
        return item


def feed(answer: Answer, message: Message) -> None:
    """Hand on what the host says about an answer."""
    match message["type"]:
        case "delta":
            answer.text(message["text"])
        case "notice":
            told = {k: v for k, v in message.items() if k not in {"type", "id"}}
            answer.notice(ModelNotice(**told))
        case "done":
            usage = TokenUsage(**message["usage"])
            reason = message["finish_reason"]
            answer.end(ModelDone(usage=usage, finish_reason=reason))
        case "error":
            answer.end(error_of(message))
