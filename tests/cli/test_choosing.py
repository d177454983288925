"""`writeit run --choose ask`: the choices of an editor, from a script and by hand."""

import re
import signal
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from support.terminal import CommandResult, Terminal
from support.waiting import wait_until_async
from writeit.storage.store import LmdbStore

RIVERS, WATER = (
    "openai/say-Rivers+20run.+0A+0AThey+20bend.",
    "openai/say-Water+20moves.",
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
"""Angles: refusals, views, an edited answer. Outline: regenerated, chosen,
chosen again. Draft: merged. Then back to the draft, where a model merges answers."""


async def run_lines(shell: Terminal, lines: str, *models: str) -> CommandResult:
    """Run the article pipeline on the notes with these lines as input."""
    result = await shell.writeit(
        *("run", "tech-article", "notes.md", "--choose", "ask"),
        *(models or TWO),
        lines=lines,
    )
    assert "Traceback" not in result.err
    return result


def last_run_id(result: CommandResult) -> str:
    """Return the id of the run that the command ended with."""
    return result.err.rsplit(maxsplit=1)[-1]


def stored_run(shell: Terminal, run_id: str) -> dict[str, Any]:
    """Return a run as it is in the store."""
    (run,) = (r for r in shell.newest(50) if str(r.pipeline_run_id) == run_id)
    return run.model_dump(mode="json")


@dataclass(frozen=True)
class Story:
    """The output of the story and its two runs."""

    output: CommandResult
    child: dict[str, Any]
    run: dict[str, Any]

    def step(self, name: str) -> dict[str, Any]:
        """Return a step of the original run."""
        step: dict[str, Any] = self.run["steps"][name]
        return step


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def story(shell: Terminal) -> Story:
    """One session with every command; each test checks one result."""
    shell.environment["EDITOR"] = "sed -E -i 's/moves|run/sleep/'"
    try:
        result = await run_lines(shell, STORY)
    finally:
        del shell.environment["EDITOR"]
    assert result.code == 0, result.err
    child = stored_run(shell, last_run_id(result))
    return Story(result, child, stored_run(shell, child["parent_pipeline_run_id"]))


async def test_a_script_chooses_to_the_end(shell: Terminal) -> None:
    """A number chooses, an empty line generates; stdout is the article."""
    result = await run_lines(
        shell, "1\n\n2\n\nskip\n1\n\n1\n", "-m", WATER, "-m", WATER
    )
    assert result.code == 0, result.err
    assert result.out == "Water moves.\n"
    run = stored_run(shell, last_run_id(result))
    assert run["status"] == "COMPLETED"
    numbers = []
    for step in run["steps"].values():
        chosen = step["ai_responses"][step["user_selection"]]["response_id"]
        calls = [call["response_id"] for call in step["calls"]]
        numbers.append(calls.index(chosen) + 1)
    assert numbers == [1, 2, 1, 1]  # whichever ended first


async def test_the_view_is_shown_without_its_markers(story: Story) -> None:
    """It has the text of the editor's view: models, lengths, answers."""
    shown = story.output.err
    assert "angles · step 1 of 4" in shown
    assert "Answer 1 · openai/" in shown
    assert "2 answers to choose from." in shown
    assert "<!--" not in shown
    assert "## Answer" not in shown


async def test_an_invalid_line_is_refused_with_a_hint(story: Story) -> None:
    """The run does not change."""
    assert "There is no answer 7." in story.output.err
    assert "Did you mean: choose" in story.output.err
    assert "No step is called 'nowhere'" in story.output.err
    assert "only the next pending step can be skipped" in story.output.err


async def test_an_answer_is_edited_before_it_is_chosen(story: Story) -> None:
    """In $EDITOR; the next step gets the edited text."""
    step = story.step("angles")
    chosen = step["ai_responses"][step["user_selection"]]
    assert step["edited_content"] == re.sub("moves|run", "sleep", chosen["raw_output"])


async def test_answers_are_rated_and_compared(story: Story) -> None:
    """The score is stored in the run; differences are shown."""
    assert list(story.step("angles")["ratings"].values()) == [0.5]
    assert "little in common" in story.output.err


async def test_the_prompt_is_shown_word_for_word(story: Story) -> None:
    """It is the prompt that is sent."""
    sent = story.step("outline")["ai_responses"][0]["prompt_used"]
    shown = story.output.err.split("Prompt of outline")[1]
    assert sent.strip() in shown


async def test_feedback_is_in_the_next_prompt(story: Story) -> None:
    """Feedback for later steps is in their prompts."""
    outline, draft = story.step("outline"), story.step("draft")
    assert outline["retry_count"] == 1
    assert "make it wetter" in outline["ai_responses"][2]["prompt_used"]
    assert "mind the fish" in draft["ai_responses"][0]["prompt_used"]


async def test_a_choice_can_be_made_again_before_the_next_step_starts(
    story: Story,
) -> None:
    """No branch is made."""
    step = story.step("outline")
    chosen = step["ai_responses"][step["user_selection"]]
    assert chosen["response_id"] == step["calls"][1]["response_id"]
    assert story.run["parent_pipeline_run_id"] is None


async def test_passages_of_two_answers_are_merged_in_the_editor(story: Story) -> None:
    """Paragraphs are taken by number and edited."""
    step = story.step("draft")
    texts = [passage["text"] for passage in step["passages"]]
    assert len(texts) == 2
    assert step["merged_content"] == re.sub("moves|run", "sleep", "\n\n".join(texts))
    assert step["status"] == "COMPLETED"


async def test_going_back_makes_a_branch(story: Story) -> None:
    """The original run does not change."""
    assert story.child["name"] == "another way"
    assert story.child["branch_point"] == "draft"
    assert story.run["current_step"] == "polish"


async def test_a_model_merges_the_named_answers(story: Story) -> None:
    """Its text is another answer."""
    answers = story.child["steps"]["draft"]["ai_responses"]
    assert len(answers) == 3
    assert "with love" in answers[2]["prompt_used"]


async def test_a_run_can_be_resumed_without_choosing(
    shell: Terminal, story: Story
) -> None:
    """The first answers are chosen, of the models of the start."""
    run_id = story.run["pipeline_run_id"]
    resumed_run = await shell.writeit("run", "--resume", run_id, "-o", "resumed.md")
    assert resumed_run.code == 0, resumed_run.err
    run = stored_run(shell, run_id)
    assert run["status"] == "COMPLETED"
    polished = run["steps"]["polish"]
    assert len(polished["ai_responses"]) == 2
    resumed = (shell.folder / "resumed.md").read_text(encoding="utf-8")
    assert resumed.strip() == polished["ai_responses"][0]["processed_content"]


async def test_the_end_of_the_input_pauses_the_run(shell: Terminal) -> None:
    """The output says how to resume, and that works."""
    result = await shell.writeit(
        *("run", "tech-article", "notes.md", "--choose", "ask", "--json", *TWO),
        lines="take 1 1\ntake 2 1\nmerge\n\n",
    )
    assert result.code == 0, result.err
    assert "--resume" in result.err
    summary = result.json
    assert (summary["status"], summary["current_step"]) == ("PAUSED", "outline")
    assert summary["article"] is None
    run = stored_run(shell, summary["run_id"])
    passages = [passage["text"] for passage in run["steps"]["angles"]["passages"]]
    assert run["steps"]["angles"]["merged_content"] == "\n\n".join(passages)
    resumed_run = await shell.writeit(
        *("run", "--choose", "ask", "--resume", summary["run_id"]),
        lines="1\nskip\nskip\n",
    )
    assert resumed_run.code == 0, resumed_run.err
    assert resumed_run.out.strip()
    assert stored_run(shell, summary["run_id"])["status"] == "COMPLETED"


async def test_a_step_without_answers_can_be_skipped(shell: Terminal) -> None:
    """The failure is shown; `edit` is refused without an editor."""
    result = await run_lines(shell, "edit 1\nskip\nquit\n", "-m", "openai/err-400")
    assert result.code == 0
    assert "openai/err-400 · no answer" in result.err
    run = stored_run(shell, last_run_id(result))
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
async def test_contradicting_options_are_wrong_usage(
    shell: Terminal, arguments: tuple[str, ...]
) -> None:
    """The store is not opened."""
    assert (await shell.writeit("run", *arguments)).code == 2


async def test_ctrl_c_stops_generating_and_shows_the_prompt(shell: Terminal) -> None:
    """The text received is kept and can be chosen."""
    async with shell.screen(
        *("run", "tech-article", "notes.md", "--choose", "ask"),
        *("-m", "openai/slow-5000"),
    ) as screen:
        await screen.shows("word3 ")
        screen.type("\x03")
        await screen.shows("Stopping. What was received is kept.")
        view = await screen.shows("? for more: ")
        assert "stopped before its end" in view
        screen.type("choose 1\n")
        await screen.shows("outline · step 2 of 4")
        await screen.shows("? for more: ")
        screen.type("quit\n")
        await screen.shows("The run was kept")
        assert await screen.ends() == 0


async def test_ctrl_c_at_the_prompt_ends_the_command(shell: Terminal) -> None:
    """The run does not change."""
    async with shell.screen(
        "run", "tech-article", "notes.md", "--choose", "ask", *TWO
    ) as screen:
        await screen.shows("? for more: ")
        await screen.interrupted("Resume it with:")
        assert await screen.ends() == 0


async def test_ctrl_c_without_choosing_ends_the_command(shell: Terminal) -> None:
    """The text received is kept; the exit code is 1."""
    async with shell.screen(
        "run", "tech-article", "notes.md", "-m", "openai/slow-5000"
    ) as screen:
        await screen.shows("word3 ")
        screen.process.send_signal(signal.SIGINT)
        await screen.shows("--resume")
        await screen.shows("Stopped.")
        assert await screen.ends() == 1
    (run,) = shell.newest()
    assert run.status == "PAUSED"
    assert run.steps["angles"].ai_responses[0].partial


async def test_regenerating_prompts_for_feedback(shell: Terminal) -> None:
    """At a terminal, `again` without feedback prompts for it."""
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


async def test_the_lease_is_renewed_while_answers_arrive(shell: Terminal) -> None:
    """Otherwise an editor would treat the process as dead."""
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


async def test_a_blind_choice_is_made_by_letter_and_counted_apart(
    shell: Terminal,
) -> None:
    """Capital letters are answers; models are told after the choice."""
    result = await run_lines(shell, "compare a b\nA\nquit\n", *TWO, "--blind")
    assert result.code == 0, result.err
    before = result.err.partition("[outline]")[0]
    assert "Answer B" in before
    assert not re.search(r"openai/|Answer \d", before.partition("── angles")[2])
    run = stored_run(shell, last_run_id(result))
    step = run["steps"]["angles"]
    chosen = step["ai_responses"][step["user_selection"]]["response_id"]
    (call,) = (call for call in step["calls"] if call["response_id"] == chosen)
    assert call["place"] == 1
    usage = await shell.writeit("usage", "--by", "choice")
    assert re.search(r"angles .* blind .* 1 ", usage.out)
