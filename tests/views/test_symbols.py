"""The outline of a view, and what a line belongs to."""

from collections.abc import Iterable

from hypothesis import given, settings

from views import manuscripts, samples
from views.rendered import render_compare, render_response, render_step
from views.typing_hands import ANSWERS, TEXTS, page_of
from writeit.views.compare import ComparedText
from writeit.views.page_outline import Heading, find_page_sections, heading_tree
from writeit.views.step import render_prompt


def drawn(headings: Iterable[Heading], indent: str = "") -> list[str]:
    """An outline as lines."""
    return [
        line
        for heading in headings
        for line in (
            f"{indent}{heading.title} {heading.line}-{heading.last_line}",
            *drawn(heading.children, f"{indent}  "),
        )
    ]


def test_the_outline_of_a_step() -> None:
    """An answer's own headings lie below the answer's."""
    page = render_step(samples.up_to_draft(samples.waiting()), "draft")
    assert drawn(heading_tree(page, find_page_sections(page))) == [
        "draft · step 3 of 4 0-61",
        "  Answer 1 · anthropic/claude-sonnet-4-5 10-27",
        "    The hour nobody watches 15-27",
        "      They do not sleep together 21-27",
        "  Answer 2 · openai/gpt-5 28-41",
        "    Night shift 33-41",
        "  Merge 42-54",
        "  Feedback 55-61",
    ]


def test_a_prompts_headings_are_not_the_pages() -> None:
    """What stands in a code block is no heading."""
    prompt = f"Write.\n\n{manuscripts.OUTLINE}"
    page = render_prompt(samples.a_run(), "draft", prompt, [])
    assert [
        line.strip().partition(" ")[0]
        for line in drawn(heading_tree(page, find_page_sections(page)))
    ] == ["Prompt", "The"]


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_whatever_is_in_a_text_the_page_keeps_its_sections(
    one: str, other: str
) -> None:
    """Each answer is found under its own heading, and merge and feedback after them."""
    page = page_of(one, other)
    assert [(s.kind, s.response_id, s.label) for s in find_page_sections(page)] == [
        ("answer", ANSWERS[0], "1"),
        ("answer", ANSWERS[1], "2"),
        ("merge", None, None),
        ("feedback", None, None),
    ]
    (top,) = heading_tree(page, find_page_sections(page))
    titles = [heading.title.partition(" ·")[0] for heading in top.children]
    assert titles == ["Answer 1", "Answer 2", "Merge", "Feedback"]
    assert [h.line for h in top.children] == [
        s.heading_line for s in find_page_sections(page)
    ]


def test_a_section_is_its_text_and_the_heading_it_stands_under() -> None:
    """The markers around it are none of it."""
    page = render_step(samples.up_to_draft(samples.six_answers()), "draft")
    lines = page.split("\n")
    (section,) = (
        s for s in find_page_sections(page) if s.response_id == samples.an_id(21)
    )
    assert lines[section.heading_line] == "## Answer 2 · openai/gpt-5"
    assert lines[section.first_line - 1].startswith("<!-- writeit:answer 2 ")
    assert lines[section.first_line] == "# Night shift"
    assert lines[section.last_line + 1].startswith("<!-- /writeit:answer ")


def test_a_section_whose_line_was_deleted_is_empty() -> None:
    """Its markers stand one below the other; what follows is no part of it."""
    page = page_of("one").replace("writeit:merge -->\n\n", "writeit:merge -->\n")
    (merge,) = (s for s in find_page_sections(page) if s.kind == "merge")
    assert merge.last_line < merge.first_line
    (top,) = heading_tree(page, find_page_sections(page))
    assert [h.title for h in top.children][-2:] == ["Merge", "Feedback"]


def test_a_streaming_answer_has_a_section() -> None:
    """Passages can be taken before it ends; its number is known."""
    page = render_step(samples.up_to_draft(samples.six_answers()), "draft")
    (coming,) = (
        section for section in find_page_sections(page) if section.kind == "coming"
    )
    assert coming.response_id == samples.an_id(24)
    assert coming.label == "5"


def test_lines_count_as_editors_count_them() -> None:
    """A lone CR in an answer is a line break to an editor; U+2028 is none."""
    page = page_of("a\rb\r\nc\u2028d\x0be", "words")
    section = find_page_sections(page)[0]
    assert section.last_line - section.first_line == 2
    crlf = page_of("a\nb", "words").replace("\n", "\r\n")
    assert find_page_sections(crlf) == find_page_sections(page_of("a\nb", "words"))


def test_the_sides_of_a_comparison_and_an_answers_own_view() -> None:
    """They have sections too."""
    left = ComparedText(title="one", run_label="run", text="# A")
    assert [s.kind for s in find_page_sections(render_compare(left, left))] == [
        "left",
        "right",
    ]
    run = samples.up_to_draft(samples.waiting())
    (section,) = find_page_sections(render_response(run, "draft", samples.an_id(21)))
    assert section.response_id == samples.an_id(21)
    assert section.label == "2"
