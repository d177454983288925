"""Trust is of one folder on this machine, wherever its path leads."""

import shutil
from pathlib import Path

import pytest

from support.clone import OURS, THEIRS, Clone
from support.editor import serving
from support.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_a_folder_inside_a_trusted_one_is_not_trusted(clone: Clone) -> None:
    """Somebody may have cloned it into there."""
    await clone.trust_two()
    shutil.copytree(clone.path / "pipelines", clone.path / "inside" / "pipelines")
    inner = clone.add_folder(clone.path / "inside")
    inner.write("notes.md", "Notes.\n")
    assert await inner.state() == "restricted"
    await inner.refusal(await inner.start("first"))
    assert clone.sent == []


async def test_a_copy_of_a_trusted_folder_is_not_trusted(clone: Clone) -> None:
    """Nor is one that was moved."""
    await clone.trust_two()
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
    await clone.trust_two()
    shutil.rmtree(clone.path / "pipelines")
    clone.add_pipeline("first", "models: [openai/say-worse]")
    await clone.refusal(await clone.start("first"))
    assert clone.sent == []


async def test_a_link_to_a_trusted_folder_is_that_folder(clone: Clone) -> None:
    """A path counts as what it leads to."""
    await clone.trust_two()
    link = clone.path.with_name("link")
    link.symlink_to(clone.path)
    linked = clone.add_folder(link)
    assert await linked.state() == "trusted"


async def test_a_link_that_is_turned_to_another_folder_is_not_trusted(
    clone: Clone,
) -> None:
    """While it is open in the editor."""
    await clone.trust_two()
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
    await clone.trust_two()
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
