"""Words that a style avoids: which rules a primer has, and where a text breaks them."""

# ruff: noqa: D103 -- the name of a test is its promise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from writeit.text.style_rules import (
    StyleLinter,
    StyleRule,
    guideline_rules,
    is_searchable,
)


def found(text: str, *rules: StyleRule, language: str = "english") -> list[str]:
    """Return the words of a text that break rules."""
    return [text[h.start : h.end] for h in StyleLinter(rules, language).find(text)]


@pytest.mark.parametrize(
    ("avoid", "words"),
    [
        ("words such as leverage, synergy and going forward", "leverage|synergy|going"),
        ("the words simply, just or easily", "simply|just|easily"),
        ('openings such as "In today\'s world"', "In today's world"),
        ("utilize", "utilize"),
        ("in order to", "in order to"),
        ("not only * but also", "not only * but also"),
        ("claims stronger than their evidence", ""),
    ],
)
def test_a_guideline_names_words_or_describes(avoid: str, words: str) -> None:
    rules = list(guideline_rules([avoid], []))
    assert [r.avoid for r in rules] == [
        w.replace("going", "going forward") for w in words.split("|") if w
    ]


def test_a_guideline_says_what_is_better() -> None:
    rules = guideline_rules(
        ["utilize → use, apply"], ['"about" instead of "approximately"']
    )
    assert {(r.avoid, r.prefer) for r in rules} == {
        ("approximately", ("about",)),
        ("utilize", ("use", "apply")),
    }


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        (
            "We leveraged it; leverage, Leverages.",
            ["leveraged", "leverage", "Leverages"],
        ),
        ("Unleveraged lever.", []),
        ("`leverage` and [leverage](x) and [a](http://leverage.org)", []),
        ("<leverage@x.org> https://leverage.org/leverage", []),
        ('He said "leverage", “leverage” and „leverage“.', []),
        ("'We leverage it', it's leverage's, 'and don't leverage'", ["leverage's"]),
        ('A 5" pipe: leverage 6" of it.[^leverage]', ["leverage"]),
        ("``a ` leverage`` leverage", ["leverage"]),
    ],
)
def test_inflections_are_found_and_no_code_links_or_quotations(
    text: str, hits: list[str]
) -> None:
    assert found(text, StyleRule("leverage")) == hits


def test_a_phrase_is_found_across_lines_and_hyphens() -> None:
    rules = (StyleRule("cutting-edge"), StyleRule("not only * but also"))
    text = (
        "A cutting\n> edge, cutting-edge, **cutting** edge."
        " Not only fast, but also small. Cutting. Edge"
    )
    assert found(text, *rules) == [
        "cutting\n> edge",
        "cutting-edge",
        "cutting** edge",
        "Not only fast, but also",
    ]
    assert found("not only. But also; not only a b c d e f but also", rules[1]) == []


def test_the_longest_rule_wins() -> None:
    rules = (StyleRule("make"), StyleRule("make use of"))
    assert found("Make use of it, made, make.", *rules) == ["Make use of", "make"]


def test_what_is_better_has_the_capital_of_what_it_replaces() -> None:
    linter = StyleLinter([StyleRule("utilize", ("use", "apply"))])
    hits = linter.find("utilize Utilize UTILIZE utilized")
    assert [hit.replacements for hit in hits] == [
        ("use", "apply"),
        ("Use", "Apply"),
        ("USE", "APPLY"),
        (),
    ]


def test_a_rule_with_the_very_form_goes_before_one_with_another() -> None:
    rules = [StyleRule("commence", ("begin",)), StyleRule("commenced", ("began",))]
    hits = StyleLinter(rules).find("It commenced, commences, commence.")
    assert [hit.replacements for hit in hits] == [("began",), (), ("begin",)]


@pytest.mark.parametrize(
    ("text", "hits"),
    [
        ("$leverage = 2$, $$leverage$$, \\(leverage\\) leverage", ["leverage"]),
        ("$5 to leverage and $6", ["leverage"]),
        ("US$5, leverage $PATH and A$6; 5$ leverage$", ["leverage", "leverage"]),
    ],
)
def test_formulas_are_left_alone_and_money_is_none(text: str, hits: list[str]) -> None:
    assert found(text, StyleRule("leverage")) == hits


def test_german_has_its_own_inflections() -> None:
    text = "Die spannenden Ergebnisse"
    assert found(text, StyleRule("spannend"), language="german") == ["spannenden"]


@given(st.text(alphabet='ab`"[]()<>“” *\n.', max_size=80))
def test_any_text_is_searched_in_order_and_within_its_bounds(text: str) -> None:
    linter = StyleLinter([StyleRule("a"), StyleRule("a * b"), StyleRule("b a")])
    hits = linter.find(text)
    ends = [0, *(hit.end for hit in hits)]
    assert all(end <= hit.start < hit.end for end, hit in zip(ends, hits, strict=False))


def test_a_rule_with_many_gaps_is_not_searched() -> None:
    """Each gap makes the search of some texts five times as long."""
    assert is_searchable("a * b * c")
    assert not is_searchable("a * b * c * d")
