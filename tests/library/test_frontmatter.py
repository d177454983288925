"""Front matter: found and understood, and the body behind it never touched."""

# ruff: noqa: D103 -- the name of a test is its promise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from writeit.library.front_matter import (
    FrontMatter,
    FrontMatterConfig,
    split_front_matter,
)


def check_body(text: str, body: str) -> None:
    """Check what is left of a text, and that nothing of it is lost."""
    found = split_front_matter(text)
    assert found.body == body
    assert found.head + found.body == text


def bound(block: str) -> FrontMatterConfig:
    """Return what a `writeit:` block in flow style comes to, without problems."""
    found = split_front_matter(f"---\nwriteit: {block}\n---\ntext\n")
    assert found.problems == ()
    return found.config


def check_problem(block: str, words: str, line: int, character: int) -> FrontMatter:
    """Check that a block (under `writeit:`) has one error, there, with these words."""
    found = split_front_matter(
        f"---\ntitle: x\nwriteit:\n{block}---\nbody\n", "file:///n.md"
    )
    (problem,) = found.problems
    start = problem.range.start
    assert (start.line, start.character) == (line, character)
    assert (problem.severity, problem.uri) == ("error", "file:///n.md")
    assert words in problem.message
    assert found.body == "body\n"
    assert not found.is_valid
    return found


# --- where it begins and ends -----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("", ""),
        ("Just text\n", "Just text\n"),
        ("---\nwriteit: {}\n---\nbody\n", "body\n"),
        ("---\nwriteit: {}\n...\nbody\n", "body\n"),
        ("---  \nwriteit: {}\n---\t\nbody", "body"),
        ("---\r\nwriteit: {}\r\n---\r\nbody\r\n", "body\r\n"),
        ("---\rwriteit: {}\r---\rbody\r", "body\r"),
        ("---\nwriteit: {}\n---", ""),
        ("---\n---\nbody", "body"),
        ("---\ntitle: x\n---\n\nbody", "\nbody"),
        ("\ufeff---\ntitle: x\n---\nbody", "body"),
        ("\ufeffbody", "body"),
    ],
)
def test_the_body_begins_behind_the_front_matter(text: str, body: str) -> None:
    check_body(text, body)


@pytest.mark.parametrize(
    "text",
    [
        "---\n\nA text between two breaks.\n\n---\nMore.\n",
        "---\n- a list\n---\n",
        "---\nnever closed\n",
        "----\na: {}\n----\n",
        " ---\na: {}\n---\n",
        "text\n---\nwriteit: {}\n---\n",
        "---",
    ],
)
def test_a_thematic_break_is_no_front_matter(text: str) -> None:
    check_body(text, text)
    assert split_front_matter(text).problems == ()


@pytest.mark.parametrize(
    ("head", "dialect"),
    [
        ("---\ntitle: A\n---\n", "YAML"),
        ("\ufeff \n\n---\ntitle: A\n...\n", "YAML"),
        ("---\n# only a comment\n---\n", "YAML"),
        ("---\n{title: A}\n---\n", "YAML"),
        ('---\n  title: A\n  "b": c\n---\n', "YAML"),
        ("---\ntitle: <% title %>\n---\n", "YAML"),
        ('+++\ntitle = "A"\n\n[menu]\n+++\n', "TOML"),
        ("\n\ufeff+++\n+++\n".lstrip(), "TOML"),
        ("\r\n+++\r\na = \r\n+++  \r\n", "TOML"),
        ('{\n  "title": "}"\n}\n\n', "JSON"),
        ('\ufeff\n{"a": {"b": [1]}}  \n \n', "JSON"),
        ("% A\n  goes on\n% Me; You\n% May\n", "Pandoc"),
        ("%\n% Me\n", "Pandoc"),
        ("\n% A\n", "Pandoc"),
    ],
)
def test_front_matter_of_every_dialect_is_in_no_body(head: str, dialect: str) -> None:
    for body in ("", "# B\n\n---\na: 1\n---\n+++\nb = 1\n+++\n{}\n% c\n"):
        check_body(head + body, body)
        assert split_front_matter(head + body).dialect == dialect
        assert split_front_matter(head + body).is_valid


