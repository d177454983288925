"""The sentences of the data model, shown by a server as it runs."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

if TYPE_CHECKING:
    from support.editor import Editor, Json

pytestmark = pytest.mark.asyncio(loop_scope="session")

FIELDS = {
    "pipeline": "name description created defaults inputs steps",
    "run": "pipelineRunId configurationId parentPipelineRunId branchPoint createdAt"
    " currentStep status userInputs steps",
    "step": "stepName status startedAt completedAt aiResponses userSelection"
    " userFeedback mergedContent retryCount",
    "answer": "responseId modelName provider promptUsed rawOutput processedContent"
    " createdAt usageStats processingTime qualityScore",
    "primer": "primerId name description content voiceAttributes exampleOpenings"
    " guidelines createdAt lastUsed",
    "session": "sessionId userId activePipelineRunId workspacePath preferences"
    " createdAt lastActivity websocketConnectionId",
    "preferences": "defaultModels stylePrimer autoSaveEnabled streamingBufferSize"
    " keyboardShortcuts theme maxConcurrentPipelines exportFormat",
}
GOOD_PIPELINE = """\
name: good
inputs: [{name: text, required: true, from: document}]
steps: [{name: one, prompt: "{{ inputs.text }}"}]
"""
GOOD_PRIMER = """\
name: Good
content: Be brief.
voice_attributes: {tone: a, structure: b, language: c}
example_openings: [Once.]
guidelines: {avoid: [x], prefer: [y]}
"""


@pytest.mark.rule(
    "config-f1..6",
    "run-f1..9",
    "step-f1..9",
    "response-f1..10",
    "primer-f1..9",
    "session-f1..8",
    "preferences-f1..8",
    "rel-2",
    "rel-4",
    "ser-3..5",
)
async def test_every_field_is_on_the_wire(own: Editor) -> None:
    """With the data model's name in camelCase, ids and times as strings."""
    run_id = await own.start_run()
    await own.command("writeit.step.run", runId=run_id, models=["openai/say-a"])
    run = await own.command(
        "writeit.step.select", runId=run_id, response=0, feedback="Go on."
    )
    step = run["steps"]["angles"]
    (answer,) = step["aiResponses"]
    session = await own.command("writeit.session.show")
    shown: dict[str, Json] = {
        "pipeline": await own.command("writeit.pipeline.show", pipeline="tech-article"),
        "run": run,
        "step": step,
        "answer": answer,
        "primer": await own.command("writeit.primer.show", primer="academic"),
        "session": session,
        "preferences": session["preferences"],
    }
    for name, fields in FIELDS.items():
        assert set(fields.split()) <= shown[name].keys(), name
    for value in (run["pipelineRunId"], answer["responseId"], session["sessionId"]):
        assert str(UUID(value)) == value
    for value in (run["createdAt"], answer["createdAt"], session["lastActivity"]):
        assert datetime.fromisoformat(value).utcoffset() is not None
    assert (answer["modelName"], answer["provider"]) == ("say-a", "openai")
    assert step["userFeedback"] == "Go on."
    assert (run["status"], step["status"]) == ("RUNNING", "COMPLETED")
    assert list(run["steps"]) == ["angles", "outline", "draft", "polish"]


@pytest.mark.rule(
    "run-t1..3",
    "run-4",
    "run-5",
    "step-t1",
    "step-t2",
    "step-t3",
    "step-1..5",
    "rel-6",
    "rel-5",
    "rel-8",
    "rel-9",
    "response-1",
    "response-3",
    "response-5",
    "response-6",
    "response-t1",
)
async def test_a_run_goes_through_its_states(own: Editor) -> None:
    """And refuses what the data model does not allow."""
    run_id = await own.start_run()
    ask: dict[str, Any] = {"runId": run_id}

    async def run() -> Json:
        shown: Json = await own.command("writeit.run.show", **ask)
        return shown

    async def kind(command: str, **params: object) -> str | None:
        return (await own.refusal(command, **ask, **params)).kind

    assert (await run())["status"] == "INITIALIZING"
    assert await kind("writeit.step.run", step="outline") == "invalid_transition"
    assert await kind("writeit.step.run", step="nosuch") == "not_found"
    step = await own.command("writeit.step.run", **ask, models=["openai/say-a"])
    assert (step["status"], (await run())["status"]) == ("RUNNING", "RUNNING")
    (answer,) = step["aiResponses"]
    assert answer["promptUsed"].strip()
    assert answer["processingTime"] > 0
    assert await kind("writeit.step.select", response=7) == "not_found"
    assert (
        await kind("writeit.response.rate", response=0, score=1.5) == "invalid_params"
    )
    await own.command("writeit.run.pause", **ask)
    assert (await run())["status"] == "PAUSED"
    await own.command("writeit.run.resume", **ask)
    chosen = await own.command("writeit.step.select", **ask, response=0)
    step = chosen["steps"]["angles"]
    assert (step["status"], chosen["currentStep"]) == ("COMPLETED", "outline")
    assert step["startedAt"] <= step["completedAt"]
    for count in range(1, 4):
        again = await own.command("writeit.step.regenerate", **ask, step="angles")
        assert (again["status"], again["retryCount"]) == ("RUNNING", count)
        assert again["aiResponses"][0] == answer
    ids = [each["responseId"] for each in again["aiResponses"]]
    assert len(set(ids)) == len(ids) == 4
    assert await kind("writeit.step.regenerate") == "retry_limit"
    await own.command("writeit.step.select", **ask, response=0)
    for _ in range(3):
        await own.command("writeit.step.skip", **ask)
    assert (await run())["status"] == "COMPLETED"


