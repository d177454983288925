"""Remarks in the answers of models, however they wrap and damage the JSON."""

import json
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeit.text.remark_reader import MAX_REMARKS, RawRemark, read_remarks, to_kind

WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(
    str.strip
)
REMARKS = st.lists(
    st.builds(
        lambda quote, kind, remark, replacement: {
            "quote": quote.strip(),
            "kind": kind,
            "remark": remark.strip(),
            "replacement": replacement,
        },
        *(WORDS, WORDS, WORDS),
        st.none() | WORDS.map(lambda words: f"={words.strip()}"),
    ),
    max_size=8,
    unique_by=lambda remark: remark["quote"],
)
FORMS: dict[str, Callable[[list[dict[str, str]]], str]] = {
    "as asked": lambda items: json.dumps({"remarks": items}),
    "a bare list": lambda items: json.dumps(items, ensure_ascii=False),
    "a fence with prose": lambda items: (
        f"Here you go:\n\n```json\n{json.dumps({'remarks': items})}\n```\nBye!"
    ),
    "an object a line": lambda items: "\n".join(map(json.dumps, items)) or "[]",
    "trailing commas": lambda items: (
        '{"remarks": ['
        + ", ".join(map(json.dumps, items))
        + (",],}" if items else "]}")
    ),
    "a list in a list": lambda items: json.dumps([{"remarks": items}]) + " done",
}


def expected(items: list[dict[str, str]]) -> tuple[RawRemark, ...]:
    """Return what is to be read from items."""
    return tuple(
        RawRemark(i["quote"], to_kind(i["kind"]), i["remark"], i["replacement"])
        for i in items
    )


@pytest.mark.parametrize("form", FORMS)
@given(items=REMARKS)
def test_every_remark_is_read_in_every_form(
    form: str, items: list[dict[str, str]]
) -> None:
    """No text in a remark, also one that looks like JSON, makes a difference."""
    read = read_remarks(FORMS[form](items))
    assert (read.remarks, read.unread, read.is_list) == (expected(items), 0, True)


@given(items=REMARKS, share=st.floats(0, 1))
def test_of_a_cut_answer_every_whole_remark_is_kept(
    items: list[dict[str, str]], share: float
) -> None:
    """And no other is made up but the beginning of the one that was cut."""
    whole = json.dumps({"remarks": items})
    cut = whole[: round(share * len(whole))]
    ended = [item for item in items if json.dumps(item) in cut]
    read = read_remarks(cut)
    assert read.remarks[: len(ended)] == expected(ended)
    assert len(read.remarks) <= len(ended) + 1


@given(st.text() | st.text('{}[]":,\\remarksquotekind \n', max_size=200))
def test_any_answer_is_read_without_an_error(answer: str) -> None:
    """What is no list of remarks says so, and loses nothing that was read."""
    read = read_remarks(answer)
    assert read.is_list or not read.remarks


@pytest.mark.parametrize(
    ("answer", "quote", "remark"),
    [
        ("{'quote': 'it\\'s', 'remark': 'y'}", "it's", "y"),
        ("{“quote”: “a”, “remark”: “b”}", "a", "b"),
        ('{"quote": "so "called" here", "remark": "y"}', 'so "called" here', "y"),
        ('{"quote": "a\nb", "remark": "y"}', "a\nb", "y"),
        ('{"Quote": "a", "Remark": "cut off here', "a", "cut off here"),
        ('{"quote": "a" "remark": "no comma"}', "a", "no comma"),
        ('{"remark": "No title."}', "", "No title."),
        ('{"quote": null, "remark": "y", "replacement": "z"}', "", "y"),
        ('{"quote": " ", "remark": "y"}', "", "y"),
        ('{"remarks": ["Too long."]}', "", "Too long."),
        ('{"id": 1, "quote": "a", "remark": "y"}', "a", "y"),
        ('{"quote": 3, "remark": ["y", "z"]}', "3", "y z"),
        ('{"quote": "a\\ud83d", "remark": "y\\u001b[1m\\r\\n"}', "a\ufffd", "y[1m"),
        ('{"quote": "a", "remark": "y", "replacement": "half of', "a", "y"),
    ],
)
def test_damaged_json_is_repaired(answer: str, quote: str, remark: str) -> None:
    """Each is a mistake that models make; no quotation means the whole text."""
    assert read_remarks(answer).remarks == (RawRemark(quote, "other", remark),)


@pytest.mark.parametrize(
    ("answer", "unread", "is_list"),
    [
        ("I like it [very] much: {nothing} to say.", 0, False),
        ('{"remarks": [', 0, False),
        ('{"remarks": [{"quote": "y", "remark": {}}]}', 1, False),
        ('[{"quote": "a", "remark": "y"}, {"quote": "b"}]', 1, True),
        ("```json\n[]\n```", 0, True),
        ('{"quote":' * 5_000, 400, False),
    ],
)
def test_what_cannot_be_read_is_counted(
    answer: str, unread: int, is_list: bool
) -> None:
    """An answer without a list is no review."""
    read = read_remarks(answer)
    assert (read.unread, read.is_list) == (unread, is_list)


def test_of_too_many_remarks_the_rest_is_counted() -> None:
    """Nothing is left out in silence."""
    items = [{"quote": f"a{n}", "remark": "y"} for n in range(MAX_REMARKS + 7)]
    read = read_remarks(json.dumps(items))
    assert (len(read.remarks), read.unread) == (MAX_REMARKS, 7)


def test_an_answer_that_is_slow_to_repair_is_given_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its time grows with length times marks; each part is counted as unread."""
    repaired: list[str] = []
    monkeypatch.setattr(
        "json_repair.repair_json", lambda text, **_: repaired.append(text)
    )
    read = read_remarks(('{"quote": [' + "{" * 999 + "\n") * 50)
    assert (read.unread, len(repaired)) == (50, 2)
