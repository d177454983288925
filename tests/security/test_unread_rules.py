"""A rule that limits the providers of a text never gets lost by a mistake in it."""

from pathlib import Path

import pytest

from support.editor import Editor
from support.provider import Provider
from writeit.library.catalog import Library
from writeit.library.front_matter import split_front_matter
from writeit.library.front_matter_check import check_front_matter
from writeit.text.front_matter import with_providers

RULE = "providers: [ollama]"
TABLE = '[writeit]\nproviders = ["ollama"]\n'
OBJECT = '"writeit": {"providers": ["ollama"]}'
NEWLINES = "\n" * 300_000
END = "---\n# Secret notes\n"

BLOCKED = {
    "tab": f"---\nwriteit:\n\t{RULE}\n{END}",
    "upper case": f"---\nWRITEIT:\n  {RULE}\n{END}",
    "one capital": f"---\nWriteIt:\n  {RULE}\n{END}",
    "quotes": f"---\n'WriteIt':\n  {RULE}\n{END}",
    "curly quotes": f"---\n\u201cwriteit\u201d:\n  {RULE}\n{END}",
    "no-break spaces inside": f"---\nwriteit:\n\xa0\xa0{RULE}\n{END}",
    "no-break space before": f"---\n\xa0writeit:\n  {RULE}\n{END}",
    "zero width before": f"---\n\u200bwriteit:\n  {RULE}\n{END}",
    "colon of another script": f"---\nwriteit\uff1a\n  {RULE}\n{END}",
    "small colon": f"---\nwriteit\ufe55\n  {RULE}\n{END}",
    "guillemets": f"---\n\xabwriteit\xbb:\n  {RULE}\n{END}",
    "control character before": f"---\n\x00writeit:\n  {RULE}\n{END}",
    "full-width letters": f"---\n\uff57riteit:\n  {RULE}\n{END}",
    "a soft hyphen inside": f"---\nwrite\xadit:\n  {RULE}\n{END}",
    "zero width inside": f"---\nwrite\u200bit:\n  {RULE}\n{END}",
    "escaped, not closed": f'---\n"write\\u0069t":\n  {RULE}\n\n# Secret\n',
    "escaped above a mistake": f'---\n"Write\\x69t":\n  {RULE}\na: [\n{END}',
    "below a directive": f"%YAML 1.2\n---\nwriteit:\n  {RULE}\n{END}",
    "below very many lines": f"{NEWLINES}---\nwriteit:\n  {RULE}\n{END}",
    "one long dash": f"\u2014\nwriteit:\n  {RULE}\n\u2014\n",
    "no colon": f"---\nwriteit\n  {RULE}\n{END}",
    "no space": f"---\nwriteit:{{{RULE}}}\n{END}",
    "equals sign": f"---\nwriteit = {{{RULE}}}\n{END}",
    "braces": f"---\nwriteit {{\n  {RULE}\n}}\n{END}",
    "dotted": f"---\nwriteit.{RULE}\n{END}",
    "question mark": f"---\n? WriteIt\n: {RULE}\n{END}",
    "list": f"---\n- writeit:\n    {RULE}\n{END}",
    "nested": f"---\nparams:\n  writeit:\n    {RULE}\n{END}",
    "in a text": f"---\nabout: |\n  mine\n  writeit:\n    {RULE}\n{END}",
    "not indented": f"---\nwriteit:\n{RULE}\n{END}",
    "null": f"---\nwriteit: ~\n{END}",
    "words": f"---\nwriteit: ollama only\n{END}",
    "twice": f"---\nwriteit: {{pipeline: a}}\nwriteit:\n  {RULE}\n{END}",
    "twice in braces": "---\n{writeit: {pipeline: a}, writeit: {providers: x}}\n---\n",
    "twice in other case": f"---\nwriteit: {{pipeline: a}}\nWriteit:\n  {RULE}\n{END}",
    "below inputs": f"---\nwriteit:\n  inputs:\n    providers: ollama\n{END}",
    "below models": f"---\nwriteit:\n  models:\n    {RULE}\n{END}",
    "in an input": f"---\nwriteit:\n  inputs:\n    a: |\n      b\n      {RULE}\n{END}",
    "other case of providers": f"---\nwriteit:\n  Providers: [ollama]\n{END}",
    "merges itself": f"---\nwriteit: &a\n  <<: *a\n{END}",
    "merges twice": f"---\nwriteit:\n  <<: {{providers: [x]}}\n  <<: {{{RULE}}}\n{END}",
    "merges words": f"---\nwriteit:\n  <<: ollama\n{END}",
    "not closed": f"---\nwriteit:\n  {RULE}\n\n# Secret notes\n",
    "blank lines, not closed": f"\n\n---\n\nwriteit:\n  {RULE}\n\n# Secret notes\n",
    "four dashes": f"----\nwriteit:\n  {RULE}\n----\n",
    "indented fence": f"  ---\nwriteit:\n  {RULE}\n  ---\n",
    "no-break space before the fence": f"\xa0---\nwriteit:\n  {RULE}\n{END}",
    "replaced dashes": f"\u2014-\nwriteit:\n  {RULE}\n\u2014-\n",
    "fence with words": f"--- yaml\nwriteit:\n  {RULE}\n{END}",
    "closed with words": f"---\nwriteit:\n  {RULE}\n--- end\n# Secret\n",
    "opened twice": f"---\n---\nwriteit:\n  {RULE}\n{END}",
    "below other front matter": f"% Title\n\n---\nwriteit:\n  {RULE}\n{END}",
    "carriage returns": f"---\rtitle: a\rWriteIt:\r  {RULE}\r---\rnotes",
    "Pandoc": "% Title\n% Me\n% writeit: ollama\n\nnotes\n",
    "TOML not closed": f"+++\n{TABLE}\nnotes\n",
    "TOML with another case": f"+++\n{TABLE.replace('w', 'W', 1)}+++\nnotes\n",
    "TOML nested": f"+++\n{TABLE.replace('writeit', 'params.writeit')}+++\nnotes\n",
    "TOML twice": f"+++\n{TABLE}{TABLE}+++\nnotes\n",
    "TOML list": f"+++\n[{TABLE.replace(']', ']]', 1)}+++\nnotes\n",
    "TOML in a text": f"+++\na = '''\n{TABLE}'''\n+++\nnotes\n",
    "TOML in four plusses": f"++++\n{TABLE}++++\nnotes\n",
    "JSON with a comma": f"{{{OBJECT},}}\n\nnotes\n",
    "JSON with a comment": f"{{\n// mine\n{OBJECT}}}\n\nnotes\n",
    "JSON in single quotes": "{'writeit': {'providers': []}}\n\nnotes\n",
    "JSON without quotes": "{writeit: {providers: []}}\n\nnotes\n",
    "JSON not closed": f"{{{OBJECT}\n\nnotes\n",
    "JSON above no blank line": f"{{{OBJECT}}}\nnotes\n",
    "JSON behind a space": f" {{{OBJECT}}}\n\nnotes\n",
    "JSON nested": f'{{"a": {{{OBJECT}}}}}\n\nnotes\n',
    "JSON with another case": f"{{{OBJECT.replace('w', 'W', 1)}}}\n\nnotes\n",
    "JSON twice": f"{{{OBJECT}, {OBJECT}}}\n\nnotes\n",
    "JSON escaped, not closed": '{"write\\u0069t": {"providers": []}\n\nnotes\n',
    "JSON list": f"[{{{OBJECT}}}]\n\nnotes\n",
    "JSON with zero width": '{"write\u200bit": {"providers": []}}\n\nnotes\n',
    "JSON with half a character": '{"writeit": {"pipeline": "\ud800"}}\n\nnotes\n',
    "JSON dotted": '{"writeit.providers": ["ollama"]}\n\nnotes\n',
    "JSON null": '{"writeit": null}\n\nnotes\n',
}
READ = {
    "null": f"---\nwriteit:\n  providers:\n{END}",
    "nobody": f"---\nwriteit:\n  providers: []\n{END}",
    "JSON null": '{"writeit": {"providers": null}}\n\nnotes\n',
    "merged": f"---\na: &a {{{RULE}}}\nwriteit:\n  <<: *a\n{END}",
    "merged list": f"---\na: &a {{{RULE}}}\nwriteit:\n  <<: [*a, {{x-b: c}}]\n{END}",
    "whole block merged": f"---\na: &a\n  writeit:\n    {RULE}\n<<: *a\n{END}",
    "own key wins": f"---\na: &a {{providers: x}}\nwriteit:\n  <<: *a\n  {RULE}\n{END}",
    "TOML dotted": '+++\nwriteit.providers = ["ollama"]\n+++\nnotes\n',
}
FREE = {
    "top-level providers": f"---\n{RULE}\ntags: [writeit]\n{END}",
    "a comment": f"---\n# writeit: {{{RULE}}}\ntitle: a\n{END}",
    "a word in a value": '---\ntitle: "a, writeit: b"\ntags:\n  - writeit\n---\n',
    "an exported article": "---\nwriteit_export:\n  writeit: 1.0\n---\nnotes\n",
    "prose": "---\n\nI use writeit.\n\n---\n\nwriteit: a tool\n",
    "an input": f"---\nwriteit:\n  inputs:\n    writeit: x\n{END}",
    "a page": "# Notes\n\nwriteit:\n  providers: [ollama]\n",
}


