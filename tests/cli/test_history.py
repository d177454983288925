"""`writeit log`, `show`, `usage`, `export`, `import`, `pipeline` and colours."""

import asyncio
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from storage.whole import CHILD, DELETED, FINISHED, GRANDCHILD, STREAMING
from support.terminal import QuickShell, Terminal
from writeit.domain.session import UserPreferences
from writeit.storage.store import LmdbStore


@pytest.fixture
def fresh_shell(tmp_path: Path, stored: QuickShell) -> QuickShell:
    """The same shell in a new folder."""
    stored.folder = tmp_path / "fresh"
    (stored.folder / "pipelines").mkdir(parents=True)
    return stored


def test_the_log_has_the_newest_run_first(stored: QuickShell) -> None:
    """Each line has an id, a time, a title and a status."""
    result = stored.writeit("log")
    assert result.code == 0
    ids = [line.split()[0] for line in result.out.splitlines()]
    assert ids == [str(run) for run in (STREAMING, GRANDCHILD, CHILD, FINISHED)]
    assert "Why bees dance · tech-article" in result.out
    assert "finished" in result.out
    assert "\x1b" not in result.out


def test_the_log_can_be_filtered(stored: QuickShell) -> None:
    """By status, text and number; a message says that there is more."""
    done = stored.writeit("log", "--status", "completed", "--json").json
    assert [run["run_id"] for run in done] == [str(FINISHED)]
    named = stored.writeit("log", "--text", "another", "--json").json
    assert {run["run_id"] for run in named} == {str(CHILD), str(GRANDCHILD)}
    first = stored.writeit("log", "--limit", "1")
    assert len(first.out.splitlines()) == 1
    assert "--limit 2" in first.err


def test_the_tree_shows_branches(stored: QuickShell) -> None:
    """With ids and deleted runs."""
    result = stored.writeit("log", "--tree")
    assert re.search(
        rf"^Why bees dance · finished · .*{FINISHED}$", result.out, re.MULTILINE
    )
    assert re.search(rf"^├─ from draft: .*{CHILD}$", result.out, re.MULTILINE)
    assert re.search(
        rf"^└─ from outline: .* · deleted  {DELETED}$", result.out, re.MULTILINE
    )
    assert re.search(rf"^   └─ from angles: .*{GRANDCHILD}$", result.out, re.MULTILINE)


def test_the_tree_as_json_is_a_tree(stored: QuickShell) -> None:
    """Children are in their parents."""
    trees = stored.writeit("log", "--tree", "--json").json
    root = next(tree for tree in trees if tree["run_id"] == str(FINISHED))
    assert [child["run_id"] for child in root["children"]] == [str(CHILD), str(DELETED)]
    assert root["children"][1]["deleted"]


def test_a_run_is_shown_as_its_view(stored: QuickShell) -> None:
    """Without links and markup."""
    result = stored.writeit("show", str(CHILD))
    assert result.code == 0
    assert "Why bees dance" not in result.out.splitlines()[0]  # the run has a name
    assert "another way" in result.out.splitlines()[0]
    assert "← this run" in result.out
    assert "writeit:/" not in result.out
    assert "**" not in result.out


def test_a_step_is_shown_with_its_answers(stored: QuickShell) -> None:
    """An unknown step is refused with the names of the steps."""
    result = stored.writeit("show", str(FINISHED), "--step", "draft")
    assert "draft · step 3 of 4" in result.out
    assert "Answer 2 · openai/gpt-4o" in result.out
    wrong = stored.writeit("show", str(FINISHED), "--step", "drafts")
    assert wrong.code == 1
    assert "draft" in wrong.err


def test_a_run_and_a_step_as_json(stored: QuickShell) -> None:
    """In the data model's own names."""
    run = stored.writeit("show", str(FINISHED), "--json").json
    assert run["pipeline_run_id"] == str(FINISHED)
    step = stored.writeit("show", str(FINISHED), "--step", "draft", "--json").json
    assert step == run["steps"]["draft"]


