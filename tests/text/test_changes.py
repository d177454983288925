"""The blocks that an apply changed: what is kept and undone, in any order."""

from itertools import pairwise
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.text_strategies import edited, essay, texts
from writeit.text import changes, diff
from writeit.text.changes import AppliedChanges, ChangedBlock, undo_blocks
from writeit.text.lines import LINE_END

BEFORE = "# Notes\n\nOne is old.\n\nTwo stays.\n\nThree is old.\n\nFour stays.\n"
AFTER = BEFORE.replace("One is old", "One is new").replace("Three is", "Three was")
ONE, THREE = "One is new.\n", "Three was old.\n"
TWO, MORE = "Two stays", "I add.\n\nTwo stays"


def blocks_of(text: str) -> list[ChangedBlock]:
    """The blocks of the apply above in a text."""
    return AppliedChanges(BEFORE, AFTER).find_blocks(text)


def lines_of(text: str, block: ChangedBlock) -> str:
    """The lines of a block, each with its end."""
    return "".join(text.splitlines(keepends=True)[block.first : block.stop])


def words(text: str, blocks: list[ChangedBlock]) -> list[str]:
    """What stands in the blocks of a text."""
    return [lines_of(text, block) for block in blocks]


few_lines = st.text(alphabet=st.sampled_from("ab \n.é\u0301👩\u200d\u2028\x0c"))
"""Lines that are equal by chance, other separators, combining marks."""


@st.composite
def applies(draw: st.DrawFn) -> tuple[str, str]:
    """A text before and after an apply, with one kind of line end."""
    before = draw(st.one_of(texts(), few_lines))
    after = draw(st.one_of(edited(before, 8), texts(), few_lines))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    before, after = (LINE_END.sub(end, f"# T\n{text}") for text in (before, after))
    return before, after


@given(applies(), st.data())
def test_undoing_all_in_any_order_brings_the_text_before_back(
    apply: tuple[str, str], data: st.DataObject
) -> None:
    """One block after the other, each found again in the text of that moment."""
    before, after = apply
    found, text = AppliedChanges(before, after), after
    total = len(found.find_blocks(after))
    for left in range(total, 0, -1):
        blocks = found.find_blocks(text)
        assert len(blocks) == left
        text = undo_blocks(text, [data.draw(st.sampled_from(blocks))])
    assert text == before
    assert found.find_blocks(text) == []


@given(applies())
def test_undoing_all_at_once_brings_the_text_before_back(
    apply: tuple[str, str],
) -> None:
    """The text that the changes are shown against is the same."""
    found, text = AppliedChanges(*apply), apply[1]
    blocks = found.find_blocks(text)
    assert undo_blocks(text, blocks) == apply[0]


@given(applies(), st.data())
def test_undoing_some_leaves_the_others_as_they_were(
    apply: tuple[str, str], data: st.DataObject
) -> None:
    """The keys of the others are what a kept block is known by."""
    found = AppliedChanges(*apply)
    blocks = found.find_blocks(apply[1])
    undone = data.draw(st.sets(st.sampled_from(blocks))) if blocks else set()
    text = undo_blocks(apply[1], [block for block in blocks if block in undone])
    assert len(found.find_blocks(text)) == len(blocks) - len(undone)


@given(applies(), st.data())
def test_no_block_reaches_outside_of_what_the_apply_changed(
    apply: tuple[str, str], data: st.DataObject
) -> None:
    """Whatever the user typed: undoing one block changes its own place only."""
    text = data.draw(edited(apply[1]))
    blocks = AppliedChanges(*apply).find_blocks(text)
    assert all(one.stop <= other.first for one, other in pairwise(blocks))
    lines = LINE_END.split(text)
    for block in blocks:
        undone = LINE_END.split(undo_blocks(text, [block]))
        assert undone[: block.first] == lines[: block.first]
        assert [*reversed(undone)][: len(lines) - block.stop] == [
            *reversed(lines[block.stop :])
        ]


@given(st.data())
def test_the_users_own_edits_outside_of_the_blocks_survive_all_undos(
    data: st.DataObject,
) -> None:
    """Lines typed, changed and removed between the blocks; in any order."""
    lines = [f"Line {n} of the text, {'with more ' * (n % 3)}words." for n in range(12)]
    places = data.draw(st.sets(st.integers(0, 11), min_size=1, max_size=5))
    others = sorted({*range(12)} - {n + d for n in places for d in (-1, 0, 1)})
    mine = data.draw(st.sets(st.sampled_from(others))) if others else set()
    edits = {
        n: data.draw(st.sampled_from(["", "My own.", "Mine\n\nTwo"])) for n in mine
    }

    def text(*, applied: bool, typed: bool) -> str:
        own = [edits.get(n, line) if typed else line for n, line in enumerate(lines)]
        new = [
            "An answer." if applied and n in places else x for n, x in enumerate(own)
        ]
        return "\n\n".join(new) + "\n"

    found = AppliedChanges(
        text(applied=False, typed=False), text(applied=True, typed=False)
    )
    now = text(applied=True, typed=True)
    while blocks := found.find_blocks(now):
        now = undo_blocks(now, [data.draw(st.sampled_from(blocks))])
    assert now == text(applied=False, typed=True)


