"""Settings, several folders, and what a bound document sets in motion."""

import asyncio
from pathlib import Path
from typing import Any

import psutil

from support.editor import Editor, serving
from support.provider import Provider
from support.waiting import TIMEOUT
from support.workspace import new_workspace


async def test_a_setting_names_the_model(one_editor: Editor) -> None:
    """models.default is asked where nothing nearer names one."""
    one_editor.settings = {"models": {"default": "openai/say-set"}}
    one_editor.notify("workspace/didChangeConfiguration", {"settings": {}})
    run_id = await one_editor.start_run()
    state = await one_editor.command("writeit.step.run", runId=run_id)
    assert [a["rawOutput"] for a in state["aiResponses"]] == ["set"]


async def test_a_bad_setting_is_one_message_and_its_default(one_editor: Editor) -> None:
    """What is right in the section counts all the same."""
    one_editor.settings = {
        "maxConcurrentPipelines": 99,
        "models": {"default": ["openai/say-still"]},
    }
    one_editor.notify("workspace/didChangeConfiguration", {"settings": {}})
    before = len(one_editor.sent("window/showMessage"))
    run_id = await one_editor.start_run()
    state = await one_editor.command("writeit.step.run", runId=run_id)
    assert state["aiResponses"][0]["rawOutput"] == "still"
    (message,) = one_editor.sent("window/showMessage")[before:]
    assert "writeit.maxConcurrentPipelines" in message["message"]
    one_editor.settings = {}
    one_editor.notify("workspace/didChangeConfiguration", {"settings": {}})


async def test_each_folder_has_its_own_store(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """A document decides; a run id decides; else the folder has to be named."""
    folders = [new_workspace(tmp_path / name) for name in ("one", "two")]
    async with serving(folders, environment=environment) as editor:
        ids = []
        for folder in folders:
            editor.notes = editor.open_document(folder / "notes.md")
            ids.append(await editor.start_run())
        for folder, run_id in zip(folders, ids, strict=True):
            listed = await editor.command("writeit.run.list", folder=folder.as_uri())
            assert [entry["runId"] for entry in listed["runs"]] == [run_id]
            shown = await editor.show(run_id)
            assert shown["pipelineRunId"] == run_id
            refused = await editor.refusal(
                "writeit.run.show",
                runId=run_id,
                folder=next(f for f in folders if f != folder).as_uri(),
            )
            assert refused.kind == "not_found"
        refused = await editor.refusal("writeit.run.list")
        assert refused.kind == "invalid_params"
        assert "folder" in refused.data["hint"]


async def test_a_bound_document_wakes_the_model_host(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Front matter that speaks to WriteIt is a sign that somebody will ask soon."""
    async with serving([workspace], environment=environment) as editor:
        server = psutil.Process(editor.process.pid)
        editor.open_document(workspace / "notes.md")
        await editor.command("writeit.pipeline.list")
        assert any("model-host" in " ".join(c.cmdline()) for c in server.children())
        assert await editor.quit() == 0


async def test_a_lens_that_is_given_up_while_settings_are_asked_for_is_no_trouble(
    workspace: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    """The settings come all the same; nobody is waiting for them any more."""
    log = tmp_path / "log"
    async with serving([workspace], "neovim", environment, log) as editor:
        notes = editor.open_document(workspace / "notes.md")
        asked = asyncio.get_running_loop().create_future()
        told = asyncio.get_running_loop().create_future()

        def answer(_: Any) -> Any:
            asked.set_result(None)
            return told

        editor.answers["workspace/configuration"] = answer
        params = {"textDocument": {"uri": notes}}
        number, reply = editor.ask("textDocument/codeLens", params)
        await asyncio.wait_for(asked, TIMEOUT)
        editor.cancel(number)
        assert (await editor.refused(reply)).code == -32800
        told.set_result([{}])
        assert await editor.command("writeit.pipeline.list")
        await editor.quit()
    assert "Unable to handle" not in log.read_text(encoding="utf-8")


async def test_what_a_workspace_may_not_set_is_one_message(one_editor: Editor) -> None:
    """What else the section says counts; editors' own settings are no mistake."""
    before = len(one_editor.sent("window/showMessage"))
    one_editor.settings = {
        "models": {"default": "openai/say-on", "ollamaUrl": "http://127.0.0.1:1"},
        "storeLocation": "user",
        "autoSave": True,
        "trace": "off",
    }
    for _ in range(2):
        one_editor.notify("workspace/didChangeConfiguration", {"settings": {}})
        run_id = await one_editor.start_run()
        state = await one_editor.command("writeit.step.run", runId=run_id)
        assert state["aiResponses"][0]["rawOutput"] == "on"
    told = one_editor.shown_messages()[before:]
    assert len(told) == 2
    assert any("writeit.storeLocation" in message for message in told)
    assert any("writeit.models.ollamaUrl" in message for message in told)
    one_editor.settings = {}
    one_editor.notify("workspace/didChangeConfiguration", {"settings": {}})


async def test_the_users_own_configuration_comes_with_initialize(
    workspace: Path, environment: dict[str, str], provider: Provider
) -> None:
    """Where Ollama is, and where the store is; a mistake is one message."""
    provider.ollama_models = ["phi:latest"]
    user = {"ollamaUrl": provider.root, "storeLocation": "user", "colour": "red"}
    async with serving(
        [workspace], environment=environment, options={"writeit": {"user": user}}
    ) as editor:
        listed = await editor.command("writeit.model.list", provider="ollama")
        run_id = await editor.start_run()
        state = await editor.command(
            "writeit.step.run", runId=run_id, models=["ollama/phi"]
        )
        status = await editor.command("writeit.store.status")
        (message,) = editor.sent("window/showMessage")
        assert "initializationOptions.writeit.user.colour" in message["message"]
    assert [model["id"] for model in listed["models"]] == ["ollama/phi:latest"]
    (answer,) = state["aiResponses"]
    assert (answer["provider"], answer["modelName"]) == ("ollama", "phi")
    assert status["path"].startswith(environment["WRITEIT_DATA_DIR"])
    assert not (workspace / ".writeit" / "store").exists()
