"""A folder of somebody else does nothing until the user trusts it."""

from typing import Any

import pytest

from support.clone import HOSTILE_HEAD, OURS, THEIRS, Clone, values
from support.editor import Refused

pytestmark = pytest.mark.asyncio(loop_scope="session")

ONE_STEP = (
    "name: one\ninputs: [{name: notes, required: true, from: document}]\n"
    "steps: [{name: draft, prompt: '{{ inputs.notes }}'}]\n"
)


# --- an unknown folder ---


async def test_a_pipeline_of_an_unknown_folder_calls_nobody(clone: Clone) -> None:
    """It can be started and previewed; the refusal says what it would do."""
    clone.add_pipeline(step=f"models: [{THEIRS}], samples: 3")
    run_id = await clone.start()
    preview = await clone.editor.command("writeit.step.preview", runId=run_id)
    assert [model["id"] for model in preview["models"]] == [THEIRS]
    refused = await clone.refusal(run_id)
    assert clone.sent == []
    assert values(refused.data["wants"], "model") == {THEIRS}
    assert values(refused.data["wants"], "host") == {"this machine"}
    assert values(refused.data["wants"], "calls") == {"3"}
    assert refused.data["calls"] == 3
    assert "maxCostUsd" in refused.data
    assert refused.data["wants"][0]["from"] == "pipelines/theirs.yaml"
    assert "\n" not in str(refused)


async def test_not_even_models_that_the_user_names_make_it_run(clone: Clone) -> None:
    """Its prompts are somebody else's, too."""
    clone.add_pipeline()
    await clone.refusal(await clone.start(), models=[OURS])
    assert clone.sent == []


async def test_a_bundled_pipeline_works_with_models_that_the_user_names(
    clone: Clone,
) -> None:
    """Whatever else the folder has."""
    clone.add_pipeline()
    uri = clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    run_id = await clone.start("tech-article", uri)
    assert await clone.generate(run_id, models=[OURS]) == ["ours"]


async def test_front_matter_of_an_unknown_folder_names_no_file(clone: Clone) -> None:
    """They are read after the user's yes, and again only if it stays the same."""
    clone.write("secrets.md", "Secret.\n")
    uri = clone.write("notes.md", "---\nwriteit: {notes: [secrets.md]}\n---\nNotes.\n")
    with pytest.raises(Refused, match=r"notes\.md names other files") as refused:
        await clone.start("tech-article", uri)
    assert values(refused.value.data["wants"], "file") == {"secrets.md"}
    run_id = await clone.start("tech-article", uri, confirmed=True)
    preview = await clone.editor.command("writeit.step.preview", runId=run_id)
    assert "Secret." in preview["prompt"]
    clone.write("notes.md", "---\nwriteit: {context: [secrets.md]}\n---\nNotes.\n")
    with pytest.raises(Refused, match="names other files"):
        await clone.start("tech-article", uri)


async def test_front_matter_of_an_unknown_folder_names_no_model(clone: Clone) -> None:
    """The models of the settings are used, and one line says so, with a remedy."""
    uri = clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    run_id = await clone.start("tech-article", uri)
    clone.editor.settings = {"models": {"default": OURS}}
    clone.editor.notify("workspace/didChangeConfiguration", {"settings": None})
    try:
        assert await clone.generate(run_id) == ["ours"]
    finally:
        clone.editor.settings = {}
        clone.editor.notify("workspace/didChangeConfiguration", {"settings": None})
    (said,) = [m for m in clone.editor.shown_messages() if "were not used" in m]
    assert "notes.md" in said
    assert "Trust This Folder" in said
    command = (await clone.actions())["Trust This Folder"]
    assert command["command"] == "writeit.trust.set"


async def test_front_matter_that_alone_names_a_model_is_refused(clone: Clone) -> None:
    """There is nothing else to use."""
    uri = clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    refused = await clone.refusal(await clone.start("tech-article", uri))
    assert values(refused.data["wants"], "model") == {THEIRS}
    assert refused.data["wants"][0]["from"] == "notes.md"
    assert clone.sent == []


