"""Feedback that becomes a rule of the style."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from support.editor import serving
from support.open_documents import OpenDocuments
from support.workspace import new_workspace
from writeit.library.catalog import bundled_library_root
from writeit.library.pipelines import read_primer
from writeit.library.primer_writer import with_rule

PRIMERS = sorted((bundled_library_root() / "primers").glob("*.yaml"))


@pytest.mark.parametrize("path", PRIMERS, ids=lambda path: path.stem)
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_rule_is_added_and_nothing_else_changes(path: Path, line_end: str) -> None:
    """Each once, in their order; the prompt carries them."""
    text = path.read_text(encoding="utf-8").replace("\n", line_end)
    once = with_rule(text, 'No "quotes": none.')
    twice = with_rule(with_rule(once, "Short words."), "Short words.")
    assert set(text.split(line_end)) <= set(twice.split(line_end))
    primer, _ = read_primer(twice, "", default_id="x")
    assert primer is not None
    assert 'Rules: No "quotes": none.; Short words..' in primer.prompt_text


async def test_a_shipped_style_is_copied_first(
    workspace: Path, environment: dict[str, str]
) -> None:
    """The next run uses it; rules at once go into the same file, open or not.

    One that is undone in the editor can be kept again.
    """
    async with serving([workspace], environment=environment) as editor:
        editor.notes = editor.open_document(workspace / "notes.md")
        run_id = await editor.start_run()

        async def keep(*texts: str) -> set[str]:
            command = partial(editor.command, "writeit.primer.keep", runId=run_id)
            kept = await asyncio.gather(*(command(text=text) for text in texts))
            return {reply["uri"] for reply in kept}

        copy = workspace / "primers" / "academic.yaml"
        assert await keep("Short words.", "No\n jokes.") == {copy.as_uri()}
        text = copy.read_text(encoding="utf-8")
        assert '- "Short words."\n    - "No jokes."' in text
        page = OpenDocuments(editor).open(text, uri=copy.as_uri())
        await keep("One.", "Two.")
        assert (page.text.count('- "One."\n    - "Two."'), page.taken) == (1, 2)
        page.type(0, len(page.text), text)
        await keep("Two.")
        assert page.text.replace('    - "Two."\n', "") == text
        again = await editor.show(await editor.start_run())
        before = await editor.show(run_id)
        assert again["primer"]["version"] != before["primer"]["version"]


async def test_without_a_style_one_is_made_and_named(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    """In the document's front matter, so that its next run uses it."""
    folder = new_workspace(tmp_path / "plain")
    notes = folder / "plain.md"
    notes.write_text("# Bees\n\nThey sleep.\n", encoding="utf-8")
    async with serving([folder], environment=environment) as editor:
        uri = notes.as_uri()
        run = await editor.command(
            "writeit.run.start", pipeline="tech-article", uri=uri, primer="none"
        )
        run_id = run["pipelineRunId"]
        await editor.command("writeit.primer.keep", runId=run_id, text="Be brief.")
        assert "primer: my-style" in notes.read_text(encoding="utf-8")
        again = await editor.command(
            "writeit.run.start", pipeline="tech-article", uri=uri
        )
        assert again["primer"]["primerId"] == "my-style"
