"""Page files that a full disk, a kill or another program damaged."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from support.editor import serving
from support.model_words import escape
from support.open_documents import OpenDocuments
from support.store_failures import assert_store_error, disk_full

FEEDBACK = "<!-- writeit:feedback -->\n"


async def answered(bare: OpenDocuments, text: str = "first words") -> tuple[str, Path]:
    """A run with one answer, and the file of its first step's page."""
    run_id = await bare.editor.start_run()
    await bare.editor.command(
        "writeit.step.run", runId=run_id, models=[f"openai/say-{escape(text)}"]
    )
    return run_id, await shown(bare, run_id)


async def shown(bare: OpenDocuments, run_id: str) -> Path:
    """The file of a run's first step, as it is after opening it."""
    path = await bare.editor.step_page(run_id)
    await bare.settled(run_id)
    return path


def memory_of(page: Path) -> Path:
    """Where a step's page is remembered as it was rendered."""
    views = page.parents[2]
    return views.with_name("rendered") / page.relative_to(views)


def put_words(page: Path, before: str, after: str) -> None:
    """Write into a page as any editor does."""
    text = page.read_bytes().decode()
    assert before in text
    page.write_bytes(text.replace(before, after, 1).encode())


def emptied(memory: Path) -> None:
    """A disk that was full when it was written."""
    memory.write_bytes(b"")


def cut(memory: Path) -> None:
    """A disk that became full while it was written."""
    memory.write_bytes(memory.read_bytes()[:-200])


@pytest.mark.parametrize("damage", [emptied, cut])
async def test_words_stay_in_a_page_whose_rendering_was_half_written(
    bare: OpenDocuments, damage: Callable[[Path], None]
) -> None:
    """They are told from a fresh rendering then."""
    run_id, page = await answered(bare)
    damage(memory_of(page))
    put_words(page, FEEDBACK, f"{FEEDBACK}Words of mine.")
    put_words(page, "first words", "first words and more of mine")
    await shown(bare, run_id)
    text = page.read_text(encoding="utf-8")
    assert text.count("Words of mine.") == 1
    chosen = await bare.editor.choose(run_id)
    step = chosen["steps"]["angles"]
    assert step["userFeedback"] == "Words of mine."
    assert step["editedContent"] == "first words and more of mine"


async def test_words_stay_in_an_answer_that_no_rendering_has(
    bare: OpenDocuments,
) -> None:
    """A server was killed when the answer stood in the page, and only there."""
    run_id, page = await answered(bare)
    memory = memory_of(page)
    rendered = memory.read_bytes()
    await bare.editor.command(
        "writeit.step.regenerate", runId=run_id, models=["openai/say-second+20one"]
    )
    await shown(bare, run_id)
    memory.write_bytes(rendered)
    memory.with_suffix(".older.md").unlink()
    put_words(page, "second one", "second one of mine")
    await shown(bare, run_id)
    assert "second one of mine" in page.read_text(encoding="utf-8")
    chosen = await bare.editor.choose(run_id, 1)
    assert chosen["steps"]["angles"]["content"] == "second one of mine"


async def test_what_is_rendered_is_known_before_it_stands_in_the_page(
    bare: OpenDocuments,
) -> None:
    """A kill between the two leaves the page, and both renderings it may be of."""
    run_id, page = await answered(bare)
    await bare.editor.command(
        "writeit.step.regenerate", runId=run_id, models=["openai/say-second+20one"]
    )
    await shown(bare, run_id)
    older = memory_of(page).with_suffix(".older.md").read_text(encoding="utf-8")
    assert "first words" in older
    assert "second one" not in older


async def test_an_answer_with_another_kind_of_line_ends_leaves_the_pages_alone(
    bare: OpenDocuments,
) -> None:
    """A text of the old Macs: were its ends the page's, no marker would be a line."""
    run_id, page = await answered(bare, "\r".join("many lines of a text"))
    put_words(page, FEEDBACK, f"{FEEDBACK}Words of mine.")
    await bare.editor.command(
        "writeit.step.take", runId=run_id, response=0, text="a text"
    )
    await shown(bare, run_id)
    assert FEEDBACK.encode() in page.read_bytes()
    chosen = await bare.editor.choose(run_id)
    assert chosen["steps"]["angles"]["userFeedback"] == "Words of mine."
    assert chosen["steps"]["angles"]["editedContent"] is None


@pytest.mark.parametrize("place", ["usage.md", ""])
async def test_no_page_is_written_over_what_a_link_leads_to(
    environment: dict[str, str], workspace: Path, tmp_path: Path, place: str
) -> None:
    """A folder from elsewhere may bring links along: to the document, or anywhere."""
    article = tmp_path / "usage.md"
    article.write_text("My article.\n", encoding="utf-8")
    views = workspace / ".writeit" / "views"
    views.parent.mkdir()
    if place:
        views.mkdir()
        (views / place).symlink_to(article)
    else:
        views.symlink_to(tmp_path)
    async with serving([workspace], "bare", environment) as editor:
        refused = await editor.refusal("writeit.view.open", view="usage")
        assert refused.kind == "not_trusted"
        assert refused.data["hint"]
    assert article.read_text(encoding="utf-8") == "My article.\n"


async def test_a_full_disk_leaves_a_page_and_what_is_known_of_it(
    bare: OpenDocuments,
) -> None:
    """Neither is cut; there is room again, and the user's words are kept."""
    run_id, page = await answered(bare)
    memory = memory_of(page)
    rendered = memory.read_bytes()
    memory.write_bytes(rendered.replace(b"# angles", b"# an older title"))
    put_words(page, FEEDBACK, f"{FEEDBACK}Words of mine.")
    written = page.read_bytes()
    with disk_full(bare.editor):
        refused = await bare.editor.refusal(
            "writeit.view.open", view="step", runId=run_id
        )
        assert_store_error(refused, "full")
    assert page.read_bytes() == written
    assert memory.read_bytes() == rendered.replace(b"# angles", b"# an older title")
    await shown(bare, run_id)
    assert b"Words of mine." in page.read_bytes()


async def test_a_page_that_is_empty_while_it_is_saved_is_not_made_anew(
    bare: OpenDocuments,
) -> None:
    """Many editors empty a file, then write it; the user's words stay."""
    run_id, page = await answered(bare)
    text = page.read_text(encoding="utf-8")
    with page.open("w", encoding="utf-8") as file:
        _, opened = bare.editor.start("writeit.view.open", view="step", runId=run_id)
        await asyncio.sleep(0.2)
        file.write(text.replace(FEEDBACK, f"{FEEDBACK}Words of mine."))
    await opened
    assert "Words of mine." in page.read_text(encoding="utf-8")


async def test_a_page_that_stays_empty_is_made_anew(bare: OpenDocuments) -> None:
    """Nobody is about to write it."""
    run_id, page = await answered(bare)
    page.write_text("", encoding="utf-8")
    await shown(bare, run_id)
    assert FEEDBACK in page.read_text(encoding="utf-8")
