"""Models of the editor, `vscode/<vendor>/<family>`: the client makes the calls."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from operator import attrgetter
from typing import Any, Final, get_args
from uuid import uuid4

from pydantic import TypeAdapter, ValidationError
from pygls.exceptions import JsonRpcException

from writeit.domain.entity import TokenUsage
from writeit.domain.errors import FailureReason, ModelError
from writeit.domain.model_id import EDITOR, THE_EDITOR, model_id_problem
from writeit.engine.responses import estimated_usage
from writeit.lsp.client import Client
from writeit.lsp.messages import (
    LIST_METHOD,
    REQUEST_METHOD,
    LanguageModel,
    LanguageModelRequest,
    LanguageModelResult,
)
from writeit.ports.models import (
    FIRST_TEXT_SECONDS_THINKING,
    MAX_ANSWER_CHARACTERS,
    SILENCE_SECONDS,
    AnswerStream,
    CallEstimate,
    ModelCall,
    ModelDone,
    ModelInfo,
    ModelStreamItem,
    timeout_override,
)
from writeit.text.lines import SurrogateJoiner
from writeit.text.thoughts import estimated_tokens

LIST_SECONDS: Final = 10.0
"""How long the client may take to list its models."""
_LIST: Final = TypeAdapter(list[LanguageModel])
_NOT_IN_IDS: Final = re.compile(r"[^A-Za-z0-9._:/@+-]+")
_OTHER: Final = "choose another model."
_HINTS: Final[dict[FailureReason, str]] = {
    "forbidden": f"Generate again and allow WriteIt to use the model, or {_OTHER}",
    "not_found": f"Sign in to its provider in the editor, or {_OTHER}",
    "quota": f"Wait until your plan has quota again, or {_OTHER}",
    "refused": f"Change the text or the prompt, or {_OTHER}",
}
logger = logging.getLogger(__name__)


def _error(
    model: str, reason: FailureReason, message: str, **data: object
) -> ModelError:
    hint = _HINTS.get(reason, f"Generate again, or {_OTHER}")
    where = {"provider": EDITOR, "model": model, "destination": THE_EDITOR}
    return ModelError(message, reason=reason, hint=hint, **where, **data)


def name_models(models: Sequence[LanguageModel]) -> dict[str, LanguageModel]:
    """Return models by their ids for WriteIt.

    The first of a family has its name, the others their own id in its place. Characters
    that no id has become `-`; a model whose name is no id even then is left out.
    """
    named: dict[str, LanguageModel] = {}
    for name_of in (attrgetter("family"), attrgetter("id")):
        for model in models:
            name = f"{EDITOR}/{model.vendor}/{name_of(model)}"
            model_id = _NOT_IN_IDS.sub("-", name)
            if model not in named.values() and model_id_problem(model_id) is None:
                named.setdefault(model_id, model)
    return named


class _Answer:
    """An answer that arrives; its pieces are put into their order."""

    def __init__(self, call: ModelCall) -> None:
        self.stream = AnswerStream()
        self.limit: asyncio.Timeout | None = None
        self.left = asyncio.Event()
        """Set once nobody reads the answer any more."""
        self._call = call
        self._pieces: list[str] = []
        self._held: dict[int, str] = {}
        """Pieces before which others are missing."""
        self._room = MAX_ANSWER_CHARACTERS
        self._halves = SurrogateJoiner()

    def receive(self, seq: int, text: str) -> None:
        """Take a piece; one that was sent twice is ignored."""
        if self.limit is not None and not self.limit.expired():
            now = asyncio.get_running_loop().time()
            self.limit.reschedule(now + (timeout_override() or SILENCE_SECONDS))
        if seq < len(self._pieces) or seq in self._held:
            return
        self._held[seq] = text[: max(self._room, 0)]
        self._room -= len(text)
        while (piece := self._held.pop(len(self._pieces), None)) is not None:
            self._pieces.append(self._halves.feed(piece))
            self.stream.add_text(self._pieces[-1])
            if not piece:
                self.stream.add_thought("")
        if self._room < 0:
            self.fail("malformed", f"it sent over {MAX_ANSWER_CHARACTERS:,} characters")

    def end(self, result: LanguageModelResult) -> None:
        """Take the client's word that the answer is complete."""
        if self._held:
            self.fail("malformed", "a piece of the answer is missing")
            return
        self.stream.add_text(self._halves.finish())
        usage = self._usage()
        if (told := result.usage) is not None:
            counts = (told.prompt_tokens, told.completion_tokens)
            usage = estimated_usage(*counts).evolve(estimated=False)
        done = ModelDone(usage=usage, finish_reason=result.finish_reason)
        if self._call.json_schema is not None:
            note = "The editor's models cannot be asked for JSON by a schema."
            done = replace(done, notes=(note,))
        self.stream.finish(done)

    def fail(self, reason: FailureReason, words: str) -> None:
        """End the answer; what has arrived is valid."""
        data = {"usage": self._usage().model_dump(mode="json")} if self._pieces else {}
        message = f"The editor did not answer with {self._call.model}: {words}."
        self.stream.finish(_error(self._call.model, reason, message, **data))

    def _usage(self) -> TokenUsage:
        text = "".join(self._pieces)
        return estimated_usage(
            estimated_tokens(self._call.prompt), estimated_tokens(text)
        )