def test_usage_shows_totals(stored: QuickShell) -> None:
    """By model, day and pipeline, or as --by says."""
    result = stored.writeit("usage")
    assert "8 calls" in result.out
    for kind in ("model", "day", "pipeline"):
        assert f"By {kind}" in result.out
    report = stored.writeit("usage", "--by", "run", "--json").json
    assert [row["key"] for row in report["rows"]] == [str(FINISHED)]
    assert report["total"]["calls"] == 8
    later = stored.writeit("usage", "--since", "2030-01-01", "--json").json
    assert later["total"]["calls"] == 0


def normalized(text: str) -> str:
    """Return an export without its checksum, and with the original URI."""
    return re.sub("(?m)^.*checksum.*$", "", text).replace("elsewhere:/", "file:/")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_run_tree_moves_to_another_folder(
    stored: QuickShell, tmp_path: Path, form: str
) -> None:
    """The exports are the same in both folders, and the store is valid."""
    target = tmp_path / "target"
    (target / ".git").mkdir(parents=True)
    runs = (GRANDCHILD, FINISHED, CHILD)
    texts = {}
    for run in runs:
        texts[run] = stored.writeit("export", str(run), "-f", form).out
        file = tmp_path / f"{run}.{form}"
        file.write_text(texts[run], encoding="utf-8", newline="")
        result = stored.writeit("import", str(file), at=target)
        assert result.code == 0, result.err
        assert str(run) in result.out
    for run in runs:
        again = stored.writeit("export", str(run), "-f", form, at=target)
        assert normalized(again.out) == normalized(texts[run])
    assert stored.writeit("store", "verify", at=target).code == 0
    tree = stored.writeit("log", "--tree", at=target).out
    assert stored.writeit("log", "--tree").out.endswith(tree)


def test_an_import_prints_json(stored: QuickShell, tmp_path: Path) -> None:
    """The id and the status of the run."""
    (tmp_path / "b" / ".git").mkdir(parents=True)
    stored.writeit("export", str(FINISHED), "--json", "-o", str(tmp_path / "run.json"))
    report = stored.writeit(
        "import", str(tmp_path / "run.json"), "--json", at=tmp_path / "b"
    ).json
    assert report == {"run_id": str(FINISHED), "status": "COMPLETED"}


def test_an_existing_run_is_not_imported_again(stored: QuickShell) -> None:
    """Exit code 1 with a hint; nothing changes."""
    stored.writeit("export", str(FINISHED), "-o", "run.yaml")
    before = stored.writeit("store", "status").out
    result = stored.writeit("import", "run.yaml")
    assert result.code == 1
    assert "already" in result.err
    assert "another folder" in result.err
    assert stored.writeit("store", "status").out == before


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"prose\n", b"writeit_export: 99\n", b"[" * 9999]
)
def test_an_invalid_file_is_refused(fresh_shell: QuickShell, content: bytes) -> None:
    """Exit code 1, no store is made, no traceback."""
    (fresh_shell.folder / "x.yaml").write_bytes(content)
    result = fresh_shell.writeit("import", "x.yaml")
    assert result.code == 1
    assert result.err
    assert "Traceback" not in result.err
    assert not (fresh_shell.folder / ".writeit").exists()


def test_a_file_that_is_too_large_is_not_read(fresh_shell: QuickShell) -> None:
    """It is refused by its size."""
    with (fresh_shell.folder / "x.yaml").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    result = fresh_shell.writeit("import", "x.yaml")
    assert result.code == 1
    assert "too large" in result.err


def test_markdown_has_the_run_in_its_front_matter(stored: QuickShell) -> None:
    """The text follows."""
    result = stored.writeit("export", str(FINISHED), "-f", "markdown")
    front, text = result.out.split("---\n")[1:]
    assert yaml.safe_load(front)["writeit_export"]["run"] == str(FINISHED)
    assert text == "Answer 106. " * 399 + "Answer 106.\n"


def test_formats_do_not_contradict_each_other(stored: QuickShell) -> None:
    """Wrong usage is exit code 2."""
    assert stored.writeit("export", str(FINISHED), "--json", "-f", "yaml").code == 2


