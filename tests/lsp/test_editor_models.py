"""Models of the editor: the test plays the client's side of the wire."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from support.editor import Declined, Editor, Json, Refused, serving
from support.waiting import TIMEOUT
from support.workspace import new_workspace

OPTIONS = {"writeit": {"languageModels": True, "events": True}}
MODELS = [
    {"id": "m1", "vendor": "acme", "family": "quill", "maxInputTokens": 9000},
    {"id": "m2", "vendor": "acme", "family": "quill"},
    {"id": "m3", "vendor": "acme", "family": "a b%c", "maxInputTokens": None},
    {"id": "m4", "vendor": "acme", "family": "tiny", "maxInputTokens": 3},
    {"id": "m5", "vendor": "acme", "family": ".."},
]
QUILL = "vscode/acme/quill"
OTHER = "vscode/acme/m2"
DONE = {"finishReason": "stop"}


@dataclass
class Call:
    """A `writeit/lm/request` that the client got."""

    editor: Editor
    params: Json

    def send(self, seq: object, text: object) -> None:
        """Send a piece of the answer."""
        call = self.params["requestId"]
        delta = {"requestId": call, "seq": seq, "text": text}
        self.editor.notify("writeit/lm/delta", delta)

    def is_cancelled(self) -> bool:
        """Whether the server cancelled it."""
        return {"id": self.params["requestId"]} in self.editor.sent("$/cancelRequest")


Behaviour = Callable[[Call], Awaitable[Any]]


@dataclass
class ClientModels:
    """The editor's models, which behave as a test says."""

    editor: Editor
    calls: list[Call] = field(default_factory=list)

    def behave(self, *behaviours: Behaviour) -> None:
        """Say what the next calls do; the last one stays."""
        left = list(behaviours)

        def start(params: Json) -> Any:
            self.calls.append(Call(self.editor, params))
            behaviour = left.pop(0) if len(left) > 1 else left[0]
            return asyncio.ensure_future(behaviour(self.calls[-1]))

        self.editor.answers["writeit/lm/request"] = start

    async def generate(self, *models: str, **params: object) -> Json:
        """Generate the first step of a new run; return the step, refused or not."""
        run_id = await self.editor.start_run()
        try:
            await self.editor.command(
                "writeit.step.run", runId=run_id, models=models or [QUILL], **params
            )
        except Refused as refused:
            if refused.kind not in {"model_error", "not_found"}:
                raise
        state: Json = (await self.editor.show(run_id))["steps"]["angles"]
        return state


