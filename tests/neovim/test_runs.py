"""Branches, the run tree and the history."""

import re

from neovim import wording
from support.answers import chosen_number
from support.neovim_session import NOTES, NeovimSession


def test_run_tree_opens_and_branches(session: NeovimSession) -> None:
    """<CR> opens a run, b branches it."""
    session.run("start")
    session.run("next openai/say-hello openai/say-goodbye")
    session.run("choose 1")
    run_id = session.newest_run()["pipelineRunId"]
    session.run("branch angles the other way")
    session.run("choose 2")
    session.run("tree")
    lines = session.side_text().split("\n")
    assert lines[3].startswith("* └─ from angles: the other way · at outline · 20")
    session.nvim.keys("ggjjb")
    session.wait_until_idle()
    tree = session.execute("run.tree", runId=run_id)
    assert [child["branchPoint"] for child in tree["children"]] == ["angles"] * 2
    session.wait_for_side_text("├─ from angles: the other way")
    session.nvim.keys("gg3j<CR>")
    session.wait_for_text(wording.RUN_BRANCHED.format("angles"))


def test_return_to_the_parent_run_is_reported(session: NeovimSession) -> None:
    """Commands are about that run again."""
    session.run("start")
    session.run("next openai/say-hello openai/say-goodbye")
    run_id = session.newest_run()["pipelineRunId"]
    session.run("branch angles the other way")
    session.nvim.keys(":WriteIt<CR>")
    session.select_item(wording.RETURN_TO_PARENT)
    path = f"{session.workspace.name}/{session.notes.name}"
    session.wait_for_message(wording.ACTIVE_RUN.format(path, "the other run"))
    session.wait_until_idle()
    session.run("choose 2")
    run = session.execute("run.show", runId=run_id)
    assert chosen_number(run["steps"]["angles"]) == 2


def test_steps_are_in_the_pipelines_order(session: NeovimSession) -> None:
    """For rewind, branch and the run tree, whether generated or skipped."""
    session.run("start")
    session.run("next openai/say-hello")
    session.run("choose 1")
    session.run("skip")
    session.run("next openai/say-hello")
    session.run("choose 1")
    session.run("next openai/say-hello")
    asked = ["angles", "draft", "polish"]
    for keys, steps in (
        (":WriteIt rewind<CR>", ["angles", "outline", "draft"]),
        (":WriteIt branch<CR>", asked),
        (":WriteIt tree<CR>", asked),
    ):
        session.nvim.keys(keys)
        if "tree" in keys:
            session.wait_for_text("* Notes")
            session.nvim.keys("b")
        screen = session.nvim.wait_for_screen(f"{len(steps)}: {steps[-1]}")
        assert re.findall(r"^\d+: (\w+)", screen, re.MULTILINE) == steps
        session.nvim.keys("<Esc>")
        session.wait_until_idle()


def test_history_resumes_an_earlier_run(session: NeovimSession) -> None:
    """The selected run becomes the active run."""
    session.open_notes(NOTES.replace("rivers", "owls"))
    session.run("start")
    first = session.newest_run()["pipelineRunId"]
    session.run("start")
    session.nvim.keys(":WriteIt history owls<CR>")
    screen = session.nvim.wait_for_screen(wording.HISTORY_QUESTION)
    assert "not started" in screen
    session.nvim.keys("2<CR>")
    session.wait_for_side_text(wording.RUN_NOT_STARTED)
    session.wait_until_idle()
    session.run("next openai/say-x")
    assert session.execute("run.show", runId=first)["steps"]["angles"]["aiResponses"]


def test_history_of_another_document(session: NeovimSession) -> None:
    """The message names the document and how to open it."""
    session.open_notes(NOTES.replace("rivers", "newts"))
    session.run("start")
    first = session.newest_run()["pipelineRunId"]
    name = f"{session.workspace.name}/{session.notes.name}"
    session.nvim.keys(":WriteIt history newts<CR>")
    session.nvim.wait_for_screen(wording.HISTORY_QUESTION)
    session.nvim.keys("1<CR>")
    session.wait_for_message(wording.ACTIVE_RUN.format(name, "Notes on newts"))
    session.wait_until_idle()
    other = session.open_notes()
    session.nvim.keys(":WriteIt history newts<CR>")
    session.nvim.wait_for_screen(wording.HISTORY_QUESTION)
    session.nvim.keys("1<CR>")
    session.wait_for_message(
        wording.OTHER_ACTIVE_RUN.format("Notes on newts", name, name)
    )
    session.wait_until_idle()
    assert session.notes == other
    session.nvim.command(f"edit {name}")
    session.run("next openai/say-x")
    assert session.execute("run.show", runId=first)["steps"]["angles"]["aiResponses"]


def test_a_run_about_a_passage_is_below_its_documents_run(
    session: NeovimSession,
) -> None:
    """In the tree after the branches, and in the history, by its first words."""
    front = "---\nwriteit: {pipeline: tech-article, inputs: {target_audience: x}, "
    front += "models: {polish: openai/say-Birds.}}\n---\n"
    session.open_notes(front + "# On finches\n\nFinches sing.\n\nThey eat seeds.\n")
    session.run("start")
    session.run("next openai/say-hello")
    session.run("choose 1")
    session.run("branch angles seeds")
    session.run("choose 1")
    session.run("polish", line=6)
    session.run("tree")
    rows = [line[2:] for line in session.side_text().rstrip().split("\n")[2:]]
    assert rows[0].startswith("On finches · at outline · 20")
    assert rows[1].startswith("├─ from angles: seeds · at outline · 20")
    assert rows[2].startswith("└─ “Finches sing.” · finished · 20")
    session.nvim.keys(":WriteIt history finches<CR>")  # the list is short enough
    screen = session.nvim.wait_for_screen(
        "└ “Finches sing.” · polish-passage · finished"
    )
    assert screen.index("1: seeds · tech-article") < screen.index("2: └ “Finches")
    session.nvim.keys("<Esc>")
    session.wait_until_idle()