@pytest.mark.parametrize(
    "text",
    [
        "+++\nno keys here\n+++\n",
        "+++\na = 1\nnever closed\n",
        "++++\na = 1\n++++\n",
        '{"a": 1}\nnot blank\n',
        '{"a": 1} word\n\n',
        ' {"a": 1}\n\n',
        '{"a": 1\n\n',
        "{{ template }}\n\n",
        "{% raw %}\n\n",
        "{: .class}\n\n",
        "{note}\n\n",
        '["a"]\n\n',
        '{"a":' * 100_000,
        "%% a comment %%\n",
        "%PDF\n",
        "word\n+++\na = 1\n+++\n",
        "---\nA text, and a [link](x).\n---\n",
        "---\n* a: b\n---\n",
    ],
)
def test_what_only_looks_like_front_matter_is_text(text: str) -> None:
    check_body(text, text)
    assert split_front_matter(text).dialect is None


TABLES = {
    "TOML": '+++\ntitle = "A"\n\n[writeit]\n{}+++\n',
    "JSON": '{{"title": "A",\n\n"writeit": {{\n{}}}}}\n\n',
}


@pytest.mark.parametrize(
    ("dialect", "table"),
    [
        (
            "TOML",
            (
                'pipeline = "a"\nproviders = ["embedded"]\n[writeit.inputs]\nn = 3\n'
                "d = 2026-01-02\n"
            ),
        ),
        (
            "JSON",
            (
                '"pipeline": "a", "providers": ["embedded"],\n"inputs":'
                ' {"n": 3, "d": "2026-01-02"}'
            ),
        ),
    ],
)
def test_a_table_in_toml_or_json_is_read(dialect: str, table: str) -> None:
    found = split_front_matter(TABLES[dialect].format(table) + "body\n")
    assert found.problems == ()
    assert found.config == FrontMatterConfig(
        pipeline="a", providers=("embedded",), inputs={"n": "3", "d": "2026-01-02"}
    )


@pytest.mark.parametrize(
    ("dialect", "table", "words"),
    [
        ("TOML", 'pipline = "a"\n', "Did you mean 'pipeline'?"),
        ("JSON", '"pipline": "a"', "Did you mean 'pipeline'?"),
        ("TOML", "providers = 3\n", "providers should"),
        ("JSON", '"providers": 3', "providers should"),
        ("TOML", "providers = [\n", "This is not valid TOML"),
        ("JSON", '"providers": [], "providers": 1', "'providers' is duplicated"),
    ],
)
def test_problems_of_a_table_are_on_its_first_line(
    dialect: str, table: str, words: str
) -> None:
    found = split_front_matter(TABLES[dialect].format(table) + "body\n")
    (problem,) = found.problems
    line = '"writeit": {' if dialect == "JSON" else "[writeit]"
    number = 2 if dialect == "JSON" else 3
    assert (problem.range.start.line, problem.range.start.character) == (number, 0)
    assert (problem.range.end.line, problem.range.end.character) == (number, len(line))
    assert words in problem.message
    assert not found.is_valid
    assert found.config.providers == ()


def test_toml_of_other_tools_that_cannot_be_read_is_for_information() -> None:
    found = split_front_matter("+++\na = <%\n+++\nbody\n")
    assert [problem.severity for problem in found.problems] == ["information"]
    assert (found.is_valid, found.body) == (True, "body\n")


PIECES = st.sampled_from(
    [
        "---",
        "...",
        "\n",
        "\r\n",
        "\r",
        " ",
        "writeit:",
        "a: b",
        "[",
        "\ufeff",
        "é",
        "+++",
        "{",
        "}",
        "% ",
    ]
)


@settings(deadline=None)
@given(st.lists(PIECES | st.text(max_size=5), max_size=12).map("".join))
def test_no_byte_of_any_text_is_lost(text: str) -> None:
    found = split_front_matter(text)
    assert found.head + found.body == text


@settings(deadline=None)
@given(st.text())
def test_the_body_is_kept_whatever_it_is(body: str) -> None:
    assert split_front_matter("---\nwriteit: {}\n---\n" + body).body == body


# --- what it says -----------------------------------------------------------------


def test_nothing_said_binds_to_nothing() -> None:
    assert split_front_matter("text").config == FrontMatterConfig()
    assert split_front_matter("---\ntitle: x\n---\n").raw_config is None