@pytest.mark.rule(
    "run-1..3",
    "rel-10..12",
    "session-3",
    "session-t2",
    "session-2",
    "session-4",
    "rel-16",
)
async def test_branches_have_parents_and_sessions_their_run(own: Editor) -> None:
    """Ids are unique, the branch point is a step, and the active run exists."""
    run_id = await own.start_run()
    await own.command("writeit.step.run", runId=run_id, models=["openai/say-a"])
    child = await own.command("writeit.run.branch", runId=run_id, step="angles")
    assert child["pipelineRunId"] != run_id
    assert (child["parentPipelineRunId"], child["branchPoint"]) == (run_id, "angles")
    parent = await own.command("writeit.run.show", runId=run_id)
    shared = child["steps"]["angles"]["aiResponses"]
    assert shared == parent["steps"]["angles"]["aiResponses"]
    refused = await own.refusal("writeit.run.branch", runId=run_id, step="nosuch")
    assert refused.kind == "not_found"
    session = await own.command("writeit.session.show")
    assert session["activePipelineRunId"] == child["pipelineRunId"]
    assert session["workspacePath"] == str(own.folder)
    assert (
        datetime.fromisoformat(session["lastActivity"]) <= datetime.now().astimezone()
    )
    session = await own.command("writeit.session.activate", runId=run_id)
    assert session["activePipelineRunId"] == run_id
    unknown = "01890000-0000-7000-8000-000000000000"
    refused = await own.refusal("writeit.session.activate", runId=unknown)
    assert refused.kind == "not_found"


@pytest.mark.rule("config-1..4", "primer-1", "primer-2..5")
async def test_a_file_that_breaks_a_rule_is_listed_and_cannot_be_used(
    own: Editor,
) -> None:
    """Each with a problem of its own."""
    broken = {
        "pipelines": {
            "twice": (GOOD_PIPELINE, "good", "twice"),
            "optional": (GOOD_PIPELINE, "required: true, ", ""),
            "nosteps": (
                GOOD_PIPELINE,
                'steps: [{name: one, prompt: "{{ inputs.text }}"}]',
                "steps: []",
            ),
            "unknown": (GOOD_PIPELINE, "inputs.text }", "inputs.nosuch }"),
        },
        "primers": {
            "Bad Name": (GOOD_PRIMER, "Good", "Bad"),
            "empty": (GOOD_PRIMER, "Be brief.", '" "'),
            "voiceless": (GOOD_PRIMER, "tone: a, ", ""),
            "blank": (GOOD_PRIMER, "[Once.]", '[" "]'),
            "careless": (GOOD_PRIMER, "avoid: [x], ", ""),
        },
    }
    for kind, files in broken.items():
        (own.folder / kind).mkdir(exist_ok=True)
        for name, (text, old, new) in files.items():
            assert old in text
            broken_text = text.replace(old, new)
            (own.folder / kind / f"{name}.yaml").write_text(broken_text, "utf-8")
    same = GOOD_PIPELINE.replace("good", "twice")
    (own.folder / "pipelines" / "again.yaml").write_text(same, "utf-8")
    listed = [
        *(await own.command("writeit.pipeline.list"))["pipelines"],
        *(await own.command("writeit.primer.list"))["primers"],
    ]
    by_file = {e["uri"].rpartition("/")[2].removesuffix(".yaml"): e for e in listed}
    for files in broken.values():
        for name in files:
            entry = by_file[name.replace(" ", "%20")]
            assert entry["usable"] is False, name
            assert [p["severity"] for p in entry["problems"]].count("error"), name


@pytest.mark.rule(
    "preferences-1..4", "preferences-5", "preferences-6", "preferences-t1"
)
@pytest.mark.parametrize(
    "wrong",
    [
        {"defaultModels": {"draft": "nobody/x"}},
        {"stylePrimer": "nosuch"},
        {"streamingBufferSize": 0},
        {"keyboardShortcuts": {"writeit.ui.run.start": "ctrl+c"}},
        {"maxConcurrentPipelines": 11},
        {"exportFormat": "pdf"},
    ],
)
async def test_a_preference_that_breaks_a_rule_is_not_kept(
    one_editor: Editor, wrong: dict[str, object]
) -> None:
    """The others are, and stay."""
    before = await one_editor.command("writeit.preferences.get")
    refused = await one_editor.refusal("writeit.preferences.set", **wrong)
    assert refused.kind == "invalid_params"
    assert await one_editor.command("writeit.preferences.get") == before
    kept = await one_editor.command("writeit.preferences.set", streamingBufferSize=7)
    assert kept == {**before, "streamingBufferSize": 7}
    await one_editor.command(
        "writeit.preferences.set", streamingBufferSize=before["streamingBufferSize"]
    )
