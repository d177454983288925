"""What a new user meets: `writeit` alone, primers, preferences, completion."""

import pytest

from storage.whole import FINISHED
from support.terminal import QuickShell, Terminal


async def test_alone_it_says_where_things_stand_and_what_to_do(shell: Terminal) -> None:
    """It creates nothing; without a model the next command adds one."""
    result = await shell.writeit()
    assert result.code == 0, result.err
    assert str(shell.folder) in result.out
    assert "Runs:    none yet" in result.out
    assert "writeit model add" in result.out
    assert not (shell.folder / ".writeit").exists()


async def test_what_is_next_is_resuming_an_unfinished_run(shell: Terminal) -> None:
    """The command that it names works."""
    begun = await shell.writeit(
        *("run", "tech-article", "notes.md", "--choose", "ask", "--samples", "2"),
        *("-m", "openai/say-words"),
        lines="choose 2 mind the fish\nquit\n",
    )
    assert begun.code == 0, begun.err
    status = (await shell.writeit("status", "--json")).json
    assert status["unfinished"] == 1
    resume = status["next"].removeprefix("writeit ").split()
    resumed = await shell.writeit(*resume, lines="\n2\nquit\n")
    assert resumed.code == 0, resumed.err
    (run,) = shell.newest()
    answers = run.steps["outline"].ai_responses
    assert len(answers) == 2
    assert "mind the fish" in answers[0].prompt_used


async def test_answers_are_chosen_by_number(shell: Terminal) -> None:
    """One for the next step, the last for all others; a wrong number fails."""
    models = ("-m", "openai/say-one", "-m", "openai/say-two")
    command = ("run", "tech-article", "notes.md", *models)
    wrong = await shell.writeit(*command, "--choose", "3")
    assert wrong.code == 2
    assert "There is no answer 3." in wrong.err
    assert "--resume" in wrong.err
    done = await shell.writeit(*command, "--choose", "2", "--choose", "1", "--json")
    assert done.code == 0, done.err
    assert done.json["article"] == "one\n"
    (run,) = shell.newest()
    assert run.steps["angles"].content == "two"


async def test_an_item_of_a_list_is_chosen(shell: Terminal) -> None:
    """In the next step; later steps get answer N as a whole."""
    models = ("-m", "openai/say-1.+20Rivers+0A2.+20Seas")
    done = await shell.writeit(
        "run", "tech-article", "notes.md", *models, "--choose", "1:2"
    )
    assert done.code == 0, done.err
    assert done.out == "1. Rivers\n2. Seas\n"
    (run,) = shell.newest()
    assert run.steps["angles"].edited_content == "Seas"
    wrong = await shell.writeit(
        "run", "tech-article", "notes.md", *models, "--choose", "1:3"
    )
    assert (wrong.code, "no item 3" in wrong.err) == (1, True)


async def test_two_runs_are_compared_by_step(shell: Terminal) -> None:
    """Equal steps are named; the first that differs is shown."""
    for word in ("one", "two"):
        done = await shell.writeit(
            "run", "tech-article", "notes.md", "-m", f"openai/say-{word}"
        )
        assert done.code == 0, done.err
    runs = [str(run.pipeline_run_id) for run in shell.newest(2)]
    compared = await shell.writeit("compare", *runs)
    assert compared.code == 0, compared.err
    assert "angles: differs" in compared.out
    assert "one" in compared.out


def test_a_run_is_equal_to_itself(stored: QuickShell) -> None:
    """Each step is named."""
    same = stored.writeit("compare", str(FINISHED), str(FINISHED))
    steps = ("angles", "outline", "draft", "polish")
    assert " · ".join(f"{step}: equal" for step in steps) in same.out
    assert same.out.endswith("The two texts are equal.\n")


def test_a_pipeline_is_created_shown_and_valid(stored: QuickShell) -> None:
    """As a copy under another name; a second of that name is refused."""
    created = stored.writeit("pipeline", "new", "mine", "--from", "blog-post")
    assert created.code == 0, created.err
    assert "name: mine\n" in stored.writeit("pipeline", "show", "mine").out
    assert stored.writeit("pipeline", "check").code == 0
    assert stored.writeit("pipeline", "new", "mine").code == 2


def test_primers_are_listed_and_shown(stored: QuickShell) -> None:
    """With their file's text."""
    assert "academic" in stored.writeit("primer", "list").out
    assert "voice_attributes" in stored.writeit("primer", "show", "academic").out
    assert stored.writeit("primer", "show", "acedemic").code == 1


def test_preferences_are_set_and_reset(stored: QuickShell) -> None:
    """Default models with their answers, for all folders; nothing invalid is set."""
    preferences = ("preferences", "set")
    done = stored.writeit(*preferences, "models", "openai/say-it=2", "--json")
    assert done.code == 0, done.err
    elsewhere = stored.folder / "elsewhere"
    (elsewhere / "pipelines").mkdir(parents=True)
    shown = stored.writeit("preferences", "show", "--json", at=elsewhere)
    chosen = [{"model": "openai/say-it", "samples": 2}]
    assert done.json["models"] == shown.json["models"] == chosen
    for wrong in (("models", "nobody/x"), ("exportFormat", "pdf"), ("colour", "red")):
        assert stored.writeit(*preferences, *wrong).code == 2
    stored.writeit(*preferences, "models")
    assert stored.writeit("preferences", "show", "--json").json["models"] == []


async def test_models_of_the_preferences_are_asked(shell: Terminal) -> None:
    """As often as is set there, until they are reset."""
    preferences = ("preferences", "set", "models")
    assert (await shell.writeit(*preferences, "openai/say-it=2")).code == 0
    run = await shell.writeit("run", "tech-article", "notes.md")
    assert "openai/say-it (2 answers)" in run.err
    assert (await shell.writeit(*preferences)).code == 0


def test_the_shell_completes_runs_and_pipelines(
    stored: QuickShell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says how it is set up."""
    stored.writeit("preferences", "set", "defaultModels", "draft=ollama/phi")
    script = stored.writeit("completion", "bash")
    assert "_WRITEIT_COMPLETE=bash_complete" in script.out
    monkeypatch.setenv("_WRITEIT_COMPLETE", "bash_complete")
    for words, completed in (
        ("writeit pipeline show te", "tech-article"),
        ("writeit show la", "last"),
        ("writeit pre", "preferences"),
        ("writeit run tech-article -m openai/", "openai/gpt-4o"),
        ("writeit run tech-article -m ollama/", "ollama/phi"),
    ):
        monkeypatch.setenv("COMP_WORDS", words)
        monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
        assert f"plain,{completed}" in stored.writeit().out.splitlines()


async def test_inputs_without_a_value_are_asked_for(shell: Terminal) -> None:
    """At a terminal, until they are valid; without notes their file is named."""
    none = await shell.writeit("run", "tech-article")
    assert (none.code, "writeit run tech-article notes.md" in none.err) == (2, True)
    async with shell.screen("run", "polish-passage", "-m", "openai/say-Better.") as own:
        await own.shows("Passage: ")
        own.type("\n")
        await own.shows("Passage is required and empty.")
        own.type("Good.\n")
        await own.shows("What to mind (optional): ")
        own.type("\n")
        await own.shows("Better.")
        assert await own.ends() == 0
