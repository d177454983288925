"""The keys of a page: `go` chooses and continues."""

import pytest

from neovim import wording
from support.neovim_session import NeovimSession


@pytest.fixture
def page(session: NeovimSession) -> NeovimSession:
    """The page of a step with two answers, in the current window."""
    session.run("start")
    session.run("next openai/say-One.+0ATwo. openai/say-Other.")
    session.wait_for_side_text(wording.STEP_WAITS)
    session.nvim.command("wincmd l")
    return session


def _chosen(session: NeovimSession) -> str:
    """Return the text chosen for the first step, once the second has its answers."""
    session.wait_for_message(wording.ANSWERS.format("outline", 2))
    content: str = session.newest_run()["steps"]["angles"]["content"]
    return content


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("/^Other<CR>go", "Other."),
        ("/## Answer 2<CR>go", "Other."),
        ("2go", "Other."),
        ("/^One<CR>jVgo", "Two."),
    ],
)
def test_go_chooses_and_continues(page: NeovimSession, keys: str, text: str) -> None:
    """The answer under the cursor, that with the count, or the selected lines."""
    page.nvim.keys(keys)
    assert _chosen(page) == text


def test_go_on_the_page_of_an_answer(page: NeovimSession) -> None:
    """Wherever the cursor is on it."""
    run = page.newest_run()
    answer = next(a for a in run["steps"]["angles"]["aiResponses"] if a["number"] == 2)
    ids = f"{run['pipelineRunId']}/angles/{answer['responseId']}"
    page.nvim.command(f"edit writeit:/response/{ids}.md")
    page.wait_for_text("Other.")
    page.nvim.keys("gggo")
    assert _chosen(page) == "Other."


def test_keys_are_listed(page: NeovimSession) -> None:
    """The status line names the key that lists them."""
    page.nvim.wait_for_screen("go continues · g? keys")
    page.nvim.keys("g?")
    page.wait_for_message("go chooses the answer and continues")
