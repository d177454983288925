"""Names, titles and other people's words never break a page."""

from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import example, given, settings

from views import samples
from views.rendered import render_compare, render_response, render_step
from views.typing_hands import TEXTS
from writeit.domain.entity import ModelPreview, UsageTotal
from writeit.domain.errors import NotFound
from writeit.domain.run import PipelineStatus, StepState
from writeit.text.block_reader import unclosed_fence
from writeit.views.compare import ComparedText
from writeit.views.escape import (
    code_block,
    display_width,
    escape_inline,
    escape_line,
    markdown_table,
    shorten,
    single_line,
)
from writeit.views.page_outline import find_page_sections, heading_tree
from writeit.views.run import render_run, tree_rows
from writeit.views.step import render_content, render_prompt
from writeit.views.usage import render_usage

NASTY = [
    "# No heading",
    "- no list",
    "1. no number",
    "===",
    "two\n\n# lines",
    "<!-- no comment",
    "```",
    "*a* _b_ `c` [d](e) | f ~~g~~ &amp;",
    "<script>alert(1)</script>",
    "\u202eturned\u2028round\x00",
    "> no quotation",
    "\\",
]
WORDS = st.sampled_from(NASTY) | st.text(min_size=1, max_size=30)


def titles(page: str) -> list[str]:
    """The headings of a page below its title, without what is behind a dot."""
    (top,) = heading_tree(page, find_page_sections(page))
    return [heading.title.partition(" · ")[0] for heading in top.children]


@settings(deadline=None)
@given(WORDS, WORDS, WORDS)
def test_a_steps_page_keeps_its_shape(name: str, model: str, said: str) -> None:
    """Whatever the run, its models and its failures are called."""
    model = f"x/{model}"
    step = samples.a_step(
        "draft",
        samples.an_answer(20, model),
        failures=(samples.a_failure(21, model, "refused", said),),
    )
    page = render_step(samples.up_to_draft(step, name=name), "draft", description=said)
    assert titles(page) == ["Answer 1", "Answer 2", "Merge", "Feedback"]


@settings(deadline=None)
@given(WORDS, WORDS)
def test_a_runs_page_keeps_its_shape(name: str, given_text: str) -> None:
    """Whatever the run and its relatives are called, and whatever it was given."""
    node = samples.a_node(
        run_id=samples.RUN,
        name=name,
        status=PipelineStatus.RUNNING,
        current_step="draft",
        branch_point="draft",
    )
    root = samples.a_node(
        run_id=samples.an_id(2),
        name=name,
        status=PipelineStatus.COMPLETED,
        current_step="polish",
        children=(node,),
    )
    inputs = {"notes": given_text}
    run = samples.up_to_draft(samples.six_answers(), name=name, user_inputs=inputs)
    page = render_run(run, root)
    shown = ["Inputs"] if given_text.strip() else []
    assert titles(page) == ["Steps", "Failed calls", *shown, "Branches"]
    tree = page.partition("```text\n")[2].partition("\n```\n")[0]
    assert len(tree.split("\n")) == 2 or "```" in name


@settings(deadline=None)
@given(WORDS, TEXTS)
def test_a_prompts_page_keeps_its_shape(model: str, prompt: str) -> None:
    """The prompt stands there whole, and nothing in it closes its fence."""
    models = [ModelPreview(id=model, prompt_tokens=1, destination=model)]
    page = render_prompt(samples.a_run(), "draft", prompt, models)
    assert titles(page) == ["The prompt"]
    assert prompt.removesuffix("\n") in page
    assert page.split("\n")[6].startswith("| ")
    assert page.split("\n")[7].startswith("| ")


@settings(deadline=None)
@given(TEXTS, TEXTS, WORDS)
@example("\x1b", "words", "a word that no screen shows")
def test_a_comparison_keeps_its_shape(left: str, right: str, title: str) -> None:
    """What differs, then the two texts."""
    one = ComparedText(title=title, run_label=title, text=left)
    other = ComparedText(title=title, run_label="another run", text=right)
    before, after = (t.partition(":")[0] for t in titles(render_compare(one, other)))
    assert (before, after) == ("Before", "After")


