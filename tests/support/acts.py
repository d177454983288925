"""Counts what something takes: the acts of a person, the calls of some code.

One act is a command with what is typed behind it, a key on a lens, a confirmed entry
of a list or an opened page. Typing into a page and reading are none.
"""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager


def check_acts(story: str, acts: Sequence[str], limit: int) -> None:
    """Print the acts of a story, and hold that they are at most `limit`."""
    lines = [f"{story}: {len(acts)} acts of at most {limit}"]
    lines += [f"{number:3}. {act}" for number, act in enumerate(acts, start=1)]
    transcript = "\n".join(lines)
    print(transcript)  # noqa: T201 -- the figure is what the test is for
    assert len(acts) <= limit, transcript


@contextmanager
def counting_calls() -> Iterator[list[str]]:
    """Yield a list that gets an item for each call in this thread, also into C."""
    calls: list[str] = []

    def profile(_frame: object, event: str, _argument: object) -> None:
        if event in {"call", "c_call"}:
            calls.append(event)

    sys.setprofile(profile)
    try:
        yield calls
    finally:
        sys.setprofile(None)
