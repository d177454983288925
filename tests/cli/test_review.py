"""`writeit review`: remarks with their lines, and a file that stays as it is."""

from support.terminal import Terminal

LONGEST = "The second one is the longest sentence of the text."
TEXT = f"""---
title: Cache
---

# The cache

It is the the fastest part. {LONGEST}

It was warm.
"""


async def test_remarks_are_printed_with_the_lines_of_the_file(shell: Terminal) -> None:
    """What two models remark is there once; a command on the run says the same."""
    notes = shell.folder / "cache.md"
    notes.write_text(TEXT, encoding="utf-8")
    models = ("-m", "openai/review", "-m", "openai/review-prose")
    done = await shell.writeit("review", "cache.md", *models)
    assert done.code == 0, done.err
    assert done.out.splitlines() == [
        "- line 7, repetition (2 models): “the the”",
        "  You wrote “the” twice.",
        "  Suggestion: “the”",
        f"- line 7, long-sentence (2 models): “{LONGEST}”",
        "  10 words in one sentence.",
    ]
    assert notes.read_text(encoding="utf-8") == TEXT
    listed = await shell.writeit("review", "cache.md", "--json", *models)
    assert [remark["line"] for remark in listed.json["remarks"]] == [7, 7]
    exported = await shell.writeit("export", "last", "--format", "markdown")
    assert "repetition (2 models)" in exported.out