def test_a_run_that_streamed_is_exported_paused(stored: QuickShell) -> None:
    """It contains the text received of the incomplete answer."""
    run = json.loads(stored.writeit("export", str(STREAMING), "-f", "json").out)["run"]
    (answer,) = run["steps"]["angles"]["ai_responses"]
    assert run["status"] == "PAUSED"
    assert answer["raw_output"] == "Bees dance, and so do we; who could not?"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("log",), 0),
        (("log", "--tree", "--json"), 0),
        (("usage",), 0),
        (("usage", "--json"), 0),
        (("store", "status"), 0),
        (("store", "status", "--json"), 0),
        (("store", "verify"), 1),
        (("store", "prune"), 1),
        (("show", str(FINISHED)), 1),
        (("export", str(FINISHED)), 1),
    ],
)
def test_reading_makes_no_store(
    fresh_shell: QuickShell, arguments: tuple[str, ...], code: int
) -> None:
    """A new folder does not change."""
    result = fresh_shell.writeit(*arguments)
    assert result.code == code, result.err
    assert result.out or result.err
    if "--json" in arguments:
        json.loads(result.out)
    assert [path.name for path in fresh_shell.folder.iterdir()] == ["pipelines"]


BROKEN = "name: broken\nsteps: []\n"


@pytest.mark.parametrize("place", ["pipelines/broken.yaml", "draft/broken.yaml"])
def test_one_file_is_checked(fresh_shell: QuickShell, place: str) -> None:
    """In any folder; problems of other files are not shown."""
    (fresh_shell.folder / "pipelines" / "other.yaml").write_text("name: [\n")
    file = fresh_shell.folder / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(BROKEN, encoding="utf-8")
    result = fresh_shell.writeit("pipeline", "check", place)
    assert result.code == 1
    assert "broken.yaml:2:" in result.out
    assert "other.yaml" not in result.out
    report = fresh_shell.writeit("pipeline", "check", place, "--json").json
    assert {problem["severity"] for problem in report["problems"]} == {"error"}


def test_pipelines_are_listed_as_json(fresh_shell: QuickShell) -> None:
    """With the steps and inputs that a script needs."""
    pipelines = fresh_shell.writeit("pipeline", "list", "--json").json
    article = next(
        pipeline for pipeline in pipelines if pipeline["name"] == "tech-article"
    )
    assert article["steps"] == ["angles", "outline", "draft", "polish"]
    assert article["inputs"][0]["name"] == "source_material"


def test_the_protocol_is_printed(fresh_shell: QuickShell) -> None:
    """As JSON, with and without --json; the help lists the command."""
    schema: Any = fresh_shell.writeit("protocol", "--json").json
    assert schema == fresh_shell.writeit("protocol").json
    assert "protocol" in fresh_shell.writeit("--help").out
    assert fresh_shell.writeit("protocol", "--yaml").code == 2


def prefer(folder: Path, theme: str) -> None:
    """Set the theme in the preferences."""

    async def save() -> None:
        store = LmdbStore.open(folder / ".writeit" / "store")
        await store.save_preferences(UserPreferences(theme=theme))
        store.close()

    asyncio.run(save())


def on_screen(folder: Path, **environment: str) -> str:
    """Return the tree as a terminal shows it."""

    async def look() -> str:
        terminal = Terminal(folder, {**os.environ, **environment})
        async with terminal.screen("log", "--tree") as screen:
            await screen.ends()
            await screen.shows(str(GRANDCHILD))
            return screen.text

    return asyncio.run(look())


@pytest.mark.rule("preferences-f6")
@pytest.mark.parametrize(
    ("theme", "finished"),
    [("default", "32"), ("dark", "92"), ("light", "32"), ("plain", None)],
)
def test_the_theme_colours_the_tree(
    stored: QuickShell, theme: str, finished: str | None
) -> None:
    """Bright on dark, deep on light, standard by default, or none."""
    prefer(stored.folder, theme)
    shown = on_screen(stored.folder)
    codes = set(re.findall(r"\x1b\[(\d+)m", shown)) - {"0"}
    assert codes == (set() if finished is None else codes | {finished})


def test_no_color_turns_colours_off(stored: QuickShell) -> None:
    """See https://no-color.org."""
    assert "\x1b" not in on_screen(stored.folder, NO_COLOR="1")
