"""The acts from notes to article, counted: played as a person plays them.

One act is a command with what is typed behind it, a key on a lens or a confirmed entry.
Going to a window or a line, and reading, is none.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from neovim import wording
from support.drafts import LETTER, ONE_STEP
from support.neovim_session import IDLE, NeovimSession
from support.notes import ERRORS, NINE_FACTS

SHOWN = """(function(words)
  local title = vim.b.writeit_title or ''
  return (vim.fn.execute('messages') .. title):find(words, 1, true) ~= nil
end)(...)"""
WRITE_STORIES = os.environ.get("WRITEIT_RENEW_SCREENS") == "1"
STORIES = Path(__file__).parent / "stories"
MODELS = "openai/say-Rivers+20run. openai/say-Water+20moves."


class Story:
    """One story: its acts, and what the user saw after each."""

    def __init__(self, session: NeovimSession, name: str) -> None:
        self.session = session
        self.lines = [name]
        self.count = 0

    def act(self, typed: str, shown: str) -> None:
        """Type an act, wait until it is done and its result is on the screen."""
        nvim = self.session.nvim
        self.count += 1
        nvim.command("messages clear")
        nvim.keys(typed)
        nvim.wait_until(SHOWN, shown, within=30)
        nvim.wait_until(IDLE, self.session.buffer())
        message = nvim.messages().strip().rsplit("\n", 1)[-1]
        self.lines.append(f"{self.count:2}. {typed}   {message}")

    def goes_to(self, words: str) -> None:
        """Go to a line in the other window, which is no act."""
        nvim = self.session.nvim
        self.session.wait_for_side_text(words)
        nvim.command("wincmd b")
        nvim.wait_until("vim.fn.search(..., 'cw') > 0", f"^{words}$")

    def end(self, most: int) -> None:
        """Hold the count; the transcript is printed and kept."""
        text = "\n".join([*self.lines, f"{self.count} acts, at most {most}", ""])
        text = re.sub(r"\S*/?notes-\d+", "notes", text)
        text = re.sub(r"\S*workspace/", "", text)
        if self.count > most:
            pytest.fail(text)
        kept = STORIES / f"{self.lines[0].split()[1]}.txt"
        if WRITE_STORIES:
            kept.write_text(text, encoding="utf-8")
        assert text == kept.read_text("utf-8"), text


@pytest.fixture
def writer(session: NeovimSession) -> Iterator[NeovimSession]:
    """A screen of 110 columns, and one default model."""
    session.nvim.request("nvim_ui_try_resize", 110, 30)
    models = [{"model": "openai/say-Rivers+20run."}]
    session.execute(
        "preferences.set", models=models, defaultModels={"polish": "openai/say-Brief."}
    )
    yield session
    session.execute("preferences.set", models=[], defaultModels={})
    session.nvim.request("nvim_ui_try_resize", 100, 30)


def test_the_minimum_story(writer: NeovimSession) -> None:
    """Start and generate; choose and continue three times; choose, which applies."""
    story = Story(writer, "The minimum story in Neovim")
    story.act(":WriteIt go tech-article<CR>", wording.ONE_ANSWER.format("angles"))
    for step in ("outline", "draft", "polish"):
        story.act(":WriteIt go<CR>", wording.ONE_ANSWER.format(step))
    story.act(":WriteIt go<CR>", wording.INSERTED.format("polish"))
    writer.wait_for_side_text("Brief.")
    article = writer.notes.with_suffix(".tech-article.md")
    assert article.read_text("utf-8") == "Brief.\n"
    story.end(6)


def test_the_full_story(writer: NeovimSession) -> None:
    """Two models with two answers each, and every kind of decision."""
    story = Story(writer, "The full story in Neovim")
    answers = wording.ANSWERS.format
    story.act(f":WriteIt go tech-article {MODELS} samples=2<CR>", answers("angles", 4))
    story.act(":WriteIt regenerate shorter<CR>", answers("angles", 8))
    story.act(":WriteIt go 6 for beginners<CR>", answers("outline", 4))
    story.act(":WriteIt go 2<CR>", answers("draft", 4))
    story.goes_to("Rivers run.")
    story.act(":WriteIt take<CR>", wording.TAKEN.format("1 passage"))
    story.goes_to("Water moves.")
    story.act(":WriteIt take<CR>", wording.TAKEN.format("2 passages"))
    story.act(":WriteIt merge<CR>", "draft, the merge")
    story.act(":WriteIt go<CR>", answers("polish", 4))
    story.act(":WriteIt go 1<CR>", wording.INSERTED.format("polish"))
    story.goes_to("Rivers run.")
    story.act(":.WriteIt polish be brief<CR>", wording.REWRITTEN)
    run = writer.newest_run()
    assert run["steps"]["draft"]["mergedContent"] == "Rivers run.\n\nWater moves."
    assert run["steps"]["angles"]["userFeedback"] == "for beginners"
    story.end(11)


HINTS = "#vim.diagnostic.get(0) == ..."
IN_ANY_WINDOW = """(function(words)
  return vim.iter(vim.fn.tabpagebuflist()):any(function(buffer)
    local text = table.concat(vim.fn.getbufline(buffer, 1, '$'), '\\n')
    return text:find(words, 1, true) ~= nil
  end)
end)(...)"""
MESSAGES = """
return vim.tbl_map(function(found) return found.message end, vim.diagnostic.get(0))
"""
FIXES = ":lua vim.lsp.buf.code_action({context={only={'quickfix'}}})<CR>"
CORRECT = "Regenerate with corrections"


@pytest.fixture
def small_pipelines(writer: NeovimSession) -> Iterator[None]:
    """The pipelines `article` and `letter`, which other tests do not see."""
    folder = writer.workspace / "pipelines"
    folder.mkdir(exist_ok=True)
    texts = {folder / "article.yaml": ONE_STEP, folder / "letter.yaml": LETTER}
    for path, text in texts.items():
        path.write_text(text, "utf-8")
    yield
    for path in texts:
        path.unlink()


@pytest.mark.usefixtures("small_pipelines")
def test_the_corrected_story(writer: NeovimSession) -> None:
    """Three errors of an article are marked, become feedback, and are gone."""
    writer.open_notes(NINE_FACTS)
    nvim, answers = writer.nvim, wording.ANSWERS.format
    story = Story(writer, "The corrected story in Neovim")
    story.act(
        ":WriteIt go article openai/planted<CR>", wording.ONE_ANSWER.format("draft")
    )
    story.act(":WriteIt go<CR>", wording.INSERTED.format("draft"))
    story.goes_to("now.")
    nvim.wait_until(HINTS, len(ERRORS))
    hints = nvim.lua(MESSAGES)
    assert hints == [f"Not in your notes: {error}" for error in ERRORS]
    story.lines += [f"    {hint}" for hint in hints]
    nvim.wait_until("vim.fn.search(..., 'cw') > 0", "45 ms")
    nvim.keys(FIXES)
    writer.select_item(f"WriteIt: {CORRECT}")
    nvim.wait_until(IN_ANY_WINDOW, f"- {ERRORS[1]}")
    story.count += 1
    story.lines.append(f"{story.count:2}. quick fix: {CORRECT}")
    nvim.keys(":WriteIt regenerate<CR>")
    nvim.wait_for_screen("What should change? These are not in the notes.")
    story.count += 1
    story.lines.append(f"{story.count:2}. :WriteIt regenerate<CR>")
    story.act("<CR>", answers("draft", 2))
    story.act(":WriteIt go 2<CR>", wording.INSERTED.format("draft"))
    nvim.wait_until(IN_ANY_WINDOW, "Ada Lovelace gave")
    assert not [*writer.workspace.glob("*.article-2.md")]
    nvim.command(f"buffer {writer.notes.stem}.article.md")
    nvim.wait_until(HINTS, 0)
    story.end(6)


@pytest.mark.usefixtures("small_pipelines")
def test_the_refreshed_story(writer: NeovimSession) -> None:
    """Notes are renamed and changed; what was not made from them is not paid again."""
    story, answers = Story(writer, "The refreshed story in Neovim"), wording.ANSWERS
    story.act(
        ":WriteIt go letter openai/gpt-4o openai/gpt-4o-mini<CR>",
        answers.format("plan", 2),
    )
    story.act(":WriteIt go 1<CR>", answers.format("letter", 2))
    before = writer.newest_run()
    writer.nvim.command("wincmd t")
    writer.notes = writer.notes.with_name("moved notes.md")
    story.act(f":WriteIt mv {writer.notes}<CR>", wording.MOVED)
    writer.wait_for_client()
    writer.nvim.keys("GoMore about rivers.<Esc>")
    writer.nvim.wait_for_screen(wording.CHANGED.format("letter"))
    story.lines.append(f"    {wording.CHANGED.format('letter')}")
    story.act(":WriteIt refresh<CR>", wording.REFRESHED)
    story.act(":WriteIt next openai/gpt-4o<CR>", wording.ONE_ANSWER.format("letter"))
    child = writer.newest_run()
    assert child["parentPipelineRunId"] == before["pipelineRunId"]
    assert "More about rivers." in child["userInputs"]["notes"]
    usage = writer.execute("usage.show", by="run")
    rows = {row["key"]: row for row in usage["rows"]}
    for name, run in (("the first run", before), ("the branch", child)):
        row = rows[run["pipelineRunId"]]
        story.lines.append(
            f"    calls of {name}: {row['calls']}, ${row['costUsd']:.5f}"
        )
    writer.notes.unlink()
    story.end(5)
