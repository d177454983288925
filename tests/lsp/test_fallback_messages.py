"""A client without a plug-in gets a message about each action's result."""

from pathlib import Path

import pytest

from support.editor import Editor, Json, Refused, serving
from support.open_documents import OpenDocuments
from support.workspace import new_workspace

NOBODY = "00000000-0000-7000-8000-000000000000"

OFFERED: Json = {"wait": False}
"""What code actions pass."""


@pytest.fixture
def plain(bare: OpenDocuments) -> Editor:
    """An editor that shows messages, and nothing else."""
    return bare.editor


async def told(editor: Editor, message: str) -> None:
    """Wait until a message is shown."""
    await editor.until(lambda: f"WriteIt: {message}" in editor.shown_messages())


async def offered(editor: Editor, command: str, **params: object) -> Json:
    """Take an offer."""
    reply: Json = await editor.command(command, **params, **OFFERED)
    return reply


async def test_each_offer_says_what_it_did(plain: Editor) -> None:
    """From the start of a run to its article."""
    run = await offered(
        plain, "writeit.run.start", pipeline="tech-article", uri=plain.notes
    )
    here = {"runId": run["pipelineRunId"], "step": "angles"}
    await told(
        plain, "Started tech-article. Nothing has been sent. Next: generate angles."
    )
    await offered(plain, "writeit.step.run", **here, models=["openai/say-a"])
    await told(plain, "Generating angles. A message follows when it is done.")
    await told(plain, "angles has 1 answer. Choose one, or open the step.")
    await offered(plain, "writeit.step.take", **here, response=0, text="a")
    await told(plain, "Added to the merge of angles: it has 1 passage.")
    await offered(plain, "writeit.step.select", **here, response=0)
    await told(plain, "Answer 1 chosen for angles. Next: generate outline.")
    for step, then in {
        "outline": "Next: generate draft.",
        "draft": "Next: generate polish.",
        "polish": "All steps are done. Next: apply the text.",
    }.items():
        await offered(plain, "writeit.step.skip", runId=here["runId"], step=step)
        await told(plain, f"Skipped {step}. {then}")
    await offered(plain, "writeit.step.apply", runId=here["runId"])
    await told(plain, "The text of angles was written to notes.tech-article.md.")
    await offered(plain, "writeit.edit.restore", runId=here["runId"])
    await told(plain, "Removed notes.tech-article.md. Its text is still in the run.")
    await offered(plain, "writeit.run.rewind", **here)
    await told(plain, "Started over from angles. The original run is unchanged.")


async def test_the_message_names_the_models_that_gave_no_answer(plain: Editor) -> None:
    """And of the others that there are answers."""
    run_id = await plain.start_run()
    models = ["openai/say-a", "openai/err-400"]
    await offered(plain, "writeit.step.run", runId=run_id, models=models)
    await told(
        plain,
        "angles has 1 answer. No answer from openai/err-400: the provider did not"
        " accept the request. Choose one, or open the step.",
    )


async def test_who_waits_for_replies_is_told_nothing_besides(plain: Editor) -> None:
    """A script has the results."""
    before = len(plain.shown_messages())
    run_id = await plain.answered("say-a")
    await plain.choose(run_id)
    await plain.command("writeit.step.apply", runId=run_id)
    assert plain.shown_messages()[before:] == []


async def test_a_plug_in_says_these_things_itself(
    environment: dict[str, str], workspace: Path
) -> None:
    """It announced itself."""
    options = {"writeit": {"views": "uri"}}
    async with serving([workspace], "neovim", environment, options=options) as editor:
        run_id = await editor.start_run(**OFFERED)
        await offered(editor, "writeit.step.skip", runId=run_id)
        assert editor.shown_messages() == []


async def test_a_refusal_says_what_to_do(plain: Editor) -> None:
    """The message has the hint, too; a plug-in shows the hint itself."""
    run_id = await plain.answered("say-a")
    refusal = await plain.refusal("writeit.step.select", runId=run_id, response=7)
    assert str(refusal).endswith(refusal.data["hint"])
    assert refusal.data["message"] in str(refusal)


async def test_a_plug_in_gets_the_hint_apart(
    workspace: Path, environment: dict[str, str]
) -> None:
    """So that it can be shown in its own way."""
    options = {"writeit": {"events": True}}
    async with serving([workspace], "bare", environment, options=options) as editor:
        refusal = await editor.refusal("writeit.run.show", runId=NOBODY)
        assert refusal.data["hint"]
        assert refusal.data["hint"] not in str(refusal)


async def offers_of(editor: Editor) -> list[Json]:
    """Return the code actions at the top of the notes."""
    start = {"line": 0, "character": 0}
    found: list[Json] = await editor.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": editor.notes},
            "range": {"start": start, "end": start},
            "context": {"diagnostics": []},
        },
    )
    return found


async def test_where_no_model_is_set_those_that_can_be_used_are_offered(
    environment: dict[str, str], tmp_path: Path
) -> None:
    """Taking one calls it once, makes it the default, and ends the offers."""
    variables = environment | {"WRITEIT_CONFIG_DIR": str(tmp_path / "config")}
    folder = new_workspace(tmp_path / "work")
    async with serving([folder], "bare", variables) as editor:
        OpenDocuments(editor)
        run_id = await editor.start_run()
        with pytest.raises(Refused, match="No model is set for angles"):
            await editor.command("writeit.step.run", runId=run_id)
        await editor.until(
            lambda: any("such as: Use openai/" in m for m in editor.shown_messages())
        )
        offers = [a for a in await offers_of(editor) if "by default" in a["title"]]
        (argument,) = offers[0]["command"]["arguments"]
        added = await editor.command("writeit.model.add", **argument)
        assert offers[0]["title"] == f"WriteIt: Use {added['id']} by default"
        assert not [a for a in await offers_of(editor) if "by default" in a["title"]]
        shown = await editor.command("writeit.step.preview", runId=run_id)
        assert shown["models"][0]["id"] == added["id"]
