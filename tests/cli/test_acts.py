"""How many acts the story takes in a terminal, played as a person plays it."""

import shlex

from support.acts import check_acts
from support.terminal import Screen, Terminal

RIVERS = "openai/say-Rivers+20run.+0A+0AThey+20bend."
WATER = "openai/say-Water+20moves.+0A+0AIt+20falls."
PROMPT = "? for more: "


def press(acts: list[str], screen: Screen, line: str) -> None:
    """Type a line: one act."""
    acts.append(line)
    screen.type(f"{line}\n")


async def enter(acts: list[str], screen: Screen, line: str, shown: str) -> str:
    """Type a line at the prompt: one act. Return all until `shown` and the prompt."""
    press(acts, screen, line)
    return await screen.shows(shown) + await screen.shows(PROMPT)


async def test_notes_become_an_article_in_few_acts(shell: Terminal) -> None:
    """Start and generate; choose and continue; the last choice writes the article."""
    command = f"writeit run tech-article notes.md -m {RIVERS} --choose ask -o short.md"
    acts = [command]
    async with shell.screen(*shlex.split(command)[1:]) as screen:
        await screen.shows("angles · step 1 of 4")
        await screen.shows(PROMPT)
        await enter(acts, screen, "1", "outline · step 2 of 4")
        await enter(acts, screen, "1", "draft · step 3 of 4")
        await enter(acts, screen, "1", "polish · step 4 of 4")
        press(acts, screen, "1")
        await screen.shows("Article written to short.md.")
        assert await screen.ends() == 0
    check_acts("Terminal, minimum story", acts, 6)
    article = (shell.folder / "short.md").read_text(encoding="utf-8")
    assert article == "Rivers run.\n\nThey bend.\n"


async def test_the_full_story_in_few_acts(shell: Terminal) -> None:
    """Two models of two answers, feedback, a regeneration, passages merged, polish."""
    editor = shell.folder / "editor"
    editor.write_text('#!/bin/sh\necho "Well said." >> "$1"\n', encoding="utf-8")
    editor.chmod(0o755)
    shell.environment["EDITOR"] = str(editor)
    command = (
        f"writeit run tech-article notes.md -m {RIVERS} -m {WATER} --samples 2"
        " --choose ask -o full.md"
    )
    acts = [command]
    async with shell.screen(*shlex.split(command)[1:]) as screen:
        begun = await screen.shows(PROMPT)
        assert "Answer 4 · " in begun
        await enter(acts, screen, "1 mind the fish", "outline · step 2 of 4")
        await enter(acts, screen, "again shorter, please", "regeneration 1")
        await enter(acts, screen, "5", "draft · step 3 of 4")
        await enter(acts, screen, "take 1 1", "The merge has 1 passage")
        await enter(acts, screen, "take 3 2", "The merge has 2 passages")
        await enter(acts, screen, "merge", "polish · step 4 of 4")
        acts.append("(in the editor) save")
        press(acts, screen, "1")
        await screen.shows("Article written to full.md.")
        assert await screen.ends() == 0
    polish = f"writeit run polish-passage -m {WATER} -i instruction= -i passage='Fish.'"
    acts.append(polish)
    polished = await shell.writeit(*shlex.split(polish)[1:])
    assert polished.out == "Water moves.\n\nIt falls.\n"
    check_acts("Terminal, full story", acts, 11)
    del shell.environment["EDITOR"]
    newest = (await shell.writeit("log", "--json", "-n", "2")).json
    story = (await shell.writeit("show", newest[1]["run_id"], "--json")).json
    steps = story["steps"]
    assert "mind the fish" in steps["outline"]["ai_responses"][0]["prompt_used"]
    assert steps["outline"]["retry_count"] == 1
    assert steps["draft"]["merged_content"] == "Rivers run.\n\nIt falls.\nWell said."
    assert story["status"] == "COMPLETED"


async def test_the_prompt_says_about_what_continuing_costs(shell: Terminal) -> None:
    """Where the price of the next step's model is known."""
    arguments = ("tech-article", "notes.md", "-m", "openai/gpt-4o", "--choose", "ask")
    async with shell.screen("run", *arguments) as screen:
        assert "1 to choose and continue (about $0.0" in await screen.shows(PROMPT)
        screen.type("pause\n")
        assert await screen.ends() == 0
