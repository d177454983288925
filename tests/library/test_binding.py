"""Front matter inserted or completed, with the existing part kept."""

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from writeit.domain.errors import InvalidParams, InvalidPipeline, NotFound
from writeit.domain.pipeline import InputSpec, PipelineConfiguration, StepSpec
from writeit.library.front_matter import split_front_matter
from writeit.library.front_matter_writer import (
    InputValues,
    can_insert_block,
    with_front_matter,
)
from writeit.text.front_matter import unread_opening

PIPELINE = PipelineConfiguration(
    name="post",
    created=datetime(2026, 1, 1, tzinfo=UTC),
    inputs=(
        InputSpec(name="notes", required=True, source="document"),
        InputSpec(name="readers", required=True),
        InputSpec(name="tone", default="dry: very"),
        InputSpec(name="wish"),
    ),
    steps=(StepSpec(name="draft", prompt="Write."),),
)
INPUTS = '  inputs:\n    readers: ""\n    tone: "dry: very"\n'
BLOCK = "writeit:\n  pipeline: post\n" + INPUTS
WIDE = """\
---
writeit:
    pipeline: post
    inputs:
      readers: ""
      tone: "dry: very"
"""
BRACED = '{pipeline: post, inputs: {readers: "", tone: wet}}'
BODY = "# Rivers\n\n---\n\nA river.\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"---\n{BLOCK}---\n"),
        (BODY, f"---\n{BLOCK}---\n{BODY}"),
        ("\ufeff" + BODY, f"\ufeff---\n{BLOCK}---\n{BODY}"),
        (
            f"---\ntitle: A  # mine\n---\n{BODY}",
            f"---\ntitle: A  # mine\n{BLOCK}---\n{BODY}",
        ),
        (f"---\nwriteit:\n---\n{BODY}", f"---\n{BLOCK}---\n{BODY}"),
        (
            f"---\nwriteit:\n    primer: dry  # mine\ntags: [a]\n---\n{BODY}",
            f"{WIDE}    primer: dry  # mine\ntags: [a]\n---\n{BODY}",
        ),
        (
            f"---\nwriteit: {{inputs: {{tone: wet}}}}\n---\n{BODY}",
            f"---\nwriteit: {BRACED}\n---\n{BODY}",
        ),
        (f"---\n{BLOCK}---\n{BODY}", f"---\n{BLOCK}---\n{BODY}"),
        (f"---\nwriteit: ~\n---\n{BODY}", f"---\n{BLOCK}---\n{BODY}"),
        (
            f"---\nwriteit: null  # mine\ntags: a\n...\n{BODY}",
            f"---\n{BLOCK}tags: a\n...\n{BODY}".replace("it:\n", "it:  # mine\n"),
        ),
        (
            f"\n---\nwriteit: # fill me in\n---\n{BODY}",
            f"\n---\n{BLOCK}---\n{BODY}".replace("it:\n", "it: # fill me in\n"),
        ),
    ],
)
def test_what_is_missing_is_put_in(before: str, after: str) -> None:
    """Into no front matter, somebody else's, half of ours, or in braces."""
    assert with_front_matter(before, PIPELINE) == after
    assert with_front_matter(after, PIPELINE) == after
    assert split_front_matter(after).config.pipeline == "post"


def test_given_inputs_are_written_where_nothing_stands_yet() -> None:
    """New inputs are added, and existing values are kept."""
    front = "---\nwriteit:\n  inputs:\n    tone: wet\n---\n"
    given: InputValues = {"readers": "people: all", "tone": "dry", "wish": 3}
    after = with_front_matter(front + BODY, PIPELINE, given)
    assert split_front_matter(after).config.inputs == {
        "readers": "people: all",
        "tone": "wet",
        "wish": "3",
    }


def test_an_input_that_the_pipeline_lacks_is_refused() -> None:
    """Nothing is written that would be a diagnostic at once."""
    with pytest.raises(NotFound):
        with_front_matter(BODY, PIPELINE, {"raeders": "all"})


def test_line_ends_are_those_of_the_text() -> None:
    """CRLF stays CRLF."""
    result = with_front_matter(BODY.replace("\n", "\r\n"), PIPELINE)
    assert result == f"---\n{BLOCK}---\n{BODY}".replace("\n", "\r\n")


def test_line_ends_are_those_of_the_lines_around_the_block() -> None:
    """In a document that has both."""
    before = "---\r\ntitle: A\nwriteit: ~\r\nz: 1\n---\n"
    inserted = with_front_matter(before, PIPELINE)
    assert BLOCK.replace("\n", "\r\n") in inserted
    assert (
        len(inserted.splitlines()) == len(before.splitlines()) + BLOCK.count("\n") - 1
    )
    before = "---\ntitle: A\n---\nLF\nCRLF\r\nCRLF\r\n"
    after = with_front_matter(before, PIPELINE)
    assert after == before.replace("A\n", f"A\n{BLOCK}")


@pytest.mark.parametrize(
    ("head", "dialect"),
    [
        ('+++\ntitle = "A"\n+++\n', "TOML"),
        ('\ufeff{"title": "A"}\n\n', "JSON"),
        ("% A\n% Me\n", "Pandoc"),
    ],
)
def test_in_front_matter_that_is_not_yaml_no_block_can_stand(
    head: str, dialect: str
) -> None:
    """The refusal names the dialect."""
    with pytest.raises(InvalidParams, match=f"begins with {dialect} front matter"):
        with_front_matter(head + BODY, PIPELINE)


def test_a_refusal_names_the_line_that_cannot_be_read() -> None:
    """It is the front matter of another tool."""
    before = "---\ntitle: A\nlink: [[A]], [[B]]\n---\n"
    with pytest.raises(InvalidPipeline, match="because of line 3"):
        with_front_matter(before + BODY, PIPELINE)


@pytest.mark.parametrize(
    "before",
    [
        "---\nwriteit: [a]\n---\n",
        "---\n{a: 1}\n---\n",
        "---\nwriteit: {pipeline: other}\n---\n",
        "---\nwriteit:\n  pipeline: post\n  inputs: 5\n---\n",
    ],
)
def test_what_cannot_be_completed_is_refused(before: str) -> None:
    """And what names another pipeline is not turned into this one."""
    with pytest.raises(InvalidPipeline):
        with_front_matter(before + BODY, PIPELINE)


PIECES = (
    *("---\n", "+++\n", "...\n", "{", "}\n\n", "% ", "\n", "\r\n", "\ufeff", " ", "#"),
    *(
        "writeit:",
        "writeit: ~ # c\n",
        "[writeit]\n",
        "a: 1\n",
        "a = 1\n",
        '"a": 1',
        "[a]",
    ),
)


@settings(deadline=None)
@example("---\n---\nwriteit:")
@given(st.lists(st.sampled_from(PIECES), max_size=10).map("".join))
def test_front_matter_is_offered_where_it_is_inserted(text: str) -> None:
    """The body is kept, and another body keeps the front matter."""
    found = split_front_matter(text)
    if found.dialect is not None:
        other = split_front_matter(found.with_body("body\n"))
        assert (other.dialect, other.body) == (found.dialect, "body\n")
    try:
        after = split_front_matter(with_front_matter(text, PIPELINE))
    except (InvalidParams, InvalidPipeline):
        head = found.head if found.dialect else ""
        below = unread_opening(text[len(head) :], is_below=True) if head else text
        assert not can_insert_block(head + below)
    else:
        assert (after.config.pipeline, after.body) == ("post", found.body)