@settings(deadline=None)
@given(st.text(max_size=60) | st.sampled_from(NASTY))
def test_a_line_is_one_line(text: str) -> None:
    """On the screen as in the page."""
    for shown in (
        single_line(text),
        escape_inline(text),
        escape_line(text),
        shorten(text),
    ):
        assert len(shown.splitlines()) <= 1
        assert shown == shown.strip() or shown.endswith("\\ ")


@pytest.mark.parametrize("text", NASTY)
def test_a_line_begins_nothing(text: str) -> None:
    """No heading, list, quotation, rule, fence or HTML."""
    assert escape_line(text)[0] == "\\" or escape_line(text)[0].isalnum()


def test_underlines_within_words_stay() -> None:
    """A name such as blog_post needs no backslash."""
    assert escape_inline("blog_post_2 and _this_") == "blog_post_2 and \\_this\\_"


@settings(deadline=None)
@given(TEXTS)
def test_a_fence_is_closed_by_its_own_end_only(text: str) -> None:
    """However many backticks are in the text."""
    assert unclosed_fence(code_block(text)) is None
    assert unclosed_fence(code_block(text).rpartition("\n")[0]) is not None


def test_a_table_lines_up() -> None:
    """Also with wide characters."""
    rows = [("蜂", "1"), ("bees", "1,000")]
    drawn = markdown_table(("name", "words"), rows, right_aligned=[1]).split("\n")
    assert {display_width(row) for row in drawn} == {display_width(drawn[0])}
    assert drawn[2] == "| 蜂   |     1 |"


def test_a_long_text_is_shortened_at_a_word() -> None:
    """And says that there is more."""
    assert shorten("The last bee is in, and", 12) == "The last bee …"
    assert shorten("x" * 30, 12) == "x" * 12 + " …"
    assert shorten("short", 12) == "short"


def test_a_family_of_a_hundred_generations() -> None:
    """A tree is drawn however deep it is."""
    node = samples.a_node(
        run_id=samples.RUN,
        name="",
        status=PipelineStatus.RUNNING,
        current_step="draft",
        branch_point="draft",
        more=True,
    )
    for _ in range(1_500):
        node = samples.a_node(
            run_id=samples.an_id(2),
            name="",
            status=PipelineStatus.RUNNING,
            current_step="draft",
            branch_point="draft",
            children=(node,),
        )
    lines = [line for line, _ in tree_rows(node, samples.RUN)]
    assert len(lines) - 1 == 1_501
    assert lines[-2].endswith("← this run")
    assert lines[-1].endswith("└─ … more")


@pytest.mark.parametrize(
    "render",
    [
        lambda run: render_step(run, "drafts"),
        lambda run: render_response(run, "draft", samples.an_id(99)),
        lambda run: render_content(run, "draft"),
    ],
)
def test_what_is_not_there_is_not_found(render: Any) -> None:
    """And the hint says what there is, or what to do."""
    with pytest.raises(NotFound) as refused:
        render(samples.up_to_draft(samples.waiting()))
    assert refused.value.hint


def test_nothing_used_yet() -> None:
    """A page without empty tables."""
    page = render_usage({"model": []}, UsageTotal(key="total"), since=samples.BEGUN)
    assert page.startswith("# Usage\n\n")
    assert "22 November 2026" in page
    assert "|" not in page


def test_an_unasked_step_has_nothing_to_edit() -> None:
    """Words would go nowhere there: a step takes them once it was asked."""
    page = render_step(samples.up_to_draft(StepState(step_name="draft")), "draft")
    assert "<!--" not in page


def test_a_run_without_calls_shows_no_cost() -> None:
    """There is no cost before the first call."""
    page = render_run(samples.a_run())
    assert "cost" not in page.lower()
