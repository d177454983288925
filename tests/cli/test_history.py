"""`writeit log`, `show`, `usage`, `export`, `import`: what was done here."""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from storage.whole import CHILD, DELETED, FINISHED, GRANDCHILD, STREAMING, whole_store
from support.terminal import CommandResult, Terminal
from writeit.app import main
from writeit.domain.session import UserPreferences
from writeit.storage.store import LmdbStore

if TYPE_CHECKING:
    from pathlib import Path


class Here:
    """A shell in a folder, without a process for each command."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capture: pytest.CaptureFixture[str],
    ) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capture = capture

    def writeit(self, *arguments: str, at: Path | None = None) -> CommandResult:
        """Run one command."""
        self._monkeypatch.chdir(at or self.folder)
        code = 0
        try:
            main(arguments)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        said = self._capture.readouterr()
        return CommandResult(code, said.out, said.err)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with a family of runs, and one whose answers nobody awaits."""
    return whole_store(tmp_path_factory.mktemp("made") / ".writeit" / "store")


@pytest.fixture
def here(
    made: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Here:
    """A shell in a workspace of the test's own."""
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "notes"
    shutil.copytree(made, folder / ".writeit" / "store")
    return Here(folder, monkeypatch, capsys)


@pytest.fixture
def nowhere(tmp_path: Path, here: Here) -> Here:
    """The same shell, in a folder in which nothing was done yet."""
    here.folder = tmp_path / "fresh"
    (here.folder / "pipelines").mkdir(parents=True)
    return here


# --- log --------------------------------------------------------------------------


def test_the_log_has_the_newest_run_first(here: Here) -> None:
    """A line each: id, when, what, where it stands."""
    said = here.writeit("log")
    assert said.code == 0
    ids = [line.split()[0] for line in said.out.splitlines()]
    assert ids == [str(run) for run in (STREAMING, GRANDCHILD, CHILD, FINISHED)]
    assert "Why bees dance · tech-article" in said.out
    assert "finished" in said.out
    assert "\x1b" not in said.out


def test_the_log_can_be_narrowed(here: Here) -> None:
    """By state, by words, by number; and says that there is more."""
    done = here.writeit("log", "--status", "completed", "--json").json
    assert [run["run_id"] for run in done] == [str(FINISHED)]
    named = here.writeit("log", "--text", "another", "--json").json
    assert {run["run_id"] for run in named} == {str(CHILD), str(GRANDCHILD)}
    first = here.writeit("log", "--limit", "1")
    assert len(first.out.splitlines()) == 1
    assert "--limit 2" in first.err


def test_the_tree_shows_families(here: Here) -> None:
    """With the ids to go on with, and what was deleted."""
    said = here.writeit("log", "--tree")
    assert re.search(
        rf"^Why bees dance · finished · .*{FINISHED}$", said.out, re.MULTILINE
    )
    assert re.search(rf"^├─ from draft: .*{CHILD}$", said.out, re.MULTILINE)
    assert re.search(
        rf"^└─ from outline: .* · deleted  {DELETED}$", said.out, re.MULTILINE
    )
    assert re.search(rf"^   └─ from angles: .*{GRANDCHILD}$", said.out, re.MULTILINE)


def test_the_tree_as_json_is_a_tree(here: Here) -> None:
    """Children stand in their parents."""
    families = here.writeit("log", "--tree", "--json").json
    root = next(f for f in families if f["run_id"] == str(FINISHED))
    assert [child["run_id"] for child in root["children"]] == [str(CHILD), str(DELETED)]
    assert root["children"][1]["deleted"]


# --- show, usage ------------------------------------------------------------------


def test_a_run_is_shown_as_its_view(here: Here) -> None:
    """Without what only an editor understands."""
    said = here.writeit("show", str(CHILD))
    assert said.code == 0
    assert "Why bees dance" not in said.out.splitlines()[0]  # its own name goes first
    assert "another way" in said.out.splitlines()[0]
    assert "← this run" in said.out
    assert "writeit:/" not in said.out
    assert "**" not in said.out


def test_a_step_is_shown_with_its_answers(here: Here) -> None:
    """And a step that is not there is refused with those that are."""
    said = here.writeit("show", str(FINISHED), "--step", "draft")
    assert "draft · step 3 of 4" in said.out
    assert "Answer 2 · openai/gpt-4o" in said.out
    wrong = here.writeit("show", str(FINISHED), "--step", "drafts")
    assert wrong.code == 1
    assert "draft" in wrong.err


def test_a_run_and_a_step_as_json(here: Here) -> None:
    """In the data model's own names."""
    run = here.writeit("show", str(FINISHED), "--json").json
    assert run["pipeline_run_id"] == str(FINISHED)
    step = here.writeit("show", str(FINISHED), "--step", "draft", "--json").json
    assert step == run["steps"]["draft"]


def test_usage_is_added_up(here: Here) -> None:
    """By model, by day and by pipeline, or by what is asked for."""
    said = here.writeit("usage")
    assert "8 calls" in said.out
    for kind in ("model", "day", "pipeline"):
        assert f"By {kind}" in said.out
    told = here.writeit("usage", "--by", "run", "--json").json
    assert [row["key"] for row in told["rows"]] == [str(FINISHED)]
    assert told["total"]["calls"] == 8
    later = here.writeit("usage", "--since", "2030-01-01", "--json").json
    assert later["total"]["calls"] == 0


# --- export, import ---------------------------------------------------------------


def plain(text: str) -> str:
    """An export with its document, which is in neither folder, back where it was."""
    return re.sub("(?m)^.*checksum.*$", "", text).replace("elsewhere:/", "file:/")


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_a_family_moves_to_another_folder(
    here: Here, tmp_path: Path, form: str
) -> None:
    """Run by run; the exports there are the exports here, and the store is well."""
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / ".git").mkdir(parents=True)
    runs = (GRANDCHILD, FINISHED, CHILD)
    texts = {}
    for run in runs:
        texts[run] = here.writeit("export", str(run), "-f", form).out
        file = tmp_path / f"{run}.{form}"
        file.write_text(texts[run], encoding="utf-8", newline="")
        said = here.writeit("import", str(file), at=elsewhere)
        assert said.code == 0, said.err
        assert str(run) in said.out
    for run in runs:
        again = here.writeit("export", str(run), "-f", form, at=elsewhere)
        assert plain(again.out) == plain(texts[run])
    assert here.writeit("store", "verify", at=elsewhere).code == 0
    tree = here.writeit("log", "--tree", at=elsewhere).out
    assert here.writeit("log", "--tree").out.endswith(tree)


