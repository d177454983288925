"""Page files: whatever the editor or the user does, the user's words stay."""

import asyncio
import re
import shutil
from pathlib import Path

from support.document import Document
from support.editor import serving
from support.open_documents import OpenDocuments
from support.waiting import wait_until

FEEDBACK = "<!-- writeit:feedback -->\n"


async def answered(bare: OpenDocuments) -> tuple[str, Path]:
    """A run with one answer, and the file of its first step's page."""
    run_id = await bare.editor.answered("say-first+20words")
    return run_id, await bare.editor.step_page(run_id)


async def memory_of(bare: OpenDocuments, run_id: str) -> Path:
    """Where the pages of a run's steps are remembered, once nothing is on its way."""
    await bare.settled(run_id)
    return bare.editor.folder / ".writeit" / "rendered" / "step" / run_id


async def ask_anew(bare: OpenDocuments, run_id: str, text: str, **more: object) -> None:
    """Ask the first step anew; its answer is `text`."""
    models = [f"openai/say-{text}"]
    await bare.editor.command(
        "writeit.step.regenerate", runId=run_id, models=models, **more
    )


async def comes(path: Path, words: str) -> None:
    """Wait until a file on the disk has some words."""
    await asyncio.to_thread(
        wait_until, lambda: words in path.read_text(encoding="utf-8")
    )


def opened(bare: OpenDocuments, path: Path, line_end: str = "\n") -> Document:
    """A page open in the editor."""
    text = path.read_text(encoding="utf-8").replace("\n", line_end)
    return bare.open(text, uri=path.as_uri())


async def test_going_to_an_open_page_asks_nothing_of_the_client(
    bare: OpenDocuments,
) -> None:
    """It may answer nothing before it has the reply; the page stays as it is."""
    _, path = await answered(bare)
    page = opened(bare, path)
    page.type(2, 2, "mine ")
    found = await bare.editor.request(
        "textDocument/definition",
        {
            "textDocument": {"uri": bare.editor.notes},
            "position": {"line": 0, "character": 0},
        },
    )
    assert found["uri"] == path.as_uri()
    assert (page.taken, page.declined) == (0, 0)
    page.close()


async def test_a_page_closed_unsaved_is_brought_up_to_date_when_it_is_next_shown(
    bare: OpenDocuments,
) -> None:
    """Its file is of an older rendering, and nothing in it was damaged."""
    run_id, path = await answered(bare)
    page = opened(bare, path)
    await ask_anew(bare, run_id, "second")
    await bare.editor.until(lambda: "\nsecond\n" in page.text)
    page.close()
    assert "\nsecond\n" not in path.read_text(encoding="utf-8")
    await bare.editor.step_page(run_id)
    assert "\nsecond\n" in path.read_text(encoding="utf-8")


async def test_words_saved_before_later_answers_came_are_kept(
    bare: OpenDocuments,
) -> None:
    """The page is closed with the answers unsaved; the words are in its file."""
    run_id, path = await answered(bare)
    page = opened(bare, path)
    place = page.text.index(FEEDBACK) + len(FEEDBACK)
    page.type(place, place, "More bees.")
    path.write_text(page.text, encoding="utf-8")
    await ask_anew(bare, run_id, "second", feedback="less")
    await bare.editor.until(lambda: "\nsecond\n" in page.text)
    page.close()
    run = await bare.editor.choose(run_id)
    assert run["steps"]["angles"]["userFeedback"] == "More bees."


async def test_words_that_went_with_an_asking_do_not_go_with_the_choice_as_well(
    bare: OpenDocuments,
) -> None:
    """They are in the file still, for the page was closed unsaved after it."""
    run_id, path = await answered(bare)
    page = opened(bare, path)
    place = page.text.index(FEEDBACK) + len(FEEDBACK)
    page.type(place, place, "More bees.")
    path.write_text(page.text, encoding="utf-8")
    await ask_anew(bare, run_id, "second")
    await bare.editor.until(
        lambda: "\nsecond\n" in page.text and "More bees." not in page.text
    )
    page.close()
    assert "More bees." in path.read_text(encoding="utf-8")
    run = await bare.editor.choose(run_id)
    assert run["steps"]["angles"]["userFeedback"] is None


async def test_a_page_read_just_before_its_file_changed_is_brought_up_to_date(
    bare: OpenDocuments,
) -> None:
    """It has not the answers that its file has by now; nobody took them out."""
    run_id, path = await answered(bare)
    read = path.read_text(encoding="utf-8")
    await ask_anew(bare, run_id, "second")
    await comes(path, "\nsecond\n")
    said = len(bare.editor.sent("window/showMessage"))
    page = bare.open(read, uri=path.as_uri())
    await bare.editor.until(lambda: "\nsecond\n" in page.text)
    assert len(bare.editor.sent("window/showMessage")) == said


async def test_a_page_that_nobody_remembers_is_brought_up_to_date(
    bare: OpenDocuments,
) -> None:
    """The user's words stay: they are what differs from a fresh rendering."""
    run_id, path = await answered(bare)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\nfirst words\n", "\nmy first\n"), encoding="utf-8")
    (await memory_of(bare, run_id) / "angles.md").unlink()
    await ask_anew(bare, run_id, "second")
    await bare.editor.step_page(run_id)
    text = path.read_text(encoding="utf-8")
    assert "\nsecond\n" in text
    assert "\nmy first\n" in text