async def test_each_command_that_calls_models_is_refused(clone: Clone) -> None:
    """Regenerating and merging with a model call them, too."""
    clone.add_pipeline()
    await clone.trust()
    run_id = await clone.start()
    await clone.generate(run_id)
    await clone.trust(trusted=False)
    before = clone.sent
    commands: dict[str, dict[str, Any]] = {
        "writeit.step.run": {"models": [OURS]},
        "writeit.step.regenerate": {},
        "writeit.step.merge": {"responses": [0], "instruction": "Join."},
    }
    for command, more in commands.items():
        refused = await clone.editor.refusal(command, runId=run_id, **more)
        if command != "writeit.step.run":  # it has its answers
            assert refused.kind == "not_trusted", command
    assert clone.sent == before


async def test_polishing_with_a_pipeline_of_the_folder_is_refused(clone: Clone) -> None:
    """One that has the name of the bundled one; no run is left."""
    head = "applies_to: selection\n"
    text = clone.pipeline_text().replace(
        "name: theirs\n", f"name: polish-passage\n{head}"
    )
    clone.write("pipelines/polish-passage.yaml", text.replace("document", "selection"))
    uri = (clone.path / "notes.md").as_uri()
    refused = await clone.editor.refusal("writeit.document.polish", uri=uri)
    assert refused.kind == "not_trusted"
    runs = await clone.editor.command("writeit.run.list", folder=clone.path.as_uri())
    assert runs["runs"] == []
    assert clone.sent == []


async def test_a_run_that_goes_on_by_itself_stops_before_it_sends(
    clone: Clone,
) -> None:
    """It is started, and the refusal is with it; a code action goes on."""
    clone.add_pipeline()
    run = await clone.editor.command(
        "writeit.run.start",
        pipeline="theirs",
        uri=(clone.path / "notes.md").as_uri(),
        goOn=True,
    )
    assert run["next"]["error"]["kind"] == "not_trusted"
    assert clone.sent == []
    command = (await clone.actions())["Trust This Folder"]
    (argument,) = command["arguments"]
    await clone.editor.command(command["command"], **{**argument, "wait": True})
    assert clone.sent == ["say-theirs"]


# --- yes ---


async def test_a_dialog_repeats_the_command_on_yes(clone: Clone) -> None:
    """The refusal was the reply; the folder is trusted from then on."""
    clone.add_pipeline(step="models: [openai/say-dialog]")
    run_id = await clone.start()
    asked: list[Any] = []

    def agree(params: Any) -> Any:
        asked.append(params)
        return params["actions"][0]

    clone.editor.answers["window/showMessageRequest"] = agree
    try:
        await clone.refusal(run_id)
        await clone.provider.call("say-dialog")
    finally:
        del clone.editor.answers["window/showMessageRequest"]
    (dialog,) = asked
    assert dialog["actions"] == [{"title": "Trust This Folder"}]
    assert "this machine" in dialog["message"]
    assert await clone.state() == "trusted"


async def test_a_code_action_repeats_the_command(clone: Clone) -> None:
    """Everywhere, also where there is no dialog."""
    clone.add_pipeline()
    run_id = await clone.start()
    await clone.refusal(run_id)
    command = (await clone.actions())["Trust This Folder"]
    assert command["command"] == "writeit.step.run"
    (argument,) = command["arguments"]
    assert argument["confirmed"] is True
    assert await clone.generate(run_id, confirmed=True) == ["theirs"]


async def test_a_yes_to_trust_that_showed_the_calls_is_not_asked_for_again(
    clone: Clone,
) -> None:
    """Nor by the next run of the same pipeline; more calls are asked about."""
    clone.add_pipeline(step=f"models: [{THEIRS}], samples: 5")
    assert values((await clone.show())["wants"], "calls") == {"5"}
    await clone.trust()
    assert len(await clone.generate(await clone.start())) == 5
    assert len(await clone.generate(await clone.start())) == 5
    clone.add_pipeline("more", step=f"models: [{THEIRS}], samples: 6")
    await clone.trust(trusted=False)
    await clone.refusal(await clone.start())


