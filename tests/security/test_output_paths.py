"""A file of the workspace never writes where programs look."""

import subprocess
from pathlib import Path

import pytest

from support.editor import Editor
from writeit.domain.errors import InvalidParams, NotTrusted
from writeit.files import resolve_article_path, resolve_in_workspace
from writeit.storage.location import store_folder

HIDDEN = {
    "a git file": ".git/commondir",
    "a git hook": ".git/hooks/pre-commit",
    "a git hook named as markdown": ".git/hooks/pre-commit.md",
    "an editor's settings": ".vscode/settings.json",
    "an editor's tasks": ".vscode/tasks.json.md",
    "a hidden file": ".envrc",
    "a hidden text": ".notes.md",
    "a hidden folder further down": "docs/.hidden/x.md",
    "our own folder": ".writeit/pipelines/x.md",
    "through a step": "docs/../.git/x.md",
    "upper case": ".GIT/x.md",
    "a short name of Windows": "GIT~1/hooks/x.md",
    "full-width": "\uff0egit/x.md",
    "behind a space": " .git/x.md",
}
PROGRAMS = {
    "a makefile": "Makefile",
    "a script": "x.sh",
    "python": "conftest.py",
    "a pipeline": "pipelines/x.yaml",
    "a package": "package.json",
    "two suffixes": "x.md.py",
    "a dot at the end": "x.md.",
    "a space at the end": "x.md ",
    "a line break": "x.md\n",
    "a null suffix": "x.md:ads",
    "no suffix": "x",
    "a page": "x.html",
    "a bidirectional name": "x\u202edm.hs.md",
    "a control character": "x\x1b[2J.md",
    "a stream of a script": "x.sh:y.md",
    "a drive": "C:/x.md",
    "a share": "\\\\host\\share\\x.md",
    "steps of Windows": "docs\\..\\.git\\x.md",
    "a device": "docs/nul.txt",
    "a device as a folder": "AUX/x.md",
    "a device in small digits": "COM\xb9.md",
    "a folder with a dot at the end": "docs./x.md",
    "a folder with a space at the end": "docs /x.md",
    "a home folder": "~root/x.md",
    "an option": "--help.md",
    "a text for a build": "docs/CMakeLists.txt",
    "a text for an installer": "requirements.txt",
    "one for developers": "requirements-dev.txt",
    "entry points": "x.egg-info/entry_points.txt",
}
OUTSIDE = {
    "above": "../x.md",
    "absolute": "/tmp/x.md",
    "far above": "a/../../x.md",
    "home": "~/../../../tmp/x.md",
}
TEXTS = (
    *("x.md", "a/b/x.MARKDOWN", "x.mdown", "x.Mkd", "x.mdx", "x.qmd", "x.Rmd", "x.txt"),
)


@pytest.mark.parametrize("path", {**HIDDEN, **PROGRAMS}.values())
def test_an_article_goes_to_no_such_place(tmp_path: Path, path: str) -> None:
    """Its suffix is one of a text, and no part of its path is hidden."""
    with pytest.raises((NotTrusted, InvalidParams)):
        resolve_article_path(tmp_path, path, None)


@pytest.mark.parametrize("path", OUTSIDE.values(), ids=OUTSIDE.keys())
def test_an_article_stays_in_the_workspace(tmp_path: Path, path: str) -> None:
    """Whatever way out is named; `~` is a name like any other."""
    try:
        target = resolve_article_path(tmp_path, path, None)
    except NotTrusted:
        return
    assert target.is_relative_to(tmp_path.resolve())


@pytest.mark.parametrize("path", TEXTS)
def test_an_article_goes_to_a_text(tmp_path: Path, path: str) -> None:
    """In any case of the suffix."""
    assert resolve_article_path(tmp_path, path, None) == tmp_path.resolve() / path


@pytest.mark.parametrize("target", [".git/hooks", "../outside", ".git"])
def test_a_link_is_what_it_leads_to(tmp_path: Path, target: str) -> None:
    """A folder of the workspace may be a link to one that is hidden or outside."""
    root = tmp_path / "root"
    (root / target).mkdir(parents=True)
    (root / "articles").symlink_to(root / target)
    with pytest.raises(NotTrusted):
        resolve_article_path(root, "articles/x.md", None)


def test_a_link_that_dangles_is_what_it_would_create(tmp_path: Path) -> None:
    """The file at its end would be new."""
    (tmp_path / "x.md").symlink_to(tmp_path / ".bashrc")
    with pytest.raises(NotTrusted):
        resolve_article_path(tmp_path, "x.md", None)


