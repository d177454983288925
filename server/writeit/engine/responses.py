"""Responses of a running generation: received text, and the answer made of it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime

from writeit.domain.answer import AIResponse, Call, StreamingResponse
from writeit.domain.document import RunDocument
from writeit.domain.entity import TokenUsage
from writeit.domain.errors import WriteItError
from writeit.domain.model_id import split_model_id
from writeit.domain.placement import passage_of
from writeit.engine.prepared import PreparedCall
from writeit.engine.streaming import (
    DeltaBatcher,
    ModelThinking,
    Observer,
    ThoughtMarked,
)
from writeit.ports.models import Models
from writeit.ports.system import Clock
from writeit.text.cleaning import clean_answer
from writeit.text.continuation import join_rest
from writeit.text.thoughts import (
    Piece,
    ThoughtSplitter,
    estimated_tokens,
    split_thoughts,
)

THINKING_INTERVAL = 1.0
"""Seconds between two events that say that a model thinks."""
TOKEN_COUNT_TIMEOUT = 0.5
MIN_PROCESSING_SECONDS = 1e-6
"""A clock may return the same time twice; processing times are above 0."""


def build_response(  # noqa: PLR0913 -- the fields of an answer, each by name
    stream: StreamingResponse,
    usage: TokenUsage,
    finish_reason: str | None,
    now: datetime,
    *,
    document: RunDocument,
    continued: AIResponse | None = None,
    partial: bool = False,
    processing_time: float = 0.0,
    first_token_seconds: float | None = None,
    notes: tuple[str, ...] = (),
) -> AIResponse:
    """Return the answer that a streaming response becomes; times in seconds.

    `continued` is the answer whose rest it is.
    """
    provider, model_name = split_model_id(stream.model)
    passage = asked_text(document)
    split = split_thoughts(stream.text, stream.prompt, passage)
    thoughts = filter(None, (stream.thoughts.strip(), split.thoughts))
    text = clean_answer(stream.text, passage, stream.prompt, document.all_text)
    if continued is not None:
        # The line breaks before the rest say whether it begins a paragraph.
        begin = split.text[: len(split.text) - len(split.text.lstrip())]
        text = join_rest(continued.processed_content, begin + text)
    return AIResponse(
        response_id=stream.response_id,
        model_name=model_name,
        provider=provider,
        prompt_used=stream.prompt,
        raw_output=stream.text,
        processed_content=text,
        created_at=now,
        usage_stats=usage,
        processing_time=max(processing_time, MIN_PROCESSING_SECONDS),
        partial=partial,
        finish_reason=finish_reason,
        first_token_seconds=first_token_seconds,
        thinking="\n\n".join(thoughts) or None,
        continues=continued.response_id if continued else None,
        notes=notes,
    )


def asked_text(document: RunDocument) -> str:
    """Return the text that an answer is about: the passage, else the document."""
    return passage_of(document).content if document.selection else document.all_text


def has_text(stream: StreamingResponse, document: RunDocument) -> bool:
    """Return whether anything but thoughts and white space was received."""
    split = split_thoughts(stream.text, stream.prompt, asked_text(document))
    return bool(split.text.strip())


def estimated_usage(
    prompt_tokens: int, completion_tokens: int, cost_usd: float | None = None
) -> TokenUsage:
    """Return the usage of an answer whose provider did not report it."""
    return TokenUsage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
        cost_usd=cost_usd,
        estimated=True,
    )


class PendingResponse:
    """Collects the text and times of one answer."""

    def __init__(self, prepared: PreparedCall, clock: Clock) -> None:
        self._prepared = prepared
        self._clock = clock
        self._started_at = clock.monotonic()
        self._first_text_at: float | None = None
        self._parts: list[str] = []
        self._thoughts: list[str] = []
        """What the provider told of its thoughts apart from the text."""
        prompt = prepared.model_call.prompt
        self._splitter = ThoughtSplitter(prompt, asked_text(prepared.document))

    @property
    def call(self) -> Call:
        """The call that is answered."""
        return self._prepared.call

    @property
    def text(self) -> str:
        """What the provider called content so far, thoughts between tags included."""
        return "".join(self._parts)

    @property
    def has_text(self) -> bool:
        """Whether anything but thoughts and white space was received."""
        return bool(self._splitter.text.strip())

    @property
    def is_thinking(self) -> bool:
        """Whether the content is in a thought now."""
        return self._splitter.is_thinking

    @property
    def thoughts_up_to(self) -> int:
        """The offset in the content before which all was a thought."""
        return self._splitter.up_to

    @property
    def thoughts(self) -> str:
        """All thoughts so far."""
        return "".join(self._thoughts) + self._splitter.thoughts

    def start_clock(self) -> None:
        """Measure times from now on."""
        self._started_at = self._clock.monotonic()

    def append(self, text: str) -> list[Piece]:
        """Add the next content; return its pieces, or those of it and held content."""
        self._parts.append(text)
        return self._note_text(self._splitter.feed(text))

    def append_thought(self, text: str) -> None:
        """Add what the provider told of its thoughts."""
        self._thoughts.append(text)

    def finish(self) -> list[Piece]:
        """Return what was held back because it might have become a tag."""
        return self._note_text(self._splitter.finish())

    def _note_text(self, pieces: list[Piece]) -> list[Piece]:
        if self._first_text_at is None and self.has_text:
            self._first_text_at = self._clock.monotonic()
        return pieces

    def to_response(
        self,
        usage: TokenUsage,
        finish_reason: str | None,
        *,
        partial: bool = False,
        notes: tuple[str, ...] = (),
    ) -> AIResponse:
        """Return the answer as it is stored."""
        first = self._first_text_at
        return build_response(
            StreamingResponse(
                response_id=self.call.response_id,
                model=self.call.model,
                prompt=self._prepared.model_call.prompt,
                text=self.text,
                thoughts="".join(self._thoughts),
            ),
            usage,
            finish_reason,
            self._clock.now(),
            document=self._prepared.document,
            continued=self._prepared.continued,
            partial=partial,
            processing_time=self._clock.monotonic() - self._started_at,
            first_token_seconds=None if first is None else first - self._started_at,
            notes=notes,
        )

    async def estimate_usage(self, models: Models) -> TokenUsage:
        """Count what an interrupted call used; its provider did not report it."""
        estimate = self._prepared.estimate
        input_cost = estimate.input_cost_per_token
        output_cost = estimate.output_cost_per_token
        tokens = await self._count_tokens(models)
        cost = None
        if input_cost is not None and output_cost is not None:
            cost = estimate.prompt_tokens * input_cost + tokens * output_cost
        return estimated_usage(estimate.prompt_tokens, tokens, cost)

    async def _count_tokens(self, models: Models) -> int:
        received = self.text + "".join(self._thoughts)
        call = replace(self._prepared.model_call, prompt=received)
        try:
            async with asyncio.timeout(TOKEN_COUNT_TIMEOUT):
                return (await models.estimate(call)).prompt_tokens
        except (TimeoutError, WriteItError):
            return estimated_tokens(received)


class AnswerSender:
    """Sends what arrives of one answer to an observer.

    While a model thinks, it says so once a second, also if the provider tells nothing.
    """

    def __init__(
        self, pending: PendingResponse, observer: Observer, buffer_size: int
    ) -> None:
        self._pending = pending
        self._observer = observer
        self._response_id = pending.call.response_id
        self._loop = asyncio.get_running_loop()
        self._batcher = DeltaBatcher(
            self._response_id, observer, self._loop, buffer_size
        )
        self._started_at = self._loop.time()
        self._timer: asyncio.TimerHandle | None = None
        self._sent = 0
        """How many characters of the content were sent."""

    def start(self, *, thinks: bool) -> None:
        """Measure time from now on; `thinks`: the model is known to think first."""
        self._started_at = self._loop.time()
        if thinks:
            self._wait()

    def add_text(self, text: str) -> None:
        """Send the next content."""
        self._send(self._pending.append(text))

    def add_thought(self, text: str) -> None:
        """Note what the provider told of a thought."""
        self._pending.append_thought(text)
        self._note_thought()

    def finish(self) -> None:
        """Send what was held back."""
        self._send(self._pending.finish())
        self._stop_waiting()
        self._batcher.flush()

    def _send(self, pieces: list[Piece]) -> None:
        up_to = self._pending.thoughts_up_to
        for piece in pieces:
            self._batcher.add(piece.text, is_thought=piece.is_thought)
            self._sent += len(piece.text)
            if self._sent == up_to:
                self._batcher.flush()
                mark = ThoughtMarked(response_id=self._response_id, up_to=up_to)
                self._observer(mark)
        if self._pending.is_thinking:
            self._note_thought()
        elif self._pending.has_text:
            self._stop_waiting()

    def _note_thought(self) -> None:
        if self._timer is None:
            self._report()

    def _report(self) -> None:
        thoughts = self._pending.thoughts
        self._observer(
            ModelThinking(
                response_id=self._response_id,
                seconds=self._loop.time() - self._started_at,
                tokens=estimated_tokens(thoughts) if thoughts else None,
            )
        )
        self._wait()

    def _wait(self) -> None:
        self._timer = self._loop.call_later(THINKING_INTERVAL, self._report)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
