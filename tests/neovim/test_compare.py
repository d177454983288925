"""Two runs of a family side by side, step by step."""

import pytest

from neovim import wording
from support.neovim_session import NeovimSession

TITLES = (
    "table.concat(vim.tbl_map(function(win) return vim.wo[win].statusline end,"
    " vim.api.nvim_tabpage_list_wins(0)))"
)


def _write(session: NeovimSession, run_id: str, *texts: str) -> None:
    """Write the texts of a run's next steps."""
    for text in texts:
        run = session.execute("run.show", runId=run_id)
        if not run["steps"][run["currentStep"]]["aiResponses"]:
            models = {"runId": run_id, "models": ["openai/say-x"]}
            session.execute("step.run", **models)
        session.execute("step.select", runId=run_id, response=0, content=text)


@pytest.fixture
def family(session: NeovimSession) -> NeovimSession:
    """Two finished runs of the notes, which differ from the outline on."""
    session.run("start")
    run_id = session.newest_run()["pipelineRunId"]
    _write(session, run_id, "angle", "short", "same", "brief")
    branch = session.execute("run.branch", runId=run_id, step="outline", name="mills")
    _write(session, branch["pipelineRunId"], "long", "same", "lengthy")
    return session


def _shows(session: NeovimSession, step: str, *texts: str) -> None:
    """Check the step that is compared, the run of each text and the texts."""
    nvim = session.nvim
    nvim.wait_until(f"{TITLES}:find(...) ~= nil", f" {step} · first run")
    nvim.wait_until(f"{TITLES}:find(...) ~= nil", f" {step} · mills")
    assert session.diff_texts() == [f"{text}\n" for text in texts]


def test_runs_are_compared_by_name(family: NeovimSession) -> None:
    """From the branch point; keys lead to the articles and to any other step."""
    nvim = family.nvim
    nvim.keys(":WriteIt compare fir<Tab><CR>")
    _shows(family, "outline", "short", "long")
    family.wait_for_message("outline: differs · draft: equal · polish: differs")
    nvim.keys("ga")
    _shows(family, "polish", "brief", "lengthy")
    nvim.keys("<CR>")
    family.select_item("draft: equal")
    _shows(family, "draft", "same", "same")
    nvim.keys("q")
    nvim.wait_until("#vim.api.nvim_list_tabpages() == 1")
    newest = family.newest_run()["pipelineRunId"]
    for words in (
        "last first\\ run",
        f"{newest[:18]} first\\ run",
        "MILLS first\\ run",
    ):
        nvim.keys(f":WriteIt compare {words} polish<CR>")
        _shows(family, "polish", "brief", "lengthy")
        nvim.keys("q")


def test_runs_are_compared_from_pages(family: NeovimSession) -> None:
    """From the tree, where `d` compares with the shown run, and from a run's page."""
    nvim, newest = family.nvim, family.newest_run()["pipelineRunId"]
    for keys in (":WriteIt tree<CR>", f":edit writeit:/run/{newest}.md<CR>"):
        nvim.keys(keys)
        family.wait_for_text("mills")
        nvim.keys("3Gd" if "tree" in keys else ":WriteIt compare<CR>")
        _shows(family, "outline", "short", "long")
        nvim.keys("q")
        nvim.wait_until("#vim.api.nvim_list_tabpages() == 1")


def test_runs_that_cannot_be_compared_are_reported(family: NeovimSession) -> None:
    """The message has what can be."""
    for words, message in (
        ("nobody", wording.NO_SUCH_RUN.format("nobody")),
        ("first\\ run angles", wording.NO_TEXT_IN_BOTH.format("angles")),
        ("last last", wording.SAME_RUN),
    ):
        family.nvim.keys(f":WriteIt compare {words}<CR>")
        family.wait_for_message(message)
        family.wait_until_idle()
