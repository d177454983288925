"""The whole story as one test, under each editor's capabilities, on each wire once.

Notes → angles → choose → outline with feedback → asked anew → draft by two models →
passages of both → merge → polish → apply → rewind → branch → other draft → diff →
export.
"""

from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from support.editor import EVERY_PROFILE, Editor, Json
from support.open_documents import OpenDocuments
from support.transports import TRANSPORTS, served

NOTES = "# Notes on rivers\n\n- A river is moving water.\n"


class Story:
    """One run and what is done with it."""

    def __init__(self, editor: Editor, run_id: str) -> None:
        self.editor = editor
        self.run_id = run_id

    async def do(self, command: str, **params: Any) -> Any:
        """Run a command on the run."""
        return await self.editor.command(
            f"writeit.{command}", runId=self.run_id, **params
        )

    async def ask(self, *models: str, **params: Any) -> Json:
        """Ask the current step."""
        asked = [f"openai/{model}" for model in models]
        state: Json = await self.do("step.run", models=asked, **params)
        return state

    async def choose(self, response: int = 0, **params: Any) -> Json:
        """Choose an answer."""
        run: Json = await self.do("step.select", response=response, **params)
        return run


async def to_the_draft(story: Story) -> None:
    """Angles chosen, an outline with feedback, asked anew and chosen."""
    await story.ask("say-first+20angle", "say-second+20angle")
    await story.choose(1, feedback="for beginners")
    outline = await story.ask("echo")
    assert "for beginners" in outline["aiResponses"][0]["promptUsed"]
    anew = await story.do(
        "step.regenerate", feedback="fewer parts", models=["openai/say-outline"]
    )
    assert "fewer parts" in anew["aiResponses"][1]["promptUsed"]
    await story.choose(1)


async def merged_draft(story: Story) -> str:
    """A draft joined of passages of two models' answers."""
    draft = await story.ask("say-Rivers+20run.", "say-Water+20moves.")
    texts = [answer["rawOutput"] for answer in draft["aiResponses"]]
    for index in (1, 0):
        await story.do("step.take", response=index, text=texts[index])
    run = await story.do("step.merge")
    joined = f"{texts[1]}\n\n{texts[0]}"
    assert run["steps"]["draft"]["content"] == joined
    return joined


@pytest.mark.parametrize(
    ("transport", "profile"), list(zip(cycle(TRANSPORTS), EVERY_PROFILE, strict=False))
)
async def test_from_notes_to_an_article_and_back(
    transport: str, profile: str, workspace: Path, environment: dict[str, str]
) -> None:
    """Nothing on the way destroys what was there before."""
    async with served(transport, workspace, profile, environment) as editor:
        await tell(editor)


async def tell(editor: Editor) -> None:
    """Tell the story in an editor."""
    docs = OpenDocuments(editor)
    page = docs.open(NOTES)
    story = Story(editor, await editor.start_run(uri=page.uri, name="rivers"))
    await to_the_draft(story)
    joined = await merged_draft(story)
    polish = await story.ask("say-Rivers+20run+20and+20water+20moves.")
    assert joined in polish["aiResponses"][0]["promptUsed"]
    finished = await story.choose()
    assert finished["status"] == "COMPLETED"

    applied = await story.do("step.apply", mode="replace")
    assert applied["applied"]
    assert page.text == "Rivers run and water moves.\n"
    restored = await story.do("edit.restore")
    assert restored["applied"]
    assert page.text == NOTES

    before = await story.do("run.show")
    other = Story(
        editor, (await story.do("run.rewind", step="outline"))["pipelineRunId"]
    )
    await other.choose(0)
    await other.ask("say-Another+20draft.")
    await other.choose()
    branch = await story.do("run.branch", step="draft", name="the mills")
    assert branch["steps"]["outline"] == before["steps"]["outline"]
    assert await story.do("run.show") == before

    tree = await story.do("run.tree")
    points = {child["branchPoint"] for child in tree["children"]}
    assert points == {"outline", "draft"}
    difference = await editor.command(
        "writeit.run.diff",
        left={"runId": story.run_id, "step": "draft"},
        right={"runId": other.run_id, "step": "draft"},
    )
    assert "+Another draft." in difference["unified"]
    assert "-Rivers run." in difference["unified"]

    page_of_run = await editor.command(
        "writeit.view.read", uri=f"writeit:/run/{story.run_id}.md"
    )
    assert "the mills" in page_of_run["text"]
    exported = await story.do("run.export", format="markdown")
    assert exported["content"].rstrip().endswith("Rivers run and water moves.")
