"""A folder of somebody else does nothing until the user trusts it."""

import itertools
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from support.clone import HOSTILE_HEAD, OURS, THEIRS, Clone, cloning, decisions
from support.editor import Refused, serving
from support.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="session")

_numbers = itertools.count()

ONE_STEP = (
    "name: one\ninputs: [{name: notes, required: true, from: document}]\n"
    "steps: [{name: draft, prompt: '{{ inputs.notes }}'}]\n"
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def undecided(
    environment: dict[str, str],
    provider: Provider,
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncIterator[Clone]:
    """An editor whose server has been told nothing about trust."""
    folder = tmp_path_factory.mktemp("first")
    async with cloning(folder, environment, provider) as clone:
        yield clone


@pytest.fixture
def clone(undecided: Clone, tmp_path: Path) -> Clone:
    """A new folder with notes in it, which nobody has decided on."""
    folder = tmp_path / f"clone-{next(_numbers)}"
    folder.mkdir()
    (folder / "notes.md").write_text("# Secret notes\n", encoding="utf-8")
    return undecided.add_folder(folder)


def values(wants: list[dict[str, str]], kind: str) -> set[str]:
    """Return what is wanted of one kind."""
    return {want["value"] for want in wants if want["kind"] == kind}


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


# --- changes ---


async def trusted(clone: Clone) -> Clone:
    """Let a folder have a pipeline and trust it."""
    clone.add_pipeline("first", "models: [openai/say-first]")
    clone.add_pipeline("second", "models: [openai/say-second]")
    await clone.trust()
    return clone


async def test_a_pull_that_changes_a_pipeline_asks_about_the_difference(
    clone: Clone,
) -> None:
    """The other pipeline is as it was, and works."""
    await trusted(clone)
    clone.add_pipeline("second", "models: [openai/say-worse], samples: 4")
    assert await clone.generate(await clone.start("first")) == ["first"]
    refused = await clone.refusal(await clone.start("second"))
    assert values(refused.data["wants"], "model") == {"openai/say-worse"}
    assert {want["from"] for want in refused.data["wants"]} == {"pipelines/second.yaml"}
    assert "has changed" in str(refused)
    assert clone.sent == ["say-first"]


async def test_a_pull_that_adds_a_pipeline_asks(clone: Clone) -> None:
    """Also one without any model of its own."""
    await trusted(clone)
    clone.add_pipeline("third", "max_tokens: 50")
    await clone.refusal(await clone.start("third"), models=[OURS])
    assert clone.sent == []


async def test_a_rule_that_the_user_keeps_is_not_asked_about(clone: Clone) -> None:
    """Its file is as a command wrote it; what another program adds is asked about."""
    await trusted(clone)
    run_id = await clone.start("tech-article", primer="academic")
    for text in ("Short words.", "No jokes."):
        await clone.editor.command("writeit.primer.keep", runId=run_id, text=text)
    await clone.start("tech-article", primer="academic")
    primer = (clone.path / "primers" / "academic.yaml").read_text(encoding="utf-8")
    clone.write("primers/academic.yaml", f"{primer}# other\n")
    await clone.editor.command("writeit.primer.keep", runId=run_id, text="No puns.")
    uri = (clone.path / "notes.md").as_uri()
    given = {"pipeline": "tech-article", "uri": uri, "primer": "academic"}
    refused = await clone.editor.refusal("writeit.run.start", **given)
    assert (refused.kind, "primers/academic.yaml" in str(refused)) == (
        "not_trusted",
        True,
    )


async def test_a_pull_that_changes_a_primer_asks(clone: Clone) -> None:
    """It goes into every prompt of a run."""
    bundled = Path(__file__).parents[2] / "primers" / "academic.yaml"
    primer = bundled.read_text(encoding="utf-8").replace("academic", "house")
    clone.write("primers/house.yaml", primer)
    await trusted(clone)
    await clone.start("tech-article", primer="house")
    clone.write("primers/house.yaml", f"{primer}\n# other\n")
    uri = (clone.path / "notes.md").as_uri()
    given = {"pipeline": "tech-article", "uri": uri, "primer": "house"}
    refused = await clone.editor.refusal("writeit.run.start", **given)
    assert refused.kind == "not_trusted"
    assert "primers/house.yaml" in str(refused)
    await clone.editor.command("writeit.run.start", **given, confirmed=True)


async def test_front_matter_that_another_program_changed_asks(clone: Clone) -> None:
    """The settings are not used in its place: the user relies on it."""
    uri = clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    run_id = await clone.start("tech-article", uri)
    await clone.refusal(run_id)
    assert await clone.generate(run_id, confirmed=True) == ["theirs"]
    clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n".replace("theirs", "worse"))
    refused = await clone.refusal(await clone.start("tech-article", uri))
    assert values(refused.data["wants"], "model") == {"openai/say-worse"}


async def test_text_below_front_matter_is_nobodys_business(clone: Clone) -> None:
    """Only what is named counts, not the notes."""
    uri = clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    run_id = await clone.start("tech-article", uri)
    await clone.refusal(run_id)
    await clone.generate(run_id, confirmed=True)
    clone.write("notes.md", f"{HOSTILE_HEAD}Other notes of another program.\n")
    assert await clone.generate(await clone.start("tech-article", uri)) == ["theirs"]


# --- the user's own folder ---


async def test_a_folder_that_names_nothing_is_home_from_its_first_run(
    clone: Clone, environment: dict[str, str]
) -> None:
    """It is remembered as the user's own."""
    await clone.generate(await clone.start("tech-article"), models=[OURS])
    assert await clone.state() == "home"
    assert decisions(environment)[str(clone.path.resolve())]["decision"] == "home"


@pytest.mark.parametrize("first_run", [True, False], ids=["home", "new"])
async def test_a_writer_who_types_a_pipeline_is_never_asked(
    clone: Clone, first_run: bool
) -> None:
    """Nor one who changes it later."""
    if first_run:
        await clone.start("tech-article")
    text = clone.pipeline_text()
    await clone.type_file("pipelines/theirs.yaml", text)
    assert await clone.generate(await clone.start()) == ["theirs"]
    uri = (clone.path / "pipelines" / "theirs.yaml").as_uri()
    text = text.replace("say-theirs", "say-later")
    clone.change(uri, text)
    await clone.state()
    clone.write("pipelines/theirs.yaml", text)
    clone.save(uri)
    assert await clone.generate(await clone.start()) == ["later"]


async def test_a_writer_who_types_front_matter_is_never_asked(clone: Clone) -> None:
    """Before it is saved, and afterwards when it is closed."""
    uri = clone.write("notes.md", "Notes.\n")
    clone.open(uri, "Notes.\n")
    clone.change(uri, f"{HOSTILE_HEAD}Notes.\n")
    assert await clone.generate(await clone.start("tech-article", uri)) == ["theirs"]
    clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    clone.save(uri)
    clone.editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    assert await clone.generate(await clone.start("tech-article", uri)) == ["theirs"]


async def test_a_run_goes_on_after_its_pipeline_was_changed(clone: Clone) -> None:
    """It has the pipeline that it was started with, and the user had seen that one."""
    await clone.start("tech-article")
    text = clone.pipeline_text()
    uri = await clone.type_file("pipelines/theirs.yaml", text)
    run_id = await clone.start()
    text = text.replace("say-theirs", "say-later")
    clone.change(uri, text)
    await clone.state()
    clone.write("pipelines/theirs.yaml", text)
    clone.save(uri)
    assert await clone.generate(run_id) == ["theirs"]


async def test_a_pull_into_the_users_own_folder_asks(clone: Clone) -> None:
    """What was typed is not what came."""
    await clone.start("tech-article")
    clone.add_pipeline()
    await clone.refusal(await clone.start())
    assert clone.sent == []


async def test_a_file_that_the_editor_reads_again_was_not_typed(clone: Clone) -> None:
    """An editor sends a change when another program wrote the file."""
    await clone.start("tech-article")
    uri = clone.write("notes.md", "Notes.\n")
    clone.open(uri, "Notes.\n")
    clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    clone.change(uri, f"{HOSTILE_HEAD}Notes.\n")
    run_id = await clone.start("tech-article", uri)
    await clone.refusal(run_id)
    clone.save(uri)
    await clone.refusal(run_id)
    assert clone.sent == []


@pytest.mark.parametrize(
    ("disk", "shown"),
    [
        (f"\ufeff{HOSTILE_HEAD}Notes.\n", f"{HOSTILE_HEAD}Notes.\n"),
        (f"{HOSTILE_HEAD}Notes.\n".replace("\n", "\r\n"), f"{HOSTILE_HEAD}Notes.\n"),
        (f"{HOSTILE_HEAD}Notes.", f"{HOSTILE_HEAD}Notes.\n"),
    ],
    ids=["a mark", "other line ends", "no last line end"],
)
async def test_what_an_editor_makes_of_a_file_was_not_typed(
    clone: Clone, disk: str, shown: str
) -> None:
    """Editors take away a byte order mark, and change line ends."""
    await clone.start("tech-article")
    uri = clone.write("notes.md", "Notes.\n")
    clone.open(uri, "Notes.\n")
    (clone.path / "notes.md").write_bytes(disk.encode())
    clone.change(uri, shown)
    await clone.refusal(await clone.start("tech-article", uri))
    assert clone.sent == []


@pytest.mark.parametrize("is_saving", [True, False], ids=["saving", "reading"])
async def test_an_editor_may_send_what_was_typed_after_it_saved(
    clone: Clone, is_saving: bool
) -> None:
    """Eglot does; the message before saving tells it from a file that was read."""
    await clone.start("tech-article")
    uri = clone.write("notes.md", "Notes.\n")
    clone.open(uri, "Notes.\n")
    if is_saving:
        params = {"textDocument": {"uri": uri}, "reason": 1}
        clone.editor.notify("textDocument/willSave", params)
    clone.write("notes.md", f"{HOSTILE_HEAD}Notes.\n")
    clone.change(uri, f"{HOSTILE_HEAD}Notes.\n")
    clone.save(uri)
    run_id = await clone.start("tech-article", uri)
    if is_saving:
        assert await clone.generate(run_id) == ["theirs"]
    else:
        await clone.refusal(run_id)


async def test_a_letter_typed_into_a_strange_file_vouches_for_nothing(
    clone: Clone,
) -> None:
    """The rest of it came from somebody else."""
    await clone.start("tech-article")
    text = clone.pipeline_text()
    await clone.type_file("pipelines/theirs.yaml", f"{text}# x\n", before=text)
    await clone.refusal(await clone.start())
    assert clone.sent == []


@pytest.mark.parametrize("name", ["notes.md", "pipelines/theirs.yaml"])
async def test_a_mistake_that_the_user_corrects_vouches_for_nothing(
    clone: Clone, name: str
) -> None:
    """A file that cannot be read may name anything."""
    await clone.start("tech-article")
    text = clone.pipeline_text() if name.endswith("yaml") else f"{HOSTILE_HEAD}Notes.\n"
    await clone.type_file(name, text, before=text.replace("]}", "}").replace("}]", "}"))
    pipeline = "theirs" if name.endswith("yaml") else "tech-article"
    await clone.refusal(await clone.start(pipeline))
    assert clone.sent == []


async def test_a_pipeline_that_was_saved_with_a_mistake_is_the_users(
    clone: Clone,
) -> None:
    """Half of it is saved, then the rest."""
    text = clone.pipeline_text()
    uri = await clone.type_file("pipelines/theirs.yaml", text[:-20])
    clone.change(uri, text)
    await clone.state()
    clone.write("pipelines/theirs.yaml", text)
    clone.save(uri)
    assert await clone.generate(await clone.start()) == ["theirs"]


async def test_a_file_that_is_replaced_as_it_is_saved_is_not_trusted(
    clone: Clone,
) -> None:
    """What counts is what the user typed, not what is there when it is looked at."""
    await clone.start("tech-article")
    uri = clone.write("pipelines/theirs.yaml", "")
    clone.open(uri, "")
    clone.change(uri, clone.pipeline_text())
    await clone.state()
    clone.write(
        "pipelines/theirs.yaml", clone.pipeline_text("models: [openai/say-evil]")
    )
    clone.save(uri)
    await clone.refusal(await clone.start())
    assert clone.sent == []


async def test_a_command_that_writes_front_matter_is_never_asked_about(
    clone: Clone,
) -> None:
    """It is written to a file that is not open."""
    text = f"{HOSTILE_HEAD}Notes.\n"
    uri = await clone.type_file("notes.md", text)
    clone.editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
    await clone.editor.command(
        "writeit.document.frontMatter", uri=uri, pipeline="tech-article"
    )
    assert await clone.generate(await clone.start("tech-article", uri)) == ["theirs"]


# --- places ---


async def test_a_folder_inside_a_trusted_one_is_not_trusted(clone: Clone) -> None:
    """Somebody may have cloned it into there."""
    await trusted(clone)
    shutil.copytree(clone.path / "pipelines", clone.path / "inside" / "pipelines")
    inner = clone.add_folder(clone.path / "inside")
    inner.write("notes.md", "Notes.\n")
    assert await inner.state() == "restricted"
    await inner.refusal(await inner.start("first"))
    assert clone.sent == []


async def test_a_copy_of_a_trusted_folder_is_not_trusted(clone: Clone) -> None:
    """Nor is one that was moved."""
    await trusted(clone)
    copy = clone.add_folder(clone.path.with_name("copy"))
    shutil.copytree(clone.path, copy.path)
    await copy.refusal(await copy.start("first"))
    moved = clone.add_folder(clone.path.with_name("moved"))
    clone.path.rename(moved.path)
    await moved.refusal(await moved.start("first"))
    assert clone.sent == []


async def test_a_folder_that_appears_in_the_place_of_a_trusted_one(
    clone: Clone,
) -> None:
    """It has other files; its path alone trusts nothing."""
    await trusted(clone)
    shutil.rmtree(clone.path / "pipelines")
    clone.add_pipeline("first", "models: [openai/say-worse]")
    await clone.refusal(await clone.start("first"))
    assert clone.sent == []


async def test_a_link_to_a_trusted_folder_is_that_folder(clone: Clone) -> None:
    """A path counts as what it leads to."""
    await trusted(clone)
    link = clone.path.with_name("link")
    link.symlink_to(clone.path)
    linked = clone.add_folder(link)
    assert await linked.state() == "trusted"


async def test_a_link_that_is_turned_to_another_folder_is_not_trusted(
    clone: Clone,
) -> None:
    """While it is open in the editor."""
    await trusted(clone)
    link = clone.path.with_name("turned")
    link.symlink_to(clone.path)
    linked = clone.add_folder(link)
    assert await linked.generate(await linked.start("first")) == ["first"]
    other = clone.path.with_name("other")
    other.mkdir()
    shutil.copy(clone.path / "notes.md", other)
    link.unlink()
    link.symlink_to(other)
    linked.add_pipeline("first", "models: [openai/say-worse]")
    await linked.refusal(await linked.start("first"))
    assert "say-worse" not in clone.sent


async def test_a_path_in_other_case_is_another_folder(clone: Clone) -> None:
    """Where it is the same one, the user is asked once more."""
    await trusted(clone)
    other = clone.path.with_name(clone.path.name.upper())
    if not other.exists():
        shutil.copytree(clone.path, other)
    assert await clone.add_folder(other).state() == "restricted"


async def test_models_of_a_history_that_came_along_are_not_called(
    clone: Clone,
) -> None:
    """A run in it names models; the user's own runs beside it work."""
    run_id = await clone.start("tech-article", models={"angles": THEIRS})
    assert await clone.generate(run_id) == ["theirs"]
    unused = await clone.start("tech-article", models={"angles": THEIRS})
    copy = clone.path.with_name("with-history")
    shutil.copytree(clone.path, copy, ignore=shutil.ignore_patterns("*.lock"))
    other = clone.add_folder(copy)
    before = len(clone.sent)
    given = {"folder": copy.as_uri()}
    refused = await other.refusal(unused, **given)
    assert ".writeit/store" in str(refused)
    assert len(clone.sent) == before
    own = await other.start("tech-article", models={"angles": OURS})
    assert await other.generate(own) == ["ours"]
    assert await other.generate(unused, **given, confirmed=True) == ["theirs"]


async def test_many_calls_of_a_history_that_came_along_need_consent(
    clone: Clone,
) -> None:
    """Also once it is trusted: of a later step, which takes an earlier one's models."""
    models = ["openai/say-first", *(f"openai/say-{n}" for n in range(4))]
    run_id = await clone.start("tech-article")
    await clone.generate(run_id, models=models)
    once = await clone.start("tech-article", models={"angles": THEIRS})
    copy = clone.path.with_name("with-many")
    shutil.copytree(clone.path, copy, ignore=shutil.ignore_patterns("*.lock"))
    other, given = clone.add_folder(copy), {"folder": copy.as_uri()}
    await other.refusal(once, **given)
    assert await other.generate(once, **given, confirmed=True) == ["theirs"]
    before = len(clone.sent)
    command = other.editor.command
    await command("writeit.step.select", runId=run_id, response=0, **given)
    refused = await other.editor.refusal("writeit.step.run", runId=run_id, **given)
    assert refused.kind == "budget_exceeded"
    assert refused.data["calls"] == 5
    assert len(clone.sent) == before


# --- who else may say yes ---


@pytest.mark.parametrize(
    ("variable", "option", "state"),
    [
        ("1", None, "trusted"),
        ("", True, "trusted"),
        ("", False, "restricted"),
        ("yes", None, "restricted"),
    ],
    ids=["the variable", "the editor", "not the editor", "another word"],
)
async def test_an_editor_or_a_script_may_have_asked(
    tmp_path: Path,
    environment: dict[str, str],
    variable: str,
    option: bool | None,
    state: str,
) -> None:
    """Their word counts as long as they run, and is not remembered."""
    data = {**environment, "WRITEIT_DATA_DIR": str(tmp_path / "data")}
    folder = tmp_path / "folder"
    folder.mkdir()
    options = {"writeit": {} if option is None else {"trusted": option}}
    async with serving(
        [folder], "neovim", {**data, "WRITEIT_TRUST": variable}, options=options
    ) as editor:
        clone = Clone(editor, Provider(), folder)
        clone.add_pipeline()
        assert await clone.state() == state
    assert not (tmp_path / "data" / "trust.json").exists()
