"""SIGKILL of the processes that speak to models: nothing that came is lost."""

import importlib.util
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from support.editor import Editor, Json, serving
from support.provider import Provider
from support.skips import skip_or_fail
from support.workspace import new_workspace
from writeit.domain.errors import ModelError
from writeit.llm.providers import embedded

CACHE = Path(__file__).parents[2] / ".cache" / "writeit"
EMBEDDED_PIPELINE = """\
name: stories
inputs: [{name: source, required: true, from: document}]
defaults: {max_tokens: 600}
steps: [{name: angles, prompt: "Tell a very long story about {{ inputs.source }}"}]
"""


def child_of(editor: Editor, name: str) -> psutil.Process:
    """The one process below the server that was started as `name`."""
    found = []
    for child in psutil.Process(editor.process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # one that was killed is no process long
            found += [child] if child.cmdline()[-1:] == [name] else []
    (only,) = found
    return only


def deltas(values: list[Json], response_id: str) -> str:
    """What was shown of one answer."""
    return "".join(
        v["text"]
        for v in values
        if v["kind"] == "delta" and v["responseId"] == response_id
    )


async def flowing(editor: Editor, token: str, *models: str) -> tuple[str, Any]:
    """A run with answers on their way; its id and the reply to come."""
    run_id = await editor.start_run()
    _, reply = editor.start(
        "writeit.step.run", runId=run_id, models=[*models], streamToken=token
    )

    def all_speak() -> bool:
        values = editor.progress(token)
        heard = {v["responseId"] for v in values if v["kind"] == "delta"}
        return len(heard) == len(models)

    await editor.until(all_speak)
    return run_id, reply


@pytest.mark.rule("run-t4")
async def test_answers_outlive_their_host(
    one_editor: Editor, provider: Provider
) -> None:
    """Three partial answers, the run ERROR, a clear message; then all goes on."""
    models = [f"openai/held-5-host{number}" for number in (1, 2, 3)]
    run_id, reply = await flowing(one_editor, "dying", *models)
    child_of(one_editor, "model-host").kill()
    provider.let_go(*models)
    state = await reply
    assert len(state["aiResponses"]) == 3
    values = one_editor.progress("dying")
    ends = {v["responseId"]: v for v in values if v["kind"] == "finished"}
    for answer in state["aiResponses"]:
        assert answer["partial"]
        assert answer["rawOutput"] == deltas(values, answer["responseId"])
        end = ends[answer["responseId"]]
        assert end["status"] == "partial"
        assert end["error"]["reason"] == "unavailable"
        assert "SIGKILL" in end["error"]["message"]
        assert "were kept" in end["error"]["message"]
    run = await one_editor.show(run_id)
    assert run["status"] == "ERROR"
    again = await one_editor.command("writeit.step.run", runId=run_id)
    whole = [a for a in again["aiResponses"] if not a["partial"]]
    assert sorted(f"openai/{a['modelName']}" for a in whole) == models
    run = await one_editor.show(run_id)
    assert run["status"] == "RUNNING"


async def test_what_has_said_nothing_fails_with_the_host(
    one_editor: Editor, provider: Provider
) -> None:
    """No answer: model_error, not tried again by itself, and the next run works."""
    run_id = await one_editor.start_run()
    earlier = sum(call.model == "hang" for call in provider.calls)
    _, reply = one_editor.start(
        "writeit.step.run", runId=run_id, models=["openai/hang"], streamToken="silent"
    )
    # Before it has arrived, another process would make the call.
    await provider.call("hang", nth=earlier)
    child_of(one_editor, "model-host").kill()
    refused = await one_editor.refused(reply)
    assert refused.kind == "model_error"
    assert refused.data["reason"] == "unavailable"
    assert "SIGKILL" in refused.data["message"]
    assert refused.data["hint"]
    assert not [v for v in one_editor.progress("silent") if v["kind"] == "notice"]
    run = await one_editor.show(run_id)
    assert run["status"] == "ERROR"
    state = await one_editor.generate(run_id, "fast-3")
    assert state["aiResponses"]


async def test_the_answer_of_a_killed_embedded_model_is_kept(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server dies alone: the host lives, the answer is partial, the next works."""
    if importlib.util.find_spec(embedded.RUNTIME_MODULE) is None:
        skip_or_fail(f"{embedded.RUNTIME_MODULE} is not installed")
    monkeypatch.setenv("WRITEIT_CACHE_DIR", str(CACHE))
    try:
        await embedded.install_weights(lambda *_: None)
    except ModelError as error:
        skip_or_fail(f"{error.message} {error.hint}")
    folder = new_workspace(tmp_path / "w")
    (folder / "pipelines").mkdir()
    pipeline = folder / "pipelines" / "stories.yaml"
    pipeline.write_text(EMBEDDED_PIPELINE, encoding="utf-8")
    changed = {**environment, "WRITEIT_CACHE_DIR": str(CACHE)}
    async with serving([folder], "neovim", changed) as editor:
        run_id = await editor.start_run(pipeline="stories")
        _, reply = editor.start(
            "writeit.step.run",
            runId=run_id,
            models=[embedded.EMBEDDED_MODEL],
            streamToken="story",
        )
        await editor.until(lambda: len(editor.progress("story")) > 3)
        host = child_of(editor, "model-host").pid
        child_of(editor, "embedded-server").kill()
        (answer,) = (await reply)["aiResponses"]
        assert answer["partial"]
        assert answer["rawOutput"].startswith(
            deltas(editor.progress("story"), answer["responseId"])
        )
        run = await editor.show(run_id)
        assert run["status"] == "RUNNING"
        _, reply = editor.start("writeit.step.run", runId=run_id, streamToken="again")
        await editor.until(lambda: len(editor.progress("again")) > 3)
        assert child_of(editor, "model-host").pid == host
        await editor.command("writeit.run.pause", runId=run_id)
        assert (await reply)["aiResponses"][1]["partial"]