def test_an_empty_block_binds_to_nothing() -> None:
    found = split_front_matter("---\nwriteit: {}\n---\n")
    assert (found.config, found.problems) == (FrontMatterConfig(), ())


def test_a_whole_block_is_understood() -> None:
    assert bound(
        "{pipeline: a, primer: b, models: {draft: [x/y, z/w], polish: x/y},"
        " inputs: {who: you}, output_path: out/a.md, providers: [embedded, ollama]}"
    ) == FrontMatterConfig(
        pipeline="a",
        primer="b",
        models={"draft": ("x/y", "z/w"), "polish": ("x/y",)},
        inputs={"who": "you"},
        output_path="out/a.md",
        providers=("embedded", "ollama"),
    )


def test_values_of_inputs_become_words() -> None:
    binding = bound("{inputs: {a: true, b: 3, c: 1.5, d: 2026-01-02}}")
    assert binding.inputs == {"a": "true", "b": "3", "c": "1.5", "d": "2026-01-02"}


def test_one_provider_needs_no_list() -> None:
    assert bound("{providers: embedded}").providers == ("embedded",)


def test_no_provider_is_not_every_provider() -> None:
    assert bound("{providers: []}").providers == ()


def test_keys_of_other_tools_are_theirs() -> None:
    found = split_front_matter(
        "---\ntags: !x [a]\napi_key: theirs\ntags: 1\nwriteit: {}\n---\n"
    )
    assert found.is_valid


# --- what is wrong with it --------------------------------------------------------


def test_an_unknown_key_names_the_nearest() -> None:
    check_problem("  pipline: a\n", "Did you mean 'pipeline'?", 3, 2)


def test_a_wrong_value_is_shown_where_it_is() -> None:
    check_problem("  models:\n    draft: 3\n", "models.draft should be a list", 4, 11)
    check_problem("  reasoning: hihg\n", "reasoning: should be none, low,", 3, 13)
    check_problem(
        "  reasoning:\n    draft: 0\n", "reasoning.draft: should be none, low,", 4, 11
    )
    check_problem("  reasoning: [low]\n", "reasoning: should be none, low,", 3, 13)


def test_reasoning_is_one_word_or_one_for_each_step() -> None:
    assert bound("{reasoning: low}").reasoning == {"*": "low"}
    assert bound("{reasoning: {draft: 4000}}").reasoning == {"draft": 4000}


def test_keys_that_are_right_are_understood_beside_wrong_ones() -> None:
    found = check_problem("  primer: No Name\n  pipeline: a\n", "primer should", 3, 10)
    assert (found.config.pipeline, found.config.primer) == ("a", None)


def test_a_key_is_never_taken_from_a_document() -> None:
    check_problem("  api_key: do-not-show\n", "is ignored", 3, 2)


def test_a_key_that_is_there_twice_is_a_problem() -> None:
    check_problem("  pipeline: a\n  pipeline: b\n", "duplicated", 4, 2)


def test_a_block_that_is_no_mapping_is_a_problem() -> None:
    check_problem("  just words\n", "mapping of keys", 3, 2)


def test_yaml_that_cannot_be_read_is_a_problem_and_the_body_is_whole() -> None:
    check_problem("  models: [\n", "YAML", 4, 0)


def test_yaml_that_says_nothing_to_us_is_for_information() -> None:
    found = split_front_matter("---\ntitle: [\n---\nbody")
    assert [problem.severity for problem in found.problems] == ["information"]
    assert (found.is_valid, found.body) == (True, "body")


@pytest.mark.parametrize(
    "block",
    [
        "  provider: [embedded]\n",
        "  providers: 3\n",
        "  providers: [\n",
        "  x\n",
        "  ? [a]\n  : b\n",
    ],
)
def test_what_cannot_be_understood_lets_no_text_out(block: str) -> None:
    found = split_front_matter(f"---\nwriteit:\n{block}---\n")
    assert not found.is_valid
    assert found.config.providers == ()


def test_an_error_elsewhere_leaves_the_providers_as_they_are() -> None:
    found = split_front_matter(
        "---\nwriteit: {providers: [embedded], pipelin: x}\n---\n"
    )
    assert found.config.providers == ("embedded",)
