"""Pages to read only: no markers, and what stands where is told apart."""

from hypothesis import given, settings

from views import samples
from views.typing_hands import ANSWERS, TEXTS, run_of
from writeit.views.compare import ComparedText, comparison_parts
from writeit.views.editable_page import render_read_only
from writeit.views.page_outline import (
    find_page_sections,
    heading_tree,
    split_page_lines,
)
from writeit.views.section_markers import assemble_page
from writeit.views.step import response_parts, step_parts


@settings(deadline=None)
@given(TEXTS, TEXTS, TEXTS)
def test_a_section_says_on_which_lines_its_text_stands(
    one: str, other: str, merge: str
) -> None:
    """Whatever lines there are in it: markers of ours, open fences, CR LF."""
    parts = step_parts(run_of(one, other, merge=merge), "draft", editable=False)
    page = render_read_only(parts)
    lines = split_page_lines(page.text)
    texts = (*zip(ANSWERS, (one, other), strict=True), (None, merge))
    for section, (response_id, text) in zip(page.sections, texts, strict=False):
        assert section.response_id == response_id
        # A text that ends in CR makes one line break with the LF behind it.
        stands = "\n".join(lines[section.first_line : section.last_line + 1])
        assert split_page_lines(stands) == split_page_lines(f"{text}\n")[:-1]


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_it_has_the_sections_and_headings_that_a_file_has(one: str, other: str) -> None:
    """Only the lines differ on which they stand."""
    parts = step_parts(run_of(one, other), "draft")
    page, file = render_read_only(parts), assemble_page(parts)
    there = find_page_sections(file)
    assert [(s.kind, s.response_id, s.label) for s in page.sections] == [
        (s.kind, s.response_id, s.label) for s in there
    ]
    (here,), (in_file,) = (
        heading_tree(page.text, page.sections),
        heading_tree(file, there),
    )
    assert [(h.title, len(h.children)) for h in here.children] == [
        (h.title, len(h.children)) for h in in_file.children
    ]
    assert [h.line for h in here.children] == [s.heading_line for s in page.sections]


def test_no_line_of_it_is_for_machines() -> None:
    """A step with all that can be in one, an answer's own page, a comparison."""
    run = samples.up_to_draft(samples.six_answers())
    side = ComparedText(title="one", run_label="run", text="# A")
    for parts in (
        step_parts(run, "draft", editable=False),
        response_parts(run, "draft", samples.an_id(21)),
        comparison_parts(side, side),
    ):
        assert "<!--" not in render_read_only(parts).text


def test_an_editor_may_keep_a_page_with_other_line_breaks() -> None:
    """It is still the page that was given, also without its last line break."""
    page = render_read_only(step_parts(run_of("one\ntwo"), "draft"))
    assert page.is_same_text(page.text.replace("\n", "\r\n"))
    assert page.is_same_text(page.text.rstrip("\n"))
    assert not page.is_same_text(page.text.replace("two", "too"))
