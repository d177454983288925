"""What comes into a folder later is asked about; what the user types is not."""

from pathlib import Path

import pytest

from support.clone import HOSTILE_HEAD, OURS, Clone, decisions, values

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_pull_that_changes_a_pipeline_asks_about_the_difference(
    clone: Clone,
) -> None:
    """The other pipeline is as it was, and works."""
    await clone.trust_two()
    clone.add_pipeline("second", "models: [openai/say-worse], samples: 4")
    assert await clone.generate(await clone.start("first")) == ["first"]
    refused = await clone.refusal(await clone.start("second"))
    assert values(refused.data["wants"], "model") == {"openai/say-worse"}
    assert {want["from"] for want in refused.data["wants"]} == {"pipelines/second.yaml"}
    assert "has changed" in str(refused)
    assert clone.sent == ["say-first"]


async def test_a_pull_that_adds_a_pipeline_asks(clone: Clone) -> None:
    """Also one without any model of its own."""
    await clone.trust_two()
    clone.add_pipeline("third", "max_tokens: 50")
    await clone.refusal(await clone.start("third"), models=[OURS])
    assert clone.sent == []


async def test_a_rule_that_the_user_keeps_is_not_asked_about(clone: Clone) -> None:
    """Its file is as a command wrote it; what another program adds is asked about."""
    await clone.trust_two()
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
    await clone.trust_two()
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
    await clone.type_on(
        "pipelines/theirs.yaml", text.replace("say-theirs", "say-later")
    )
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
    await clone.type_file("pipelines/theirs.yaml", text)
    run_id = await clone.start()
    await clone.type_on(
        "pipelines/theirs.yaml", text.replace("say-theirs", "say-later")
    )
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
    await clone.type_file("pipelines/theirs.yaml", text[:-20])
    await clone.type_on("pipelines/theirs.yaml", text)
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
