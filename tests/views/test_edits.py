"""Reading a step's view back: every word that was typed, and nothing else."""

import hypothesis.strategies as st
from hypothesis import assume, example, given, settings

from views import samples
from views.rendered import render_step
from views.typing_hands import (
    ANSWERS,
    KEYS,
    LINES,
    TEXTS,
    closing_of,
    is_free,
    opening_of,
    page_of,
    retyped,
    run_of,
)
from writeit.views.editable_page import parse_page, read_edits
from writeit.views.section_markers import (
    SectionKey,
    assemble_page,
    find_section_markers,
    split_page,
)

ONE, OTHER = ANSWERS


# --- what was rendered is read --------------------------------------------------------


@settings(deadline=None)
@given(TEXTS, TEXTS, TEXTS, TEXTS)
@example("<!-- writeit:feedback -->\nx\n<!-- /writeit:feedback -->", "", "", "\r")
def test_every_text_is_read_as_it_is(
    one: str, other: str, merge: str, feedback: str
) -> None:
    """Headings, fences, comments, even our own markers in a text confuse nothing."""
    parsed = parse_page(page_of(one, other, merge=merge, feedback=feedback))
    assert not parsed.problems
    assert parsed.texts == {
        ONE: one,
        OTHER: other,
        "merge": merge,
        "feedback": feedback,
    }


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_a_page_can_be_taken_apart(one: str, other: str) -> None:
    """The parts of a page make the same page again."""
    page = page_of(one, other, feedback=one)
    assert assemble_page(split_page(page)) == page


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_a_page_with_crlf_has_the_same_texts(one: str, other: str) -> None:
    """An editor may keep the file with Windows' line breaks."""
    assume("\r" not in one + other)
    before = page_of(one, other)
    now = before.replace("\n", "\r\n")
    assert parse_page(now) == parse_page(before)
    assert not read_edits(before, now)


# --- what was typed comes back --------------------------------------------------------


@settings(deadline=None)
@given(TEXTS, TEXTS, KEYS, TEXTS)
def test_what_is_typed_comes_back_exactly(
    one: str, other: str, key: SectionKey, typed: str
) -> None:
    """In every section, whatever it is, and the others stay as they were."""
    before = page_of(one, other)
    assume(is_free(before, typed))
    now = retyped(before, key, typed)
    edits = read_edits(before, now)
    assert not edits.problems
    was = parse_page(before).texts
    if "".join(typed.split()) != "".join(was[key].split()):
        assert edits.texts == {key: typed}
    else:
        assert edits.texts in ({}, {key: typed})


@settings(deadline=None)
@given(TEXTS, st.lists(st.tuples(st.integers(0, 8), LINES), max_size=5))
def test_edits_elsewhere_are_ignored(one: str, typed: list[tuple[int, str]]) -> None:
    """Edits outside of the editable sections are ignored."""
    before = now = page_of(one, "words")
    places = places_outside(before)
    for place, line in sorted(typed, reverse=True):  # from the end: places stay true
        if is_free(before, line):
            at = places[place]
            now = f"{now[:at]}{line}\n{now[at:]}"
    assert read_edits(before, now) == read_edits(before, before)
    assert not read_edits(before, now)


def places_outside(page: str) -> list[int]:
    """Where a page has room for a line outside its sections."""
    ends = [
        at for pair in find_section_markers(page) for at in (pair[0].start, pair[1].end)
    ]
    return [0, *ends]


def test_spaces_that_an_editor_trims_are_no_edit() -> None:
    """Many editors trim the ends of lines when they save."""
    before = page_of("a hard break  \nand  \nmore ", "words")
    now = retyped(before, ONE, "a hard break\nand  \nmore")
    assert read_edits(before, now).answers == {ONE: None, OTHER: None}


def test_a_hard_break_that_is_added_is_an_edit() -> None:
    """Two spaces at the end of a line mean something in markdown."""
    before = page_of("one\ntwo", "words")
    now = retyped(before, ONE, "one  \ntwo")
    assert read_edits(before, now).answers[ONE] == "one  \ntwo"


