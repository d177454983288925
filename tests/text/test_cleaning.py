"""What a model puts around a text is taken off, and nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeit.text.cleaning import clean_answer, describe_removed

PROMPT = "Edit it.\n\n<passage>\nBody are here.\n</passage>\n\nNow."


@pytest.mark.parametrize(
    ("raw", "clean"),
    [
        ("\n\nText.\n\n", "Text."),
        ("```markdown\n# T\n\nText.\n```\n", "# T\n\nText."),
        ("```\nText.\n```", "Text."),
        ("~~~md\r\nText.\r\n~~~", "Text."),
        ("````md\n```python\nx\n```\n````", "```python\nx\n```"),
        ("```markdown\n```python\nx\n```\n\nMore.\n```", "```python\nx\n```\n\nMore."),
        (
            "```\n# T\n\n```python\nx\n```\n\nMore.\n```",
            "# T\n\n```python\nx\n```\n\nMore.",
        ),
        (
            "```markdown\n# T\n\n```\nx\n```\n\nMore.\n```",
            "# T\n\n```\nx\n```\n\nMore.",
        ),
        ("```markdown\n# T\n\n```\nx\n```\n", "# T\n\n```\nx\n```"),
        ("```markdown\n# T\n\n```python\nx\n```", "# T\n\n```python\nx\n```"),
        ("```markdown\n# T\n\nText", "# T\n\nText"),
        ("<think>Hm.\n</think>\n\nSo.", "So."),
        ("Here is the revised text:\n\nSo.", "So."),
        ("Sure! Here's the polished passage:\n\nSo.", "So."),
        ("**Revised version:**\n\nSo.", "So."),
        ("Here is the revised list item:\n\nSo.", "So."),
        ("```plaintext\nSo.\n```", "So."),
        ("````markdown\n```\nx\n```\n````", "```\nx\n```"),
        ("<think>So.</think>So.", "So."),
        ("Here is the corrected Markdown:\n\nSo.", "So."),
        ("I've tightened it as follows:\n\nSo.", "So."),
        ("<passage>\nBody is here.\n</passage>", "Body is here."),
        ("<passage-2>\nBody is here.\n</passage-2>", "Body is here."),
        ("Sure! Here is the article, rewritten as you asked:\n\nSo.", "So."),
        ("Certainly!\n\n# So\n\nIt is.", "# So\n\nIt is."),
        ("So.\n\nLet me know if you'd like me to adjust the tone!", "So."),
        ("So.\n\n---\n\nWould you like me to make it shorter?", "So."),
        ("So.\n\nI hope this helps! Let me know if you need any changes.", "So."),
        ("```md\nSo.\n```\n\nIf you'd like, I can shorten it.", "So."),
        (
            "```markdown\n# T\n\n```python\nprint('queue')\n```\n\nThat is all.\n```",
            "# T\n\n```python\nprint('queue')\n```\n\nThat is all.",
        ),
        (
            "<think>x</think>Here is the text:\n\n```\n<passage>\nA\n</passage>\n```",
            "A",
        ),
    ],
)
def test_what_is_around_a_text_is_removed(raw: str, clean: str) -> None:
    """A fence also if it is never closed or if there is code in it."""
    assert clean_answer(raw, "Body are here.", PROMPT) == clean
    assert bool(describe_removed(raw, clean)) == (raw.strip() != clean)


@pytest.mark.parametrize(
    "raw",
    [
        "```python\nx = 1\n```",
        "```\nx\n```\nText.",
        "```md\nText\n```\n\nI hope that this helps.",
        "```\nx\n```\n\nText.\n\n```\ny\n```",
        "```\n```",
        "Here is what we found:\n\nSo.",
        "Here is the text: short.\n\nMore.",
        "Here is the list:\n\n- a",
        "Improved speed:\n\n- a",
        "<details>\nMore.\n</details>",
        "So.\n\nLet me know what you think!",
        "So.\n\nI hope this helps!",
        "So. Let me know if you'd like me to come.",
        "Certainly!\n\nSo.",
        "Of course! they said.\n\nSo.",
        "Let me know if you'd like me to come.",
    ],
)
def test_the_text_itself_is_kept(raw: str) -> None:
    """Never all of it is removed."""
    assert clean_answer(raw, "Body are here.", PROMPT) == raw
    assert describe_removed(raw, raw) == []


@pytest.mark.parametrize(
    "passage",
    [
        "```\nmake all\n```",
        "```markdown\n# T\n```",
        "<think>Hm.</think>\n\nSo.",
        "Here is the text:\n\nSo.",
        "So.\n\nLet me know if you'd like me to come.",
        "<passage>\nOld.\n</passage>",
    ],
)
def test_what_the_passage_has_is_kept(passage: str) -> None:
    """Cleaning looks at what was asked."""
    assert clean_answer(passage, passage, PROMPT, passage) == passage


def test_an_announcement_of_the_passage_is_kept_when_it_is_rewritten() -> None:
    """One before it is not."""
    passage, text = "Here is the draft, as sent:\n\nSo.", "Here is my draft:\n\nSo."
    assert clean_answer(text, passage) == text
    assert clean_answer(f"Here is the revised text:\n\n{text}", passage) == text


def test_a_fence_around_a_passage_of_code_is_removed() -> None:
    """The passage's own fence stays."""
    code = "```\nmake all\n```"
    assert clean_answer(f"````markdown\n{code}\n````", code) == code
    assert clean_answer(f"```markdown\n{code}\n```", code) == code


def test_a_fence_around_an_article_is_removed_although_notes_begin_with_code() -> None:
    """They are not in a fence."""
    notes = "```{r}\nx <- 1\n```\n\n# Notes\n"
    assert clean_answer("```markdown\n# T\n\nText.\n```", notes) == "# T\n\nText."
    assert clean_answer("```\nx\n```\n\n# T", notes) == "```\nx\n```\n\n# T"


def test_what_was_removed_is_named() -> None:
    """For the page of the answer."""
    raw = "<think>x</think>\nHere is the text:\n\n```md\n<passage>\nA\n</passage>\n```"
    assert describe_removed(raw, "A") == [
        "its thoughts",
        "the line “Here is the text:”",
        "the code fence around it",
        "the tags <passage>",
    ]


WORDS = ["Sure", "Here", "is", "the", "article", "let me know", "if you", "so", "well"]


@given(
    st.lists(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=8).map(" ".join),
        min_size=1,
        max_size=4,
    )
)
def test_an_answer_that_begins_and_ends_with_text_stays(paragraphs: list[str]) -> None:
    """Whatever words it has: a writer's own are never taken away."""
    text = ".\n\n".join(paragraphs) + "."
    assert clean_answer(text, "Body are here.", PROMPT) == text