@pytest.mark.parametrize(
    ("typed", "undone"),
    [
        (AFTER, BEFORE.replace("Three is", "Three was")),
        (AFTER.replace("One", "My one"), BEFORE.replace("One", "My one")),
        (AFTER.replace(TWO, MORE), BEFORE.replace(TWO, MORE)),
        (AFTER.replace("# Notes\n\n", ""), BEFORE.replace("# Notes\n\n", "")),
        (AFTER.replace("\n", "\r\n"), BEFORE.replace("\n", "\r\n")),
        (f"Begin.\n\n{AFTER}", f"Begin.\n\n{BEFORE}"),
    ],
    ids=["untouched", "edited", "more below", "less above", "converted", "more above"],
)  # fmt: skip
def test_a_block_is_undone_with_what_the_user_typed(typed: str, undone: str) -> None:
    """In it and around it."""
    block = blocks_of(typed)[0]
    undone = undone.replace("Three is", "Three was")
    assert undo_blocks(typed, [block]) == undone


@pytest.mark.parametrize("now", ["One is brand new.\n", "One is new, I say.\n"])
def test_a_block_whose_words_cannot_be_told_apart_is_a_conflict(now: str) -> None:
    """The user wrote right beside a word that the apply had changed."""
    typed = AFTER.replace(ONE, now)
    blocks = blocks_of(typed)
    assert [block.undone is None for block in blocks] == [True, False]
    assert words(typed, blocks) == [now, THREE]


@pytest.mark.parametrize("mine", ["", "All my own words now.\n"])
def test_a_block_that_the_user_replaced_is_the_users(mine: str) -> None:
    """Nothing of the applied text is left to be kept or undone."""
    typed = AFTER.replace(ONE, mine)
    assert words(typed, blocks_of(typed)) == [THREE]


def test_removed_text_comes_back_beside_what_was_typed_there() -> None:
    """Once; it is not offered again when the user edits it."""
    before = "One.\n\nTwo goes away with the apply.\n\nThree.\n"
    found = AppliedChanges(before, "One.\n\nThree.\n")
    typed = "One.\n\nI type here.\n\nThree.\n"
    undone = undo_blocks(typed, found.find_blocks(typed))
    assert undone.replace("I type here.\n\n", "") == before
    edited_since = undone.replace("goes away", "went away")
    assert found.find_blocks(undone) == found.find_blocks(edited_since) == []


def test_blocks_with_the_same_new_text_are_not_taken_for_each_other() -> None:
    """The lines around tell which of them was undone."""
    before = "A one.\n\n* * *\n\nB two.\n\n* * *\n\nC three.\n"
    after = before.replace("* * *", "---")
    found = AppliedChanges(before, after)
    undone = undo_blocks(after, found.find_blocks(after)[:1]) + "\nMine.\n"
    (block,) = found.find_blocks(undone)
    assert undo_blocks(undone, [block]) == f"{before}\nMine.\n"


@pytest.mark.parametrize("end", ["", "\n"])
def test_an_editor_may_add_or_remove_the_end_of_the_last_line(end: str) -> None:
    """As many do when they save."""
    found = AppliedChanges("Old words" + end, "New lines" + end)
    saved = "New lines" + ("" if end else "\n")
    (block,) = found.find_blocks(saved)
    assert undo_blocks(saved, [block]) == "Old words" + ("" if end else "\n")


def test_of_a_replaced_article_each_paragraph_is_found_after_one_was_edited() -> None:
    """No line is as it was before, and still one edit does not touch the others."""
    before, after = (essay(Random(seed), 4_000) for seed in (1, 2))  # noqa: S311 -- no secret
    found = AppliedChanges(before, after)
    blocks = found.find_blocks(after)
    middle = blocks[len(blocks) // 2]
    typed = after.replace(line := lines_of(after, middle), f"Mine. {line}")
    now = found.find_blocks(typed)
    assert [block.keys for block in now] == [block.keys for block in blocks]
    assert [block.undone is None for block in now].count(True) <= 1


def test_a_book_is_compared_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ten thousand lines, a hundred blocks, an edit: lines are matched a few times."""
    compared: list[int] = []

    def count(a: list[str], b: list[str]) -> list[tuple[int, int]]:
        compared.append(len(a) + len(b))
        return diff.match_sequences(a, b)

    lines = [f"Paragraph {n} of a book.\n" for n in range(10_000)]
    after = [f"New {line}" if n % 100 == 0 else line for n, line in enumerate(lines)]
    found = AppliedChanges("".join(lines), "".join(after))
    after[5_000] = "Mine.\n"
    monkeypatch.setattr(changes, "match_sequences", count)
    assert len(found.find_blocks("".join(after))) == 99
    assert sum(compared) < 10 * len(lines)


def test_a_text_without_line_ends_gets_those_of_before() -> None:
    """One that was replaced by a single line."""
    changes = AppliedChanges("One.\r\n\r\nTwo.", "All.")
    blocks = changes.find_blocks("All.")
    assert undo_blocks("All.", blocks, changes.line_end) == "One.\r\n\r\nTwo."