def test_beside_notes_in_a_hidden_folder_is_allowed(tmp_path: Path) -> None:
    """The user works there."""
    source = tmp_path / ".drafts" / "notes.md"
    target = resolve_article_path(tmp_path, ".drafts/article.md", source)
    assert target.parent == source.parent.resolve()
    with pytest.raises(NotTrusted):
        resolve_article_path(tmp_path, ".drafts/.article.md", source)


@pytest.mark.parametrize("parts", [1_200, 65])
def test_a_path_of_many_folders_is_refused(tmp_path: Path, parts: int) -> None:
    """For exports, too: creating them would exhaust the stack."""
    with pytest.raises(InvalidParams):
        resolve_in_workspace(tmp_path, "/".join(["d"] * parts) + "/x.md")


@pytest.mark.asyncio(loop_scope="session")
async def test_a_first_write_elsewhere_is_confirmed_once(cloned: Editor) -> None:
    """Front matter names the place: nothing is written until the user agrees."""
    folder = cloned.folder
    for number in (1, 2):
        notes = folder / f"bound{number}.md"
        path = f"articles/a{number}.md"
        notes.write_text(f"---\nwriteit:\n  output_path: {path}\n---\nWords.\n")
        uri = cloned.open_document(notes)
        run_id = await finished_run(cloned, uri)
        if number == 1:
            refusal = await cloned.refusal("writeit.step.apply", runId=run_id)
            assert refusal.kind == "not_trusted"
            assert refusal.data["confirm"] == f"Write to {path}"
            assert not (folder / "articles").exists()
            await cloned.command("writeit.step.apply", runId=run_id, confirmed=True)
        else:
            await cloned.command("writeit.step.apply", runId=run_id)
        assert (folder / path).read_text() == "hello\n"


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(
    "name",
    [
        *("AGENTS.md", "Claude.md", "README.md", "SKILL.md", "x.instructions.md"),
        *("llms.txt", "OTHER-TOOL.md"),
    ],
)
async def test_a_file_that_programs_follow_is_confirmed_by_itself(
    cloned: Editor, name: str
) -> None:
    """Also beside the notes, and if its folder was confirmed for another file."""
    notes = cloned.folder / "followed.md"
    notes.write_text(f"---\nwriteit:\n  output_path: {name}\n---\nWords.\n")
    run_id = await finished_run(cloned, cloned.open_document(notes))
    refusal = await cloned.refusal("writeit.step.apply", runId=run_id)
    assert refusal.kind == "not_trusted"
    assert "Other programs" in str(refusal)
    assert refusal.data["confirm"] == f"Write to {name}"
    assert not (cloned.folder / name).exists()
    await cloned.command("writeit.step.apply", runId=run_id, confirmed=True)
    assert (cloned.folder / name).read_text() == "hello\n"


async def finished_run(editor: Editor, uri: str) -> str:
    """Run a pipeline of one step to its end."""
    (editor.folder / "pipelines").mkdir(exist_ok=True)
    (editor.folder / "pipelines" / "once.yaml").write_text(
        "name: once\ninputs: [{name: notes, required: true, from: document}]\n"
        "steps: [{name: draft, prompt: '{{ inputs.notes }}'}]\n"
    )
    run_id = await editor.start_run(pipeline="once", uri=uri)
    await editor.command("writeit.step.run", runId=run_id, models=["openai/say-hello"])
    await editor.command("writeit.step.select", runId=run_id, response=0)
    return run_id


LINKS = (".writeit", ".writeit/store", ".writeit/.gitignore")


@pytest.mark.parametrize("link", LINKS)
def test_links_of_a_cloned_folder_are_not_followed(
    tmp_path: Path, link: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store goes to the user's data folder, with one sentence."""
    monkeypatch.setenv("WRITEIT_DATA_DIR", str(tmp_path / "data"))
    cloned, elsewhere = tmp_path / "cloned", tmp_path / "elsewhere"
    (cloned / link).parent.mkdir(parents=True)
    elsewhere.mkdir()
    (cloned / link).symlink_to(elsewhere)
    folder, message = store_folder(cloned)
    assert folder.is_relative_to(tmp_path / "data")
    assert message is not None
    assert "link" in message
    assert list(elsewhere.iterdir()) == []


def test_git_takes_nothing_from_what_is_written(tmp_path: Path) -> None:
    """The instance of the report: `.git/commondir` ends in code execution."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for path in ("commondir", "config", "hooks/post-checkout"):
        with pytest.raises(NotTrusted):
            resolve_article_path(tmp_path, f".git/{path}", tmp_path / "notes.md")
