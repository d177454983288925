"""The remarks of several models become one list."""

import json
from itertools import combinations
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.runs import answer, answered, call_for, new_run
from writeit.domain.document import RunDocument
from writeit.domain.operations.review import (
    apply_suggestion,
    place_remarks,
)
from writeit.domain.remarks import Remark, merge_remarks, read_review
from writeit.domain.run import StepState

TEXT = "one two three four five six seven eight nine ten"
WORDS = TEXT.split()
RUN = UUID(int=1)
RAW = st.tuples(
    st.integers(0, len(WORDS) - 1), st.integers(1, 4), st.sampled_from("ab")
)


def said(model: int, raw: list[tuple[int, int, str]]) -> list[Remark]:
    """Return the remarks of one model, each by its words in the text and its kind."""
    text = "\n".join(
        '{{"quote": "{}", "kind": "{}", "remark": "r"}}'.format(
            " ".join(WORDS[first : first + count]), kind
        )
        for first, count, kind in raw
    )
    call = call_for(StepState(step_name="review")).evolve(model=f"openai/m{model}")
    made = answer(call).evolve(
        model_name=f"m{model}", raw_output=text or "[]", processed_content=text or "[]"
    )
    return list(read_review(RUN, [made], TEXT, ()).remarks)


@given(st.lists(st.lists(RAW, max_size=4), max_size=3))
def test_merged_remarks_are_apart_and_nothing_is_lost(
    raws: list[list[tuple[int, int, str]]],
) -> None:
    """Every remark is in one that it overlaps, and no two that are left overlap."""
    remarks = [each for n, raw in enumerate(raws) for each in said(n, raw)]
    merged = merge_remarks(remarks)
    for first, second in combinations(merged, 2):
        assert first.kind != second.kind or not overlap(first, second)
    for remark in remarks:
        assert any(
            each.kind == remark.kind
            and overlap(each, remark)
            and {*remark.models} <= {*each.models}
            and {*remark.response_ids} <= {*each.response_ids}
            for each in merged
        )
    assert merge_remarks(merged) == merged


def overlap(one: Remark, other: Remark) -> bool:
    """Whether two remarks are about the same words."""
    assert one.place
    assert other.place
    return one.place[0] < other.place[1] and other.place[0] < one.place[1]


@given(st.lists(RAW, max_size=5))
def test_the_same_answer_of_a_second_model_counts_and_adds_nothing(
    raw: list[tuple[int, int, str]],
) -> None:
    """What both say is there once, by two."""
    alone, both = said(1, raw), merge_remarks([*said(1, raw), *said(2, raw)])
    assert [(r.quote, r.kind) for r in both] == [(r.quote, r.kind) for r in alone]
    assert all(remark.count == 2 for remark in both)


def test_a_quotation_that_occurs_twice_or_never_has_no_place() -> None:
    """It is listed at the end, once, by all models that made it.

    So is a remark on the whole text, which is known by its own words.
    """
    text = "To be or not to be, that is\nthe question."
    raw = "\n".join(
        f'{{"quote": "{quote}", "remark": "r"}}' for quote in ("be", "is the", "cat")
    )
    raw += '{"remark": "No title."} {"quote": "", "remark": "No end."}'
    answers = [
        answer(call_for(StepState(step_name="review"))).evolve(
            model_name=model, raw_output=raw, processed_content=raw
        )
        for model in ("m1", "m2")
    ]
    remarks = read_review(RUN, answers, text, ()).remarks
    assert [(r.subject, r.place is not None, r.count) for r in remarks] == [
        ("is the", True, 2),
        ("be", False, 2),
        ("cat", False, 2),
        ("No title.", False, 2),
        ("No end.", False, 2),
    ]
    assert len({r.remark_id for r in remarks}) == len(remarks)


@pytest.mark.parametrize(
    ("text", "quote", "replacement", "expected"),
    [
        ("A\r\n\r\n- one item\r\n", "one item", "a\nb", "A\r\n\r\n- a\r\n  b\r\n"),
        ("> some words\n> here\n", "some words here", "a\n\nb", "> a\n>\n> b\n"),
        ("# The title\n", "The title", "# A title", "# A title\n"),
        ("See [it](x) now.\n", "See it now", "Read it now", "Read [it](x) now.\n"),
        ("It is 3 % now.\n", "3 %", "4 %", "It is 4 % now.\n"),
        ("Words here.\n", "Words here.", "---\nwriteit: {}\n---\nx", None),
        ("```\nold code\n```\n", "old code", "```\nout", None),
        ("Some words here.\n", "Some … here", "Some … now", "Some words now.\n"),
        ("Some words here.\n", "Some … here", "Short…", None),
    ],
)
def test_a_suggestion_fits_its_place_and_is_known_there(
    text: str, quote: str, replacement: str, expected: str | None
) -> None:
    """Marks, line ends, what a quotation leaves out stay; a misfit is not offered."""
    said = json.dumps({"quote": quote, "remark": "r", "replacement": replacement})
    run = answered(new_run(output="review", document=RunDocument(text=text)), said)
    (placed,) = place_remarks(run, text)
    assert placed.span
    better = apply_suggestion(run, placed, text)
    start, end = placed.span
    assert (better and text[:start] + better + text[end:]) == expected
    if expected:
        assert [p.state for p in place_remarks(run, expected)] == ["applied"]
