"""Each case of each dialect, through a real host."""

# ruff: noqa: D103 -- the names of the tests describe them

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from llm.dialect_cases import CASES, DialectCase, refusing
from support.scripted_models import ScriptedKeys
from support.wire_formats import (
    TEXT,
    Fault,
    Piece,
    Scene,
    WireServer,
    event,
    wire_server,
)
from writeit.domain.errors import ModelError
from writeit.domain.remarks import REMARKS_SCHEMA
from writeit.llm.client import ModelHostClient
from writeit.ports.models import (
    ModelCall,
    ModelDone,
    ModelNotice,
    TextDelta,
    ThoughtDelta,
)

CLAUDE = "anthropic/claude-sonnet-4-5"
PROMPT = "Notes on rivers.\nWrite three angles."
NOT_FOR_PEOPLE = re.compile(r"litellm|[{}]|</|b'|\\n|Exception|fallback", re.IGNORECASE)
KEYS = ("openai", "anthropic", "gemini", "deepseek", "openrouter", "groq")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def wire() -> AsyncIterator[WireServer]:
    """A server that plays recordings."""
    async with wire_server() as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client(wire: WireServer) -> AsyncIterator[ModelHostClient]:
    """A client whose providers are all that server; it waits a second."""
    environment = {f"{name.upper()}_API_BASE": wire.url for name in KEYS}
    environment |= {"WRITEIT_OLLAMA_URL": wire.url, "WRITEIT_MODEL_TIMEOUT": "1"}
    keys = ScriptedKeys(dict.fromkeys(KEYS, "sk-of-the-dialects"))
    made = ModelHostClient(keys=keys, environment=environment)
    yield made
    await made.close()


@dataclass
class Seen:
    """What came of a call."""

    text: str = ""
    thought: str | None = None
    notices: list[ModelNotice] = field(default_factory=list)
    done: ModelDone | None = None
    error: ModelError | None = None

    @property
    def usage(self) -> dict[str, Any]:
        """The usage of the call, failed or not."""
        if self.done is not None:
            return self.done.usage.model_dump()
        assert self.error is not None
        return dict(self.error.data.get("usage", {}))


async def ask(client: ModelHostClient, call: ModelCall) -> Seen:
    seen = Seen()
    try:
        async with client.stream(call) as items:
            async for item in items:
                match item:
                    case TextDelta(text):
                        seen.text += text
                    case ThoughtDelta(text):
                        seen.thought = (seen.thought or "") + text
                    case ModelNotice():
                        seen.notices.append(item)
                    case ModelDone():
                        seen.done = item
    except ModelError as error:
        seen.error = error
    return seen


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.dialect}: {case.what}")
async def test_case(
    client: ModelHostClient, wire: WireServer, case: DialectCase
) -> None:
    """The text, the end, the reason and what was sent are as in the table."""
    wire.plays(*case.replies)
    call = ModelCall(
        model=case.model,
        prompt=PROMPT,
        max_tokens=300,
        thinking_room=case.room,
        reasoning=case.reasoning,  # type: ignore[arg-type]  # a level
        temperature=case.temperature,
    )
    seen = await ask(client, call)
    assert seen.text == (case.text or ""), seen.error
    assert (seen.thought is not None) == case.thought
    assert (seen.error and seen.error.reason) == case.reason, seen.error
    assert (seen.done and seen.done.finish_reason) == case.finish
    assert len(wire.bodies) == case.requests
    dropped = [n for n in seen.notices if n.code == "parameterDropped"]
    assert len(dropped) >= case.notices
    sent = wire.bodies[-1]
    assert {name: sent.get(name) for name in case.sent} == case.sent
    assert {name: seen.usage.get(name) for name in case.usage} == case.usage
    if seen.error is not None:
        check_error(seen.error, case)


def test_the_documentation_has_the_same_rows() -> None:
    docs = Path(__file__).parents[2] / "docs" / "models.md"
    lines = docs.read_text("utf-8").splitlines()
    begin = next(i for i, s in enumerate(lines) if s.startswith("| Dialect |")) + 2
    rows = [case.as_markdown() for case in CASES]
    assert lines[begin : begin + len(rows) + 1] == [*rows, ""]