def test_an_import_can_be_told_as_json(here: Here, tmp_path: Path) -> None:
    """For scripts."""
    (tmp_path / "b" / ".git").mkdir(parents=True)
    here.writeit("export", str(FINISHED), "--json", "-o", str(tmp_path / "run.json"))
    told = here.writeit(
        "import", str(tmp_path / "run.json"), "--json", at=tmp_path / "b"
    ).json
    assert told == {"run_id": str(FINISHED), "status": "COMPLETED"}


def test_what_is_here_is_not_imported_again(here: Here) -> None:
    """Exit 1, with what to do; nothing changes."""
    here.writeit("export", str(FINISHED), "-o", "run.yaml")
    before = here.writeit("store", "status").out
    said = here.writeit("import", "run.yaml")
    assert said.code == 1
    assert "already" in said.err
    assert "another folder" in said.err
    assert here.writeit("store", "status").out == before


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe\x00", b"prose\n", b"writeit_export: 99\n", b"[" * 9999]
)
def test_what_is_no_export_leaves_no_trace(nowhere: Here, content: bytes) -> None:
    """Exit 1, no store is made, no traceback."""
    (nowhere.folder / "x.yaml").write_bytes(content)
    said = nowhere.writeit("import", "x.yaml")
    assert said.code == 1
    assert said.err
    assert "Traceback" not in said.err
    assert not (nowhere.folder / ".writeit").exists()


def test_a_file_that_is_far_too_big_is_not_read(nowhere: Here) -> None:
    """Its size is enough to say so."""
    with (nowhere.folder / "x.yaml").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    said = nowhere.writeit("import", "x.yaml")
    assert said.code == 1
    assert "too large" in said.err


def test_markdown_says_where_it_came_from(here: Here) -> None:
    """And ends with the text."""
    said = here.writeit("export", str(FINISHED), "-f", "markdown")
    front, text = said.out.split("---\n")[1:]
    assert yaml.safe_load(front)["writeit_export"]["run"] == str(FINISHED)
    assert text == "Answer 106. " * 399 + "Answer 106.\n"


