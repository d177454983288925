"""`writeit run --choose ask`: the choices of an editor, from a script and by hand."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from support.waiting import wait_until_async
from writeit.storage.store import LmdbStore

if TYPE_CHECKING:
    from support.terminal import CommandResult, Terminal

pytestmark = pytest.mark.asyncio(loop_scope="module")

RIVERS, WATER = (
    "openai/say-Rivers%20run.%0A%0AThey%20bend.",
    "openai/say-Water%20moves.",
)
TWO = ("-m", RIVERS, "-m", WATER)

STORY = """\
7
chose 1
back nowhere
skip
rate 1 0.5
compare 1 2
status
edit 2
prompt

again make it wetter
say mind the fish
1
redo
2

take 1
1
take 2 1
merge
back draft another way
join 1 2 with love
quit
"""
"""Angles: refusals, a look around, an answer reworded. Outline: asked anew, chosen,
chosen again. Draft: merged. Then back to the draft, where a model joins the answers."""


async def choosing(shell: Terminal, lines: str, *models: str) -> CommandResult:
    """Take the notes through the article pipeline, choosing by these lines."""
    said = await shell.writeit(
        *("run", "tech-article", "notes.md", "--choose", "ask"),
        *(models or TWO),
        lines=lines,
    )
    assert "Traceback" not in said.err
    return said


def run_of(said: CommandResult) -> str:
    """The run that a command ended with."""
    return said.err.rsplit(maxsplit=1)[-1]


async def kept(shell: Terminal, run_id: str) -> dict[str, Any]:
    """A run as it is in the store."""
    run: dict[str, Any] = (await shell.writeit("show", run_id, "--json")).json
    return run


@dataclass(frozen=True)
class Story:
    """What became of the story."""

    said: CommandResult
    child: dict[str, Any]
    run: dict[str, Any]

    def step(self, name: str) -> dict[str, Any]:
        """A step of the run she went back from."""
        step: dict[str, Any] = self.run["steps"][name]
        return step


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(shell: Terminal) -> Story:
    """A writer who does a little of everything; each test looks at one thing."""
    shell.environment["EDITOR"] = "sed -E -i 's/moves|run/sleep/'"
    try:
        said = await choosing(shell, STORY)
    finally:
        del shell.environment["EDITOR"]
    assert said.code == 0, said.err
    child = await kept(shell, run_of(said))
    return Story(said, child, await kept(shell, child["parent_pipeline_run_id"]))


async def test_a_script_chooses_to_the_end(shell: Terminal) -> None:
    """A number chooses, an empty line asks the next step; stdout is the article."""
    said = await choosing(shell, "1\n\n2\n\nskip\n1\n\n1\n", "-m", WATER, "-m", WATER)
    assert said.code == 0, said.err
    assert said.out == "Water moves.\n"
    run = await kept(shell, run_of(said))
    assert run["status"] == "COMPLETED"
    chosen = [step["user_selection"] for step in run["steps"].values()]
    assert chosen == [0, 1, 0, 0]


async def test_the_view_is_shown_without_its_markers(story: Story) -> None:
    """The same words as in an editor: who answered, how long it is, the text."""
    shown = story.said.err
    assert "angles · step 1 of 4" in shown
    assert "Answer 1 · openai/" in shown
    assert "2 answers to choose from." in shown
    assert "<!--" not in shown
    assert "## Answer" not in shown


async def test_what_is_not_understood_is_asked_again(story: Story) -> None:
    """With what would be; nothing happens to the run."""
    assert "There is no answer 7." in story.said.err
    assert "Did you mean: choose" in story.said.err
    assert "No step is called 'nowhere'" in story.said.err
    assert "only the next pending step can be skipped" in story.said.err


async def test_an_answer_is_edited_before_it_is_chosen(story: Story) -> None:
    """In $EDITOR; what the next step gets is the writer's wording."""
    step = story.step("angles")
    chosen = step["ai_responses"][step["user_selection"]]
    assert step["edited_content"] == re.sub("moves|run", "sleep", chosen["raw_output"])


