"""Thoughts that a model writes into its answer are told apart from its text."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from writeit.text.thoughts import ThoughtSplitter, split_thoughts

PIECES = [
    *("<think>", "</think>", "<thinking>", "</thinking>", "[THINK]", "[/THINK]"),
    *("<", "</th", "`", "```", "```python", "~~~", "\n", "\r\n", " ", "a word", "é"),
    *("\n\n", "x" * 150, "İ"),
]


@pytest.mark.parametrize(
    ("raw", "text", "thoughts"),
    [
        ("<think>Hm.</think>So.", "So.", "Hm."),
        ("\n<think>\nHm.\n</think>\n\nSo.", "\n\n\nSo.", "Hm."),
        ("<thinking>Hm.</thinking>So.", "So.", "Hm."),
        ("<THINK>Hm.</Think>So.", "So.", "Hm."),
        ("[THINK]Hm.[/THINK]So.", "So.", "Hm."),
        ("◁think▷Hm.◁/think▷So.", "So.", "Hm."),
        ("<seed:think>Hm.</seed:think>So.", "So.", "Hm."),
        ("<|START_THINKING|>Hm.<|END_THINKING|>So.", "So.", "Hm."),
        ("<longcat_think>Hm.</longcat_think>So.", "So.", "Hm."),
        ("<think>One.</think>\n<think>Two.</think>So.", "\nSo.", "One.\n\nTwo."),
        ("Hm.\n</think>\n\nSo.", "\n\nSo.", "Hm."),
        ("Hm. Or so.</think>So.", "So.", "Hm. Or so."),
        ("<think>Hm. And th", "", "Hm. And th"),
        ("<think>Hm.</thi", "", "Hm.</thi"),
        ("Begin.\n<think>Hm.</think>\nGo on.", "Begin.\n\nGo on.", "Hm."),
        ("So.", "So.", ""),
        ("[think](https://x.y) first.", "[think](https://x.y) first.", ""),
        ("```\n<think>x</think>\n```\n", "```\n<think>x</think>\n```\n", ""),
        ("Write `<think>` and `</think>`.", "Write `<think>` and `</think>`.", ""),
        ("~~~xml\na</think>\n~~~\n</think>So.", "So.", "~~~xml\na</think>\n~~~"),
    ],
)
def test_a_thought_is_no_text(raw: str, text: str, thoughts: str) -> None:
    """With or without its tags; in code, tags are text."""
    split = split_thoughts(raw)
    assert (split.text, split.thoughts) == (text, thoughts)


def test_a_text_about_such_tags_keeps_them() -> None:
    """The prompt or the passage has them; only a thought at the start is one."""
    prompt = "Rewrite: a model writes <think> and then </think>."
    text = "A model writes\n<think>\nand then </think>."
    assert split_thoughts(text, prompt).text == text
    assert split_thoughts(f"<think>Hm.</think>{text}", prompt).text == text
    passage = "<think>\nHm.\n</think>"
    assert split_thoughts(passage, passage, passage).text == passage


@given(st.lists(st.sampled_from(PIECES), max_size=30), st.data())
@example(["<", "think", ">", "a", "</", "think>", "b"], None)
def test_any_pieces_give_what_the_whole_gives(
    parts: list[str], data: st.DataObject | None
) -> None:
    """Tags may be split anywhere; the joined pieces are the answer."""
    raw = "".join(parts)
    splitter, sent, start = ThoughtSplitter(), [], 0
    while start < len(raw):
        size = 1 if data is None else data.draw(st.integers(1, 40))
        sent += splitter.feed(raw[start : start + size])
        start += size
    sent += splitter.finish()
    whole = split_thoughts(raw)
    assert "".join(piece.text for piece in sent) == raw
    assert (splitter.text, splitter.thoughts) == (whole.text, whole.thoughts)
    assert splitter.up_to == whole.up_to
    rest, offset = "", 0
    for piece in sent:
        offset += len(piece.text)
        if not piece.is_thought and offset > whole.up_to:
            rest += piece.text
    assert rest == whole.text


@given(st.text(st.characters(blacklist_characters="<[◁"), max_size=200))
def test_a_text_without_tags_is_never_shortened(text: str) -> None:
    """Whatever it has."""
    assert split_thoughts(text).text == text
