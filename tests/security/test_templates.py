"""A template of a folder ends: with a text, or with an error, and soon."""

import time
from contextlib import suppress

import pytest

from writeit.prompts.template import InvalidTemplate, fill_template

DOUBLED = "".join(f"{{% set a{n + 1} = [a{n}, a{n}] %}}" for n in range(40))
DOUBLED = "{% set a0 = [1] %}" + DOUBLED
LOOP = "{% for i in range(90000) %}"
HANGS = {
    "shared lists compared": DOUBLED + "{{ a40 == [a39, 1] }}",
    "shared lists ordered": DOUBLED + "{{ a40 < [a39, a39] }}",
    "a list in a list": DOUBLED + "{{ a39 in [a38, a40] }}",
    "an integer with a base": "{{ long|int(0, 36) }}",
    "a long integer": "{{ long|int }}",
    "trim of many characters": "{{ text|trim(text) }}",
    "lists of uppers": LOOP + "{% set x = text|upper %}{% endfor %}",
    "lists of trims": LOOP + "{% set x = text|trim %}{% endfor %}",
}


@pytest.mark.parametrize("template", HANGS.values(), ids=HANGS.keys())
def test_a_template_that_would_not_end_is_stopped(template: str) -> None:
    """Within the processor time of a template."""
    values = {"text": "\u00e4" * 100_000, "long": "9" * 900_000}
    started = time.process_time()
    with suppress(InvalidTemplate):
        fill_template(template, values)
    assert time.process_time() - started < 4


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ 'a' in ['a', 'b'] }}", "True"),
        ("{{ 'a' in 'cat' }}", "True"),
        ("{{ x == [] }}", "False"),
        ("{{ '12'|int + 1 }}", "13"),
        ("{{ ' a '|trim }}{{ 'xax'|trim('x') }}", "aa"),
        ("{% if x == 'b' and 1 < 2 %}yes{% endif %}", "yes"),
    ],
)
def test_what_templates_need_still_works(template: str, text: str) -> None:
    """Texts and numbers are compared as before."""
    assert fill_template(template, {"x": "b"}) == text


@pytest.mark.parametrize("template", ["{{ 1e400|int }}", "{{ 'ab'|join(range(3)) }}"])
def test_an_error_of_a_template_is_one_of_its_own(template: str) -> None:
    """Whatever Python raises in it."""
    with pytest.raises(InvalidTemplate):
        fill_template(template, {})


BOUNDS = {
    "its own length": ("x" * 100_001, "100000 characters"),
    "iterations": ("{% for i in range(100001) %}{% endfor %}", "100000"),
    "iterations in each other": (
        "{% for i in range(400) %}{% for j in range(400) %}{% endfor %}{% endfor %}",
        "100000",
    ),
    "what it makes": ("{% for i in range(11) %}{{ text }}{% endfor %}", "1000000"),
    "what filters make": (
        "{% for i in range(201) %}{% set x = text|upper %}{% endfor %}",
        "20000000",
    ),
}


@pytest.mark.parametrize(("template", "number"), BOUNDS.values(), ids=[*BOUNDS.keys()])
def test_a_template_has_bounds_and_the_error_names_them(
    template: str, number: str
) -> None:
    """Each number of docs/security.md, one above it."""
    with pytest.raises(InvalidTemplate, match=number):
        fill_template(template, {"text": "a" * 100_000})
