"""Counts the acts of a person: how many it takes from notes to an article.

One act is a command with what is typed behind it, a key on a lens, a confirmed entry
of a list or an opened page. Typing into a page and reading are none.
"""

from collections.abc import Sequence


def check_acts(story: str, acts: Sequence[str], limit: int) -> None:
    """Print the acts of a story, and hold that they are at most `limit`."""
    lines = [f"{story}: {len(acts)} acts of at most {limit}"]
    lines += [f"{number:3}. {act}" for number, act in enumerate(acts, start=1)]
    transcript = "\n".join(lines)
    print(transcript)  # noqa: T201 -- the figure is what the test is for
    assert len(acts) <= limit, transcript