async def test_answers_are_rated_and_compared(story: Story) -> None:
    """A score is the run's; what is different is shown in words."""
    assert list(story.step("angles")["ratings"].values()) == [0.5]
    assert "little in common" in story.said.err


async def test_the_prompt_is_shown_word_for_word(story: Story) -> None:
    """As it is sent then."""
    sent = story.step("outline")["ai_responses"][0]["prompt_used"]
    shown = story.said.err.split("Prompt of outline")[1]
    assert sent.strip() in shown


async def test_words_go_into_the_next_asking(story: Story) -> None:
    """And those for later steps into the prompts of later steps."""
    outline, draft = story.step("outline"), story.step("draft")
    assert outline["retry_count"] == 1
    assert "make it wetter" in outline["ai_responses"][2]["prompt_used"]
    assert "mind the fish" in draft["ai_responses"][0]["prompt_used"]


async def test_a_choice_can_be_made_again_before_the_next_step_is_asked(
    story: Story,
) -> None:
    """Without a branch."""
    assert story.step("outline")["user_selection"] == 1
    assert story.run["parent_pipeline_run_id"] is None


async def test_passages_of_two_answers_are_merged_in_the_editor(story: Story) -> None:
    """Paragraphs by their numbers, then as the writer leaves them."""
    step = story.step("draft")
    texts = [passage["text"] for passage in step["passages"]]
    assert len(texts) == 2
    assert step["merged_content"] == re.sub("moves|run", "sleep", "\n\n".join(texts))
    assert step["status"] == "COMPLETED"


async def test_going_back_is_a_new_run(story: Story) -> None:
    """The one that is left stays as it is."""
    assert story.child["name"] == "another way"
    assert story.child["branch_point"] == "draft"
    assert story.run["current_step"] == "polish"


async def test_a_model_joins_what_it_is_told_to(story: Story) -> None:
    """Its text is one more answer."""
    answers = story.child["steps"]["draft"]["ai_responses"]
    assert len(answers) == 3
    assert "with love" in answers[2]["prompt_used"]


async def test_a_run_can_be_taken_up_without_choosing(
    shell: Terminal, story: Story
) -> None:
    """The first answers then; the models are those it was begun with."""
    run_id = story.run["pipeline_run_id"]
    on = await shell.writeit("run", "--resume", run_id, "-o", "resumed.md")
    assert on.code == 0, on.err
    run = await kept(shell, run_id)
    assert run["status"] == "COMPLETED"
    polished = run["steps"]["polish"]
    assert len(polished["ai_responses"]) == 2
    resumed = (shell.folder / "resumed.md").read_text(encoding="utf-8")
    assert resumed.strip() == polished["ai_responses"][0]["processed_content"]


async def test_the_end_of_the_input_pauses_the_run(shell: Terminal) -> None:
    """It says how to go on, and the run does."""
    said = await shell.writeit(
        *("run", "tech-article", "notes.md", "--choose", "ask", "--json", *TWO),
        lines="take 1 1\ntake 2 1\nmerge\n\n",
    )
    assert said.code == 0, said.err
    assert "--resume" in said.err
    told = said.json
    assert (told["status"], told["current_step"]) == ("PAUSED", "outline")
    assert told["article"] is None
    run = await kept(shell, told["run_id"])
    passages = [passage["text"] for passage in run["steps"]["angles"]["passages"]]
    assert run["steps"]["angles"]["merged_content"] == "\n\n".join(passages)
    on = await shell.writeit(
        *("run", "--choose", "ask", "--resume", told["run_id"]), lines="1\nskip\nskip\n"
    )
    assert on.code == 0, on.err
    assert on.out.strip()
    assert (await kept(shell, told["run_id"]))["status"] == "COMPLETED"


