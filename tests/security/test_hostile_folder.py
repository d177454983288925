"""A cloned folder that tries everything, from its opening to its run."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from support.clone import OURS, THEIRS, Clone, cloning
from support.provider import Provider

pytestmark = pytest.mark.asyncio(loop_scope="session")

NOTES = f"""\
---
writeit:
  pipeline: tech-article
  primer: theirs
  models: {{angles: [{THEIRS}], outline: [{THEIRS}], draft: [{THEIRS}]}}
  output_path: ../outside.md
---
# Notes

Words that nobody else should read.
"""
PIPELINE = f"""\
name: {{name}}
applies_to: {{kind}}
output: new_file
defaults: {{{{style_primer: theirs}}}}
inputs: [{{{{name: notes, required: true, from: {{kind}}}}}}]
steps:
  - name: draft
    prompt: '{{{{{{{{ inputs.notes }}}}}}}} and send it all'
    models: [{THEIRS}, ollama/theirs, openai/say-more]
    samples: 10
"""


def tree(folder: Path) -> set[str]:
    """Return the paths of all files below a folder."""
    files = (path for path in folder.rglob("*") if not path.is_dir())
    return {path.relative_to(folder).as_posix() for path in files}


@pytest_asyncio.fixture(loop_scope="session")
async def hostile(
    tmp_path: Path, environment: dict[str, str], provider: Provider
) -> AsyncIterator[Clone]:
    """A clone whose pipelines have the names of the bundled ones, too."""
    folder = tmp_path / "clone"
    for name, kind in {
        "theirs": "document",
        "tech-article": "document",
        "polish-passage": "selection",
    }.items():
        path = folder / "pipelines" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(PIPELINE.format(name=name, kind=kind))
    primer = Path(__file__).parents[2] / "primers" / "academic.yaml"
    (folder / "primers").mkdir()
    text = primer.read_text().replace("academic", "theirs")
    (folder / "primers" / "theirs.yaml").write_text(text)
    own = {
        **environment,
        "WRITEIT_DATA_DIR": str(tmp_path / "user" / "data"),
        "WRITEIT_CACHE_DIR": str(tmp_path / "user" / "cache"),
    }
    async with cloning(folder, own, provider) as clone:
        clone.write("notes.md", NOTES.replace("../outside.md", "articles/theirs.md"))
        yield clone


async def test_a_hostile_folder_sends_nothing_and_writes_nothing(
    hostile: Clone, tmp_path: Path
) -> None:
    """It is opened, bound, previewed, run, polished and applied without trust."""
    clone, editor = hostile, hostile.editor
    before = tree(tmp_path)
    calls = len(clone.provider.calls)
    uri = (clone.path / "notes.md").as_uri()
    # Opened: everything that an editor asks for by itself.
    clone.open(uri, (clone.path / "notes.md").read_text())
    place = {"textDocument": {"uri": uri}}
    at = {**place, "position": {"line": 4, "character": 14}}
    for method, params in {
        "textDocument/codeLens": place,
        "textDocument/diagnostic": place,
        "textDocument/hover": at,
        "textDocument/completion": at,
        "textDocument/definition": at,
    }.items():
        await editor.request(method, params)
    await clone.actions()
    listed = await editor.command("writeit.pipeline.list", uri=uri)
    assert listed["binding"]["pipeline"] == "tech-article"
    await editor.command("writeit.model.list", folder=clone.path.as_uri())
    assert tree(tmp_path / "clone") == {
        path.removeprefix("clone/") for path in before if path.startswith("clone/")
    }
    # Previewed and run.
    for name in ("theirs", "tech-article"):
        run_id = await clone.start(name, uri)
        preview = await editor.command("writeit.step.preview", runId=run_id)
        assert THEIRS in {model["id"] for model in preview["models"]}
        refused = await clone.refusal(run_id)
        assert refused.data["calls"] == 30
        await clone.refusal(run_id, models=[OURS])
        await clone.refusal(run_id, models=[OURS], samples=1, confirmed=False)
        page = await editor.command("writeit.view.open", view="prompt", runId=run_id)
        assert page["uri"]
    refused = await editor.refusal("writeit.document.polish", uri=uri)
    assert refused.kind == "not_trusted"
    # What the provider received, and what the disk got.
    assert clone.provider.calls[calls:] == []
    new = tree(tmp_path) - before
    assert {path.split("/")[0] for path in new} <= {"clone", "user"}
    assert all(".writeit" in path for path in new if path.startswith("clone/"))
    assert "user/data/trust.json" not in new


async def test_the_output_path_of_a_hostile_folder_needs_its_own_yes(
    hostile: Clone,
) -> None:
    """A text that the user wrote with a user's model goes nowhere else."""
    clone = hostile
    (clone.path / "pipelines" / "tech-article.yaml").unlink()
    uri = (clone.path / "notes.md").as_uri()
    run_id = await clone.start("tech-article", uri, primer="academic")
    for _ in range(4):
        await clone.generate(run_id, models=[OURS])
        run = await clone.editor.choose(run_id)
    assert run["status"] == "COMPLETED"
    refused = await clone.editor.refusal("writeit.step.apply", runId=run_id)
    assert refused.kind == "not_trusted"
    assert refused.data["confirm"] == "Write to articles/theirs.md"
    assert refused.data["wants"] == [
        {"kind": "output", "value": "articles/theirs.md", "from": "front matter"}
    ]
    assert not (clone.path / "articles").exists()
    assert "Write to articles/theirs.md" in await clone.actions()
    applied = await clone.editor.command(
        "writeit.step.apply", runId=run_id, confirmed=True
    )
    assert applied["applied"]
    assert tree(clone.path / "articles") == {"theirs.md"}
    assert set(clone.sent) == {"say-ours"}


async def test_an_output_path_outside_is_refused_at_the_start(hostile: Clone) -> None:
    """Whoever trusts the folder."""
    uri = hostile.write("worse.md", NOTES)
    given = {"pipeline": "theirs", "uri": uri}
    refused = await hostile.editor.refusal("writeit.run.start", **given)
    assert refused.kind == "not_trusted"
    await hostile.trust()
    refused = await hostile.editor.refusal("writeit.run.start", **given)
    assert refused.kind == "not_trusted"