def test_formats_do_not_contradict_each_other(here: Here) -> None:
    """Misuse is exit 2."""
    assert here.writeit("export", str(FINISHED), "--json", "-f", "yaml").code == 2


def test_a_run_that_streamed_is_exported_paused(here: Here) -> None:
    """What had come of an answer that nobody finished is in it."""
    run = json.loads(here.writeit("export", str(STREAMING), "-f", "json").out)["run"]
    (answer,) = run["steps"]["angles"]["ai_responses"]
    assert run["status"] == "PAUSED"
    assert answer["raw_output"] == "Bees dance, and so do we; who could not?"


# --- where nothing is -------------------------------------------------------------


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
def test_looking_makes_no_store(
    nowhere: Here, arguments: tuple[str, ...], code: int
) -> None:
    """A folder in which nothing was done stays as it is."""
    said = nowhere.writeit(*arguments)
    assert said.code == code, said.err
    assert said.out or said.err
    if "--json" in arguments:
        json.loads(said.out)
    assert [path.name for path in nowhere.folder.iterdir()] == ["pipelines"]


# --- pipeline ---------------------------------------------------------------------

BROKEN = "name: broken\nsteps: []\n"


@pytest.mark.parametrize("place", ["pipelines/broken.yaml", "draft/broken.yaml"])
def test_one_file_is_checked(nowhere: Here, place: str) -> None:
    """Wherever it is; others' problems are not its."""
    (nowhere.folder / "pipelines" / "other.yaml").write_text("name: [\n")
    file = nowhere.folder / place
    file.parent.mkdir(exist_ok=True)
    file.write_text(BROKEN, encoding="utf-8")
    said = nowhere.writeit("pipeline", "check", place)
    assert said.code == 1
    assert "broken.yaml:2:" in said.out
    assert "other.yaml" not in said.out
    told = nowhere.writeit("pipeline", "check", place, "--json").json
    assert {problem["severity"] for problem in told["problems"]} == {"error"}


def test_pipelines_are_listed_as_json(nowhere: Here) -> None:
    """With what a script needs to start one."""
    told = nowhere.writeit("pipeline", "list", "--json").json
    article = next(each for each in told if each["name"] == "tech-article")
    assert article["steps"] == ["angles", "outline", "draft", "polish"]
    assert article["inputs"][0]["name"] == "source_material"


def test_the_protocol_is_printed(nowhere: Here) -> None:
    """As JSON, with or without being told so; and it stands in the help."""
    schema: Any = nowhere.writeit("protocol", "--json").json
    assert schema == nowhere.writeit("protocol").json
    assert "protocol" in nowhere.writeit("--help").out
    assert nowhere.writeit("protocol", "--yaml").code == 2


# --- colours ----------------------------------------------------------------------


def prefer(folder: Path, theme: str) -> None:
    """Keep a theme among the preferences."""

    async def keep() -> None:
        store = LmdbStore.open(folder / ".writeit" / "store")
        await store.save_preferences(UserPreferences(theme=theme))
        store.close()

    asyncio.run(keep())


def on_screen(folder: Path, **environment: str) -> str:
    """What a person sees of the tree."""

    async def look() -> str:
        terminal = Terminal(folder, {**os.environ, **environment})
        async with terminal.screen("log", "--tree") as screen:
            await screen.ends()
            await screen.shows(str(GRANDCHILD))
            return screen.text

    return asyncio.run(look())


@pytest.mark.parametrize(
    ("theme", "finished"),
    [("default", "32"), ("dark", "92"), ("light", "32"), ("plain", None)],
)
def test_the_theme_colours_the_tree(
    here: Here, theme: str, finished: str | None
) -> None:
    """Bright on dark, deep on light, the terminal's own by default, or none."""
    prefer(here.folder, theme)
    shown = on_screen(here.folder)
    codes = set(re.findall(r"\x1b\[(\d+)m", shown)) - {"0"}
    assert codes == (set() if finished is None else codes | {finished})


def test_nobody_is_coloured_who_does_not_want_it(here: Here) -> None:
    """NO_COLOR, as https://no-color.org has it."""
    assert "\x1b" not in on_screen(here.folder, NO_COLOR="1")
