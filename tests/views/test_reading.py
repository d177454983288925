"""Pages to read only: no markers, and what stands where is told apart."""

from __future__ import annotations

from hypothesis import given, settings

from views import samples
from views.typing_hands import ANSWERS, TEXTS, run_of
from writeit.views.compare import Compared, comparison_parts
from writeit.views.markers import assembled
from writeit.views.reading import for_reading
from writeit.views.response import response_parts
from writeit.views.step import step_parts
from writeit.views.symbols import lines_of, outline, sections


@settings(deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_a_section_says_on_which_lines_its_text_stands(
    one: str, other: str, merge: str
) -> None:
    """Whatever lines there are in it: markers of ours, open fences, CR LF."""
    parts = step_parts(run_of(one, other, merge=merge), "draft", editable=False)
    page = for_reading(parts)
    lines = lines_of(page.text)
    texts = (*zip(ANSWERS, (one, other), strict=True), (None, merge))
    for section, (response_id, text) in zip(page.sections, texts, strict=False):
        assert section.response_id == response_id
        # A text that ends in CR makes one line break with the LF behind it.
        stands = "\n".join(lines[section.first : section.last + 1])
        assert lines_of(stands) == lines_of(f"{text}\n")[:-1]


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_it_has_the_sections_and_headings_that_a_file_has(one: str, other: str) -> None:
    """Only the lines differ on which they stand."""
    parts = step_parts(run_of(one, other), "draft")
    page, file = for_reading(parts), assembled(parts)
    there = sections(file)
    assert [(s.kind, s.response_id, s.number) for s in page.sections] == [
        (s.kind, s.response_id, s.number) for s in there
    ]
    (here,), (in_file,) = outline(page.text, page.sections), outline(file, there)
    assert [(h.title, len(h.children)) for h in here.children] == [
        (h.title, len(h.children)) for h in in_file.children
    ]
    assert [h.line for h in here.children] == [s.heading for s in page.sections]


def test_no_line_of_it_is_for_machines() -> None:
    """A step with all that can be in one, an answer's own page, a comparison."""
    run = samples.up_to_draft(samples.six_answers())
    side = Compared(title="one", origin="run", text="# A")
    for parts in (
        step_parts(run, "draft", editable=False),
        response_parts(run, "draft", samples.an_id(21)),
        comparison_parts(side, side),
    ):
        assert "<!--" not in for_reading(parts).text


def test_an_editor_may_keep_a_page_with_other_line_breaks() -> None:
    """It is still the page that was given, also without its last line break."""
    page = for_reading(step_parts(run_of("one\ntwo"), "draft"))
    assert page.is_still(page.text.replace("\n", "\r\n"))
    assert page.is_still(page.text.rstrip("\n"))
    assert not page.is_still(page.text.replace("two", "too"))