async def never(_call: Call) -> None:
    """Answer nothing."""
    await asyncio.Event().wait()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def client(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[ClientModels]:
    """A client with models; six seconds of silence end a call."""
    folder = new_workspace(tmp_path_factory.mktemp("client"))
    config = str(tmp_path_factory.mktemp("config"))  # where the default model is saved
    variables = environment | {
        "WRITEIT_MODEL_TIMEOUT": "6",
        "WRITEIT_CONFIG_DIR": config,
    }
    async with serving([folder], "neovim", variables, options=OPTIONS) as editor:
        editor.answers["writeit/lm/list"] = lambda _: MODELS
        yield ClientModels(editor)


def sends(
    *pieces: tuple[object, object], reply: object = DONE
) -> Callable[[Call], Awaitable[Any]]:
    """Return a behaviour that sends pieces, by seq, and then replies."""

    async def behave(call: Call) -> object:
        for seq, text in pieces:
            call.send(seq, text)
        return reply

    return behave


def declines(reason: str | None) -> Declined:
    """Return the reply of a call that failed."""
    return Declined("In the provider's words.", {"reason": reason} if reason else None)


def rows(table: list[Any]) -> list[Any]:
    """Return the params of a table whose first column has their names."""
    return [pytest.param(*row[1:], id=row[0]) for row in table]


WHOLE = [
    ("in order", sends((0, "The "), (1, "mill.")), "The mill."),
    ("in another order", sends((1, "mill."), (0, "The ")), "The mill."),
    ("twice", sends((0, "The "), (0, "No "), (1, "mill.")), "The mill."),
    ("half a character", sends((0, "A \ud83d"), (1, "\ude00.")), "A \U0001f600."),
    ("at work", sends((0, ""), (1, "The mill.")), "The mill."),
    ("garbage", sends((0, "Mill."), ("1", "x"), (-1, "x"), (1, 7)), "Mill."),
]


@pytest.mark.parametrize(("behaviour", "text"), rows(WHOLE))
async def test_the_pieces_of_an_answer_make_its_text(
    client: ClientModels, behaviour: Behaviour, text: str
) -> None:
    """In the order of their numbers, each once."""
    client.behave(behaviour)
    (answer,) = (await client.generate())["aiResponses"]
    assert answer["rawOutput"] == text
    assert answer["finishReason"] == "stop"
    assert answer["usageStats"]["estimated"]
    assert answer["usageStats"]["costUsd"] is None
    sent = client.calls[-1].params
    assert (sent["model"], sent["vendor"]) == ("m1", "acme")
    assert sent["prompt"] == answer["promptUsed"]


FAILED = [
    *((name, sends(reply=declines(name)), name, 1) for name in ("quota", "not_found")),
    *((name, sends(reply=declines(name)), name, 1) for name in ("refused", "context")),
    ("no consent", sends(reply=declines("forbidden")), "forbidden", 1),
    ("a limit", sends(reply=declines("rate_limit")), "rate_limit", 3),
    ("no reason", sends(reply=declines(None)), "unavailable", 3),
    ("an unknown reason", sends(reply=declines("moon")), "unavailable", 3),
    ("an empty answer", sends(), "empty", 1),
    ("no reply as agreed", sends(reply=[]), "malformed", 1),
]


@pytest.mark.parametrize(
    ("behaviour", "reason", "attempts"),
    rows(FAILED),
)
async def test_a_failure_has_the_clients_reason(
    client: ClientModels, behaviour: Behaviour, reason: str, attempts: int
) -> None:
    """Nothing is kept; what may pass is tried three times."""
    client.behave(behaviour)
    before = len(client.calls)
    (failure,) = (await client.generate())["failures"]
    assert failure["reason"] == reason
    assert len(client.calls) - before == attempts
    if isinstance(refusal := await behaviour(client.calls[-1]), Declined):
        assert str(refusal).rstrip(".") in failure["message"]


PARTIAL = [
    ("an error", sends((0, "The mill"), reply=declines("quota")), "other", "The mill"),
    ("a gap", sends((0, "The mill"), (2, "!")), "malformed", "The mill"),
    (
        "no end",
        sends(*((n, "x" * 1_500_000) for n in range(3))),
        "malformed",
        "x" * 4_000_000,
    ),
]


@pytest.mark.parametrize(
    ("behaviour", "finish", "text"),
    rows(PARTIAL),
)
async def test_what_has_arrived_is_kept(
    client: ClientModels, behaviour: Behaviour, finish: str, text: str
) -> None:
    """As a partial answer with the reason."""
    client.behave(behaviour)
    (answer,) = (await client.generate())["aiResponses"]
    assert answer["partial"]
    assert answer["finishReason"] == finish
    assert answer["rawOutput"] == text


async def test_a_client_that_falls_silent_is_not_waited_for(
    client: ClientModels,
) -> None:
    """Before the first text, and after it; the client is told, and may be late."""

    async def begin(call: Call) -> None:
        call.send(0, "The mill")
        await never(call)

    client.behave(never, begin)
    state = await client.generate(QUILL, OTHER)
    (failure,), (answer,) = state["failures"], state["aiResponses"]
    assert failure["reason"] == answer["finishReason"] == "timeout"
    assert answer["rawOutput"] == "The mill"
    for call in client.calls[-2:]:
        await client.editor.until(call.is_cancelled)
        call.send(1, "too late")
    assert (await client.editor.show(await client.editor.start_run()))["steps"]


async def test_a_cancel_reaches_the_client_and_two_models_answer_at_once(
    client: ClientModels,
) -> None:
    """-32800, a partial answer of each, and the run is PAUSED."""

    async def begin(call: Call) -> None:
        call.send(0, call.params["model"])
        await never(call)

    client.behave(begin)
    editor = client.editor
    run_id = await editor.start_run()
    number, reply = editor.start(
        "writeit.step.run", runId=run_id, models=[QUILL, OTHER], streamToken="both"
    )
    await editor.until(lambda: len(editor.progress("both")) >= 3)
    editor.cancel(number)
    assert (await editor.refused(reply)).code == -32800
    run = await editor.show(run_id)
    assert run["status"] == "PAUSED"
    answers = run["steps"]["angles"]["aiResponses"]
    assert {answer["rawOutput"] for answer in answers} == {"m1", "m2"}
    for call in client.calls[-2:]:
        await editor.until(call.is_cancelled)


async def test_an_answer_is_kept_when_the_client_goes_away(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """As partial, with the reason `unavailable`."""
    folder = new_workspace(tmp_path / "gone")

    async def begin(call: Call) -> None:
        call.send(0, "The mill")
        await never(call)

    async with serving([folder], "neovim", environment, options=OPTIONS) as editor:
        editor.answers["writeit/lm/list"] = lambda _: MODELS
        ClientModels(editor).behave(begin)
        run_id = await editor.start_run()
        editor.start(
            "writeit.step.run", runId=run_id, models=[QUILL], streamToken="gone"
        )
        await editor.until(lambda: len(editor.progress("gone")) >= 2)
        assert editor.process.stdin
        editor.process.stdin.close()
        await asyncio.wait_for(editor.process.wait(), TIMEOUT)
    async with serving([folder], "neovim", environment) as editor:
        (answer,) = (await editor.show(run_id))["steps"]["angles"]["aiResponses"]
        assert (answer["rawOutput"], answer["partial"]) == ("The mill", True)
        assert answer["finishReason"] == "unavailable"


async def test_the_models_are_listed_with_their_windows(client: ClientModels) -> None:
    """One name each; a character that no id has is replaced."""
    listed = await client.editor.command("writeit.model.list", provider="vscode")
    windows = {model["id"]: model["contextWindow"] for model in listed["models"]}
    escaped = "vscode/acme/a-b-c"
    assert windows == {
        QUILL: 9000,
        OTHER: None,
        escaped: None,
        "vscode/acme/tiny": 3,
        "vscode/acme/m5": None,
    }
    everywhere = await client.editor.command("writeit.model.list")
    assert windows.keys() <= {model["id"] for model in everywhere["models"]}


async def test_nothing_is_sent_to_a_model_that_is_missing_or_too_small(
    client: ClientModels,
) -> None:
    """The prompt is longer than its window; the editor has no such model."""
    before = len(client.calls)
    state = await client.generate("vscode/acme/tiny", "vscode/acme/none")
    assert len(client.calls) == before
    assert state["status"] == "PENDING"
    run_id = await client.editor.start_run()
    shown = await client.editor.command(
        "writeit.step.preview", runId=run_id, models=["vscode/acme/tiny"]
    )
    assert shown["models"][0]["destination"] == "the editor"
    assert shown["models"][0]["fits"] is False


async def test_a_cost_limit_covers_no_model_of_the_editor(
    client: ClientModels,
) -> None:
    """Its price is unknown: refused, unless the user allows such models."""
    client.behave(sends((0, "The mill.")))
    editor = client.editor
    for limit, kind in (("refuse", "budget_exceeded"), ("allow", None)):
        editor.settings = {"maxCostUsd": {"run": 1.0, "unknown": limit}}
        editor.notify("workspace/didChangeConfiguration", {"settings": None})
        run_id = await editor.start_run()
        try:
            await editor.command("writeit.step.run", runId=run_id, models=[QUILL])
            refused = None
        except Refused as error:
            refused = error.kind
        assert refused == kind
    editor.settings = {}
    editor.notify("workspace/didChangeConfiguration", {"settings": None})


async def test_a_model_of_the_editor_becomes_the_default(client: ClientModels) -> None:
    """After one short call, and without a key."""
    client.behave(sends((0, "ready")))
    added = await client.editor.command(
        "writeit.model.add", provider="vscode", model="acme/quill"
    )
    assert (added["id"], added["available"]) == (QUILL, True)
    run_id = await client.editor.start_run()
    shown = await client.editor.command("writeit.step.preview", runId=run_id)
    assert shown["models"][0]["id"] == QUILL


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ("providers: [openai]", "not_trusted"),
        ("models: {angles: [vscode/acme/quill]}", "not_trusted"),
        ("providers: [vscode]", None),
    ],
    ids=["not an allowed provider", "a folder not trusted", "an allowed provider"],
)
async def test_front_matter_says_whether_the_editor_gets_a_text(
    environment: dict[str, str], tmp_path: Path, block: str, kind: str | None
) -> None:
    """A folder that is not trusted names no model, of the editor neither."""
    folder = new_workspace(tmp_path / "foreign")
    text = f"---\nwriteit:\n  {block}\n---\n# Notes\n\nA river.\n"
    (folder / "notes.md").write_text(text, "utf-8")
    variables = environment | {"WRITEIT_TRUST": "", "WRITEIT_DATA_DIR": str(tmp_path)}
    async with serving([folder], "neovim", variables, options=OPTIONS) as editor:
        editor.answers["writeit/lm/list"] = lambda _: MODELS
        client = ClientModels(editor)
        client.behave(sends((0, "The mill.")))
        run_id = await editor.start_run()
        models = None if "models" in block else [QUILL]
        _, reply = editor.start("writeit.step.run", runId=run_id, models=models)
        if kind is None:
            assert (await asyncio.wait_for(reply, TIMEOUT))["aiResponses"]
            return
        refused = await editor.refused(reply)
        assert refused.kind == kind
        assert not client.calls
        if "models" in block:
            assert "the editor" in {want["value"] for want in refused.data["wants"]}


async def test_another_client_is_told_where_the_model_is(one_editor: Editor) -> None:
    """`not_running`, and what to do instead."""
    run_id = await one_editor.start_run()
    refused = await one_editor.refusal("writeit.step.run", runId=run_id, models=[QUILL])
    assert refused.data["reason"] == "not_running"
    assert "VS Code" in refused.data["hint"]
    listed = await one_editor.command("writeit.model.list", provider="vscode")
    assert listed["models"] == []