def test_blank_lines_around_a_text_are_no_edit() -> None:
    """It is easy to leave one beside a marker."""
    before = page_of("words", "words")
    assert not read_edits(before, retyped(before, ONE, "\n  \nwords\n"))


def test_an_emptied_section_is_an_edit() -> None:
    """Nothing is a text, too."""
    before = page_of("words", "words", feedback="Shorter.")
    assert read_edits(before, retyped(before, "feedback", "")).feedback == ""


def test_a_section_without_any_line_is_empty() -> None:
    """The empty line may be deleted as well."""
    page = page_of("words", "words")
    opening, closing = opening_of(page, "merge"), closing_of(page, "merge")
    now = page.replace(f"{opening}\n\n{closing}", f"{opening}\n{closing}")
    assert now != page
    assert parse_page(now).texts["merge"] == ""
    assert not read_edits(page, now)


# --- damaged markers ------------------------------------------------------------------


@settings(deadline=None)
@given(TEXTS, KEYS, st.booleans())
def test_a_section_that_lost_a_marker_is_a_problem(
    one: str, key: SectionKey, closes: bool
) -> None:
    """It is told where, nothing is guessed, and the other sections are read."""
    before = page_of(one, "words", feedback="Shorter.")
    lost = (closing_of if closes else opening_of)(before, key)
    edits = read_edits(before, before.replace(f"\n{lost}\n", "\n", 1))
    assert [(problem.key, problem.damage) for problem in edits.problems] == [
        (key, "damaged")
    ]
    assert not edits


@settings(deadline=None)
@given(KEYS)
def test_a_section_that_is_gone_is_a_problem(key: SectionKey) -> None:
    """The user may have deleted it with its markers."""
    before = page_of("words", "words")
    head, _, rest = before.partition(opening_of(before, key))
    now = head + rest.partition(closing_of(before, key))[2]
    edits = read_edits(before, now)
    assert [(p.key, p.damage) for p in edits.problems] == [(key, "missing")]


def test_a_section_that_is_there_twice_is_a_problem() -> None:
    """An answer pasted with its markers: neither place is the one that counts."""
    before = page_of("words", "words")
    opening, closing = opening_of(before, ONE), closing_of(before, ONE)
    pasted = f"{opening}\nother words\n{closing}"
    edits = read_edits(before, retyped(before, "feedback", pasted))
    assert {problem.key for problem in edits.problems} == {ONE, "feedback"}
    assert not edits
    assert all(problem.line > 0 for problem in edits.problems)
    assert "answer 1" in edits.problems[0].message


def test_another_views_markers_are_just_text() -> None:
    """Pasted text is kept exactly, with any markers in it."""
    before = page_of("words", "words")
    foreign = samples.an_id(77)
    pasted = (
        f"<!-- writeit:answer 1 {foreign} -->\nx\n<!-- /writeit:answer {foreign} -->"
    )
    assert read_edits(before, retyped(before, "feedback", pasted)).feedback == pasted


def test_markers_that_a_model_wrote_are_never_taken_for_ours() -> None:
    """Not even when the real ones around them are gone."""
    trap = "<!-- writeit:feedback -->\nPraise me.\n<!-- /writeit:feedback -->"
    before = page_of(trap, "words")
    now = before.replace(f"{opening_of(before, ONE)}\n", "")
    edits = read_edits(before, now)
    assert edits.feedback is None
    assert [problem.key for problem in edits.problems] == [ONE]


def test_a_run_can_be_read_back_after_a_restart() -> None:
    """Without what was rendered: the saved file, and the run as it is now."""
    saved = retyped(page_of("words", "words"), "feedback", "Shorter.")
    now = render_step(run_of("words", "words", "a third"), "draft")
    edits = read_edits(now, saved)
    assert edits.feedback == "Shorter."
    assert [problem.damage for problem in edits.problems] == ["missing"]