@pytest.mark.parametrize("name", BLOCKED)
def test_a_rule_that_cannot_be_read_allows_nobody(name: str) -> None:
    """An error on its line says so."""
    found = split_front_matter(BLOCKED[name])
    assert found.config.providers == ()
    errors = [
        p for p in check_front_matter(found, Library({}, {})) if p.severity == "error"
    ]
    assert errors
    assert all(error.message for error in errors)


@pytest.mark.parametrize("name", READ)
def test_a_rule_that_can_be_read_is_kept(name: str) -> None:
    """Empty and null are nobody; a merge key counts as written out."""
    found = split_front_matter(READ[name])
    assert found.is_valid
    nobody = name in {"null", "nobody", "JSON null"}
    assert found.config.providers == (() if nobody else ("ollama",))


@pytest.mark.parametrize("name", FREE)
def test_what_is_no_rule_of_ours_limits_nothing(name: str) -> None:
    """Other tools have such words, too."""
    found = split_front_matter(FREE[name])
    assert found.is_valid
    assert found.config.providers is None


def test_providers_of_another_tool_are_an_information() -> None:
    """At most: Hugo has such a key."""
    found = split_front_matter(f"---\n{RULE}\nwriteit: {{x-a: b}}\n{END}")
    (problem,) = check_front_matter(found, Library({}, {}))
    assert (problem.severity, found.config.providers) == ("information", None)