def check_error(error: ModelError, case: DialectCase) -> None:
    """Everything in an error is for people."""
    assert case.says in f"{error.message} {error.hint}"
    assert not NOT_FOR_PEOPLE.search(error.message)
    assert error.hint
    after = error.data.get("retryAfter")
    assert after == (None if case.after is None else pytest.approx(case.after))


CHUNKS: list[Piece] = [
    event({"choices": [{"delta": {"content": TEXT}}]}),
    event({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
]
DONE = b"data: [DONE]\n\n"
WHOLE = {"choices": [{"message": {"content": TEXT}, "finish_reason": "stop"}]}
STREAMS: dict[str, list[Piece]] = {
    "a byte order mark": [b"\xef\xbb\xbf", *CHUNKS],
    "a space in the end": [*CHUNKS, b"data: [DONE] \n\n"],
    "nonsense after the end": [*CHUNKS, DONE, b"data: nonsense\n\n"],
    "a connection that stays open": [*CHUNKS, DONE, 5.0],
    "one object in place of events": [json.dumps(WHOLE, indent=1).encode()],
    "a message of another shape": [event({"choices": [{"delta": ["x"]}]}), *CHUNKS],
}


@pytest.mark.parametrize("pieces", STREAMS.values(), ids=STREAMS.keys())
async def test_an_answer_is_whole_however_its_stream_looks(
    client: ModelHostClient, wire: WireServer, pieces: list[Piece]
) -> None:
    wire.plays(pieces)
    seen = await ask(client, ModelCall(model="openai/x", prompt="x"))
    assert (seen.text, seen.error) == (TEXT, None)


THOUGHT = event({"choices": [{"delta": {"reasoning": "x" * 1_000_000}}]})
NO_ANSWERS: dict[str, list[Piece]] = {
    "a line without end": [b"data: ", *[b"x" * 1_000_000] * 9],
    "deep JSON": [b"data: " + b"[" * 200_000 + b"\n\n"],
    "thoughts without end": [THOUGHT] * 5,
}


@pytest.mark.parametrize("pieces", NO_ANSWERS.values(), ids=NO_ANSWERS.keys())
async def test_what_would_fill_the_host_ends_the_call(
    client: ModelHostClient, wire: WireServer, pieces: list[Piece]
) -> None:
    wire.plays(pieces)
    seen = await ask(client, ModelCall(model="openai/x", prompt="x"))
    assert seen.error is not None
    assert seen.error.reason == "malformed"


@pytest.mark.parametrize(
    ("status", "message", "sent"),
    [
        (500, "unknown field stream_options", {"stream_options": None}),
        (422, "`max_new_tokens` must be <= 250. Given: 4300", {"max_tokens": 250}),
        (400, "max_tokens: 4,300 > 1,024 tokens", {"max_tokens": 1024}),
        (400, "Only supported with the Responses API.", {"max_output_tokens": 4300}),
    ],
)
async def test_a_refusal_is_understood_in_other_words(
    client: ModelHostClient,
    wire: WireServer,
    status: int,
    message: str,
    sent: dict[str, Any],
) -> None:
    wire.plays(Fault(status=status, body={"errors": [{"message": message}]}), Scene())
    model = f"openai/other-words-{len(message)}"
    seen = await ask(client, ModelCall(model=model, prompt="x", max_tokens=4300))
    assert seen.text == TEXT, seen.error
    assert {name: wire.bodies[-1].get(name) for name in sent} == sent


async def test_what_was_learned_is_remembered(
    client: ModelHostClient, wire: WireServer
) -> None:
    """The second call leaves the parameter out at once, and says nothing."""
    fault = Fault(status=400, body={"error": {"message": "temperature: not here"}})
    call = ModelCall(model="openai/forgetful", prompt=PROMPT, temperature=0.9)
    wire.plays(fault, Scene())
    assert len((await ask(client, call)).notices) == 1
    wire.plays(Scene())
    assert (await ask(client, call)).notices == []
    assert "temperature" not in wire.bodies[0]


@pytest.mark.parametrize(
    ("model", "field"),
    [
        ("openai/gpt-4o", "response_format"),
        ("ollama/llama3.2", "format"),
        ("gemini/gemini-2.5-flash", "generationConfig"),
    ],
)
async def test_an_answer_is_asked_for_by_a_schema(
    client: ModelHostClient, wire: WireServer, model: str, field: str
) -> None:
    """Each dialect has its own field, and no note says that it was left out."""
    wire.plays(Scene())
    call = ModelCall(model=model, prompt=PROMPT, json_schema=REMARKS_SCHEMA)
    seen = await ask(client, call)
    assert seen.done is not None, seen.error
    assert seen.done.notes == ()
    assert "replacement" in str(wire.bodies[-1][field])


async def test_each_answer_without_a_schema_says_so(
    client: ModelHostClient, wire: WireServer
) -> None:
    """The provider is asked once; the note stands on the later answers, too."""
    message = "Invalid parameter: 'response_format' of type 'json_schema'"
    fault = Fault(status=400, body={"error": {"message": message}})
    call = ModelCall(model="openai/formless", prompt=PROMPT, json_schema=REMARKS_SCHEMA)
    for replies in ((fault, Scene()), (Scene(),)):
        wire.plays(*replies)
        seen = await ask(client, call)
        assert seen.done is not None, seen.error
        assert ["JSON schema" in note for note in seen.done.notes] == [True]
        assert "response_format" not in wire.bodies[-1]


async def test_a_model_that_was_seen_thinking_is_known_to_think(
    client: ModelHostClient, wire: WireServer
) -> None:
    call = ModelCall(model="openai/ponderer", prompt=PROMPT)
    assert not (await client.estimate(call)).thinks
    wire.plays(Scene(think=3))
    await ask(client, call)
    assert (await client.estimate(call)).thinks


async def test_what_a_refusal_taught_counts_in_the_next_estimate(
    client: ModelHostClient, wire: WireServer
) -> None:
    """`gpt-4o` is known to take no reasoning; a model of a server's own is tried."""
    known = ModelCall(model="openai/gpt-4o", prompt=PROMPT)
    assert not (await client.estimate(known)).takes_reasoning
    call = ModelCall(model="openai/plain-model", prompt=PROMPT, reasoning="low")
    assert (await client.estimate(call)).takes_reasoning
    wire.plays(refusing("reasoning_effort", "Unknown parameter: reasoning_effort"))
    await ask(client, call)
    assert not (await client.estimate(call)).takes_reasoning


async def test_ollama_says_which_models_think(
    client: ModelHostClient, wire: WireServer
) -> None:
    wire.shown = {"capabilities": ["completion", "thinking"]}
    call = ModelCall(model="ollama/some-thinker", prompt=PROMPT)
    assert (await client.estimate(call)).thinks


@pytest.mark.parametrize("prefix", [17, len(PROMPT), 0])
async def test_the_shared_beginning_of_a_prompt_is_cached(
    client: ModelHostClient, wire: WireServer, prefix: int
) -> None:
    """For Anthropic the prompt is cut there; joined it is the same."""
    wire.plays(Scene())
    call = ModelCall(model=CLAUDE, prompt=PROMPT, max_tokens=9, shared_prefix=prefix)
    await ask(client, call)
    (message,) = wire.bodies[0]["messages"]
    parts = message["content"]
    parts = [{"text": parts}] if isinstance(parts, str) else parts
    assert "".join(part["text"] for part in parts) == PROMPT
    cached = [part["text"] for part in parts if "cache_control" in part]
    assert cached == ([PROMPT[:prefix]] if prefix else [])


async def test_a_connection_that_is_reset_after_the_end_is_no_failure(
    client: ModelHostClient, wire: WireServer
) -> None:
    choice = {"delta": {"content": "All."}, "finish_reason": "stop"}
    last = event({"choices": [choice]})
    wire.plays([last, b"nonsense that is no event", ConnectionResetError()])
    assert (await ask(client, ModelCall(model="openai/x", prompt="x"))).text == "All."
