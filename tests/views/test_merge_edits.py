"""A view rendered anew around what the writer typed."""

import hypothesis.strategies as st
import pytest
from hypothesis import assume, given, settings

from views import samples
from views.rendered import render_step
from views.typing_hands import (
    ANSWERS,
    KEYS,
    TEXTS,
    closing_of,
    is_free,
    opening_of,
    page_of,
    retyped,
)
from writeit.domain.answer import StreamingResponse
from writeit.domain.run import StepState
from writeit.views.editable_page import StepEdits, merge_edits, parse_page, read_edits
from writeit.views.section_markers import SectionKey, find_markers

ONE = ANSWERS[0]


@settings(deadline=None)
@given(TEXTS, st.dictionaries(KEYS, TEXTS, max_size=4))
def test_a_new_rendering_keeps_the_users_texts(
    one: str, typed: dict[SectionKey, str]
) -> None:
    """A page rendered again for new answers keeps the edited sections."""
    before = page_of(one, "words")
    now = before
    for key, text in typed.items():
        assume(is_free(before, text))
        now = retyped(now, key, text)
    edits = read_edits(before, now)
    fresh = page_of(one, "words", "a third answer", feedback="said elsewhere")
    page = merge_edits(fresh, edits)
    assert parse_page(page).texts == {**parse_page(fresh).texts, **edits.texts}
    assert not parse_page(page).problems


@settings(deadline=None)
@given(TEXTS)
def test_nothing_typed_changes_nothing(one: str) -> None:
    """Without edits the fresh page is the page."""
    page = page_of(one, "words")
    assert merge_edits(page, read_edits(page, page)) == page
    assert merge_edits(page, StepEdits()) == page


def test_a_passage_taken_meanwhile_joins_the_users_merge() -> None:
    """The user changed the merge, then took one more passage: both are there."""
    two = samples.waiting()
    one = two.evolve(passages=two.passages[:1])
    before = render_step(samples.up_to_draft(one), "draft")
    now = retyped(before, "merge", "It hums, my own way.")
    fresh = render_step(samples.up_to_draft(two), "draft")
    page = merge_edits(fresh, read_edits(before, now))
    second = two.passages[1].text
    assert parse_page(page).texts["merge"] == f"It hums, my own way.\n\n{second}"
    again = read_edits(fresh, page)
    assert parse_page(merge_edits(fresh, again)).texts == parse_page(page).texts


def test_a_merge_that_was_used_does_not_grow() -> None:
    """An edited merge that was used appears once."""
    before = page_of("words", "words", merge="One.")
    now = retyped(before, "merge", "One.\n\nTwo.")
    fresh = page_of("words", "words", merge="One.\n\nTwo.")
    page = merge_edits(fresh, read_edits(before, now))
    assert parse_page(page).texts["merge"] == "One.\n\nTwo."


def test_a_text_without_a_place_is_kept_at_the_end() -> None:
    """Edits are kept even if the new page lacks their sections."""
    before = page_of("words", "words")
    edits = read_edits(before, retyped(before, "feedback", "Keep this."))
    unasked = samples.up_to_draft(StepState(step_name="draft"))
    page = merge_edits(render_step(unasked, "draft"), edits)
    assert parse_page(page).texts == {"feedback": "Keep this."}


@pytest.mark.parametrize("fence", ["```", "~~~~", "````text"])
def test_a_fence_left_open_is_closed_behind_the_text(fence: str) -> None:
    """An answer cut short in the middle of a code block does not swallow the page."""
    page = page_of(f"code:\n\n{fence}\nx = 1", "words")
    closing = closing_of(page, ONE)
    assert f"{closing}\n{fence.removesuffix('text')}\n\n---\n" in page
    edited = merge_edits(page, StepEdits(answers={ONE: "no code"}))
    assert f"{closing}\n\n---\n" in edited


def test_markers_of_a_page_are_of_one_series() -> None:
    """A text that looks like the page gets a page that does not look like it."""
    page = page_of("<!-- writeit:merge -->\n<!-- writeit-1:merge -->", "words")
    assert {m.series for m in find_markers(page)} == {0, 1, 2}
    assert opening_of(page, "feedback") == "<!-- writeit-2:feedback -->"


def coming(text: str) -> str:
    """The page of a step whose only answer has come so far."""
    stream = StreamingResponse(response_id=ONE, model="x/y", prompt="p", text=text)
    return render_step(
        samples.up_to_draft(samples.a_step("draft", streaming=(stream,))), "draft"
    )


def with_words(page: str, text: str, words: str) -> str:
    """The page with words typed behind a text."""
    assert f"\n{text}\n" in page
    return page.replace(f"\n{text}\n", f"\n{text}{words}\n")


def test_what_is_typed_into_an_answer_that_is_coming_stays_in_it() -> None:
    """The rest of the answer follows the edit."""
    before = coming("The bees")
    edits = read_edits(before, with_words(before, "The bees", ", all of them,"))
    assert not edits.texts
    more = merge_edits(coming("The bees are home"), edits)
    assert "\nThe bees, all of them, are home\n" in more
    whole = merge_edits(page_of("The bees are home now."), edits)
    assert parse_page(whole).texts[ONE] == "The bees, all of them, are home now."


def test_what_is_typed_into_an_answer_that_ends_otherwise_stands_at_its_end() -> None:
    """A fence around the answer was taken away: where it belongs nobody can say."""
    before = coming("```markdown\nThe bees")
    now = with_words(before, "The bees", ", all of them,")
    page = merge_edits(page_of("The bees are home now."), read_edits(before, now))
    assert parse_page(page).texts[ONE] == "The bees are home now.\n\n, all of them,"
    assert not parse_page(page).problems