async def test_calls_that_were_confirmed_are_confirmed_for_the_session(
    clone: Clone,
) -> None:
    """The same models and samples of the same pipeline."""
    clone.add_pipeline(step=f"models: [{THEIRS}], samples: 5")
    run_id = await clone.start()
    await clone.refusal(run_id)
    await clone.generate(run_id, confirmed=True)
    assert len(await clone.generate(await clone.start())) == 5
    refused = await clone.editor.refusal(
        "writeit.step.run", runId=await clone.start(), models=[OURS, THEIRS]
    )
    assert refused.data["calls"] == 10


async def test_a_yes_to_trust_covers_the_place_of_the_article(clone: Clone) -> None:
    """The question named it, so it is not asked about again."""
    head = HOSTILE_HEAD.replace("writeit:\n", "writeit:\n  output_path: a/x.md\n")
    uri = clone.write("notes.md", f"{head}Notes.\n")
    clone.write("pipelines/one.yaml", ONE_STEP)
    run_id = await clone.start("one", uri)
    refused = await clone.refusal(run_id)
    assert values(refused.data["wants"], "output") == {"a/x.md"}
    await clone.generate(run_id, confirmed=True)
    await clone.editor.command("writeit.step.select", runId=run_id, response=0)
    await clone.editor.command("writeit.step.apply", runId=run_id)
    assert (clone.path / "a" / "x.md").is_file()


async def test_reasoning_in_front_matter_is_asked_about(clone: Clone) -> None:
    """It costs: without trust models do not think as long as the document says."""
    text = HOSTILE_HEAD.replace("writeit:\n", "writeit:\n  reasoning: high\n")
    uri = clone.write("notes.md", f"{text}Notes.\n")
    run_id = await clone.start("tech-article", uri)
    refused = await clone.refusal(run_id)
    assert values(refused.data["wants"], "reasoning") == {"high"}
    await clone.generate(run_id, models=[OURS])
    assert "reasoning_effort" not in clone.provider.calls[-1].body
    (said,) = [m for m in clone.editor.shown_messages() if "settings for reason" in m]
    assert "notes.md" in said


async def test_no_answer_means_no(clone: Clone) -> None:
    """A dialog that is closed changes nothing."""
    clone.add_pipeline()
    run_id = await clone.start()
    await clone.refusal(run_id)
    await clone.refusal(run_id)
    assert clone.sent == []
    assert await clone.state() == "restricted"


async def test_a_yes_without_a_question_trusts_nothing(clone: Clone) -> None:
    """A command that says `confirmed` at once was not shown what it confirms."""
    clone.add_pipeline()
    run_id = await clone.start()
    await clone.refusal(run_id, confirmed=True)
    assert clone.sent == []


async def test_a_file_that_changes_after_the_question_is_asked_about_again(
    clone: Clone,
) -> None:
    """The yes was about other bytes."""
    clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    run_id = await clone.start("tech-article")
    await clone.refusal(run_id)
    worse = HOSTILE_HEAD.replace("theirs", "worse")
    clone.write("notes.md", f"{worse}Notes.\n")
    refused = await clone.refusal(run_id, confirmed=True)
    assert "openai/say-worse" in values(refused.data["wants"], "model")
    assert clone.sent == []
    assert await clone.generate(run_id, confirmed=True) == ["worse"]


async def test_trust_is_of_the_files_that_were_shown(clone: Clone) -> None:
    """One that was changed between `trust.show` and `trust.set` is not trusted."""
    clone.add_pipeline()
    shown = await clone.show()
    assert shown["state"] == "restricted"
    assert values(shown["wants"], "model") == {THEIRS}
    assert values(shown["wants"], "host") == {"this machine"}
    clone.add_pipeline(step="models: [openai/say-worse]")
    result = await clone.trust()
    assert result["state"] == "restricted"
    assert values(result["wants"], "model") == {"openai/say-worse"}
    await clone.refusal(await clone.start())
    assert clone.sent == []


async def test_a_trusted_folder_can_be_restricted_again(clone: Clone) -> None:
    """Runs that were started before, too."""
    clone.add_pipeline()
    assert (await clone.trust())["state"] == "trusted"
    run_id = await clone.start()
    assert (await clone.trust(trusted=False))["state"] == "restricted"
    await clone.refusal(run_id)
    await clone.refusal(await clone.start())
    assert clone.sent == []
