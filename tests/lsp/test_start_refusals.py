"""What is known when a run starts is refused then; stale preferences are named."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.editor import serving

if TYPE_CHECKING:
    from support.editor import Editor

pytestmark = pytest.mark.asyncio(loop_scope="session")

RANGE = {"start": {"line": 0, "character": 0}, "end": {"line": 2, "character": 5}}
PRIMER = """\
name: Stale
content: Be brief.
voice_attributes: {tone: a, structure: b, language: c}
guidelines: {avoid: [x], prefer: [y]}
"""


@pytest.mark.parametrize(
    ("params", "kind"),
    [
        ({"outputPath": "../out.md"}, "not_trusted"),
        ({"outputPath": "/etc/out.md"}, "not_trusted"),
        ({"outputPath": "pipelines"}, "not_trusted"),
        ({"outputPath": "notes.md/x.md"}, "invalid_params"),
        ({"outputPath": "a\0b"}, "invalid_params"),
        ({"outputPath": "x" * 300 + ".md"}, "invalid_params"),
        ({"outputPath": "."}, "invalid_params"),
        ({"models": {"angles": ["nobody/x"]}}, "not_found"),
        ({"models": {"angles": ["openai/"]}}, "not_found"),
        ({"models": {"nosuch": ["openai/x"]}}, "not_found"),
        ({"pipeline": "polish-passage"}, "invalid_params"),
    ],
)
@pytest.mark.rule("response-2")
async def test_what_is_known_at_start_is_refused_at_start(
    one_editor: Editor, params: dict[str, Any], kind: str
) -> None:
    """Output path, model id, and a pipeline for the other kind of text."""
    (one_editor.folder / "pipelines").mkdir(exist_ok=True)
    before = await one_editor.command("writeit.run.list")
    given = {"pipeline": "tech-article", "uri": one_editor.notes, **params}
    refused = await one_editor.refusal("writeit.run.start", **given)
    assert refused.kind == kind
    assert refused.data["hint"]
    assert await one_editor.command("writeit.run.list") == before


@pytest.mark.parametrize(
    ("block", "kind"),
    [
        ("output_path: ../out.md", "not_trusted"),
        ("models: {angles: nobody/x}", "not_found"),
        ("primer: nosuch", "not_found"),
    ],
)
async def test_front_matter_that_cannot_work_is_refused_at_start(
    one_editor: Editor, block: str, kind: str
) -> None:
    """The refusal says that the front matter is at fault."""
    path = one_editor.folder / f"bad-{kind}-{block[:4]}.md"
    path.write_text(f"---\nwriteit:\n  {block}\n---\nRivers run.\n", "utf-8")
    refused = await one_editor.refusal(
        "writeit.run.start", pipeline="tech-article", uri=path.as_uri()
    )
    assert refused.kind == kind
    assert kind == "not_trusted" or "front matter" in refused.data["message"]


async def test_a_pipeline_for_documents_polishes_nothing(one_editor: Editor) -> None:
    """And one for passages does not bind a document."""
    refused = await one_editor.refusal(
        "writeit.document.polish",
        uri=one_editor.notes,
        range=RANGE,
        pipeline="tech-article",
    )
    assert refused.kind == "invalid_params"
    refused = await one_editor.refusal(
        "writeit.document.frontMatter", uri=one_editor.notes, pipeline="polish-passage"
    )
    assert refused.kind == "invalid_params"


async def test_none_is_no_style(one_editor: Editor) -> None:
    """Whatever front matter, pipeline and preferences name."""
    run_id = await one_editor.start_run(primer="none")
    run = await one_editor.command("writeit.run.show", runId=run_id)
    assert run["primer"] is None
    preview = await one_editor.command("writeit.step.preview", runId=run_id)
    assert "How it must sound" not in preview["prompt"]
    path = one_editor.folder / "plain.md"
    path.write_text("---\nwriteit: {primer: none}\n---\nRivers run.\n", "utf-8")
    run = await one_editor.command(
        "writeit.run.start", pipeline="tech-article", uri=path.as_uri()
    )
    assert run["primer"] is None
    preferences = await one_editor.command(
        "writeit.preferences.set", stylePrimer="none"
    )
    assert preferences["stylePrimer"] == "none"
    await one_editor.command("writeit.preferences.set", stylePrimer=None)


async def test_a_stale_style_is_named_and_blocks_nothing_else(own: Editor) -> None:
    """Other preferences can be set, and a run can name another style or none."""
    folder = own.folder / "primers"
    folder.mkdir()
    (folder / "stale.yaml").write_text(PRIMER, "utf-8")
    await own.command("writeit.preferences.set", stylePrimer="stale")
    (folder / "stale.yaml").unlink()
    text = own.folder / "rivers.md"
    text.write_text("Rivers run.\n", "utf-8")
    pipeline = own.folder / "pipelines" / "plain.yaml"
    pipeline.parent.mkdir(exist_ok=True)
    pipeline.write_text(
        "name: plain\ninputs: [{name: text, required: true, from: document}]\n"
        "steps: [{name: write, prompt: 'Write {{ inputs.text }}'}]\n",
        "utf-8",
    )
    start = {"pipeline": "plain", "uri": text.as_uri()}
    refused = await own.refusal("writeit.run.start", **start)
    assert refused.kind == "not_found"
    assert (
        "The preference stylePrimer names the style 'stale'" in refused.data["message"]
    )
    assert "stylePrimer" in refused.data["hint"]
    assert (await own.command("writeit.run.start", **start, primer="none"))["steps"]
    assert (await own.command("writeit.preferences.set", theme="dark"))[
        "theme"
    ] == "dark"
    refused = await own.refusal("writeit.preferences.set", stylePrimer="stale")
    assert refused.kind == "invalid_params"


@pytest.mark.parametrize(
    ("model", "kind"),
    [("nobody/x", "not_found"), ("open ai/x", "invalid_params")],
)
async def test_a_stale_model_is_named_and_blocks_nothing_else(
    own: Editor, model: str, kind: str
) -> None:
    """Lists work, other models can be named, and other preferences be set."""
    own.settings = {"models": {"default": model}}
    own.notify("workspace/didChangeConfiguration", {"settings": {}})
    run_id = await own.start_run()
    refused = await own.refusal("writeit.step.run", runId=run_id)
    assert refused.kind == kind
    assert (
        f"The setting models.default names the model {model!r}"
        in (refused.data["message"])
    )
    assert (await own.command("writeit.model.list"))["models"]
    assert (await own.command("writeit.keys.list"))["providers"]
    await own.command("writeit.preferences.set", theme="dark")
    step = await own.command("writeit.step.run", runId=run_id, models=["openai/say-a"])
    assert step["aiResponses"]


@pytest.mark.parametrize("words", [" ", "\u00a0\n", "x" * 20_001])
async def test_an_instruction_that_says_nothing_or_too_much_is_refused(
    one_editor: Editor, words: str
) -> None:
    """As feedback is; no model is called."""
    run_id = await one_editor.answered("say-a", "say-b")
    refused = await one_editor.refusal(
        "writeit.step.merge",
        runId=run_id,
        responses=[0, 1],
        instruction=words,
        model="openai/say-c",
    )
    assert (refused.kind, refused.data["problems"][0]["path"]) == (
        "invalid_params",
        "instruction",
    )


async def test_a_preference_set_in_one_editor_holds_in_the_others(
    own: Editor, environment: dict[str, str]
) -> None:
    """At once, and a change of another one keeps it."""
    async with serving([own.folder], "bare", environment) as other:
        await other.command("writeit.preferences.get")
        await own.command("writeit.preferences.set", exportFormat="json")
        seen = await other.command("writeit.preferences.get")
        assert seen["exportFormat"] == "json"
        session = await other.command("writeit.session.show")
        assert session["preferences"]["exportFormat"] == "json"
        await other.command("writeit.preferences.set", theme="dark")
        seen = await own.command("writeit.preferences.get")
        assert (seen["exportFormat"], seen["theme"]) == ("json", "dark")
