"""Every command with every kind of wrong value: typed errors, nothing changed."""

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from support.editor import Editor, Refused, serving
from support.workspace import new_workspace
from writeit.lsp.commands import HANDLERS
from writeit.lsp.messages import ERROR_DATA_BY_KIND
from writeit.lsp.protocol import Params

HUGE = "x" * 100_000
WRONG: dict[str, Any] = {
    "null": None,
    "a number": 7,
    "a negative number": -1,
    "a fraction": 0.5,
    "nothing": "",
    "huge": HUGE,
    "a list": [[]],
    "an object": {"surprise": {}},
    "a flag": True,
    "odd text": "\x00\ud7ff\u2028../../etc",
    "an id nobody has": str(uuid.UUID(int=7)),
    "a huge number": 10**30,
    "half a character": "\ud83d",
    "no URI": "file://[",
    "a path with a zero": "file:///a%00b",
    "a day before all days": "0001-01-01T00:00:00+14:00",
}
NOT_ASKED = {
    "writeit.model.install",  # would fetch 93 MB
    "writeit.keys.set",  # would write to the keyring of whoever runs this
    "writeit.model.add",  # as keys.set, and each try starts a host and makes a call
    "writeit.store.compact",  # rewrites the file, as it should
}


def fields(command: str) -> dict[str, bool]:
    """The params of a command, and whether each is required."""
    return {
        field.alias or name: field.is_required()
        for name, field in HANDLERS[command].params_model.model_fields.items()
    }


def cases() -> list[tuple[str, str, str]]:
    """Every param of every command with every wrong value."""
    return [
        (command, param, kind)
        for command in sorted(set(HANDLERS) - NOT_ASKED)
        for param in fields(command)
        for kind in WRONG
        if param not in {"wait", "streamToken"}
    ]


class Fuzzed:
    """A server with a run, and params that would be right."""

    def __init__(self, editor: Editor, right: dict[str, Any]) -> None:
        self.editor = editor
        self.right = right

    def store(self) -> bytes:
        """Every byte of the store."""
        return (self.editor.folder / ".writeit" / "store" / "data.mdb").read_bytes()

    async def outcome(self, command: str, params: dict[str, Any]) -> Refused | None:
        """Send a command; return its refusal."""
        try:
            await self.editor.command(command, **params)
        except Refused as refused:
            return refused
        return None

    def params(self, command: str) -> dict[str, Any]:
        """Params of the right kinds, for all that is required."""
        right = self.right
        if command == "writeit.run.delete":  # what is right would take the run away
            right = {**right, "runId": str(uuid.uuid4())}
        return {name: right[name] for name, needed in fields(command).items() if needed}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def fuzzed(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Fuzzed]:
    """One server for all of it: that it goes on serving is part of the promise."""
    folder = new_workspace(tmp_path_factory.mktemp("fuzzed"))
    async with serving([folder], "bare", environment) as editor:
        run_id = await editor.start_run()
        side = {"runId": run_id, "step": "angles"}
        yield Fuzzed(
            editor,
            {
                "kind": "merge",
                "runId": run_id,
                "remarkId": f"{run_id}:0123456789ab",
                "step": "angles",
                "response": 0,
                "responseId": str(uuid.uuid4()),
                "score": 0.5,
                "text": "words",
                "pipeline": "tech-article",
                "primer": "academic",
                "uri": editor.notes,
                "path": "backup",
                "view": "run",
                "trusted": True,
                "left": side,
                "right": side,
                "from": editor.notes,
                "to": editor.notes,
                "model": "openai/say-x",
                "provider": "openai",
                "key": "sk-never-stored",
                "finding": "0123456789ab",
            },
        )


def is_typed(refused: Refused) -> bool:
    """Whether an error is one of the contract's, with a message."""
    return refused.code in {kind.code for kind in ERROR_DATA_BY_KIND.values()} and bool(
        refused.data["message"]
    )