async def test_no_answer_is_said_and_asked_about(shell: Terminal) -> None:
    """The run goes on: asked again, or the step is skipped; nothing needs an editor."""
    said = await choosing(shell, "edit 1\nskip\nquit\n", "-m", "openai/err-400")
    assert said.code == 0
    assert "No answer · openai/err-400" in said.err
    run = await kept(shell, run_of(said))
    assert run["steps"]["angles"]["status"] == "SKIPPED"


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--resume", "00000000-0000-0000-0000-000000000000", "-i", "a=b"),
        ("tech-article", "--resume", "00000000-0000-0000-0000-000000000000"),
        ("tech-article", "notes.md", "--choose", "last"),
    ],
)
async def test_what_does_not_go_together_is_misuse(
    shell: Terminal, arguments: tuple[str, ...]
) -> None:
    """Before anything is opened."""
    assert (await shell.writeit("run", *arguments)).code == 2


# --- by hand ----------------------------------------------------------------------


async def test_ctrl_c_stops_what_streams_and_asks(shell: Terminal) -> None:
    """What came is kept, and can be chosen."""
    async with shell.screen(
        *("run", "tech-article", "notes.md", "--choose", "ask"),
        *("-m", "openai/slow-5000"),
    ) as screen:
        await screen.shows("word3 ")
        screen.type("\x03")
        await screen.shows("Stopping. What has arrived is kept.")
        view = await screen.shows("? for more: ")
        assert "stopped before its end" in view
        screen.type("1\n")
        await screen.shows("outline · step 2 of 4")
        await screen.shows("? for more: ")
        screen.type("quit\n")
        await screen.shows("The run was kept")
        assert await screen.ends() == 0


async def test_ctrl_c_at_the_prompt_leaves(shell: Terminal) -> None:
    """The run stays as it stands."""
    async with shell.screen(
        "run", "tech-article", "notes.md", "--choose", "ask", *TWO
    ) as screen:
        await screen.shows("? for more: ")
        await screen.interrupted("Resume it with:")
        assert await screen.ends() == 0


async def test_ctrl_c_without_choosing_ends_the_command(shell: Terminal) -> None:
    """What came is kept all the same; exit 1."""
    async with shell.screen(
        "run", "tech-article", "notes.md", "-m", "openai/slow-5000"
    ) as screen:
        await screen.shows("word3 ")
        screen.process.send_signal(signal.SIGINT)
        await screen.shows("--resume")  # how to go on
        await screen.shows("Stopped.")
        assert await screen.ends() == 1
    newest = (await shell.writeit("log", "--json", "--limit", "1")).json[0]
    assert newest["status"] == "PAUSED"
    run = await kept(shell, newest["run_id"])
    assert run["steps"]["angles"]["ai_responses"][0]["partial"]


async def test_a_person_is_asked_what_should_be_different(shell: Terminal) -> None:
    """At a terminal `again` alone asks for the words."""
    async with shell.screen(
        "run", "tech-article", "notes.md", "--choose", "ask", "-m", "openai/echo"
    ) as screen:
        await screen.shows("? for more: ")
        screen.type("again\n")
        await screen.shows("What should be different?")
        screen.type("wetter\n")
        await screen.shows("Answer 2")
        await screen.shows("? for more: ")
        screen.type("\x04")
        await screen.shows("Resume it with:")
        assert await screen.ends() == 0


async def test_the_lease_is_renewed_while_answers_come(shell: Terminal) -> None:
    """Or an editor would take the run for a dead process's and take it over."""
    async with shell.screen(
        "run", "tech-article", "notes.md", "-m", "openai/slow-9000"
    ) as screen:
        await screen.shows("word3 ")
        store = LmdbStore.open(shell.folder / ".writeit" / "store")
        try:
            (run_id,) = store.streaming_runs()
            first = store.lease(run_id)
            assert first is not None
            await wait_until_async(lambda: store.lease(run_id) != first)
            now = store.lease(run_id)
            assert now is not None
            assert now.heartbeat > first.heartbeat
        finally:
            store.close()
        screen.type("\x03")
        await screen.shows("Stopped.")
