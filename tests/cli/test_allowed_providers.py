"""Allowed providers in the terminal, also when the document does not exist."""

from support.terminal import CommandResult, Terminal

NOTES = """\
---
writeit:
  providers: [embedded, openai]
---
# Rivers

A river is moving water.
"""
ALLOWED = ("-m", "openai/say-hello")
FORBIDDEN = ("-m", "mistral/say-hello")


async def start_run(shell: Terminal) -> str:
    """Start a run of notes with allowed providers; generate its first step."""
    (shell.folder / "kept.md").write_text(NOTES, encoding="utf-8")
    result = await shell.writeit(
        *("run", "tech-article", "kept.md", "--choose", "ask", "--json", *ALLOWED),
        lines="1\n",
    )
    assert result.code == 0, result.err
    run_id: str = result.json["run_id"]
    return run_id


def assert_refused(result: CommandResult) -> None:
    """The message names the refused and the allowed providers."""
    assert result.code == 1
    assert "may not be sent to mistral" in result.err
    assert "Allowed providers: embedded, openai" in result.err


async def test_the_limit_applies_after_the_document_was_deleted(
    shell: Terminal,
) -> None:
    """The limit was recorded when the run started."""
    run_id = await start_run(shell)
    (shell.folder / "kept.md").unlink()
    assert_refused(await shell.writeit("run", "--resume", run_id, *FORBIDDEN))


async def test_the_limit_applies_to_an_imported_run(shell: Terminal) -> None:
    """The document does not exist in that folder."""
    run_id = await start_run(shell)
    other = shell.folder.parent / "other"
    (other / ".git").mkdir(parents=True)
    await shell.writeit("export", run_id, "-o", str(other / "run.yaml"))
    imported = await shell.writeit("import", "run.yaml", "--json", at=other)
    run_id = imported.json["run_id"]
    assert_refused(await shell.writeit("run", "--resume", run_id, *FORBIDDEN, at=other))


async def test_a_rule_that_cannot_be_read_sends_nothing(shell: Terminal) -> None:
    """Neither at the start nor when a run is resumed; its history can be exported."""
    run_id = await start_run(shell)
    notes = shell.folder / "kept.md"
    for broken in (
        NOTES.replace("writeit", "WriteIt"),
        NOTES.replace("---\n#", "#"),
        '{"writeit": {"providers": ["embedded"]},}\n\nnotes\n',
    ):
        notes.write_text(broken, encoding="utf-8")
        for command in (("tech-article", "kept.md"), ("--resume", run_id)):
            result = await shell.writeit("run", *command, *ALLOWED)
            assert result.code == 1
            assert "Nothing is sent" in result.err
        assert (await shell.writeit("export", run_id)).code == 0


async def test_an_article_begins_with_the_providers_of_its_notes(
    shell: Terminal,
) -> None:
    """In a file; its own runs are held to them."""
    (shell.folder / "kept.md").write_text(NOTES, encoding="utf-8")
    written = await shell.writeit(
        "run", "tech-article", "kept.md", "-o", "article.md", *ALLOWED
    )
    assert written.code == 0, written.err
    article = (shell.folder / "article.md").read_text(encoding="utf-8")
    assert article.startswith('---\nwriteit:\n  providers: ["embedded", "openai"]\n---')
    assert_refused(await shell.writeit("run", "tech-article", "article.md", *FORBIDDEN))
