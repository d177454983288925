"""Documents as files that another program changes."""

import asyncio
import sys
from pathlib import Path

import pytest

from support.open_documents import BETTER, SECOND, TEXT, OpenDocuments, file_of
from support.store_failures import assert_store_error, disk_full
from writeit.lsp.edits.files import replace_file_text


async def test_a_closed_text_that_is_too_long_is_refused_and_left(
    docs: OpenDocuments,
) -> None:
    """It is not read by halves; where the answer is kept is said."""
    text = f"{SECOND}\n" + "A line of a very long book.\n" * 200_000
    page = docs.open(f"{SECOND}\n")
    run_id = await docs.polished(page)
    page.close()
    file_of(page.uri).write_text(text, encoding="utf-8")
    refused = await docs.editor.refusal("writeit.step.apply", runId=run_id)
    assert refused.kind == "invalid_params"
    assert "kept" in refused.data["hint"]
    assert file_of(page.uri).read_text(encoding="utf-8") == text


async def test_a_text_with_the_longest_name_there_is_takes_an_edit(
    docs: OpenDocuments,
) -> None:
    """What stands beside it for a moment has a shorter one."""
    path = docs.path().with_name("é" * 125 + ".md")
    path.write_text(f"{SECOND}\n", encoding="utf-8")
    run_id = await docs.run(path.as_uri(), f"{SECOND}\n", SECOND)
    assert (await docs.apply(run_id))["applied"]
    assert path.read_text(encoding="utf-8") == f"{BETTER}\n"


SERVER = """
import sys
from pathlib import Path
from writeit.lsp.edits.files import replace_file_text

path, mine = Path(sys.argv[1]), sys.argv[2]
text = path.read_text()
for number in range(200):
    while not replace_file_text(path, text, text.replace(mine, mine + "x")):
        text = path.read_text()
    text = path.read_text()
"""


async def test_two_servers_lose_no_edit_of_a_file(tmp_path: Path) -> None:
    """What one of them put there is not what the other compared it with."""
    file = tmp_path / "both.md"
    file.write_text("A \nB \n", encoding="utf-8")
    servers = [
        await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", SERVER, str(file), mine)
        )
        for mine in "AB"
    ]
    assert [await server.wait() for server in servers] == [0, 0]
    assert file.read_text(encoding="utf-8").count("x") == 400


async def test_what_an_editor_saves_in_the_moment_of_a_replacement_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It writes into the file that had the name; that text has the name again."""
    file = tmp_path / "notes.md"
    file.write_text("As it was.\n", encoding="utf-8")
    with file.open("r+", encoding="utf-8") as editor:
        replace, moments = type(file).replace, [1]

        def when_the_user_saves(path: Path, target: Path) -> Path:
            if moments.pop() if moments else 0:
                editor.truncate()
                editor.write("The user's text.\n")
                editor.flush()
            return replace(path, target)

        monkeypatch.setattr(type(file), "replace", when_the_user_saves)
        assert not replace_file_text(file, "As it was.\n", "As we have it.\n")
    assert file.read_text(encoding="utf-8") == "The user's text.\n"


async def test_a_full_disk_is_told_as_one(docs: OpenDocuments) -> None:
    """The text stands as it was, and is applied when there is room."""
    page = docs.open()
    run_id = await docs.polished(page)
    page.close()
    file = file_of(page.uri)
    with disk_full(docs.editor):
        assert_store_error(
            await docs.editor.refusal("writeit.step.apply", runId=run_id), "full"
        )
    assert file.read_text(encoding="utf-8") == TEXT
    assert (await docs.apply(run_id))["applied"]
