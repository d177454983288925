"""Bad input: a typed error with a hint, nothing changed, the server goes on."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from support.editor import Editor, Refused, serving
from support.workspace import new_workspace
from writeit.lsp.messages import ERROR_DATA_BY_KIND

UNDEFINED = """\
name: broken
inputs: [{name: source, required: true, from: document}]
steps: [{name: angles, prompt: "Tell {{ inputs.sauce }}"}]
"""


def snapshot(folder: Path) -> bytes:
    """Every byte of the store's data file."""
    return (folder / ".writeit" / "store" / "data.mdb").read_bytes()


@pytest.mark.parametrize(
    ("command", "params", "kind", "hint"),
    [
        ("run.start", {"pipeline": "tech-artcle"}, "not_found", "tech-article"),
        ("run.start", {"pipeline": "broken"}, "invalid_pipeline", "broken.yaml"),
        (
            "run.start",
            {"pipeline": "tech-article"},
            "invalid_params",
            "source_material",
        ),
        (
            "run.start",
            {"pipeline": "tech-article", "inputs": {"sauce": "x"}},
            "invalid_params",
            "source_material",
        ),
        ("run.start", {"pipeline": "tech-article", "colour": 1}, "invalid_params", ""),
        ("run.start", {}, "invalid_params", "pipeline"),
        ("run.start", {"pipeline": 7}, "invalid_params", "pipeline"),
        (
            "run.start",
            {"pipeline": "tech-article", "primer": "academik", "uri": "NOTES"},
            "not_found",
            "academic",
        ),
        (
            "run.start",
            {"pipeline": "tech-article", "uri": "file:///nowhere.md"},
            "not_found",
            "",
        ),
        (
            "run.start",
            {
                "pipeline": "tech-article",
                "uri": "NOTES",
                "models": {"drat": ["openai/b"]},
            },
            "not_found",
            "draft",
        ),
        ("run.show", {"runId": str(uuid.uuid4())}, "not_found", "writeit log"),
        ("run.show", {"runId": "seven"}, "invalid_params", "runId"),
        ("run.pause", {"runId": "RUN"}, "invalid_transition", "generate answers"),
        ("run.resume", {"runId": "RUN"}, "invalid_transition", ""),
        ("step.run", {"runId": "RUN", "step": "outline"}, "invalid_transition", ""),
        ("step.run", {"runId": "RUN", "step": "drat"}, "not_found", "draft"),
        ("step.run", {"runId": "RUN"}, "not_found", "model add"),
        ("step.run", {"runId": "RUN", "models": ["nobody/model"]}, "not_found", ""),
        (
            "step.run",
            {"runId": "RUN", "models": ["anthropic/claude-sonnet-4-5"]},
            "model_error",
            "ANTHROPIC_API_KEY",
        ),
        (
            "step.run",
            {"runId": "RUN", "models": ["embedded/smollm2-135m"]},
            "model_error",
            "install",
        ),
        ("step.run", {"runId": "RUN", "models": []}, "invalid_params", "models"),
        ("step.run", {"runId": "RUN", "samples": 99}, "invalid_params", "samples"),
        ("step.select", {"runId": "RUN", "response": 0}, "invalid_transition", ""),
        (
            "step.select",
            {"runId": "ANSWERED", "response": 5},
            "not_found",
            "It has 1 answer",
        ),
        ("step.select", {"runId": "ANSWERED", "response": -1}, "invalid_params", ""),
        (
            "run.export",
            {"runId": "ANSWERED", "path": "../out.yaml"},
            "not_trusted",
            "the command line",
        ),
        (
            "run.export",
            {"runId": "ANSWERED", "path": "/tmp/out.yaml"},
            "not_trusted",
            "the command line",
        ),
        (
            "run.export",
            {"runId": "RUN", "format": "markdown"},
            "invalid_transition",
            "Choose an answer",
        ),
        ("pipeline.show", {"pipeline": "nothing-like-it"}, "not_found", ""),
        ("primer.show", {"primer": "tech"}, "not_found", "tech-journalist"),
        ("model.install", {"model": "embedded/other"}, "not_found", "smollm2"),
        ("run.list", {"limit": 0}, "invalid_params", "limit"),
        ("run.list", {"folder": "file:///elsewhere"}, "not_found", "refusing"),
    ],
)
async def test_bad_input_is_refused_and_changes_nothing(
    refusing: Refusing, command: str, params: dict[str, Any], kind: str, hint: str
) -> None:
    """The typed error says what to do next; the store is the same, byte for byte."""
    given = {name: refusing.names.get(str(v), v) for name, v in params.items()}
    before = snapshot(refusing.editor.folder)
    refused = await refusing.editor.refusal(f"writeit.{command}", **given)
    assert refused.kind == kind
    assert refused.code == ERROR_DATA_BY_KIND[kind].code
    assert not ERROR_DATA_BY_KIND[kind].model_validate(refused.data).model_extra
    assert hint in f"{refused.data['hint']} {refused.data['message']}"
    assert snapshot(refusing.editor.folder) == before