async def test_a_page_saved_in_another_encoding_is_not_written_over(
    bare: OpenDocuments,
) -> None:
    """A choice is refused rather than made without the user's words."""
    run_id, path = await answered(bare)
    text = path.read_text(encoding="utf-8").replace(FEEDBACK, f"{FEEDBACK}Kürzer.")
    path.write_bytes(text.encode("latin-1"))
    refused = await bare.editor.refusal("writeit.step.select", runId=run_id, response=0)
    assert refused.kind == "store_error"
    assert "UTF-8" in refused.data["hint"]
    await bare.editor.refusal("writeit.view.open", view="step", runId=run_id)
    assert path.read_bytes() == text.encode("latin-1")


async def test_a_page_with_crlf_stays_one_with_crlf(bare: OpenDocuments) -> None:
    """And only what is new is edited in."""
    run_id, path = await answered(bare)
    page = opened(bare, path, "\r\n")
    await ask_anew(bare, run_id, "second")
    await bare.editor.until(lambda: "\r\nsecond\r\n" in page.text)
    await asyncio.sleep(0.2)
    assert page.text.count("\n") == page.text.count("\r\n")


async def test_words_typed_into_a_view_go_with_a_models_merge(
    bare: OpenDocuments,
) -> None:
    """The edited merge is what is merged, and stays; the feedback is sent."""
    run_id, path = await answered(bare)
    for text in ("one", "two"):
        await bare.editor.command(
            "writeit.step.take", runId=run_id, response=0, text=text
        )
    await bare.editor.step_page(run_id)
    text = path.read_text(encoding="utf-8").replace(FEEDBACK, f"{FEEDBACK}Warmly.")
    path.write_text(text.replace("one\n\ntwo", "mine\n\ntwo"), encoding="utf-8")
    step = await bare.editor.command(
        "writeit.step.merge", runId=run_id, instruction="Join.", model="openai/echo"
    )
    assert step["userFeedback"] == "Warmly."
    assert "mine" in step["aiResponses"][-1]["promptUsed"]
    assert "\nmine\n\ntwo\n" in path.read_text(encoding="utf-8")


async def test_a_page_that_cannot_be_written_does_not_make_a_choice_fail(
    bare: OpenDocuments,
) -> None:
    """What was decided is decided; the writer is told of the page."""
    run_id, path = await answered(bare)
    text = path.read_text(encoding="utf-8").replace(FEEDBACK, f"{FEEDBACK}Warmly.")
    path.write_text(text, encoding="utf-8")
    memory = await memory_of(bare, run_id)
    shutil.rmtree(memory)
    memory.write_text("in the way", encoding="utf-8")
    run = await bare.editor.choose(run_id)
    assert run["steps"]["angles"]["userFeedback"] == "Warmly."
    messages = bare.editor.shown_messages()
    assert any("could not be written" in message for message in messages)
    assert "Warmly." in path.read_text(encoding="utf-8")


async def test_a_page_that_took_no_edit_is_tried_again_after_typing(
    bare: OpenDocuments,
) -> None:
    """Nobody has to open it anew to see the answers that came meanwhile."""
    run_id, path = await answered(bare)
    page = opened(bare, path)
    page.manner = "deaf"
    await ask_anew(bare, run_id, "second")
    await asyncio.sleep(4)  # every try is over
    page.manner = "honest"
    place = page.text.index(FEEDBACK) + len(FEEDBACK)
    page.type(place, place, "More bees.")
    await bare.editor.until(lambda: "\nsecond\n" in page.text)
    assert f"{FEEDBACK}More bees." in page.text


async def test_a_page_open_here_follows_what_another_server_rendered(
    bare: OpenDocuments, environment: dict[str, str]
) -> None:
    """Each knows what stands in its own editor; nobody is told of damage."""
    run_id, path = await answered(bare)
    page = opened(bare, path)
    await asyncio.sleep(0.5)
    async with serving([bare.editor.folder], "bare", environment) as other:
        await other.command("writeit.view.open", view="step", runId=run_id)
        await other.command(
            "writeit.step.regenerate", runId=run_id, models=["openai/say-second"]
        )
        await bare.editor.until(lambda: "\nsecond\n" in page.text)
        assert "\nsecond\n" in path.read_text(encoding="utf-8")


async def test_a_link_in_a_runs_page_leads_to_the_page_of_its_step(
    bare: OpenDocuments,
) -> None:
    """An editor follows it to a file that is not there yet; the server fills it."""
    run_id = await bare.editor.start_run()
    await bare.editor.command("writeit.view.open", view="run", runId=run_id)
    path = bare.editor.folder / ".writeit" / "views" / "run" / f"{run_id}.md"
    link = re.search(r"^\[angles\]: (.*)$", path.read_text("utf-8"), re.MULTILINE)
    assert link is not None
    step = (path.parent / link[1]).resolve()
    page = bare.open("", uri=step.as_uri())
    await bare.editor.until(lambda: "# angles · step 1 of 4" in page.text)
