"""Files that cannot be used are listed with their problems, and name each other."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import TYPE_CHECKING

import pytest

from support.code_actions import actions
from support.editor import serving

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.asyncio(loop_scope="session")

PIPELINE = """\
name: {name}
description: {description}
inputs: [{{name: text, required: true, from: document}}]
steps: [{{name: write, prompt: "{prompt}"}}]
"""
PRIMER = """\
primer_id: dry
name: Dry
content: {content}
voice_attributes: {{tone: a, structure: b, language: c}}
guidelines: {{avoid: [x], prefer: [y]}}
"""


def write(path: Path, template: str, **fields: str) -> Path:
    """Write a file of the library."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(template.format(**fields), "utf-8")
    return path


async def test_every_file_is_listed_and_a_name_is_used_once(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Broken, replaced and twice there, in the list, at a start and in a terminal."""
    folder, primers = workspace / "pipelines", workspace / "primers"
    fine = {"description": "d", "prompt": "{{ inputs.text }}"}
    write(folder / "a.yaml", PIPELINE, name="twice", **fine)
    write(folder / "b.yaml", PIPELINE, name="twice", **fine)
    broken = {"description": "d", "prompt": "{{ inputs.nosuch }}"}
    write(folder / "broken.yaml", PIPELINE, name="broken", **broken)
    write(folder / "blog.yaml", PIPELINE, name="blog-post", **fine)
    for name in ("one", "two"):
        write(primers / f"{name}.yaml", PRIMER, content=name)
    (primers / "bad.yaml").write_text("name: Bad\n", "utf-8")
    (primers / "mine.yaml").write_text("primer_id: academic\n", "utf-8")
    (primers / "none.yaml").write_text(
        PRIMER.format(content="x").replace("dry", "none"), "utf-8"
    )
    async with serving([workspace], "bare", environment) as editor:
        listed = (await editor.command("writeit.pipeline.list"))["pipelines"]
        by_file = {entry["uri"].rpartition("/")[2]: entry for entry in listed}
        for name, other in (("a.yaml", "b.yaml"), ("b.yaml", "a.yaml")):
            assert not by_file[name]["usable"]
            assert other in by_file[name]["problems"][0]["message"]
        assert not by_file["broken.yaml"]["usable"]
        assert "nosuch" in by_file["broken.yaml"]["problems"][0]["message"]
        assert by_file["blog.yaml"]["usable"]
        assert not by_file["blog-post.yaml"]["usable"]
        assert (
            str(folder / "blog.yaml")
            in (by_file["blog-post.yaml"]["problems"][-1]["message"])
        )
        listed = (await editor.command("writeit.primer.list"))["primers"]
        found = {entry["uri"].rpartition("/")[2]: entry for entry in listed}
        assert not found["one.yaml"]["usable"]
        assert not found["two.yaml"]["usable"]
        assert found["bad.yaml"]["problems"]
        assert found["mine.yaml"]["primerId"] == "academic"
        assert not found["academic.yaml"]["usable"]
        assert "reserved" in found["none.yaml"]["problems"][0]["message"]
        notes = (workspace / "notes.md").as_uri()
        start = {"uri": notes, "pipeline": "twice"}
        refused = await editor.refusal("writeit.run.start", **start)
        assert refused.kind == "invalid_pipeline"
        assert {"a.yaml", "b.yaml"} <= {
            *refused.data["message"].replace(":", "").split()
        }
        refused = await editor.refusal(
            "writeit.run.start", uri=notes, pipeline="tech-article", primer="dry"
        )
        assert refused.kind == "invalid_pipeline"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "writeit", "pipeline", "list", "--json"),
        cwd=workspace,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    unusable = [one for one in json.loads(said) if not one["usable"]]
    assert {one["name"] for one in unusable} >= {"twice", "broken", "blog-post"}
    assert all(one["problems"] for one in unusable)


@pytest.mark.rule("rel-14", "rel-15", "session-t1")
async def test_a_primer_is_shown_with_its_times_and_versions(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Each version can be read; it was last used when a prompt with it was sent."""
    path = write(workspace / "primers" / "dry.yaml", PRIMER, content="Be dry.")
    start = {"pipeline": "tech-article", "uri": (workspace / "notes.md").as_uri()}
    async with serving([workspace], "bare", environment) as editor:
        before = await editor.command("writeit.session.show")
        run = await editor.command("writeit.run.start", **start, primer="dry")
        first = await editor.command("writeit.primer.show", primer="dry")
        assert (first["createdAt"] is None, first["lastUsed"]) == (False, None)
        run_id = run["pipelineRunId"]
        await editor.command("writeit.step.run", runId=run_id, models=["openai/say-a"])
        used = await editor.command("writeit.primer.show", primer="dry")
        assert used["lastUsed"] > used["createdAt"]
        write(path, PRIMER, content="Be very dry.")
        await editor.command("writeit.run.start", **start, primer="dry")
        now = await editor.command("writeit.primer.show", primer="dry")
        assert [one["version"] for one in now["versions"]] == [
            first["version"],
            now["version"],
        ]
        preview = await editor.command("writeit.step.preview", runId=run_id)
        assert "Be dry." in preview["prompt"]
        old = await editor.command(
            "writeit.primer.show", primer="dry", version=first["version"]
        )
        assert old["content"].strip() == "Be dry."
        session = await editor.command("writeit.session.show")
        assert session["lastActivity"] > before["lastActivity"]
        again = await editor.command("writeit.session.show")
        assert again["lastActivity"] == session["lastActivity"]
        await editor.command("writeit.view.open", view="run", runId=run_id)
        session = await editor.command("writeit.session.show")
        assert session["lastActivity"] > again["lastActivity"]


@pytest.mark.rule("config-t1", "rel-3", "rel-13")
async def test_a_pipeline_that_was_edited_is_another_one(
    workspace: Path, environment: dict[str, str]
) -> None:
    """Old runs keep theirs; several pipelines can name one style."""
    write(workspace / "primers" / "dry.yaml", PRIMER, content="Be dry.")
    fine = {"description": "d", "prompt": "{{ inputs.text }}"}
    style = "\ndefaults: {{style_primer: dry}}\n"
    path = workspace / "pipelines" / "mine.yaml"
    write(path, PIPELINE + style, name="mine", **fine)
    write(path.with_name("other.yaml"), PIPELINE + style, name="other", **fine)
    notes = (workspace / "notes.md").as_uri()
    async with serving([workspace], "bare", environment) as editor:
        start = {"uri": notes, "primer": None}
        mine = await editor.command("writeit.run.start", pipeline="mine", **start)
        other = await editor.command("writeit.run.start", pipeline="other", **start)
        assert mine["primer"] == other["primer"]
        write(path, PIPELINE + style, name="mine", **{**fine, "description": "new"})
        now = await editor.command("writeit.run.start", pipeline="mine", **start)
        assert now["configurationId"] != mine["configurationId"]
        again = await editor.command("writeit.run.show", runId=mine["pipelineRunId"])
        assert again["configurationId"] == mine["configurationId"]
        kept = await editor.command(
            "writeit.pipeline.show", pipeline=mine["configurationId"]
        )
        assert kept["description"] == "d"


@pytest.mark.rule("rel-1")
async def test_the_run_of_a_document_survives_a_restart(
    workspace: Path, environment: dict[str, str]
) -> None:
    """It is the one that was activated last, not the one that changed last."""
    notes = (workspace / "notes.md").as_uri()
    start = {"pipeline": "tech-article", "uri": notes}
    async with serving([workspace], "bare", environment) as editor:
        first = await editor.command("writeit.run.start", **start, name="first")
        await editor.command("writeit.run.start", **start, name="second")
        await editor.command("writeit.session.activate", runId=first["pipelineRunId"])
        await editor.quit()
    async with serving([workspace], "bare", environment) as editor:
        editor.open_document(workspace / "notes.md")
        offered = await actions(editor, notes)
        (argument,) = offered["Generate angles"]["arguments"]
        assert argument["runId"] == first["pipelineRunId"]


@pytest.mark.parametrize("frees", ["pause", "preference"])
@pytest.mark.rule("rel-18", "session-1")
async def test_runs_of_two_servers_count_towards_one_limit(
    workspace: Path, environment: dict[str, str], frees: str
) -> None:
    """The second waits until the first is stopped, or the limit is raised there."""
    start = {"pipeline": "tech-article", "uri": (workspace / "notes.md").as_uri()}
    async with (
        serving([workspace], "bare", environment) as one,
        serving([workspace], "bare", environment) as two,
    ):
        await one.command("writeit.preferences.set", maxConcurrentPipelines=1)
        runs = [await each.command("writeit.run.start", **start) for each in (one, two)]
        ids = [run["pipelineRunId"] for run in runs]
        await one.command(
            "writeit.step.run", runId=ids[0], models=["openai/held-2"], wait=False
        )
        await two.command(
            "writeit.step.run",
            runId=ids[1],
            models=["openai/say-a"],
            wait=False,
            streamToken="t",
        )
        await two.until(
            lambda: any(v.get("code") == "queued" for v in two.progress("t"))
        )
        if frees == "pause":
            await one.command("writeit.run.pause", runId=ids[0])
        else:
            await one.command("writeit.preferences.set", maxConcurrentPipelines=2)
        await two.until(lambda: any(v["kind"] == "ended" for v in two.progress("t")))