class EditorModels:
    """The models of the connected client, as a `ModelSource`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._named: Mapping[str, LanguageModel] = {}
        """By id."""
        self._answers: dict[str, _Answer] = {}
        """The answers that arrive, by request id."""
        self._is_closed = False

    async def list_models(self, include: Sequence[str]) -> list[ModelInfo]:
        """List the editor's models, and those of `include` that it does not have."""
        await self._request_list()
        ids = dict.fromkeys([*self._named, *include])
        return [self._model_info(model) for model in ids]

    def _model_info(self, model: str) -> ModelInfo:
        found, missing = self._named.get(model), self._missing(model)
        return ModelInfo(
            id=model,
            provider=EDITOR,
            available=found is not None,
            reason=None if found else f"{missing.message} {missing.hint}",
            context_window=found.max_input_tokens if found else None,
        )

    def _missing(self, model: str) -> ModelError:
        if not self._named:
            return _error(model, "unavailable", "The editor lists no models.")
        return _error(model, "not_found", f"The editor has no model {model}.")

    async def _request_list(self) -> None:
        if self._is_closed:
            return
        try:
            async with asyncio.timeout(LIST_SECONDS):
                reply = await self._client.request(LIST_METHOD, {}, str(uuid4()))
            self._named = name_models(_LIST.validate_python(reply))
        except (JsonRpcException, TimeoutError, ValidationError) as error:
            logger.warning("the editor did not list its models: %s", error)

    async def estimate(self, call: ModelCall) -> CallEstimate:
        """Estimate a prompt's tokens; look up the model's window."""
        await self._request_list()
        found = self._named.get(call.model)
        return CallEstimate(
            prompt_tokens=estimated_tokens(call.prompt),
            context_window=found.max_input_tokens if found else None,
            destination=THE_EDITOR,
            refusal=None if found else self._missing(call.model),
        )

    @asynccontextmanager
    async def stream(
        self, call: ModelCall
    ) -> AsyncIterator[AsyncIterator[ModelStreamItem]]:
        """Make one call; leaving the context cancels it."""
        if call.model not in self._named:
            await self._request_list()
        if (found := self._named.get(call.model)) is None:
            raise self._missing(call.model)
        request_id, answer = str(uuid4()), _Answer(call)
        self._answers[request_id] = answer
        limit = call.max_tokens and call.max_tokens + call.thinking_room
        request = LanguageModelRequest(
            request_id=request_id,
            model=found.id,
            vendor=found.vendor,
            prompt=call.prompt,
            max_tokens=limit,
            temperature=call.temperature,
            reasoning=call.reasoning,
        )
        following = asyncio.create_task(self._follow(request, answer, call.timeout))
        try:
            yield answer.stream
        finally:
            del self._answers[request_id]
            following.cancel()
            answer.left.set()

    async def _follow(
        self, request: LanguageModelRequest, answer: _Answer, wait: float | None
    ) -> None:
        """Have the client answer, and end the answer by its reply."""
        wait = timeout_override() or wait or FIRST_TEXT_SECONDS_THINKING
        params = request.model_dump(mode="json", by_alias=True, exclude_none=True)
        try:
            async with asyncio.timeout(wait) as answer.limit:
                reply = await self._client.request(
                    REQUEST_METHOD, params, request.request_id
                )
            answer.end(LanguageModelResult.model_validate(reply))
        except TimeoutError:
            answer.fail("timeout", "nothing arrived in time")
        except JsonRpcException as error:
            given = error.data.get("reason") if isinstance(error.data, dict) else None
            known = (reason for reason in get_args(FailureReason) if reason == given)
            answer.fail(next(known, "unavailable"), error.message.rstrip("."))
        except ValidationError:
            answer.fail("malformed", "its reply is not valid")

    def receive(self, params: Any) -> None:  # noqa: ANN401 -- any JSON
        """Take a `writeit/lm/delta`; one that belongs to no answer is ignored."""
        answer = self._answers.get(str(getattr(params, "requestId", None)))
        seq, text = getattr(params, "seq", None), getattr(params, "text", None)
        # Not by pydantic: half of an emoji is no text for it.
        if answer is not None and isinstance(seq, int) and isinstance(text, str):
            answer.receive(seq, text)

    async def close(self) -> None:
        """End all answers because the client leaves; what has arrived is kept."""
        self._is_closed, self._named = True, {}
        answers = [*self._answers.values()]
        for answer in answers:
            answer.fail("unavailable", "it has disconnected")
        await asyncio.gather(*(answer.left.wait() for answer in answers))