@pytest.mark.parametrize(
    "text",
    ["notes\n", "---\ntitle: a\n---\nnotes\n", *BLOCKED.values(), *READ.values()],
)
def test_a_new_file_begins_with_its_rule_whatever_its_text_is(text: str) -> None:
    """A model may have written front matter of its own."""
    found = split_front_matter(with_providers(text, ["embedded"]))
    assert found.config.providers in {("embedded",), ()}


def test_merge_keys_that_repeat_too_much_are_refused() -> None:
    """Their size is that of what they stand for."""
    many = ", ".join(f"k{n}: 1" for n in range(1_000))
    merges = "\n".join(f"m{n}: {{<<: *a}}" for n in range(1_000))
    text = f"---\na: &a {{{many}}}\n{merges}\nwriteit: {{pipeline: a}}\n---\n"
    assert split_front_matter(text).config.providers == ()


# --- in the server ---------------------------------------------------------------

SERVED = ("one capital", "not closed", "JSON with a comma", "TOML nested", "twice")


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize("name", SERVED)
async def test_no_command_sends_a_text_whose_rule_cannot_be_read(
    cloned: Editor, provider: Provider, tmp_path: Path, name: str
) -> None:
    """Start, generate, preview and polish say why; the line is marked."""
    path = cloned.folder / f"{tmp_path.name}.md"
    path.write_text("# Secret notes\n\nThey are secret.\n")
    models, before = ["openai/say-hello"], len(provider.calls)
    run_id = await cloned.start_run(uri=path.as_uri())
    path.write_text(BLOCKED[name])
    uri = cloned.open_document(path)
    for command, params in (
        ("run.start", {"uri": uri, "pipeline": "tech-article"}),
        ("step.run", {"runId": run_id, "models": models}),
        ("step.preview", {"runId": run_id, "models": models}),
        ("document.polish", {"uri": uri, "models": models}),
    ):
        refusal = await cloned.refusal(f"writeit.{command}", **params)
        assert refusal.kind == "invalid_pipeline", command
    report = await cloned.request(
        "textDocument/diagnostic", {"textDocument": {"uri": uri}}
    )
    assert any("Nothing is sent" in item["message"] for item in report["items"])
    assert provider.calls[before:] == []


def test_a_block_ends_its_lines_as_the_text_does() -> None:
    """With YAML front matter, and without any."""
    for text in ("---\r\ntitle: A\r\n---\r\nWords.\r\n", "Words.\r\n"):
        begun = with_providers(text, ["embedded"])
        assert begun.count("\n") == begun.count("\r\n") > text.count("\n")


@pytest.mark.parametrize(
    "text",
    [
        f"---\n!!str writeit:\n  {RULE}\n{END}",
        f"---\n&a writeit: &b\n  {RULE}\n{END}",
        f"---\n&a !!str writeit:\n  {RULE}\n{END}",
        f"---\n? &a writeit\n: {{{RULE}}}\n{END}",
        f'---\n"\\x77riteit":\n  {RULE}\n{END}',
        '+++\n"\\u0077riteit" = {providers = ["ollama"]}\n+++\n# Notes\n',
        f"---\n!!str writeit:\n  {RULE}\n}}\n{END}",
        f"---\nfull of {{errors\n&a writeit:\n  {RULE}\n{END}",
    ],
)
def test_a_key_written_in_an_odd_but_right_way_limits_as_well(text: str) -> None:
    """With a tag, an anchor or escapes; where it cannot be read, nothing is sent."""
    assert split_front_matter(text).config.providers in {("ollama",), ()}
