"""The command line, with real processes and a test provider."""

import json

import pytest
import yaml

from support.terminal import Terminal


async def test_notes_become_an_article_in_a_file(shell: Terminal) -> None:
    """`writeit run` shows progress and writes the article to -o."""
    result = await shell.writeit(
        *("run", "tech-article", "notes.md", "-m", "openai/say-Rivers+20run.+0A"),
        *("-o", "article.md"),
    )
    assert result.code == 0, result.err
    article = shell.folder / "article.md"
    assert article.read_text(encoding="utf-8") == "Rivers run.\n"
    assert result.out == ""
    for step in ("angles", "outline", "draft", "polish"):
        assert f"── {step} ──" in result.err
    run_id = result.err.rsplit(maxsplit=1)[-1]
    exported = await shell.writeit("export", run_id)
    kept = yaml.safe_load(exported.out)
    assert kept["run"]["status"] == "COMPLETED"
    assert kept["history"][-1]["type"] == "run_completed"


async def test_without_a_file_the_article_goes_to_stdout(shell: Terminal) -> None:
    """Progress goes to stderr."""
    result = await shell.writeit(
        "run", "tech-article", "notes.md", "-m", "openai/say-words", "-q"
    )
    assert result.code == 0, result.err
    assert result.out == "words\n"


async def test_an_incomplete_answer_says_so_and_exits_with_3(shell: Terminal) -> None:
    """The article is done; `continue` makes the rest, in the same run."""
    result = await shell.writeit(
        *("run", "tech-article", "notes.md", "-m", "openai/length-3"),
        *("-o", "cut.md"),
    )
    assert result.code == 3, result.err
    said = "Answer 1 of polish is incomplete: it reached the step's length limit"
    assert result.err.count(said) == 1
    for listing in ((), ("log",), ("log", "--tree")):
        assert "finished, text incomplete" in (await shell.writeit(*listing)).out
    run_id = result.err.partition("--resume ")[2].split(",")[0]
    exported = await shell.writeit("export", run_id, "-f", "markdown")
    assert said in exported.err
    assert "incomplete: length" in exported.out
    again = await shell.writeit(
        *("run", "--choose", "ask", "--resume", run_id), lines="continue\n1\n"
    )
    kept = yaml.safe_load((await shell.writeit("export", run_id)).out)
    answers = kept["run"]["steps"]["polish"]["ai_responses"]
    assert answers[1]["continues"] == answers[0]["response_id"], again.err


async def test_reasoning_is_a_word_or_a_number(shell: Terminal) -> None:
    """Anything else is wrong usage; the run keeps it."""
    wrong = await shell.writeit("run", "tech-article", "--reasoning", "a lot")
    assert (wrong.code, "none, low, medium, high" in wrong.err) == (2, True)
    result = await shell.writeit(
        *("run", "tech-article", "notes.md", "-m", "openai/say-x"),
        *("--reasoning", "3000"),
    )
    run_id = result.err.rsplit(maxsplit=1)[-1]
    kept = yaml.safe_load((await shell.writeit("export", run_id)).out)
    assert kept["run"]["reasoning"] == 3000


async def test_an_existing_file_is_not_replaced(shell: Terminal) -> None:
    """-o on an existing file is wrong usage."""
    kept = shell.folder / "kept.md"
    kept.write_text("mine", encoding="utf-8")
    result = await shell.writeit(
        "run", "tech-article", "notes.md", "-m", "openai/say-x", "-o", "kept.md"
    )
    assert result.code == 2
    assert "--force" in result.err
    assert kept.read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("run", "tech-artcle", "notes.md"), 1, "tech-article"),
        (("run", "tech-article"), 2, "notes.md"),
        (("run", "tech-article", "notes.md"), 1, "model add"),
        (("run", "tech-article", "notes.md", "-m", "nobody/x"), 1, "nobody"),
        (("run", "tech-article", "notes.md", "-m", "openai/err-401"), 1, "key"),
        (
            ("run", "tech-article", "notes.md", "-m", "gpt-4o", "--max-cost", "0"),
            1,
            "maxCostUsd.run",
        ),
        (("run", "tech-article", "notes.md", "-i", "novalue"), 2, "NAME=VALUE"),
        (("export", "00000000-0000-0000-0000-000000000000"), 1, "no run"),
        (("run", "tech-article", "notes.md", "-o", "no/x.md"), 2, "no folder"),
        (("run", "tech-article", "cache/bytes.md"), 2, "UTF-8"),
        (("fly",), 2, "fly"),
        (("serve", "--smoke"), 2, "smoke"),
    ],
)
async def test_errors_say_what_to_do(
    shell: Terminal, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """Exit codes: 1 failed, 2 wrong usage; no traceback."""
    (shell.folder / "cache").mkdir(exist_ok=True)
    (shell.folder / "cache" / "bytes.md").write_bytes(b"\xff\xfe")
    result = await shell.writeit(*arguments)
    assert result.code == code, result.err
    assert words in result.err
    assert "Traceback" not in result.err


async def test_unavailable_models_are_listed_with_the_reason(shell: Terminal) -> None:
    """If the embedded model is not installed, the list says how."""
    result = await shell.writeit("model", "list", "--json")
    assert result.code == 0, result.err
    embedded = next(
        m for m in json.loads(result.out) if m["id"] == "embedded/smollm2-135m"
    )
    assert not embedded["available"]
    assert "install" in embedded["reason"]


async def test_problems_of_pipelines_have_positions(shell: Terminal) -> None:
    """File, line and column; exit code 1 if there are errors."""
    broken = shell.folder / "pipelines" / "broken.yaml"
    broken.write_text("name: broken\nsteps: []\n", encoding="utf-8")
    try:
        result = await shell.writeit("pipeline", "check")
    finally:
        broken.unlink()
    assert result.code == 1
    assert "broken.yaml:2:" in result.out
    listed = await shell.writeit("pipeline", "list")
    assert "tech-article" in listed.out


async def test_the_version_is_the_version_of_the_package(shell: Terminal) -> None:
    """`--version` prints it."""
    result = await shell.writeit("--version")
    assert result.out.strip().endswith("0.1.0")