@pytest.mark.parametrize("command", sorted(set(HANDLERS) - NOT_ASKED))
async def test_wrong_values_are_refused_and_change_nothing(
    fuzzed: Fuzzed, command: str
) -> None:
    """One at a time, in place of a right one: never an internal error."""
    before = fuzzed.store()
    for _, param, kind in (case for case in cases() if case[0] == command):
        params = {**fuzzed.params(command), param: WRONG[kind]}
        refused = await fuzzed.outcome(command, params)
        where = f"{command} {param}={kind}"
        assert refused is None or is_typed(refused), f"{where}: {refused}"
        if refused is None:  # a value that looks wrong may be right here
            before = fuzzed.store()
        elif command != "writeit.document.polish":
            assert fuzzed.store() == before, where


@pytest.mark.parametrize("command", sorted(HANDLERS))
async def test_a_key_nobody_knows_is_refused_with_the_known_ones(
    fuzzed: Fuzzed, command: str
) -> None:
    """Unknown keys are refused with the list of known ones."""
    params = {**fuzzed.params(command), "colour": "blue"}
    refused = await fuzzed.outcome(command, params)
    assert refused is not None
    assert refused.kind == "invalid_params"
    assert "colour" in [problem["path"] for problem in refused.data["problems"]]
    assert all(name in refused.data["hint"] for name in fields(command))


@pytest.mark.parametrize(
    ("command", "param"),
    [
        (command, param)
        for command in sorted(HANDLERS)
        for param, needed in fields(command).items()
        if needed
    ],
)
async def test_what_is_required_is_asked_for(
    fuzzed: Fuzzed, command: str, param: str
) -> None:
    """A missing param is named."""
    params = {k: v for k, v in fuzzed.params(command).items() if k != param}
    refused = await fuzzed.outcome(command, params)
    assert refused is not None
    assert refused.kind == "invalid_params"
    assert param in [problem["path"] for problem in refused.data["problems"]]


async def test_a_key_that_is_half_a_character_is_refused(fuzzed: Fuzzed) -> None:
    """It cannot even be named in the reply."""
    refused = await fuzzed.outcome("writeit.run.list", {"\ud83d": 1})
    assert refused is not None
    assert refused.kind == "invalid_params"


async def test_a_document_with_half_a_character_is_read_without_it(
    fuzzed: Fuzzed,
) -> None:
    """Editors hold such text; half a character could not be stored."""
    uri = (fuzzed.editor.folder / "odd.md").as_uri()
    document = {"uri": uri, "languageId": "markdown", "version": 1}
    fuzzed.editor.notify(
        "textDocument/didOpen", {"textDocument": {**document, "text": "a \ud83d b"}}
    )
    started = {"pipeline": "tech-article", "uri": uri}
    run = await fuzzed.editor.command("writeit.run.start", **started)
    assert run["userInputs"]["source_material"] == "a \ufffd b"
    fuzzed.editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


async def test_the_server_serves_after_all_that(fuzzed: Fuzzed) -> None:
    """And a polish that was refused has left no run behind."""
    listed = await fuzzed.editor.command("writeit.run.list", pipeline="polish-passage")
    assert listed["runs"] == []
    verified = await fuzzed.editor.command("writeit.store.verify")
    assert verified["problems"] == []


async def test_an_id_of_another_folder_is_not_here(
    fuzzed: Fuzzed, environment: dict[str, str], tmp_path: Path
) -> None:
    """Every command on a run says not_found for one that another folder has."""
    folder = new_workspace(tmp_path / "other")
    named = [c for c in sorted(HANDLERS) if "runId" in fields(c)]
    async with serving([folder], "bare", environment) as editor:
        there = await editor.start_run()
    assert Params.model_fields
    for command in named:
        params = {**fuzzed.params(command), "runId": there}
        refused = await fuzzed.outcome(command, params)
        assert refused is not None, command
        assert refused.kind == "not_found", command