class Refusing:
    """A server of its own with a run of which nothing was asked, and one answered."""

    def __init__(self, editor: Editor, names: dict[str, str]) -> None:
        self.editor = editor
        self.names = names


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def refusing(
    environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Refusing]:
    """The server that all these tests ask in vain."""
    folder = new_workspace(tmp_path_factory.mktemp("refusing"))
    (folder / "pipelines").mkdir()
    (folder / "pipelines" / "broken.yaml").write_text(UNDEFINED, encoding="utf-8")
    async with serving([folder], "bare", environment) as editor:
        run = await editor.start_run()
        answered = await editor.answered("say-yes")
        names = {"RUN": run, "ANSWERED": answered, "NOTES": editor.notes}
        yield Refusing(editor, names)


@pytest.mark.parametrize(
    ("model", "kind", "reason"),
    [
        ("openai/err-401", "model_error", "auth"),
        ("openai/err-404", "not_found", None),
        ("openai/err-429-90", "model_error", "rate_limit"),
        ("openai/err-400", "model_error", "invalid_request"),
        ("openai/empty", "model_error", "empty"),
    ],
)
@pytest.mark.rule("response-4")
async def test_a_provider_that_refuses_leaves_the_step_pending(
    refusing: Refusing, model: str, kind: str, reason: str | None
) -> None:
    """No answer has text: the error lists the failures, the run stays RUNNING."""
    run_id = await refusing.editor.start_run()
    refused = await refusing.editor.refusal(
        "writeit.step.run", runId=run_id, models=[model]
    )
    assert refused.kind == kind
    assert refused.data.get("reason") == reason
    (failure,) = refused.data["failures"]
    assert failure["model"] == model
    assert refused.data["hint"]
    run = await refusing.editor.show(run_id)
    assert run["status"] == "RUNNING"
    assert run["steps"]["angles"]["status"] == "PENDING"


async def test_the_key_is_shown_nowhere(refusing: Refusing) -> None:
    """A provider that repeats the key in its error does not get it past us."""
    run_id = await refusing.editor.start_run()
    await refusing.editor.refusal(
        "writeit.step.run", runId=run_id, models=["openai/err-401"]
    )
    assert "sk-secret-of-the-tests" not in str(refusing.editor.messages)
    assert b"sk-secret-of-the-tests" not in snapshot(refusing.editor.folder)


async def test_a_command_nobody_knows_is_refused_with_the_known_ones(
    refusing: Refusing,
) -> None:
    """Unknown commands are invalid params, and the hint lists what there is."""
    refused = await refusing.editor.refusal("writeit.run.fly")
    assert refused.kind == "invalid_params"
    assert "writeit.run.start" in refused.data["hint"]


async def test_a_command_takes_one_object(refusing: Refusing) -> None:
    """No argument is an empty object; two are one too many."""
    _, reply = refusing.editor.ask(
        "workspace/executeCommand",
        {"command": "writeit.run.list", "arguments": [{}, {}]},
    )
    with pytest.raises(Refused):
        await reply
    _, reply = refusing.editor.ask(
        "workspace/executeCommand", {"command": "writeit.run.list", "arguments": []}
    )
    assert (await reply)["runs"]
