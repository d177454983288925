"""Verbs of single answers and of preferences, typed and completed."""

import re
from collections.abc import Callable
from pathlib import Path

from neovim import wording
from support.answers import chosen_number
from support.neovim_session import NeovimSession
from support.nvim import Nvim
from support.waiting import wait_until


def _completed(session: NeovimSession, verb: str) -> list[str]:
    found: list[str] = session.nvim.lua(
        "return vim.fn.getcompletion(..., 'cmdline')", f"WriteIt {verb} "
    )
    return found


def _type(session: NeovimSession, words: str, message: str) -> None:
    """Type a command; wait for its message and its end."""
    session.nvim.keys(f":WriteIt {words}<CR>")
    session.wait_for_message(message)
    session.wait_until_idle()


def test_one_answer_is_stopped_and_another_chosen(session: NeovimSession) -> None:
    """While the third is still generated: lines that are selected, from the stream."""
    session.run("start")
    session.nvim.command("WriteIt next openai/held-9 openai/say-A.+0AB. openai/held-5")
    session.wait_for_side_text("A.\nB.")
    session.wait_for_side_text("word8")
    assert _completed(session, "stop") == ["1", "3"]
    assert _completed(session, "choose") == ["2"]
    session.nvim.keys(":WriteIt stop 1<CR>")
    session.wait_for_message(wording.STOPPED_ONE.format(1))
    assert session.newest_run()["status"] == "RUNNING"
    session.nvim.keys("<C-w>l/^B<CR>V:WriteIt choose less<CR>")
    session.wait_for_message(wording.LINES_CHOSEN.format(2, "angles"))
    session.wait_until_idle()
    assert wording.STOPPED not in session.nvim.messages()  # nothing to choose any more
    step = session.newest_run()["steps"]["angles"]
    assert chosen_number(step) == 2
    assert step["content"] == "B."
    assert step["userFeedback"] == "less"
    kept = {answer["number"]: answer["partial"] for answer in step["aiResponses"]}
    assert kept == {1: True, 2: False, 3: True}


def test_an_answer_is_rated_and_continued_by_number(session: NeovimSession) -> None:
    """The scale is from 0 to 5."""
    session.run("start")
    session.run("next openai/length-3 openai/say-a")
    assert _completed(session, "rate") == ["0", "1", "2", "3", "4", "5"]
    assert (
        _completed(session, "rate 4") == _completed(session, "continue") == ["1", "2"]
    )
    _type(session, "rate 4 2", wording.RATED.format(2, "angles", 4))
    _type(session, "continue 1", wording.ANSWERS.format("angles", 3))
    by_number: dict[int, list[float | None]] = {}
    for answer in session.newest_run()["steps"]["angles"]["aiResponses"]:
        by_number.setdefault(answer["number"], []).append(answer.get("qualityScore"))
    assert by_number == {1: [None, None], 2: [0.8]}


def test_delete_asks_and_closes_the_pages_of_the_run(session: NeovimSession) -> None:
    """The first answer to the question keeps it."""
    session.run("start")
    session.wait_for_side_text(wording.RUN_NOT_STARTED)
    uri = session.notes.as_uri()
    for reply, count in (("1", 1), ("2", 0)):
        session.nvim.keys(":WriteIt delete<CR>")
        session.nvim.wait_for_screen(wording.DELETE_QUESTION)
        session.nvim.keys(f"{reply}<CR>")
        session.wait_until_idle()
        assert len(session.execute("run.list", uri=uri)["runs"]) == count
    session.wait_for_message(wording.DELETED)
    assert session.nvim.lua("return #vim.api.nvim_list_wins()") == 1
    assert "has no run" not in session.nvim.messages()


def test_search_opens_a_text_at_its_line(session: NeovimSession) -> None:
    """Of the answer in the list, by the beginning of a word."""
    session.run("start")
    session.run("next openai/say-Stripes.+0A+0AQuaggas+20drum.")
    wait_until(lambda: not session.execute("search", text="quaggas")["partial"])
    _type(session, "search zzz", wording.NOTHING_FOUND)
    session.nvim.keys(":WriteIt search quaggas dr*<CR>")
    session.select_item("Notes")
    session.nvim.wait_until("vim.api.nvim_get_current_line():find('Quaggas drum')")
    assert session.nvim.lua("return vim.fn.bufname()").startswith("writeit:")


def test_preferences_are_listed_and_set(session: NeovimSession) -> None:
    """From the list or by name; also the models with their number of answers."""
    assert "exportFormat" in _completed(session, "preferences")
    assert _completed(session, "preferences autoSaveEnabled") == ["on", "off"]
    session.nvim.keys(":WriteIt preferences<CR>")
    session.select_item("Save the document")
    session.wait_for_message(wording.PREFERENCE_SET.format("off"))
    on = wording.PREFERENCE_SET.format("on")
    _type(session, "preferences autoSaveEnabled on", on)
    assert session.execute("preferences.get")["autoSaveEnabled"]
    named = wording.DEFAULT_MODELS.format("openai/say-a, openai/say-b", 2)
    _type(session, "model openai/say-a openai/say-b samples=2", named)
    models = session.execute("preferences.get")["models"]
    session.execute("preferences.set", models=[])
    assert models == [{"model": f"openai/say-{name}", "samples": 2} for name in "ab"]


def test_a_model_is_added_step_by_step(
    start: Callable[..., Nvim], environment: dict[str, str], tmp_path: Path
) -> None:
    """The provider from a list, or an address; the model is called once."""
    workspace = tmp_path / "workspace"
    (workspace / "pipelines").mkdir(parents=True)
    session = NeovimSession(start(), workspace)
    session.nvim.attach_screen(100, 60)
    session.open_notes()
    session.execute("keys.list")  # completion waits a second at most
    assert "anthropic" in _completed(session, "model add")
    session.nvim.keys(":WriteIt model add<CR>")
    session.select_item(wording.PROVIDER_QUESTION)
    for question, reply in (
        (wording.ADDRESS_QUESTION, f"<C-u>{environment['OPENAI_BASE_URL']}"),
        (wording.PROTOCOL_QUESTION, ""),
        (wording.MODEL_KEY_QUESTION.format("openai"), ""),
        (wording.MODEL_NAME_QUESTION.format("openai"), "say-yes"),
    ):
        session.nvim.wait_for_screen(question)
        session.nvim.keys(f"{reply}<CR>")
    session.wait_for_message(wording.MODEL_WORKS.format("openai/say-yes"))


def test_a_blind_choice_is_made_by_letter(session: NeovimSession) -> None:
    """Nothing on screen tells a model before: not the stream, the page, the list."""
    head = (
        "writeit: {pipeline: tech-article, blind: true, inputs: {target_audience: x}}"
    )
    session.open_notes(f"---\n{head}\n---\n# Bees\n\nThey sleep.\n")
    session.run("start")
    session.run("next openai/say-One. openai/say-Two.")
    session.wait_for_side_text("## Answer B")
    assert _completed(session, "choose") == ["A", "B"]
    session.nvim.keys(":WriteIt choose<CR>")
    session.nvim.wait_for_screen("answer B: ")
    assert "openai/" not in session.nvim.screen_text()
    session.nvim.keys("<Esc>")
    session.wait_until_idle()
    _type(session, "choose B less", wording.CHOSEN.format("B", "angles"))
    run = session.newest_run()
    assert run["steps"]["angles"]["userFeedback"] == "less"
    uri = f"writeit:/step/{run['pipelineRunId']}/angles.md"
    page = session.execute("view.read", uri=uri)["text"]
    assert re.search(r"openai/say-.* · your choice\n\n.*shown as B", page)
